"""What ``audio.read`` takes, what it refuses, and how it says so."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from workbench import audio
from workbench.errors import AudioError

RATE_HZ = 16_000


def tone(duration_sec: float = 0.5, rate_hz: int = RATE_HZ, level: float = 0.3) -> np.ndarray:
    time_sec = np.arange(max(1, round(duration_sec * rate_hz))) / rate_hz
    return (level * np.sin(2 * np.pi * 220 * time_sec)).astype(np.float32)


def encoded(samples: np.ndarray, rate_hz: int = RATE_HZ, **options) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, **{"format": "WAV", "subtype": "PCM_16", **options})
    return out.getvalue()


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.wav", {"format": "WAVEX", "subtype": "PCM_24"}),
        ("a.flac", {"format": "FLAC"}),
        ("a.mp3", {"format": "MP3", "subtype": "MPEG_LAYER_III"}),
        ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("it's \"a\" ünïcode name.WAV", {}),
        ("flac named.wav", {"format": "FLAC"}),
        ("wav named.raw", {}),
    ],
)
def test_every_container_is_read_from_a_path_and_from_bytes(tmp_path, name, options):
    content = encoded(tone(), **options)
    (tmp_path / name).write_bytes(content)
    from_path, from_bytes = audio.read(tmp_path / name), audio.read(content)
    assert from_path.sample_rate_hz == RATE_HZ
    assert from_path.samples.dtype == np.float32 and from_path.samples.ndim == 1
    assert from_path.duration_sec == pytest.approx(0.5, abs=0.05)
    assert from_path.path == str(tmp_path / name) and from_bytes.path is None
    assert audio.content_hash(from_path) == audio.content_hash(from_bytes)


@pytest.mark.parametrize(
    ("samples", "rate_hz"),
    [
        (tone(0), RATE_HZ),
        (tone(0.05), RATE_HZ),
        (np.zeros(RATE_HZ, np.float32), RATE_HZ),
        (tone(level=1.7), RATE_HZ),
        (tone(rate_hz=8_000), 8_000),
        (tone(rate_hz=96_000), 96_000),
    ],
    ids=["one sample", "0.05 s", "silence", "peak above 1", "8 kHz", "96 kHz"],
)
def test_odd_but_honest_audio_is_read_as_it_is(samples, rate_hz):
    got = audio.read(encoded(samples, rate_hz, subtype="FLOAT"))
    np.testing.assert_array_equal(got.samples, samples)
    assert (got.sample_rate_hz, got.channels) == (rate_hz, 1)


def test_stereo_becomes_the_mean_of_its_channels():
    left, right = tone(level=0.5), np.zeros_like(tone())
    got = audio.read(encoded(np.stack([left, right], axis=1), subtype="FLOAT"))
    np.testing.assert_allclose(got.samples, left / 2, atol=1e-7)
    assert got.channels == 2


def test_audio_longer_than_one_block_keeps_every_sample():
    samples = np.random.default_rng(0).uniform(-1, 1, (600_001, 2)).astype(np.float32)
    got = audio.read(encoded(samples, subtype="FLOAT"))
    np.testing.assert_allclose(got.samples, samples.mean(axis=1), atol=1e-7)


BROKEN = {
    "zero bytes": (b"", "empty"),
    "four bytes of a header": (b"RIFF", "cannot be decoded"),
    "truncated header": (encoded(tone())[:30], "cannot be decoded"),
    "header alone": (encoded(tone())[:44], "cut short"),
    "text": (b"this is not audio at all, it is a sentence\n" * 20, "cannot be decoded"),
    "nothing but zeros": (bytes(5_000), "cannot be decoded"),
    "no samples": (encoded(np.zeros(0, np.float32)), "no samples"),
    "half a wav": (encoded(tone(2))[:32_000], "cut short"),
    "half a flac": (encoded(np.random.default_rng(0).uniform(-1, 1, 600_000), format="FLAC")[:900_000], "cut short"),
    "half an mp3": (half(encoded(tone(4), format="MP3", subtype="MPEG_LAYER_III")), "cut short"),
    "one NaN": (encoded(np.where(np.arange(8_000) == 4_000, np.nan, tone()), subtype="FLOAT"), "not numbers"),
    "infinite samples": (encoded(np.where(np.arange(8_000) > 7_000, np.inf, tone()), subtype="FLOAT"), "not numbers"),
    "1 kHz": (encoded(tone(rate_hz=1_000), 1_000), "sample rate"),
    "1 MHz": (encoded(tone(0.01, rate_hz=1_000_000), 1_000_000), "sample rate"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_audio_gets_one_clear_error_from_a_path_and_from_bytes(tmp_path, case):
    content, what = BROKEN[case]
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(AudioError, match=what) as caught:
            audio.read(source, where="clip 7")
        error = caught.value
        assert error.where == "clip 7" and error.got and error.expected and error.mend


def test_the_nan_error_says_how_many_and_where_the_first_is():
    samples = tone(2)
    samples[16_000:16_010] = np.nan
    samples[20_000] = np.inf
    with pytest.raises(AudioError, match=r"11 of 32,000 samples.*first at 1\.000 s"):
        audio.read(encoded(samples, subtype="FLOAT"))


def test_a_nan_in_one_channel_of_two_or_opposite_infinities_are_found():
    samples = np.zeros((1_000, 2), np.float32)
    samples[10] = [np.inf, -np.inf]
    samples[20, 1] = np.nan
    with pytest.raises(AudioError, match="2 of 1,000 samples"):
        audio.read(encoded(samples, subtype="FLOAT"))


@pytest.mark.parametrize("path", ["missing.wav", "", "nul\0.wav", "x" * 5_000 + ".wav"], ids=["missing", "blank", "NUL", "too long"])
def test_a_path_that_leads_nowhere_is_an_audio_error(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AudioError, match="not found|cannot be reached"):
        audio.read(path)


def test_a_folder_is_not_audio(tmp_path):
    with pytest.raises(AudioError, match="not a file"):
        audio.read(tmp_path)


@pytest.mark.parametrize("size", [0x7FFF_F000, 0xFFFF_FFFF, 0x8000_0000 - 36])
def test_a_wav_written_to_a_pipe_with_unknown_length_is_whole(size):
    content = bytearray(encoded(tone()))
    assert content[36:40] == b"data"
    content[4:8] = content[40:44] = struct.pack("<I", size)
    assert audio.read(bytes(content)).duration_sec == 0.5


def test_a_flac_written_to_a_pipe_with_unknown_length_is_whole():
    content = bytearray(encoded(np.random.default_rng(0).uniform(-1, 1, 600_000), format="FLAC"))
    whole = audio.read(bytes(content))
    content[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples (RFC 9639, section 8.2)
    content[22:26] = bytes(4)
    assert audio.content_hash(audio.read(bytes(content))) == audio.content_hash(whole)


def test_a_part_of_a_file_is_what_cutting_the_whole_gives(tmp_path):
    samples = np.random.default_rng(1).uniform(-1, 1, 48_000).astype(np.float32)
    for options in ({"subtype": "FLOAT"}, {"format": "FLAC"}):
        content = encoded(samples, **options)
        whole = audio.read(content)
        for start_sec, duration_sec in [(0, 1), (0.5, 0.25), (2.9, 5), (1, None)]:
            part = audio.read(content, start_sec=start_sec, duration_sec=duration_sec)
            end_sec = start_sec + duration_sec if duration_sec else whole.duration_sec
            np.testing.assert_array_equal(part.samples, audio.cut(whole, start_sec, end_sec).samples)


@pytest.mark.parametrize(("start_sec", "duration_sec"), [(-1, None), (0, 0), (0, -1), (float("nan"), None), (9, None), (0, float("nan"))])
def test_a_part_outside_the_audio_is_refused(start_sec, duration_sec):
    with pytest.raises(AudioError, match="part"):
        audio.read(encoded(tone()), start_sec=start_sec, duration_sec=duration_sec)


def test_half_an_hour_is_read_without_a_second_copy_in_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8_000, 2, "PCM_16") as sound:
        for _ in range(30):
            sound.write(np.full((8_000 * 60, 2), 0.1, np.float32))
    tracemalloc.start()
    got = audio.read(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert got.duration_sec == 1800
    assert peak_bytes < 1.3 * got.samples.nbytes + 4_000_000
