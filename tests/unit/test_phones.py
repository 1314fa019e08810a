"""wav2vec2-phoneme through transformers: posteriors of a span, whatever stands beside it in the batch."""

import json

import numpy as np
import pytest

from tests.tiny_models.clips import noise, spoilt
from tests.tiny_models.wav2vec2 import PHONES, build_tiny_wav2vec2_phoneme
from workbench import engines
from workbench.audio import Audio, resample
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError
from workbench.phones import PhoneRequest
from workbench.phones.wav2vec2_phoneme import Wav2Vec2PhonemeRecogniser, best_path


@pytest.fixture(scope="module", params=["layer", "group"])
def weights(request, tmp_path_factory) -> str:
    return str(build_tiny_wav2vec2_phoneme(tmp_path_factory.mktemp(request.param), feat_extract_norm=request.param))


@pytest.fixture(scope="module")
def engine(weights):
    engine = engines.create("wav2vec2-phoneme", "phones", weights=weights)
    engine.load("cpu")
    yield engine
    engine.close()


REQUESTS = [PhoneRequest(noise(0.4 + 0.37 * k, seed=k), 0.05 * k, None if k % 2 else 0.3 + 0.2 * k) for k in range(16)]


def test_one_span_and_sixteen_give_the_same_posteriors(engine):
    for together, request in zip(engine.posteriors(REQUESTS), REQUESTS, strict=True):
        alone = engine.posteriors([request])[0]
        assert np.exp(together.log_probs) == pytest.approx(np.exp(alone.log_probs), abs=1e-4)
        assert [phone[:3] for phone in together.phones] == [phone[:3] for phone in alone.phones]
        assert together.start_sec == alone.start_sec


def test_posteriors_are_those_of_the_model_itself(engine, weights):
    import torch
    from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    model, extractor = Wav2Vec2ForCTC.from_pretrained(weights).eval(), Wav2Vec2FeatureExtractor.from_pretrained(weights)
    audio = noise(2.0, seed=5)
    with torch.inference_mode():
        inputs = extractor(audio.samples, sampling_rate=16000, return_tensors="pt", return_attention_mask=True)
        theirs = model(inputs.input_values, attention_mask=inputs.attention_mask).logits.softmax(dim=-1)[0].numpy()
    ours = np.exp(engine.posteriors([PhoneRequest(audio)])[0].log_probs)
    assert ours.shape == theirs.shape and ours == pytest.approx(theirs, abs=1e-4)


def test_a_span_tells_of_its_own_frames_heard_in_context(weights):
    engine = Wav2Vec2PhonemeRecogniser(weights=weights, context_sec=10.0)
    engine.load()
    audio = noise(3.0, seed=2)
    whole, part = engine.posteriors([PhoneRequest(audio), PhoneRequest(audio, 1.0, 1.5)])
    engine.close()
    # With all of the clip as context, a span holds exactly the whole clip's frames of that time.
    assert (part.start_sec, part.frame_sec, part.log_probs.shape[0]) == (1.0, 0.02, 25)
    assert np.exp(part.log_probs) == pytest.approx(np.exp(whole.log_probs[50:75]), abs=1e-4)


def test_rows_are_probabilities_over_named_symbols(engine):
    found = engine.posteriors([PhoneRequest(noise(1.0))])[0]
    assert found.log_probs.dtype == np.float32 and found.log_probs.shape == (49, len(found.symbols))
    assert np.exp(found.log_probs).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert found.symbols[found.blank] == "<pad>" and set(PHONES) < set(found.symbols)
    assert found.phones and {phone[0] for phone in found.phones} <= set(PHONES)
    edges = [edge for phone in found.phones for edge in phone[1:3]]
    assert edges == sorted(edges) and all(0 < phone[3] <= 1 for phone in found.phones)


def test_the_best_path_joins_repeats_and_leaves_blanks_and_signs_out():
    symbols, path = ("<pad>", "<unk>", "|", "a", "b"), [0, 3, 3, 0, 3, 4, 1, 2, 4]
    log_probs = np.log(np.full((len(path), 5), 0.05, dtype=np.float32))
    for frame, symbol in enumerate(path):
        log_probs[frame, symbol] = np.log(0.8 if frame != 2 else 0.6)
    found = best_path(log_probs, symbols, 0, frame_sec=0.02, start_sec=1.0)
    assert [(phone[0], phone[1], phone[2], round(phone[3], 4)) for phone in found] == [
        ("a", 1.02, 1.06, 0.7),
        ("a", 1.08, 1.1, 0.8),
        ("b", 1.1, 1.12, 0.8),
        ("b", 1.16, 1.18, 0.8),
    ]


def test_silence_holds_no_phone(engine):
    found = engine.posteriors([PhoneRequest(Audio(np.zeros(16_000, dtype=np.float32), 16_000), 0.2, 0.6)])[0]
    assert found.phones == () and (found.log_probs.argmax(axis=1) == found.blank).all()


def test_a_span_of_five_milliseconds_and_one_at_the_very_end_have_a_frame(engine):
    audio = noise(1.0)
    spans = [PhoneRequest(audio, 0.5, 0.505), PhoneRequest(audio, 0.995, None), PhoneRequest(Audio(audio.samples[:80], 16_000))]
    assert all(len(found.log_probs) >= 1 and np.isfinite(found.log_probs).all() for found in engine.posteriors(spans))


def test_another_rate_gives_nearly_the_same_posteriors(engine):
    audio = resample(resample(noise(1.0), 8_000), 16_000)
    found = engine.posteriors([PhoneRequest(audio), PhoneRequest(resample(audio, 48_000))])
    assert np.abs(np.exp(found[0].log_probs) - np.exp(found[1].log_probs)).mean() < 0.01


@pytest.mark.parametrize(
    "request_",
    [
        PhoneRequest(Audio(np.zeros(0, dtype=np.float32), 16_000)),
        PhoneRequest(noise(1.0), 1.0, 2.0),
        PhoneRequest(noise(1.0), 0.6, 0.5),
        PhoneRequest(noise(1.0), -0.5, 0.5),
        PhoneRequest(noise(1.0), float("nan"), 0.5),
        PhoneRequest(noise(61.0)),
        PhoneRequest(spoilt(np.nan)),
        PhoneRequest(spoilt(np.inf)),
    ],
    ids=["empty", "after the end", "reversed", "negative", "nan", "too long", "NaN samples", "infinite samples"],
)
def test_spans_that_cannot_be_heard_are_refused(engine, request_):
    with pytest.raises(AudioError):
        engine.posteriors([request_])


def test_the_fingerprint_follows_weights_and_context(weights, tmp_path):
    identity = Wav2Vec2PhonemeRecogniser(weights=weights).identity()
    other = build_tiny_wav2vec2_phoneme(tmp_path / "other", seed=1)
    assert Wav2Vec2PhonemeRecogniser(weights=str(other)).identity() != identity
    assert Wav2Vec2PhonemeRecogniser(weights=weights, context_sec=0.0).identity() != identity
    assert Wav2Vec2PhonemeRecogniser(weights=weights, batch_size=3).identity() == identity


def test_what_cannot_be_loaded_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(EngineUnavailableError, match="wav2vec2-lv-60-espeak-cv-ft"):
        Wav2Vec2PhonemeRecogniser().load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="cannot load these weights"):
        Wav2Vec2PhonemeRecogniser(weights=str(tmp_path / "empty")).load()
    holed = build_tiny_wav2vec2_phoneme(tmp_path / "holed")
    (holed / "vocab.json").write_text(json.dumps({"<pad>": 0, "a": 5}))
    with pytest.raises(EngineError, match="not a vocabulary"):
        Wav2Vec2PhonemeRecogniser(weights=str(holed)).load()
    with pytest.raises(EngineError, match="not loaded"):
        Wav2Vec2PhonemeRecogniser().posteriors([])
    with pytest.raises(ConfigError):
        Wav2Vec2PhonemeRecogniser(context_sec=-1.0)
