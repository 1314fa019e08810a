"""The only place that opens audio: read, resample, mono, hash of the decoded samples, peak, encode for a report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Audio:
    """Decoded mono audio.

    Attributes:
        samples: shape (T,), float32, finite, nominally -1..1 (a peak above 1 is kept, not clipped).
        sample_rate_hz: rate of ``samples``.
        channels: how many channels the source had before the mean was taken.
        path: where it came from, None when synthesised.
    """

    samples: np.ndarray
    sample_rate_hz: int
    channels: int = 1
    path: str | None = None

    @property
    def duration_sec(self) -> float:
        return len(self.samples) / self.sample_rate_hz

    @cached_property
    def peak(self) -> float:
        """Largest absolute sample; 0.0 for empty audio."""
        return float(np.abs(self.samples).max()) if len(self.samples) else 0.0
