"""Judges' models with random weights in their published formats."""

from __future__ import annotations

from pathlib import Path

MELS = {"ms_sr": None, "ms_n_fft": 4096, "ms_hop_length": 0.01, "ms_win_length": 0.02, "ms_n_mels": 48, "ms_seg_length": 15}
CONVOLUTIONS = {"cnn_c_out_1": 16, "cnn_c_out_2": 32, "cnn_c_out_3": 64, "cnn_kernel_size": (3, 3), "cnn_dropout": 0.2}
#: Settings of the published ``nisqa.tar``: 0.2 M parameters, so the tests use the architecture at its full size.
NISQA = MELS | CONVOLUTIONS | {
    "model": "NISQA_DIM", "ms_fmax": 20000, "ms_seg_hop_length": 4, "ms_max_segments": 1300,
    "cnn_model": "adapt", "cnn_fc_out_h": None, "cnn_pool_1": [24, 7], "cnn_pool_2": [12, 5], "cnn_pool_3": [6, 3],
    "td": "self_att", "td_sa_d_model": 64, "td_sa_nhead": 1, "td_sa_pos_enc": None, "td_sa_num_layers": 2, "td_sa_h": 64, "td_sa_dropout": 0.1,
    "td_2": "skip", "pool": "att", "pool_att_h": 128, "pool_att_dropout": 0.1,
}
#: Settings of the published ``nisqa_tts.tar``.
NISQA_TTS = MELS | CONVOLUTIONS | {
    "model": "NISQA", "ms_fmax": 8000, "ms_seg_hop_length": 1, "ms_max_segments": 6000, "cnn_model": "standard", "cnn_fc_out_h": 20,
    "td": "lstm", "td_lstm_h": 128, "td_lstm_num_layers": 1, "td_lstm_dropout": 0, "td_lstm_bidirectional": True,
    "td_2": "skip", "pool": "last_step_bi", "pool_att_h": None, "pool_att_dropout": None,
}


def save_nisqa(path: Path, *, seed: int = 0, **settings: object) -> Path:
    """A checkpoint like ``nisqa.tar``, with some ``settings`` of one's own. Its scores differ between clips by hundredths and more."""
    shapes = _convolution_shapes(last_width=3) | _attention_shapes()
    for k in range(5):
        shapes |= {f"pool_layers.{k}.model.{name}": shape for name, shape in _linears({"linear1": (128, 64), "linear2": (1, 128), "linear3": (1, 64)}).items()}
    return _save(path, NISQA | settings, shapes, seed=seed)


def save_nisqa_tts(path: Path, *, seed: int = 0) -> Path:
    """A checkpoint like ``nisqa_tts.tar``."""
    shapes = _convolution_shapes(last_width=3) | _linears({"cnn.model.fc_out": (20, 768), "pool.model.linear": (1, 256)})
    for direction in ("", "_reverse"):
        for name, shape in {"weight_ih": (512, 20), "weight_hh": (512, 128), "bias_ih": (512,), "bias_hh": (512,)}.items():
            shapes[f"time_dependency.model.lstm.{name}_l0{direction}"] = shape
    return _save(path, NISQA_TTS, shapes, seed=seed)


def _linears(shapes: dict[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": own for name, shape in shapes.items() for part, own in (("weight", shape), ("bias", shape[:1]))}


def _convolution_shapes(*, last_width: int) -> dict[str, tuple[int, ...]]:
    channels, shapes = (1, 16, 32, 64, 64, 64, 64), {}
    for k in range(1, 7):
        shapes[f"cnn.model.conv{k}.weight"] = (channels[k], channels[k - 1], 3, last_width if k == 6 else 3)
        for name in ("conv{}.bias", "bn{}.weight", "bn{}.bias", "bn{}.running_mean", "bn{}.running_var"):
            shapes[f"cnn.model.{name.format(k)}"] = (channels[k],)
        shapes[f"cnn.model.bn{k}.num_batches_tracked"] = ()
    return shapes


def _attention_shapes() -> dict[str, tuple[int, ...]]:
    shapes = _linears({"linear": (64, 384)}) | {"norm1.weight": (64,), "norm1.bias": (64,)}
    for k in range(2):
        own = _linears({"self_attn.out_proj": (64, 64), "linear1": (64, 64), "linear2": (64, 64)})
        own |= {"self_attn.in_proj_weight": (192, 64), "self_attn.in_proj_bias": (192,)}
        own |= {f"norm{n}.{part}": (64,) for n in (1, 2) for part in ("weight", "bias")}
        shapes |= {f"layers.{k}.{name}": shape for name, shape in own.items()}
    return {f"time_dependency.model.{name}": shape for name, shape in shapes.items()}


def _save(path: Path, settings: dict, shapes: dict[str, tuple[int, ...]], *, seed: int) -> Path:
    import torch

    generator = torch.Generator().manual_seed(seed)
    state = {name: _tensor(name, shape, generator) for name, shape in shapes.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"args": settings, "model_state_dict": state}, path)
    return path


def _tensor(name: str, shape: tuple[int, ...], generator):
    import torch

    if name.endswith("num_batches_tracked"):
        return torch.tensor(1)
    noise = torch.randn(shape, generator=generator)
    if name.endswith("running_var"):
        return 0.5 + noise.abs()
    if ".bn" in name and name.endswith("weight") or ".norm" in name and name.endswith("weight"):
        return 1 + 0.2 * noise
    # Mel values are tens of dB: without small first weights everything after would saturate.
    gain = 0.05 if "conv1" in name else 1.5 if len(shape) > 1 else 0.1
    return gain * noise / max(1, torch.Size(shape[1:]).numel()) ** 0.5


def save_scoreq(path: Path, *, seed: int = 0, batches: str = "free", layers: int = 0, channels: int = 16) -> Path:
    """A graph like ``adapt_nr_synthetic.onnx``: samples (batch, T) -> (batch, 1).

    Like the real one it normalises over time after its first convolution and takes the mean over time at the end, so that padding and
    neighbours that leak would change its score.

    Args:
        batches: ``free`` (a batch axis that works), ``one`` (fixed at 1) or ``mixing`` (a batch axis over which it normalises, too).
        layers: further convolutions of kernel 3, for a graph that has something to compute.
    """
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)

    def noise(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.standard_normal(shape) / max(1, int(np.prod(shape[1:]))) ** 0.5).astype(np.float32), name)

    half = channels // 2
    weights = [noise("w0", half, 1, 10), noise("w1", channels, half, 8), noise("out", channels, 1), noise("bias", 1)]
    weights += [numpy_helper.from_array(np.full(half, value, np.float32), name) for name, value in (("scale", 1.0), ("shift", 0.1))]
    weights += [numpy_helper.from_array(np.array(axes, np.int64), name) for name, axes in (("one", [1]), ("time", [2]), *([("all", [0, 2])] if batches == "mixing" else []))]
    mean = [helper.make_node("ReduceMean", ["c1", "all"], ["m"], keepdims=1), helper.make_node("Sub", ["c1", "m"], ["mixed"])]
    nodes = [
        helper.make_node("Unsqueeze", ["audio_input", "one"], ["x"]),
        helper.make_node("Conv", ["x", "w0"], ["c0"], strides=[5]),
        helper.make_node("InstanceNormalization", ["c0", "scale", "shift"], ["n"]),
        helper.make_node("Relu", ["n"], ["a0"]),
        helper.make_node("Conv", ["a0", "w1"], ["c1"], strides=[8]),
        *(mean if batches == "mixing" else []),
        helper.make_node("Tanh", ["mixed" if batches == "mixing" else "c1"], ["h0"]),
    ]
    for k in range(layers):
        weights.append(noise(f"v{k}", channels, channels, 3))
        nodes += [helper.make_node("Conv", [f"h{k}", f"v{k}"], [f"d{k}"], pads=[1, 1]), helper.make_node("Relu", [f"d{k}"], [f"h{k + 1}"])]
    nodes += [
        helper.make_node("ReduceMean", [f"h{layers}", "time"], ["pooled"], keepdims=0),
        helper.make_node("MatMul", ["pooled", "out"], ["score"]),
        helper.make_node("Add", ["score", "bias"], ["mos_output"]),
    ]
    rows = 1 if batches == "one" else "batch_size"
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("audio_input", [rows, "samples"]), ("mos_output", [rows, 1])))
    graph = helper.make_graph(nodes, "scoreq", [next(ends)], [next(ends)], weights)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def save_wavlm(
    folder: Path, *, seed: int = 0, hidden: int = 32, layers: int = 2, weighted: bool = True, norm: str = "group", do_normalize: bool = False,
    full: bool = False,
) -> Path:
    """A folder like ``microsoft/wavlm-base-plus-sv``: the published kernels, strides and dilations with few channels, or ``full`` with all."""
    import torch
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector

    torch.manual_seed(seed)
    config = WavLMConfig(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=2 * hidden, conv_dim=(hidden,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, tdnn_dim=(hidden,) * 4 + (2 * hidden,), xvector_output_dim=hidden,
        use_weighted_layer_sum=weighted, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer", conv_bias=norm == "layer",
    )
    model = WavLMForXVector(WavLMConfig(use_weighted_layer_sum=True) if full else config)
    # The library's initial weights (deviation 0.02) give all clips the same embedding to three decimals: nothing could be told apart.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 and "parametrizations" not in name:
                parameter.normal_(0, 1.4 / parameter[0].numel() ** 0.5)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=do_normalize, return_attention_mask=False).save_pretrained(folder)
    return folder
