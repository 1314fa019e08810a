"""How well verdicts find planted errors: recall per kind and false alarms on untouched words, with intervals.

An error is found when a reference word it touched is flagged, or an insertion is flagged at its place (doubled and swapped words). A false
alarm is a flagged word that no error touched and that
does not stand directly beside one: a flag there leads a listener to the error all the same, and the sound of a word changes with its
neighbour. Words beside an error are counted on their own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import ConfigError
from workbench.verdicts.base import FLAGGED, ClipVerdicts, Verdict
from workbench.verdicts.planted import ERROR_KINDS, Kind, PlantedText

if TYPE_CHECKING:
    from workbench.stats import Estimate


@dataclass(frozen=True, slots=True)
class Counted:
    """One planted clip in numbers.

    Attributes:
        found: None for a clean clip.
        untouched, false_alarms: words neither touched nor beside a touched one, and those of them flagged.
        beside, beside_flagged: words directly beside the error, and those of them flagged.
        inserted: insertions flagged elsewhere than at the error and its neighbours.
    """

    text_id: str
    kind: Kind
    found: bool | None
    untouched: int
    false_alarms: int
    beside: int
    beside_flagged: int
    inserted: int


@dataclass(frozen=True, slots=True)
class PlantedReport:
    """Recall and false alarms over a set of planted clips.

    Attributes:
        recall: over all kinds; Wilson interval.
        per_kind: recall by kind.
        false_alarm: flagged share of the words that are neither touched nor beside an error; the interval draws whole texts.
        false_alarm_all: the same with the words beside an error counted as untouched too.
        beside: flagged share of the words beside an error.
        false_insertion: insertions flagged away from any error, per untouched word.
        errors, untouched: how many errors were planted, how many words are neither touched nor beside one.
    """

    recall: Estimate
    per_kind: dict[Kind, Estimate]
    false_alarm: Estimate
    false_alarm_all: Estimate
    beside: Estimate
    false_insertion: Estimate
    errors: int
    untouched: int


def count(planted: PlantedText, verdicts: ClipVerdicts, *, flagged: Collection[Verdict] = FLAGGED) -> Counted:
    """Count one clip.

    Args:
        flagged: verdicts that count as a finding; ``{Verdict.TTS_FAILURE}`` asks what is certain rather than what deserves a listen.

    Raises:
        ConfigError: the verdicts are of another text.
    """
    if len(verdicts.words) != len(planted.reference):
        got = f"{len(verdicts.words)} words"
        raise ConfigError("verdicts do not belong to this text", where=planted.text_id, got=got, expected=len(planted.reference))
    words = {word.index for word in verdicts.words if word.verdict in flagged}
    places = [insertion.before for insertion in verdicts.insertions if insertion.verdict in flagged]
    touched, gaps = set(planted.touched), set(planted.gaps)
    near = {index + step for index in touched for step in (-1, 1)} & set(range(len(planted.reference))) - touched
    at_error = gaps | {index + step for index in touched for step in (-1, 0, 1, 2)}
    return Counted(
        text_id=planted.text_id,
        kind=planted.kind,
        found=None if planted.kind is Kind.CLEAN else bool(words & touched or gaps.intersection(places)),
        untouched=len(planted.reference) - len(touched) - len(near),
        false_alarms=len(words - touched - near),
        beside=len(near),
        beside_flagged=len(words & near),
        inserted=sum(place not in at_error for place in places),
    )


def score(
    planted: Sequence[PlantedText], verdicts: Sequence[ClipVerdicts], *, flagged: Collection[Verdict] = FLAGGED, seed: int = 0
) -> PlantedReport:
    """Recall and false alarms of verdicts over planted clips.

    Args:
        planted, verdicts: shape (N,), clip by clip; several voices may speak the same ``text_id``, which is what intervals cluster by.
        seed: of the resampling behind the intervals.
    """
    return summarise([count(text, verdict, flagged=flagged) for text, verdict in zip(planted, verdicts, strict=True)], seed=seed)


def summarise(counts: Sequence[Counted], *, seed: int = 0) -> PlantedReport:
    """The report over counted clips."""
    from workbench.stats import proportion, ratio_estimate

    def recall(kinds: Collection[Kind]):
        found = [one.found for one in counts if one.kind in kinds and one.found is not None]
        return proportion(sum(found), len(found))

    def rate(numerators: list[int], denominators: list[int]):
        return ratio_estimate(numerators, denominators, [one.text_id for one in counts], seed=seed)

    untouched = [one.untouched for one in counts]
    return PlantedReport(
        recall=recall(ERROR_KINDS),
        per_kind={kind: recall({kind}) for kind in ERROR_KINDS if any(one.kind is kind for one in counts)},
        false_alarm=rate([one.false_alarms for one in counts], untouched),
        false_alarm_all=rate([one.false_alarms + one.beside_flagged for one in counts], [one.untouched + one.beside for one in counts]),
        beside=rate([one.beside_flagged for one in counts], [one.beside for one in counts]),
        false_insertion=rate([one.inserted for one in counts], untouched),
        errors=sum(one.found is not None for one in counts),
        untouched=sum(untouched),
    )
