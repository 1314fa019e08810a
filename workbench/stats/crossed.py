"""Intervals for ratings, where listeners and texts are both drawn at random: rows and columns are resampled independently of each other.

The pigeonhole bootstrap (Owen 2007): a rating's weight in a resample is how often its row was drawn times how often its column was. It needs no balance and no
model, and errs on the wide side: the variance of what is peculiar to one rating enters up to three times.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.stats.intervals import Estimate
from workbench.stats.resampling import draws

#: With fewer rows or columns than this no interval is given: it would claim more than the data hold.
LEAST = 3


@dataclass(frozen=True)
class Crossed:
    """Values that each belong to a row (a listener), a column (a text) and a unit within the column (a clip).

    All have shape (N,). ``level`` is that of every interval. An estimate's ``n`` is the smaller of its numbers of rows and columns, on which its width rests.
    """

    values: Sequence[float]
    rows: Sequence[Hashable]
    columns: Sequence[Hashable]
    units: Sequence[Hashable]
    resamples: int = 2000
    level: float = 0.95
    seed: int = 1

    def means(self, groups: Mapping[Hashable, Hashable]) -> dict[Hashable, Estimate]:
        """The mean of each group's values; ``groups`` says which group a unit belongs to."""
        return {group: self._estimate(*self._mean_of(group, groups)) for group in dict.fromkeys(groups[unit] for unit in self._units)}

    def difference(self, groups: Mapping[Hashable, Hashable], first: Hashable, second: Hashable, *, level: float | None = None) -> Estimate:
        """Mean of the first group minus mean of the second, under the same draws: what a strict listener or a hard text does to both drops out."""
        (one, moved_one, n_one), (two, moved_two, n_two) = self._mean_of(first, groups), self._mean_of(second, groups)
        value = None if one is None or two is None else one - two
        return self._estimate(value, moved_one - moved_two, min(n_one, n_two), level)

    def correlation(self, scores: Mapping[Hashable, float], *, groups: Mapping[Hashable, Hashable] | None = None, ranks: bool = False) -> Estimate:
        """Pearson's coefficient (Spearman's with ``ranks``) of the units' mean values and their scores; with ``groups``, of the groups' means of both.

        Units without a score do not count. None where there are fewer than three points or one side does not vary.
        """
        keep = np.array([unit in scores for unit in self._units], dtype=bool)
        if not keep.any():
            return Estimate(None, None, None, 0)
        score = np.array([scores.get(unit, 0.0) for unit in self._units])
        of = self._groups(groups) if groups is not None else None
        measure = _spearman if ranks else _pearson
        weight_of_units = keep.astype(float)

        def one(row_weights: np.ndarray, column_weights: np.ndarray) -> float:
            opinion, weight = self._unit_means(row_weights)
            weight = weight_of_units * column_weights[self._column_of_unit] * (weight > 0)
            if of is None:
                return measure(opinion, score, weight)
            total = of @ weight
            shown = total > 0
            by_group = [(of @ (weight * side))[shown] / total[shown] for side in (opinion, score)]
            return measure(*by_group, np.ones(shown.sum()))

        columns = len({self._column_of_unit[k] for k in np.flatnonzero(keep)})
        rows = int((self._counts[:, keep].sum(1) > 0).sum())
        value = one(np.ones(len(self._rows)), np.ones(len(self._columns)))
        moved = np.array([one(r, c) for rs, cs in self._draws() for r, c in zip(rs, cs, strict=True)])
        return self._estimate(value if np.isfinite(value) else None, moved, min(rows, columns))

    def unit_means(self) -> dict[Hashable, tuple[float, int]]:
        """Each unit's mean and how many values it rests on."""
        return {unit: (float(self._sums[:, k].sum() / self._counts[:, k].sum()), int(self._counts[:, k].sum())) for k, unit in enumerate(self._units)}

    def _draws(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rows = draws(len(self._rows), self.resamples, seed=self.seed)
        columns = draws(len(self._columns), self.resamples, seed=[self.seed, 2])
        return zip(rows, columns, strict=True)

    def _mean_of(self, group: Hashable, groups: Mapping[Hashable, Hashable]) -> tuple[float | None, np.ndarray, int]:
        """Value, value in every resample (NaN where nothing of the group was drawn), size."""
        own = np.array([groups[unit] == group for unit in self._units])
        place = self._column_of_unit[own]
        by_column = np.zeros((2, len(self._rows), len(self._columns)))
        for side, table in enumerate((self._sums, self._counts)):
            np.add.at(by_column[side].T, place, table[:, own].T)
        sums, counts = by_column
        n = min(int((counts.sum(1) > 0).sum()), int((counts.sum(0) > 0).sum()))
        if not counts.sum():
            return None, np.full(self.resamples, np.nan), 0
        moved = [((r @ sums) * c).sum(1) / np.where((low := ((r @ counts) * c).sum(1)) > 0, low, np.nan) for r, c in self._draws()]
        return float(sums.sum() / counts.sum()), np.concatenate(moved), n

    def _estimate(self, value: float | None, moved: np.ndarray, n: int, level: float | None = None) -> Estimate:
        moved = moved[np.isfinite(moved)]
        if value is None or n < LEAST or len(moved) < self.resamples / 2:
            return Estimate(value, None, None, n)
        tail = (1 - (level or self.level)) / 2
        low, high = np.quantile(moved, [tail, 1 - tail])
        return Estimate(value, float(low), float(high), n)

    def _unit_means(self, row_weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weight = row_weights @ self._counts
        return (row_weights @ self._sums) / np.where(weight > 0, weight, 1.0), weight

    def _groups(self, groups: Mapping[Hashable, Hashable]) -> np.ndarray:
        names = list(dict.fromkeys(groups[unit] for unit in self._units))
        return np.array([[groups[unit] == name for unit in self._units] for name in names], dtype=float)

    @cached_property
    def _rows(self) -> dict[Hashable, int]:
        return {name: k for k, name in enumerate(dict.fromkeys(self.rows))}

    @cached_property
    def _columns(self) -> dict[Hashable, int]:
        return {name: k for k, name in enumerate(dict.fromkeys(self.columns))}

    @cached_property
    def _units(self) -> dict[Hashable, int]:
        return {name: k for k, name in enumerate(dict.fromkeys(self.units))}

    @cached_property
    def _column_of_unit(self) -> np.ndarray:
        place = np.zeros(len(self._units), dtype=int)
        for unit, column in zip(self.units, self.columns, strict=True):
            place[self._units[unit]] = self._columns[column]
        return place

    @cached_property
    def _counts(self) -> np.ndarray:
        """Values by row and unit, shape (rows, units)."""
        return self._spread(np.ones(len(self.values)))

    @cached_property
    def _sums(self) -> np.ndarray:
        return self._spread(np.asarray(self.values, dtype=float))

    def _spread(self, values: np.ndarray) -> np.ndarray:
        table = np.zeros((len(self._rows), len(self._units)))
        np.add.at(table, ([self._rows[row] for row in self.rows], [self._units[unit] for unit in self.units]), values)
        return table


def _pearson(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Weighted; NaN where fewer than three points weigh anything or a side does not vary."""
    shown = weight > 0
    if shown.sum() < 3:
        return np.nan
    x, y, weight = x[shown], y[shown], weight[shown] / weight[shown].sum()
    x, y = x - weight @ x, y - weight @ y
    spread = (weight @ x**2) * (weight @ y**2)
    return float((weight @ (x * y)) / np.sqrt(spread)) if spread > 1e-24 else np.nan


def _spearman(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    shown = weight > 0
    if shown.sum() < 3:
        return np.nan
    return _pearson(_ranks(x[shown], weight[shown]), _ranks(y[shown], weight[shown]), weight[shown])


def _ranks(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean ranks of values that each count ``weight`` times."""
    _, tied = np.unique(values, return_inverse=True)
    each = np.bincount(tied, weight)
    return (np.cumsum(each) - each + (each + 1) / 2)[tied]
