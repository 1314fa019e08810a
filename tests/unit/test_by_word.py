"""Escalation by word: every doubt lies inside a stretch, and what was heard there fits back into the whole clip."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.audio import Audio
from workbench.errors import EngineError
from workbench.scan.by_word import SHORTEST_SEC, Stretch, doubtful, requests, splice
from workbench.scan.codec import transcript_columns, transcript_of
from workbench.stt.base import Evidence, SttRequest, Transcript, Word
from workbench.stt.evidence import apply_threshold
from workbench.text import Token, tokenise
from workbench.verdicts import Verdict, judge
from workbench.verdicts.align import align_words

RATE_HZ = 1000
PAUSE_SEC = 0.1


def heard(text: str, *, engine: str = "fast", unsure: str = "") -> Transcript:
    """Words of 0.3 s every 0.4 s, from 0.1 s on; those in ``unsure`` with a low confidence."""
    texts = text.split()
    words = (Word(w, 0.4 * k + PAUSE_SEC, 0.4 * (k + 1), 0.2 if w in unsure.split() else 0.9) for k, w in enumerate(texts))
    return Transcript(tuple(words), engine, "test")


def sound(sec: float) -> Audio:
    return Audio(np.arange(round(sec * RATE_HZ), dtype=np.float32), RATE_HZ)


def found(reference: str, fast: Transcript, *, duration_sec: float = 4.0, word_confidence: float = 0.5, **options):
    return doubtful(tokenise(reference), fast, duration_sec=duration_sec, word_confidence=word_confidence, **options)


TEN = "our cat saw her dog run over my red mat"


@pytest.mark.parametrize(
    ("said", "unsure", "expected"),
    [
        (TEN, "", []),
        (TEN.replace("dog", "fog"), "", [(3, 6, 3, 6)]),
        (TEN, "dog", [(3, 6, 3, 6)]),
        (TEN.replace("dog ", ""), "", [(3, 6, 3, 5)]),
        (TEN.replace("dog", "dog big"), "", [(4, 6, 4, 7)]),
        (TEN.replace("our", "hour"), "", [(0, 2, 0, 2)]),
        (TEN.replace("our ", ""), "", [(0, 2, 0, 1)]),
        (TEN.replace("our", "so our"), "", [(0, 1, 0, 2)]),
        (TEN.replace(" mat", ""), "", [(8, 10, 8, 9)]),
        (TEN + " now", "", [(9, 10, 9, 11)]),
        (TEN.replace("cat", "hat"), "my", [(0, 3, 0, 3), (6, 9, 6, 9)]),
        (TEN.replace("cat", "hat").replace("dog", "fog"), "", [(0, 6, 0, 6)]),
        ("quite another thing", "", [(0, 10, 0, 3)]),
        ("", "", [(0, 10, 0, 0)]),
    ],
)
def test_a_stretch_holds_the_doubt_and_a_word_on_either_side(said, unsure, expected):
    stretches = found(TEN, heard(said, unsure=unsure))
    assert [(s.start, s.end, *s.first) for s in stretches] == expected


@pytest.mark.parametrize(
    ("said", "context_words", "expected"),
    [
        # Pauses are 0.1 s: half of one on either side.
        (TEN.replace("dog", "fog"), 1, (1.25, 2.45)),
        (TEN.replace("dog", "fog"), 2, (0.85, 2.85)),
        # Without context, up to the neighbouring words.
        (TEN.replace("dog", "fog"), 0, (1.6, 2.1)),
        (TEN.replace("dog ", ""), 0, (1.5, 1.8)),
        (TEN.replace("our", "hour"), 1, (0.0, 0.85)),
        # The first word is context: no more before it than there is.
        (TEN.replace("cat", "hat"), 1, (0.0, 1.25)),
        (TEN.replace(" red mat", ""), 1, (2.85, 6.0)),
        (TEN.replace("mat", "bat"), 1, (3.25, 6.0)),
        # The last word is context: the margin is all that is taken of the tail.
        (TEN.replace("red", "bed"), 1, (2.85, 4.15)),
    ],
)
def test_borders_lie_in_the_pauses_and_the_clips_ends_belong_to_a_doubt_that_reaches_them(said, context_words, expected):
    (stretch,) = found(TEN, heard(said), duration_sec=6.0, context_words=context_words)
    assert (stretch.start_sec, stretch.end_sec) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reference", "said", "expected"),
    [
        ("take pi as 3.14 for now then stop", "take pi as three point fourteen for now then stop", [(2, 8)]),
        ("take pi as 3.14 for now then stop", "take by as three point one four for now then stop", [(0, 3)]),
        # The border word of the context belongs to a number: all of it comes along.
        ("take pi as 3.14 for now then stop", "take pi has three point one four for now then stop", [(1, 7)]),
        ("it was nineteen hundred and five when he left us", "it was nineteen oh five when he left us", [(1, 7)]),
        ("she spent $28 on the big old cat", "she spend twenty eight dollars on the big old cat", [(0, 5)]),
        ("we saw twenty five more of them", "we saw twenty five more oh them", [(4, 7)]),
        ("we saw twenty five more of them", "we saw twenty five mere of them", [(2, 6)]),
    ],
)
def test_numbers_and_written_forms_stay_whole(reference, said, expected):
    assert [(s.start, s.end) for s in found(reference, heard(said), duration_sec=6.0)] == expected


WHOLE = [(0, 5, 0.0, 3.0, (0, 5))]


@pytest.mark.parametrize(
    "times",
    [
        [(0, 0)] * 5,
        [(math.nan, math.nan)] * 5,
        [(0, 0.3), (math.inf, math.inf), (0.8, 1), (1.2, 1.4), (1.6, 1.9)],
        [(0, 0.3), (0.4, 0.7), (2.8, 2.9), (1.2, 1.4), (1.6, 1.9)],
        [(0, 0.3), (0.4, 0.7), (0.8, 0.9), (1.2, 1.4), (7.0, 7.5)],
        [(-2, -1.7), (0.4, 0.7), (0.8, 0.9), (1.2, 1.4), (1.6, 1.9)],
    ],
    ids=["all-zero", "nan", "infinite", "backwards", "beyond", "before"],
)
def test_times_that_cannot_place_a_word_send_the_whole_clip(times):
    words = tuple(Word(text, *span, 0.9) for text, span in zip("a cat sat up there".split(), times, strict=True))
    fast = Transcript(words, "fast", "test")
    stretches = found("a cat bat up there", fast, duration_sec=3.0)
    assert [(s.start, s.end, s.start_sec, s.end_sec, s.first) for s in stretches] == WHOLE
    audio = sound(3.0)
    (request,) = requests(audio, tokenise("a cat bat up there"), fast, stretches)
    assert request.audio is audio and request.first.words is words


def test_times_a_little_out_of_order_or_beyond_the_end_still_place_words():
    spans = [(0.0, 0.3), (0.4, 0.85), (0.8, 0.8), (0.75, 1.4), (1.6, 3.08)]
    fast = Transcript(tuple(Word(text, *span) for text, span in zip("a cat sat up there".split(), spans, strict=True)), "fast", "test")
    (stretch,) = found("a cat bat up there", fast, duration_sec=3.0)
    assert (stretch.start_sec, stretch.end_sec) == pytest.approx((0.35, 1.5))


def spread(text: str, *spans: tuple[float, float]) -> Transcript:
    return Transcript(tuple(Word(word, *span, 0.9) for word, span in zip(text.split(), spans, strict=True)), "fast", "test")


def test_a_word_that_overlaps_its_neighbour_is_taken_in_whole():
    fast = spread("a cat sat up there", (0.0, 0.3), (0.3, 0.9), (0.7, 1.4), (1.1, 1.5), (1.6, 2.0))
    (stretch,) = found("a cat bat up there", fast, context_words=0)
    assert (stretch.start_sec, stretch.end_sec) == pytest.approx((0.7, 1.4))


def test_stretches_that_meet_in_time_become_one():
    # "saw" reaches over the words after it, up to the second stretch.
    spans = [(0.4 * k, 0.4 * k + 0.3) for k in range(10)]
    fast = heard(TEN.replace("cat", "hat").replace("my", "by"))
    apart = spread(" ".join(w.text for w in fast.words), *spans)
    spans[2] = (0.8, 2.6)
    meeting = spread(" ".join(w.text for w in fast.words), *spans)
    assert [(s.start, s.end) for s in found(TEN, apart)] == [(0, 3), (6, 9)]
    (stretch,) = found(TEN, meeting)
    assert (stretch.start, stretch.end, stretch.first) == (0, 9, (0, 9))
    assert (stretch.start_sec, stretch.end_sec) == pytest.approx((0.0, 3.55))


def test_a_clip_too_short_to_cut_is_heard_with_all_its_words():
    fast = spread("a cat sat up there", *[(0.05 * k, 0.05 * (k + 1)) for k in range(5)])
    assert found("a cat sat up hare", fast, duration_sec=0.29) == (Stretch(0, 5, 0.0, 0.29, (0, 5)),)


@pytest.mark.parametrize("duration_sec", [0.0, 0.05, SHORTEST_SEC])
def test_a_clip_too_short_to_cut_is_heard_whole(duration_sec):
    fast = Transcript((Word("hat", 0.0, duration_sec, 0.9),), "fast", "test")
    stretches = found("cat", fast, duration_sec=duration_sec)
    assert stretches == (Stretch(0, 1, 0.0, duration_sec, (0, 1)),)
    assert len(requests(sound(duration_sec), tokenise("cat"), fast, stretches)) == 1


@pytest.mark.parametrize("at_sec", [0.0, 1.0, 1.99])
def test_a_stretch_is_never_too_short_to_hear(at_sec):
    words = tuple(Word(text, at_sec + 0.001 * k, at_sec + 0.001 * (k + 1), 0.9) for k, text in enumerate("a cat sat up there".split()))
    (stretch,) = found("a cat bat up there", Transcript(words, "fast", "test"), duration_sec=2.0, margin_sec=0.0)
    assert stretch.end_sec - stretch.start_sec >= SHORTEST_SEC - 1e-9
    assert 0 <= stretch.start_sec < stretch.end_sec <= 2.0


def test_a_request_holds_the_stretch_and_nothing_else():
    fast, audio = heard(TEN.replace("dog", "fog")), sound(4.0)
    stretches = found(TEN, fast)
    (request,) = requests(audio, tokenise(TEN), fast, stretches)
    assert request.reference == ("her", "dog", "run")
    assert np.array_equal(request.audio.samples, audio.samples[1250:2450])
    assert [(w.text, w.confidence) for w in request.first.words] == [("her", 0.9), ("fog", 0.9), ("run", 0.9)]
    assert [w.start_sec for w in request.first.words] == pytest.approx([0.05, 0.45, 0.85])


def test_what_was_heard_inside_is_moved_back_and_outside_nothing_is_claimed():
    fast = heard(TEN.replace("dog", "fog"))
    stretches = found(TEN, fast)
    inside = Transcript((Word("her", 0.05, 0.3, 0.8), Word("dog", 0.45, 0.75, 0.7), Word("run", 0.9, 1.15, 0.9)), "slow", "sure")
    whole = splice(fast, stretches, [inside])
    assert (whole.engine, whole.confidence_method, whole.evidence) == ("slow", "sure", None)
    assert " ".join(w.text for w in whole.words) == TEN
    assert [w.confidence for w in whole.words] == [None] * 3 + [0.8, 0.7, 0.9] + [None] * 4
    assert whole.words[4] == Word("dog", 1.7, 2.0, 0.7)
    assert whole.listened_sec == pytest.approx(1.2)
    assert judge(TEN, fast, whole).words[4].verdict == "stt_error"


def test_evidence_points_into_the_whole_text():
    fast = heard(TEN.replace("cat", "hat").replace("over", "under").replace("my", "my my"))
    stretches = found(TEN, fast, duration_sec=5.0)
    assert [(s.start, s.end) for s in stretches] == [(0, 3), (5, 9)]
    answers = [
        Transcript(heard("our cat saw").words, "slow", "none", (Evidence(1, 2, -3.0, (Word("hat", 0.5, 0.8),)),)),
        Transcript(
            heard("run over my red").words,
            "slow",
            "none",
            (Evidence(1, 2, 4.0, (Word("under", 0.4, 0.7),)), Evidence(3, 3, -1.0, (Word("my", 1.2, 1.5),))),
        ),
    ]
    whole = splice(fast, stretches, answers)
    assert " ".join(w.text for w in whole.words) == TEN
    assert [(e.start, e.end, e.log_ratio) for e in whole.evidence] == [(1, 2, -3.0), (6, 7, 4.0), (8, 8, -1.0)]
    assert whole.evidence[1].heard[0].start_sec == pytest.approx(stretches[1].start_sec + 0.4)
    read = apply_threshold(whole, log_ratio_threshold=0.0)
    assert " ".join(w.text for w in read.words) == TEN.replace("cat", "hat").replace("my", "my my")


def test_evidence_that_found_nothing_is_still_evidence():
    fast = heard(TEN, unsure="dog")
    whole = splice(fast, found(TEN, fast), [Transcript(heard("her dog run").words, "slow", "none", ())])
    assert whole.evidence == ()
    assert " ".join(w.text for w in whole.words) == TEN


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([], "one transcript per stretch"),
        ([heard("her dog run")] * 2, "one transcript per stretch"),
        ([Transcript(heard("her dog").words, "slow", "none", ())], "must give back its words"),
        ([Transcript(heard("her dog run").words, "slow", "none", (Evidence(3, 4, 1.0, ()),))], "outside its request"),
        ([Transcript(heard("her dog run").words, "slow", "none", (Evidence(2, 3, 1.0, ()), Evidence(0, 1, 1.0, ())))], "out of order"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, told):
    fast = heard(TEN.replace("dog", "fog"))
    with pytest.raises(EngineError, match=told):
        splice(fast, found(TEN, fast), answers)


def test_evidence_for_some_stretches_only_is_refused():
    fast = heard(TEN.replace("cat", "hat").replace("my", "by"))
    stretches = found(TEN, fast)
    with pytest.raises(EngineError, match="some stretches only"):
        splice(fast, stretches, [heard("our cat saw"), Transcript(heard("over my red").words, "slow", "none", ())])


def test_stretches_of_another_transcript_are_refused():
    fast = heard(TEN.replace("cat", "hat").replace("my", "by"))
    one, other = found(TEN, fast)
    for stretches in ((other, one), (one, replace(other, first=(5, 8))), (one, replace(other, start=5))):
        with pytest.raises(EngineError, match="does not fit"):
            splice(fast, stretches, [heard("our cat saw"), heard("over my red")])


def test_how_much_was_listened_to_is_stored_and_read_back():
    fast = heard(TEN.replace("dog", "fog"))
    whole = splice(fast, found(TEN, fast), [heard("her dog run", engine="slow")])
    columns = transcript_columns("precision", whole)
    assert columns["precision_listened_sec"] == pytest.approx(1.2)
    assert transcript_of("precision", columns).listened_sec == pytest.approx(1.2)
    assert "fast_listened_sec" not in transcript_columns("fast", fast)
    assert transcript_of("fast", transcript_columns("fast", fast)).listened_sec is None


PIECES = st.lists(st.sampled_from(["the", "cat", "dog", "nineteen", "five", "$3.50", "25", "um", "mph"]), max_size=12)
SETTINGS = settings(deadline=None, max_examples=120)


@st.composite
def clips(draw):
    """A text, what the fast engine made of it, and the clip's length; times may be wrong in any way."""
    tokens = tokenise(" ".join(draw(PIECES)))
    texts: list[str] = []
    for token in tokens:
        texts += draw(st.sampled_from([[token.text]] * 6 + [[], ["dog"], [token.text, "um"]]))
    texts += draw(st.sampled_from([[], [], ["oh"]]))
    duration_sec = draw(st.floats(0.01, 8.0))
    orderly = draw(st.booleans())
    at, words = 0.0, []
    for text in texts:
        if orderly:
            start = at + draw(st.sampled_from([0.0, 0.0, 0.02, 0.6, -0.05]))
            at = start + draw(st.sampled_from([0.0, 0.05, 0.3]))
            span = start, at
        else:
            span = draw(st.floats(-1, 10)), draw(st.floats(-1, 10) | st.just(math.nan))
        words.append(Word(text, *span, draw(st.none() | st.sampled_from([0.1, 0.6, 0.9]))))
    if orderly:
        duration_sec = max(duration_sec, at)
    return tokens, Transcript(tuple(words), "fast", "test"), duration_sec, draw(st.integers(0, 3))


def stretches_of(clip):
    tokens, fast, duration_sec, context_words = clip
    return doubtful(tokens, fast, duration_sec=duration_sec, word_confidence=0.5, context_words=context_words)


@SETTINGS
@given(clips())
def test_stretches_are_ordered_disjoint_and_inside_the_audio(clip):
    tokens, fast, duration_sec, _ = clip
    stretches = stretches_of(clip)
    for s in stretches:
        assert 0 <= s.start <= s.end <= len(tokens) and 0 <= s.first[0] <= s.first[1] <= len(fast.words)
        assert 0 <= s.start_sec < s.end_sec <= duration_sec
        assert s.end_sec - s.start_sec >= min(SHORTEST_SEC, duration_sec) - 1e-9
    for s, t in zip(stretches, stretches[1:], strict=False):
        assert s.end < t.start or s.first[1] < t.first[0]
        assert s.end <= t.start and s.first[1] <= t.first[0] and s.end_sec < t.start_sec
    audio = sound(duration_sec)
    for request, s in zip(requests(audio, tokens, fast, stretches), stretches, strict=True):
        assert len(request.audio.samples) and len(request.reference) == s.end - s.start
        if request.audio is not audio:
            length = s.end_sec - s.start_sec + 1e-3
            assert all(0 <= w.start_sec <= length and 0 <= w.end_sec <= length for w in request.first.words)


@SETTINGS
@given(clips())
def test_every_doubt_lies_inside_a_stretch_and_no_number_is_cut_apart(clip):
    tokens, fast, _, _ = clip
    stretches = stretches_of(clip)
    inside = {i for s in stretches for i in range(s.start, s.end)}
    inside_heard = {j for s in stretches for j in range(*s.first)}
    outside = [t.text for i, t in enumerate(tokens) if i not in inside]
    outside_heard = [w for j, w in enumerate(fast.words) if j not in inside_heard]
    assert outside == [w.text for w in outside_heard]
    assert all(w.confidence is None or w.confidence >= 0.5 for w in outside_heard)
    _, differing = align_words([t.text for t in tokens], [w.text for w in fast.words])
    assert all(any(s.start <= a and b <= s.end and s.first[0] <= c and d <= s.first[1] for s in stretches) for a, b, c, d in differing)
    for s in stretches:
        for edge in (s.start, s.end):
            assert not (0 < edge < len(tokens) and tokens[edge - 1].start == tokens[edge].start)


@SETTINGS
@given(clips(), st.booleans())
def test_a_precision_engine_that_hears_the_text_gives_the_text_and_its_verdicts(clip, weighs):
    tokens, fast, duration_sec, _ = clip
    stretches = stretches_of(clip)
    if not stretches:
        assert [t.text for t in tokens] == [w.text for w in fast.words]
        return
    asked = requests(sound(duration_sec), tokens, fast, stretches)
    answers = [Transcript(tuple(Word(text, 0.0, 0.1, 0.9) for text in r.reference), "slow", "none", () if weighs else None) for r in asked]
    whole = splice(fast, stretches, answers)
    assert [w.text for w in whole.words] == [t.text for t in tokens]
    read = apply_threshold(whole, log_ratio_threshold=0.0)
    full = Transcript(tuple(Word(t.text, 0.0, 0.1, 0.9) for t in tokens), "slow", "none")
    by_word, by_clip = judge(tokens, fast, read), judge(tokens, fast, full)
    assert [w.verdict for w in by_word.words] == [w.verdict for w in by_clip.words]
    assert [(i.before, i.verdict) for i in by_word.insertions] == [(i.before, i.verdict) for i in by_clip.insertions]


@SETTINGS
@given(clips())
def test_a_precision_engine_that_hears_the_same_changes_nothing(clip):
    tokens, fast, duration_sec, _ = clip
    stretches = stretches_of(clip)
    if stretches:
        whole = splice(fast, stretches, [request.first for request in requests(sound(duration_sec), tokens, fast, stretches)])
        assert [w.text for w in whole.words] == [w.text for w in fast.words]
        assert 0 < whole.listened_sec <= duration_sec + 1e-9


@SETTINGS
@given(clips(), st.data())
def test_evidence_keeps_pointing_at_its_own_words(clip, data):
    tokens, fast, duration_sec, _ = clip
    stretches = stretches_of(clip)
    if not stretches:
        return
    answers, expected = [], []
    for s, request in zip(stretches, requests(sound(duration_sec), tokens, fast, stretches), strict=True):
        places = []
        for at in range(len(request.reference)):
            if data.draw(st.booleans()):
                places.append(Evidence(at, at + 1, data.draw(st.sampled_from([-1.0, 1.0])), (Word(f"not-{s.start + at}", 0.0, 0.1),)))
        answers.append(Transcript(tuple(Word(text, 0.0, 0.1) for text in request.reference), "slow", "none", tuple(places)))
        expected += [(s.start + one.start, one.log_ratio) for one in places]
    whole = splice(fast, stretches, answers)
    assert [(e.start, e.log_ratio) for e in whole.evidence] == expected
    wrong = {at for at, log_ratio in expected if log_ratio < 0}
    read = apply_threshold(whole, log_ratio_threshold=0.0)
    assert [w.text for w in read.words] == [f"not-{k}" if k in wrong else t.text for k, t in enumerate(tokens)]


def test_a_token_that_nothing_was_heard_of_leaves_no_stretch_without_audio():
    tokens = (Token("cat", 0, 3, "cat"),)
    assert doubtful(tokens, Transcript((), "fast", "test"), duration_sec=2.0, word_confidence=0.5) == (Stretch(0, 1, 0.0, 2.0, (0, 0)),)
    assert doubtful((), Transcript((), "fast", "test"), duration_sec=2.0, word_confidence=0.5) == ()


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite speaks this clip")
def test_real_speech_by_word_gets_the_verdict_of_the_whole_clip_at_a_planted_word():
    from workbench.stt.pocketsphinx_free import PocketsphinxTranscriber
    from workbench.stt.second_opinion import SecondOpinionTranscriber
    from workbench.tts.base import SpeechRequest
    from workbench.tts.flite import FliteSynthesizer

    tts, free, opinion = FliteSynthesizer(), PocketsphinxTranscriber(), SecondOpinionTranscriber()
    for engine in (tts, free, opinion):
        engine.load()
    spoken = "the captain ordered the crew to lower the sails because a heavy fog rolled in from the sea"
    tokens, planted = tokenise(spoken.replace("captain", "window")), 1
    audio = tts.speak([SpeechRequest(spoken, "slt")])[0]
    fast = free.transcribe([SttRequest(audio)])[0]
    full = opinion.transcribe([SttRequest(audio, tuple(t.text for t in tokens), fast)])[0]
    stretches = doubtful(tokens, fast, duration_sec=audio.duration_sec, word_confidence=0.0)
    whole = splice(fast, stretches, opinion.transcribe(requests(audio, tokens, fast, stretches)))
    for engine in (tts, free, opinion):
        engine.close()
    assert 0 < whole.listened_sec < audio.duration_sec
    by_word, by_clip = (judge(tokens, fast, apply_threshold(one, log_ratio_threshold=0.0)).words[planted] for one in (whole, full))
    assert by_word.verdict is by_clip.verdict is Verdict.TTS_FAILURE
    assert [w.text for w in by_word.precision] == [w.text for w in by_clip.precision]
