"""Learning a calibration from trials whose truth is known; nested, so that no score is judged by what it taught."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from workbench.errors import ConfigError
from workbench.homographs.allowlist import Criteria, Outcome, derive, evidence_by_word
from workbench.homographs.base import KINDS
from workbench.homographs.calibration import Calibration
from workbench.homographs.decide import HomographVerdict, Lists, Rule
from workbench.homographs.judging import Asked, Judged, judge, pairs_against_expected, tolerated

Unit = Literal["engine", "voice"]
#: Kinds that hold out: what tells them apart by ear is not measured well enough to flag anybody.
UNDECIDED = ("stress_only",)
#: What the name of a voice at another speed than its own ends with.
_SPEED = re.compile(r" x[\d.]+$")
#: Inverse strength of the penalty on weights.
_PENALTY = 0.1
#: How strongly kinds share their weights: the part of a measure that all kinds weigh alike.
_SHARED = 1.0
#: How strongly the trust in a kind's scores is drawn towards 1.
_TRUST_PRIOR = 5.0


@dataclass(frozen=True, slots=True)
class KnownTrial:
    """What a listener heard of a trial, and the reading that was said, by index."""

    asked: Asked
    spoken: int
    engine: str

    @property
    def wrong(self) -> bool:
        """Whether another reading was said than the sentence asks for, and none that is valid there too."""
        return self.spoken != self.asked.expected and self.spoken not in tolerated(self.asked)

    @property
    def speaker(self) -> str:
        """The voice, whatever its speed: one that speaks slowly and fast is not two that could be held out from each other."""
        return _SPEED.sub("", self.asked.voice)


@dataclass(frozen=True, slots=True)
class Targets:
    """What the bounds are to keep on trials that were not learnt from.

    Attributes:
        false_alarms: share of right trials that may be flagged.
        missed: share of wrong trials that may be called correct.
    """

    false_alarms: float = 0.02
    missed: float = 0.05

    def __post_init__(self) -> None:
        for name in ("false_alarms", "missed"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} is a share", where="targets of a calibration", got=getattr(self, name), expected="0 to less than 1")


def fit_weights(trials: Sequence[KnownTrial], measures: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Kind -> weights: logistic regression without intercept in which every kind has weights of its own beside those that all share.

    Raises:
        ConfigError: no trial that can be learnt from.
    """
    from sklearn.linear_model import LogisticRegression

    rows = [(pair, trial.spoken == pair.first) for trial in trials for pair in _told_pairs(trial)]
    if not rows or len({first for _, first in rows}) < 2:
        raise ConfigError("nothing to learn from", where="trials", got=f"{len(rows)} pairs of readings", expected="trials of both readings that a listener could weigh")
    values = np.array([pair.measures for pair, _ in rows])
    scale = values.std(axis=0) + 1e-6
    kinds = sorted({pair.kind for pair, _ in rows}, key=KINDS.index)
    width = len(measures)
    wide = np.zeros((len(rows), width * (1 + len(kinds))))
    wide[:, :width] = _SHARED * values / scale
    for at, (pair, _) in enumerate(rows):
        start = width * (1 + kinds.index(pair.kind))
        wide[at, start : start + width] = values[at] / scale
    fitted = LogisticRegression(C=_PENALTY, fit_intercept=False, max_iter=1000).fit(wide, [first for _, first in rows]).coef_[0]
    parts = fitted.reshape(1 + len(kinds), width)
    return {kind: tuple(float(w) for w in (_SHARED * parts[0] + parts[1 + at]) / scale) for at, kind in enumerate(kinds)}


def _told_pairs(trial: KnownTrial):
    """Pairs of which one reading was said and one is expected, or, of a right trial, every pair with it."""
    return [pair for pair in pairs_against_expected(trial.asked) if trial.spoken in (pair.first, pair.second)]


def calibrate(
    trials: Sequence[KnownTrial],
    *,
    listener: str,
    measures: Sequence[str],
    targets: Targets = Targets(),  # noqa: B008 - frozen
    criteria: Criteria = Criteria(),  # noqa: B008 - frozen
    provenance: Mapping[str, Any] | None = None,
) -> Calibration:
    """Weights from all trials; bounds and lists from scores of trials that the weights were not learnt from: by engine where there are two, else by voice.

    Raises:
        ConfigError: too few trials, or of one voice only.
    """
    start = Calibration(listener, tuple(measures), {}, {})
    unit: Unit = "engine" if len({trial.engine for trial in trials}) > 1 else "voice"
    judged = cross_judged(trials, by=unit, make=lambda known: replace(start, weights=fit_weights(known, measures)))
    trust = trust_by_kind(trials, judged)
    judged = [_trusted(one, trust) for one in judged]
    bounds = choose_bounds(trials, judged, targets)
    outcomes = outcomes_of(trials, judged, replace(start, bounds=bounds))
    lists = derive(outcomes, criteria)
    weights = {kind: tuple(trust.get(kind, 1.0) * weight for weight in of) for kind, of in fit_weights(trials, measures).items()}
    return replace(
        start, weights=weights, bounds=bounds, words=evidence_by_word(outcomes), allowed=frozenset(lists.allowed), denied=lists.denied,
        provenance=dict(provenance or {}),
    )  # fmt: skip


def cross_judged(
    trials: Sequence[KnownTrial],
    *,
    by: Unit,
    make: Callable[[Sequence[KnownTrial]], Calibration],
    lists: Lists | None = Lists(),  # noqa: B008 - frozen
    asked: Sequence[Asked] | None = None,
    rule: Rule | None = None,
    adapt: bool = True,
) -> list[Judged]:
    """Every trial judged by a calibration that was made without its engine or voice; the voices adapt to themselves.

    Args:
        make: a calibration from the trials it may learn from.
        lists: by default every word is allowed; None takes each calibration's own.
        asked: what is judged in place of the trials' own, trial by trial: what a text model expects in place of what is known.
        rule: by default each calibration's own.

    Raises:
        ConfigError: one engine or voice only.
    """
    units = [trial.engine if by == "engine" else trial.speaker for trial in trials]
    if len(set(units)) < 2:
        got = f"{len(trials)} trials of one {by}" if trials else "no trial whose truth is told"
        raise ConfigError(f"no {by} can be held out", where="trials", got=got, expected=f"trials of two {by}s at least")
    asked = asked or [trial.asked for trial in trials]
    found: dict[int, Judged] = {}
    for unit in sorted(set(units)):
        inside = [at for at, of in enumerate(units) if of == unit]
        calibration = make([trial for trial, of in zip(trials, units, strict=True) if of != unit])
        found |= zip(inside, judge([asked[at] for at in inside], calibration, rule=rule, lists=lists, adapt=adapt), strict=True)
    return [found[at] for at in range(len(trials))]


def trust_by_kind(trials: Sequence[KnownTrial], judged: Sequence[Judged]) -> dict[str, float]:
    """Kind -> by what its scores are to be multiplied to be log odds on trials that they were not learnt from: one bound then serves all kinds.

    The slope of a logistic regression through nought (Platt 1999), drawn towards 1 where a kind has few trials; never below 0.05.
    """
    from scipy.optimize import minimize_scalar

    scores: dict[str, list[float]] = {}
    for trial, one in zip(trials, judged, strict=True):
        if one.evidence.score is not None:
            scores.setdefault(one.evidence.kind, []).append(-one.evidence.score if trial.wrong else one.evidence.score)
    return {kind: float(minimize_scalar(_misfit, bounds=(0.05, 3.0), args=(np.array(of),), method="bounded").x) for kind, of in scores.items()}


def _misfit(slope: float, scores: np.ndarray) -> float:
    return float(np.logaddexp(0.0, -slope * scores).sum() + _TRUST_PRIOR * (slope - 1.0) ** 2)


def _trusted(one: Judged, trust: Mapping[str, float]) -> Judged:
    score = one.evidence.score
    return one if score is None else replace(one, evidence=replace(one.evidence, score=score * trust[one.evidence.kind]))


def choose_bounds(trials: Sequence[KnownTrial], judged: Sequence[Judged], targets: Targets) -> dict[str, tuple[float, float]]:
    """Kind -> bounds, one pair for all kinds that are decided: scores are log odds and mean the same in each.

    Suspect at or below the highest score, 0 at most, that keeps false alarms / (right trials + 1) within its target; correct at or above the lowest that keeps the
    share of wrong trials called correct, and never below the first.

    Raises:
        ConfigError: no right or no wrong trial has a score.
    """
    scored = [(one.evidence.score, trial.wrong, one.evidence.kind) for trial, one in zip(trials, judged, strict=True) if one.evidence.score is not None]
    decided = [(score, wrong) for score, wrong, kind in scored if kind not in UNDECIDED]
    right, wrong = (np.sort([score for score, is_wrong in decided if is_wrong is which]) for which in (False, True))
    if not len(right) or not len(wrong):
        raise ConfigError("bounds need right and wrong trials", where="trials", got=f"{len(right)} right, {len(wrong)} wrong that could be scored")
    flagged = int(targets.false_alarms * (len(right) + 1)) - 1
    # A score that speaks for the expected reading is no suspicion, however few right trials have one so low.
    suspect = min(float(right[flagged]) if flagged >= 0 else float(right[0]) - 1e-6, 0.0)
    missed = int(targets.missed * len(wrong))
    # Just above the score of the last wrong trial that must not be called correct.
    correct = max(float(wrong[len(wrong) - 1 - missed]) + 1e-6, suspect + 1e-6)
    kinds = sorted({kind for _, _, kind in scored if kind not in UNDECIDED}, key=KINDS.index)
    return {kind: (suspect, correct) for kind in kinds}


def outcomes_of(trials: Sequence[KnownTrial], judged: Sequence[Judged], calibration: Calibration) -> list[Outcome]:
    """What the calibration's rule says of scores that are there already, every word allowed."""
    from workbench.homographs.decide import decide

    return [
        Outcome(trial.asked.word, trial.asked.voice, trial.wrong, decide(one.evidence, calibration.rule).verdict)
        for trial, one in zip(trials, judged, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Figures:
    """How verdicts did on trials whose truth is known.

    Attributes:
        trials: how many; ``right`` and ``wrong`` of them.
        two_way: (hits, n) of the score's sign telling right from wrong.
        found: wrong trials called suspect.
        false_alarms: right trials called suspect.
        missed: wrong trials called correct.
        decided: trials called correct or suspect.
    """

    right: int
    wrong: int
    two_way: tuple[int, int]
    found: int
    false_alarms: int
    missed: int
    decided: int

    @property
    def trials(self) -> int:
        return self.right + self.wrong


#: A trial and what was decided about it.
Judgement = tuple[KnownTrial, Judged]


def counted(trials: Sequence[KnownTrial], judged: Sequence[Judged], *, kinds: Sequence[str] | None = None) -> list[Judgement]:
    """The trials of some kinds of contrast with their verdicts; None takes all but the kinds that are never decided."""
    return [
        (trial, one) for trial, one in zip(trials, judged, strict=True)
        if (trial.asked.homograph.kind not in UNDECIDED if kinds is None else trial.asked.homograph.kind in kinds)
    ]  # fmt: skip


def figures(trials: Sequence[KnownTrial], judged: Sequence[Judged], *, kinds: Sequence[str] | None = None) -> Figures:
    """Counts over the trials of some kinds of contrast; None takes all but those that are never decided.

    A trial that could not be weighed counts as undecided and as a miss of the two-way choice.
    """
    chosen = counted(trials, judged, kinds=kinds)
    suspect = [trial.wrong for trial, one in chosen if one.verdict is HomographVerdict.SUSPECT]
    correct = [trial.wrong for trial, one in chosen if one.verdict is HomographVerdict.CORRECT]
    hits = sum(one.evidence.score is not None and (one.evidence.score < 0) == trial.wrong for trial, one in chosen)
    wrong = sum(trial.wrong for trial, _ in chosen)
    return Figures(
        len(chosen) - wrong, wrong, (hits, len(chosen)), sum(suspect), len(suspect) - sum(suspect), sum(correct), len(suspect) + len(correct)
    )
