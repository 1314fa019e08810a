"""The local runner: worker processes on this machine, memory bounded by what is in flight; a worker that dies or hangs is replaced and its clips are not lost.

Nothing inside a Python process can stop a call into C that hangs, so the runner watches from outside and ends the whole worker process.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any, TypeVar

from workbench.errors import RunError
from workbench.guard import Breakers, Ticket
from workbench.scan.calls import Call, Earlier, Ended, LocalGate, probe_of
from workbench.scan.member import Done, Failed, Member, Ready

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

#: Suspected killers of workers wait until so many are together or all else is done; then each is tried alone, with all memory to itself.
MOST_SUSPECTS = 256
#: Workers that die before they are ready, one after the other, until that is taken for a fault of the machine and not of the clips.
MOST_FALSE_STARTS = 3


@dataclass(slots=True)
class Task:
    """A batch on its way; ``deaths`` counts the workers that died on it, ``earlier`` is what they had done before."""

    batch: list[Any]
    deaths: int = 0
    earlier: Earlier = field(default_factory=Earlier)


@dataclass(slots=True)
class _Seat:
    """One worker process and what it does just now."""

    member: Member
    task: Task | None = None
    ready: bool = False
    call: Call | None = None
    ticket: Ticket | None = None
    deadline: float | None = None


def run_local(
    batches: Iterable[list[Item]],
    *,
    make_worker: Callable[..., Any],
    arguments: dict[str, Any],
    workers: int,
    on_death: Callable[[Item], Outcome],
    breakers: Breakers | None = None,
    apart: bool = False,
) -> Iterator[Outcome]:
    """Outcomes of ``make_worker(**arguments).process(batch)`` as they come.

    A worker that dies (out of memory, a crash inside a library) loses nothing: its batch is tried again one item at a time, with no other worker alive, and an item that
    kills a worker twice is handed to ``on_death``. With ``breakers`` the worker is made with a further argument ``gate``, its ``process`` takes the ``Earlier`` tries
    of its batch, and an engine call that outlasts its own limit ends the worker: the batch is handed to another one with a note of what hung.

    Args:
        apart: a single worker, too, gets a process of its own; otherwise it runs in this one, where nothing can stop a call.

    Raises:
        RunError: worker processes die before they have begun.
        Exception: what a worker's ``process`` raised.
    """
    if workers == 1 and not apart:
        yield from _here(batches, make_worker, arguments, breakers)
        return
    if workers > 1:
        # One thread per library, as the workers share the cores.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
    crew = _Crew(iter(batches), make_worker, arguments, workers, on_death, breakers)
    try:
        yield from crew.outcomes()
    finally:
        crew.close()


def _here(batches: Iterable[list[Any]], make_worker: Callable, arguments: dict, breakers: Breakers | None) -> Iterator[Any]:
    worker = make_worker(**arguments, **({} if breakers is None else {"gate": LocalGate(breakers)}))
    try:
        for batch in batches:
            yield worker.process(batch)
    finally:
        worker.close()


class _Crew:
    """The workers of one run, hired when there is work for them."""

    def __init__(self, source: Iterator, make_worker: Callable, arguments: dict, workers: int, on_death: Callable, breakers: Breakers | None) -> None:
        self._source, self._make_worker, self._arguments = source, make_worker, arguments
        self._workers, self._on_death, self._breakers = workers, on_death, breakers
        self._seats: list[_Seat] = []
        self._again: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._exhausted, self._false_starts = False, 0

    def close(self) -> None:
        busy = [seat for seat in self._seats if seat.task is not None]
        for seat in busy:
            seat.member.kill()
        for seat in self._seats:
            if seat not in busy:
                seat.member.close()
        self._seats = []

    def outcomes(self) -> Iterator[Any]:
        self._hand_out()
        while any(seat.task for seat in self._seats):
            ready = self._listen()
            # Workers get their next batch before the reader of this generator takes its time over the outcomes.
            try:
                self._hand_out()
            except Exception:
                # The list of clips cannot be read on; what is done is done.
                yield from ready
                raise
            yield from ready

    def _hand_out(self) -> None:
        while (seat := self._free()) is not None or len(self._seats) < self._workers:
            task = self._next_task()
            if task is None:
                return
            if task.deaths:
                self._dismiss([idle for idle in self._seats if idle is not seat])
            if seat is None:
                seat = _Seat(Member(self._make_worker, self._arguments, gated=self._breakers is not None))
                self._seats.append(seat)
            seat.task = task
            if seat.ready and not seat.member.send(self._message(task)):
                # It died while it had nothing to do, which says nothing about this task.
                self._seats.remove(seat)
                seat.member.kill()
                self._again.append(task)

    def _free(self) -> _Seat | None:
        return next((seat for seat in self._seats if seat.task is None), None)

    def _next_task(self) -> Task | None:
        running = [seat.task for seat in self._seats if seat.task is not None]
        if any(task.deaths for task in running):
            return None
        if self._again:
            return self._again.popleft()
        if len(self._suspects) < MOST_SUSPECTS and not self._exhausted:
            batch = next(self._source, None)
            if batch is not None:
                return Task(batch)
            self._exhausted = True
        return self._suspects.popleft() if self._suspects and not running else None

    def _dismiss(self, seats: list[_Seat]) -> None:
        for seat in seats:
            seat.member.close()
            self._seats.remove(seat)

    def _message(self, task: Task) -> tuple:
        return (task.batch, task.earlier) if self._breakers is not None else (task.batch,)

    def _listen(self) -> list[Any]:
        """Wait for the workers' next messages or the next deadline, and act on them; the outcomes that came."""
        busy = {seat.member.pipe: seat for seat in self._seats if seat.task is not None}
        ends = {seat.member.sentinel: seat for seat in busy.values()}
        deadlines = [seat.deadline for seat in busy.values() if seat.deadline is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        heard = wait([*busy, *ends], timeout)
        outcomes: list[Any] = []
        for seat in {id(seat): seat for seat in (busy.get(h) or ends.get(h) for h in heard)}.values():
            self._hear(seat, outcomes)
        for seat in busy.values():
            # A message that already waits was sent in time.
            if seat.deadline is not None and time.monotonic() >= seat.deadline and not seat.member.poll():
                self._stop_hanging(seat)
        return outcomes

    def _hear(self, seat: _Seat, outcomes: list[Any]) -> None:
        try:
            message = seat.member.receive()
        except (EOFError, OSError):
            self._bury(seat, outcomes)
            return
        if isinstance(message, Call):
            self._enter(seat, message)
        elif isinstance(message, Ended):
            seat.task.earlier.ended(seat.call, message.results)
            self._leave(seat, message)
        elif isinstance(message, Ready):
            seat.ready, self._false_starts = True, 0
            # A worker that is gone again shows itself at its sentinel.
            seat.member.send(self._message(seat.task))
        elif isinstance(message, Done):
            seat.task = None
            outcomes.append(message.outcome)
        elif isinstance(message, Failed):
            message.error.add_note(f"In a worker process:\n{message.traceback}")
            raise message.error

    def _enter(self, seat: _Seat, call: Call) -> None:
        ticket = self._breakers.ask(call.stage)
        if ticket is None:
            seat.member.send(None)
            return
        seat.ticket, seat.call = ticket, probe_of(call) if ticket.probe else call
        seat.deadline = None if call.limit_sec is None else time.monotonic() + call.limit_sec
        seat.member.send(seat.call)

    def _leave(self, seat: _Seat, ended: Ended) -> None:
        self._breakers.tell(seat.call.stage, seat.ticket, ended.outcomes)
        seat.call = seat.ticket = seat.deadline = None

    def _stop_hanging(self, seat: _Seat) -> None:
        task, call = seat.task, seat.call
        task.earlier.hangs(call)
        self._end(seat, f"EngineTimeoutError: no answer in {call.limit_sec:.0f} s")
        self._again.append(task)

    def _bury(self, seat: _Seat, outcomes: list[Any]) -> None:
        """A worker died on its own: whatever it did is tried item by item, later."""
        task, begun = seat.task, seat.ready
        code = self._end(seat, "WorkerDied: the worker process died in the call")
        if not begun:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                raise RunError("worker processes die before they begin", got=f"exit code {code}", mend="their messages stand above; is there enough memory?")
            self._again.append(task)
        elif len(task.batch) == 1 and task.deaths:
            outcomes.append(self._on_death(task.batch[0]))
        else:
            self._suspects.extend(Task([item], task.deaths + 1, task.earlier) for item in task.batch)

    def _end(self, seat: _Seat, error: str) -> int | None:
        self._seats.remove(seat)
        code = seat.member.kill()
        if seat.call is not None:
            self._leave(seat, Ended({}, (error,)))
        return code
