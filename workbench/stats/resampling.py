"""Paired resampling of texts for many systems at once: multinomial counts times a table, one matrix product for all systems.

A resample draws texts with replacement, the same texts for every system, so that what makes a text hard drops out of differences. Clips that share a text are one unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.stats.measurements import Table

#: Resamples in one matrix product. Always the same, so that memory is flat and no number depends on how much of it there is.
BLOCK = 500


@dataclass(frozen=True)
class Paired:
    """Of one metric: for each system, and for each pair (first minus second), the estimate, the interval and, for pairs, the permutation p-value."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    differences: np.ndarray
    difference_low: np.ndarray
    difference_high: np.ndarray
    p_values: np.ndarray
    spread: np.ndarray


def draws(texts: int, resamples: int, *, seed: int) -> Iterator[np.ndarray]:
    """Blocks of shape (up to BLOCK, texts): how often each text is in each resample. The draws are those of ``scipy.stats.bootstrap`` with the same seed."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, BLOCK):
        rows = min(BLOCK, resamples - start)
        picks = rng.integers(0, texts, (rows, texts)) + texts * np.arange(rows)[:, None]
        yield np.bincount(picks.ravel(), minlength=rows * texts).reshape(rows, texts).astype(float)


def signs(texts: int, flips: int, *, seed: int) -> Iterator[np.ndarray]:
    """Blocks of shape (up to BLOCK, texts) of +1 and -1: which texts keep their two systems as they are, and which exchange them."""
    if 2**texts <= flips:
        whole = 1.0 - 2.0 * ((np.arange(2**texts)[:, None] >> np.arange(texts)) & 1)
        yield from np.split(whole, range(BLOCK, len(whole), BLOCK))
        return
    rng = np.random.default_rng([seed, 1])
    for start in range(0, flips, BLOCK):
        yield 1.0 - 2.0 * rng.integers(0, 2, (min(BLOCK, flips - start), texts), dtype=np.int8)


def paired(table: Table, first: np.ndarray, second: np.ndarray, *, resamples: int, level: float, seed: int) -> Paired:
    """Estimates, intervals and p-values of one metric, at least two texts.

    Args:
        first, second: shape (pairs,), indices of systems.
    """
    from scipy.stats import norm, t

    top, bottom, n = table.values, table.weights, len(table.texts)
    values = top.sum(1) / bottom.sum(1)
    # The residuals of the ratio carry its whole error to first order (the delta method) and sum to zero: no large sums cancel.
    residual = (top - values[:, None] * bottom).T
    moved = np.concatenate([(w @ residual) / np.maximum(w @ bottom.T, np.finfo(float).tiny) for w in draws(n, resamples, seed=seed)])
    # Percentiles taken as far out as Student's t is wider than the normal (Hesterberg 2015, "expanded percentile").
    tail = norm.cdf(t.ppf((1 - level) / 2, n - 1) * np.sqrt(n / (n - 1)))
    low, high = np.quantile(moved, [tail, 1 - tail], axis=0) + values
    differences = values[first] - values[second]
    low_of, high_of = np.empty(len(first)), np.empty(len(first))
    for k, (a, b) in enumerate(zip(first, second, strict=True)):
        low_of[k], high_of[k] = np.quantile(moved[:, a] - moved[:, b], [tail, 1 - tail]) + differences[k]
    influence = residual / bottom.mean(1)
    spread = (influence[:, first] - influence[:, second]).std(0, ddof=1)
    return Paired(values, low, high, differences, low_of, high_of, _p_values(table, first, second, differences, resamples, seed), spread)


def _p_values(table: Table, first: np.ndarray, second: np.ndarray, differences: np.ndarray, flips: int, seed: int) -> np.ndarray:
    """Two-sided p-values of the paired permutation test, which exchanges the two systems text by text. Exact where all exchanges can be tried."""
    top, bottom, n = table.values.T, table.weights.T, len(table.texts)
    tops, bottoms = top.sum(0), bottom.sum(0)
    both_top, both_bottom = tops[first] + tops[second], bottoms[first] + bottoms[second]
    bound = np.abs(differences) * (1 - 1e-9)
    reached = tried = 0
    for e in signs(n, flips, seed=seed):
        top_gap, bottom_gap = (e @ top), (e @ bottom)
        top_gap, bottom_gap = top_gap[:, first] - top_gap[:, second], bottom_gap[:, first] - bottom_gap[:, second]
        found = (both_top + top_gap) / (both_bottom + bottom_gap) - (both_top - top_gap) / (both_bottom - bottom_gap)
        reached, tried = reached + (np.abs(found) >= bound).sum(0), tried + len(e)
    return reached / tried if 2**n <= flips else (reached + 1) / (tried + 1)
