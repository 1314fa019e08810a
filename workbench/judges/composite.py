"""One number from several judges, and over which judges it was taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Composite:
    """``value`` is the mean of the primary scores of ``judges`` (in the order given); None over no judges."""

    value: float | None
    judges: tuple[str, ...]


def composite(scores: Mapping[str, float | None]) -> Composite:
    """Mean of the judges' primary scores; a judge whose score is None or not finite is left out, and is not named.

    >>> composite({"dnsmos": 3.0, "nisqa": 4.0, "scoreq": None})
    Composite(value=3.5, judges=('dnsmos', 'nisqa'))
    """
    present = {judge: score for judge, score in scores.items() if _scored(score)}
    return Composite(math.fsum(present.values()) / len(present) if present else None, tuple(present))


def fair_judges(systems: Mapping[str, Mapping[str, float | None]]) -> tuple[str, ...]:
    """The judges that scored every one of the systems, in the order of the first system's.

    Args:
        systems: system -> judge -> primary score.

    >>> fair_judges({"a": {"nisqa": 4.1, "dnsmos": 3.0}, "b": {"nisqa": 3.9, "dnsmos": None}})
    ('nisqa',)
    """
    rows = list(systems.values())
    return tuple(judge for judge in (rows[0] if rows else ()) if all(_scored(row.get(judge)) for row in rows))


def fair_composites(systems: Mapping[str, Mapping[str, float | None]]) -> dict[str, Composite]:
    """Each system's composite over ``fair_judges`` alone: the only composites that may be compared with each other."""
    judges = fair_judges(systems)
    return {system: composite({judge: row[judge] for judge in judges}) for system, row in systems.items()}


def _scored(score: float | None) -> bool:
    return score is not None and math.isfinite(score)
