"""The effective bandwidth: ceilings are found wherever they come from, and open speech has none."""

from __future__ import annotations

import io
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal as filters

from workbench import audio as audio_io
from workbench.audio import Audio
from workbench.judges.signal import SignalJudge, measure
from workbench.tts.base import SpeechRequest
from workbench.tts.espeak import EspeakSynthesizer
from workbench.tts.flite import FliteSynthesizer

TEXT = "She opened the letter slowly, read it twice, and laid it face down on the table."
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "clips"


@cache
def speech(rate_hz: int = 24000) -> Audio:
    """Full-band speech at a rate that its voice really has: sampled down from eSpeak's 22.05 kHz, or, above that, opened with noise in its consonants."""
    spoken = EspeakSynthesizer().speak([SpeechRequest(TEXT, "en-us", 1.0)])[0]
    if rate_hz <= spoken.sample_rate_hz:
        return audio_io.resample(spoken, rate_hz)
    spoken = audio_io.resample(spoken, rate_hz)
    envelope = np.abs(filters.sosfilt(filters.butter(2, 3000, "high", fs=rate_hz, output="sos"), spoken.samples))
    hiss = np.random.default_rng(3).standard_normal(len(envelope)) * filters.lfilter(*filters.butter(1, 30, fs=rate_hz), envelope)
    return as_stored(spoken.samples + 0.3 * hiss, rate_hz)


def as_stored(samples: np.ndarray, rate_hz: int) -> Audio:
    """As a 16-bit file holds it."""
    return Audio((np.round(np.clip(samples, -1, 1) * 32767) / 32767).astype(np.float32), rate_hz)


def low_passed(audio: Audio, hz: float, *, taps: int = 401) -> Audio:
    return as_stored(filters.oaconvolve(audio.samples, filters.firwin(taps, hz, fs=audio.sample_rate_hz), mode="same"), audio.sample_rate_hz)


def upsampled(audio: Audio, from_hz: int) -> Audio:
    return as_stored(audio_io.resample(audio_io.resample(audio, from_hz), audio.sample_rate_hz).samples, audio.sample_rate_hz)


def coded(audio: Audio, **how) -> Audio:
    buffer = io.BytesIO()
    soundfile.write(buffer, audio.samples, audio.sample_rate_hz, **how)
    return audio_io.read(buffer.getvalue())


def bandwidth_hz(audio: Audio) -> float | None:
    return measure(audio).bandwidth_hz


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 24000, 44100, 48000])
def test_open_speech_reaches_up_to_half_its_rate(rate_hz):
    assert bandwidth_hz(speech(rate_hz)) > 0.9 * rate_hz / 2


@pytest.mark.parametrize("ceiling_hz", [3400, 4000, 6000, 8000])
def test_a_24_khz_file_with_a_ceiling_is_found(ceiling_hz):
    assert bandwidth_hz(low_passed(speech(), ceiling_hz)) == pytest.approx(ceiling_hz, abs=250)


@pytest.mark.parametrize(("from_hz", "rate_hz"), [(8000, 16000), (8000, 24000), (16000, 24000), (16000, 48000), (22050, 44100)])
def test_an_upsampled_file_has_the_ceiling_of_its_source(from_hz, rate_hz):
    assert 0.9 * from_hz / 2 < bandwidth_hz(upsampled(speech(rate_hz), from_hz)) <= 1.02 * from_hz / 2


def test_a_poor_resampler_that_lets_images_through_is_found_all_the_same():
    audio = speech(24000)
    down = filters.resample_poly(audio.samples, 1, 3)
    assert bandwidth_hz(as_stored(filters.resample_poly(down, 3, 1), 24000)) == pytest.approx(4000, abs=700)


def test_noise_over_the_ceiling_does_not_hide_it():
    audio = low_passed(speech(), 5000)
    noise = np.random.default_rng(1).standard_normal(len(audio.samples)) * 10 ** (audio_io.rms_db(audio) / 20 - 2.25)
    assert bandwidth_hz(as_stored(audio.samples + noise, 24000)) == pytest.approx(5000, abs=250)


def test_a_click_does_not_open_the_band():
    samples = low_passed(speech(), 5000).samples.copy()
    samples[len(samples) // 2] = 0.9
    assert bandwidth_hz(as_stored(samples, 24000)) == pytest.approx(5000, abs=250)


def test_a_codecs_ceiling_is_found():
    low, high = (coded(speech(44100), format="MP3", bitrate_mode="CONSTANT", compression_level=level) for level in (0.9, 0.1))
    assert bandwidth_hz(low) < 0.8 * 22050
    assert bandwidth_hz(high) > bandwidth_hz(low)
    assert bandwidth_hz(coded(speech(24000), format="OGG", subtype="VORBIS", compression_level=0.1)) > 0.9 * 12000


def test_noise_and_tones_reach_as_far_as_they_sound():
    noise = Audio(0.1 * np.random.default_rng(1).standard_normal(48000).astype(np.float32), 24000)
    assert bandwidth_hz(noise) == 12000
    assert bandwidth_hz(low_passed(noise, 4000)) == pytest.approx(4000, abs=250)
    t = np.arange(48000) / 24000
    assert bandwidth_hz(as_stored(0.5 * np.sin(2 * np.pi * 440 * t), 24000)) < 1000


def test_where_too_little_sounds_nothing_is_said():
    assert bandwidth_hz(Audio(np.zeros(48000, np.float32), 24000)) is None
    short = Audio(speech().samples[:12000], 24000)
    assert bandwidth_hz(short) is None
    assert bandwidth_hz(as_stored(np.concatenate([np.zeros(72000), short.samples, np.zeros(72000)]), 24000)) is None
    (scores,) = SignalJudge().score([short])
    assert "bandwidth_hz" not in scores.values and scores.failure is None


def test_silence_around_the_speech_changes_nothing():
    audio = low_passed(speech(), 6000)
    padded = Audio(np.concatenate([np.zeros(240000, np.float32), audio.samples, np.zeros(240000, np.float32)]), 24000)
    assert bandwidth_hz(padded) == bandwidth_hz(audio)


def test_loudness_does_not_matter():
    audio = low_passed(speech(), 6000)
    assert bandwidth_hz(Audio(audio.samples * np.float32(1e-3), 24000)) == bandwidth_hz(audio) == bandwidth_hz(Audio(audio.samples * np.float32(50), 24000))


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
@pytest.mark.parametrize("voice", ["slt", "rms", "awb", "kal16"])
def test_every_voice_of_flite_is_open_and_its_copy_is_not(voice):
    spoken = FliteSynthesizer().speak([SpeechRequest(TEXT, voice, 1.0)])[0]
    assert bandwidth_hz(spoken) > 0.9 * 8000
    assert bandwidth_hz(upsampled(spoken, 8000)) == pytest.approx(4000, abs=250)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared recordings here; synthetic speech covers the same promise above")
def test_human_and_neural_recordings_are_open_and_their_copies_are_not():
    paths = sorted(path for path in SHARED.glob("*/*") if path.suffix in (".wav", ".flac", ".mp3"))[::7]
    for path in paths:
        audio = audio_io.read(path)
        assert bandwidth_hz(audio) > 0.8 * audio.sample_rate_hz / 2, path.name
        assert bandwidth_hz(upsampled(audio, 8000)) == pytest.approx(4000, abs=250), path.name
