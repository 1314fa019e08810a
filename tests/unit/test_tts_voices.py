"""Voices: what each backend has, what its aliases stand for, and what is said of a voice that it lacks."""

from __future__ import annotations

import pytest

from workbench import engines
from workbench.errors import UnknownNameError
from workbench.scan.speak import usable_voices
from workbench.tts.voices import resolve_voice, voice_sets, voices_of

KOKORO = {
    "f1": "af_heart", "f2": "af_bella", "f3": "af_sky", "f4": "af_aoede",
    "m1": "am_fenrir", "m2": "am_puck", "m3": "am_michael", "m4": "bm_george",
    "s1": "ef_dora", "s2": "em_alex", "s3": "em_santa",
}  # fmt: skip
GEMINI = {"f1": "Laomedeia", "f2": "Zephyr", "f3": "Aoede", "m1": "Puck"}
INWORLD = {"f1": "Sarah", "f2": "Deborah", "f3": "Ashley", "m1": "Dennis", "m2": "Mark", "bf1": "Olivia", "bf2": "Wendy"}


@pytest.mark.parametrize(
    ("backend", "alias", "voice"),
    [(backend, *pair) for backend, aliases in (("kokoro", KOKORO), ("openai-speech", KOKORO), ("gemini", GEMINI), ("inworld", INWORLD)) for pair in aliases.items()],
)
def test_an_alias_stands_for_its_voice(backend, alias, voice):
    assert resolve_voice(backend, alias, engines.create(backend, "tts").voices()) == voice


@pytest.mark.parametrize(
    ("voice", "language", "gender"),
    [
        ("af_jadzia", "en-US", "female"), ("am_santa", "en-US", "male"), ("bf_lily", "en-GB", "female"), ("bm_fable", "en-GB", "male"),
        ("em_alex", "es", "male"), ("ff_siwis", "fr-FR", "female"), ("hm_psi", "hi", "male"), ("if_sara", "it", "female"),
        ("jm_kumo", "ja", "male"), ("pf_dora", "pt-BR", "female"), ("zm_yunxi", "zh", "male"),
    ],
)  # fmt: skip
def test_a_kokoro_name_tells_language_and_gender(voice, language, gender):
    known = voices_of("openai-speech").info(voice)
    assert (known.language, known.gender) == (language, gender)


def test_the_voices_that_users_name_are_there():
    served = set(voices_of("openai-speech").names)
    assert {f"af_{n}" for n in "alloy aoede bella heart jadzia jessica kore nicole nova river sarah sky".split()} <= served
    assert {f"am_{n}" for n in "adam echo eric fenrir liam michael onyx puck santa".split()} <= served
    assert {f"bf_{n}" for n in ("alice", "emma", "lily")} | {f"bm_{n}" for n in ("daniel", "fable", "george", "lewis")} <= served
    assert len(voices_of("kokoro").names) == 54 and len(served) >= 66 and len(voices_of("gemini").names) == 30
    assert {info.language for info in voices_of("kokoro").voices} == {"en-US", "en-GB", "es", "fr-FR", "hi", "it", "ja", "pt-BR", "zh"}


def test_every_set_is_whole():
    for backend, known in voice_sets().items():
        assert len(set(known.names)) == len(known.names), backend
        assert set(known.aliases.values()) <= set(known.names) and not set(known.aliases) & set(known.names), backend
        assert {info.gender for info in known.voices} <= {"female", "male"}, backend


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("kokoro/Zephyr", ["belongs to gemini", "f1 (af_heart)", "m1 (am_fenrir)"]),
        ("gemini/af_aoede", ["belongs to kokoro", "Aoede", "f1 (Laomedeia)"]),
        ("inworld/f4", ["belongs to kokoro", "f1 (Sarah)", "bf1 (Olivia)"]),
        ("kokoro/bf1", ["belongs to inworld", "af_heart"]),
        ("kokoro/af_jadzia", ["belongs to openai-speech (a Kokoro server)"]),
        ("openai-speech/Dennis", ["belongs to inworld", "f1 (af_heart)"]),
        ("espeak/af_heart", ["belongs to kokoro", "use a voice of espeak", "en-us"]),
        ("kokoro/af_hart", ["unknown kokoro voice", "did you mean af_heart"]),
        ("gemini/zephir", ["unknown gemini voice", "did you mean Zephyr"]),
        ("inworld/Ashly", ["did you mean Ashley"]),
    ],
)
def test_a_voice_that_a_backend_lacks_is_refused_with_the_right_ones(written, told, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.setenv("INWORLD_API_KEY", "k")
    backend, _, voice = written.partition("/")
    with pytest.raises(UnknownNameError) as caught:
        resolve_voice(backend, voice, engines.create(backend, "tts").voices())
    assert all(piece in str(caught.value) for piece in told), str(caught.value)
    with pytest.raises(UnknownNameError):
        usable_voices([written], when_missing="skip")


def test_sets_of_a_server_and_names_of_ones_own():
    openai = engines.create("openai-speech", "tts", voices="openai", model="gpt-4o-mini-tts")
    assert resolve_voice("openai-speech", "coral", openai.voices()) == "coral"
    own = engines.create("openai-speech", "tts", voices=["en_male_1"])
    assert own.voices() == ("en_male_1",)
    assert "my-clone" in engines.create("inworld", "tts", extra_voices=["my-clone"]).voices()
    voices, _ = usable_voices(["openai-speech/f1"], when_missing="stop", options={"openai-speech": {"voices": "openai"}})
    assert str(voices[0]) == "openai-speech/nova"
    with pytest.raises(UnknownNameError, match="belongs to kokoro"):
        resolve_voice("openai-speech", "f1", own.voices(), aliases={})
