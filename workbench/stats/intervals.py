"""Estimates with intervals that know which clips share a text.

Clips that share a text are not independent draws, so resampling draws whole clusters. How the interval is made of the resamples: see ``resampling``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.stats.measurements import Table
from workbench.stats.resampling import LEAST, Paired, paired

RESAMPLES = 5000
#: What differs by no more than this share of the values is equal up to rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95% interval. ``n`` counts the independent units (clusters, or trials of a proportion); None where nothing supports one."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def proportion(successes: int, trials: int, *, level: float = 0.95) -> Estimate:
    """A share of independent trials with its Wilson interval (Wilson 1927), by scipy."""
    if trials == 0:
        return Estimate(None, None, None, 0)
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(confidence_level=level, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high), trials)


def ratio_estimate(numerators: Sequence[float], denominators: Sequence[float], clusters: Sequence[Hashable], *, seed: int, level: float = 0.95) -> Estimate:
    """sum(numerators) / sum(denominators) with an interval over clusters.

    Args:
        numerators, denominators, clusters: shape (N,), one entry per clip; for WER: errors, reference words, text.
        seed: of the resampling.

    With fewer than three clusters no interval is given: it would claim more than the data hold.
    """
    names = {name: index for index, name in enumerate(dict.fromkeys(clusters))}
    top, bottom = np.zeros(len(names)), np.zeros(len(names))
    for numerator, denominator, cluster in zip(numerators, denominators, clusters, strict=True):
        top[names[cluster]] += numerator
        bottom[names[cluster]] += denominator
    table = Table("", ("",), tuple(map(str, range(len(names)))), top[None], bottom[None])
    return estimates_of([table], resamples=RESAMPLES, level=level, seed=seed)[0][0]


def mean_estimate(values: Sequence[float], clusters: Sequence[Hashable], *, seed: int, level: float = 0.95) -> Estimate:
    """Mean over clips with an interval over clusters; missing values (None, NaN) are left out."""
    kept = [(v, c) for v, c in zip(values, clusters, strict=True) if v is not None and np.isfinite(v)]
    if not kept:
        return Estimate(None, None, None, 0)
    return ratio_estimate([v for v, _ in kept], [1.0] * len(kept), [c for _, c in kept], seed=seed, level=level)


def estimates_of(tables: Sequence[Table], *, resamples: int, level: float, seed: int) -> list[list[Estimate]]:
    """The estimates of each table's systems; the tables share their texts."""
    nobody = np.zeros(0, dtype=int)
    found = paired(tables, [(nobody, nobody)] * len(tables), resamples=resamples, flips=0, level=level, seed=seed)
    return [estimates_from(table, own, level) for table, own in zip(tables, found, strict=True)]


def estimates_from(table: Table, found: Paired, level: float) -> list[Estimate]:
    """What may be said of each system: the interval stays within 0 to 1 where every text does, and on the side of 0 where every text is."""
    texts, estimates = len(table.texts), []
    for top, bottom, value, low, high in zip(table.values, table.weights, found.values, found.low, found.high, strict=True):
        value = float(value)
        if not np.isfinite(value):
            estimates.append(Estimate(None, None, None, texts))
        elif texts < LEAST:
            estimates.append(Estimate(value, None, None, texts))
        elif not top.any() or (top == bottom).all():
            estimates.append(_without_events(value, texts, float(bottom.sum()), level))
        elif constant(top - value * bottom, top):
            estimates.append(Estimate(value, value, value, texts))
        else:
            estimates.append(Estimate(value, *within(low, high, top, bottom), texts))
    return estimates


def within(low: float, high: float, values: np.ndarray, wholes: np.ndarray) -> tuple[float, float]:
    """An interval cut to where the values lie: on their side of 0, and under 1 where none is more than its whole."""
    floor, ceiling = 0.0 if (values >= 0).all() else -np.inf, 0.0 if (values <= 0).all() else 1.0 if (values >= 0).all() and (values <= wholes).all() else np.inf
    return float(max(low, floor)), float(min(high, ceiling))


def constant(deviations: np.ndarray, *scales: np.ndarray) -> bool:
    """Whether deviations are nothing but rounding of values of such a scale."""
    return float(np.abs(deviations).max()) <= ROUNDING * max(float(np.abs(scale).max()) for scale in scales)


def _without_events(value: float, clusters: int, whole: float, level: float) -> Estimate:
    """The interval where no cluster holds an event (or every unit is one): resampling would give it no width and claim certainty.

    The Wilson bound on the share of clusters that hold an event, each taken to hold one of its units.
    """
    reach = proportion(0, clusters, level=level).high * clusters / whole
    return Estimate(value, max(0.0, value - reach) if value else 0.0, value if value else min(1.0, reach), clusters)
