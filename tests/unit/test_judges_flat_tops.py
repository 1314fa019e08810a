"""Flat tops: clipping is found at whatever level, and speech that was never clipped has none."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import engines
from workbench.audio import Audio
from workbench.errors import AudioError
from workbench.judges.flat_tops import flat_top_runs


def wave(level: float, *, rate_hz: int = 16000) -> np.ndarray:
    """Two tones that are no multiples of each other, so that no two of their tops are alike."""
    times = np.arange(rate_hz) / rate_hz
    return level * (0.6 * np.sin(2 * np.pi * 233.1 * times) + 0.4 * np.sin(2 * np.pi * 517.7 * times))


def in_16_bits(samples: np.ndarray) -> Audio:
    return Audio((np.clip(np.rint(samples * 32768), -32768, 32767) / 32768).astype(np.float32), 16000)


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1])
def test_clipping_is_found_however_quiet_it_was_made_afterwards(gain):
    runs, held = flat_top_runs(in_16_bits(gain * np.clip(wave(1.6), -0.99, 0.99)))
    assert runs > 50 and held >= 3 * runs


@pytest.mark.parametrize("level", [0.99, 0.5, 0.1, 0.06])
def test_sound_that_was_never_clipped_has_none(level):
    assert flat_top_runs(in_16_bits(wave(level)))[0] <= 1


def test_one_side_alone_can_be_clipped():
    assert flat_top_runs(in_16_bits(np.minimum(wave(0.9), 0.4)))[0] > 50


@pytest.mark.parametrize("samples", [np.zeros(16000), wave(0.02), np.zeros(1)])
def test_silence_and_faint_sound_tell_nothing(samples):
    assert flat_top_runs(in_16_bits(samples)) == (0, 0)


def test_the_judge_gives_failures_as_data():
    judge = engines.create("flat_tops", "judge")
    judge.load()
    good, empty, broken = judge.score([in_16_bits(wave(0.5)), Audio(np.zeros(0, np.float32), 16000), Audio(np.array([np.nan], np.float32), 16000)])
    assert set(good.values) == set(judge.columns) and empty.failure.type == broken.failure.type == "AudioError" and not empty.values
    with pytest.raises(AudioError, match="no tops"):
        flat_top_runs(Audio(np.zeros(0, np.float32), 16000))
