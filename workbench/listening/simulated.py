"""Simulated listeners: answers drawn from a stated model around a judge's score, to try a design and its analysis out. They are no evidence, and no file holds them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.errors import ConfigError
from workbench.listening.base import ANSWERS, NO_PREFERENCE, Rating, Trial, TrialKind
from workbench.listening.judged import Scores
from workbench.listening.plan import Plan
from workbench.listening.ratings import SIMULATED

#: The model: an opinion of MEAN + SLOPE * (score in standard deviations over the test's clips), what a listener is off by, and what each answer is off by.
MEAN, SLOPE, BIAS_SD, NOISE_SD = 3.2, 0.8, 0.35, 0.6
#: Two clips that seem closer than this get no preference.
SAME_BELOW = 0.35
#: Share of attention checks that are passed.
ATTENTIVE = 0.97

MODEL = (
    f"opinion = {MEAN} + {SLOPE} × (the judge's score, standardised over the clips) + the listener's own bias (SD {BIAS_SD}) "
    f"+ noise of each answer (SD {NOISE_SD}), rounded to 1..5; a preference where two such opinions differ by {SAME_BELOW} or more; "
    f"X told with probability 1 - exp(-gap of the standardised scores), else guessed; attention checks passed with probability {ATTENTIVE}"
)


def simulate(plan: Plan, scores: Scores, column: str, *, listeners: int, seed: int) -> dict[str, tuple[int, tuple[Rating, ...]]]:
    """Listener -> (slot, answers to every trial).

    Raises:
        ConfigError: a clip of the test has no such score.
    """
    raw = {item.item_id: scores.get(item.item_id, {}).get(column) for item in plan.items if not item.check}
    if lacking := [item for item, value in raw.items() if value is None]:
        got = f"{len(lacking)} of {len(raw)} clips have none"
        raise ConfigError("simulated listeners need a score of every clip", where=f"simulated_judge, {column}", got=got, mend="name a judge that scored them all")
    values = np.array(list(raw.values()), dtype=float)
    spread = float(values.std()) or 1.0
    quality = {item: MEAN + SLOPE * (value - float(values.mean())) / spread for item, value in raw.items()}
    return {f"simulated-{slot + 1:02d}": (slot, _answers(plan, slot, quality, np.random.default_rng([seed, slot]))) for slot in range(listeners)}


def _answers(plan: Plan, slot: int, quality: Mapping[str, float], rng: np.random.Generator) -> tuple[Rating, ...]:
    listener, bias = f"simulated-{slot + 1:02d}", rng.normal(0, BIAS_SD)
    found = []
    for trial in plan.trials(slot):
        heard_sec = sum(plan.item[item].duration_sec for item in set(trial.items))
        answer = _check(trial, rng) if trial.check else _answer(trial, quality, bias, rng)
        found.append(Rating(listener, trial, answer, round(heard_sec + float(rng.gamma(4.0, 0.7)), 3), "2000-01-01T00:00:00+00:00", SIMULATED))
    return tuple(found)


def _check(trial: Trial, rng: np.random.Generator) -> str:
    wrong = next(answer for answer in reversed(ANSWERS[trial.kind]) if answer not in trial.accepted)
    return str(rng.choice(trial.accepted)) if rng.random() < ATTENTIVE else wrong


def _answer(trial: Trial, quality: Mapping[str, float], bias: float, rng: np.random.Generator) -> str:
    heard = [quality[item] + rng.normal(0, NOISE_SD) for item in trial.items]
    if trial.kind is TrialKind.MOS:
        return str(int(min(5, max(1, round(heard[0] + bias)))))
    gap = heard[0] - heard[1]
    if trial.kind is TrialKind.AB:
        return NO_PREFERENCE if abs(gap) < SAME_BELOW else "A" if gap > 0 else "B"
    told = abs(quality[trial.items[0]] - quality[trial.items[1]]) / SLOPE
    knows = rng.random() < 1 - np.exp(-told)
    return trial.accepted[0] if knows else str(rng.choice(["A", "B"]))
