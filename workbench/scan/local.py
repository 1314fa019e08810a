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
from workbench.scan.member import Answer, Done, Failed, Member, Order, Ready

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

#: Suspected killers of workers wait until so many are together or all else is done; then each is tried alone, with all memory to itself.
MOST_SUSPECTS = 256
#: Workers that die before they are ready, one after the other, until that is taken for a fault of the machine and not of the clips.
MOST_FALSE_STARTS = 3


@dataclass(slots=True)
class Task:
    """A batch on its way; ``deaths`` counts the workers that died on it, ``earlier`` is what they had done before."""

    batch: Any
    deaths: int = 0
    earlier: Earlier = field(default_factory=Earlier)


@dataclass(slots=True)
class _Seat:
    """One worker process, the batch that it computes and the one that it reads meanwhile."""

    member: Member
    tasks: deque[Task] = field(default_factory=deque)
    ready: bool = False
    call: Call | None = None
    ticket: Ticket | None = None
    deadline: float | None = None

    @property
    def may_read_ahead(self) -> bool:
        # A batch that may end its worker gets a worker to itself.
        return self.ready and len(self.tasks) == 1 and not self.tasks[0].deaths


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
    """One ``LocalRunner.run``, its workers let go at the end."""
    with LocalRunner(make_worker, arguments, workers=workers, on_death=on_death, breakers=breakers, apart=apart) as runner:
        yield from runner.run(batches)


class LocalRunner:
    """Gives batches to workers on this machine: ``make_worker(**arguments)`` is an object with ``process(batch)``, ``close()`` and, if it is to read one batch while it
    computes another, ``open(batch)``, whose result ``process`` then takes.

    A worker that dies (out of memory, a crash inside a library) loses nothing: its batch is tried again one item at a time, with no other worker alive. An item that kills
    a worker twice is handed to ``on_death``, or, where it died in an engine's call, becomes a result of that engine. With ``breakers`` the worker is made with a further
    argument ``gate``, its ``process`` takes the ``Earlier`` tries of its batch, and an engine call that outlasts its own limit ends the worker: the batch is handed to
    another one with a note of what hung.

    Args:
        apart: a single worker, too, gets a process of its own; otherwise it runs in this one, where nothing can stop a call or read ahead.
    """

    def __init__(
        self,
        make_worker: Callable[..., Any],
        arguments: dict[str, Any],
        *,
        workers: int,
        on_death: Callable[[Any], Any],
        breakers: Breakers | None = None,
        apart: bool = False,
    ) -> None:
        self._make_worker, self._arguments, self._breakers = make_worker, arguments, breakers
        self._here: Any = None
        self._crew = _Crew(make_worker, arguments, workers, on_death, breakers) if workers > 1 or apart else None
        if workers > 1:
            # One thread per library, as the workers share the cores.
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
                os.environ.setdefault(name, "1")

    def __enter__(self) -> LocalRunner:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the workers go; those that still compute are ended."""
        if self._crew is not None:
            self._crew.close()
        if self._here is not None:
            self._here.close()
            self._here = None

    def run(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Outcomes of the batches as they come. May be called again; workers and their engines stay.

        Raises:
            RunError: worker processes die before they have begun.
            Exception: what a worker's ``process`` raised, or what the batches broke off with, once what is under way has come back.
        """
        if self._crew is not None:
            yield from self._crew.run(batches)
            return
        if self._here is None:
            self._here = self._make_worker(**self._arguments, **({} if self._breakers is None else {"gate": LocalGate(self._breakers)}))
        opener = getattr(self._here, "open", None)
        for batch in batches:
            yield self._here.process(batch if opener is None else opener(batch))


class _Crew:
    """The workers of one runner, hired when there is work for them."""

    def __init__(self, make_worker: Callable, arguments: dict, workers: int, on_death: Callable, breakers: Breakers | None) -> None:
        self._make_worker, self._arguments = make_worker, arguments
        self._workers, self._on_death, self._breakers = workers, on_death, breakers
        self._source: Iterator = iter(())
        self._seats: list[_Seat] = []
        self._again: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._exhausted, self._false_starts = True, 0
        self._broken_off: Exception | None = None

    def close(self) -> None:
        busy = [seat for seat in self._seats if seat.tasks]
        for seat in busy:
            seat.member.kill()
        self._dismiss([seat for seat in self._seats if seat not in busy])
        self._seats = []

    def run(self, batches: Iterable) -> Iterator[Any]:
        self._source, self._exhausted, self._broken_off = iter(batches), False, None
        self._hand_out()
        while any(seat.tasks for seat in self._seats):
            ready = self._listen()
            # Workers get their next batch before the reader of this generator takes its time over the outcomes.
            self._hand_out()
            yield from ready
        if self._broken_off is not None:
            raise self._broken_off

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
            self._give(seat, task)
        for seat in [seat for seat in self._seats if seat.may_read_ahead]:
            if self._again or self._exhausted or any(t.deaths for s in self._seats for t in s.tasks) or (task := self._next_task()) is None:
                return
            self._give(seat, task)

    def _give(self, seat: _Seat, task: Task) -> None:
        seat.tasks.append(task)
        if seat.ready and not seat.member.send(Order(task.batch, task.earlier)):
            # It died between two batches, which says nothing about the next; one that it still computes shows itself at its sentinel.
            seat.tasks.remove(task)
            self._again.append(task)
            if not seat.tasks:
                self._seats.remove(seat)
                seat.member.kill()

    def _free(self) -> _Seat | None:
        return next((seat for seat in self._seats if not seat.tasks), None)

    def _next_task(self) -> Task | None:
        running = [task for seat in self._seats for task in seat.tasks]
        if any(task.deaths for task in running):
            return None
        if self._again:
            return self._again.popleft()
        if len(self._suspects) < MOST_SUSPECTS and not self._exhausted:
            try:
                return Task(next(self._source))
            except Exception as error:  # noqa: BLE001 - raised once what is under way has come back
                self._exhausted, self._broken_off = True, None if isinstance(error, StopIteration) else error
        return self._suspects.popleft() if self._suspects and not running else None

    def _dismiss(self, seats: list[_Seat]) -> None:
        for seat in seats:
            seat.member.close()
            self._seats.remove(seat)

    def _listen(self) -> list[Any]:
        """Wait for the workers' next messages or the next deadline, and act on them; the outcomes that came."""
        busy = {seat.member.pipe: seat for seat in self._seats if seat.tasks}
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
            seat.tasks[0].earlier.ended(seat.call, message.results)
            self._leave(seat, message)
        elif isinstance(message, Ready):
            seat.ready, self._false_starts = True, 0
            for task in seat.tasks:
                # A worker that is gone again shows itself at its sentinel.
                seat.member.send(Order(task.batch, task.earlier))
        elif isinstance(message, Done):
            seat.tasks.popleft()
            outcomes.append(message.outcome)
        elif isinstance(message, Failed):
            message.error.add_note(f"In a worker process:\n{message.traceback}")
            raise message.error

    def _enter(self, seat: _Seat, call: Call) -> None:
        ticket = self._breakers.ask(call.stage)
        if ticket is None:
            seat.member.send(Answer(None))
            return
        seat.ticket, seat.call = ticket, probe_of(call) if ticket.probe else call
        seat.deadline = None if call.limit_sec is None else time.monotonic() + call.limit_sec
        seat.member.send(Answer(seat.call))

    def _leave(self, seat: _Seat, ended: Ended) -> None:
        self._breakers.tell(seat.call.stage, seat.ticket, ended.outcomes)
        seat.call = seat.ticket = seat.deadline = None

    def _stop_hanging(self, seat: _Seat) -> None:
        call = seat.call
        seat.tasks[0].earlier.hangs(call)
        self._end(seat, f"EngineTimeoutError: no answer in {call.limit_sec:.0f} s")
        self._again.extend(seat.tasks)

    def _bury(self, seat: _Seat, outcomes: list[Any]) -> None:
        """A worker died on its own: whatever it had in hand is tried item by item, later."""
        begun, call, first = seat.ready, seat.call, seat.tasks[0]
        code = self._end(seat, "WorkerDied: the worker process died in the call")
        if not begun:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                raise RunError("worker processes die before they begin", got=f"exit code {code}", mend="their messages stand above; is there enough memory?")
            self._again.extend(seat.tasks)
        elif first.deaths and call is not None:
            # It was alone: this engine ends its process on this item. What the other engines say of it is still wanted.
            first.earlier.killed.update((call.stage, position) for position in call.members)
            self._again.append(first)
        elif first.deaths:
            outcomes.append(self._on_death(first.batch[0]))
        else:
            self._suspects.extend(Task([item], task.deaths + 1, task.earlier) for task in seat.tasks for item in task.batch)

    def _end(self, seat: _Seat, error: str) -> int | None:
        self._seats.remove(seat)
        code = seat.member.kill()
        if seat.call is not None:
            self._leave(seat, Ended({}, (error,)))
        return code
