"""Fetching a set of weights: pinned at the first time, continued after a break, whole or an error."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from filelock import FileLock, Timeout

from workbench.errors import EngineError, EngineUnavailableError
from workbench.offline import is_offline
from workbench.weights import hub, web
from workbench.weights.base import Weights
from workbench.weights.catalogue import weights
from workbench.weights.check import check
from workbench.weights.digest import remembered_sha256
from workbench.weights.lock import Lock, LockedFile, read_lock, write_lock
from workbench.weights.places import cache_folder, folder_of
from workbench.weights.remote import RemoteFile


@dataclass(frozen=True, slots=True)
class Fetched:
    """A set that is now whole. ``downloaded`` is False when it was before."""

    weights: str
    folder: Path
    commit: str
    files: int
    size_bytes: int
    downloaded: bool


def fetch(name: str, *, say: Callable[[str], None] = print) -> Fetched:
    """Bring a set into the cache. Two calls at once, in whatever processes, are as one: the second waits and finds it there.

    Raises:
        UnknownNameError: no such set.
        EngineUnavailableError: offline mode; says which file is missing where. The network is not touched.
        EngineError: the source failed, the disk is too small, or what came is not what was described. Calling again continues.
    """
    found = weights(name)
    if is_offline():
        return _present(found) or _refuse_offline(found)
    try:
        return _alone(found, say)
    except OSError as error:
        mend = f"make {cache_folder()} writable, or point WORKBENCH_WEIGHTS elsewhere"
        what = f"weights {name!r} cannot be kept: {error.strerror or error}"
        raise EngineError(what, where=error.filename or cache_folder(), mend=mend) from error


def _alone(found: Weights, say: Callable[[str], None]) -> Fetched:
    locks = cache_folder() / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    guard = FileLock(locks / f"{found.name}.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        say(f"{found.name}: another fetch is at work, waiting for it")
        guard.acquire()
    try:
        return _present(found) or _bring(found, say)
    finally:
        guard.release()


def _present(found: Weights) -> Fetched | None:
    lock = read_lock(folder_of(found))
    if lock is None or not lock.is_of(found) or not lock.is_complete:
        return None
    if any(state.state != "ok" for state in check(found, sha256=remembered_sha256)):
        return None
    return _fetched(found, lock, downloaded=False)


def _refuse_offline(found: Weights) -> Fetched:
    faults = [state for state in check(found, sha256=remembered_sha256) if state.state != "ok"]
    told = "; ".join(f"{state.path}: {state.state}" for state in faults)
    mend = f"unset WORKBENCH_OFFLINE and HF_HUB_OFFLINE, or copy the files from a machine that has them to {folder_of(found)}"
    raise EngineUnavailableError(f"offline: weights {found.name!r} are not fetched", where=folder_of(found), got=told, mend=mend)


def _bring(found: Weights, say: Callable[[str], None]) -> Fetched:
    source, folder = _source(found), folder_of(found)
    before = read_lock(folder)
    lock = before if before is not None and before.is_of(found) else None
    commit, files = source.listing(found, lock.commit if lock else None)
    # The pin comes first, so that a fetch that breaks off goes on with the same commit.
    folder.mkdir(parents=True, exist_ok=True)
    lock = lock or Lock(found.name, found.source, found.revision, commit)
    write_lock(folder, lock)
    files = _with_known_checksums(found, lock, files)
    _clear_what_differs(files, folder, say, begun=before is not None and before.is_of(found))
    _refuse_small_disk(found, files, folder)
    say(f"{found.name}: fetching {len(files)} files of {found.source} at {commit} into {folder}")
    streamed = source.download(found, commit, files, folder, say=say)
    lock = replace(lock, files=tuple(_locked(found, file, folder, streamed.get(file.path)) for file in files))
    write_lock(folder, lock)
    if before is not None and not before.is_of(found):
        _remove_old(before, lock, folder)
    return _fetched(found, lock, downloaded=True)


def _source(found: Weights) -> ModuleType:
    return hub if found.source.startswith(hub.PREFIX) else web


def _with_known_checksums(found: Weights, lock: Lock, files: list[RemoteFile]) -> list[RemoteFile]:
    """Each file with the checksum to expect: the catalogue's, else the source's, else the first fetch's."""
    locked = {file.path: file.sha256 for file in lock.files}
    declared = {file.path: file.sha256 for file in found.files}
    return [replace(file, sha256=declared.get(file.path) or file.sha256 or locked.get(file.path)) for file in files]


def _clear_what_differs(files: list[RemoteFile], folder: Path, say: Callable[[str], None], *, begun: bool) -> None:
    for file in files:
        path = folder / file.path
        # A file that nothing describes is kept only where this fetch itself, broken off, gave it its name: then it is whole.
        if path.is_file() and not _is_as_described(path, file, otherwise=begun):
            say(f"{path} is not what was described: fetched anew")
            path.unlink()


def _is_as_described(path: Path, file: RemoteFile, *, otherwise: bool) -> bool:
    if file.size_bytes is not None and path.stat().st_size != file.size_bytes:
        return False
    if file.sha256 is not None:
        return remembered_sha256(path) == file.sha256
    return hub.git_oid(path) == file.git_oid if file.git_oid is not None else otherwise


def _refuse_small_disk(found: Weights, files: list[RemoteFile], folder: Path) -> None:
    needed = sum(_lacking_bytes(folder / file.path, file.size_bytes or 0) for file in files if not (folder / file.path).is_file())
    free = shutil.disk_usage(folder).free
    if needed > free:
        got = f"{free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed"
        mend = "make room, or point WORKBENCH_WEIGHTS at a larger disk"
        raise EngineError(f"no room for weights {found.name!r}", where=folder, got=got, mend=mend)


def _lacking_bytes(path: Path, size_bytes: int) -> int:
    # What an earlier fetch left as a part lies on the disk already, whether it is continued or written anew.
    part = path.with_name(f".{path.name}.part")
    return max(0, size_bytes - (part.stat().st_size if part.is_file() else 0))


def _locked(found: Weights, file: RemoteFile, folder: Path, streamed: str | None) -> LockedFile:
    path = folder / file.path
    known = LockedFile(file.path, path.stat().st_size, streamed or remembered_sha256(path))
    if file.sha256 is not None:
        is_right, expected = known.sha256 == file.sha256, f"sha256 {file.sha256}"
    else:
        is_right, expected = file.git_oid in (None, hub.git_oid(path)), f"git object {file.git_oid}"
    if not is_right:
        path.unlink()
        what = f"weights {found.name!r}: what came is not what was described"
        raise EngineError(what, where=path, got=f"sha256 {known.sha256}", expected=expected, mend="fetch again")
    return known


def _remove_old(before: Lock, lock: Lock, folder: Path) -> None:
    for path in {file.path for file in before.files} - {file.path for file in lock.files}:
        (folder / path).unlink(missing_ok=True)


def _fetched(found: Weights, lock: Lock, *, downloaded: bool) -> Fetched:
    return Fetched(found.name, folder_of(found), lock.commit, len(lock.files), sum(file.size_bytes for file in lock.files), downloaded)
