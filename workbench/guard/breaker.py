"""A circuit breaker per engine: after some failures in a row the engine rests, then one probe decides whether it is back.

The pattern is Michael Nygard's (Release It!, 2007). Nothing here knows of processes; whoever hands out work asks first and tells the outcome afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Closed lets everything through, open nothing, half-open waits for one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave for one call. ``opened`` is how often the breaker had opened by then: outcomes of calls from before an opening count no more."""

    opened: int
    probe: bool = False


class CircuitBreaker:
    """Opens after ``failures`` in a row, lets one probe through after ``rest_sec``, closes when it succeeds and rests again when it fails.

    Args:
        failures: in a row, at least 1.
        rest_sec: how long nothing is let through.
        clock: seconds that only go forward.
    """

    def __init__(self, *, failures: int, rest_sec: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures, self._rest_sec, self._clock = failures, rest_sec, clock
        self._state, self._in_a_row, self._opened_at = State.CLOSED, 0, 0.0
        self.opened, self.last_error = 0, ""

    @property
    def state(self) -> State:
        return self._state

    def ask(self) -> Ticket | None:
        """Leave for one call, None while the engine rests. Every ticket given must come back through one of the three methods below."""
        if self._state is State.CLOSED:
            return Ticket(self.opened)
        if self._state is State.OPEN and self._clock() - self._opened_at >= self._rest_sec:
            self._state = State.HALF_OPEN
            return Ticket(self.opened, probe=True)
        return None

    def succeeded(self, ticket: Ticket) -> None:
        """The engine did its work."""
        if self._counts(ticket):
            self._state, self._in_a_row = State.CLOSED, 0

    def failed(self, ticket: Ticket, error: str) -> None:
        """The engine failed by its own fault."""
        if not self._counts(ticket):
            return
        self._in_a_row, self.last_error = self._in_a_row + 1, error
        if self._state is State.HALF_OPEN or self._in_a_row >= self._failures:
            self._state, self._in_a_row, self._opened_at = State.OPEN, 0, self._clock()
            self.opened += 1

    def returned(self, ticket: Ticket) -> None:
        """The call said nothing about the engine (bad input, another attempt follows): a probe may be made again."""
        if self._counts(ticket) and self._state is State.HALF_OPEN:
            self._state = State.OPEN

    def _counts(self, ticket: Ticket) -> bool:
        return ticket.opened == self.opened and (self._state is State.CLOSED or (self._state is State.HALF_OPEN and ticket.probe))


@dataclass(frozen=True, slots=True)
class BreakerReport:
    """How one engine's breaker stands: ``opened`` counts how often it opened, ``last_error`` is the last failure it was told."""

    name: str
    state: State
    opened: int
    last_error: str


#: What a call came to for one clip: "" is a success, any other text the engine's own failure, None says nothing about the engine.
Outcome = str | None


class Breakers:
    """The breakers of several engines, held by the one who hands out work, so that all workers share them.

    Args:
        failures: of each, None for breakers that never open.
    """

    def __init__(self, names: Iterable[str], *, failures: int | None, rest_sec: float, clock: Callable[[], float] = time.monotonic) -> None:
        never = 1 << 62
        self._of = {name: CircuitBreaker(failures=failures or never, rest_sec=rest_sec, clock=clock) for name in names}

    def ask(self, name: str) -> Ticket | None:
        return self._of[name].ask()

    def tell(self, name: str, ticket: Ticket, outcomes: Iterable[Outcome]) -> None:
        """What a call came to, clip by clip in its order."""
        breaker = self._of[name]
        for outcome in outcomes:
            if outcome:
                breaker.failed(ticket, outcome)
            elif outcome is not None:
                breaker.succeeded(ticket)
        breaker.returned(ticket)

    def report(self) -> tuple[BreakerReport, ...]:
        return tuple(BreakerReport(name, breaker.state, breaker.opened, breaker.last_error) for name, breaker in self._of.items())
