"""Is a judge more than a stopwatch? How often each judge, and length and loudness beside it, prefer the clip that is better by another measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from workbench.scan.comparison_metrics import NULLS, Metric, Objective, values_by_text
from workbench.stats import Direction, Estimate, Measurement, mean_estimate

#: What a null predictor prefers, by whether more of it goes with better.
NULL_WORDS = {"duration_sec": {True: "the longer", False: "the shorter"}, "rms_db": {True: "the louder", False: "the quieter"}}

#: A null predictor that chooses as a judge does in surely more than this share of pairs may be all that the judge hears.
MOSTLY = 0.75


@dataclass(frozen=True, slots=True)
class Prediction:
    """How often ``predictor`` prefers, of two systems' clips of one prompt, the one that ``target`` prefers.

    Attributes:
        agreement: share of the pairs of clips that the target tells apart; a predictor that does not tell them apart is half right. 0.5 is a coin.
        more_is_better: for null predictors, which have no good end: the end that fits the target better, so that none is under 0.5.
        gain: the judge's agreement minus the null predictor's over the same pairs, by null predictor; empty for null predictors. Its interval holds for all judges and
            null predictors of the target together (Bonferroni), and for both ends of a null predictor, of which the one is chosen that fits.
    """

    target: str
    predictor: str
    agreement: Estimate
    pairs: int
    more_is_better: bool
    gain: Mapping[str, Estimate]

    def beats(self, null: str) -> bool | None:
        """Whether it says more than the null predictor: the interval of the gain lies above 0. None where there is no interval."""
        gain = self.gain.get(null)
        return None if gain is None or gain.low is None else gain.low > 0


@dataclass(frozen=True, slots=True)
class Predictions:
    """All of them: the targets, then by target and predictor."""

    targets: tuple[str, ...]
    found: Mapping[tuple[str, str], Prediction]


def predictions(rows: Sequence[Measurement], metrics: Sequence[Metric], *, seed: int) -> Predictions:
    """Judges and null predictors as predictors of each other and of words said.

    A pair is two systems on one prompt (takes averaged). Intervals draw whole prompts, since pairs of one prompt are not independent.
    """
    values = values_by_text(rows)
    said = [metric for metric in metrics if metric.objective is Objective.INTELLIGIBILITY][:1]
    natural = [metric for metric in metrics if metric.objective is Objective.NATURALNESS]
    judges = [metric for metric in natural if metric.column]
    found: dict[tuple[str, str], Prediction] = {}
    for target in (*said, *natural):
        # A composite is made of the judges: that they choose as it does tells nothing.
        predictors = [metric for metric in judges if metric is not target and target.column] if target in natural else judges
        agreements = {metric.name: _agreements(values, target, metric.name, metric.direction) for metric in predictors}
        nulls = {name: _folded(_agreements(values, target, name, Direction.HIGHER)) for name in NULLS}
        for name, (own, more) in nulls.items():
            found[target.name, name] = Prediction(target.name, name, _share(own, seed), len(own), more, {})
        level = 1 - 0.05 / max(1, 2 * len(agreements) * len(nulls))
        for name, own in agreements.items():
            gain = {null: _gain(own, other, seed, level) for null, (other, _) in nulls.items()}
            found[target.name, name] = Prediction(target.name, name, _share(own, seed), len(own), True, gain)
    return Predictions(tuple(target.name for target in (*said, *natural)), found)


#: Text and pair of systems -> 1 right, 0 wrong, 0.5 undecided.
_Agreements = dict[tuple[str, str, str], float]


def _agreements(values: Mapping, target: Metric, predictor: str, direction: Direction) -> _Agreements:
    found: _Agreements = {}
    for text, by_system in values.get(target.name, {}).items():
        predicted = values.get(predictor, {}).get(text, {})
        for a, b in combinations(sorted(by_system.keys() & predicted.keys()), 2):
            wanted = _sign(by_system[a] - by_system[b], target.direction)
            if wanted:
                guess = _sign(predicted[a] - predicted[b], direction)
                found[text, a, b] = 0.5 if not guess else float(guess == wanted)
    return found


def _sign(difference: float, direction: Direction) -> int:
    return (difference > 0) - (difference < 0) if direction is Direction.HIGHER else (difference < 0) - (difference > 0)


def _folded(own: _Agreements) -> tuple[_Agreements, bool]:
    more = not own or sum(own.values()) >= len(own) / 2
    return (own if more else {key: 1 - value for key, value in own.items()}), more


def _share(own: _Agreements, seed: int) -> Estimate:
    return mean_estimate(list(own.values()), [text for text, _, _ in own], seed=seed)


def _gain(own: _Agreements, other: _Agreements, seed: int, level: float) -> Estimate:
    both = [key for key in own if key in other]
    return mean_estimate([own[key] - other[key] for key in both], [text for text, _, _ in both], seed=seed, level=level)
