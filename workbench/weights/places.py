"""Where weights lie: a path of the user's own, or this project's cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from workbench.errors import EngineError, EngineUnavailableError
from workbench.weights.base import Weights
from workbench.weights.catalogue import weights
from workbench.weights.lock import LOCK_NAME, Lock, read_lock

CACHE_VARIABLE = "WORKBENCH_WEIGHTS"


def cache_folder() -> Path:
    """``$WORKBENCH_WEIGHTS``, or ``weights`` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("workbench")) / "weights"


def folder_of(found: Weights) -> Path:
    """Where a set lands."""
    return cache_folder() / found.name


def resolve(name: str, *, local: str | Path | None = None) -> Path:
    """The file or folder to load: ``local`` where the user gave one, else the set ``name`` in the cache. Never touches the network.

    Raises:
        EngineUnavailableError: it is not there or only in part; says which file is missing where and the one command that fetches it.
    """
    if local is not None:
        path = Path(local).expanduser()
        if not path.exists():
            raise EngineUnavailableError("weights are not there", where=path, expected="the path of a file or folder of weights")
        return path
    found = weights(name)
    folder = folder_of(found)
    if missing := missing_files(found):
        mend = f"workbench weights fetch {found.name}, or give the engine a path of your own (option weights)"
        got = f"missing: {', '.join(missing)}"
        raise EngineUnavailableError(f"weights {found.name!r} are not in the cache", where=folder, got=got, mend=mend)
    single = found.files[0].path if len(found.files) == 1 else None
    return folder / single if single and not any(mark in single for mark in "*?[") else folder


def missing_files(found: Weights) -> list[str]:
    """Files, or patterns that nothing answers to, that a set lacks in the cache; by name and size, nothing is hashed."""
    folder = folder_of(found)
    lock = current_lock(found)
    missing = [file.path for file in found.files if not matching(folder, file.path)]
    if lock is None:
        return missing
    if not lock.is_complete:
        return missing or ["what an interrupted fetch has not brought yet"]
    return missing + [file.path for file in lock.files if not _has_size(folder / file.path, file.size_bytes) and file.path not in missing]


def matching(folder: Path, pattern: str) -> list[Path]:
    """Files of a set's folder that a path or pattern of the catalogue means."""
    return sorted(path for path in folder.glob(pattern) if path.name != LOCK_NAME and path.is_file())


def lock_of(found: Weights) -> Lock | None:
    """The lock beside the set, also one of an older revision; None where there is none or it is damaged."""
    try:
        return read_lock(folder_of(found))
    except EngineError:
        return None


def current_lock(found: Weights) -> Lock | None:
    """The lock beside the set where it belongs to what the catalogue now says."""
    lock = lock_of(found)
    return lock if lock is not None and lock.is_of(found) else None


def _has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == size_bytes
