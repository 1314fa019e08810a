"""How much a listener gains from knowing a voice: trials judged after so many other utterances of their voice."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.homographs.calibration import Scored, voice_shifts
from workbench.homographs.fitting import UNDECIDED, KnownTrial
from workbench.homographs.judging import Judged, pairs_against_expected
from workbench.stats import Estimate, clustered_proportion

#: A point needs utterances enough in the voices of so many of the trials.
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class AdaptationPoint:
    """Two-way accuracy after ``utterances`` of each reading, per voice and kind of contrast. ``wrong_share``: of those utterances, how many were said wrongly."""

    utterances: int
    wrong_share: float
    two_way: Estimate


@dataclass(frozen=True, slots=True)
class _Row:
    """One trial: its score for the first reading, before adaptation, and the group of those it may adapt to."""

    group: tuple[str, str]
    sentence: object
    word: str
    expects_first: bool
    said_first: bool
    score: float
    wrong: bool


_Pools = dict[bool, list[list[_Row]]]


def adaptation_curve(
    trials: Sequence[KnownTrial],
    unadapted: Sequence[Judged],
    sentences: Sequence[object],
    *,
    counts: Sequence[int],
    wrong_shares: Sequence[float] = (0.0, 0.2),
    repeats: int = 20,
    seed: int = 1,
) -> list[AdaptationPoint]:
    """The curve, every point on the same trials: those of voices and kinds that have utterances enough for the last point.

    Args:
        unadapted: the trials' verdicts by calibrations that never heard their engine or voice, without adaptation.
        sentences: of each trial; nothing adapts to another utterance of the trial's own sentence.
        counts: utterances of each reading; those for which too few voices have enough are left out.
        wrong_shares: of the utterances that are adapted to, how many are said wrongly; a user's voice is mostly right.
        repeats: draws of utterances per trial.

    Words of three readings are left out: they are weighed in several pairs.
    """
    rows = [row for trial, one, sentence in zip(trials, unadapted, sentences, strict=True) if (row := _row(trial, one, sentence))]
    groups: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    pools = [_pools(row, groups[row.group]) for row in rows]
    enough = [min(map(len, of.values())) for of in pools]
    usable = [count for count in sorted(set(counts)) if rows and sum(have >= count for have in enough) >= LEAST_SHARE * len(rows)]
    if not usable:
        return []
    chosen = [(row, of) for row, of, have in zip(rows, pools, enough, strict=True) if have >= usable[-1]]
    return [AdaptationPoint(count, share, _two_way(chosen, count, share, repeats, seed)) for share in wrong_shares for count in usable]


def _row(trial: KnownTrial, one: Judged, sentence: object) -> _Row | None:
    score, asked = one.evidence.score, trial.asked
    if score is None or len(asked.homograph.readings) != 2 or one.evidence.kind in UNDECIDED or not asked.voice:
        return None
    first = pairs_against_expected(asked)[0].first
    expects_first = asked.expected == first
    return _Row((asked.voice, one.evidence.kind), sentence, asked.word, expects_first, trial.spoken == first, score if expects_first else -score, trial.wrong)


def _pools(row: _Row, group: Sequence[_Row]) -> _Pools:
    """Utterances of the voice and kind that a trial may adapt to, by sentence: those that ask for the first reading, those that ask for the second."""
    found: dict[bool, dict[object, list[_Row]]] = {True: defaultdict(list), False: defaultdict(list)}
    for one in group:
        if one.sentence != row.sentence:
            found[one.expects_first][one.sentence].append(one)
    return {first: list(by_sentence.values()) for first, by_sentence in found.items()}


def _two_way(rows: Sequence[tuple[_Row, _Pools]], count: int, wrong_share: float, repeats: int, seed: int) -> Estimate:
    """Mean over draws of utterances, with an interval over words."""
    shares = []
    for number, (row, pools) in enumerate(rows):
        draw = random.Random(f"{seed} {number} {count} {wrong_share}")
        hits = [_is_right(row, pools, count, wrong_share, draw) for _ in range(repeats if count else 1)]
        shares.append(sum(hits) / len(hits))
    return clustered_proportion(shares, [row.word for row, _ in rows])


def _is_right(row: _Row, pools: _Pools, count: int, wrong_share: float, draw: random.Random) -> bool:
    heard = [Scored(*row.group, first, _drawn(said, wrong_share, draw)) for first in (True, False) for said in draw.sample(pools[first], count)]
    return (row.score >= voice_shifts(heard).get(row.group, 0.0)) is row.said_first


def _drawn(said: Sequence[_Row], wrong_share: float, draw: random.Random) -> float:
    """The score of an utterance of a sentence, said rightly or, as often as wished, wrongly; as it is there where there is but one."""
    wished = draw.random() < wrong_share
    return next((one for one in said if one.wrong is wished), said[0]).score
