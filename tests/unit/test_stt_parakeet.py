"""parakeet through NeMo itself: a tiny model that learnt nine sentences by heart says them again, with times, whatever stands beside them."""

import numpy as np
import pytest

from tests.tiny_models.clips import WORDLESS, noise, spoilt, spoken
from tests.tiny_models.parakeet import SENTENCES, build_tiny_parakeet
from workbench import engines
from workbench.audio import Audio, resample
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError
from workbench.scan.codec import transcript_columns, transcript_of
from workbench.store.schema import STAGE_COLUMNS
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.stt.parakeet import ParakeetTranscriber, _words, disagreement


@pytest.fixture(scope="module")
def clips() -> list[Audio]:
    return spoken(SENTENCES)


@pytest.fixture(scope="module")
def weights(tmp_path_factory, clips) -> str:
    return str(build_tiny_parakeet(tmp_path_factory.mktemp("parakeet"), fit=list(zip(clips, SENTENCES, strict=True))))


@pytest.fixture(scope="module")
def engine(weights):
    engine = engines.create("parakeet", "stt", weights=weights)
    engine.load("cpu")
    yield engine
    engine.close()


def hear(engine, *clips: Audio):
    return engine.transcribe([SttRequest(audio) for audio in clips])


def text(transcript) -> str:
    return " ".join(word.text for word in transcript.words)


def test_the_words_are_those_that_were_said(engine, clips):
    heard = hear(engine, *clips)
    assert [text(transcript) for transcript in heard] == list(SENTENCES)
    assert all(0.5 < word.confidence <= 1.0 for transcript in heard for word in transcript.words)
    assert {transcript.confidence_method for transcript in heard} == {"ctc_max_prob_min"}


def test_words_are_timed_in_order_within_the_clip(engine, clips):
    for audio, transcript in zip(clips, hear(engine, *clips), strict=True):
        edges = [edge for word in transcript.words for edge in (word.start_sec, word.end_sec)]
        assert edges == sorted(edges) and edges[0] >= 0 and edges[-1] <= audio.duration_sec
        assert all(word.end_sec - word.start_sec >= 0.07 for word in transcript.words)


def test_a_path_becomes_words_from_the_first_to_the_last_frame_of_their_tokens():
    class Pieces:
        names = ("\u2581the", "\u2581ca", "t", "\u2581", "<unk>")

        def ids_to_tokens(self, ids):
            return [self.names[k] for k in ids]

        def ids_to_text(self, ids):
            return "".join(self.ids_to_tokens(ids)).replace("\u2581", " ").strip()

    path, sure = [9, 0, 0, 9, 1, 9, 2, 2, 9, 3, 9, 4, 0, 9], [0.1, 0.9, 0.8, 0.1, 0.7, 0.1, 0.6, 0.9, 0.1, 0.5, 0.1, 0.4, 0.3, 0.1]
    words = _words(path, sure, blank=9, tokenizer=Pieces(), frame_sec=0.5)
    told = [(word.text, word.start_sec, word.end_sec, word.confidence) for word in words]
    assert told == [("the", 0.5, 1.5, 0.8), ("cat", 2.0, 4.0, 0.6), ("<unk>", 4.5, 6.0, 0.4), ("the", 6.0, 6.5, 0.3)]
    assert _words([9, 9], [0.9, 0.9], blank=9, tokenizer=Pieces(), frame_sec=0.5) == []


def test_a_clip_is_heard_alike_alone_and_in_a_batch_of_any_size(weights, engine, clips):
    together = hear(engine, *clips, noise(4.0))
    single = ParakeetTranscriber(weights=weights, batch_size=1)
    single.load()
    alone = [one for audio in (*clips, noise(4.0)) for one in hear(single, audio)]
    single.close()
    for one, other in zip(together, alone, strict=True):
        assert [(w.text, w.start_sec, w.end_sec) for w in one.words] == [(w.text, w.start_sec, w.end_sec) for w in other.words]
        assert [w.confidence for w in one.words] == pytest.approx([w.confidence for w in other.words], abs=1e-4)
        assert one.head_disagreement == other.head_disagreement


def test_the_heads_are_compared_only_when_asked(weights, engine, clips):
    # The TDT head of this model was never fitted: it disagrees about nearly everything.
    assert all(0.5 < one.head_disagreement <= 1.0 for one in hear(engine, *clips[:3]))
    plain = ParakeetTranscriber(weights=weights, compare_heads=False)
    plain.load()
    assert hear(plain, clips[0])[0].head_disagreement is None
    plain.close()


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [("a b c d", "a b c d", 0.0), ("a b c d", "a x c d", 0.25), ("a b c", "a b c d", 0.25), ("a b", "", 1.0), ("", "", 0.0)],
)
def test_disagreement_is_the_share_of_words_that_differ(one, other, share):
    assert disagreement(one.split(), other.split()) == pytest.approx(share)


@pytest.mark.parametrize("share", [None, 0.0, 0.25])
def test_the_disagreement_of_the_heads_survives_the_store(share):
    transcript = Transcript((Word("yes", 0.0, 0.5, 0.9),), "parakeet", "ctc_max_prob_min", head_disagreement=share)
    columns = transcript_columns("fast", transcript)
    assert set(columns) <= set(STAGE_COLUMNS["fast"])
    assert transcript_of("fast", columns) == transcript


@pytest.mark.parametrize("audio", WORDLESS.values(), ids=WORDLESS)
def test_audio_without_words_gives_an_empty_transcript(engine, audio):
    heard = hear(engine, audio)[0]
    assert heard.words == () and heard.head_disagreement == 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(engine, value):
    with pytest.raises(AudioError, match="not finite"):
        hear(engine, spoilt(value))


def test_rate_and_level_make_no_difference_to_the_words(engine, clips):
    loud = Audio(clips[1].samples * np.float32(1.9 / clips[1].peak), clips[1].sample_rate_hz)
    assert text(hear(engine, resample(clips[1], 44100))[0]) == SENTENCES[1] == text(hear(engine, loud)[0])


def test_twenty_minutes_are_heard_by_local_attention_and_short_clips_as_before(weights, clips):
    engine = ParakeetTranscriber(weights=weights, compare_heads=False)
    engine.load()
    samples = resample(clips[4], 16000).samples
    long = Audio(np.tile(samples, 1 + 20 * 60 * 16000 // len(samples)), 16000)
    alone = hear(engine, clips[0])[0]
    whole, short = hear(engine, long, clips[0])
    after = hear(engine, clips[0])[0]
    engine.close()
    assert len(whole.words) > 100 and 1150 < whole.words[-1].end_sec <= long.duration_sec
    assert short == alone
    # NeMo swaps the attention layers; what was trained must survive that, there and back.
    assert [word.text for word in after.words] == [word.text for word in alone.words]
    assert [word.confidence for word in after.words] == pytest.approx([word.confidence for word in alone.words], abs=1e-5)


def test_local_attention_hears_a_clip_shorter_than_its_context_as_full_attention_does(weights, engine, clips):
    local = ParakeetTranscriber(weights=weights, local_attention_above_sec=0.5, compare_heads=False)
    local.load()
    heard = hear(local, *clips)
    local.close()
    assert [text(transcript) for transcript in heard] == list(SENTENCES)
    for one, other in zip(heard, hear(engine, *clips), strict=True):
        assert [word.confidence for word in one.words] == pytest.approx([word.confidence for word in other.words], abs=1e-4)


def test_the_encoder_can_compute_in_bfloat16(weights, clips):
    engine = ParakeetTranscriber(weights=weights, dtype="bfloat16")
    engine.load()
    assert text(hear(engine, clips[0])[0]) == SENTENCES[0]
    engine.close()


def test_confidence_of_another_method_says_so(weights, clips):
    engine = ParakeetTranscriber(weights=weights, confidence="entropy")
    engine.load()
    transcript = hear(engine, clips[0])[0]
    assert transcript.confidence_method == "ctc_entropy_min" and all(0 <= w.confidence <= 1 for w in transcript.words)
    engine.close()


def test_the_fingerprint_follows_the_weights_and_the_decoding(weights, tmp_path):
    identity = ParakeetTranscriber(weights=weights).identity()
    assert identity["weights"] == "parakeet-tdt_ctc-1.1b" and identity["sample_rate_hz"] == 16000
    copy = tmp_path / "other.nemo"
    copy.write_bytes(open(weights, "rb").read() + b"\0")
    others = [ParakeetTranscriber(weights=str(copy)), ParakeetTranscriber(weights=weights, confidence="entropy"), ParakeetTranscriber(weights=weights, dtype="bfloat16")]
    assert all(other.identity() != identity for other in others)
    assert ParakeetTranscriber(weights=weights, batch_size=2).identity() == identity
    assert ParakeetTranscriber().identity()["revision"]


def test_what_cannot_be_loaded_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(EngineUnavailableError, match="parakeet-tdt_ctc-1.1b.nemo"):
        ParakeetTranscriber().load()
    broken = tmp_path / "broken.nemo"
    broken.write_bytes(b"this is no archive")
    with pytest.raises(EngineError, match="cannot load these weights"):
        ParakeetTranscriber(weights=str(broken)).load()
    with pytest.raises(EngineError, match="not loaded"):
        ParakeetTranscriber().transcribe([])


@pytest.mark.parametrize("options", [{"confidence": "belief"}, {"batch_size": 0}, {"batch_sec": -1.0}, {"dtype": "int8"}, {"local_attention_above_sec": "long"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigError):
        ParakeetTranscriber(**options)
