"""What an engine's fingerprint says of its weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

from workbench.weights.base import Weights
from workbench.weights.catalogue import weights
from workbench.weights.digest import sha256_of
from workbench.weights.lock import Lock
from workbench.weights.places import folder_of, lock_of, matching

#: In place of a digest where the user's own path does not exist (yet).
ABSENT = "absent"


def identity_of(name: str, *, local: str | Path | None = None) -> dict[str, str]:
    """What the results of an engine depend on, for its ``identity()``. Reads files at most, never the network; needs no weights.

    Args:
        name: a set of the catalogue.
        local: the user's own file or folder, as the engine's option ``weights`` gave it.

    Returns:
        ``weights`` and ``revision``: the commit that the fetch pinned, else what the catalogue says. With ``local``, for a source
        without commits, and for files in the cache that no fetch recorded also ``sha256`` of the content, so that other files are
        another fingerprint.

    Raises:
        UnknownNameError: no such set.
    """
    found = weights(name)
    if local is not None:
        path = Path(local).expanduser()
        return {"weights": name, "revision": "local", "sha256": sha256_of(path) if path.exists() else ABSENT}
    known = {"weights": name, "revision": revision_of(found)}
    lock = _telling_lock(found)
    if lock is None:
        folder = folder_of(found)
        here = any(matching(folder, file.path) for file in found.files)
        return known | ({"sha256": sha256_of(folder)} if here else {})
    # A hub's commit says all; an address on the web may give other files under the same revision to another fetch.
    return known | ({} if lock.source.startswith("hf:") or not lock.is_complete else {"sha256": _of_lock(lock)})


def revision_of(found: Weights) -> str:
    """The commit that the fetch pinned, else the catalogue's revision."""
    lock = _telling_lock(found)
    return lock.commit if lock else found.revision


def _telling_lock(found: Weights) -> Lock | None:
    # What an older catalogue fetched is still what would be loaded.
    lock = lock_of(found)
    return lock if lock is not None and (lock.is_complete or lock.is_of(found)) else None


def _of_lock(lock: Lock) -> str:
    return hashlib.sha256("".join(f"{file.path}\0{file.sha256}\n" for file in lock.files).encode()).hexdigest()
