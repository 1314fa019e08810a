"""whisper through faster-whisper itself, with a tiny model converted by CTranslate2's own converter."""

import numpy as np
import pytest

from tests.tiny_models.clips import WORDLESS, noise, spoilt
from tests.tiny_models.whisper import build_tiny_whisper
from workbench import engines
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError
from workbench.stt.base import SttRequest
from workbench.stt.whisper import WhisperTranscriber


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    return str(build_tiny_whisper(tmp_path_factory.mktemp("whisper")))


@pytest.fixture(scope="module")
def engine(weights):
    engine = engines.create("whisper", "stt", weights=weights, threads=1)
    engine.load("cpu")
    yield engine
    engine.close()


def hear(engine, *clips):
    return engine.transcribe([SttRequest(audio) for audio in clips])


CLIPS = [noise(sec, seed=number) for number, sec in enumerate((1.0, 3.0, 6.0, 12.0))]


def test_words_are_plain_timed_in_order_and_sure_between_nought_and_one(engine):
    heard = hear(engine, *CLIPS)
    assert sum(len(transcript.words) for transcript in heard) >= 3
    for audio, transcript in zip(CLIPS, heard, strict=True):
        assert transcript.confidence_method == "whisper_token_probability"
        assert all(word.text.isalpha() and word.text == word.text.lower() and 0 <= word.confidence <= 1 for word in transcript.words)
        starts = [word.start_sec for word in transcript.words]
        assert starts == sorted(starts) and all(0 <= w.start_sec <= w.end_sec <= audio.duration_sec for w in transcript.words)


def test_the_words_are_those_of_the_library(engine, weights):
    from faster_whisper import WhisperModel

    from workbench.text import normalise

    model = WhisperModel(weights, device="cpu", compute_type="float32", cpu_threads=1)
    for audio, transcript in zip(CLIPS, hear(engine, *CLIPS), strict=True):
        segments, _ = model.transcribe(audio.samples, language="en", temperature=0.0, condition_on_previous_text=False, word_timestamps=True)
        told = normalise(" ".join(word.word.strip() for segment in segments for word in segment.words))
        assert " ".join(word.text for word in transcript.words) == told


def test_a_clip_is_heard_alike_alone_in_a_batch_and_again(engine):
    assert hear(engine, *CLIPS) == [hear(engine, audio)[0] for audio in CLIPS] == hear(engine, *CLIPS[::-1])[::-1]


@pytest.mark.parametrize("audio", WORDLESS.values(), ids=WORDLESS)
def test_audio_without_words_gives_an_empty_transcript(engine, audio):
    assert hear(engine, audio)[0].words == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(engine, value):
    with pytest.raises(AudioError, match="not finite"):
        hear(engine, spoilt(value))


def test_the_fingerprint_follows_weights_and_decoding(weights, tmp_path):
    identity = WhisperTranscriber(weights=weights).identity()
    assert identity["weights"] == "faster-distil-whisper-large-v3" and identity["temperature"] == 0.0
    others = [
        WhisperTranscriber(weights=str(build_tiny_whisper(tmp_path / "other", seed=1))),
        WhisperTranscriber(weights=weights, beam_size=1),
        WhisperTranscriber(weights=weights, language=None),
        WhisperTranscriber(weights=weights, no_speech_threshold=0.9),
    ]
    assert all(other.identity() != identity for other in others)
    assert WhisperTranscriber(weights=weights, threads=3).identity() == identity


def test_what_cannot_be_loaded_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(EngineUnavailableError, match="faster-distil-whisper-large-v3"):
        WhisperTranscriber().load()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "model.bin").write_bytes(b"no model")
    # Without its tokenizer the library would fetch one from the network.
    with pytest.raises(EngineUnavailableError, match=r"tokenizer\.json"):
        WhisperTranscriber(weights=str(tmp_path / "half")).load()
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / "half" / name).write_text("{}")
    with pytest.raises(EngineError, match="cannot load these weights"):
        WhisperTranscriber(weights=str(tmp_path / "half")).load()
    with pytest.raises(EngineError, match="not loaded"):
        WhisperTranscriber().transcribe([])


@pytest.mark.parametrize("options", [{"beam_size": 0}, {"threads": -1}, {"no_speech_threshold": 2.0}, {"dtype": "float8"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigError):
        WhisperTranscriber(**options)
