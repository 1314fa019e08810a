"""Mel spectrum of 16 kHz audio as DNSMOS P.808 was trained on: 321-sample Hann frames every 160 samples, 120 Slaney bands.

The definition is librosa's ``feature.melspectrogram(n_fft=321, hop_length=160, n_mels=120)``; computed here so that scoring needs no
librosa, whose import takes seconds, and so that hops which overlap share their frames.
"""

from __future__ import annotations

from functools import cache

import numpy as np

SAMPLE_RATE_HZ = 16000
FRAME_SAMPLES = 321
HOP_SAMPLES = 160
BANDS = 120
_LINEAR_HZ_PER_MEL = 200 / 3
_LOG_START_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27  # Slaney's Auditory Toolbox: 27 bands from 1 to 6.4 kHz


def _hz_of(mel: np.ndarray) -> np.ndarray:
    start = _LOG_START_HZ / _LINEAR_HZ_PER_MEL
    return np.where(mel < start, mel * _LINEAR_HZ_PER_MEL, _LOG_START_HZ * np.exp(_LOG_STEP * (np.maximum(mel, start) - start)))


@cache
def filterbank() -> np.ndarray:
    """The filters of P.808: 120 from 0 to 8 kHz; shape (161 bins, 120 bands), float32."""
    return slaney_filters(SAMPLE_RATE_HZ, fft_samples=FRAME_SAMPLES, bands=BANDS, top_hz=SAMPLE_RATE_HZ / 2)


@cache
def slaney_filters(sample_rate_hz: int, *, fft_samples: int, bands: int, top_hz: float) -> np.ndarray:
    """Triangles of unit area, evenly spaced on Slaney's mel scale from 0 to ``top_hz`` (1 kHz or more).

    Returns:
        shape (fft_samples // 2 + 1 bins, bands), float32.
    """
    top_mel = _LOG_START_HZ / _LINEAR_HZ_PER_MEL + np.log(top_hz / _LOG_START_HZ) / _LOG_STEP
    corners_hz = _hz_of(np.linspace(0.0, top_mel, bands + 2))
    bins_hz = np.fft.rfftfreq(fft_samples, 1 / sample_rate_hz)[:, None]
    low, mid, high = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]
    rising, falling = (bins_hz - low) / (mid - low), (high - bins_hz) / (high - mid)
    return (np.maximum(0.0, np.minimum(rising, falling)) * (2 / (high - low))).astype(np.float32)


@cache
def _window() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)).astype(np.float32)


def frames_of(samples: np.ndarray) -> np.ndarray:
    """All whole frames of ``samples`` (N,), a view of shape (T, 321)."""
    return np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::HOP_SAMPLES]


def frame_power(frames: np.ndarray) -> np.ndarray:
    """Windowed power spectrum: (T, 321) -> (T, 161), float32."""
    spectrum = np.fft.rfft(frames * _window(), axis=1)
    return spectrum.real**2 + spectrum.imag**2
