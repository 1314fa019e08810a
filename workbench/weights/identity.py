"""What an engine's fingerprint says of its weights."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import EngineError
from workbench.weights.base import Weights
from workbench.weights.catalogue import weights
from workbench.weights.digest import sha256_of
from workbench.weights.lock import Lock, read_lock
from workbench.weights.places import cache_folder

#: In place of a digest where the user's own path does not exist (yet).
ABSENT = "absent"


def identity_of(name: str, *, local: str | Path | None = None) -> dict[str, str]:
    """What the results of an engine depend on, for its ``identity()``. Reads files at most, never the network; needs no weights.

    Args:
        name: a set of the catalogue.
        local: the user's own file or folder, as the engine's option ``weights`` gave it.

    Returns:
        ``weights`` and ``revision``: the commit that the fetch pinned, else what the catalogue says. With ``local``, or where
        files lie in the cache that no fetch recorded, also ``sha256`` of their content, so that a changed file changes the fingerprint.

    Raises:
        UnknownNameError: no such set.
    """
    found = weights(name)
    if local is not None:
        path = Path(local).expanduser()
        return {"weights": name, "revision": "local", "sha256": sha256_of(path) if path.exists() else ABSENT}
    folder = cache_folder() / found.name
    lock = _lock(found, folder)
    if lock is not None:
        return {"weights": name, "revision": lock.commit}
    if any(any(folder.glob(file.path)) for file in found.files):
        return {"weights": name, "revision": found.revision, "sha256": sha256_of(folder)}
    return {"weights": name, "revision": found.revision}


def revision_of(found: Weights) -> str:
    """The commit that the fetch pinned, else the catalogue's revision."""
    lock = _lock(found, cache_folder() / found.name)
    return lock.commit if lock else found.revision


def _lock(found: Weights, folder: Path) -> Lock | None:
    try:
        lock = read_lock(folder)
    except EngineError:
        return None
    return lock if lock is not None and lock.is_of(found) else None
