"""Where weights lie: a path of the user's own, or this project's cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from workbench.errors import EngineUnavailableError
from workbench.weights.catalogue import weights

CACHE_VARIABLE, OFFLINE_VARIABLE = "WORKBENCH_WEIGHTS", "WORKBENCH_OFFLINE"


def cache_folder() -> Path:
    """``$WORKBENCH_WEIGHTS``, or ``weights`` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("workbench")) / "weights"


def is_offline() -> bool:
    """Whether the user forbade the network (``WORKBENCH_OFFLINE=1``)."""
    return os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in ("", "0", "false", "no")


def resolve(name: str, *, local: str | Path | None = None) -> Path:
    """The file or folder to load: ``local`` where the user gave one, else the set ``name`` in the cache. Never touches the network.

    Raises:
        EngineUnavailableError: it is not there; says which file is missing where and the one command that fetches it.
    """
    if local is not None:
        path = Path(local).expanduser()
        if not path.exists():
            raise EngineUnavailableError("weights are not there", where=path, expected="the path of a file or folder of weights")
        return path
    found = weights(name)
    folder = cache_folder() / found.name
    missing = [file.path for file in found.files if not any(folder.glob(file.path))]
    if missing:
        mend = f"workbench weights fetch {found.name}, or give the engine a path of your own (option weights)"
        raise EngineUnavailableError(f"weights {found.name!r} are not in the cache", where=folder, got=f"missing: {', '.join(missing)}", mend=mend)
    single = found.files[0].path if len(found.files) == 1 else None
    return folder / single if single and not any(mark in single for mark in "*?[") else folder
