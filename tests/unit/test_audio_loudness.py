"""What loudness promises: the numbers of ITU-R BS.1770, at any rate, and copies that measure as they were asked to."""

from __future__ import annotations

import math
import re
import shutil
import subprocess

import numpy as np
import pytest

from workbench.audio import Audio, integrated_lufs, loudness_normalised, write_wav
from workbench.audio.loudness import k_weighting


def sine(pitch_hz: float, level: float, seconds: float, *, rate_hz: int = 48000) -> Audio:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return Audio((level * np.sin(2 * np.pi * pitch_hz * t)).astype(np.float32), rate_hz)


def joined(*parts: Audio) -> Audio:
    return Audio(np.concatenate([part.samples for part in parts]), parts[0].sample_rate_hz)


def syllables(rate_hz: int, seconds: float = 8.0) -> Audio:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    pitch = 2 * np.pi * np.cumsum(120 + 20 * np.sin(4.4 * t)) / rate_hz
    voice = sum(np.sin(k * pitch) / k for k in range(1, 20)) * np.clip(np.sin(9 * t), 0, 1)
    voice[len(t) // 3 : len(t) // 2] *= 0.003
    return Audio((0.2 * voice).astype(np.float32), rate_hz)


def test_filters_at_48_khz_are_the_tables_of_the_standard():
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    high_pass = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    assert k_weighting(48000) == pytest.approx(np.array([shelf, high_pass]), abs=1e-8)


def test_a_full_scale_sine_at_997_hz_reads_minus_3_01():
    assert integrated_lufs(sine(997, 1.0, 20)) == pytest.approx(-3.01, abs=0.005)


def test_quiet_stretches_are_gated():
    """The third test signal of EBU Tech 3341: -36, -23 and -36 dBFS stereo; here mono, which is 3.01 LU less."""
    levels = [10 ** (db / 20) for db in (-36, -23, -36)]
    signal = joined(*(sine(1000, level, seconds) for level, seconds in zip(levels, (10, 60, 10), strict=True)))
    assert integrated_lufs(signal) == pytest.approx(-23 - 3.01, abs=0.1)
    assert integrated_lufs(joined(sine(1000, levels[1], 5), Audio(np.zeros(480_000, np.float32), 48000))) == pytest.approx(-26.0, abs=0.15)


@pytest.mark.parametrize("rate_hz", [16000, 22050, 24000, 44100, 48000])
def test_it_agrees_with_ffmpeg(rate_hz, tmp_path):
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    audio = syllables(rate_hz)
    write_wav(audio, tmp_path / "a.wav")
    done = subprocess.run(
        ["ffmpeg", "-nostats", "-i", str(tmp_path / "a.wav"), "-filter_complex", "ebur128=dualmono=false", "-f", "null", "-"],
        capture_output=True, text=True, check=True, timeout=60,
    )
    theirs = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", done.stderr)[-1])
    assert integrated_lufs(audio) == pytest.approx(theirs, abs=0.1)


@pytest.mark.parametrize("lufs", [-40.0, -26.0, -14.0])
def test_a_normalised_copy_measures_as_asked(lufs):
    copy = loudness_normalised(syllables(24000), lufs)
    assert integrated_lufs(copy) == pytest.approx(lufs, abs=0.01)


def test_what_has_no_loudness_is_left_as_it_is():
    for samples in (np.zeros(0), np.zeros(48000), np.full(48000, 1e-5)):
        audio = Audio(samples.astype(np.float32), 48000)
        assert integrated_lufs(audio) == -math.inf
        assert loudness_normalised(audio, -26) is audio


def test_a_clip_shorter_than_a_block_is_one_block():
    assert integrated_lufs(sine(997, 0.1, 0.2)) == pytest.approx(-23.01, abs=0.3)
    assert math.isfinite(integrated_lufs(Audio(np.full(1, 0.5, np.float32), 48000)))
