"""The embedded recognisers on real speech: what they hear never depends on history, and the second opinion tells right words from wrong
ones."""

import shutil

import numpy as np
import pytest

from workbench.audio import Audio
from workbench.errors import EngineError
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.stt.listening import SAMPLE_RATE_HZ, pieces
from workbench.stt.pocketsphinx_free import PIECE_SEC, PocketsphinxTranscriber, written
from workbench.stt.second_opinion import SecondOpinionTranscriber
from workbench.tts.base import SpeechRequest

SENTENCE = "the captain ordered the crew to lower the sails"


@pytest.fixture(scope="module")
def say():
    """Speaks with flite, or with espeak where that is all there is."""
    from workbench.tts.espeak import EspeakSynthesizer
    from workbench.tts.flite import FliteSynthesizer

    engine, voice = (FliteSynthesizer(), "slt") if shutil.which("flite") else (EspeakSynthesizer(), "en-us")
    engine.load()
    spoken: dict[str, Audio] = {}

    def speak(text: str) -> Audio:
        if text not in spoken:
            spoken[text] = engine.speak([SpeechRequest(text, voice)])[0]
        return spoken[text]

    yield speak
    engine.close()


@pytest.fixture(scope="module")
def free():
    engine = PocketsphinxTranscriber()
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def opinion():
    engine = SecondOpinionTranscriber()
    engine.load()
    yield engine
    engine.close()


def silence(sec: float, rate: int = SAMPLE_RATE_HZ) -> Audio:
    return Audio(np.zeros(int(sec * rate), dtype=np.float32), rate)


def claimed(words: str, audio: Audio) -> Transcript:
    """A first transcript that claims these words, evenly spread."""
    texts = words.split()
    step = audio.duration_sec / max(len(texts), 1)
    return Transcript(tuple(Word(text, k * step, (k + 1) * step, 0.5) for k, text in enumerate(texts)), "claim", "none")


@pytest.mark.parametrize(
    "audio",
    [silence(0.0), silence(1 / 16000), silence(0.05), silence(2.0), silence(1.0, 8000)],
    ids=["empty", "one", "short", "zeros", "8kHz"],
)
def test_audio_without_words_gives_an_empty_transcript(free, audio):
    assert free.transcribe([SttRequest(audio)])[0].words == ()


def test_batch_and_history_never_change_what_is_heard(free, say):
    speech, other = say(SENTENCE), say("a heavy fog rolled in from the sea")
    noise = Audio(np.random.default_rng(1).uniform(-0.5, 0.5, 24_000).astype(np.float32), SAMPLE_RATE_HZ)
    fresh = PocketsphinxTranscriber()
    fresh.load()
    alone = fresh.transcribe([SttRequest(speech)])[0]
    fresh.close()
    batch = free.transcribe([SttRequest(noise), SttRequest(other), SttRequest(speech), SttRequest(silence(1.0)), SttRequest(speech)])
    assert batch[2] == alone == batch[4]
    assert len(alone.words) > 3


def test_words_are_plain_timed_in_order_and_confident_between_nought_and_one(free, say):
    audio = say(SENTENCE)
    words = free.transcribe([SttRequest(audio)])[0].words
    assert all(word.text.isalpha() and word.text == word.text.lower() for word in words)
    edges = [edge for word in words for edge in (word.start_sec, word.end_sec)]
    assert edges == sorted(edges) and edges[0] >= 0 and edges[-1] <= audio.duration_sec
    assert all(0 <= word.confidence <= 1 for word in words)


def test_words_far_into_a_long_recording_keep_their_time(say):
    speech = say("a heavy fog rolled in")
    rate = speech.sample_rate_hz
    samples = np.concatenate([speech.samples, np.zeros(3 * rate, dtype=np.float32), speech.samples])
    engine = PocketsphinxTranscriber(piece_sec=4.0)
    engine.load()
    words = engine.transcribe([SttRequest(Audio(samples, rate))])[0].words
    engine.close()
    late = [word for word in words if word.start_sec > speech.duration_sec + 1.5]
    assert len(late) >= 3 and all(3 + speech.duration_sec - 0.2 <= word.start_sec for word in late)


def test_pieces_cover_a_recording_and_cut_where_it_is_quiet():
    rng = np.random.default_rng(3)
    samples = rng.uniform(-0.3, 0.3, 70 * SAMPLE_RATE_HZ).astype(np.float32)
    for second in (20, 45, 62):
        samples[second * SAMPLE_RATE_HZ : int((second + 0.5) * SAMPLE_RATE_HZ)] = 0
    cut = list(pieces(samples, most_sec=PIECE_SEC))
    assert np.array_equal(np.concatenate([piece for _, piece in cut]), samples)
    assert all(len(piece) <= 30 * SAMPLE_RATE_HZ for _, piece in cut)
    assert [start for start, _ in cut] == [sum(len(piece) for _, piece in cut[:k]) for k in range(len(cut))]
    assert all(samples[start] == 0 for start, _ in cut[1:])


@pytest.mark.parametrize(
    ("entry", "words"), [("the(2)", ("the",)), ("<sil>", ()), ("[NOISE]", ()), ("++UM++", ()), ("harbor", ("harbor",))]
)
def test_dictionary_entries_become_comparison_words(entry, words):
    assert written(entry) == words


@pytest.mark.parametrize("engine", [PocketsphinxTranscriber(), SecondOpinionTranscriber()], ids=lambda e: e.name)
def test_an_engine_that_is_not_loaded_says_so(engine):
    with pytest.raises(EngineError, match="not loaded"):
        engine.transcribe([SttRequest(silence(1.0))])


def test_the_second_opinion_gives_the_reference_with_times_in_order(opinion, free, say):
    audio, reference = say(SENTENCE), tuple(SENTENCE.replace("sails", "masts").split())
    first = free.transcribe([SttRequest(audio)])[0]
    heard = opinion.transcribe([SttRequest(audio, reference, first)])[0]
    assert tuple(word.text for word in heard.words) == reference
    edges = [edge for word in heard.words for edge in (word.start_sec, word.end_sec)]
    assert edges == sorted(edges) and edges[-1] <= audio.duration_sec
    assert [place.start for place in heard.evidence] == sorted(place.start for place in heard.evidence)


@pytest.mark.parametrize(
    ("spoken", "reference", "heard", "reference_is_right"),
    [
        (SENTENCE, SENTENCE, SENTENCE.replace("captain", "carpenter"), True),
        (SENTENCE, SENTENCE.replace("captain", "carpenter"), SENTENCE, False),
        (SENTENCE, SENTENCE, SENTENCE.replace("ordered ", ""), True),
        (SENTENCE.replace("ordered ", ""), SENTENCE, SENTENCE.replace("ordered ", ""), False),
        (SENTENCE, SENTENCE, SENTENCE.replace("captain", "captain captain"), True),
        (SENTENCE.replace("captain", "captain captain"), SENTENCE, SENTENCE.replace("captain", "captain captain"), False),
    ],
    ids=["misheard", "replaced", "overheard", "dropped", "imagined", "doubled"],
)
def test_the_audio_decides_between_reference_and_hearing(opinion, say, spoken, reference, heard, reference_is_right):
    audio = say(spoken)
    spans = opinion.align(audio, spoken.split())
    at, times = 0, []
    for text in heard.split():
        # Times as a decoder would give them: those of the spoken words, as far as they go.
        times.append(Word(text, *spans[min(at, len(spans) - 1)], 0.9))
        at += 1
    if len(heard.split()) != len(spans):
        first = claimed(heard, audio)
    else:
        first = Transcript(tuple(times), "claim", "none")
    evidence = opinion.transcribe([SttRequest(audio, tuple(reference.split()), first)])[0].evidence
    assert len(evidence) == 1
    assert (evidence[0].log_ratio > 0) is reference_is_right


def test_a_clip_is_weighed_alike_alone_and_in_a_batch(opinion, say):
    audio = say(SENTENCE)
    request = SttRequest(audio, tuple(SENTENCE.split()), claimed(SENTENCE.replace("crew", "queen"), audio))
    fog = "a heavy fog rolled in from the sea"
    other = SttRequest(say(fog), ("something", "else"), claimed(fog, audio))
    alone = opinion.transcribe([request])[0]
    assert opinion.transcribe([other, request, request])[1:] == [alone, alone]


def test_words_that_no_dictionary_holds_are_weighed_too(opinion, say):
    audio = say(SENTENCE)
    reference = tuple(SENTENCE.replace("crew", "zorblecken").split())
    evidence = opinion.transcribe([SttRequest(audio, reference, claimed(SENTENCE, audio))])[0].evidence
    assert [(place.start, place.end) for place in evidence] == [(4, 5)]
    assert evidence[0].log_ratio < 0


@pytest.mark.parametrize("audio", [silence(0.0), silence(3.0)], ids=["empty", "zeros"])
def test_silence_supports_no_word(opinion, audio):
    reference = tuple(SENTENCE.split())
    heard = opinion.transcribe([SttRequest(audio, reference, Transcript((), "pocketsphinx", "none"))])[0]
    assert len(heard.words) == len(reference) == len(heard.evidence)
    assert all(place.log_ratio < 0 for place in heard.evidence)


def test_a_text_without_words_is_weighed_as_insertions(opinion, say):
    audio = say(SENTENCE)
    heard = opinion.transcribe([SttRequest(audio, (), claimed("the captain", audio))])[0]
    assert heard.words == () and [(place.start, place.end) for place in heard.evidence] == [(0, 0), (0, 0)]


def test_a_second_opinion_without_a_first_is_refused(opinion):
    with pytest.raises(EngineError, match="first transcript"):
        opinion.transcribe([SttRequest(silence(1.0), ("word",))])


def test_identities_name_what_results_depend_on(free, opinion):
    for engine in (free, opinion):
        assert {"engine", "version", "weights", "sample_rate_hz"} <= set(engine.identity())
    assert opinion.identity()["opinion_model"]
