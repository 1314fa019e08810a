"""One clip's results as a frozen value: what reading the store gives and what a report shows."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.clips import Clip
from workbench.errors import Failure
from workbench.stt.base import Transcript
from workbench.text.tokens import Token
from workbench.verdicts.base import ClipVerdicts


@dataclass(frozen=True, slots=True)
class ClipResult:
    """Everything known of one clip.

    Attributes:
        file_hash: hash of the decoded samples, or of the path when nothing could be decoded.
        tokens: the reference as spoken words, each with its place in ``clip.text``.
        scores: judges' and signal columns by name; a missing judge's columns are absent.
        failures: one entry per stage that could not do its work.
        notes: what was done to the audio before it was judged.
        stage_sec: seconds of the engine's own work per stage, as measured when it was computed.
    """

    clip: Clip
    file_hash: str
    duration_sec: float | None
    tokens: tuple[Token, ...]
    fast: Transcript | None
    precision: Transcript | None
    verdicts: ClipVerdicts | None
    scores: dict[str, float]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    stage_sec: dict[str, float]
