"""SHA-256 of files and folders, remembered so that gigabytes are hashed once."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from workbench.weights.places import cache_folder

#: Written beside the weights by a fetch; says which commit came and the checksum of every file.
LOCK_NAME = "weights.lock.json"
BLOCK_BYTES = 1 << 20
# A file written a moment ago may change again within the clock's own step: its digest is not remembered.
SETTLED_SEC = 2.0


def sha256_of_file(path: Path) -> str:
    """Hash of the file's bytes, read afresh.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def remembered_sha256(path: Path) -> str:
    """As ``sha256_of_file``, but not read again while path, size and time of change are those of the last reading, in this or another process."""
    path = path.resolve()
    stat = path.stat()
    stamp = [str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino]
    note = cache_folder() / ".digests" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json"
    known = _read(note)
    if known.get("stamp") == stamp:
        return known["sha256"]
    found = sha256_of_file(path)
    if time.time() - stat.st_mtime > SETTLED_SEC:
        _remember(note, {"stamp": stamp, "sha256": found})
    return found


def sha256_of(path: Path) -> str:
    """Digest of a file's content, or of a folder's: names and contents of its files, hidden ones and the lock file apart."""
    if path.is_file():
        return remembered_sha256(path)
    digest = hashlib.sha256()
    for name, file in sorted(_files(path)):
        digest.update(f"{name}\0{remembered_sha256(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    seen: set[str] = set()
    # Linked folders are followed, since models do load through them; a link back up must not turn for ever.
    for where, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real in seen:
            continue
        seen.add(real)
        for name in names:
            file = Path(where, name)
            if not name.startswith(".") and name != LOCK_NAME and file.is_file():
                yield file.relative_to(folder).as_posix(), file


def _read(note: Path) -> dict:
    try:
        known = json.loads(note.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and isinstance(known.get("sha256"), str) else {}


def _remember(note: Path, known: dict) -> None:
    temporary = None
    # A cache that cannot be written only costs time.
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=note.parent, prefix=".")
        with os.fdopen(handle, "w") as file:
            json.dump(known, file)
        os.replace(temporary, note)
    except OSError:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
