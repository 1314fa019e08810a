"""Paired resampling of texts for many systems at once: counts of texts times a table, one matrix product for all systems.

A resample draws texts with replacement, the same texts for every system, so that what makes a text hard drops out of differences. Clips that share a text are one unit.

The interval. Percentiles of the resamples cover too seldom where texts are few or most of them hold no error: 88% for the word error rate of 20 texts, by simulation, BCa 90%.
What the resamples do supply well is the standard error and the skewness. A system's own value gets Student's t interval with that standard error (widened by the factor
sqrt(n / (n - 1)) that resampling lacks, Hesterberg 2015) after Hall's transformation, which takes the skewness out (Hall 1992). A difference may be even or skewed, and the
skewness of an even one is mostly chance: it gets the outer, at each end, of the interval with and without that transformation. docs/statistics.md holds the coverage of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.stats.measurements import Table

#: Resamples in one matrix product (fewer where texts are very many), so that memory is flat. Fixed: no number depends on the memory at hand.
BLOCK = 500
#: With fewer texts no interval is given: it would claim more than the data hold.
LEAST = 3
#: Texts from which on resampling shows nothing that its limits do not: standard error, skewness and p-value are then computed by formula.
MANY = 5_000


@dataclass(frozen=True)
class Paired:
    """Of one metric: for each system, and for each pair (first minus second), the value and its interval; for pairs the permutation p-value and the standard
    deviation over texts of the difference. Shapes (systems,) and (pairs,)."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    differences: np.ndarray
    difference_low: np.ndarray
    difference_high: np.ndarray
    p_values: np.ndarray
    spread: np.ndarray


def draws(texts: int, resamples: int, *, seed: int | Sequence[int]) -> Iterator[np.ndarray]:
    """Blocks of shape (rows, texts): how often each text is in each resample. The draws are those of ``scipy.stats.bootstrap`` with the same seed."""
    rng = np.random.default_rng(seed)
    for rows in _blocks(texts, resamples):
        picks = rng.integers(0, texts, (rows, texts)) + texts * np.arange(rows)[:, None]
        yield np.bincount(picks.ravel(), minlength=rows * texts).reshape(rows, texts).astype(float)


def signs(texts: int, flips: int, *, seed: int) -> Iterator[np.ndarray]:
    """Blocks of shape (rows, texts) of +1 and -1: which texts keep their two systems as they are, and which exchange them. All there are, if no more than ``flips``."""
    if 2**texts <= flips:
        whole = 1.0 - 2.0 * ((np.arange(2**texts)[:, None] >> np.arange(texts)) & 1)
        yield from np.split(whole, range(BLOCK, len(whole), BLOCK))
        return
    rng = np.random.default_rng([seed, 1])
    for rows in _blocks(texts, flips):
        yield 1.0 - 2.0 * rng.integers(0, 2, (rows, texts), dtype=np.int32)


def _blocks(texts: int, count: int) -> Iterator[int]:
    rows = max(1, min(BLOCK, 5_000_000 // max(texts, 1)))
    return (min(rows, count - start) for start in range(0, count, rows))


def paired(tables: Sequence[Table], pairs: Sequence[tuple[np.ndarray, np.ndarray]], *, resamples: int, flips: int, level: float, seed: int) -> list[Paired]:
    """Values, intervals and p-values of metrics that share their texts.

    Args:
        pairs: for each table the indices of the first and the second systems, shape (pairs,) each.
        flips: exchanges that the permutation test tries; all of them where there are no more.

    NaN stands for what cannot be said: the value of a system whose weights add up to 0, intervals, p-values and spreads of fewer than three texts.
    """
    texts = len(tables[0].texts)
    if texts < LEAST:
        return [_bare(table, *p) for table, p in zip(tables, pairs, strict=True)]
    influences = [_influence(table) for table in tables]
    many = texts > MANY
    moments = [_by_formula(u, *p) for u, p in zip(influences, pairs, strict=True)] if many else _resampled(tables, pairs, resamples, seed)
    exchanged = [None] * len(tables) if many else _exchanged(tables, pairs, flips, seed)
    found = []
    for table, (first, second), influence, (error, skewness), p in zip(tables, pairs, influences, moments, exchanged, strict=True):
        values = ratios(table)
        differences = values[first] - values[second]
        systems = len(values)
        low, high = interval(values, error[:systems], skewness[:systems], texts, level)
        difference_low, difference_high = interval(differences, error[systems:], skewness[systems:], texts, level, outer=True)
        spread = (influence[first] - influence[second]).std(1, ddof=1)
        p = _p_by_formula(differences, spread, texts) if p is None else p
        found.append(Paired(values, low, high, differences, difference_low, difference_high, p, spread))
    return found


def interval(values: np.ndarray, error: np.ndarray, skewness: np.ndarray, texts: int, level: float, *, outer: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the module's head from the standard deviation and the skewness of the resampled values; ``outer`` for differences."""
    t, error = student(texts, level), error * np.sqrt(texts / (texts - 1))

    def unskewed(quantile: float) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 3 / skewness * (np.cbrt(1 + skewness * (quantile - skewness / 6)) - 1)
        return np.where(np.abs(skewness) > 1e-9, found, quantile)

    upper, lower = unskewed(t), unskewed(-t)
    if outer:
        upper, lower = np.maximum(t, upper), np.minimum(-t, lower)
    return values - error * upper, values - error * lower


@lru_cache(maxsize=1000)
def student(texts: int, level: float) -> float:
    """Student's two-sided quantile for a mean of so many texts."""
    from scipy.stats import t

    return float(t.isf((1 - level) / 2, texts - 1))


def ratios(table: Table) -> np.ndarray:
    """sum(values) / sum(weights) of each system, NaN where the weights add up to 0."""
    bottom = table.weights.sum(1)
    return np.divide(table.values.sum(1), bottom, out=np.full(len(bottom), np.nan), where=bottom > 0)


def _bare(table: Table, first: np.ndarray, second: np.ndarray) -> Paired:
    values, of_pairs = ratios(table), np.full(len(first), np.nan)
    unknown = np.full(len(values), np.nan)
    return Paired(values, unknown, unknown, values[first] - values[second], of_pairs, of_pairs, of_pairs, of_pairs)


def _influence(table: Table) -> np.ndarray:
    """What each text adds to the error of a ratio of sums, to first order (the delta method), shape (systems, texts); each row sums to 0."""
    mean = table.weights.mean(1)[:, None]
    return np.divide(table.values - ratios(table)[:, None] * table.weights, mean, out=np.full_like(table.values, np.nan), where=mean > 0)


def _by_formula(influence: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the standard deviation and the skewness of resampled values tend to."""
    each, texts = np.concatenate([influence, influence[first] - influence[second]]), influence.shape[1]
    deviation = each.std(1)
    skewness = (each**3).mean(1) / np.where(deviation > 0, deviation, 1) ** 3
    return deviation / np.sqrt(texts), skewness / np.sqrt(texts)


def _resampled(tables: Sequence[Table], pairs: Sequence[tuple[np.ndarray, np.ndarray]], resamples: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Standard deviation and skewness of the resampled values of all systems, then of all pairs, for each table."""
    # Residuals instead of values: what is summed is then as small as what is looked for.
    columns, ends = _side_by_side([(table.values - ratios(table)[:, None] * table.weights, _distinct(table.weights)) for table in tables])
    sums = [np.zeros((3, len(table.systems) + len(first))) for table, (first, _) in zip(tables, pairs, strict=True)]
    for counts in draws(len(tables[0].texts), resamples, seed=seed):
        for total, part, (first, second), table in zip(sums, np.split(counts @ columns, ends, axis=1), pairs, tables, strict=True):
            residuals, weights = np.split(part, [len(table.systems)], axis=1)
            # A resample whose texts weigh nothing says nothing.
            moved = np.divide(residuals, weights, out=np.zeros_like(residuals), where=weights > 0)
            moved = np.concatenate([moved, moved[:, first] - moved[:, second]], axis=1)
            square = moved * moved
            total += [moved.sum(0), square.sum(0), (square * moved).sum(0)]
    return [_deviation_and_skewness(*(total / resamples)) for total in sums]


def _distinct(weights: np.ndarray) -> np.ndarray:
    """One row where all systems have the same weights, as they have where weights are words of the text."""
    return weights[:1] if (weights == weights[:1]).all() else weights


def _side_by_side(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """All columns of one matrix product, shape (texts, columns), and where each table's end."""
    columns = np.ascontiguousarray(np.concatenate([rows for part in parts for rows in part]).T)
    return columns, np.cumsum([len(values) + len(weights) for values, weights in parts])[:-1]


def _deviation_and_skewness(mean: np.ndarray, square: np.ndarray, cube: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
    third = cube - 3 * mean * square + 2 * mean**3
    return deviation, np.divide(third, deviation**3, out=np.zeros_like(third), where=deviation > 0)


def _exchanged(tables: Sequence[Table], pairs: Sequence[tuple[np.ndarray, np.ndarray]], flips: int, seed: int) -> list[np.ndarray]:
    """Two-sided p-values of the paired permutation test, which exchanges two systems text by text: exact where all exchanges are tried, else with the observed
    arrangement counted in, so that none is 0 (Phipson and Smyth 2010)."""
    if not any(len(first) for first, _ in pairs):
        return [np.zeros(0) for _ in tables]
    texts = len(tables[0].texts)
    columns, ends = _side_by_side([(table.values, _distinct(table.weights)) for table in tables])
    reached, tried = [np.zeros(len(first), dtype=int) for first, _ in pairs], 0
    both = [_both(table, *p) for table, p in zip(tables, pairs, strict=True)]
    for block in signs(texts, flips, seed=seed):
        tried += len(block)
        for count, part, (first, second), (top, bottom, bound), table in zip(reached, np.split(block @ columns, ends, axis=1), pairs, both, tables, strict=True):
            tops, bottoms = np.split(part, [len(table.systems)], axis=1)
            top_gap = tops[:, first] - tops[:, second]
            with np.errstate(divide="ignore", invalid="ignore"):
                if bottoms.shape[1] == 1:
                    found = 2 * top_gap / bottom
                else:
                    bottom_gap = bottoms[:, first] - bottoms[:, second]
                    found = (top + top_gap) / (bottom + bottom_gap) - (top - top_gap) / (bottom - bottom_gap)
            count += (~(np.abs(found) < bound)).sum(0)
    whole = 2**texts <= flips
    return [count / tried if whole else (count + 1) / (tried + 1) for count in reached]


def _both(table: Table, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each pair: the sums of values and of weights over both systems, and from where on an exchange counts as no less than what was observed."""
    tops, bottoms, values = table.values.sum(1), table.weights.sum(1), ratios(table)
    observed, rounding = np.abs(values[first] - values[second]), 1e-12 * np.abs(values)
    return tops[first] + tops[second], bottoms[first] + bottoms[second], observed * (1 - 1e-9) - rounding[first] - rounding[second]


def _p_by_formula(differences: np.ndarray, spread: np.ndarray, texts: int) -> np.ndarray:
    """What the permutation test's p-value tends to."""
    from scipy.stats import norm

    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(differences) / np.sqrt((spread**2 * (texts - 1) / texts + differences**2) / texts)
    return np.where(differences == 0, 1.0, 2 * norm.sf(z))
