"""The thirteen signal metrics mean what their docstring says."""

from __future__ import annotations


import numpy as np
import pytest

from workbench.audio import Audio
from workbench.judges.signal import SignalJudge, measure

RATE = 16000
NAMES = (
    "duration_sec sample_rate_hz peak_amplitude rms_db clipping_pct silence_pct energy_std dynamic_range_db "
    "zero_crossing_rate spectral_centroid_hz spectral_rolloff_hz bandwidth_hz loudness_lufs"
).split()


def tone(hz: float, seconds: float = 2.0, amplitude: float = 0.5, rate: int = RATE) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * (np.arange(int(seconds * rate)) + 0.5) / rate)).astype(np.float32)


def test_all_thirteen_are_given_as_floats_in_the_order_of_the_columns():
    judge = SignalJudge()
    judge.load()
    (scores,) = judge.score([Audio(tone(440), RATE)])
    assert list(scores.values) == NAMES == list(judge.columns)
    assert judge.primary is None and all(type(v) is float for v in scores.values.values())


def test_a_sine_has_the_textbook_values():
    m = measure(Audio(tone(1000), RATE))
    assert m.duration_sec == 2.0 and m.sample_rate_hz == 16000
    assert m.peak_amplitude == pytest.approx(0.5, abs=0.01)
    assert m.rms_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert m.zero_crossing_rate == pytest.approx(2 * 1000 / RATE, rel=0.01)
    assert m.spectral_centroid_hz == pytest.approx(1000, abs=5)
    assert m.spectral_rolloff_hz == pytest.approx(1000, abs=RATE / 512)
    assert (m.clipping_pct, m.silence_pct) == (0.0, 0.0)
    assert m.energy_std == pytest.approx(0, abs=1e-6) and m.dynamic_range_db == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("rate", [8000, 24000, 44100, 96000])
def test_frequencies_are_in_hertz_at_any_rate(rate):
    m = measure(Audio(tone(1500, rate=rate), rate))
    assert m.spectral_centroid_hz == pytest.approx(1500, abs=10)
    assert m.duration_sec == pytest.approx(2.0)


def test_rolloff_is_where_85_percent_of_the_power_lies_below():
    # Power 0.8 at 1 kHz and 0.2 at 5 kHz: 85% is reached only at the upper tone; with 0.9 and 0.1 already at the lower one.
    upper = tone(1000, amplitude=np.sqrt(0.08)) + tone(5000, amplitude=np.sqrt(0.02))
    lower = tone(1000, amplitude=np.sqrt(0.09)) + tone(5000, amplitude=np.sqrt(0.01))
    assert measure(Audio(upper, RATE)).spectral_rolloff_hz == pytest.approx(5000, abs=50)
    assert measure(Audio(lower, RATE)).spectral_rolloff_hz == pytest.approx(1000, abs=50)
    assert measure(Audio(upper, RATE)).spectral_centroid_hz == pytest.approx(0.8 * 1000 + 0.2 * 5000, abs=10)


def test_silence_is_counted_by_frames_and_against_the_loudest():
    quiet = tone(440, 1.0, amplitude=0.5 * 10 ** (-50 / 20))
    m = measure(Audio(np.concatenate([tone(440, 1.0), np.zeros(RATE, np.float32), quiet, tone(440, 1.0)]), RATE))
    assert m.silence_pct == pytest.approx(50.0)
    assert m.dynamic_range_db > 100
    assert m.energy_std == pytest.approx(0.5 / np.sqrt(2) / 2, rel=0.01)


def test_clipping_counts_samples_at_full_scale_and_beyond():
    samples = tone(440, 1.0)
    samples[:160], samples[160:320] = 1.0, -1.5
    m = measure(Audio(samples, RATE))
    assert m.clipping_pct == pytest.approx(2.0) and m.peak_amplitude == 1.5


def test_digital_silence_has_finite_floors():
    m = measure(Audio(np.zeros(RATE, np.float32), RATE))
    assert (m.rms_db, m.silence_pct, m.dynamic_range_db, m.energy_std) == (-120.0, 100.0, 0.0, 0.0)
    assert (m.spectral_centroid_hz, m.spectral_rolloff_hz, m.zero_crossing_rate, m.clipping_pct) == (0.0, 0.0, 0.0, 0.0)
    assert m.bandwidth_hz is None and m.loudness_lufs == -70.0


@pytest.mark.parametrize(("samples", "says"), [([], "empty"), ([0.1, np.nan], "not finite"), ([np.inf, 0.1], "not finite")])
def test_what_cannot_be_measured_is_a_failure_as_data(samples, says):
    bad, good = SignalJudge().score([Audio(np.array(samples, np.float32), RATE), Audio(tone(440), RATE)])
    assert bad.values == {} and bad.failure.stage == "signal" and says in bad.failure.message
    assert good.failure is None


def test_half_an_hour_is_measured_whole():
    samples = np.tile(tone(500, 10.0), 180)
    samples[len(samples) // 2 :] = np.tile(tone(3500, 10.0), 90)
    m = measure(Audio(samples, RATE))
    assert m.duration_sec == 1800.0
    assert m.spectral_centroid_hz == pytest.approx(2000, abs=5)
    assert m.zero_crossing_rate == pytest.approx(2 * 2000 / RATE, rel=0.01)
