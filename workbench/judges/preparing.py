"""What a model judge hears of a clip: checked, at the model's rate, at most at full scale, and on request at one loudness for all."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.errors import AudioError, ConfigError

# Half a step of 16-bit audio: a file with nothing above it is digital silence.
SILENCE_PEAK = 2.0**-16
NORMALISED_PEAK = 0.99
LOUDNESS_RANGE_LUFS = (-70.0, 0.0)


def prepared(
    clip: Audio, *, sample_rate_hz: int, shortest_sec: float, loudness_lufs: float | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Samples for a model, shape (T,), float32, contiguous, with a peak of at most 1.0, and notes on what was done for it.

    Args:
        sample_rate_hz: rate of the model.
        shortest_sec: shorter clips are refused.
        loudness_lufs: judge a copy at this loudness (ITU-R BS.1770); a note gives it before and after. A copy that would peak above 1.0
            is brought to 0.99 and so stays quieter, which the note shows.

    Raises:
        AudioError: the clip is empty, too short, silent or not finite.
    """
    _check(clip, shortest_sec)
    notes: tuple[str, ...] = ()
    before_lufs = None
    if loudness_lufs is not None:
        before_lufs = audio_room.integrated_lufs(clip)
        clip = audio_room.loudness_normalised(clip, loudness_lufs)
    clip, notes = _within_full_scale(clip, notes, when="" if before_lufs is None else " at the wanted loudness")
    clip = audio_room.resample(clip, sample_rate_hz)
    clip, notes = _within_full_scale(clip, notes, when=f" after resampling to {sample_rate_hz / 1000:g} kHz")
    if before_lufs is not None:
        notes += (_loudness_note(before_lufs, clip),)
    return np.ascontiguousarray(clip.samples, np.float32), notes


def checked_loudness(value: object, *, engine: str) -> float | None:
    """The option ``loudness_lufs`` of a judge.

    Raises:
        ConfigError: neither None nor a number from -70 to 0.
    """
    low, high = LOUDNESS_RANGE_LUFS
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high:
        expected = f"None (as it is) or a number from {low:g} to {high:g}, for instance -26"
        raise ConfigError(f"loudness_lufs of {engine} is not a loudness", got=value, expected=expected)
    return float(value)


def _check(clip: Audio, shortest_sec: float) -> None:
    if not np.isfinite(clip.samples).all():
        raise AudioError("samples that are not finite cannot be judged", where=clip.path, got="NaN or infinity", expected="finite samples")
    if clip.duration_sec < shortest_sec:
        raise AudioError("too short to judge", where=clip.path, got=f"{clip.duration_sec:.4g} s", expected=f"at least {shortest_sec} s")
    if clip.peak < SILENCE_PEAK:
        expected = f"a peak of at least {SILENCE_PEAK:.3g}"
        raise AudioError("silent: there is nothing to judge", where=clip.path, got=f"peak {abs(clip.peak):.3g}", expected=expected)


def _within_full_scale(clip: Audio, notes: tuple[str, ...], *, when: str) -> tuple[Audio, tuple[str, ...]]:
    if clip.peak <= 1.0:
        return clip, notes
    digits = 3 if when.startswith(" after") else 2
    note = f"peak {clip.peak:.{digits}f}{when}: judged on a copy normalised to {NORMALISED_PEAK}"
    return audio_room.peak_normalised(clip, peak=NORMALISED_PEAK), (*notes, note)


def _loudness_note(before_lufs: float, clip: Audio) -> str:
    if math.isinf(before_lufs):
        return "loudness under -70 LUFS: judged as it is"
    return f"loudness {before_lufs:.2f} LUFS, judged on a copy at {audio_room.integrated_lufs(clip):.2f} LUFS"
