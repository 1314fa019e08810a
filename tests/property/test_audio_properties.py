"""What holds for any audio and for any bytes."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench import audio
from workbench.audio import Audio
from workbench.errors import AudioError

RATES_HZ = st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 96_000])
SAMPLES = hnp.arrays(np.float32, st.integers(1, 400), elements=st.floats(-4, 4, width=32))
AUDIO = st.builds(Audio, SAMPLES, RATES_HZ)


@settings(deadline=None, max_examples=150)
@given(content=st.one_of(st.binary(max_size=400), st.tuples(st.integers(0, 300), st.binary(min_size=1, max_size=8))))
def test_any_bytes_are_audio_or_one_audio_error(content):
    if isinstance(content, tuple):  # a sound file with a few bytes overwritten
        out = io.BytesIO()
        soundfile.write(out, np.linspace(-0.5, 0.5, 200, dtype=np.float32), 16_000, format="WAV", subtype="FLOAT")
        place, patch = content
        content = out.getvalue()[:place] + patch + out.getvalue()[place + len(patch) :]
    try:
        got = audio.read(content, where="clip")
    except AudioError as error:
        assert error.where == "clip" and error.got and error.expected
    else:
        assert len(got.samples) and np.isfinite(got.samples).all() and got.samples.dtype == np.float32


@settings(deadline=None, max_examples=60)
@given(sound=AUDIO)
def test_reading_what_was_written_and_writing_it_again_changes_nothing(sound, tmp_path_factory):
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    audio.write_wav(sound, path)
    first = audio.read(path)
    assert abs(first.samples - sound.samples).max() <= 1 / 32_768
    audio.write_wav(first, path)
    assert audio.content_hash(audio.read(path)) == audio.content_hash(first)


@settings(deadline=None, max_examples=60)
@given(sound=AUDIO, target_hz=RATES_HZ)
def test_resampling_keeps_the_duration_to_one_sample_and_is_finite(sound, target_hz):
    got = audio.resample(sound, target_hz)
    assert abs(got.duration_sec - sound.duration_sec) <= 1 / min(target_hz, sound.sample_rate_hz)
    assert np.isfinite(got.samples).all() and len(got.samples) >= 1


@settings(deadline=None, max_examples=60)
@given(sound=AUDIO)
def test_levels_are_consistent(sound):
    assert -120 <= audio.rms_db(sound) <= 20 * np.log10(max(sound.peak, 1e-6)) + 1e-3
    assert audio.peak_normalised(sound).peak <= 0.9901


@settings(deadline=None, max_examples=60)
@given(sound=AUDIO, first=st.floats(0, 1), second=st.floats(0, 1))
def test_cutting_in_two_loses_no_sample(sound, first, second):
    middle = round(min(first, 0.999) * len(sound.samples)) / sound.sample_rate_hz
    if 0 < middle < sound.duration_sec:
        parts = [audio.cut(sound, 0, middle).samples, audio.cut(sound, middle, sound.duration_sec).samples]
        np.testing.assert_array_equal(np.concatenate(parts), sound.samples)


@settings(deadline=None, max_examples=40)
@given(sound=AUDIO)
def test_a_report_player_can_play_anything(sound):
    assert len(audio.read(audio.encode_mp3(sound)).samples) >= 1
