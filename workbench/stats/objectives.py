"""Several objectives at once: which systems nobody beats on all of them, and one number only where its weighting is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.errors import ConfigError
from workbench.stats.comparison import Comparison
from workbench.stats.intervals import constant
from workbench.stats.measurements import Direction


class Scaling(StrEnum):
    """How objectives of different units are made comparable before they are weighted."""

    Z = "z"
    RANGE = "range"


@dataclass(frozen=True)
class Front:
    """The Pareto front. ``on``: nobody is at least as good on every objective and better on one. ``off``: those beaten so, and by whom.
    ``incomplete``: those without a value on some objective: they cannot be placed."""

    on: tuple[str, ...]
    off: Mapping[str, tuple[str, ...]]
    incomplete: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Weighted:
    """One number per system, best first, and the weighting that made it, as a sentence that belongs beside every use of the number."""

    scores: Mapping[str, float]
    weights: Mapping[str, float]
    scaling: Scaling
    statement: str
    incomplete: Mapping[str, tuple[str, ...]]


def points_of(found: Comparison) -> dict[str, dict[str, float | None]]:
    """The estimates of a comparison as points: system -> metric -> value."""
    return {system: {metric: found.estimates[system, metric].value for metric in found.metrics} for system in found.systems}


def pareto_front(points: Mapping[str, Mapping[str, float | None]], directions: Mapping[str, Direction]) -> Front:
    """The systems that no other dominates.

    Args:
        points: system -> objective -> value.
        directions: the objectives that count, and which end of each is good.
    """
    complete, incomplete = _split(points, directions)
    signs = np.array([1.0 if d is Direction.HIGHER else -1.0 for d in directions.values()])
    goods = {system: signs * [complete[system][o] for o in directions] for system in complete}
    off = {s: tuple(o for o in goods if (goods[o] >= goods[s]).all() and (goods[o] > goods[s]).any()) for s in goods}
    return Front(tuple(s for s in goods if not off[s]), {s: by for s, by in off.items() if by}, incomplete)


def weighted(points: Mapping[str, Mapping[str, float | None]], weights: Mapping[str, float], directions: Mapping[str, Direction], *, scaling: Scaling = Scaling.Z) -> Weighted:
    """One number per system: objectives scaled over the systems at hand, turned so that more is better, and averaged with ``weights``.

    ``Z``: minus the systems' mean, over their standard deviation. ``RANGE``: 0 for the worst system, 1 for the best. Both depend on which systems are compared, so
    numbers of different comparisons are not comparable; the statement says so. An objective on which all are equal counts 0.

    Raises:
        ConfigError: a weight is negative, all are zero, or an objective has no direction.
    """
    if any(not w >= 0 for w in weights.values()) or not any(weights.values()):
        raise ConfigError("weights that weigh nothing", where="weights", got=dict(weights), expected="0 or more each, one above 0")
    if not weights.keys() <= directions.keys():
        raise ConfigError("an objective has no direction", where="directions", got=sorted(weights.keys() - directions.keys()), expected="a direction for each weight")
    objectives = {o: directions[o] for o, w in weights.items() if w}
    complete, incomplete = _split(points, objectives)
    shares = {o: weights[o] / sum(weights.values()) for o in objectives}
    total = np.zeros(len(complete))
    for objective, direction in objectives.items():
        values = np.array([complete[s][objective] for s in complete]) * (1 if direction is Direction.HIGHER else -1)
        if not len(values) or constant(values - values.mean(), values):
            continue
        scaled = (values - values.mean()) / values.std() if scaling is Scaling.Z else (values - values.min()) / np.ptp(values)
        total += shares[objective] * scaled
    scores = dict(sorted(zip(complete, total.tolist(), strict=True), key=lambda item: (-item[1], item[0])))
    how = "z-scores over" if scaling is Scaling.Z else "ranges (0 worst, 1 best) of"
    terms = " + ".join(f"{share:.2f} {o} ({objectives[o]} is better)" for o, share in shares.items())
    statement = f"{terms}, from {how} these {len(scores)} systems; not comparable with other comparisons"
    return Weighted(scores, dict(weights), scaling, statement, incomplete)


def _split(points: Mapping[str, Mapping[str, float | None]], objectives: Mapping[str, Direction]) -> tuple[dict[str, Mapping[str, float]], dict[str, tuple[str, ...]]]:
    if not objectives:
        raise ConfigError("no objective", where="directions", expected="at least one")
    lacking = {s: tuple(o for o in objectives if p.get(o) is None or not np.isfinite(p[o])) for s, p in points.items()}
    return {s: p for s, p in points.items() if not lacking[s]}, {s: by for s, by in lacking.items() if by}
