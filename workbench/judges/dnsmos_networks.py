"""The two DNSMOS networks of ``speechmos``, cut so that overlapping hops share what they have in common.

The primary network (P.835: signal, background, overall) is, in order: log power of 320-sample frames every 160 samples, four 3x3
convolutions at full resolution that take 97% of the work, a 2x2 pooling, a fifth convolution, another pooling, two small convolutions, a
maximum over time, three dense layers. ``Networks.trunk`` ends after the first pooling, ``Networks.neck`` after the second; both take any
number of rows. ``Networks.head`` is the rest for a hop of 900 frames. One second is 100 frames, 50 rows of the trunk and 25 of the neck;
past the third pooling hops are out of step.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import EngineError, EngineUnavailableError
from workbench.judges.mel import filterbank

FRAME_SAMPLES = 320
FRAME_STEP_SAMPLES = 160
HOP_FRAMES = 900
FREQUENCY_BINS = 161
_INSTALL = "pip install speechmos==0.0.1.1 onnxruntime onnx"
_FILES = {"primary": "sig_bak_ovr.onnx", "p808": "model_v8.onnx"}
_PUBLISHED_PRIMARY = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"
# Output channels of the second convolution that stay at zero in the published weights: under -0.04 before the ReLU on speech, noise, tones,
# clicks, clipped, gated and digitally silent audio, and at most 0.01 (others reach 15 to 60) on audio made by gradient ascent to wake them.
# Without them 48 channels remain, a whole number of the runtime's blocks of 16, and the trunk takes 0.77 of the time.
SILENT_CHANNELS = (2, 4, 12, 21, 22, 29, 30, 31, 34, 36, 40, 41, 44, 53, 55, 56)


@dataclass(frozen=True, slots=True)
class Networks:
    """Sessions of the cut networks.

    Attributes:
        trunk: ``frames`` (B, T, 320) -> (B, 32, T / 2, 80); T even.
        neck: (B, 32, T, 80) -> (B, 32, T / 2, 40); T even.
        head: (B, 32, 225, 40) -> (B, 3): raw signal, background, overall.
        mel_db: ``power`` (T, 161) -> (T, 120): mel power in dB re 1, floor -100.
        p808: ``mel`` (B, 900, 120) -> (B, 1).
    """

    trunk: Any
    neck: Any
    head: Any
    mel_db: Any
    p808: Any


@cache
def weights_folder() -> Path:
    """Where ``speechmos`` keeps its DNSMOS weights; found without importing it, since that would import librosa.

    Raises:
        EngineUnavailableError: the package is not installed.
    """
    spec = importlib.util.find_spec("speechmos")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(root) / "dnsmos_models"
        if all((folder / name).is_file() for name in _FILES.values()):
            return folder
    raise EngineUnavailableError("the DNSMOS weights are not installed", expected="package speechmos with its dnsmos_models", mend=_INSTALL)


@cache
def weights_sha256() -> dict[str, str]:
    """SHA-256 (hex) of each network's file."""
    return {key: hashlib.sha256((weights_folder() / name).read_bytes()).hexdigest() for key, name in _FILES.items()}


def package_version() -> str:
    """Version of the installed ``speechmos``."""
    return importlib.metadata.version("speechmos")


def skips_silent_channels() -> bool:
    """Whether the installed weights are the ones whose silent channels are known."""
    return weights_sha256()["primary"] == _PUBLISHED_PRIMARY


def load_networks(*, threads: int) -> Networks:
    """Read the weights, cut the graphs in memory and make sessions on the CPU.

    Args:
        threads: threads within one session; 0 lets onnxruntime take all cores.

    Raises:
        EngineUnavailableError: a package or the weights are missing.
        EngineError: the weights have another architecture.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401  (asked for here so that both are named by one error)
    except ImportError as error:
        raise EngineUnavailableError(f"{error.name} is not installed", mend=_INSTALL) from error
    primary, p808 = (onnx.load(weights_folder() / name) for name in _FILES.values())
    try:
        graphs = _trunk(primary), _neck(primary), _head(primary), _mel_db(primary), _p808(p808)
    except (KeyError, StopIteration, ValueError, IndexError) as error:
        raise EngineError(
            "these DNSMOS weights have another architecture",
            where=weights_folder(),
            got=repr(error),
            expected="speechmos 0.0.1.1",
            mend=_INSTALL,
        ) from error
    return Networks(*(_session(graph, threads=threads) for graph in graphs))


def _session(model, *, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Five sessions take turns: one whose threads still spin after its turn would hold the cores that the next one needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _constants(model) -> dict[str, np.ndarray]:
    from onnx import numpy_helper

    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _model(like, nodes, constants: dict[str, np.ndarray], inputs: dict[str, list], output: str):
    """A model of ``nodes`` with the operator set of ``like``; only the constants that the nodes use are kept."""
    from onnx import TensorProto, helper, numpy_helper

    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "dnsmos",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=like.opset_import, ir_version=like.ir_version)


def _poolings(nodes) -> list[int]:
    return [i for i, node in enumerate(nodes) if node.op_type == "MaxPool"]


def _layers(nodes) -> list:
    """The 3x3 convolutions, in order (the two without a bias are the Fourier transform)."""
    return [node for node in nodes if node.op_type == "Conv" and len(node.input) == 3]


def _trunk(primary):
    """Frames -> log power -> four convolutions -> first pooling."""
    from onnx import helper

    nodes, constants = list(primary.graph.node), _constants(primary)
    layers = _layers(nodes)
    if skips_silent_channels():
        _drop_channels(constants, layers[1], layers[2], SILENT_CHANNELS)
    transforms = [node.input[1] for node in nodes if node.op_type == "Conv" and len(node.input) == 2]
    own = {f"dft{i}": constants[name][:, :, 0].T for i, name in enumerate(transforms)}
    own |= {"floor": np.float32(1e-12), "ln10": np.float32(np.log(10))}
    make = helper.make_node
    front = [
        *(make("MatMul", ["frames", f"dft{i}"], [f"part{i}"]) for i in (0, 1)),
        *(make("Mul", [f"part{i}", f"part{i}"], [f"square{i}"]) for i in (0, 1)),
        make("Add", ["square0", "square1"], ["power"]),
        make("Max", ["floor", "power"], ["floored"]),
        make("Log", ["floored"], ["nats"]),
        make("Div", ["nats", "ln10"], ["bels"]),
        make("Unsqueeze", ["bels"], [layers[0].input[0]], axes=[1]),
    ]
    convolutions = nodes[nodes.index(layers[0]) : _poolings(nodes)[0] + 1]
    return _model(primary, front + convolutions, constants | own, {"frames": ["B", "T", FRAME_SAMPLES]}, convolutions[-1].output[0])


def _drop_channels(constants: dict[str, np.ndarray], layer, following, channels: tuple[int, ...]) -> None:
    """Remove output channels of ``layer`` and the weights that read them in ``following``."""
    kernel, bias, reader = layer.input[1], layer.input[2], following.input[1]
    keep = np.setdiff1d(np.arange(len(constants[bias])), channels)
    constants[kernel], constants[bias] = constants[kernel][keep], constants[bias][keep]
    constants[reader] = constants[reader][:, keep]


def _neck(primary):
    """From the first pooling's output to the second's."""
    nodes, constants = list(primary.graph.node), _constants(primary)
    begin, end = _poolings(nodes)[:2]
    channels = constants[nodes[begin + 1].input[1]].shape[1]
    shape = ["B", channels, "T", FREQUENCY_BINS // 2]
    return _model(primary, nodes[begin + 1 : end + 1], constants, {nodes[begin].output[0]: shape}, nodes[end].output[0])


def _head(primary):
    """From the second pooling's output to the three raw scores."""
    nodes, constants = list(primary.graph.node), _constants(primary)
    cut = _poolings(nodes)[1]
    channels = constants[nodes[cut + 1].input[1]].shape[1]
    shape = ["B", channels, HOP_FRAMES // 4, FREQUENCY_BINS // 4]
    return _model(primary, nodes[cut + 1 :], constants, {nodes[cut].output[0]: shape}, primary.graph.output[0].name)


def _mel_db(like):
    """Power -> mel power -> dB re 1, floored at 1e-10."""
    from onnx import helper

    constants = {"filters": filterbank(), "floor": np.float32(1e-10), "db_per_neper": np.float32(10 / np.log(10))}
    nodes = [
        helper.make_node("MatMul", ["power", "filters"], ["mel"]),
        helper.make_node("Max", ["floor", "mel"], ["floored"]),
        helper.make_node("Log", ["floored"], ["nepers"]),
        helper.make_node("Mul", ["nepers", "db_per_neper"], ["db"]),
    ]
    return _model(like, nodes, constants, {"power": ["T", FREQUENCY_BINS]}, "db")


def _p808(model):
    """The P.808 network as it is."""
    graph_input, output = model.graph.input[0].name, model.graph.output[0].name
    return _model(model, list(model.graph.node), _constants(model), {graph_input: ["B", HOP_FRAMES, 120]}, output)
