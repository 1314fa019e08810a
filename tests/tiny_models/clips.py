"""Clips that tests of recognisers share: real speech where it matters, and every kind of audio in which no word can be."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import numpy as np

from workbench.audio import Audio

RATE_HZ = 16_000


def spoken(texts: Sequence[str]) -> list[Audio]:
    """The texts said by flite, or by espeak where that is all there is."""
    from workbench.tts.base import SpeechRequest
    from workbench.tts.espeak import EspeakSynthesizer
    from workbench.tts.flite import FliteSynthesizer

    engine, voice = (FliteSynthesizer(), "slt") if shutil.which("flite") else (EspeakSynthesizer(), "en-us")
    engine.load()
    try:
        return engine.speak([SpeechRequest(text, voice) for text in texts])
    finally:
        engine.close()


def noise(sec: float, *, seed: int = 0, rate_hz: int = RATE_HZ, level: float = 0.2) -> Audio:
    """Noise with a slow swell: no two stretches are alike, so nothing that is mixed up stays hidden."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal(int(sec * rate_hz)) * level * (0.3 + 0.7 * np.abs(np.sin(np.arange(int(sec * rate_hz)) / rate_hz * 2.0)))
    return Audio(np.clip(samples, -1, 1).astype(np.float32), rate_hz)


#: Audio in which no word can be, by what is wrong with it.
WORDLESS: dict[str, Audio] = {
    "empty": Audio(np.zeros(0, dtype=np.float32), RATE_HZ),
    "five milliseconds": Audio(np.full(80, 0.5, dtype=np.float32), RATE_HZ),
    "silence": Audio(np.zeros(2 * RATE_HZ, dtype=np.float32), RATE_HZ),
    "silence at 8 kHz": Audio(np.zeros(8000, dtype=np.float32), 8000),
    "rounding noise": Audio(np.resize(np.array([1, -1, 0, 1], dtype=np.float32) / 32768, RATE_HZ), RATE_HZ),
}


def spoilt(value: float) -> Audio:
    """A second of noise with one sample that is not finite."""
    samples = noise(1.0).samples.copy()
    samples[5000] = value
    return Audio(samples, RATE_HZ)
