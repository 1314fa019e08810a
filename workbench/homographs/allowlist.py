"""Which words may be decided, and in which voices not: derived from trials whose truth is known, never typed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from workbench.errors import ConfigError
from workbench.homographs.decide import HomographVerdict, Lists


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the trials of a word must show.

    Attributes:
        precision: least share of the flagged that were wrong, at the balance of the trials.
        recall: least share of the wrong that were flagged.
        ambiguous: largest share of trials left undecided.
        each: least number of right and of wrong trials that can vouch for a word.
        each_in_voice: the same for a voice's own trials; a voice with fewer is taken with the others.
    """

    precision: float = 0.8
    recall: float = 0.8
    ambiguous: float = 0.25
    each: int = 3
    each_in_voice: int = 3

    def __post_init__(self) -> None:
        for name in ("precision", "recall", "ambiguous"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is a share", where="criteria of the allowlist", got=getattr(self, name), expected="0 to 1")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial: what was said, and what was decided about it with every word allowed."""

    word: str
    voice: str
    wrong: bool
    verdict: HomographVerdict


@dataclass(frozen=True, slots=True)
class WordEvidence:
    """Counts of a word's trials.

    Attributes:
        right, wrong: trials with the expected reading and with another.
        flagged, found: trials called suspect, and how many of those were wrong.
        undecided: trials that got neither correct nor suspect.
    """

    right: int
    wrong: int
    flagged: int
    found: int
    undecided: int

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> WordEvidence:
        outcomes = list(outcomes)
        flagged = [outcome for outcome in outcomes if outcome.verdict is HomographVerdict.SUSPECT]
        wrong, found = sum(outcome.wrong for outcome in outcomes), sum(outcome.wrong for outcome in flagged)
        decided = len(flagged) + sum(outcome.verdict is HomographVerdict.CORRECT for outcome in outcomes)
        return cls(len(outcomes) - wrong, wrong, len(flagged), found, len(outcomes) - decided)

    @property
    def precision(self) -> float:
        return self.found / self.flagged if self.flagged else 0.0

    @property
    def recall(self) -> float:
        return self.found / self.wrong if self.wrong else 0.0

    @property
    def ambiguous(self) -> float:
        return self.undecided / (self.right + self.wrong) if self.right + self.wrong else 1.0

    def meets(self, criteria: Criteria) -> bool:
        return self.precision >= criteria.precision and self.recall >= criteria.recall and self.ambiguous <= criteria.ambiguous


def evidence_by_word(outcomes: Iterable[Outcome]) -> dict[str, WordEvidence]:
    """Word -> counts, in order of the alphabet."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.word)
    return {word: WordEvidence.of(group) for word, group in groupby(ordered, key=lambda outcome: outcome.word)}


def derive(outcomes: Iterable[Outcome], criteria: Criteria = Criteria()) -> Lists:  # noqa: B008 - frozen
    """The allowlist and the denylist of every voice.

    A word is allowed when all its trials together meet the criteria; it is denied in a voice when it is allowed, that voice has trials enough of its own, and those
    do not meet them.
    """
    outcomes = list(outcomes)
    allowed = {
        word for word, seen in evidence_by_word(outcomes).items() if min(seen.right, seen.wrong) >= criteria.each and seen.meets(criteria)
    }
    denied: dict[str, set[str]] = {}
    for voice in sorted({outcome.voice for outcome in outcomes}):
        for word, seen in evidence_by_word(o for o in outcomes if o.voice == voice and o.word in allowed).items():
            if min(seen.right, seen.wrong) >= criteria.each_in_voice and not seen.meets(criteria):
                denied.setdefault(voice, set()).add(word)
    return Lists(frozenset(allowed), _frozen(denied))


def _frozen(denied: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {voice: frozenset(words) for voice, words in denied.items()}
