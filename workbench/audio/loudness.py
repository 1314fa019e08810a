"""Loudness of programme material (ITU-R BS.1770-4) and copies brought to a given loudness.

Source: Recommendation ITU-R BS.1770-4 (10/2015), annex 1: two weighting filters ("K"), mean square in blocks of 400 ms that overlap by
75%, an absolute gate at -70 LKFS and a relative one 10 LU under what passed it. The standard tabulates the filters for 48 kHz; for other
rates they are designed anew from the analogue prototypes of which that table is the bilinear transform.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from workbench.audio.base import Audio

BLOCK_SEC, STEP_SEC = 0.4, 0.1
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
_OFFSET_DB = -0.691
_STEPS_AT_ONCE = 200
# Prototypes behind the standard's table: corner in Hz, quality factor, and for the shelf its gain in dB.
_SHELF_HZ, _SHELF_Q, _SHELF_GAIN_DB = 1681.974450955533, 0.7071752369554196, 3.999843853973347
_SHELF_SLOPE = 0.4996667741545416  # exponent that splits the gain between the numerator's two upper terms
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def k_weighting(sample_rate_hz: int) -> np.ndarray:
    """Both filters as second-order sections (b0, b1, b2, a0, a1, a2), shape (2, 6): the shelf of the head, then the high pass."""
    shelf, high_pass = math.tan(math.pi * _SHELF_HZ / sample_rate_hz), math.tan(math.pi * _HIGH_PASS_HZ / sample_rate_hz)
    top = 10 ** (_SHELF_GAIN_DB / 20)
    middle = top**_SHELF_SLOPE
    numerator = [top + middle * shelf / _SHELF_Q + shelf**2, 2 * (shelf**2 - top), top - middle * shelf / _SHELF_Q + shelf**2]
    first = np.array(numerator + _denominator(shelf, _SHELF_Q)) / (1 + shelf / _SHELF_Q + shelf**2)
    # The standard leaves the high pass's numerator at 1, -2, 1: its pass band is not exactly at 0 dB, and its offset of -0.691 knows.
    second = np.array([1.0, -2.0, 1.0, *(np.array(_denominator(high_pass, _HIGH_PASS_Q)) / (1 + high_pass / _HIGH_PASS_Q + high_pass**2))])
    return np.stack([first, second])


def _denominator(warped: float, quality: float) -> list[float]:
    return [1 + warped / quality + warped**2, 2 * (warped**2 - 1), 1 - warped / quality + warped**2]


def integrated_lufs(audio: Audio) -> float:
    """Gated loudness of mono audio in LUFS; ``-inf`` when no block is louder than -70 LUFS, and for empty audio.

    Audio shorter than one block of 400 ms is measured as a single block of its own length, since the standard gives it no loudness at all.
    """
    powers = _block_powers(audio)
    loud = powers[powers > _power(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return -math.inf
    kept = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return _OFFSET_DB + 10 * math.log10(float(kept.mean()))


def loudness_normalised(audio: Audio, lufs: float) -> Audio:
    """A copy at ``lufs`` (its peak may exceed 1); audio without a loudness of its own is returned as it is."""
    present = integrated_lufs(audio)
    return audio if math.isinf(present) else replace(audio, samples=audio.samples * np.float32(10 ** ((lufs - present) / 20)))


def _power(lufs: float) -> float:
    return 10 ** ((lufs - _OFFSET_DB) / 10)


def _block_powers(audio: Audio) -> np.ndarray:
    """Mean square of every weighted block, float64; steps of 100 ms are summed once and shared by the four blocks that hold them. Memory does not grow with the audio."""
    from scipy.signal import sosfilt

    if not len(audio.samples):
        return np.zeros(0)
    filters = k_weighting(audio.sample_rate_hz)
    step, per_block = round(STEP_SEC * audio.sample_rate_hz), round(BLOCK_SEC / STEP_SEC)
    state, sums, rest = np.zeros((len(filters), 2)), [], 0.0
    for start in range(0, len(audio.samples), _STEPS_AT_ONCE * step):
        weighted, state = sosfilt(filters, audio.samples[start : start + _STEPS_AT_ONCE * step].astype(np.float64), zi=state)
        squares = np.square(weighted)
        whole = len(squares) // step * step
        sums.append(squares[:whole].reshape(-1, step).sum(axis=1))
        rest = float(squares[whole:].sum())
    steps = np.concatenate(sums)
    if len(steps) < per_block:
        return np.array([(steps.sum() + rest) / len(audio.samples)])
    return np.convolve(steps, np.ones(per_block), mode="valid") / (per_block * step)
