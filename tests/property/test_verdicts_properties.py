"""What holds for any two transcripts of any text."""

from __future__ import annotations

import jiwer
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from workbench.stt.base import Transcript, Word
from workbench.text import Token, word_distance
from workbench.text.lexicon import lexicon
from workbench.verdicts import Verdict, judge
from workbench.verdicts.align import align_words
from workbench.verdicts.pairing import GAP_COST, pair_words, sound_code
from workbench.verdicts.relate import distance_of

WORDS = st.sampled_from(
    "the a an of cat cap mat tale tail book shelves bookshelves some one someone um uh nineteen hundred five oh "
    "recieve receive thecat labelled labeled mph miles per hour it's".split()
)
TEXTS = st.lists(WORDS, max_size=12)
LISTED = st.sampled_from([w for k, (w, _) in enumerate(lexicon().entries()) if k % 500 == 0])
RELAXED = settings(deadline=None, max_examples=150)


def tokens(words):
    return tuple(Token(w, 10 * k, 10 * k + len(w), w) for k, w in enumerate(words))


def heard(words, engine="fast"):
    return Transcript(tuple(Word(w, 0.4 * k, 0.4 * k + 0.3, 0.9) for k, w in enumerate(words)), engine, "test")


@RELAXED
@given(TEXTS, TEXTS, st.none() | TEXTS)
def test_every_reference_word_gets_one_verdict_and_every_heard_word_a_place(reference, fast, precision):
    result = judge(tokens(reference), heard(fast), None if precision is None else heard(precision))
    assert [(w.index, w.word) for w in result.words] == list(enumerate(reference))
    for said, side in ((fast, "fast"), (precision or [], "precision")):
        placed = {id(w) for item in (*result.words, *result.insertions) for w in getattr(item, side)}
        assert len(placed) == len(said)
    assert [i.before for i in result.insertions] == sorted(i.before for i in result.insertions)
    assert result == judge(tokens(reference), heard(fast), None if precision is None else heard(precision))


@RELAXED
@given(TEXTS)
def test_transcripts_equal_to_the_text_pass_everywhere(reference):
    for precision in (None, heard(reference)):
        result = judge(tokens(reference), heard(reference), precision)
        assert all(w.verdict is Verdict.PASS and w.phone_distance is None for w in result.words)
        assert not result.insertions
        assert not result.flags
        assert result.edits.errors == 0


@RELAXED
@given(TEXTS, TEXTS)
def test_one_engine_that_is_right_acquits_every_word(reference, fast):
    for result in (judge(tokens(reference), heard(fast), heard(reference)), judge(tokens(reference), heard(reference), heard(fast))):
        assert not {w.verdict for w in result.words} & {Verdict.TTS_FAILURE, Verdict.AMBIGUOUS}
        assert not {i.verdict for i in result.insertions} & {Verdict.TTS_FAILURE, Verdict.AMBIGUOUS}


@RELAXED
@given(TEXTS, TEXTS, TEXTS)
def test_swapping_the_engines_swaps_their_errors_and_keeps_convictions(reference, fast, precision):
    mirror = {Verdict.STT_ERROR: Verdict.PRECISION_ERROR, Verdict.PRECISION_ERROR: Verdict.STT_ERROR}
    notation = {Verdict.COMPOUND, Verdict.GT_ERROR, Verdict.SPELLING_VARIANT, Verdict.ABBREVIATION, Verdict.FILLER_WORD}
    one = judge(tokens(reference), heard(fast), heard(precision))
    other = judge(tokens(reference), heard(precision), heard(fast))
    for a, b in zip(one.words, other.words, strict=True):
        if {a.verdict, b.verdict} & {Verdict.GT_TYPO}:
            continue  # the precision engine's word alone settles a typo, the fast engine's does not
        assert mirror.get(a.verdict, a.verdict) is b.verdict or {a.verdict, b.verdict} <= notation


@RELAXED
@given(TEXTS, TEXTS, st.none() | TEXTS)
def test_times_never_run_backwards(reference, fast, precision):
    result = judge(tokens(reference), heard(fast), None if precision is None else heard(precision))
    starts = [w.start_sec for w in result.words if w.start_sec is not None]
    assert starts == sorted(starts)
    assert all(w.start_sec <= w.end_sec for w in result.words if w.start_sec is not None)


@RELAXED
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=30), st.lists(st.sampled_from("abcde"), max_size=30))
def test_raw_edits_are_those_of_jiwer(reference, said):
    theirs = jiwer.process_words(" ".join(reference), " ".join(said))
    ours, stretches = align_words(reference, said)
    counted = ours.hits, ours.substituted, ours.deleted, ours.inserted
    assert counted == (theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions)
    assert ours.wer == theirs.wer
    edges = [(0, 0), *((s[1], s[3]) for s in stretches)]
    for (a, c), (b, d) in zip(edges, [*((s[0], s[2]) for s in stretches), (len(reference), len(said))], strict=True):
        assert reference[a:b] == said[c:d]


@RELAXED
@given(st.lists(WORDS, max_size=40), st.lists(WORDS, max_size=40))
def test_pairing_covers_both_sides_in_order(reference, said):
    at = (0, 0)
    for a, b, c, d in pair_words(tuple(reference), tuple(said)):
        assert (a, c) == at
        assert b > a or d > c
        at = b, d
    assert at == (len(reference), len(said))


@RELAXED
@given(LISTED, LISTED)
def test_the_short_way_to_a_distance_is_the_distance(a, b):
    assert abs(distance_of((a,), (b,)) - word_distance((a,), (b,))) < 1e-9


@RELAXED
@given(LISTED, LISTED, LISTED)
def test_two_against_one_is_the_cheapest_of_its_three_outcomes(one, first, second):
    def cost(blocks):
        total = 0.0
        for a, b, c, d in blocks:
            if a == b or c == d:
                total += GAP_COST
            elif (b - a, d - c) == (1, 1):
                word = (first, second)[c]
                total += 0.0 if word == one else 0.05 + Levenshtein.normalized_distance(sound_code(one), sound_code(word))
            else:
                return None
        return total

    chosen = cost(pair_words((one,), (first, second)))
    if chosen is not None:
        assert chosen <= cost([(0, 1, 0, 1), (1, 1, 1, 2)]) + 1e-6
        assert chosen <= cost([(0, 0, 0, 1), (0, 1, 1, 2)]) + 1e-6
