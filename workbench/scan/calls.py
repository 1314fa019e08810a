"""What a worker tells its runner around every engine call, so that the runner can stop a call that hangs and rest an engine that fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Protocol

from workbench.guard import Breakers, Outcome, Ticket


@dataclass(frozen=True, slots=True)
class Call:
    """A worker is about to call an engine.

    Attributes:
        stage: whose engine.
        members: positions of the clips in the call.
        limit_sec: after so long without an end the runner ends the worker process; None waits for ever.
    """

    stage: str
    members: tuple[int, ...]
    limit_sec: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The call came back: results by position (empty when its clips are tried again in another call), and what it says about the engine."""

    results: dict[int, Any]
    outcomes: tuple[Outcome, ...] = ()


@dataclass(slots=True)
class Earlier:
    """What earlier tries of the same batch came to, when its worker was ended by the runner.

    Attributes:
        known: finished results by (stage, position); they are not computed again.
        hung: time allowed, in seconds, by (stage, position), of clips that hung alone.
        alone: stages that hung on several clips at once; there each clip is tried alone, to find the one.
        killed: (stage, position) of clips on which two worker processes died, the second with nothing else to do.
    """

    known: dict[tuple[str, int], Any] = field(default_factory=dict)
    hung: dict[tuple[str, int], float] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)
    killed: set[tuple[str, int]] = field(default_factory=set)

    def ended(self, call: Call, results: dict[int, Any]) -> None:
        self.known |= {(call.stage, position): result for position, result in results.items()}

    def hangs(self, call: Call) -> None:
        """Note a call that was stopped for taking too long."""
        if len(call.members) > 1:
            self.alone.add(call.stage)
        else:
            self.hung[call.stage, call.members[0]] = call.limit_sec or 0.0


class Gate(Protocol):
    """Asked before and told after every engine call."""

    def enter(self, call: Call) -> Call | None:
        """The call that may be made (a probe takes the first clip only); None while the engine rests."""
        ...

    def leave(self, ended: Ended) -> None: ...


class LocalGate:
    """The gate of a worker in the runner's own process: breakers, and no way to stop a call."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers
        self._open: tuple[str, Ticket] | None = None

    def enter(self, call: Call) -> Call | None:
        ticket = self._breakers.ask(call.stage)
        if ticket is None:
            return None
        self._open = (call.stage, ticket)
        return probe_of(call) if ticket.probe else call

    def leave(self, ended: Ended) -> None:
        if self._open is not None:
            self._breakers.tell(*self._open, ended.outcomes)
            self._open = None


class PipeGate:
    """The gate of a worker in a process of its own; the runner answers through the pipe."""

    def __init__(self, pipe: Connection, answers: SimpleQueue) -> None:
        self._pipe, self._answers = pipe, answers

    def enter(self, call: Call) -> Call | None:
        self._pipe.send(call)
        return self._answers.get()

    def leave(self, ended: Ended) -> None:
        self._pipe.send(ended)


def probe_of(call: Call) -> Call:
    """The call narrowed to its first clip."""
    return replace(call, members=call.members[:1])
