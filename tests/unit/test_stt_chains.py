"""The acoustic scorer agrees with pocketsphinx itself, and networks with the sequences they hold."""

import itertools
import shutil

import numpy as np
import pytest

from workbench.stt.acoustic import FrameScores, load_model
from workbench.stt.chains import ChainScorer
from workbench.stt.front_end import SAMPLE_RATE_HZ, LoggingDecoder
from workbench.text import pronunciations

WORDS = "the widow sold her piano".split()


@pytest.fixture(scope="module")
def samples():
    from workbench.audio import resample
    from workbench.tts.base import SpeechRequest
    from workbench.tts.espeak import EspeakSynthesizer
    from workbench.tts.flite import FliteSynthesizer

    engine, voice = (FliteSynthesizer(), "slt") if shutil.which("flite") else (EspeakSynthesizer(), "en-us")
    engine.load()
    return resample(engine.speak([SpeechRequest(" ".join(WORDS), voice)])[0], SAMPLE_RATE_HZ).samples


@pytest.fixture(scope="module")
def scorer():
    from workbench.stt.pocketsphinx_free import model_folder

    return ChainScorer(load_model(model_folder()))


@pytest.fixture(scope="module")
def scores(samples, scorer):
    front_end = LoggingDecoder(lm=None)
    front_end.decoder.set_align_text("a")
    yield FrameScores(scorer.model, front_end.hear(samples, search=False))
    front_end.close()


def sounds(text: str):
    return [tuple(pronunciations(word)) for word in text.split()]


def test_alignment_agrees_with_pocketsphinx_to_two_frames(samples, scorer, scores):
    aligner = LoggingDecoder(lm=None, compallsen=True, bestpath=False, beam=1e-80, wbeam=1e-60, pbeam=1e-80, maxhmmpf=-1)
    aligner.decoder.set_align_text(" ".join(WORDS))
    aligner.hear(samples)
    theirs = [(s.start_frame, s.end_frame + 1) for s in aligner.decoder.seg() if s.word[0] not in "<["]
    aligner.close()
    path = scorer.best(scores, [[[sounds(" ".join(WORDS))]]], align=True)[0].path
    ours = [path.span(number) for number in range(len(WORDS))]
    assert np.abs(np.array(ours) - np.array(theirs)).max() <= 2


def test_a_network_scores_as_the_best_of_the_sequences_it_holds(scorer, scores):
    places = [["the"], ["widow", "window", ""], ["sold", "sold her"], ["her", ""], ["piano", "piano a"]]
    network = [[sounds(alternative) for alternative in place] for place in places]
    sequences = [[[sounds(" ".join(filter(None, words)))]] for words in itertools.product(*places)]
    chains = scorer.best(scores, [network, *sequences])
    assert chains[0].score == pytest.approx(max(chain.score for chain in chains[1:]), abs=0.5)


def test_networks_scored_together_score_as_alone(scorer, scores):
    networks = [[[sounds(text)]] for text in ("the widow sold her piano", "the window told a penny", "")]
    together = [chain.score for chain in scorer.best(scores, networks)]
    assert together == [scorer.best(scores, [network])[0].score for network in networks]
    assert together[0] == max(together)


def test_a_window_scores_as_the_same_frames_alone(scorer, scores):
    window, network = scores.window(20, 90), [[sounds("widow sold")]]
    assert np.allclose(window.of(np.arange(0, 5000, 7)), scores.of(np.arange(0, 5000, 7))[20:90], atol=1e-3)
    assert np.isfinite(scorer.best(window, [network])[0].score)


def test_more_words_than_frames_cannot_be_said(scorer):
    short = FrameScores(scorer.model, np.zeros((3, 6, 13), dtype=np.float32))
    chain = scorer.best(short, [[[sounds("antique furniture")]]], align=True)[0]
    assert chain.score == -np.inf and chain.path is None


def test_a_path_accounts_for_every_frame_and_word(scorer, scores):
    path = scorer.best(scores, [[[sounds(" ".join(WORDS))]]], align=True)[0].path
    assert len(path.word) == scores.frames and set(path.word) - {-1} == set(range(len(WORDS)))
    spans = [edge for number in range(len(WORDS)) for edge in path.span(number)]
    assert spans == sorted(spans)
