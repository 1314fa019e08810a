"""Kokoro through its own package, with a tiny model of random numbers saved in its own format."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest

from tests.tiny_models.kokoro import build_tiny_kokoro
from workbench import engines
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, TextError, UnknownNameError
from workbench.scan.speak import TextToSpeak, speak, usable_voices
from workbench.tts import PartlySpokenError, SaidAs, SpeechRequest
from workbench.tts.kokoro_phones import in_passes, phonemes_of, spoken_in_full


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return build_tiny_kokoro(tmp_path_factory.mktemp("kokoro"))


@pytest.fixture(scope="module")
def kokoro(weights):
    engine = engines.create("kokoro", "tts", weights=str(weights))
    engine.load("cpu")
    yield engine
    engine.close()


def test_a_text_becomes_24_khz_audio(kokoro):
    (spoken,) = kokoro.speak([SpeechRequest("Good day.", "f1")])
    assert spoken.sample_rate_hz == 24000 and spoken.samples.dtype == np.float32 and spoken.path is None
    assert spoken.duration_sec > 0.1 and np.isfinite(spoken.samples).all() and spoken.peak > 0.01


def test_neither_batch_nor_order_nor_what_came_before_changes_a_sample(kokoro):
    requests = [SpeechRequest("Good day.", "af_heart"), SpeechRequest("Why?", "am_puck"), SpeechRequest("Good day.", "am_puck")]
    together = kokoro.speak(requests)
    turned = kokoro.speak(requests[::-1])[::-1]
    for one, other, request in zip(together, turned, requests, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        np.testing.assert_array_equal(one.samples, kokoro.speak([request])[0].samples)
    assert together[0].samples[:2000].tolist() != together[2].samples[:2000].tolist()


def test_speaking_leaves_the_callers_random_numbers_alone(kokoro):
    import torch

    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    kokoro.speak([SpeechRequest("Go.", "af_heart")])
    assert torch.equal(torch.rand(3), expected)


def test_another_seed_gives_other_noise(kokoro, weights):
    other = engines.create("kokoro", "tts", weights=str(weights), seed=2)
    other.load()
    request = SpeechRequest("Go.", "af_heart")
    one, two = kokoro.speak([request])[0], other.speak([request])[0]
    assert len(one.samples) == len(two.samples) and not np.array_equal(one.samples, two.samples)
    assert kokoro.identity() != other.identity()
    other.close()


def test_each_take_of_a_text_draws_its_own_noise_and_gives_it_again(kokoro):
    first, second, again = kokoro.speak([SpeechRequest("Go.", "af_heart", take=take) for take in (1, 2, 2)])
    assert len(first.samples) == len(second.samples) and not np.array_equal(first.samples, second.samples)
    np.testing.assert_array_equal(second.samples, again.samples)
    np.testing.assert_array_equal(first.samples, kokoro.speak([SpeechRequest("Go.", "af_heart")])[0].samples)


def test_speed_shortens_speech(weights):
    # Long symbols, so that half of a duration is not rounded up to the least one.
    engine = engines.create("kokoro", "tts", weights=str(weights))
    engine.load()
    import torch

    with torch.no_grad():
        engine._model.predictor.duration_proj.linear_layer.bias.fill_(8.0)
    slow, plain = (engine.speak([SpeechRequest("Go on.", "af_heart", speed)])[0].duration_sec for speed in (0.5, 1.0))
    assert slow == pytest.approx(2 * plain, rel=0.1)
    engine.close()


def test_given_phonemes_are_what_is_said(kokoro):
    phones = kokoro.phonemes("He read it.", "af_heart")
    assert "ɹ" in phones and phones.endswith(".")
    said = [kokoro.speak([SpeechRequest(text, "af_heart", phonemes=p)])[0].samples for text, p in (("He read it.", None), ("", phones), ("He read it.", phones.replace("ɛ", "i")))]
    np.testing.assert_array_equal(said[0], said[1])
    assert phones.replace("ɛ", "i") == phones or not np.array_equal(said[0], said[2])


def test_a_forced_word_is_said_as_told_among_the_others(kokoro):
    forced = SpeechRequest("He read it.", "af_heart", said_as=(SaidAs(3, 7, ("R", "IY1", "D")),))
    said = [kokoro.speak([request])[0].samples for request in (forced, SpeechRequest("", "af_heart", phonemes="hi ɹˈid ɪt."))]
    assert np.array_equal(*said)


@pytest.mark.parametrize(("phonemes", "told"), [("hɘlˈO☃", "does not know"), ("", "no phoneme"), (" .!", "no phoneme")])
def test_phonemes_that_cannot_be_said_are_refused(kokoro, phonemes, told):
    with pytest.raises(EngineError, match=told):
        kokoro.speak([SpeechRequest("Hello.", "af_heart", phonemes=phonemes)])


def test_a_bad_request_costs_only_itself(kokoro):
    requests = [SpeechRequest("Go.", "af_heart"), SpeechRequest("?!", "af_heart"), SpeechRequest("Go.", "Zephyr"), SpeechRequest("Go.", "af_sky"), SpeechRequest("行け", "jf_alpha"), SpeechRequest("Go.", "am_puck", 99.0)]
    with pytest.raises(PartlySpokenError, match="5 of 6") as caught:
        kokoro.speak(requests)
    assert [type(outcome) for outcome in caught.value.outcomes[1:]] == [TextError, UnknownNameError, EngineUnavailableError, EngineUnavailableError, EngineError]
    assert "af_sky.pt" in str(caught.value.outcomes[3]) and "phonemes" in str(caught.value.outcomes[4])
    assert kokoro.speak([SpeechRequest("", "jf_alpha", phonemes="ike")])[0].duration_sec > 0


def test_a_voice_of_ones_own_in_the_folder_is_a_voice(kokoro):
    assert "af_mine" in kokoro.voices()
    assert kokoro.speak([SpeechRequest("Go.", "af_mine")])[0].duration_sec > 0


def test_a_sensitive_text_is_spoken_here(kokoro):
    assert not kokoro.cloud
    assert kokoro.speak([SpeechRequest("Go.", "af_heart", sensitive=True)])[0].duration_sec > 0


def test_nothing_is_fetched(weights, monkeypatch):
    def refuse(*arguments, **_options):
        raise AssertionError(f"a connection was opened: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    engine = engines.create("kokoro", "tts", weights=str(weights))
    engine.load()
    assert engine.speak([SpeechRequest("Go.", "bf_emma"), SpeechRequest("Sí.", "s1")])[1].duration_sec > 0
    engine.close()


def test_a_long_text_is_spoken_in_passes_that_lose_nothing(kokoro, weights):
    text = "One, two. Three; four five."
    short = engines.create("kokoro", "tts", weights=str(weights), most_phonemes=9)
    short.load()
    whole, broken = (engine.speak([SpeechRequest(text, "af_heart")])[0] for engine in (kokoro, short))
    assert broken.duration_sec == pytest.approx(whole.duration_sec, rel=0.35)
    short.close()


@pytest.mark.parametrize(
    ("phonemes", "most", "pieces"),
    [
        ("abc. def. ghi.", 14, ["abc. def. ghi."]),
        ("abc. def. ghi.", 10, ["abc. def.", "ghi."]),
        ("abc, def; ghi.", 10, ["abc, def;", "ghi."]),
        ("abc def ghi", 7, ["abc def", "ghi"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("abc!” def", 6, ["abc!”", "def"]),
    ],
)
def test_speech_is_broken_at_the_best_places(phonemes, most, pieces):
    assert in_passes(phonemes, most) == pieces


def test_no_piece_is_too_long_and_no_symbol_is_lost():
    text = "".join(np.random.default_rng(1).choice(list("abcdef .,;!”—"), 5000))
    for most in (1, 7, 100, 510):
        pieces = in_passes(text, most)
        assert max(map(len, pieces)) <= most and "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Mr. Smith paid $3.50, he said.", "mister Smith paid three dollars and fifty cents, he said."),
        ("It's 3.5 km — really!", "It's three point five kilometers — really!"),
        ("Plain words, as they are.", "Plain words, as they are."),
    ],
)
def test_numbers_and_abbreviations_are_said_in_full_before_they_become_phonemes(written, spoken):
    assert spoken_in_full(written) == spoken


def test_phonemes_are_in_the_models_own_set_and_keep_the_punctuation():
    american, british = phonemes_of("Hello, go there!", "a"), phonemes_of("Hello, go there!", "b")
    assert american != british and american.startswith("həlˈO,") and "Q" in british and american.endswith("!")
    assert "dˈɑləɹz" in phonemes_of("$5", "a") and "¿" not in phonemes_of("Hola.", "e")


@pytest.mark.parametrize("options", [{"most_phonemes": 0}, {"most_phonemes": 511}, {"most_phonemes": True}, {"speaker": 3}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        engines.create("kokoro", "tts", **options)


def test_missing_weights_are_named_with_the_command_that_fetches_them(tmp_path, monkeypatch, weights):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "cache"))
    engine = engines.create("kokoro", "tts")
    assert engine.identity()["weights"] == "kokoro-82m" and "af_heart" in engine.voices()
    with pytest.raises(EngineUnavailableError, match="workbench weights fetch kokoro-82m"):
        engine.load()
    with pytest.raises(EngineUnavailableError, match="workbench weights fetch kokoro-82m"):
        usable_voices(["kokoro/f1"], when_missing="stop")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    with pytest.raises(EngineUnavailableError, match="kokoro-v1_0.pth"):
        engines.create("kokoro", "tts", weights=str(tmp_path / "empty")).load()
    with pytest.raises(EngineError, match="not loaded"):
        engine.speak([SpeechRequest("Go.", "f1")])


@pytest.mark.parametrize("fault", ["a part is missing", "names do not fit", "another architecture", "not weights"])
def test_weights_that_would_leave_the_model_random_are_refused(fault, tmp_path, weights):
    import torch

    (tmp_path / "config.json").write_text((weights / "config.json").read_text(encoding="utf-8"), encoding="utf-8")
    parts = torch.load(weights / "kokoro-v1_0.pth", weights_only=True)
    if fault == "a part is missing":
        del parts["decoder"]
    elif fault == "names do not fit":
        parts["decoder"] = {f"unknown_{key}": value for key, value in parts["decoder"].items()}
    elif fault == "another architecture":
        parts["bert_encoder"] = {"weight": torch.zeros(3, 3), "bias": torch.zeros(3)}
    path = tmp_path / "kokoro-v1_0.pth"
    path.write_bytes(b"no weights") if fault == "not weights" else torch.save(parts, path)
    with pytest.raises(EngineError, match="weights (do not fit|lack)"):
        engines.create("kokoro", "tts", weights=str(tmp_path)).load()


def test_weights_saved_from_a_wrapped_model_are_taken(tmp_path, weights, kokoro):
    import torch

    (tmp_path / "config.json").write_text((weights / "config.json").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "voices").symlink_to(weights / "voices")
    parts = torch.load(weights / "kokoro-v1_0.pth", weights_only=True)
    torch.save({name: {f"module.{key}": value for key, value in part.items()} for name, part in parts.items()}, tmp_path / "kokoro-v1_0.pth")
    engine = engines.create("kokoro", "tts", weights=str(tmp_path))
    engine.load()
    request = SpeechRequest("Go.", "af_heart")
    np.testing.assert_array_equal(engine.speak([request])[0].samples, kokoro.speak([request])[0].samples)
    engine.close()


def test_a_changed_file_changes_the_identity(tmp_path, weights):
    import os
    import shutil

    shutil.copytree(weights, tmp_path / "w")
    engine = engines.create("kokoro", "tts", weights=str(tmp_path / "w"))
    before = engine.identity()
    config = tmp_path / "w" / "config.json"
    config.write_text(config.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    os.utime(config, (time.time() + 5, time.time() + 5))
    assert engine.identity() != before and before["sample_rate_hz"] == 24000


def test_a_run_speaks_with_it(tmp_path, weights):
    options = {"kokoro": {"weights": str(weights)}}
    voices, left_out = usable_voices(["kokoro/f1"], when_missing="stop", options=options)
    spoken = speak([TextToSpeak("a", "Go."), TextToSpeak("b", "...")], voices, folder=tmp_path, dataset="d", options=options, say=lambda line: None)
    assert not left_out and [bool(clip.fault) for clip in spoken.clips] == [False, True] and spoken.clips[0].speaker == "kokoro/af_heart"
