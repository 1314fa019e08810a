"""What the recognisers around neural networks share: numbers they compute with, files they load, options they check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.errors import ConfigError, EngineError, EngineUnavailableError

DTYPES = ("bfloat16", "float16", "float32")


def check_dtype(engine: str, dtype: str | None, allowed: tuple[str, ...] = DTYPES) -> None:
    """
    Raises:
        ConfigError: not a number format that the engine computes with.
    """
    if dtype is not None and dtype not in allowed:
        raise ConfigError(f"dtype of {engine} is unknown", got=dtype, expected=f"None or one of {', '.join(allowed)}")


def torch_dtype(dtype: str | None, device: str) -> Any:
    """The torch dtype asked for; by default bfloat16 on a GPU and float32 on a CPU."""
    import torch

    return getattr(torch, dtype or ("bfloat16" if device.startswith("cuda") else "float32"))


def check_device(engine: str, device: str) -> None:
    """
    Raises:
        EngineUnavailableError: no such device here.
    """
    if device == "cpu":
        return
    import torch

    if not device.startswith("cuda") or not torch.cuda.is_available():
        raise EngineUnavailableError(f"{engine} cannot run on this device", got=device, expected="cpu, or cuda where a GPU is at hand", mend="give it device cpu")


def the_file(path: Path, ending: str) -> Path:
    """``path`` itself, or the one file with this ending in the folder ``path``.

    Raises:
        EngineUnavailableError: none or several.
    """
    if path.is_file():
        return path
    found = sorted(path.glob(f"*{ending}"))
    if len(found) != 1:
        raise EngineUnavailableError("weights are not there", where=path, got=f"{len(found)} files *{ending}", expected="one", mend="give the file's own path")
    return found[0]


def cannot_load(engine: str, path: Path, error: Exception) -> EngineError:
    """The error for weights that the engine's library refuses."""
    told = f"{type(error).__name__}: {error}"
    return EngineError(f"{engine} cannot load these weights", where=path, got=told, mend="workbench weights verify, or give another path (option weights)")
