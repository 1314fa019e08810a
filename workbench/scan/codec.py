"""Transcripts and scores as store columns, and back."""

from __future__ import annotations

from typing import Any

from workbench.judges.base import Scores
from workbench.stt.base import Evidence, Transcript, Word

TIME_DIGITS = 4
SCORE_DIGITS = 6


def transcript_columns(stage: str, transcript: Transcript) -> dict[str, Any]:
    """Column values of the stage ``fast`` or ``precision``."""
    known = [word.confidence for word in transcript.words if word.confidence is not None]
    columns = {
        f"{stage}_engine": transcript.engine,
        f"{stage}_text": " ".join(word.text for word in transcript.words),
        f"{stage}_words": [_word_row(word) for word in transcript.words],
        f"{stage}_confidence": sum(known) / len(known) if known else None,
        f"{stage}_confidence_method": transcript.confidence_method,
    }
    if transcript.head_disagreement is not None:
        columns[f"{stage}_head_disagreement"] = round(float(transcript.head_disagreement), SCORE_DIGITS)
    if transcript.listened_sec is not None:
        columns[f"{stage}_listened_sec"] = round(float(transcript.listened_sec), TIME_DIGITS)
    if transcript.evidence is not None:
        columns[f"{stage}_evidence"] = [
            [e.start, e.end, round(float(e.log_ratio), SCORE_DIGITS), [_word_row(word) for word in e.heard]] for e in transcript.evidence
        ]
    return columns


def transcript_of(stage: str, columns: dict[str, Any]) -> Transcript:
    """The transcript that ``transcript_columns`` wrote."""
    evidence = columns.get(f"{stage}_evidence")
    return Transcript(
        words=tuple(Word(*row) for row in columns.get(f"{stage}_words") or ()),
        engine=columns.get(f"{stage}_engine", ""),
        confidence_method=columns.get(f"{stage}_confidence_method", ""),
        evidence=None if evidence is None else tuple(Evidence(a, b, ratio, tuple(Word(*row) for row in heard)) for a, b, ratio, heard in evidence),
        head_disagreement=columns.get(f"{stage}_head_disagreement"),
        listened_sec=columns.get(f"{stage}_listened_sec"),
    )


def score_columns(stage: str, scores: Scores) -> dict[str, Any]:
    """Column values of a judge's stage; numbers as plain floats, NaN left out."""
    columns: dict[str, Any] = {name: float(value) for name, value in scores.values.items() if value == value}
    if scores.notes:
        columns[f"{stage}_notes"] = list(scores.notes)
    return columns


def _word_row(word: Word) -> list[Any]:
    confidence = None if word.confidence is None else round(float(word.confidence), SCORE_DIGITS)
    return [word.text, round(float(word.start_sec), TIME_DIGITS), round(float(word.end_sec), TIME_DIGITS), confidence]
