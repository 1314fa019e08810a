"""Resampling, hashing, levels, cutting and writing."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from workbench import audio
from workbench.audio import Audio
from workbench.errors import AudioError


def tone(duration_sec: float = 1.0, rate_hz: int = 24_000, level: float = 0.3, hz: float = 220) -> Audio:
    time_sec = np.arange(max(1, round(duration_sec * rate_hz))) / rate_hz
    return Audio((level * np.sin(2 * np.pi * hz * time_sec)).astype(np.float32), rate_hz)


def speech_like(duration_sec: float = 3.0, rate_hz: int = 24_000, level: float = 0.2) -> Audio:
    """Noise and harmonics in syllables: broad enough for an MP3 encoder to work as on speech."""
    random = np.random.default_rng(3)
    time_sec = np.arange(round(duration_sec * rate_hz)) / rate_hz
    voice = sum(np.sin(2 * np.pi * 120 * k * time_sec + k) / k for k in range(1, 25))
    sound = (voice + 0.3 * random.standard_normal(len(time_sec))) * np.clip(np.sin(2 * np.pi * 2.5 * time_sec), 0, 1)
    return Audio((level * sound / np.abs(sound).max()).astype(np.float32), rate_hz)


def test_resampling_to_the_same_rate_is_the_same_object():
    source = tone()
    assert audio.resample(source, 24_000) is source


@pytest.mark.parametrize("target_hz", [8_000, 16_000, 22_050, 48_000])
def test_resampling_keeps_duration_pitch_and_level(target_hz):
    got = audio.resample(tone(), target_hz)
    assert got.sample_rate_hz == target_hz and got.samples.dtype == np.float32
    assert got.duration_sec == pytest.approx(1.0, abs=1e-3)
    assert np.argmax(np.abs(np.fft.rfft(got.samples))) == pytest.approx(220, abs=1)
    assert audio.rms_db(got) == pytest.approx(audio.rms_db(tone()), abs=0.05)


def test_resampling_keeps_out_what_the_new_rate_cannot_hold():
    got = audio.resample(tone(hz=11_000), 16_000)
    assert audio.rms_db(audio.cut(got, 0.1, 0.9)) < -100


def test_resampling_keeps_a_peak_above_one():
    assert audio.resample(tone(level=1.8), 16_000).peak == pytest.approx(1.8, abs=0.02)


def test_one_sample_survives_resampling():
    for source_hz, target_hz in [(96_000, 16_000), (8_000, 48_000)]:
        assert len(audio.resample(Audio(np.ones(1, np.float32), source_hz), target_hz).samples) >= 1


def test_a_rate_that_is_none_is_refused():
    with pytest.raises(AudioError, match="0 Hz"):
        audio.resample(tone(), 0)


def test_the_same_sound_has_the_same_hash_in_wav_and_flac(tmp_path):
    samples = np.rint(speech_like().samples * 32_768).astype(np.int16)
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, samples, 24_000, subtype="PCM_16")
    first, second = audio.read(tmp_path / "a.wav"), audio.read(tmp_path / "a.flac")
    assert audio.content_hash(first) == audio.content_hash(second)
    assert len(audio.content_hash(first)) == 64


def test_the_hash_knows_one_sample_and_the_rate_but_not_the_sign_of_zero():
    samples = np.zeros(300_000, np.float32)
    one_off = samples.copy()
    one_off[299_999] = 1e-7
    different = [(samples, 16_000), (one_off, 16_000), (samples, 8_000), (samples[:-1], 16_000)]
    assert len({audio.content_hash(Audio(values, rate_hz)) for values, rate_hz in different}) == 4
    assert audio.content_hash(Audio(-samples, 16_000)) == audio.content_hash(Audio(samples, 16_000))


def test_the_hash_is_the_same_in_every_release():
    assert audio.content_hash(Audio(np.array([0.5, -0.25], np.float32), 16_000)) == (
        "0a5c1bc953acad9dc78e886da75a357a5ea4c29e3155a4d7a3060b73680f82e0"
    )


@pytest.mark.parametrize("level", [1e-6, 0.3, 1.7])
def test_peak_normalised_reaches_the_peak_and_leaves_the_source_alone(level):
    source = tone(level=level)
    before = source.samples.copy()
    assert audio.peak_normalised(source).peak == pytest.approx(0.99, abs=1e-5)
    np.testing.assert_array_equal(source.samples, before)


def test_silence_stays_silence_when_normalised():
    silence = Audio(np.zeros(100, np.float32), 16_000)
    assert audio.peak_normalised(silence).peak == 0.0


@pytest.mark.parametrize(("samples", "db"), [([1.0, -1.0], 0.0), ([0.1] * 5, -20.0), ([0.0] * 5, -120.0), ([1e-9], -120.0), ([], -120.0)])
def test_rms_is_in_db_of_full_scale_with_a_floor(samples, db):
    assert audio.rms_db(Audio(np.array(samples, np.float32), 16_000)) == pytest.approx(db, abs=1e-5)


def test_cut_gives_the_samples_between_two_times():
    source = Audio(np.arange(100, dtype=np.float32), 100)
    assert audio.cut(source, 0.25, 0.5).samples.tolist() == list(range(25, 50))
    assert audio.cut(source, 0.9, 7).samples.tolist() == list(range(90, 100))
    assert len(audio.cut(source, 0.5, 0.5001).samples) == 1


@pytest.mark.parametrize(("start_sec", "end_sec"), [(0.5, 0.5), (0.6, 0.5), (-1, 1), (1.0, 2.0), (float("nan"), 1)])
def test_cut_refuses_a_span_without_audio(start_sec, end_sec):
    with pytest.raises(AudioError):
        audio.cut(Audio(np.zeros(100, np.float32), 100), start_sec, end_sec)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100])
@pytest.mark.parametrize("level", [0.05, 0.9])
def test_mp3_keeps_loudness_and_time(rate_hz, level):
    source = speech_like(rate_hz=rate_hz, level=level)
    got = audio.read(audio.encode_mp3(source))
    assert got.sample_rate_hz in (16_000, 22_050, 24_000)
    assert got.duration_sec == pytest.approx(source.duration_sec, abs=0.002)
    want = audio.resample(source, got.sample_rate_hz)
    assert audio.rms_db(got) == pytest.approx(audio.rms_db(want), abs=0.2)
    size = min(len(got.samples), len(want.samples))
    spectrum = np.fft.rfft(got.samples[:size], 2 * size) * np.conj(np.fft.rfft(want.samples[:size], 2 * size))
    assert np.argmax(np.fft.irfft(spectrum)) <= 2, "a player would light its words up late"


def test_mp3_is_small_enough_for_a_report_and_the_same_each_time():
    first, second = audio.encode_mp3(speech_like(10)), audio.encode_mp3(speech_like(10))
    assert first == second
    assert len(first) / 10 < 8_000  # bytes per second


def test_mp3_clips_what_is_over_full_scale_and_does_not_turn_it_down():
    loud, full = tone(level=2.0), Audio(np.clip(tone(level=2.0).samples, -1, 1), 24_000)
    assert audio.rms_db(audio.read(audio.encode_mp3(loud))) == pytest.approx(audio.rms_db(full), abs=0.2)


@pytest.mark.parametrize("duration_sec", [0, 0.01, 0.05])
def test_mp3_of_next_to_nothing_can_be_played(duration_sec):
    assert audio.read(audio.encode_mp3(tone(duration_sec))).duration_sec == pytest.approx(duration_sec, abs=0.001)


def test_mp3_refuses_what_it_cannot_hold():
    empty = Audio(np.zeros(0, np.float32), 16_000)
    for source, options in [(empty, {}), (tone(), {"sample_rate_hz": 17_000}), (tone(), {"compression": 1.0})]:
        with pytest.raises(AudioError):
            audio.encode_mp3(source, **options)


def test_a_written_wav_reads_back_with_the_same_hash(tmp_path):
    out = io.BytesIO()
    soundfile.write(out, speech_like(level=1.0).samples, 24_000, format="WAV", subtype="PCM_16")
    source = audio.read(out.getvalue())
    audio.write_wav(source, tmp_path / "new folder" / "a.wav")
    assert soundfile.info(tmp_path / "new folder" / "a.wav").subtype == "PCM_16"
    assert audio.content_hash(audio.read(tmp_path / "new folder" / "a.wav")) == audio.content_hash(source)


def test_a_peak_above_one_is_written_unclipped(tmp_path):
    source = tone(level=1.7)
    audio.write_wav(source, tmp_path / "a.wav")
    assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"
    assert audio.content_hash(audio.read(tmp_path / "a.wav")) == audio.content_hash(source)


def test_a_full_scale_sample_does_not_wrap_around(tmp_path):
    audio.write_wav(Audio(np.array([1.0, -1.0], np.float32), 16_000), tmp_path / "a.wav")
    assert audio.read(tmp_path / "a.wav").samples.tolist() == [32767 / 32768, -1.0]


def test_a_failed_write_leaves_what_was_there_and_no_rubbish(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_text("in the way")
    for target in (tmp_path / "folder.wav", tmp_path / "file" / "a.wav"):
        with pytest.raises(AudioError, match="cannot be written"):
            audio.write_wav(tone(), target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.wav"]
    assert (tmp_path / "file").read_text() == "in the way"
