"""Judges held against listeners: how their scores go with what people said, and how well any judge could do."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.listening.base import Rating, TrialKind
from workbench.listening.opinions import crossed_opinions, scored, system_of_items
from workbench.listening.plan import Plan
from workbench.stats import Estimate, krippendorff_alpha
from workbench.stats.crossed import Crossed

#: sound (item id) -> score by column.
Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """One judge's column against the listeners' mean opinions.

    Attributes:
        clips: sounds that have both; ``systems`` how many systems they come from.
        pearson, spearman: over clips.
        within: Pearson's over clips once each system's mean is taken off both: does the judge tell clips of one system apart?
        by_system: Pearson's over the systems' means. Its interval says what other listeners and texts would give, not what other systems would.
    """

    column: str
    clips: int
    systems: int
    pearson: Estimate
    spearman: Estimate
    within: Estimate
    by_system: Estimate


@dataclass(frozen=True, slots=True)
class ListenerAgreement:
    """How far listeners agree among themselves.

    Attributes:
        alpha: Krippendorff's, ordinal, over sounds.
        noise: standard error of a clip's mean opinion, root mean square over clips with two ratings or more; no calibration can come closer.
        ceiling: the correlation with these mean opinions that a judge would reach who knew every clip's true one; None where no clip has two ratings.
    """

    alpha: Estimate
    noise: float | None
    ceiling: float | None


def judge_agreements(ratings: Sequence[Rating], plan: Plan, scores: Scores, columns: Sequence[str], *, seed: int, resamples: int = 500) -> list[JudgeAgreement]:
    """Every column against the MOS answers, in order; a column without a score of any rated sound has no coefficients."""
    crossed = crossed_opinions(ratings, plan, seed=seed, resamples=resamples)
    system_of = system_of_items(plan)
    rated = crossed.unit_means()
    found = []
    for column in columns:
        own = {item: value for item in rated if (value := scores.get(item, {}).get(column)) is not None and math.isfinite(value)}
        within, off = _within_systems(crossed, own, system_of)
        found.append(
            JudgeAgreement(
                column=column,
                clips=len(own),
                systems=len({system_of[item] for item in own}),
                pearson=crossed.correlation(own),
                spearman=crossed.correlation(own, ranks=True),
                within=within.correlation(off),
                by_system=crossed.correlation(own, groups=system_of),
            )
        )
    return found


def _within_systems(crossed: Crossed, scores: Mapping[str, float], system_of: Mapping[str, str]) -> tuple[Crossed, dict[str, float]]:
    """Both sides without the means of their systems, taken over the same clips: those that the judge scored, each counting once."""
    opinions, by_system = crossed.unit_means(), defaultdict(list)
    for item, value in scores.items():
        by_system[system_of[item]].append((value, opinions[item][0]))
    means = {system: np.mean(both, axis=0).tolist() for system, both in by_system.items()}
    off = {item: value - means[system_of[item]][0] for item, value in scores.items()}
    values = [value - means.get(system_of[unit], (0.0, 0.0))[1] for value, unit in zip(crossed.values, crossed.units, strict=True)]
    return Crossed(values, crossed.rows, crossed.columns, crossed.units, crossed.resamples, crossed.level, crossed.seed), off


def listener_agreement(ratings: Sequence[Rating], plan: Plan, *, seed: int) -> ListenerAgreement:
    """From the MOS answers."""
    own = scored(ratings, TrialKind.MOS)
    listeners, items = sorted({rating.listener for rating in own}), sorted({rating.trial.items[0] for rating in own})
    table = np.full((len(listeners), len(items)), np.nan)
    for rating in own:
        table[listeners.index(rating.listener), items.index(rating.trial.items[0])] = float(rating.answer)
    if not own:
        return ListenerAgreement(Estimate(None, None, None, 0), None, None)
    counts = np.isfinite(table).sum(0)
    twice = table[:, counts >= 2]
    noise = float(np.sqrt(np.mean(np.nanvar(twice, axis=0, ddof=1) / counts[counts >= 2]))) if twice.shape[1] >= 2 else None
    ceiling = None
    if noise is not None:
        spread = float(np.nanmean(twice, axis=0).var(ddof=1))
        ceiling = math.sqrt(max(0.0, 1 - noise**2 / spread)) if spread else None
    return ListenerAgreement(krippendorff_alpha(table.tolist(), "ordinal", seed=seed), noise, ceiling)
