"""``Audio`` and what can be done to it without opening a file."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from workbench.errors import AudioError

#: Sample rates that are taken as audio, in Hz; anything else is a broken header.
SAMPLE_RATE_RANGE_HZ = (4_000, 384_000)
#: What ``rms_db`` gives for digital silence.
RMS_FLOOR_DB = -120.0

_BLOCK_FRAMES = 1 << 18


@dataclass(frozen=True, eq=False)
class Audio:
    """Decoded mono audio. Two values are the same audio when their ``content_hash`` is; ``==`` compares identity.

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
        # max and -min instead of abs: no copy of a half-hour recording.
        return float(max(self.samples.max(), -self.samples.min())) if len(self.samples) else 0.0


def resample(audio: Audio, sample_rate_hz: int) -> Audio:
    """The same audio at another rate (libsoxr, high quality, linear phase); the same object when the rate is already right.

    Raises:
        AudioError: the rate is outside 4 to 384 kHz.
    """
    low, high = SAMPLE_RATE_RANGE_HZ
    if not low <= sample_rate_hz <= high:
        raise AudioError("cannot resample to this rate", where=audio.path, got=f"{sample_rate_hz} Hz", expected=f"{low} to {high} Hz")
    if sample_rate_hz == audio.sample_rate_hz:
        return audio
    import soxr

    samples = soxr.resample(np.ascontiguousarray(audio.samples, np.float32), audio.sample_rate_hz, sample_rate_hz, quality="HQ")
    if not len(samples) and len(audio.samples):
        samples = audio.samples[:1].copy()  # one sample at 96 kHz is a sixth of one at 16 kHz: keep it readable
    return replace(audio, samples=samples, sample_rate_hz=int(sample_rate_hz))


def content_hash(audio: Audio) -> str:
    """SHA-256 (hex) over the rate and the decoded samples: the same sound in wav and in flac has the same hash.

    The rate enters as a little-endian 64-bit integer, the samples as little-endian float32 with -0.0 counted as 0.0.
    """
    digest = hashlib.sha256(struct.pack("<q", audio.sample_rate_hz))
    for block in _blocks(audio.samples):
        digest.update((block + np.float32(0)).astype("<f4", copy=False).tobytes())
    return digest.hexdigest()


def peak_normalised(audio: Audio, *, peak: float = 0.99) -> Audio:
    """A copy scaled so that its largest absolute sample is ``peak``; silence is returned as it is."""
    if audio.peak < np.finfo(np.float32).tiny:
        return audio
    return replace(audio, samples=audio.samples * np.float32(peak / audio.peak))


def rms_db(audio: Audio) -> float:
    """Root mean square level in dB relative to a sample value of 1.0; never under -120, which is also the level of silence."""
    if not len(audio.samples):
        return RMS_FLOOR_DB
    power = sum(float(np.square(block, dtype=np.float64).sum()) for block in _blocks(audio.samples)) / len(audio.samples)
    return max(RMS_FLOOR_DB, 10 * math.log10(power)) if power > 0 else RMS_FLOOR_DB


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    return (samples[start : start + _BLOCK_FRAMES] for start in range(0, len(samples), _BLOCK_FRAMES))


def cut(audio: Audio, start_sec: float, end_sec: float) -> Audio:
    """The audio between two times, at least one sample; an end beyond the audio means its end.

    Raises:
        AudioError: the span is empty, reversed, not finite or starts outside the audio.
    """
    span = f"{start_sec} to {end_sec} s"
    if not (math.isfinite(start_sec) and start_sec >= 0 and end_sec > start_sec):
        raise AudioError("cannot cut this span", where=audio.path, got=span, expected="0 <= start < end")
    start = round(start_sec * audio.sample_rate_hz)
    if start >= len(audio.samples):
        raise AudioError("span starts after the audio ends", where=audio.path, got=span, expected=f"within 0 to {audio.duration_sec:.3f} s",
                         mend="check offset and duration in the manifest")
    end = len(audio.samples) if end_sec >= audio.duration_sec else round(end_sec * audio.sample_rate_hz)
    return replace(audio, samples=audio.samples[start : max(end, start + 1)])
