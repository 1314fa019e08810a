"""A sensitive text stays at home: proven at the socket, for every way into an engine."""

from __future__ import annotations

import time

import pytest

from tests.speech_servers import CountingSocket
from workbench import engines
from workbench.config import Config
from workbench.errors import EngineError, EngineUnavailableError, PrivacyError, TextError
from workbench.scan.speak import TextToSpeak, Voice, speak
from workbench.scan.validation import ValidationConfig, validate
from workbench.text.prompts import load_prompts
from workbench.tts import SpeechRequest, speak_each
from workbench.tts.privacy import is_own

SECRET_TEXT = "The patient of room seven is Ada Lovelace."
QUICK = {"attempts": 1, "timeout_sec": 2.0}


@pytest.fixture
def wire():
    server = CountingSocket()
    yield server
    server.close()


@pytest.fixture
def keys(monkeypatch):
    for name in ("GEMINI_API_KEY", "INWORLD_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "key-for-tests-0123456789")


def cloud_options(engine: str, url: str) -> dict:
    if engine == "openai-speech":
        return {"base_urls": [f"{url}/v1"], "cloud": True, **QUICK}
    return {"base_url": url, **QUICK}


CLOUD = [("gemini", "Puck"), ("inworld", "Dennis"), ("openai-speech", "af_heart")]


@pytest.mark.parametrize(("name", "voice"), CLOUD)
def test_no_byte_of_a_batch_with_a_sensitive_text_leaves(name, voice, wire, keys):
    engine = engines.create(name, "tts", **cloud_options(name, wire.url))
    engine.load()
    batch = [SpeechRequest("Good morning.", voice), SpeechRequest("Good evening.", voice), SpeechRequest(SECRET_TEXT, voice, sensitive=True)]
    with pytest.raises(PrivacyError, match="never gets a sensitive text") as caught:
        engine.speak(batch)
    assert "Lovelace" not in str(caught.value)
    assert all(isinstance(outcome, PrivacyError) for outcome in speak_each(engine, batch))
    time.sleep(0.2)
    assert (wire.connections, wire.bytes) == (0, 0)
    # The same engine does reach the same socket with a text that is not sensitive: the count above counts.
    with pytest.raises(EngineError):
        engine.speak(batch[:1])
    assert wire.connections > 0 and wire.bytes > 100
    engine.close()


@pytest.mark.parametrize(("name", "voice"), CLOUD)
def test_an_engine_refuses_before_it_is_loaded_or_has_a_key(name, voice, wire, monkeypatch):
    for key in ("GEMINI_API_KEY", "INWORLD_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    engine = engines.create(name, "tts", **cloud_options(name, wire.url))
    with pytest.raises(PrivacyError):
        engine.speak([SpeechRequest(SECRET_TEXT, voice, sensitive=True)])
    assert wire.connections == 0


def test_inworld_with_word_times_refuses_as_well(wire, keys):
    engine = engines.create("inworld", "tts", **cloud_options("inworld", wire.url))
    engine.load()
    with pytest.raises(PrivacyError):
        engine.speak_timed([SpeechRequest("Hello.", "Dennis"), SpeechRequest(SECRET_TEXT, "Dennis", sensitive=True)])
    assert wire.connections == 0


@pytest.mark.parametrize("name", ["gemini", "inworld"])
def test_a_service_stays_a_cloud_engine_behind_a_local_address(name):
    assert engines.create(name, "tts", base_url="http://127.0.0.1:9").cloud
    assert engines.info(name, "tts").cloud


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8880/v1", True),
        ("http://127.0.0.1:8880/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:8880/v1", True),
        ("http://LOCALHOST:1", True),
        ("https://api.openai.com/v1", False),
        ("http://10.0.0.7:8880/v1", False),
        ("http://192.168.1.4/v1", False),
        ("http://0.0.0.0:8880/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://localhost.example.com/v1", False),
        ("http://xlocalhost/v1", False),
        ("http://speech.lab:8880/v1", True),
        ("http://evil-speech.lab/v1", False),
        ("http://speech.lab.evil.com/v1", False),
        ("http:///v1", False),
    ],
)
def test_whose_machine_an_address_is(url, own):
    assert is_own(url, ("Speech.lab",)) is own


def test_openai_speech_is_cloud_exactly_when_one_of_its_servers_is_not_ones_own():
    def make(*urls, **options):
        return engines.create("openai-speech", "tts", base_urls=list(urls), **options)

    assert not engines.create("openai-speech", "tts").cloud
    assert make("http://localhost:8880/v1", "http://10.0.0.7:8880/v1").cloud
    assert not make("http://localhost:8880/v1", "http://10.0.0.7:8880/v1", trusted_hosts=["10.0.0.7"]).cloud
    assert make("http://localhost:8880/v1", cloud=True).cloud


def test_a_proxy_of_the_environment_gets_nothing_meant_for_this_machine(wire, monkeypatch):
    from tests.speech_servers import openai_answer, serving

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, wire.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(openai_answer) as server:
        engine = engines.create("openai-speech", "tts", base_urls=[f"{server.url}/v1"], **QUICK)
        engine.load()
        (spoken,) = engine.speak([SpeechRequest(SECRET_TEXT, "af_heart", sensitive=True)])
    assert spoken.duration_sec > 0.2 and wire.connections == 0


def test_a_run_with_one_sensitive_text_and_one_cloud_voice_stops_before_anything_is_spoken(tmp_path, wire, keys, speaking_voice):
    texts = [TextToSpeak("one", "Good morning."), TextToSpeak("two", SECRET_TEXT, sensitive=True)]
    voices = [Voice.parse(speaking_voice), Voice.parse("gemini/Puck")]
    options = {"gemini": cloud_options("gemini", wire.url)}
    with pytest.raises(PrivacyError, match="gemini"):
        speak(texts, voices, folder=tmp_path, dataset="d", options=options, say=lambda line: None)
    assert wire.connections == 0 and not list(tmp_path.rglob("*.wav"))
    spoken = speak(texts, voices[:1], folder=tmp_path, dataset="d", options=options, say=lambda line: None)
    assert not any(clip.fault for clip in spoken.clips)


@pytest.mark.parametrize("marked", ["parameter", "column"])
def test_the_mark_reaches_the_engines_from_a_parameter_and_from_a_prompt_table(marked, tmp_path, wire, keys):
    prompts = tmp_path / "texts.tsv"
    prompts.write_text(f"prompt_id\tcategory\ttext\tsensitive\na\t\tGood morning.\t\nb\t\t{SECRET_TEXT}\t{'yes' if marked == 'column' else ''}\n", encoding="utf-8")
    config: Config = ValidationConfig(
        texts=str(prompts),
        voices=("gemini/m1",),
        sensitive=marked == "parameter",
        engine_options={"gemini": cloud_options("gemini", wire.url)},
        precision=None,
        judges=(),
        workers=1,
        database=str(tmp_path / "db.sqlite"),
        speech_folder=str(tmp_path / "speech"),
    )
    with pytest.raises(PrivacyError):
        validate(config, say=lambda line: None)
    assert wire.connections == 0


def test_a_prompt_table_whose_mark_is_unclear_is_refused(tmp_path):
    path = tmp_path / "texts.tsv"
    path.write_text("prompt_id\tcategory\ttext\tsensitive\na\t\tHello.\tmaybe\n", encoding="utf-8")
    with pytest.raises(TextError, match="sensitive must say yes or no"):
        load_prompts(path)
    path.write_text("prompt_id\tcategory\ttext\tsensitive\na\t\tHello.\tYES\nb\t\tHello.\tno\nc\t\tHello.\t\n", encoding="utf-8")
    assert [prompt.sensitive for prompt in load_prompts(path)] == [True, False, False]


def test_offline_no_server_elsewhere_is_spoken_to_and_ones_own_still_is(monkeypatch, keys, wire):
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")
    elsewhere = engines.create("gemini", "tts")
    with pytest.raises(EngineUnavailableError, match="offline.*WORKBENCH_OFFLINE"):
        elsewhere.check_ready()
    with pytest.raises(EngineUnavailableError, match="offline"):
        elsewhere.load()
    engines.create("openai-speech", "tts", base_urls=("http://127.0.0.1:9/v1",)).check_ready()
