"""qwen3-asr through transformers' own classes: what a tiny model says of a clip is the library's, and no batch changes it."""

import numpy as np
import pytest

from tests.tiny_models.clips import WORDLESS, noise, spoilt
from tests.tiny_models.qwen3_asr import build_tiny_forced_aligner, build_tiny_qwen3_asr
from workbench import engines
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError
from workbench.stt.base import SttRequest, Word
from workbench.stt.listening import pieces, spoken_words
from workbench.stt.qwen3_asr import Qwen3AsrTranscriber, _joined, _spread


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("qwen")
    return {"weights": str(build_tiny_qwen3_asr(folder / "asr")), "aligner": str(build_tiny_forced_aligner(folder / "aligner"))}


@pytest.fixture(scope="module")
def engine(weights):
    engine = engines.create("qwen3-asr", "stt", **weights)
    engine.load("cpu")
    yield engine
    engine.close()


def hear(engine, *clips):
    return engine.transcribe([SttRequest(audio) for audio in clips])


CLIPS = [noise(sec, seed=number) for number, sec in enumerate((0.5, 1.0, 1.03, 2.7, 5.0))]


def test_a_clip_is_heard_alike_alone_and_in_a_batch(engine):
    together = hear(engine, *CLIPS)
    assert sum(len(transcript.words) for transcript in together) >= 5
    for audio, one in zip(CLIPS, together, strict=True):
        other = hear(engine, audio)[0]
        assert [(w.text, w.start_sec, w.end_sec) for w in one.words] == [(w.text, w.start_sec, w.end_sec) for w in other.words]
        assert [w.confidence for w in one.words] == pytest.approx([w.confidence for w in other.words], abs=1e-4)


def test_the_words_are_those_that_the_library_generates(engine, weights):
    import torch
    from transformers import Qwen3ASRForConditionalGeneration, Qwen3ASRProcessor

    from workbench.text import normalise

    model = Qwen3ASRForConditionalGeneration.from_pretrained(weights["weights"]).eval()
    processor = Qwen3ASRProcessor.from_pretrained(weights["weights"])
    samples = np.concatenate([noise(1.98, seed=7).samples, np.zeros(320, dtype=np.float32)])
    inputs = processor.apply_transcription_request(audio=[samples], language="en")
    with torch.inference_mode():
        ids = model.generate(**inputs, do_sample=False, max_new_tokens=55)
    text = processor.decode(ids[0, inputs["input_ids"].shape[1] :], return_format="transcription_only")
    heard = hear(engine, noise(1.98, seed=7))[0]
    assert " ".join(word.text for word in heard.words) == normalise(text) != ""


def test_words_are_timed_within_the_clip_and_sure_between_nought_and_one(engine):
    for audio, transcript in zip(CLIPS, hear(engine, *CLIPS), strict=True):
        assert transcript.confidence_method == "token_probability_mean"
        assert all(0 < word.confidence <= 1 for word in transcript.words)
        edges = [edge for word in transcript.words for edge in (word.start_sec, word.end_sec)]
        assert edges == sorted(edges) and (not edges or 0 <= edges[0] and edges[-1] <= audio.duration_sec)


def test_without_aligner_words_are_spread_and_the_fingerprint_says_so(engine, weights):
    plain = Qwen3AsrTranscriber(weights=weights["weights"], align=False)
    plain.load()
    even, aligned = hear(plain, CLIPS[4])[0], hear(engine, CLIPS[4])[0]
    plain.close()
    assert [word.text for word in even.words] == [word.text for word in aligned.words]
    assert [word.start_sec for word in even.words] != [word.start_sec for word in aligned.words]
    assert even.words[0].start_sec == 0.0 and even.words[-1].end_sec == pytest.approx(5.0)
    assert plain.identity()["times"] == "spread evenly" != engine.identity()["times"]


def test_long_audio_is_heard_in_pieces_whose_words_keep_their_time(weights):
    engine = Qwen3AsrTranscriber(weights=weights["weights"], align=False, piece_sec=3.0)
    engine.load()
    audio = noise(10.0, seed=3)
    words = hear(engine, audio)[0].words
    engine.close()
    cuts = [start / 16000 for start, _ in pieces(audio.samples, most_sec=3.0)]
    # Spread evenly, the words of a piece begin where it does.
    assert len(cuts) >= 4 and len({word.start_sec for word in words} & {round(cut, 4) for cut in cuts}) >= 4
    starts = [word.start_sec for word in words]
    assert starts == sorted(starts) and words[-1].end_sec <= 10.0


def test_spans_follow_the_aligner_and_letters_where_there_is_none():
    assert _joined([(0.1, 0.4), (0.4, 0.5), (0.9, 9.0)], [1, 0, 2], 2.0) == [(0.1, 0.4), (0.4, 0.4), (0.4, 2.0)]
    assert _spread(["ab", "abcd"], 3.0) == [(0.0, 1.0), (1.0, 3.0)] and _spread([], 3.0) == []


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ([("Hello,", 0.0, 1.0, 0.9), ("world!", 1.0, 2.0, 0.8)], [("hello", 0.0, 1.0, 0.9), ("world", 1.0, 2.0, 0.8)]),
        ([("twenty-five", 0.0, 1.0, 0.5)], [("twenty", 0.0, 0.5, 0.5), ("five", 0.5, 1.0, 0.5)]),
        ([("$5", 0.0, 1.0, 0.9), ("million", 1.0, 3.0, 0.7)], [("five", 0.0, 1.0, 0.7), ("million", 1.0, 2.0, 0.7), ("dollars", 2.0, 3.0, 0.7)]),
        ([("--", 0.0, 1.0, 0.5), ("yes", 1.0, 2.0, None)], [("yes", 1.0, 2.0, None)]),
        ([], []),
    ],
)
def test_written_words_become_comparison_words_in_their_time(written, spoken):
    assert [(w.text, w.start_sec, w.end_sec, w.confidence) for w in spoken_words([Word(*word) for word in written])] == spoken


@pytest.mark.parametrize("audio", WORDLESS.values(), ids=WORDLESS)
def test_audio_without_words_gives_an_empty_transcript(engine, audio):
    assert hear(engine, audio)[0].words == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(engine, value):
    with pytest.raises(AudioError, match="not finite"):
        hear(engine, spoilt(value))


def test_the_fingerprint_follows_both_models_and_the_pieces(weights, tmp_path):
    identity = Qwen3AsrTranscriber(**weights).identity()
    other = str(build_tiny_forced_aligner(tmp_path / "aligner", seed=1))
    assert Qwen3AsrTranscriber(weights=weights["weights"], aligner=other).identity() != identity
    assert Qwen3AsrTranscriber(**weights, piece_sec=30.0).identity() != identity
    assert Qwen3AsrTranscriber(**weights, language=None).identity() != identity
    assert Qwen3AsrTranscriber(**weights, batch_size=2).identity() == identity


def test_what_cannot_be_loaded_says_why(weights, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(EngineUnavailableError, match="qwen3-asr-1.7b"):
        Qwen3AsrTranscriber().load()
    with pytest.raises(EngineUnavailableError, match="qwen3-forced-aligner-0.6b"):
        Qwen3AsrTranscriber(weights=weights["weights"]).load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="cannot load these weights"):
        Qwen3AsrTranscriber(weights=str(tmp_path / "empty"), align=False).load()
    with pytest.raises(EngineError, match="not loaded"):
        Qwen3AsrTranscriber().transcribe([])


@pytest.mark.parametrize("options", [{"piece_sec": 1.0}, {"piece_sec": 400.0}, {"batch_size": 0}, {"dtype": "int4"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigError):
        Qwen3AsrTranscriber(**options)
