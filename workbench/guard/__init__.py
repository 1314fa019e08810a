"""Keeping engines honest: on the device that was asked for, stopped when they hang, rested when they fail, the same scores from the same seed."""

from workbench.guard.breaker import BreakerReport, Breakers, CircuitBreaker, Outcome, State, Ticket
from workbench.guard.devices import assert_on
from workbench.guard.seeds import seed_everything, seed_of

__all__ = ["BreakerReport", "Breakers", "CircuitBreaker", "Outcome", "State", "Ticket", "assert_on", "seed_everything", "seed_of"]
