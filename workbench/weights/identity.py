"""What an engine's fingerprint says of its weights."""

from __future__ import annotations

from pathlib import Path

from workbench.weights.base import Weights
from workbench.weights.catalogue import weights
from workbench.weights.digest import sha256_of
from workbench.weights.places import current_lock, folder_of, matching

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
    known = {"weights": name, "revision": revision_of(found)}
    folder = folder_of(found)
    if current_lock(found) is None and any(matching(folder, file.path) for file in found.files):
        known["sha256"] = sha256_of(folder)
    return known


def revision_of(found: Weights) -> str:
    """The commit that the fetch pinned, else the catalogue's revision."""
    lock = current_lock(found)
    return lock.commit if lock else found.revision
