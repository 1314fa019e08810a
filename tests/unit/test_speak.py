"""Speaking texts: real engines, the same samples each time, faults as clips."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from workbench import audio as audio_io
from workbench import engines
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, TextError, UnknownNameError
from workbench.scan.speak import TextToSpeak, Voice, speak, usable_voices
from workbench.tts import SpeechRequest

HELLO = "Good morning, said the \u201cold\u201d man \u2014 it is caf\u00e9 time."


def spoken(engine: str, voice: str, text: str = HELLO, speed: float = 1.0):
    synthesizer = engines.create(engine, "tts")
    synthesizer.load()
    return synthesizer.speak([SpeechRequest(text, voice, speed)])[0]


@pytest.mark.parametrize("written", ["flite/slt", "flite/kal16", "espeak/en-us", "espeak/en-gb"])
def test_the_same_text_gives_the_same_samples(written):
    voice = Voice.parse(written)
    if voice.engine == "flite" and not shutil.which("flite"):
        pytest.fail("flite is not installed: apt-get install flite")
    first, second = (spoken(voice.engine, voice.voice) for _ in range(2))
    assert first.duration_sec > 1.0 and 0.01 < first.peak <= 1.0
    np.testing.assert_array_equal(first.samples, second.samples)


def test_speed_shortens_speech(speaking_voice):
    voice = Voice.parse(speaking_voice)
    assert spoken(voice.engine, voice.voice, speed=1.5).duration_sec < 0.8 * spoken(voice.engine, voice.voice).duration_sec


def test_the_library_speaks_where_the_program_is_missing(monkeypatch):
    from workbench.tts import espeak

    monkeypatch.setenv("PATH", str(shutil.os.path.dirname(sys.executable)))
    for cached in (espeak._door, espeak._version):
        cached.cache_clear()
    try:
        assert espeak._door() == "library"
        first, second = (spoken("espeak", "en-us") for _ in range(2))
        assert first.duration_sec > 1.0 and engines.create("espeak", "tts").identity()["door"] == "library"
        np.testing.assert_array_equal(first.samples, second.samples)
        voices, left_out = usable_voices(["flite/slt", "espeak/en-us"], when_missing="skip")
        assert [str(v) for v in voices] == ["espeak/en-us"] and "apt-get install flite" in left_out[0]
        with pytest.raises(EngineUnavailableError, match="apt-get install flite"):
            usable_voices(["flite/slt", "espeak/en-us"], when_missing="stop")
        with pytest.raises(EngineUnavailableError, match="no voice is left"):
            usable_voices(["flite/slt"], when_missing="skip")
    finally:
        for cached in (espeak._door, espeak._version):
            cached.cache_clear()


@pytest.mark.parametrize("text", ["", "...", "\U0001f642 !?"])
def test_nothing_to_say_is_a_clear_error(speaking_voice, text):
    voice = Voice.parse(speaking_voice)
    with pytest.raises(TextError, match="nothing to say"):
        spoken(voice.engine, voice.voice, text)


def test_unknown_voices_and_speeds_are_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean en-us"):
        spoken("espeak", "en-uss")
    with pytest.raises(UnknownNameError, match="did you mean en-us"):
        usable_voices(["espeak/en-uss"], when_missing="skip")
    with pytest.raises(EngineError, match="speed out of range"):
        spoken("espeak", "en-us", speed=9.0)
    with pytest.raises(ConfigError, match="engine/voice"):
        Voice.parse("slt")


def test_a_text_that_cannot_be_spoken_is_a_clip_with_a_fault_and_a_second_call_speaks_nothing(tmp_path, speaking_voice):
    texts = [TextToSpeak("one", "Hello there."), TextToSpeak("two", "?!"), TextToSpeak("three", "- A dash, 'quotes' and \"more\"."), TextToSpeak("planted", "spoken", reference="written")]
    voices = [Voice.parse(speaking_voice)]
    lines: list[str] = []
    first = speak(texts, voices, folder=tmp_path, dataset="d", say=lines.append)
    assert [bool(clip.fault) for clip in first.clips] == [False, True, False, False]
    assert "nothing to say" in first.clips[1].fault and first.clips[3].text == "written"
    assert audio_io.read(first.clips[2].audio).duration_sec > 0.5
    second = speak(texts, voices, folder=tmp_path, dataset="d", say=lines.append)
    assert second.reused == 3 and [c.audio for c in second.clips] == [c.audio for c in first.clips]
    assert len({clip.clip_id for clip in first.clips}) == 4


def test_a_long_text_with_a_leading_dash_is_spoken(speaking_voice):
    voice = Voice.parse(speaking_voice)
    assert spoken(voice.engine, voice.voice, "-v is an option " + "and this goes on " * 60).duration_sec > 30
