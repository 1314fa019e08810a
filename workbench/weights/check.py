"""Whether the files of a set are those that the catalogue and the first fetch describe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.weights.base import Weights
from workbench.weights.digest import fresh_sha256
from workbench.weights.lock import Lock
from workbench.weights.places import current_lock, folder_of, matching

State = Literal["ok", "missing", "changed", "unverified"]


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of a set: ``unverified`` means that it is there and no checksum of it is known. ``told`` says what differs."""

    weights: str
    path: str
    state: State
    told: str = ""

    @property
    def is_fault(self) -> bool:
        return self.state in ("missing", "changed")


def check(found: Weights, *, sha256: Callable[[Path], str] = fresh_sha256) -> list[FileState]:
    """The state of every file, each hashed.

    Args:
        sha256: reads every byte unless told otherwise.
    """
    lock = current_lock(found)
    folder = folder_of(found)
    if lock is not None and lock.is_complete:
        return _against_lock(found, lock, folder, sha256)
    states = []
    for file in found.files:
        paths = matching(folder, file.path)
        states += [_state(found, path, folder, file.sha256, file.size_bytes, sha256) for path in paths]
        if not paths:
            states.append(FileState(found.name, file.path, "missing", f"not in {folder}"))
    if lock is not None and not any(state.is_fault for state in states):
        states.append(FileState(found.name, "(the rest)", "missing", "the fetch was interrupted"))
    return states


def _against_lock(found: Weights, lock: Lock, folder: Path, sha256: Callable[[Path], str]) -> list[FileState]:
    declared = {file.path: file for file in found.files}
    states = []
    for file in lock.files:
        known = declared.get(file.path)
        # The catalogue's word stands above what a first fetch happened to bring.
        expected = known.sha256 if known is not None and known.sha256 else file.sha256
        states.append(_state(found, folder / file.path, folder, expected, file.size_bytes, sha256))
    unknown = set(declared) - {file.path for file in lock.files}
    return states + [FileState(found.name, path, "missing", f"not in {folder}") for path in sorted(unknown) if not _is_pattern(path)]


def _state(
    found: Weights, path: Path, folder: Path, expected: str | None, size_bytes: int | None, sha256: Callable[[Path], str]
) -> FileState:
    name = path.relative_to(folder).as_posix()
    if not path.is_file():
        return FileState(found.name, name, "missing", f"not in {folder}")
    size = path.stat().st_size
    if size_bytes is not None and size != size_bytes:
        return FileState(found.name, name, "changed", f"{size:,} bytes, expected {size_bytes:,}")
    if expected is None:
        return FileState(found.name, name, "unverified", "no checksum is known; a fetch records one")
    found_hash = sha256(path)
    if found_hash != expected:
        return FileState(found.name, name, "changed", f"sha256 {found_hash}, expected {expected}")
    return FileState(found.name, name, "ok")


def _is_pattern(path: str) -> bool:
    return any(mark in path for mark in "*?[")
