"""Systems compared on the same texts: paired intervals, permutation tests, Holm's correction over everything that is compared, and ranks that admit ties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

import numpy as np

from workbench.errors import ConfigError, unknown_name
from workbench.stats.intervals import Estimate
from workbench.stats.measurements import Direction, LeftOut, Measurement, Table, tabulate
from workbench.stats.power import POWER, smallest_resolvable, texts_to_settle
from workbench.stats.resampling import paired


class Outcome(StrEnum):
    """What the data say of a pair. ``UNDECIDABLE``: too few texts for any verdict, or not one text tells the two apart."""

    A_BETTER = "a better"
    B_BETTER = "b better"
    TIE = "tie"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems on one metric.

    Attributes:
        difference: a minus b, with its paired interval; ``n`` is the number of texts.
        p_value: two-sided paired permutation test; None where undecidable.
        p_holm: the same after Holm's correction over all pairs and metrics of the comparison.
        effect_size: d_z, the mean difference over the standard deviation of the texts' differences (Lakens 2013); the sign is that of a - b.
        spread: that standard deviation, in the metric's unit.
        resolvable: the smallest true difference that so many texts show with 80% power at the strictest step of Holm's correction.
        texts_needed: texts that would settle the observed difference, were it the true one, with the same power at the same step; None where none would.
        reason: why the pair is undecidable, else empty.
    """

    metric: str
    a: str
    b: str
    difference: Estimate
    p_value: float | None
    p_holm: float | None
    effect_size: float | None
    spread: float | None
    resolvable: float | None
    texts_needed: int | None
    outcome: Outcome
    reason: str = ""

    @property
    def better(self) -> str | None:
        """The better system's name, where there is one."""
        return {Outcome.A_BETTER: self.a, Outcome.B_BETTER: self.b}.get(self.outcome)

    def turned(self) -> Pair:
        """The same pair, b first."""
        d = self.difference
        low, high = (None if d.low is None else -d.high), (None if d.low is None else -d.low)
        outcome = {Outcome.A_BETTER: Outcome.B_BETTER, Outcome.B_BETTER: Outcome.A_BETTER}.get(self.outcome, self.outcome)
        effect = None if self.effect_size is None else -self.effect_size
        return replace(self, a=self.b, b=self.a, difference=Estimate(None if d.value is None else -d.value, low, high, d.n), effect_size=effect, outcome=outcome)


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
    estimates = {(system, metric): Estimate(None, None, None, 0) for system in tables.systems for metric in metrics}
    by_category: dict[tuple[str, str, str], Estimate] = {}
    pairs: list[Pair] = []
    for table in tables.tables:
        own, found = _compare_table(table, baseline, resamples, level, seed)
        estimates |= own
        pairs += found
        by_category |= _by_category(table, tables.categories, resamples, level, seed)
    pairs = _with_outcomes(pairs, metrics, level)
    texts_by_metric = {table.metric: table.texts for table in tables.tables}
    common = set.intersection(*(set(table.texts) for table in tables.tables if table.systems)) if any(t.systems for t in tables.tables) else set()
    return Comparison(
        tables.systems, tuple(metrics), dict(metrics), tuple(sorted(common)), texts_by_metric, tables.left_out, estimates, by_category, tuple(pairs), baseline, resamples, level, seed
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


def _compare_table(table: Table, baseline: str | None, resamples: int, level: float, seed: int) -> tuple[dict[tuple[str, str], Estimate], list[Pair]]:
    """Estimates and pairs of one metric; the pairs' outcomes wait for Holm's correction."""
    n, indices = len(table.texts), list(combinations(range(len(table.systems)), 2))
    indices = [(b, a) if table.systems[a] == baseline else (a, b) for a, b in indices]
    if n < 2:
        values = [float(v) for v in table.values.sum(1) / table.weights.sum(1)] if n else [None] * len(table.systems)
        estimates = {(s, table.metric): Estimate(v, None, None, n) for s, v in zip(table.systems, values, strict=True)}
        return estimates, [_undecided(table, a, b, values) for a, b in indices]
    first, second = np.array(indices, dtype=int).reshape(-1, 2).T
    found = paired(table, first, second, resamples=resamples, level=level, seed=seed)
    estimates = {(s, table.metric): Estimate(float(v), float(lo), float(hi), n) for s, v, lo, hi in zip(table.systems, found.values, found.low, found.high, strict=True)}
    pairs = []
    for k, (a, b) in enumerate(indices):
        difference = Estimate(float(found.differences[k]), float(found.difference_low[k]), float(found.difference_high[k]), n)
        spread, p = float(found.spread[k]), float(found.p_values[k])
        pairs.append(Pair(table.metric, table.systems[a], table.systems[b], difference, p, None, difference.value / spread if spread else None, spread, None, None, Outcome.TIE))
    return estimates, pairs


def _undecided(table: Table, a: int, b: int, values: list) -> Pair:
    n = len(table.texts)
    difference = Estimate(values[a] - values[b] if n else None, None, None, n)
    reason = "one text says nothing of others" if n else "no text in common"
    return Pair(table.metric, table.systems[a], table.systems[b], difference, None, None, None, None, None, None, Outcome.UNDECIDABLE, reason)


def _with_outcomes(pairs: list[Pair], metrics: Mapping[str, Direction], level: float) -> list[Pair]:
    tested = [pair for pair in pairs if pair.p_value is not None]
    if not tested:
        return pairs
    from statsmodels.stats.multitest import multipletests

    alpha = 1 - level
    adjusted = iter(multipletests([pair.p_value for pair in tested], alpha=alpha, method="holm")[1])
    found, strictest = [], alpha / len(tested)
    for pair in pairs:
        if pair.p_value is None:
            found.append(pair)
            continue
        p_holm, d = float(next(adjusted)), pair.difference
        outcome = Outcome.TIE
        if p_holm <= alpha and (d.low > 0 or d.high < 0):
            outcome = Outcome.A_BETTER if (d.value < 0) == (metrics[pair.metric] is Direction.LOWER) else Outcome.B_BETTER
        resolvable = smallest_resolvable(pair.spread, d.n, alpha=strictest, power=POWER)
        found.append(replace(pair, p_holm=p_holm, outcome=outcome, resolvable=resolvable, texts_needed=texts_to_settle(d.value, pair.spread, alpha=strictest)))
    return found


def _by_category(table: Table, categories: Mapping[str, str], resamples: int, level: float, seed: int) -> dict[tuple[str, str, str], Estimate]:
    """Each system's estimate within each category of texts."""
    found: dict[tuple[str, str, str], Estimate] = {}
    for category in sorted({categories[text] for text in table.texts} - {""}):
        own = [k for k, text in enumerate(table.texts) if categories[text] == category]
        part = Table(table.metric, table.systems, tuple(table.texts[k] for k in own), table.values[:, own], table.weights[:, own])
        estimates, _ = _compare_table(part, None, resamples, level, seed)
        found |= {(system, metric, category): estimate for (system, metric), estimate in estimates.items()}
    return found
