"""Where a model really sits, whatever it was told: an engine on another device than asked is slow at best and wrong at worst."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workbench.errors import EngineError

#: Execution providers of ONNX Runtime that compute on a kind of device; any other one (say, on a CPU after a silent fall back) is refused.
ONNX_PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "TensorrtExecutionProvider", "NvTensorRtRtxExecutionProvider"),
}


def assert_on(module: Any, device: str, *, engine: str) -> None:
    """Check that a loaded model sits on ``device``, every tensor of it.

    Args:
        module: a torch module (parameters and buffers are checked), a tensor, an ONNX Runtime session (its first provider), a CTranslate2 model or a faster-whisper
            model around one, or a list, tuple, generator or mapping of these.
        device: as given to ``load``: ``cpu``, ``cuda`` (any index) or ``cuda:1`` (that one).
        engine: named in the error.

    Raises:
        EngineError: with the first part that sits elsewhere, or when there is nothing in ``module`` whose place could be checked.
    """
    checked = 0
    for name, actual in _places(module, "model", engine):
        checked += 1
        if not _same(actual, device):
            raise EngineError(
                f"engine {engine!r} is not on the device it was loaded for",
                where=name,
                got=actual,
                expected=device,
                mend="check that the device exists and that nothing moved part of the model after loading",
            )
    if not checked:
        raise EngineError(f"engine {engine!r}: nothing to check the device of", where=type(module).__name__, expected="a model with parameters or buffers")


def _places(part: Any, name: str, engine: str) -> Iterator[tuple[str, str]]:
    """(name, device) of everything in ``part`` that has a place."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(part, torch.Tensor):
        yield name, str(part.device)
    elif torch is not None and isinstance(part, torch.nn.Module):
        for kind, tensors in (("parameter", part.named_parameters()), ("buffer", part.named_buffers())):
            for own, tensor in tensors:
                yield f"{kind} {own} of {type(part).__name__}", str(tensor.device)
    elif hasattr(part, "get_providers"):
        yield f"execution provider of {name}", _onnx_place(part)
    elif isinstance(getattr(part, "device", None), str) and hasattr(part, "device_index"):
        yield from ((f"replica {k} of {type(part).__name__}", f"{part.device}:{index}") for k, index in enumerate(part.device_index))
    elif hasattr(getattr(part, "model", None), "device_index"):
        yield from _places(part.model, name, engine)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _places(value, str(key), engine)
    elif isinstance(part, Iterable) and not isinstance(part, str | bytes):
        for number, value in enumerate(part):
            yield from _places(value, f"{name} {number}", engine)
    else:
        raise EngineError(f"engine {engine!r}: cannot tell on which device this is", where=name, got=type(part).__name__, expected="a torch, ONNX Runtime or CTranslate2 model")


def _onnx_place(session: Any) -> str:
    first = session.get_providers()[0]
    kind = next((kind for kind, providers in ONNX_PROVIDERS.items() if first in providers), None)
    if kind is None:
        return first
    index = session.get_provider_options().get(first, {}).get("device_id", "0")
    return f"{kind}:{index}"


def _same(actual: str, asked: str) -> bool:
    kind, _, index = actual.partition(":")
    asked_kind, _, asked_index = asked.partition(":")
    # A processor has no number that matters; of several cards, one that was named is meant.
    return kind == asked_kind and (kind == "cpu" or not asked_index or asked_index == (index or "0"))
