"""Intervals for ratings, where listeners and texts are both drawn at random, and a rating shares what is peculiar to its listener and to its text with others.

Two-way clustering (Cameron, Gelbach, Miller 2011): the variance over rows, plus that over columns, minus that over the cells of both, which the two hold twice. It
needs neither balance nor a model. Resampling rows and columns at once (the pigeonhole bootstrap) would count what is peculiar to one rating three times.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.stats.intervals import Estimate
from workbench.stats.resampling import draws

#: With fewer rows or columns than this no interval is given: it would claim more than the data hold.
LEAST = 3
#: A coefficient of 1 has no place on Fisher's scale; this is where it is cut.
_MOST = 0.9999


@dataclass(frozen=True)
class Crossed:
    """Values that each belong to a row (a listener), a column (a text) and a unit within the column (a clip); all have shape (N,).

    ``level`` is that of every interval. The ``n`` of an estimate is the smaller of its numbers of rows and columns: on that the width of its interval rests,
    by Student's t with n - 1 degrees of freedom.
    """

    values: Sequence[float]
    rows: Sequence[Hashable]
    columns: Sequence[Hashable]
    units: Sequence[Hashable]
    resamples: int = 500
    level: float = 0.95
    seed: int = 1

    def means(self, groups: Mapping[Hashable, Hashable]) -> dict[Hashable, Estimate]:
        """The mean of each group's values; ``groups`` says which group a unit belongs to."""
        return {group: self._interval(*self._mean_of(group, groups)) for group in dict.fromkeys(groups[unit] for unit in self._units)}

    def difference(self, groups: Mapping[Hashable, Hashable], first: Hashable, second: Hashable) -> Estimate:
        """Mean of the first group minus mean of the second. What a strict listener or a hard text does to both drops out."""
        one, other = self._mean_of(first, groups), self._mean_of(second, groups)
        if one[0] is None or other[0] is None:
            return Estimate(None, None, None, 0)
        return self._interval(one[0] - other[0], one[1] - other[1], one[2] | other[2])

    def correlation(self, scores: Mapping[Hashable, float], *, groups: Mapping[Hashable, Hashable] | None = None, ranks: bool = False) -> Estimate:
        """Pearson's coefficient (Spearman's with ``ranks``) of the units' mean values and their scores; with ``groups``, of the groups' means of both.

        Units without a score do not count. The three variances come from resampling rows, columns and cells, on Fisher's scale. With ``groups`` the interval
        says what other listeners and texts would give, not what other groups would. None where there are under three points, or one side does not vary.
        """
        scored = np.array([unit in scores for unit in self._units], dtype=bool)
        score = np.array([scores.get(unit, 0.0) for unit in self._units])
        point = _Coefficient(score, self._membership(groups) if groups is not None else None, _spearman if ranks else _pearson)
        value = point(self._sums.sum(0), self._counts.sum(0), scored.astype(float))
        columns = len(set(self._column_of_unit[scored]))
        n = min(columns, int((self._counts[:, scored].sum(1) > 0).sum())) if scored.any() else 0
        if not math.isfinite(value):
            return Estimate(None, None, None, n)
        if n < LEAST:
            return Estimate(value, None, None, n)
        by_rows = [point(w @ self._sums, w @ self._counts, scored) for w in self._weights(len(self._rows), 0)]
        sums, counts = self._sums.sum(0), self._counts.sum(0)
        by_columns = [point(sums, counts, scored * w[self._column_of_unit]) for w in self._weights(len(self._columns), 1)]
        by_cells = [point(self._per_unit(w * self._values), self._per_unit(w), scored) for w in self._weights(len(self._values), 2)]
        variance = _combined(*(_spread_of(moved) for moved in (by_rows, by_columns, by_cells)))
        half = self._quantile(n) * math.sqrt(variance)
        centre = math.atanh(max(-_MOST, min(_MOST, value)))
        return Estimate(value, math.tanh(centre - half), math.tanh(centre + half), n)

    def unit_means(self) -> dict[Hashable, tuple[float, int]]:
        """Each unit's mean and how many values it rests on."""
        sums, counts = self._sums.sum(0), self._counts.sum(0)
        return {unit: (float(sums[k] / counts[k]), int(counts[k])) for unit, k in self._units.items()}

    def _mean_of(self, group: Hashable, groups: Mapping[Hashable, Hashable]) -> tuple[float | None, np.ndarray, np.ndarray]:
        """Mean, each value's influence on it, and which values are the group's."""
        own = np.array([groups[unit] == group for unit in self.units])
        influence = np.zeros(len(own))
        if not own.any():
            return None, influence, own
        mean = float(self._values[own].mean())
        influence[own] = (self._values[own] - mean) / own.sum()
        return mean, influence, own

    def _interval(self, value: float | None, influence: np.ndarray, own: np.ndarray) -> Estimate:
        by_rows, by_columns = np.bincount(self._row_of[own], influence[own]), np.bincount(self._column_of[own], influence[own])
        n = min(len(np.unique(self._row_of[own])), len(np.unique(self._column_of[own])))
        if value is None or n < LEAST:
            return Estimate(value, None, None, n)
        cells = np.bincount(self._row_of[own] * len(self._columns) + self._column_of[own], influence[own])
        rows, columns = len(np.unique(self._row_of[own])), len(np.unique(self._column_of[own]))
        variance = _combined(rows / (rows - 1) * by_rows @ by_rows, columns / (columns - 1) * by_columns @ by_columns, cells @ cells)
        half = self._quantile(n) * math.sqrt(variance)
        return Estimate(value, value - half, value + half, n)

    def _quantile(self, n: int) -> float:
        from scipy.stats import t

        return float(t.isf((1 - self.level) / 2, n - 1))

    def _weights(self, count: int, stream: int) -> Iterator[np.ndarray]:
        for block in draws(count, self.resamples, seed=[self.seed, stream]):
            yield from block

    def _membership(self, groups: Mapping[Hashable, Hashable]) -> np.ndarray:
        names = dict.fromkeys(groups[unit] for unit in self._units)
        return np.array([[groups[unit] == name for unit in self._units] for name in names], dtype=float)

    def _per_unit(self, weights: np.ndarray) -> np.ndarray:
        return np.bincount(self._unit_of, weights, len(self._units))

    @cached_property
    def _values(self) -> np.ndarray:
        return np.asarray(self.values, dtype=float)

    @cached_property
    def _rows(self) -> dict[Hashable, int]:
        return _numbered(self.rows)

    @cached_property
    def _columns(self) -> dict[Hashable, int]:
        return _numbered(self.columns)

    @cached_property
    def _units(self) -> dict[Hashable, int]:
        return _numbered(self.units)

    @cached_property
    def _row_of(self) -> np.ndarray:
        return np.array([self._rows[row] for row in self.rows], dtype=int)

    @cached_property
    def _column_of(self) -> np.ndarray:
        return np.array([self._columns[column] for column in self.columns], dtype=int)

    @cached_property
    def _unit_of(self) -> np.ndarray:
        return np.array([self._units[unit] for unit in self.units], dtype=int)

    @cached_property
    def _column_of_unit(self) -> np.ndarray:
        place = np.zeros(len(self._units), dtype=int)
        place[self._unit_of] = self._column_of
        return place

    @cached_property
    def _sums(self) -> np.ndarray:
        """Values added up by row and unit, shape (rows, units)."""
        return self._table(self._values)

    @cached_property
    def _counts(self) -> np.ndarray:
        return self._table(np.ones(len(self._values)))

    def _table(self, values: np.ndarray) -> np.ndarray:
        table = np.zeros((len(self._rows), len(self._units)))
        np.add.at(table, (self._row_of, self._unit_of), values)
        return table


class _Coefficient:
    """The coefficient under given weights: sums and counts of values by unit, and how much each unit weighs."""

    def __init__(self, score: np.ndarray, membership: np.ndarray | None, measure) -> None:
        self._score, self._membership, self._measure = score, membership, measure

    def __call__(self, sums: np.ndarray, counts: np.ndarray, weight: np.ndarray) -> float:
        weight = weight * (counts > 0)
        opinion = sums / np.where(counts > 0, counts, 1.0)
        if self._membership is None:
            return self._measure(opinion, self._score, weight)
        total = self._membership @ weight
        shown = total > 0
        opinion, score = ((self._membership @ (weight * side))[shown] / total[shown] for side in (opinion, self._score))
        return self._measure(opinion, score, np.ones(int(shown.sum())))


def _combined(rows: float, columns: float, cells: float) -> float:
    """Never less than what one side alone gives: chance may make the cells' part too large."""
    return max(rows + columns - cells, rows, columns)


def _spread_of(coefficients: Sequence[float]) -> float:
    found = np.array(coefficients)
    return float(np.arctanh(np.clip(found[np.isfinite(found)], -_MOST, _MOST)).var(ddof=1)) if np.isfinite(found).sum() > 1 else 0.0


def _numbered(names: Sequence[Hashable]) -> dict[Hashable, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _pearson(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Weighted; NaN where under three points weigh anything or a side does not vary."""
    shown = weight > 0
    if shown.sum() < 3:
        return math.nan
    x, y, weight = x[shown], y[shown], weight[shown] / weight[shown].sum()
    x, y = x - weight @ x, y - weight @ y
    spread = (weight @ x**2) * (weight @ y**2)
    return float((weight @ (x * y)) / math.sqrt(spread)) if spread > 1e-24 else math.nan


def _spearman(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    shown = weight > 0
    if shown.sum() < 3:
        return math.nan
    return _pearson(_ranks(x[shown], weight[shown]), _ranks(y[shown], weight[shown]), weight[shown])


def _ranks(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean ranks of values that each count ``weight`` times."""
    _, tied = np.unique(values, return_inverse=True)
    each = np.bincount(tied, weight)
    return (np.cumsum(each) - each + (each + 1) / 2)[tied]
