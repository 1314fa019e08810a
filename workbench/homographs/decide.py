"""One of six verdicts per homograph: what the sentence asks for against what the audio said, by bounds that a calibration set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from workbench.homographs.base import Kind


class HomographVerdict(StrEnum):
    """``suspect`` is the only one that flags; ``context_ambiguous``, ``unscorable`` and ``not_allowlisted`` abstain, each for its own reason."""

    CORRECT = "correct"
    SUSPECT = "suspect"
    CONTEXT_AMBIGUOUS = "context_ambiguous"
    UNSCORABLE = "unscorable"
    NOT_ALLOWLISTED = "not_allowlisted"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one occurrence when it is decided.

    Attributes:
        word, voice: lower case; "" for a voice that nobody named.
        expected: name of the reading that the sentence asks for, None where nothing says.
        probability: of that reading, by the text; 1.0 where it was given.
        kind: of the contrast that was weighed, None where none was.
        score: log odds that the expected reading was spoken, adapted to the voice; None where there is none.
        distances: how unlike the expected reading and the nearest other are to what was heard freely, 0..1.
        quality: 0..1, how well the sentence explains the audio.
        fault, stage: see ``spoken.Heard``.
    """

    word: str
    voice: str = ""
    expected: str | None = None
    probability: float = 1.0
    kind: Kind | None = None
    score: float | None = None
    distances: tuple[float, float] | None = None
    quality: float | None = None
    fault: str | None = None
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and, in one clause, why."""

    verdict: HomographVerdict
    reason: str


@dataclass(frozen=True, slots=True)
class Lists:
    """Words that may be decided, and those that may not in one voice; None allows every word. See ``allowlist.derive``."""

    allowed: Collection[str] | None = None
    denied: Mapping[str, Collection[str]] = field(default_factory=dict)

    def refusal(self, word: str, voice: str) -> str | None:
        """Why a word may not be decided in a voice."""
        if self.allowed is not None and word not in self.allowed:
            return "the calibration does not vouch for this word"
        if word in self.denied.get(voice, ()):
            return "the calibration does not vouch for this word in this voice"
        return None


class Rule(Protocol):
    """From evidence to a verdict; ``least_probability`` bounds the text's say."""

    name: str
    least_probability: float

    def hear(self, evidence: Evidence) -> Decision: ...


@dataclass(frozen=True, slots=True)
class CalibratedRule:
    """Bounds on the score, by kind of contrast; a kind without bounds is not decided.

    Attributes:
        bounds: kind -> (suspect at or below, correct at or above), log odds.
    """

    bounds: Mapping[str, tuple[float, float]]
    least_probability: float = 0.9
    name: str = "calibrated"

    def hear(self, evidence: Evidence) -> Decision:
        if evidence.score is None or evidence.kind not in self.bounds:
            return Decision(HomographVerdict.UNSCORABLE, f"readings that differ as these do ({evidence.kind}) cannot be told apart by ear yet")
        suspect, correct = self.bounds[evidence.kind]
        if evidence.score <= suspect:
            return Decision(HomographVerdict.SUSPECT, "the audio speaks for another reading")
        if evidence.score >= correct:
            return Decision(HomographVerdict.CORRECT, "the audio speaks for the expected reading")
        return Decision(HomographVerdict.UNSCORABLE, "the audio leaves it open")


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """The rule of the system that this one is measured against: bounds on the distance between readings and a free decode of phones."""

    least_quality: float = 0.3
    least_probability: float = 0.65
    correct_distance: float = 0.30
    margin: float = 0.08
    suspect_distance: float = 0.60
    name: str = "reference"

    def hear(self, evidence: Evidence) -> Decision:
        if evidence.distances is None:
            return Decision(HomographVerdict.UNSCORABLE, "the listener measured no distances")
        if evidence.quality is not None and evidence.quality < self.least_quality:
            return Decision(HomographVerdict.UNSCORABLE, f"quality under {self.least_quality:g}")
        expected, other = evidence.distances
        if expected <= self.correct_distance and other - expected >= self.margin:
            return Decision(HomographVerdict.CORRECT, "what was heard is near the expected reading alone")
        if other - expected <= -self.margin or expected >= self.suspect_distance:
            return Decision(HomographVerdict.SUSPECT, "what was heard is nearer another reading, or far from the expected one")
        return Decision(HomographVerdict.UNSCORABLE, "what was heard lies between the readings")


def decide(evidence: Evidence, rule: Rule, lists: Lists = Lists()) -> Decision:  # noqa: B008 - frozen
    """The verdict; faults first, then the text's doubt, then the lists, then the rule."""
    if evidence.fault is not None:
        return Decision(HomographVerdict.ERROR if evidence.stage == "error" else HomographVerdict.UNSCORABLE, evidence.fault)
    if evidence.expected is None or evidence.probability < rule.least_probability:
        return Decision(HomographVerdict.CONTEXT_AMBIGUOUS, "the sentence does not say which reading it asks for")
    if refusal := lists.refusal(evidence.word, evidence.voice):
        return Decision(HomographVerdict.NOT_ALLOWLISTED, refusal)
    if evidence.kind is None:
        return Decision(HomographVerdict.UNSCORABLE, "every other reading is valid here too")
    return rule.hear(evidence)
