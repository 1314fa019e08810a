"""What every speech recogniser takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.audio import Audio


@dataclass(frozen=True, slots=True)
class Word:
    """One heard word. Times in seconds from the start of the clip; confidence in 0..1 or None where unknown."""

    text: str
    start_sec: float
    end_sec: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """How strongly the audio contradicts the reference at words ``start:end`` (half-open, reference tokens).

    ``start == end`` asks for words between two reference words. ``log_ratio`` is log p(audio | reference words) minus log p(audio | ``heard``) in nats:
    positive supports the reference. The threshold is applied by the reader, so that moving it computes nothing.
    """

    start: int
    end: int
    log_ratio: float
    heard: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one engine heard in one clip.

    Attributes:
        words: heard words in order of time, normalised as ``text.normalise`` does.
        engine: registry name.
        confidence_method: how the confidences came about; numbers of different methods do not compare.
        evidence: only from an engine that weighs the reference; then ``words`` holds the words of the reference with their aligned times.
        head_disagreement: share of words (0..1) on which two decoders of the same engine differ, by edit distance; only from an engine that has two.
        listened_sec: seconds of audio that the engine was given, where that was only a part of the clip.
    """

    words: tuple[Word, ...]
    engine: str
    confidence_method: str
    evidence: tuple[Evidence, ...] | None = None
    head_disagreement: float | None = None
    listened_sec: float | None = None


@dataclass(frozen=True, slots=True)
class SttRequest:
    """One clip to recognise; engines that give a second opinion also read the reference tokens and the first transcript."""

    audio: Audio
    reference: tuple[str, ...] = ()
    first: Transcript | None = None


class Transcriber(Protocol):
    """A recogniser: ``load``, one batch call, ``close``. A batch of one and of sixty-four give the same words."""

    name: str

    def load(self, device: str = "cpu") -> None: ...

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]: ...

    def close(self) -> None: ...

    def identity(self) -> dict[str, object]:
        """What the results depend on: weights revision, sample rate, decoder settings. Part of the fingerprint."""
        ...
