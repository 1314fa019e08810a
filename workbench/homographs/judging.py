"""Verdicts of many occurrences at once: scores, adaptation to the voices among them, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.homographs.base import Homograph
from workbench.homographs.calibration import Calibration, Scored, adapted, voice_shifts
from workbench.homographs.decide import Decision, Evidence, HomographVerdict, Lists, Rule, decide
from workbench.homographs.spoken import Heard, Pair

#: A fit this many nats per frame below the best phones is quality 0.
_WORST_FIT = -12.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One occurrence as it goes to judgement.

    Attributes:
        word: lower case; "" where the request named none.
        homograph: None where the request was at fault.
        expected: index of the reading that the sentence asks for, None where nothing says.
        probability: of it, 1.0 where it was given.
        heard: what a listener made of it.
        voice: "" where nobody said.
    """

    word: str
    homograph: Homograph | None
    expected: int | None
    heard: Heard
    probability: float = 1.0
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with its evidence.

    Attributes:
        spoken: name of the reading that the audio speaks for, None where none could be weighed.
        raw: the score before adaptation to the voice.
    """

    decision: Decision
    evidence: Evidence
    spoken: str | None = None
    raw: float | None = None
    span_sec: tuple[float, float] | None = None
    fit: float | None = None

    @property
    def verdict(self) -> HomographVerdict:
        return self.decision.verdict

    @property
    def reason(self) -> str:
        return self.decision.reason


def judge(items: Sequence[Asked], calibration: Calibration, *, rule: Rule | None = None, lists: Lists | None = None, adapt: bool = True) -> list[Judged]:
    """One verdict per item, in order.

    Args:
        rule, lists: by default the calibration's own.
        adapt: to the voices among the items, from what their sentences ask for; a lone utterance of a voice is judged as it stands.
    """
    rule, lists = rule or calibration.rule, calibration.lists if lists is None else lists
    rows: list[tuple[int, Pair, Scored]] = []
    for number, item in enumerate(items):
        for pair in pairs_against_expected(item):
            if (score := calibration.score(pair)) is not None:
                rows.append((number, pair, Scored(item.voice, pair.kind, pair.first == item.expected, score)))
    # A reading that the text only guesses would move its voice by guesses.
    sure = [row for number, _, row in rows if items[number].probability >= rule.least_probability]
    scores = adapted([row for _, _, row in rows], voice_shifts(sure) if adapt else {})
    found: dict[int, list[tuple[float, float, Pair]]] = {}
    for (number, pair, row), score in zip(rows, scores, strict=True):
        sign = 1.0 if row.expects_first else -1.0
        found.setdefault(number, []).append((sign * score, sign * row.score, pair))
    return [_judged(item, found.get(number, []), rule, lists) for number, item in enumerate(items)]


def pairs_against_expected(item: Asked) -> list[Pair]:
    """The pairs of the expected reading with every reading that would be an error."""
    valid = tolerated(item)
    return [pair for pair in item.heard.pairs if item.expected in (pair.first, pair.second) and not {pair.first, pair.second} & valid]


def tolerated(item: Asked) -> set[int]:
    """The readings, by index, whose sound is valid for the expected one, too."""
    if item.homograph is None or item.expected is None:
        return set()
    readings = item.homograph.readings
    return {index for index, reading in enumerate(readings) if reading.name in readings[item.expected].tolerates}


def _judged(item: Asked, found: list[tuple[float, float, Pair]], rule: Rule, lists: Lists) -> Judged:
    heard, homograph = item.heard, item.homograph
    score, raw, pair = min(found, key=lambda one: one[0], default=(None, None, None))
    expected = spoken = distances = None
    if homograph is not None and item.expected is not None:
        expected = homograph.readings[item.expected].name
        if pair is not None:
            other = pair.second if pair.first == item.expected else pair.first
            spoken = expected if score >= 0 else homograph.readings[other].name
        distances = _distances(item)
    quality = None if heard.fit is None else min(1.0, max(0.0, 1.0 - heard.fit / _WORST_FIT))
    evidence = Evidence(
        item.word, item.voice, expected, item.probability, pair.kind if pair else _kind_of(item), score, distances, quality, heard.fault, heard.stage
    )
    return Judged(decide(evidence, rule, lists), evidence, spoken, raw, heard.span_sec, heard.fit)


def _kind_of(item: Asked):
    """The kind of what was weighed but has no weights."""
    pairs = pairs_against_expected(item)
    return pairs[0].kind if pairs else None


def _distances(item: Asked) -> tuple[float, float] | None:
    """Of the expected reading and of the nearest other one."""
    own = [pair.distances if pair.first == item.expected else pair.distances[::-1] for pair in pairs_against_expected(item) if pair.distances]
    return min(own, key=lambda both: both[1]) if own else None
