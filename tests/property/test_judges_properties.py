"""Promises of the judges that hold for any input."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.audio import Audio
from workbench.judges import signal
from workbench.judges.composite import composite, fair_judges
from workbench.judges.dnsmos_hops import HOP_SAMPLES, SlidingRows, period_rows, repeated, scored_hops


def _numbers(metrics):
    return {name: value for name, value in asdict(metrics).items() if value is not None}


any_samples = hnp.arrays(np.float32, st.integers(1, 3000), elements=st.floats(-(2.0**100), 2.0**100, width=32))
rates = st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000, 96000])


@given(any_samples, rates)
@settings(max_examples=150, deadline=None)
def test_signal_metrics_of_any_finite_audio_are_finite_and_in_range(samples, rate):
    m = signal.measure(Audio(samples, rate))
    assert all(math.isfinite(value) for name, value in asdict(m).items() if name != "bandwidth_hz")
    assert m.bandwidth_hz is None or 0 < m.bandwidth_hz <= rate / 2
    assert m.loudness_lufs >= -70
    assert m.rms_db >= -120 and m.dynamic_range_db >= 0 and m.energy_std >= 0
    assert 0 <= m.clipping_pct <= 100 and 0 <= m.silence_pct <= 100 and 0 <= m.zero_crossing_rate <= 1
    assert 0 <= m.spectral_centroid_hz <= rate / 2 and 0 <= m.spectral_rolloff_hz <= rate / 2


@given(st.integers(0, 2**32 - 1), st.integers(1, 20000), st.sampled_from([1024, 1536, 4096]))
@settings(max_examples=40, deadline=None)
def test_working_in_blocks_changes_no_metric(seed, count, block):
    audio = Audio(np.random.default_rng(seed).standard_normal(count).astype(np.float32) * 0.3, 16000)
    whole, size = signal.measure(audio), signal._BLOCK_SAMPLES
    try:
        signal._BLOCK_SAMPLES = block
        in_blocks = signal.measure(audio)
        assert in_blocks.bandwidth_hz == whole.bandwidth_hz
        assert _numbers(in_blocks) == pytest.approx(_numbers(whole), rel=1e-5)
    finally:
        signal._BLOCK_SAMPLES = size


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.9))
@settings(max_examples=30, deadline=None)
def test_gain_moves_the_level_and_leaves_the_shape(seed, gain):
    samples = np.random.default_rng(seed).uniform(-0.9, 0.9, 16000).astype(np.float32)
    loud = signal.measure(Audio(samples, 16000))
    soft = signal.measure(Audio(samples * np.float32(gain), 16000))
    assert soft.rms_db == pytest.approx(loud.rms_db + 20 * math.log10(gain), abs=1e-3)
    assert soft.loudness_lufs == pytest.approx(loud.loudness_lufs + 20 * math.log10(gain), abs=1e-3)
    assert soft.bandwidth_hz == loud.bandwidth_hz
    moved = replace(soft, rms_db=loud.rms_db, loudness_lufs=loud.loudness_lufs, peak_amplitude=loud.peak_amplitude, energy_std=loud.energy_std)
    assert asdict(moved) == pytest.approx(asdict(loud), rel=1e-3)


@given(st.integers(0, 40), st.lists(st.tuples(st.integers(0, 6), st.integers(1, 30)), min_size=1, max_size=12), st.integers(1, 25))
def test_sliding_rows_give_the_rows_asked_for_and_compute_each_once(begin, steps, chunk):
    windows, first = [], begin
    for advance, length in steps:
        first += advance
        windows.append((first, first + length))
    end, computed = max(b for _, b in windows), []

    def compute(a: int, b: int) -> np.ndarray:
        assert b - a <= chunk
        computed.extend(range(a, b))
        return np.arange(a, b)[None]

    rows = SlidingRows(compute, begin, end, chunk=chunk, axis=1)
    for a, b in windows:
        assert rows.take(a, b).tolist() == [list(range(a, b))]
        rows.forget(a)
    assert len(computed) == len(set(computed))


@given(st.integers(1600, 3 * HOP_SAMPLES))
@settings(max_examples=60, deadline=None)
def test_every_clip_fills_a_hop_as_in_the_reference_and_its_hops_lie_inside(count):
    filled = count
    while filled < HOP_SAMPLES:
        filled *= 2
    ours = len(repeated(np.zeros(count, np.float32)))
    assert ours == filled
    starts = scored_hops(ours)
    assert starts and starts[-1] * 16000 + HOP_SAMPLES <= ours
    assert set(starts) <= set(scored_hops(ours, all_hops=True))


@given(st.integers(1600, HOP_SAMPLES - 1))
def test_a_period_is_whole_rows_and_whole_clips(count):
    total = len(repeated(np.zeros(count, np.float32)))
    period = period_rows(count, total)
    assert period is None or (period * 320 % count == 0 and 0 < period * 320 < total)


@given(st.dictionaries(st.text(max_size=3), st.dictionaries(st.sampled_from("abcd"), st.none() | st.floats()), max_size=4))
def test_fair_judges_scored_every_system(systems):
    for judge in fair_judges(systems):
        assert all(judge in composite({judge: row.get(judge)}).judges for row in systems.values())
