"""Energy, pitch, periodicity and the balance of the bands, frame by frame: what stress and voicing are heard by beside the phones themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAMPLE_RATE_HZ = 16_000
FRAMES_PER_SEC = 100
_HOP = SAMPLE_RATE_HZ // FRAMES_PER_SEC
#: Two periods of the lowest pitch.
_WINDOW = 640
_TRANSFORM = 2048
_PITCH_HZ = (65.0, 420.0)
#: Where voice lies that a fricative lets through, and where its noise lies.
_VOICE_HZ, _NOISE_HZ = (60.0, 500.0), (2_500.0, 7_500.0)
_FLOOR = 1e-9
#: What doubling the period costs.
_OCTAVE_COST = 0.03
#: A frame with less likeness to itself one period later has no pitch.
VOICED = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Prosody:
    """Shape (T,) each, 100 frames per second.

    Attributes:
        energy: log of the mean square, nats.
        periodicity: highest normalised autocorrelation within the range of pitch, 0..1.
        pitch: log Hz of that period; means something where ``periodicity`` is at least ``VOICED``.
        balance: log ratio of the energy between 60 and 500 Hz to that between 2.5 and 7.5 kHz, nats.
    """

    energy: np.ndarray
    periodicity: np.ndarray
    pitch: np.ndarray
    balance: np.ndarray


def prosody(samples: np.ndarray, *, first: int, last: int) -> Prosody:
    """Prosody of the frames ``first:last`` of 16 kHz samples; a frame's window is centred on its hop.

    The autocorrelation is normalised by that of the window (Boersma 1993), so that a lag costs nothing.
    """
    start = first * _HOP + _HOP // 2 - _WINDOW // 2
    length = (last - first - 1) * _HOP + _WINDOW
    padded = np.zeros(max(length, _WINDOW), dtype=np.float32)
    begin, end = max(start, 0), min(start + length, len(samples))
    if end > begin:
        padded[begin - start : end - start] = samples[begin:end]
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][: last - first]
    frames = frames - frames.mean(axis=1, keepdims=True)
    shape = np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * shape, _TRANSFORM)) ** 2
    correlation = np.fft.irfft(power, axis=1)
    own = np.fft.irfft(np.abs(np.fft.rfft(shape, _TRANSFORM)) ** 2)
    low, high = (int(SAMPLE_RATE_HZ / hz) for hz in _PITCH_HZ[::-1])
    likeness = correlation[:, low:high] / np.maximum(correlation[:, :1], _FLOOR) * (own[0] / own[low:high])
    # A signal is as like itself two periods later: the shorter one is meant.
    best = (likeness - _OCTAVE_COST * np.log2(np.arange(low, high))).argmax(axis=1)
    return Prosody(
        energy=np.log((frames**2).mean(axis=1) + _FLOOR),
        periodicity=np.clip(likeness[np.arange(len(frames)), best], 0.0, 1.0),
        pitch=np.log(SAMPLE_RATE_HZ / (best + low)),
        balance=np.log((_band(power, _VOICE_HZ) + _FLOOR) / (_band(power, _NOISE_HZ) + _FLOOR)),
    )


def _band(power: np.ndarray, hz: tuple[float, float]) -> np.ndarray:
    first, last = (int(edge * _TRANSFORM / SAMPLE_RATE_HZ) for edge in hz)
    return power[:, first:last].sum(axis=1)
