"""What every phone recogniser takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench.audio import Audio


@dataclass(frozen=True, slots=True)
class PhoneRequest:
    """A stretch of a clip: ``start_sec`` to ``end_sec``, to the clip's end when None. The engine may listen to more than it reports on."""

    audio: Audio
    start_sec: float = 0.0
    end_sec: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PhonePosteriors:
    """Posteriors over the engine's symbols, frame by frame.

    Attributes:
        log_probs: shape (T, S), float32, nats; rows sum to one as probabilities.
        symbols: the S symbols, IPA as the engine writes them; the blank among them.
        blank: index of the blank.
        frame_sec: hop between frames.
        start_sec: time of the first frame in the clip.
        phones: the best path as (symbol, start_sec, end_sec, probability).
    """

    log_probs: np.ndarray
    symbols: tuple[str, ...]
    blank: int
    frame_sec: float
    start_sec: float
    phones: tuple[tuple[str, float, float, float], ...]


class PhoneRecogniser(Protocol):
    """A phone recogniser: ``load``, one batch call, ``close``."""

    name: str

    def load(self, device: str = "cpu") -> None: ...

    def posteriors(self, requests: Sequence[PhoneRequest]) -> list[PhonePosteriors]: ...

    def close(self) -> None: ...

    def identity(self) -> dict[str, object]: ...
