"""A tiny hybrid TDT-CTC FastConformer of NeMo's own, saved as NeMo saves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.audio import Audio, resample

#: Sentences that the fitted model knows; none shares a word's sound with the next, so nine clips are enough to learn them by heart.
SENTENCES = (
    "the cat sat on the mat",
    "a bird sang in the tree",
    "we walked home in the rain",
    "she gave him a red book",
    "the dog ran fast",
    "open the window please",
    "he drank cold water",
    "my old car is slow",
    "ten boats left the shore",
)
_WIDTH, _HIDDEN, _DURATIONS = 64, 32, [0, 1, 2, 3, 4]
#: FastConformer XXL with the heads of Parakeet 1.1B.
_FULL_SIZE = {
    "model_defaults": {"enc_hidden": 1024, "pred_hidden": 640, "joint_hidden": 640},
    "encoder": {"n_layers": 42, "d_model": 1024, "n_heads": 8, "ff_expansion_factor": 4, "subsampling_conv_channels": 256},
    "decoder": {"prednet": {"pred_hidden": 640, "pred_rnn_layers": 2}},
    "joint": {"jointnet": {"joint_hidden": 640}},
    "aux_ctc": {"decoder": {"feat_in": 1024}},
}


def build_tiny_parakeet(
    folder: Path, *, fit: Sequence[tuple[Audio, str]] = (), steps: int = 75, seed: int = 0, full_size: bool = False
) -> Path:
    """A ``.nemo`` file of about one megabyte in ``folder``.

    Args:
        fit: clips that the CTC head learns by heart (7 s for nine short ones); without any the weights stay random.
        steps: of fitting.
        full_size: the published layers of the 1.1B model, for benchmarks; the vocabulary stays small. Its TDT head writes about as many tokens a second as speech has.
    """
    import torch
    from nemo.collections.asr.models import EncDecHybridRNNTCTCBPEModel
    from nemo.utils import logging
    from omegaconf import OmegaConf

    folder.mkdir(parents=True, exist_ok=True)
    with logging.temp_verbosity(logging.ERROR):
        torch.manual_seed(seed)
        configuration = _configuration(_tokenizer(folder / "tokenizer"))
        if full_size:
            configuration = OmegaConf.merge(configuration, _FULL_SIZE)
        model = EncDecHybridRNNTCTCBPEModel(cfg=OmegaConf.create(configuration))
        if fit:
            _fit(model, fit, steps)
        if full_size:
            _pace(model)
        path = folder / "tiny-parakeet.nemo"
        model.eval()
        model.save_to(str(path))
    return path


def _tokenizer(folder: Path) -> Path:
    import sentencepiece

    folder.mkdir(exist_ok=True)
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES))
    sentencepiece.SentencePieceTrainer.Train(
        input=str(corpus), model_prefix=str(folder / "tokenizer"), vocab_size=40, model_type="bpe", hard_vocab_limit=False, minloglevel=2
    )
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
    (folder / "vocab.txt").write_text("\n".join(pieces.id_to_piece(number) for number in range(pieces.vocab_size())))
    return folder


def _configuration(tokenizer: Path) -> dict:
    modules = "nemo.collections.asr.modules"
    return {
        "sample_rate": 16000,
        "compute_eval_loss": False,
        "log_prediction": False,
        "skip_nan_grad": False,
        "model_defaults": {"enc_hidden": _WIDTH, "pred_hidden": _HIDDEN, "joint_hidden": _HIDDEN, "tdt_durations": _DURATIONS, "num_tdt_durations": 5},
        "tokenizer": {"dir": str(tokenizer), "type": "bpe"},
        # NeMo 3 sets the validation data up when it restores, unless told to wait.
        "validation_ds": {"defer_setup": True, "use_start_end_token": False},
        "preprocessor": {
            "_target_": f"{modules}.AudioToMelSpectrogramPreprocessor",
            "sample_rate": 16000,
            "normalize": "per_feature",
            "window_size": 0.025,
            "window_stride": 0.01,
            "window": "hann",
            "features": 80,
            "n_fft": 512,
            "dither": 1e-5,
            "pad_to": 0,
        },
        "encoder": {
            "_target_": f"{modules}.ConformerEncoder",
            "feat_in": 80,
            "feat_out": -1,
            "n_layers": 2,
            "d_model": _WIDTH,
            "use_bias": False,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": 32,
            "causal_downsampling": False,
            "ff_expansion_factor": 2,
            "self_attention_model": "rel_pos",
            "n_heads": 4,
            "att_context_size": [-1, -1],
            "xscaling": False,
            "untie_biases": True,
            "pos_emb_max_len": 5000,
            "conv_kernel_size": 9,
            "conv_norm_type": "batch_norm",
            "dropout": 0.0,
            "dropout_pre_encoder": 0.0,
            "dropout_emb": 0.0,
            "dropout_att": 0.0,
        },
        "decoder": {
            "_target_": f"{modules}.RNNTDecoder",
            "normalization_mode": None,
            "random_state_sampling": False,
            "blank_as_pad": True,
            "prednet": {"pred_hidden": _HIDDEN, "pred_rnn_layers": 1, "t_max": None, "dropout": 0.0},
        },
        "joint": {
            "_target_": f"{modules}.RNNTJoint",
            "log_softmax": None,
            "preserve_memory": False,
            "fuse_loss_wer": False,
            "fused_batch_size": 4,
            "jointnet": {"joint_hidden": _HIDDEN, "activation": "relu", "dropout": 0.0},
            "num_extra_outputs": len(_DURATIONS),
        },
        "decoding": {"strategy": "greedy_batch", "model_type": "tdt", "durations": _DURATIONS, "greedy": {"max_symbols": 10}},
        "aux_ctc": {
            "ctc_loss_weight": 0.3,
            "use_cer": False,
            "ctc_reduction": "mean_batch",
            "decoder": {"_target_": f"{modules}.ConvASRDecoder", "feat_in": _WIDTH, "num_classes": -1, "vocabulary": []},
            "decoding": {"strategy": "greedy"},
        },
        "loss": {"loss_name": "tdt", "tdt_kwargs": {"fastemit_lambda": 0.0, "durations": _DURATIONS, "sigma": 0.02, "omega": 0.1}},
        "optim": {"name": "adamw", "lr": 1e-3},
    }


def _fit(model, clips: Sequence[tuple[Audio, str]], steps: int) -> None:
    """Fit encoder and CTC head; NeMo's TDT loss needs a GPU, so that head stays random."""
    import torch

    signals = [torch.from_numpy(resample(audio, 16000).samples) for audio, _ in clips]
    texts = [torch.tensor(model.tokenizer.text_to_ids(text)) for _, text in clips]
    targets, target_lengths = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True), torch.tensor([len(text) for text in texts])
    model.preprocessor.featurizer.dither = 0.0
    model.train()
    with torch.no_grad():
        padded = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True)
        features, frames = model.preprocessor(input_signal=padded, length=torch.tensor([len(signal) for signal in signals]))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        encoded, encoded_lengths = model.encoder(audio_signal=features, length=frames)
        log_probs = model.ctc_decoder(encoder_output=encoded)
        loss = model.ctc_loss(log_probs=log_probs, targets=targets, input_lengths=encoded_lengths, target_lengths=target_lengths)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _pace(model) -> None:
    """The TDT head's speed depends on how much it writes: every step writes a token and moves two frames on. That is 6 steps a second, as many as words of 4 tokens a
    second and the pauses between them take."""
    import torch

    with torch.no_grad():
        last = [layer for layer in model.joint.joint_net if hasattr(layer, "bias")][-1]
        last.bias.zero_()
        last.bias[[5, len(last.bias) - len(_DURATIONS) + _DURATIONS.index(2)]] = 100.0
