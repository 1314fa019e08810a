"""The numbers of one clip that a comparison counts and a keep rule may ask for, beside what engines and judges gave."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.scan.results import ClipResult
from workbench.scan.summaries import audio_error_rate


@dataclass(frozen=True, slots=True)
class Measures:
    """Derived from a clip's results; None where unknown. ``datasets.columns`` says what each means."""

    bandwidth_share: float | None
    words: int
    characters: int
    chars_per_sec: float | None
    clipping_pct: float | None
    wer_fast: float | None
    wer_precision: float | None
    audio_error_rate: float | None
    confidence: float | None

    @classmethod
    def of(cls, result: ClipResult) -> Measures:
        scores, verdicts = result.scores, result.verdicts
        bandwidth, rate = scores.get("bandwidth_hz"), scores.get("sample_rate_hz")
        characters = characters_of([token.text for token in result.tokens])
        return cls(
            bandwidth_share=2 * bandwidth / rate if bandwidth and rate else None,
            words=len(result.tokens),
            characters=characters,
            chars_per_sec=speaking_rate(characters, scores.get("duration_sec"), scores.get("silence_pct")),
            clipping_pct=scores.get("clipping_pct"),
            wer_fast=verdicts.fast_edits.wer if verdicts else None,
            wer_precision=verdicts.precision_edits.wer if verdicts and verdicts.precision_edits else None,
            audio_error_rate=audio_error_rate(result),
            confidence=verdicts.confidence if verdicts else None,
        )


def characters_of(words: list[str]) -> int:
    """Characters of a text as spoken: its normalised words with the blanks between them, so that "1984" counts as it is said."""
    return sum(map(len, words)) + max(0, len(words) - 1)


def speaking_rate(characters: int, duration_sec: float | None, silence_pct: float | None) -> float | None:
    """Characters per second that is not silent; None without a text or without sound."""
    if not characters or duration_sec is None or silence_pct is None:
        return None
    sounding_sec = duration_sec * (1 - silence_pct / 100)
    return characters / sounding_sec if sounding_sec > 0 else None
