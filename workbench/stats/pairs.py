"""Two systems on one metric: difference, test, and the verdict that both the interval and Holm's correction allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from workbench.stats.intervals import ROUNDING, Estimate
from workbench.stats.measurements import Direction, Table
from workbench.stats.power import fewest_texts, smallest_resolvable, texts_to_settle
from workbench.stats.resampling import LEAST, Paired


class Outcome(StrEnum):
    """What the data say of a pair. ``TIE``: they may differ, but these data do not tell; that is no proof of equality. ``UNDECIDABLE``: not even an interval
    can be given, as texts are too few or their differences do not vary; no test is made."""

    A_BETTER = "a better"
    B_BETTER = "b better"
    TIE = "tie"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems on one metric. What an undecidable pair does not support is None.

    Attributes:
        difference: a minus b, with its paired interval; ``n`` is the number of texts.
        p_value: two-sided paired permutation test, which exchanges a and b text by text.
        p_holm: the same after Holm's correction over all pairs and metrics of the comparison.
        effect_size: d_z, the mean difference over the standard deviation of the texts' differences (Lakens 2013); the sign is that of a - b.
        spread: that standard deviation, in the metric's unit.
        resolvable: the smallest true difference that so many texts show with 80% power at the strictest step of Holm's correction; None where the texts are so
            few that no difference is shown there.
        texts_needed: texts that would settle the observed difference, were it the true one, with the same power at the same step; None where none would (a
            difference of 0). The difference is itself uncertain, and so is this number: it says how large an effort is asked for.
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


def untested(table: Table, a: int, b: int, found: Paired, k: int) -> Pair:
    """A pair before Holm's correction: a tie, or undecidable where the data support no interval."""
    n, value, spread = len(table.texts), float(found.differences[k]), float(found.spread[k])
    reason = ""
    if n < LEAST:
        reason = "no text in common" if n == 0 else "one text says nothing of others" if n == 1 else "two texts say too little of others"
    elif not np.isfinite(value):
        reason = "the texts in common weigh nothing"
    elif spread <= ROUNDING * max(abs(found.values[a]), abs(found.values[b])):
        reason = "not one text tells them apart" if abs(value) <= spread else "the difference is the same on every text, which says nothing of its spread; is the measure alive?"
    low, high = (None, None) if reason else (float(found.difference_low[k]), float(found.difference_high[k]))
    return Pair(
        metric=table.metric,
        a=table.systems[a],
        b=table.systems[b],
        difference=Estimate(_known(value), low, high, n),
        p_value=None if reason else float(found.p_values[k]),
        p_holm=None,
        effect_size=None if reason else value / spread,
        spread=_known(spread),
        resolvable=None,
        texts_needed=None,
        outcome=Outcome.UNDECIDABLE if reason else Outcome.TIE,
        reason=reason,
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def with_outcomes(pairs: Sequence[Pair], metrics: Mapping[str, Direction], level: float) -> list[Pair]:
    """The pairs after Holm's correction over all that are tested.

    Which pairs are undecidable follows from the sizes of the texts' differences, on which the permutation test is conditional: to leave them out of the
    correction does not raise the error rate.
    """
    tested = [pair for pair in pairs if pair.p_value is not None]
    if not tested:
        return list(pairs)
    from statsmodels.stats.multitest import multipletests

    alpha = 1 - level
    adjusted = iter(multipletests([pair.p_value for pair in tested], alpha=alpha, method="holm")[1])
    strictest = alpha / len(tested)
    return [pair if pair.p_value is None else _settled(pair, float(next(adjusted)), metrics[pair.metric], alpha, strictest) for pair in pairs]


def _settled(pair: Pair, p_holm: float, direction: Direction, alpha: float, strictest: float) -> Pair:
    d, outcome = pair.difference, Outcome.TIE
    if p_holm <= alpha and (d.low > 0 or d.high < 0):
        outcome = Outcome.A_BETTER if (d.value < 0) == (direction is Direction.LOWER) else Outcome.B_BETTER
    needed, fewest = texts_to_settle(d.value, pair.spread, alpha=strictest), fewest_texts(strictest)
    if needed is not None:
        # What these texts did not settle takes more of them, whatever the normal distribution says of so few.
        needed = max(needed, fewest, d.n + 1 if outcome is Outcome.TIE else 0)
    resolvable = smallest_resolvable(pair.spread, d.n, alpha=strictest) if d.n >= fewest else None
    return replace(pair, p_holm=p_holm, outcome=outcome, resolvable=resolvable, texts_needed=needed)
