"""Systems compared on the same texts: paired intervals, permutation tests, Holm's correction over everything that is compared, and ranks that admit ties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.errors import ConfigError, unknown_name
from workbench.stats.intervals import Estimate, estimates_from, estimates_of
from workbench.stats.measurements import Direction, LeftOut, Measurement, Table, Tables, tabulate
from workbench.stats.pairs import Pair, untested, with_outcomes
from workbench.stats.resampling import paired


@dataclass(frozen=True, slots=True)
class Rank:
    """A system's place on one metric, 1 for the best.

    ``rank`` is shared by all systems that are linked by ties: a new rank begins only where every system above is better than every system below. ``best`` and
    ``worst`` bound the place that the data allow: 1 + the systems that are better, and all but the systems that are worse. Both as in the findings of the
    WMT shared tasks (Barrault et al. 2020).
    """

    rank: int
    system: str
    estimate: Estimate
    best: int
    worst: int


@dataclass(frozen=True)
class Comparison:
    """Everything that ``compare`` found; see there."""

    systems: tuple[str, ...]
    metrics: tuple[str, ...]
    directions: Mapping[str, Direction]
    texts: tuple[str, ...]
    texts_by_metric: Mapping[str, tuple[str, ...]]
    left_out: LeftOut
    estimates: Mapping[tuple[str, str], Estimate]
    by_category: Mapping[tuple[str, str, str], Estimate]
    pairs: tuple[Pair, ...]
    baseline: str | None
    resamples: int
    level: float
    seed: int

    @property
    def comparisons(self) -> int:
        """The pairs that were tested: what Holm's correction is over."""
        return sum(pair.p_value is not None for pair in self.pairs)

    def pair(self, metric: str, a: str, b: str) -> Pair | None:
        """The pair with ``a`` first; None where one of them has no value of the metric."""
        for pair in self.pairs:
            if pair.metric == metric and {pair.a, pair.b} == {a, b}:
                return pair if pair.a == a else pair.turned()
        return None

    def against(self, system: str) -> tuple[Pair, ...]:
        """All pairs of ``system``, which stands second in each."""
        if system not in self.systems:
            raise unknown_name("system", system, self.systems)
        return tuple(pair if pair.b == system else pair.turned() for pair in self.pairs if system in (pair.a, pair.b))

    def ranks(self, metric: str) -> list[Rank]:
        """The systems on one metric, best first, ties sharing a rank. Systems without a value of the metric are absent."""
        if metric not in self.metrics:
            raise unknown_name("metric", metric, self.metrics)
        sign = 1 if self.directions[metric] is Direction.LOWER else -1
        systems = [s for s in self.systems if self.estimates[s, metric].value is not None]
        systems.sort(key=lambda s: (sign * self.estimates[s, metric].value, s))
        beats = {(p.better, p.a if p.better == p.b else p.b) for p in self.pairs if p.metric == metric and p.better}
        found, rank = [], 1
        for place, system in enumerate(systems):
            if all((above, below) in beats for above in systems[:place] for below in systems[place:]):
                rank = place + 1
            best = 1 + sum((other, system) in beats for other in systems)
            worst = len(systems) - sum((system, other) in beats for other in systems)
            found.append(Rank(rank, system, self.estimates[system, metric], best, worst))
        return found


def compare(
    rows: Iterable[Measurement], metrics: Mapping[str, Direction], *, baseline: str | None = None, resamples: int = 10_000, level: float = 0.95, seed: int = 1
) -> Comparison:
    """Compare all systems on all metrics, each on the texts that every system with the metric has.

    Args:
        metrics: which to compare, and which end is good, in the order of the report.
        baseline: stands second in all its pairs; the correction is over all pairs all the same.
        level: of every interval; 1 - level is the family-wise error rate of "better".

    A system is better than another only if the paired interval excludes 0 and Holm's p-value is at most 1 - level. Whatever keeps a measurement from
    counting is listed in ``left_out``.

    Raises:
        ConfigError: no metric, or an option out of range, or a negative weight, or a text in two categories.
        UnknownNameError: the baseline is none of the systems.
    """
    _check(metrics, resamples, level)
    tables = tabulate(rows, metrics)
    if baseline is not None and baseline not in tables.systems:
        raise unknown_name("baseline", baseline, tables.systems)
    indices = {table.metric: _pairs_of(table, baseline) for table in tables.tables}
    # The smallest p-value that can be found must survive the correction with room to spare.
    flips = max(resamples, round(5 * sum(len(own) for own in indices.values()) / (1 - level)))
    estimates = {(system, metric): Estimate(None, None, None, 0) for system in tables.systems for metric in metrics}
    pairs: dict[str, list[Pair]] = {}
    for group in _sharing_texts(tables.tables):
        arrays = [tuple(np.array(indices[table.metric], dtype=int).reshape(-1, 2).T) for table in group]
        found = paired(group, arrays, resamples=resamples, flips=flips, level=level, seed=seed)
        for table, own in zip(group, found, strict=True):
            estimates |= {(s, table.metric): e for s, e in zip(table.systems, estimates_from(table, own, level), strict=True)}
            pairs[table.metric] = [untested(table, a, b, own, k) for k, (a, b) in enumerate(indices[table.metric])]
    return Comparison(
        systems=tables.systems,
        metrics=tuple(metrics),
        directions=dict(metrics),
        texts=_common(tables),
        texts_by_metric={table.metric: table.texts for table in tables.tables},
        left_out=tables.left_out,
        estimates=estimates,
        by_category=_by_category(tables, resamples, level, seed),
        pairs=tuple(with_outcomes([pair for metric in metrics for pair in pairs[metric]], metrics, level)),
        baseline=baseline,
        resamples=resamples,
        level=level,
        seed=seed,
    )


def _check(metrics: Mapping[str, Direction], resamples: int, level: float) -> None:
    if not metrics:
        raise ConfigError("nothing to compare", where="metrics", got=metrics, expected="at least one metric with its direction")
    for metric, direction in metrics.items():
        if not isinstance(direction, Direction):
            raise ConfigError("a metric has no direction", where=metric, got=direction, expected="Direction.LOWER or Direction.HIGHER")
    if resamples < 1000:
        raise ConfigError("too few resamples for an interval", where="resamples", got=resamples, expected="1000 or more")
    if not 0.5 < level < 1:
        raise ConfigError("a level out of range", where="level", got=level, expected="between 0.5 and 1, as 0.95")


def _common(tables: Tables) -> tuple[str, ...]:
    """The texts that count on every metric which any system has."""
    sets = [set(table.texts) for table in tables.tables if table.systems]
    return tuple(sorted(set.intersection(*sets))) if sets else ()


def _pairs_of(table: Table, baseline: str | None) -> list[tuple[int, int]]:
    return [(b, a) if table.systems[a] == baseline else (a, b) for a, b in combinations(range(len(table.systems)), 2)]


def _sharing_texts(tables: Iterable[Table]) -> list[list[Table]]:
    """Tables that can be resampled together."""
    groups: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        groups.setdefault(table.texts, []).append(table)
    return list(groups.values())


def _by_category(tables: Tables, resamples: int, level: float, seed: int) -> dict[tuple[str, str, str], Estimate]:
    """Each system's estimate within each category of texts."""
    found: dict[tuple[str, str, str], Estimate] = {}
    for group in _sharing_texts(tables.tables):
        for category in sorted({tables.categories[text] for text in group[0].texts} - {""}):
            own = [k for k, text in enumerate(group[0].texts) if tables.categories[text] == category]
            parts = [Table(t.metric, t.systems, tuple(t.texts[k] for k in own), t.values[:, own], t.weights[:, own]) for t in group]
            for table, estimates in zip(parts, estimates_of(parts, resamples=resamples, level=level, seed=seed), strict=True):
                found |= {(system, table.metric, category): estimate for system, estimate in zip(table.systems, estimates, strict=True)}
    return found
