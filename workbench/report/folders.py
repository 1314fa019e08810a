"""Run folders: ``outputs/<phase>/<utc>-<hash of parameters>/``, their states, and the lock that keeps two equal runs apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from workbench.errors import RunError
from workbench.whole_files import write_whole

SENTINEL = "metrics.json"
#: Written by the notebook's last cell; becomes the sentinel once the report stands beside it.
LAST_CELL = "metrics.pending.json"
ERROR = "error.txt"


def parameters_hash(parameters: dict[str, Any]) -> str:
    """Eight hex digits that name a set of parameters, whatever their order."""
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:8]


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys sorted, NaN refused."""
    write_whole(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def open_run_folder(outputs: Path, phase: str, parameters: dict[str, Any]) -> Path:
    """The folder for a run: an unfinished one of the same parameters, else a new one. Call it under ``hold_lock``."""
    name = parameters_hash(parameters)
    unfinished = [f for f in sorted((outputs / phase).glob(f"*-{name}")) if f.is_dir() and not (f / SENTINEL).exists()]
    if unfinished:
        (unfinished[-1] / ERROR).unlink(missing_ok=True)
        (unfinished[-1] / LAST_CELL).unlink(missing_ok=True)
        return unfinished[-1]
    folder = outputs / phase / f"{datetime.now(UTC):%Y%m%dT%H%M%S}Z-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def hold_lock(outputs: Path, phase: str, parameters: dict[str, Any]) -> Iterator[None]:
    """Hold the lock of these parameters; the system releases it when the process dies, however it dies.

    Raises:
        RunError: another process runs the same parameters now.
    """
    from filelock import FileLock, Timeout

    path = _lock_path(outputs, phase, parameters_hash(parameters))
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError("the same run is going on in another process", where=f"{outputs / phase}", mend="wait for it, or change a parameter") from None
    try:
        yield
    finally:
        lock.release()


def _lock_path(outputs: Path, phase: str, name: str) -> Path:
    return outputs / ".locks" / f"{phase}-{name}.lock"


def _is_locked(path: Path) -> bool:
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as ``workbench runs`` lists it. ``state``: done, running, failed or interrupted."""

    folder: Path
    phase: str
    started: str
    parameters: str
    state: str
    headline: str


def list_runs(outputs: Path) -> list[RunRow]:
    """All runs under ``outputs``, oldest first."""
    return sorted((_row(outputs, params.parent) for params in outputs.glob("*/*/params.yaml")), key=lambda row: (row.started, row.phase))


def _row(outputs: Path, folder: Path) -> RunRow:
    started, _, name = folder.name.rpartition("-")
    phase, headline = folder.parent.name, ""
    if (folder / SENTINEL).exists():
        state = "done"
        try:
            headline = json.loads((folder / SENTINEL).read_text(encoding="utf-8")).get("headline", "")
        except (ValueError, OSError) as error:
            state, headline = "failed", f"{SENTINEL} cannot be read: {error}"
    elif _is_locked(_lock_path(outputs, phase, name)):
        state = "running"
    elif (folder / ERROR).exists():
        state, headline = "failed", next(iter((folder / ERROR).read_text(encoding="utf-8").splitlines()), "")
    else:
        state, headline = "interrupted", "the same command goes on with it"
    return RunRow(folder, phase, started, name, state, headline)
