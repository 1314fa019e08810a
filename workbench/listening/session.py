"""One listener's session: the trial that is next, and answers written so that a kill loses at most the one under way."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from workbench.errors import ListeningError
from workbench.listening.base import Rating, Trial
from workbench.listening.plan import Plan
from workbench.listening.ratings import HEADER, SCHEMA, START, answers_of, check_listener, line_of, read_ratings

RATINGS = "ratings"
_LOCKS = ".locks"
#: A name that is no listener's, beside the locks that bear theirs.
_SLOTS = ".slots.lock"
#: Sessions of this process by file: the cell that opens one may be run again, and the later one takes over.
_OPEN: weakref.WeakValueDictionary[Path, Session] = weakref.WeakValueDictionary()


class Session:
    """A listener's answers so far and what is asked next. Open one with ``open_session``, close it when the listener leaves."""

    def __init__(self, path: Path, plan: Plan, listener: str, slot: int, ratings: tuple[Rating, ...], lock: object, torn: bool) -> None:
        self.path, self.plan, self.listener, self.slot, self.torn = path, plan, listener, slot, torn
        self.trials = plan.trials(slot)
        self._answered = {rating.trial.position for rating in ratings}
        self.resumed = len(self._answered)
        self._lock = lock

    @property
    def done(self) -> int:
        return len(self._answered)

    @property
    def current(self) -> Trial | None:
        """The first trial without an answer; None when all are answered."""
        return next((trial for trial in self.trials if trial.position not in self._answered), None)

    def answer(self, answer: str, *, elapsed_sec: float) -> Trial | None:
        """Write the answer to the current trial to the disk, and give the next trial.

        Raises:
            ListeningError: an answer that was not offered; the session is closed or complete; the disk refused (then nothing is written).
        """
        trial = self.current
        if self._lock is None or trial is None:
            what = "the session is over" if trial is None else "the session was closed, or opened again elsewhere"
            raise ListeningError(what, where=self.path.name, mend="start it again")
        if answer not in answers_of(trial, self.plan):
            raise ListeningError("not an answer to this trial", where=f"position {trial.position}", got=answer, expected=", ".join(answers_of(trial, self.plan)))
        _append(self.path, _line(self.plan, self.listener, self.slot, trial, answer, elapsed_sec))
        self._answered.add(trial.position)
        return self.current

    def close(self) -> None:
        """Let others open the file."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def open_session(folder: str | Path, plan: Plan, listener: str) -> Session:
    """Begin a listener's test, or go on where it stopped.

    A new listener gets the lowest slot that nobody has. A line that was cut off while it was written is taken away first. A session of the same listener that
    is open in this process is closed.

    Args:
        folder: of the test; the answers go to ``ratings/<listener>.csv`` in it.

    Raises:
        ListeningError: no pseudonym; the file is open in another process, or holds lines that do not hold, which are named.
    """
    folder = Path(folder) / RATINGS
    path = folder.resolve() / f"{check_listener(listener)}.csv"
    (folder / _LOCKS).mkdir(parents=True, exist_ok=True)
    if (earlier := _OPEN.get(path)) is not None:
        earlier.close()
    lock = _locked(folder / _LOCKS / f"{listener}.lock", path)
    try:
        session = _opened(folder, path, plan, listener, lock)
    except BaseException:
        lock.release()
        raise
    _OPEN[path] = session
    return session


def _opened(folder: Path, path: Path, plan: Plan, listener: str, lock: object) -> Session:
    # Two listeners who begin at the same moment must not take the same slot.
    with _waiting(folder / _LOCKS / _SLOTS):
        if not path.exists() or path.stat().st_size == 0:
            slot = _free_slot(folder, plan)
            _create(path, HEADER + _line(plan, listener, slot))
            return Session(path, plan, listener, slot, (), lock, torn=False)
        found = read_ratings(path, plan)
        if found.refused:
            faults = "; ".join(f"line {fault.line}: {fault.why}" if fault.line else fault.why for fault in found.refused[:5])
            mend = "mend the lines, or take another pseudonym; the report counts what is whole"
            raise ListeningError("this listener's file cannot be gone on with", where=path, got=faults, mend=mend)
        if found.torn:
            os.truncate(path, found.whole_bytes)
        if found.slot is None:
            slot = _free_slot(folder, plan)
            _append(path, _line(plan, listener, slot))
            return Session(path, plan, listener, slot, (), lock, torn=found.torn)
    return Session(path, plan, listener, found.slot, found.ratings, lock, torn=found.torn)


def _free_slot(folder: Path, plan: Plan) -> int:
    taken = set()
    for path in folder.glob("*.csv"):
        try:
            taken.add(read_ratings(path, plan).slot)
        except ListeningError:
            continue
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)


def _line(plan: Plan, listener: str, slot: int, trial: Trial | None = None, answer: str = "", elapsed_sec: float = 0.0) -> bytes:
    asked = (trial.position, trial.token, trial.kind.value) if trial else (0, "", START)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return line_of((SCHEMA, plan.plan_id, listener, slot, *asked, answer, f"{elapsed_sec:.3f}", now, "notebook"))


def _locked(place: Path, path: Path) -> object:
    from filelock import FileLock, Timeout

    # Not one lock object for all of the process: the earlier session's must stay its own.
    lock = FileLock(place, is_singleton=False, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ListeningError("these ratings are being given in another notebook", where=path, mend="go on there, or shut its kernel down") from None
    return lock


@contextmanager
def _waiting(place: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(place, is_singleton=False):
        yield


def _create(path: Path, content: bytes) -> None:
    """The file with its first lines appears whole, and the folder's entry is on the disk."""
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _refused(path, error) from error


def _append(path: Path, line: bytes) -> None:
    """One write, on the disk before this returns; if the disk refuses, the file is as it was."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        before = os.fstat(handle).st_size
        try:
            if os.write(handle, line) != len(line):
                raise OSError("the line was written in part only")
            os.fsync(handle)
        except OSError as error:
            os.ftruncate(handle, before)
            raise _refused(path, error) from error
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(path: Path, error: OSError) -> ListeningError:
    mend = "make room or mend the folder's rights; nothing but this answer is lost"
    return ListeningError(f"the rating could not be saved: {error.strerror or error}", where=path, mend=mend)
