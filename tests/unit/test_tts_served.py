"""Engines that speak through a server: the documented interfaces, servers that misbehave, one request at a time, one outcome per request."""

from __future__ import annotations

import base64
import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.speech_servers import RATE_HZ, Reply, gemini_answer, inworld_answer, openai_answer, serving, tone, wav_bytes
from workbench import audio as audio_io
from workbench import engines
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, TextError, UnknownNameError
from workbench.scan.speak import TextToSpeak, speak, usable_voices
from workbench.tts import PartlySpokenError, SpeechRequest, speak_each

QUICK = {"first_wait_sec": 0.01, "longest_wait_sec": 1.0, "timeout_sec": 10.0}
HELLO = SpeechRequest("Good morning to you.", "af_heart")


def client(*servers, **options):
    engine = engines.create("openai-speech", "tts", base_urls=[f"{server.url}/v1" for server in servers], **{**QUICK, **options})
    engine.load()
    return engine


def first_then(*replies):
    """An answer that gives the replies in turn, then the real thing."""
    waiting = list(replies)
    return lambda path, body, headers: waiting.pop(0) if waiting else openai_answer(path, body, headers)


@pytest.mark.parametrize("form", ["wav", "pcm", "mp3", "flac"])
def test_every_format_is_decoded_at_its_own_rate(form):
    with serving(openai_answer) as server:
        (spoken,) = client(server, response_format=form).speak([HELLO])
    assert spoken.sample_rate_hz == RATE_HZ and spoken.duration_sec == pytest.approx(0.4, abs=0.08)
    assert spoken.peak == pytest.approx(8000 / 32768, rel=0.1) and spoken.path is None


def test_what_is_asked_is_what_was_meant():
    with serving(openai_answer) as server:
        client(server, model="m", extra={"stream": False, "voice": "never"}).speak([SpeechRequest("Hi.", "f1", 1.25)])
    (path, body, headers) = server.seen[0]
    assert path == "/v1/audio/speech" and body == {"stream": False, "model": "m", "input": "Hi.", "voice": "af_heart", "speed": 1.25, "response_format": "wav"}
    assert "authorization" not in headers


def test_the_rate_comes_from_the_audio_and_not_from_what_is_said_of_it():
    with serving(lambda *_: Reply(wav_bytes(tone(0.3, 16000), 16000), kind="text/html")) as server:
        (spoken,) = client(server, response_format="mp3").speak([HELLO])
    assert spoken.sample_rate_hz == 16000 and spoken.duration_sec == pytest.approx(0.3)
    with serving(lambda *_: Reply(tone(0.3, 16000).tobytes(), kind="audio/L16; rate=16000")) as server:
        (spoken,) = client(server, response_format="pcm").speak([HELLO])
    assert spoken.sample_rate_hz == 16000
    np.testing.assert_array_equal(spoken.samples, tone(0.3, 16000) / np.float32(32768))


HTML = b"<!doctype html><html><body>Sign in</body></html>"


@pytest.mark.parametrize("form", ["wav", "pcm", "mp3"])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty answer"),
        (HTML, "not audio"),
        (b'{"error": "busy"}', "not audio"),
        (wav_bytes(tone(1.0))[:20000], "cannot be used: audio file is cut short"),
        (wav_bytes(tone(0)), "holds no samples"),
    ],
)
def test_an_answer_that_is_no_whole_audio_is_an_error_that_shows_what_came(form, body, told):
    with serving(lambda *_: Reply(body, kind="audio/wav")) as server, pytest.raises(EngineError, match=told) as caught:
        client(server, response_format=form).speak([HELLO])
    assert caught.value.got and (not body.startswith((b"<", b"{")) or body[:9].decode() in str(caught.value))


def test_raw_samples_cut_within_a_sample_are_an_error():
    with serving(lambda *_: Reply(tone().tobytes()[:-1], kind="audio/pcm")) as server, pytest.raises(EngineError, match="cut short"):
        client(server, response_format="pcm").speak([HELLO])


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_tried_again(status):
    with serving(first_then(Reply(b"busy", status, "text/plain"), Reply(b"busy", status, "text/plain"))) as server:
        (spoken,) = client(server).speak([HELLO])
    assert len(server.seen) == 3 and spoken.duration_sec > 0.2


def test_a_connection_that_breaks_off_is_tried_again_and_never_half_an_audio():
    whole = wav_bytes(tone(1.0))
    with serving(first_then(Reply(whole, cut=9000))) as server:
        (spoken,) = client(server).speak([HELLO])
    assert len(server.seen) == 2 and spoken.duration_sec < 0.5
    with serving(lambda *_: Reply(whole, cut=9000)) as server, pytest.raises(EngineError, match="connection failed"):
        client(server, attempts=2).speak([HELLO])
    assert len(server.seen) == 2


def test_tries_are_bounded_and_the_last_word_of_the_server_is_told():
    with serving(lambda *_: Reply(b"out of memory", 500, "text/plain")) as server, pytest.raises(EngineError, match="500.*out of memory") as caught:
        client(server, attempts=3).speak([HELLO])
    assert len(server.seen) == 3 and "3 attempts" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_lasting_fault_is_not_tried_again(status):
    with serving(lambda *_: Reply(b'{"detail": "no such voice"}', status, "application/json")) as server, pytest.raises(EngineError, match=f"{status}.*no such voice"):
        client(server).speak([HELLO])
    assert len(server.seen) == 1


def test_retry_after_is_kept_and_a_longer_one_than_allowed_ends_the_tries():
    at: list[float] = []

    def busy_once(path, body, headers):
        at.append(time.monotonic())
        return Reply(b"", 429, headers={"retry-after": "0.6"}) if len(at) == 1 else openai_answer(path, body, headers)

    with serving(busy_once) as server:
        client(server).speak([HELLO])
    assert at[1] - at[0] >= 0.6
    with serving(lambda *_: Reply(b"quota", 429, "text/plain", headers={"retry-after": "3600"})) as server, pytest.raises(EngineError, match="asks to wait 3600 s"):
        client(server).speak([HELLO])
    assert len(server.seen) == 1


def test_a_redirect_is_never_followed():
    with serving(openai_answer) as other, serving(lambda *_: Reply(b"", 307, headers={"location": f"{other.url}/v1/audio/speech"})) as server:
        with pytest.raises(EngineError, match="redirect, which is not followed"):
            client(server).speak([HELLO])
        assert len(server.seen) == 1 and not other.seen


def test_a_server_that_is_not_there_is_told_with_its_address():
    with serving(openai_answer) as server:
        url = server.url
    engine = engines.create("openai-speech", "tts", base_urls=[f"{url}/v1"], **{**QUICK, "attempts": 2})
    engine.load()
    with pytest.raises(EngineError, match=url.removeprefix("http://")):
        engine.speak([HELLO])


def test_one_failing_text_costs_only_itself_and_nothing_is_asked_twice():
    def picky(path, body, headers):
        return Reply(b"bad text", 400, "text/plain") if "bad" in body["input"] else openai_answer(path, body, headers)

    texts = ["one good", "one bad", "", "two good", "voice of another"]
    requests = [SpeechRequest(text, "Zephyr" if "voice" in text else "am_puck") for text in texts]
    with serving(picky) as server:
        engine = client(server)
        with pytest.raises(PartlySpokenError, match="3 of 5 requests failed") as caught:
            engine.speak(requests)
        outcomes = speak_each(engine, requests)
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["Audio", "EngineError", "TextError", "Audio", "UnknownNameError"]
    assert [type(outcome).__name__ for outcome in caught.value.outcomes] == kinds and len(server.seen) == 6
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and [type(outcome).__name__ for outcome in again.outcomes] == kinds


def one_at_a_time(path, body, headers):
    if headers["overlaps"]:
        return Reply(b"CUDA error", 500, "text/plain")
    reply = openai_answer(path, body, headers)
    reply.sec = 0.05
    return reply


def test_an_instance_never_gets_two_requests_at_once_from_threads_of_several_engines():
    requests = [SpeechRequest(f"Text number {k}.", "af_sky") for k in range(6)]
    with serving(one_at_a_time) as server:
        first, second = client(server), client(server, timeout_sec=30)
        with ThreadPoolExecutor(3) as pool:
            spoken = list(pool.map(lambda engine: engine.speak(requests), [first, second, first]))
    assert server.most_at_work == 1 and len(server.seen) == 18
    assert all(len(audios) == 6 for audios in spoken)


def test_an_instance_never_gets_two_requests_at_once_from_worker_processes(tmp_path):
    texts = [TextToSpeak(f"t{k}", f"Text number {k}.") for k in range(16)]
    with serving(one_at_a_time) as server:
        options = {"openai-speech": {"base_urls": [f"{server.url}/v1"], "timeout_sec": 20.0}}
        voices, _ = usable_voices(["openai-speech/f1"], when_missing="stop", options=options)
        spoken = speak(texts, voices, folder=tmp_path, dataset="d", workers=2, options=options, say=lambda line: None)
    assert server.most_at_work == 1 and len(server.seen) == 16 and not any(clip.fault for clip in spoken.clips)
    assert {clip.speaker for clip in spoken.clips} == {"openai-speech/af_heart"}


def test_several_instances_work_side_by_side_one_request_each():
    both = threading.Barrier(2, timeout=10)

    def wait_for_the_other(path, body, headers):
        both.wait()
        return one_at_a_time(path, body, headers)

    with serving(wait_for_the_other) as one, serving(wait_for_the_other) as two:
        spoken = client(one, two).speak([HELLO] * 6)
    assert len(spoken) == 6 and one.most_at_work == two.most_at_work == 1 and len(one.seen) + len(two.seen) == 6


def test_a_dead_instance_leaves_its_work_to_the_others():
    with serving(openai_answer) as dead:
        pass
    with serving(openai_answer) as server:
        spoken = client(dead, server).speak([HELLO] * 5)
    assert len(spoken) == 5 and len(server.seen) == 5


def test_after_a_time_out_the_instance_is_left_to_finish_before_it_is_asked_again():
    slow_once = first_then(Reply(wav_bytes(tone()), sec=0.8))
    with serving(slow_once) as server:
        engine = client(server, timeout_sec=0.5)
        outcomes = speak_each(engine, [HELLO, HELLO])
    assert isinstance(outcomes[0], EngineError) and "no answer within 0.5 s" in str(outcomes[0])
    assert not isinstance(outcomes[1], Exception)
    assert len(server.seen) == 2 and server.most_at_work == 1


def test_a_server_that_sends_drop_by_drop_is_given_up():
    with serving(lambda *_: Reply(wav_bytes(tone(1.0)), drip_sec=0.1)) as server, pytest.raises(EngineError, match="not finished after 0.4 s"):
        client(server, timeout_sec=0.4).speak([HELLO])
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"base_urls": "http://localhost:8880/v1"}, "list of names"),
        ({"base_urls": []}, "different servers"),
        ({"base_urls": ["http://localhost:1/v1", "http://127.0.0.1:1/v1/"]}, "different servers"),
        ({"base_urls": ["localhost:8880"]}, "not the address"),
        ({"base_urls": ["http://me:hunter2@localhost/v1"]}, "no user, password"),
        ({"base_urls": ["http://localhost/v1?key=hunter2"]}, "no user, password"),
        ({"response_format": "opus9"}, "unknown response format"),
        ({"voices": "kokkoro"}, "unknown set of voices"),
        ({"attempts": 0}, "1 or more"),
        ({"timeout_sec": float("nan")}, "finite"),
        ({"speed": 2}, "refused its options"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, told):
    with pytest.raises(ConfigError, match=told) as caught:
        engines.create("openai-speech", "tts", **options)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("name", "voice"), [("openai-speech", "af_heart"), ("gemini", "Puck"), ("inworld", "Mark")])
def test_requests_that_cannot_be_meant_are_refused_before_anything_is_sent(name, voice, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "k1")
    monkeypatch.setenv("INWORLD_API_KEY", "k2")
    with serving(lambda *_: Reply(b"", 500)) as server:
        address = {"base_urls": [f"{server.url}/v1"]} if name == "openai-speech" else {"base_url": server.url}
        engine = engines.create(name, "tts", **address, **QUICK)
        with pytest.raises(EngineError, match="not loaded"):
            engine.speak([SpeechRequest("Hi.", voice)])
        engine.load()
        for request, error in [
            (SpeechRequest("  ?! ", voice), TextError),
            (SpeechRequest("Hi.", voice, 9.0), EngineError),
            (SpeechRequest("Hi.", voice, float("nan")), EngineError),
            (SpeechRequest("Hi.", voice, phonemes="həlˈO"), EngineError),
            (SpeechRequest("Hi.", "nobody"), UnknownNameError),
        ]:
            with pytest.raises(error):
                engine.speak([request])
        assert engine.speak([]) == [] and not server.seen


def test_gemini_speaks_as_documented(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "gemini-key-123")
    with serving(gemini_answer) as server:
        engine = engines.create("gemini", "tts", base_url=server.url, **QUICK)
        engine.load()
        (spoken,) = engine.speak([SpeechRequest("Hello.", "f1")])
    _, body, headers = server.seen[0]
    assert body["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"] == "Laomedeia"
    assert headers["x-goog-api-key"] == "gemini-key-123" and "gemini-key" not in server.seen[0][0]
    assert spoken.sample_rate_hz == RATE_HZ
    np.testing.assert_array_equal(spoken.samples, tone() / np.float32(32768))


def as_json(value) -> Reply:
    return Reply(json.dumps(value).encode(), kind="application/json")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (as_json({"candidates": []}), "holds no audio"),
        (as_json({"promptFeedback": {"blockReason": "SAFETY"}}), "blocked: SAFETY"),
        (as_json({"candidates": [{"content": {"parts": [{"text": "I cannot"}]}, "finishReason": "STOP"}]}), "holds no audio"),
        (as_json({"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "AAAA"}}]}, "finishReason": "MAX_TOKENS"}]}), "cut short or refused"),
        (as_json({"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "no base64!"}}]}}]}), "not base64"),
        (as_json({"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "audio/L16;rate=24000", "data": ""}}]}}]}), "empty answer"),
        (as_json({"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "audio/L16;rate=1", "data": base64.b64encode(tone().tobytes()).decode()}}]}}]}), "sample rate"),
        (as_json([1, 2]), "no JSON object"),
        (as_json({"candidates": [7], "x": None}), "holds no audio"),
        (Reply(HTML, kind="application/json"), "no JSON object"),
    ],
)
def test_an_answer_of_gemini_without_speech_says_why(reply, told, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "gemini-key-123")
    with serving(lambda *_: reply) as server:
        engine = engines.create("gemini", "tts", base_url=server.url, **QUICK)
        engine.load()
        with pytest.raises(EngineError, match=told):
            engine.speak([SpeechRequest("Hello.", "Puck")])


def test_inworld_speaks_as_documented_with_the_times_of_its_words(monkeypatch):
    monkeypatch.setenv("INWORLD_API_KEY", "aW53b3JsZDprZXk=")
    with serving(inworld_answer) as server:
        engine = engines.create("inworld", "tts", base_url=server.url, sample_rate_hz=22050, **QUICK)
        engine.load()
        (spoken,) = engine.speak([SpeechRequest("Hello there.", "bf1")])
        ((timed, words), refused) = engine.speak_timed([SpeechRequest("Hello there.", "m1", 0.5), SpeechRequest("x " * 1500, "m1")])
    _, body, headers = server.seen[0]
    assert body["voiceId"] == "Olivia" and headers["authorization"] == "Basic aW53b3JsZDprZXk="
    assert spoken.sample_rate_hz == 22050 and timed.duration_sec == pytest.approx(2 * spoken.duration_sec, rel=0.01)
    assert [(word.text, word.start_sec, word.end_sec) for word in words] == [("Hello", 0.0, 0.1), ("there.", 0.1, 0.2)]
    assert isinstance(refused, TextError) and "at most 2,000" in str(refused)


@pytest.mark.parametrize("broken", [None, 7, {"wordAlignment": None}, {"wordAlignment": {"words": ["a", "b"], "wordStartTimeSeconds": [0.0]}}, {"wordAlignment": {"words": 3}}])
def test_word_times_that_do_not_fit_are_left_out_and_the_audio_kept(broken, monkeypatch):
    monkeypatch.setenv("INWORLD_API_KEY", "k")
    sound = base64.b64encode(wav_bytes(tone())).decode()
    with serving(lambda *_: as_json({"audioContent": sound, "timestampInfo": broken})) as server:
        engine = engines.create("inworld", "tts", base_url=server.url, **QUICK)
        engine.load()
        ((spoken, words),) = engine.speak_timed([SpeechRequest("Hello.", "Mark")])
    assert spoken.duration_sec == pytest.approx(0.3) and words == ()


def test_cloud_requests_at_once_are_bounded(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "k")

    def slow(path, body, headers):
        reply = gemini_answer(path, body, headers)
        reply.sec = 0.05
        return reply

    with serving(slow) as server:
        engine = engines.create("gemini", "tts", base_url=server.url, concurrency=3, **QUICK)
        engine.load()
        assert len(engine.speak([SpeechRequest("Hello.", "Puck")] * 12)) == 12
    assert 2 <= server.most_at_work <= 3


def test_a_voice_without_its_key_is_left_out_or_stops_the_run(monkeypatch, tmp_path, speaking_voice):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    voices, left_out = usable_voices([speaking_voice, "gemini/Puck"], when_missing="skip")
    assert [str(voice) for voice in voices] == [speaking_voice] and "GEMINI_API_KEY" in left_out[0]
    with pytest.raises(EngineUnavailableError, match="GEMINI_API_KEY"):
        usable_voices(["gemini/Puck"], when_missing="stop")


def test_identity_tells_models_and_servers_apart_and_holds_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "openai-key-123")
    one, same, other = (engines.create("openai-speech", "tts", base_urls=[url]).identity() for url in ("http://a/v1", "http://a/v1/", "http://b/v1"))
    assert one == same != other
    moved = [engines.create("openai-speech", "tts", base_urls=[url], revision="kokoro-fastapi 0.2").identity() for url in ("http://a/v1", "http://b/v1")]
    assert moved[0] == moved[1] and "openai-key" not in repr([one, *moved])
    assert engines.create("gemini", "tts").identity() != engines.create("gemini", "tts", model="x").identity()


def test_spoken_clips_of_a_server_are_kept_and_not_asked_for_again(tmp_path):
    texts = [TextToSpeak("a", "Hello there."), TextToSpeak("b", "?!")]
    with serving(openai_answer) as server:
        options = {"openai-speech": {"base_urls": [f"{server.url}/v1"], **QUICK}}
        voices, _ = usable_voices(["openai-speech/f1", "openai-speech/af_heart"], when_missing="stop", options=options)
        first = speak(texts, voices, folder=tmp_path, dataset="d", options=options, say=lambda line: None)
        again = speak(texts, voices, folder=tmp_path, dataset="d", options=options, say=lambda line: None)
    assert [str(voice) for voice in voices] == ["openai-speech/af_heart"] and len(server.seen) == 1
    assert [bool(clip.fault) for clip in first.clips] == [False, True] and "nothing to say" in first.clips[1].fault
    assert again.reused == 1 and audio_io.read(again.clips[0].audio).sample_rate_hz == RATE_HZ
