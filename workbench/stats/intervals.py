"""Estimates with intervals, on scipy.

Clips that share a text are not independent draws, so resampling draws whole clusters.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 5000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95% interval. ``n`` counts the independent units (clusters, or trials of a proportion); None where nothing supports one."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def proportion(successes: int, trials: int) -> Estimate:
    """A share of independent trials with its Wilson interval (Wilson 1927), by scipy."""
    if trials == 0:
        return Estimate(None, None, None, 0)
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high), trials)


def ratio_estimate(numerators: Sequence[float], denominators: Sequence[float], clusters: Sequence[Hashable], *, seed: int) -> Estimate:
    """sum(numerators) / sum(denominators) with a cluster bootstrap percentile interval.

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
    if bottom.sum() == 0:
        return Estimate(None, None, None, len(names))
    value = float(top.sum() / bottom.sum())
    if len(names) < 3:
        return Estimate(value, None, None, len(names))
    if not top.any() or (top == bottom).all():
        return _without_events(value, len(names), float(bottom.sum()))
    if (top == value * bottom).all():
        return Estimate(value, value, value, len(names))
    from scipy.stats import bootstrap

    def ratio(a, b, axis=-1):
        # A resample without any reference word says nothing of the ratio.
        return a.sum(axis=axis) / np.maximum(b.sum(axis=axis), np.finfo(float).tiny)

    found = bootstrap((top, bottom), ratio, paired=True, n_resamples=RESAMPLES, method="percentile", random_state=np.random.default_rng(seed), batch=500)
    return Estimate(value, float(found.confidence_interval.low), float(found.confidence_interval.high), len(names))


def _without_events(value: float, clusters: int, whole: float) -> Estimate:
    """The interval where no cluster holds an event (or every unit is one): resampling would give it no width and claim certainty.

    The Wilson bound on the share of clusters that hold an event, each taken to hold one of its units.
    """
    reach = proportion(0, clusters).high * clusters / whole
    return Estimate(value, max(0.0, value - reach) if value else 0.0, value if value else min(1.0, reach), clusters)


def mean_estimate(values: Sequence[float], clusters: Sequence[Hashable], *, seed: int) -> Estimate:
    """Mean over clips with a cluster bootstrap interval; missing values (None, NaN) are left out."""
    kept = [(v, c) for v, c in zip(values, clusters, strict=True) if v is not None and np.isfinite(v)]
    if not kept:
        return Estimate(None, None, None, 0)
    return ratio_estimate([v for v, _ in kept], [1.0] * len(kept), [c for _, c in kept], seed=seed)


