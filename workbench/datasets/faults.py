"""What is wrong with a clip: in its text, in its audio, or that it is there already. Told apart, because each is mended elsewhere.

Text faults rest on two engines that agree with each other against the text, or on a text that is too long or too short for its audio. What a text fault explains is not held
against the audio as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from workbench.config import Config
from workbench.datasets.measures import Measures
from workbench.scan.results import ClipResult
from workbench.verdicts.align import align_words
from workbench.verdicts.base import Verdict

Family = Literal["text", "audio", "copy"]


class Fault(StrEnum):
    """One fault; ``family`` says where it lies."""

    NO_TEXT = "no_text"
    TYPO = "typo"
    SPACING = "spacing"
    OTHER_WORDS = "other_words"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_TOO_SHORT = "text_too_short"
    UNREADABLE = "unreadable"
    SILENT = "silent"
    CLIPPED = "clipped"
    LOW_CEILING = "low_ceiling"
    CUT_OFF = "cut_off"
    REPEATED = "repeated"
    ADDED = "added"
    WORDS_WRONG = "words_wrong"
    SAME_AUDIO = "same_audio"
    SAME_TEXT = "same_text"

    @property
    def family(self) -> Family:
        return _FAMILY[self]

    @property
    def meaning(self) -> str:
        return _MEANING[self]


_MEANING = MappingProxyType({
    Fault.NO_TEXT: "there is no text, or it cannot be spoken",
    Fault.TYPO: "the text holds a typo: the engines heard the word that was meant",
    Fault.SPACING: "the text lacks a space, has one too many or doubles a word",
    Fault.OTHER_WORDS: "both engines heard other words than the text's, and agree on them",
    Fault.TEXT_TOO_LONG: "far more text than the audio has time for (or the audio is cut)",
    Fault.TEXT_TOO_SHORT: "far less text than the audio has time for",
    Fault.UNREADABLE: "the audio cannot be read",
    Fault.SILENT: "no speech to hear: near silent, or no word heard",
    Fault.CLIPPED: "samples at full scale",
    Fault.LOW_CEILING: "the sound ends far under half the sample rate: upsampled, coded or filtered",
    Fault.CUT_OFF: "the last words of the text were not heard",
    Fault.REPEATED: "words are said twice",
    Fault.ADDED: "words after the end of the text",
    Fault.WORDS_WRONG: "many words that both engines hold against the audio",
    Fault.SAME_AUDIO: "the same samples as an earlier clip",
    Fault.SAME_TEXT: "the same words by the same speaker as an earlier clip, in other audio",
})  # fmt: skip
_TEXT = (Fault.NO_TEXT, Fault.TYPO, Fault.SPACING, Fault.OTHER_WORDS, Fault.TEXT_TOO_LONG, Fault.TEXT_TOO_SHORT)
_COPY = (Fault.SAME_AUDIO, Fault.SAME_TEXT)
_FAMILY: MappingProxyType[Fault, Family] = MappingProxyType({fault: "text" if fault in _TEXT else "copy" if fault in _COPY else "audio" for fault in Fault})
_FLAGS = MappingProxyType({"cut_off_tail": Fault.CUT_OFF, "repeated_span": Fault.REPEATED, "added_tail": Fault.ADDED})


class Bounds(Config):
    """Where a fault begins.

    Attributes:
        rate_factor: a text is too long or too short for its audio if its characters per second are so many times more or less than the dataset's median.
        other_words_share: of the text's words and insertions held against the audio (over words), from which on another text may have been spoken ...
        agreement: ... if the engines' transcripts have at least this share of words in common, and the text has less of the fast engine's.
        words_wrong_share: flagged words and insertions over words.
        clipping_pct: samples at full scale, in percent.
        bandwidth_share: bandwidth over half the sample rate.
    """

    rate_factor: float = Field(1.7, gt=1)
    other_words_share: float = Field(0.5, gt=0)
    agreement: float = Field(0.5, ge=0, le=1)
    words_wrong_share: float = Field(0.25, gt=0)
    clipping_pct: float = Field(0.1, ge=0)
    bandwidth_share: float = Field(0.8, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Usual:
    """What a dataset's clips are measured by: its median of characters per second, None where too few clips have one."""

    chars_per_sec: float | None = None


def faults_of(result: ClipResult, measures: Measures, *, bounds: Bounds, usual: Usual) -> tuple[Fault, ...]:
    """The faults of one clip but for copies, in the order of ``Fault``."""
    stages = {failure.stage for failure in result.failures}
    found = set()
    if "text" in stages or (result.clip.fault and not result.clip.text.strip()):
        found.add(Fault.NO_TEXT)
    if "audio" in stages:
        found.add(Fault.UNREADABLE)
        return tuple(fault for fault in Fault if fault in found)
    text = _of_text(result, measures, bounds, usual)
    found |= text | _of_audio(result, measures, bounds, text)
    return tuple(fault for fault in Fault if fault in found)


def _of_text(result: ClipResult, measures: Measures, bounds: Bounds, usual: Usual) -> set[Fault]:
    verdicts, found = result.verdicts, set()
    if verdicts is None:
        return found
    silent = _is_silent(result)
    if usual.chars_per_sec and measures.chars_per_sec is not None and not silent:
        ratio = measures.chars_per_sec / usual.chars_per_sec
        if ratio > bounds.rate_factor:
            found.add(Fault.TEXT_TOO_LONG)
        if ratio < 1 / bounds.rate_factor:
            found.add(Fault.TEXT_TOO_SHORT)
    if not found and not silent and _says_something_else(result, measures, bounds):
        return {Fault.OTHER_WORDS}
    # In a text that belongs to other audio, what looks like a typo is chance.
    if (measures.audio_error_rate or 0.0) < bounds.other_words_share:
        if verdicts.count(Verdict.GT_TYPO):
            found.add(Fault.TYPO)
        if verdicts.count(Verdict.GT_ERROR):
            found.add(Fault.SPACING)
    return found


def _says_something_else(result: ClipResult, measures: Measures, bounds: Bounds) -> bool:
    if (measures.audio_error_rate or 0.0) < bounds.other_words_share or result.fast is None:
        return False
    # One engine alone may simply not understand the voice; and where the text has most of what was heard, it is the audio that lacks the rest.
    return result.precision is not None and agreement(result) >= bounds.agreement > _in_text(result)


def agreement(result: ClipResult) -> float:
    """Share of words that both engines' transcripts have in common, in order; 0 where one of them heard nothing."""
    if result.fast is None or result.precision is None or not result.fast.words or not result.precision.words:
        return 0.0
    first, second = ([word.text for word in transcript.words] for transcript in (result.fast, result.precision))
    return align_words(first, second)[0].hits / max(len(first), len(second))


def _in_text(result: ClipResult) -> float:
    """Share of the words that the fast engine heard that stand in the text, in order."""
    edits = result.verdicts.fast_edits
    heard = edits.hits + edits.substituted + edits.inserted
    return edits.hits / heard if heard else 0.0


def _of_audio(result: ClipResult, measures: Measures, bounds: Bounds, text: set[Fault]) -> set[Fault]:
    found = set()
    if _is_silent(result):
        found.add(Fault.SILENT)
    if (measures.clipping_pct or 0.0) > bounds.clipping_pct:
        found.add(Fault.CLIPPED)
    if measures.bandwidth_share is not None and measures.bandwidth_share < bounds.bandwidth_share:
        found.add(Fault.LOW_CEILING)
    if result.verdicts is None or text & {Fault.OTHER_WORDS, Fault.TEXT_TOO_LONG, Fault.TEXT_TOO_SHORT} or Fault.SILENT in found:
        return found
    found |= {_FLAGS[flag] for flag in result.verdicts.flags if flag in _FLAGS}
    if (measures.audio_error_rate or 0.0) > bounds.words_wrong_share:
        found.add(Fault.WORDS_WRONG)
    return found


def _is_silent(result: ClipResult) -> bool:
    return result.verdicts is not None and bool({"empty_output", "near_silent"}.intersection(result.verdicts.flags))


def of_family(faults: Sequence[Fault], family: Family) -> tuple[Fault, ...]:
    """Those of the faults that lie there."""
    return tuple(fault for fault in faults if fault.family == family)
