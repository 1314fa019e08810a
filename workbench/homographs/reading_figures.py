"""How well expected readings fit labelled data: accuracy, abstention, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.errors import ConfigError
from workbench.homographs.data import LabelledItem
from workbench.homographs.expected import Expected, ExpectedReader
from workbench.homographs.lexicon import Lexicon
from workbench.stats import Estimate, proportion

#: Probabilities from which on answers are counted in the abstention curve.
CURVE = (0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99)
#: Edges of the bars of the reliability diagram.
BINS = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class ReadingFigures:
    """Figures over labelled items.

    Attributes:
        items: how many.
        micro: share of items whose likeliest reading is right. With few readings that are rare in the data it says little: see ``floor``.
        macro: mean of the words' shares.
        by_told: the share by what tells the readings apart, "grammar" and "sense".
        by_reading: mean over readings of the share of its items that are found: rare readings count as much as usual ones.
        floor: what the most usual reading of each word in the training data would reach; None where that is not known.
        per_word, per_reading: right and all, by word and by "word reading".
        curve: (probability, share of items at least so sure, share of those that are right).
        reliability: (low edge, high edge, items, mean probability, share right) by probability of the likeliest reading.
        calibration_error: mean distance of probability and share right over those bars, weighted by their items.
    """

    items: int
    micro: Estimate
    macro: float
    by_told: Mapping[str, Estimate]
    by_reading: float
    floor: Estimate | None
    per_word: Mapping[str, tuple[int, int]]
    per_reading: Mapping[str, tuple[int, int]]
    curve: tuple[tuple[float, float, float | None], ...]
    reliability: tuple[tuple[float, float, int, float, float], ...]
    calibration_error: float

    def at(self, probability: float) -> tuple[float, float | None]:
        """Coverage and accuracy of the answers at least so sure; ``probability`` is one of ``CURVE``."""
        return next((coverage, accuracy) for edge, coverage, accuracy in self.curve if edge == probability)


def measure(model: ExpectedReader, items: Sequence[LabelledItem], words: Lexicon, *, usual: Mapping[str, str] | None = None) -> ReadingFigures:
    """Figures of a model on labelled items.

    Args:
        usual: the most usual reading of each word where the model was trained, for the floor.
    """
    return figures_of(model.predict([(item.sentence, item.start_byte, item.end_byte) for item in items]), items, words, usual=usual)


def figures_of(answers: Sequence[Expected], items: Sequence[LabelledItem], words: Lexicon, *, usual: Mapping[str, str] | None = None) -> ReadingFigures:
    """Figures of answers to labelled items.

    Raises:
        ConfigError: there is no item.
    """
    if not items:
        raise ConfigError("no labelled item to measure")
    right = [answer.likeliest == item.reading for answer, item in zip(answers, items, strict=True)]
    sure = [answer.probability for answer in answers]
    per_word, per_reading = _counts([item.word for item in items], right), _counts([f"{item.word} {item.reading}" for item in items], right)
    by_told = {told: _share(ok for ok, item in zip(right, items, strict=True) if words[item.word].told_by == told) for told in ("grammar", "sense")}
    reliability = _reliability(sure, right)
    return ReadingFigures(
        items=len(items),
        micro=_share(right),
        macro=_mean([good / count for good, count in per_word.values()]),
        by_told=by_told,
        by_reading=_mean([good / count for good, count in per_reading.values()]),
        floor=_share(usual.get(item.word) == item.reading for item in items) if usual is not None else None,
        per_word=per_word,
        per_reading=per_reading,
        curve=tuple(_at(edge, sure, right) for edge in CURVE),
        reliability=reliability,
        calibration_error=sum(count * abs(mean - share) for _, _, count, mean, share in reliability) / len(items),
    )


def _share(right) -> Estimate:
    answers = list(right)
    return proportion(sum(answers), len(answers))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _counts(names: Sequence[str], right: Sequence[bool]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for name, ok in zip(names, right, strict=True):
        good, count = found.get(name, (0, 0))
        found[name] = (good + ok, count + 1)
    return found


def _at(edge: float, sure: Sequence[float], right: Sequence[bool]) -> tuple[float, float, float | None]:
    answered = [ok for ok, probability in zip(right, sure, strict=True) if probability >= edge]
    return edge, len(answered) / len(right), sum(answered) / len(answered) if answered else None


def _reliability(sure: Sequence[float], right: Sequence[bool]) -> tuple[tuple[float, float, int, float, float], ...]:
    bars = []
    for low, high in zip(BINS, BINS[1:], strict=False):
        within = [(p, ok) for p, ok in zip(sure, right, strict=True) if low <= p < high or (p == high == BINS[-1])]
        if within:
            bars.append((low, high, len(within), _mean([p for p, _ in within]), _mean([float(ok) for _, ok in within])))
    return tuple(bars)
