"""Forced pronunciations: said by every engine that can be told, refused by the others."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import engines
from workbench.errors import EngineError
from workbench.tts.base import SaidAs, SpeechRequest
from workbench.tts.said_as import as_espeak, as_flite, as_kokoro

TEXT = "They live here."
LIVE, LIFE = ("L", "IH1", "V"), ("L", "AY1", "V")


def said(engine, voice, *forced):
    return engine.speak([SpeechRequest(TEXT, voice, said_as=forced)])[0].samples


@pytest.mark.parametrize(("name", "voice"), [("flite", "slt"), ("espeak", "en-us")])
def test_the_forced_reading_is_what_is_said(name, voice):
    engine = engines.create(name, "tts")
    engine.load()
    verb, adjective = (said(engine, voice, SaidAs(5, 9, phones)) for phones in (LIVE, LIFE))
    assert len(verb) > 1000 and (len(verb) != len(adjective) or not np.array_equal(verb, adjective))
    # The same phones by another spelling are the same speech.
    other = engine.speak([SpeechRequest("They leev here.", voice, said_as=(SaidAs(5, 9, LIVE),))])[0].samples
    assert np.array_equal(verb, other)


@pytest.mark.parametrize(("name", "voice"), [("flite", "rms"), ("espeak", "en-gb-scotland")])
def test_an_engine_confirms_what_it_was_told_to_say(name, voice):
    engine = engines.create(name, "tts")
    engine.load()
    forced = SpeechRequest("Separate the live ones.", voice, said_as=(SaidAs(0, 8, ("S", "EH1", "P", "ER0", "AH0", "T")), SaidAs(13, 17, LIFE)))
    assert engine.confirms(forced) and engine.confirms(SpeechRequest(TEXT, voice))
    # eSpeak NG tells the glide between two vowels.
    glide = SpeechRequest("They deviate.", voice, said_as=(SaidAs(5, 12, ("D", "IY1", "V", "IY0", "EY2", "T")),))
    assert engine.confirms(glide)


@pytest.mark.parametrize("name", ["flite", "espeak"])
@pytest.mark.parametrize(
    ("forced", "told"),
    [
        ((SaidAs(5, 40, LIVE),), "outside the text"), ((SaidAs(5, 9, LIVE), SaidAs(7, 9, LIVE)), "over another"), ((SaidAs(9, 9, LIVE),), "outside"),
        ((SaidAs(5, 9, ()),), "without phones"), ((SaidAs(5, 9, ("L", "IQ1")),), "not an ARPABET"), ((SaidAs(5, 9, ("L1",)),), "not an ARPABET"),
        ((SaidAs(5, 9, LIVE),) * 17, "too many"),
    ],
)  # fmt: skip
def test_what_cannot_be_forced_is_refused(name, forced, told):
    engine = engines.create(name, "tts")
    engine.load()
    with pytest.raises(EngineError, match=told):
        said(engine, "slt" if name == "flite" else "en-us", *forced)


def test_a_server_that_cannot_be_told_refuses():
    engine = engines.create("openai-speech", "tts", base_urls=["http://127.0.0.1:9/v1"])
    engine.load()
    with pytest.raises(EngineError, match="cannot be told"):
        said(engine, "af_heart", SaidAs(5, 9, LIVE))


def test_each_engine_gets_its_own_notation():
    conduct = ("K", "AH0", "N", "D", "AH1", "K", "T")
    assert (as_espeak(conduct), as_flite(conduct), as_kokoro(conduct)) == ("k@nd'Vkt", "k ax0 n d ah1 k t", "kəndˈʌkt")
    separate = ("S", "EH1", "P", "ER0", "EY2", "T")
    assert (as_espeak(separate), as_flite(separate), as_kokoro(separate)) == ("s'Ep3,eIt", "s eh1 p er0 ey1 t", "sˈɛpəɹˌAt")
