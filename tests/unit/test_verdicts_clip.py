"""Insertions, clip flags, alignment, and bad input."""

from __future__ import annotations


import numpy as np
import pytest

from workbench.audio import Audio
from workbench.stt.base import Transcript, Word
from workbench.text import Token
from workbench.text.lexicon import lexicon
from workbench.verdicts import AudioFacts, Verdict, judge
from workbench.verdicts.align import align_words
from workbench.verdicts.pairing import echoes, pair_words


def heard(text: str) -> Transcript:
    return Transcript(tuple(Word(w, 0.4 * k, 0.4 * k + 0.3, 0.9) for k, w in enumerate(text.split())), "engine", "test")


def tokens(words) -> tuple[Token, ...]:
    return tuple(Token(w, k, k + 1, w) for k, w in enumerate(words))


def both(reference: str, fast: str, precision: str | None, **facts):
    return judge(reference, heard(fast), heard(precision) if precision is not None else None, **facts)


@pytest.mark.parametrize(
    ("fast", "precision", "expected"),
    [
        ("we saw big boats today", "we saw big boats today", [(2, Verdict.TTS_FAILURE, "big", "big")]),
        ("we saw big boats today", "we saw boats today", [(2, Verdict.STT_ERROR, "big", "")]),
        ("we saw boats today", "we saw big boats today", [(2, Verdict.PRECISION_ERROR, "", "big")]),
        ("we saw elephant boats today", "we saw many boats today", [(2, Verdict.AMBIGUOUS, "elephant", "many")]),
        ("we saw flower boats today", "we saw flour boats today", [(2, Verdict.TTS_FAILURE, "flower", "flour")]),
        ("uh we saw boats today", "uh we saw boats today", [(0, Verdict.FILLER_WORD, "uh", "uh")]),
        ("we saw um boats today", "we saw boats today", [(2, Verdict.FILLER_WORD, "um", "")]),
        (
            "we saw um big boats today",
            "we saw big boats today",
            [(2, Verdict.FILLER_WORD, "um", ""), (2, Verdict.TTS_FAILURE, "big", "big")],
        ),
        (
            "we saw big green boats today",
            "we saw big boats today",
            [(2, Verdict.TTS_FAILURE, "big", "big"), (2, Verdict.STT_ERROR, "green", "")],
        ),
        ("we saw boats boats today", "we saw boats boats today", [(3, Verdict.TTS_FAILURE, "boats", "boats")]),
        ("we saw big boats today", None, [(2, Verdict.AMBIGUOUS, "big", "")]),
    ],
)
def test_inserted_words_convict_only_when_both_engines_heard_them(fast, precision, expected):
    result = both("we saw boats today", fast, precision)
    assert all(w.verdict is Verdict.PASS for w in result.words)
    got = [(i.before, i.verdict, " ".join(w.text for w in i.fast), " ".join(w.text for w in i.precision)) for i in result.insertions]
    assert got == expected


@pytest.mark.parametrize(
    ("reference", "fast", "precision", "flags"),
    [
        ("the cat sat on the mat", "the cat sat on the mat", "the cat sat on the mat", ()),
        ("hello there", "", "", ("empty_output",)),
        ("hello there", "", None, ("empty_output",)),
        ("hello there", "hello there", "", ()),
        ("the cat sat on the mat", "the cat sat on", "the cat sat on", ("cut_off_tail",)),
        ("go to the house near the river", "go to the", "go to the", ("cut_off_tail",)),
        ("the cat sat on the mat", "the cat sat on the", "the cat sat on the", ("cut_off_tail",)),
        ("the cat sat on the mat", "the cat sat on the", "the cat sat on the mat", ()),
        ("the cat sat on the mat", "the cat sat on the", None, ()),
        ("the cat sat on the mat", "the cat sat on", None, ("cut_off_tail",)),
        ("go home", "go home now please", "go home now please", ("added_tail",)),
        ("go home", "go home now please", "go home", ()),
        ("go home", "go home um", "go home um", ()),
        ("one cat sat down", "one cat sat cat sat down", "one cat sat cat sat down", ("repeated_span",)),
        ("one cat sat down", "one cat sat one cat sat one cat sat down", "one cat sat one cat sat one cat sat down", ("repeated_span",)),
        ("one cat sat down", "one cat sat cat sat down", "one cat sat down", ()),
        ("one cat sat down", "one cat cat sat down", "one cat cat sat down", ()),
        ("one cat sat down", "one cat sat down sat down", "one cat sat down sat down", ("repeated_span", "added_tail")),
        ("", "hello", "hello", ()),
        ("", "", "", ()),
    ],
)
def test_clip_flags_say_what_is_wrong_with_the_clip(reference, fast, precision, flags):
    assert both(reference, fast, precision).flags == flags


def test_near_silence_is_flagged_from_the_audio_or_its_facts():
    quiet = Audio(np.full(16000, 1e-4, dtype=np.float32), 16000)
    loud = Audio(np.full(16000, 0.1, dtype=np.float32), 16000)
    assert "near_silent" in both("hello", "hello", "hello", audio=quiet).flags
    assert "near_silent" not in both("hello", "hello", "hello", audio=loud).flags
    assert "near_silent" not in both("hello", "hello", "hello").flags
    assert AudioFacts.of(loud).rms_db == pytest.approx(-20.0, abs=0.01)
    assert AudioFacts.of(Audio(np.zeros(10, dtype=np.float32), 16000)).rms_db == float("-inf")
    assert AudioFacts.of(Audio(np.zeros(0, dtype=np.float32), 16000)).rms_db == float("-inf")


def test_words_at_the_cut_off_end_take_the_time_that_is_left():
    facts = AudioFacts(duration_sec=2.7, rms_db=-20.0)
    result = both("one two three four", "one two", "one two", audio=facts)
    assert [(round(w.start_sec, 3), round(w.end_sec, 3)) for w in result.words[2:]] == [(0.7, 1.7), (1.7, 2.7)]
    assert both("one two three four", "one two", "one two").words[3].start_sec is None


@pytest.mark.parametrize(
    ("reference", "said", "stretches"),
    [
        ("a b c", "a b c", []),
        ("a b c", "a x c", [(1, 2, 1, 2)]),
        ("a b b c", "a b c", [(2, 3, 2, 2)]),
        ("a b c", "a b b c", [(2, 2, 2, 3)]),
        ("a b c d", "a b c b c d", [(3, 3, 3, 5)]),
        ("a b", "", [(0, 2, 0, 0)]),
        ("", "a b", [(0, 0, 0, 2)]),
    ],
)
def test_what_could_stand_in_several_places_stands_in_the_last(reference, said, stretches):
    assert align_words(reference.split(), said.split())[1] == stretches


@pytest.mark.parametrize(
    ("reference", "said", "pairs"),
    [
        ("see the sign", "sea sign", ["see/sea", "the/", "sign/sign"]),
        ("the old man", "ohld mat", ["the/", "old/ohld", "man/mat"]),
        ("a while", "awhile", ["a while/awhile"]),
        ("ice cream", "i scream", ["ice cream/i scream"]),
        ("cats", "cat uh", ["cats/cat", "/uh"]),
        ("big boats", "pig green goats", ["big/pig", "/green", "boats/goats"]),
        ("door again", "door door oregon", ["door/door", "/door", "again/oregon"]),
        ("knew each", "new new each", ["knew/new", "/new", "each/each"]),
    ],
)
def test_words_are_paired_by_their_sound(reference, said, pairs):
    left, right = reference.split(), said.split()
    blocks = pair_words(tuple(left), tuple(right), None, echoes(tuple(right)))
    assert [" ".join(left[a:b]) + "/" + " ".join(right[c:d]) for a, b, c, d in blocks] == pairs


def test_huge_and_hopeless_input_is_judged_whole():
    listed = [w for k, (w, _) in enumerate(lexicon().entries()) if k % 13 == 0 and w.isalpha()]
    one, two, three = (tuple(listed[k : k + 9000 : 3]) for k in range(3))
    result = judge(tokens(["word"] * 2000), heard(""), heard(""))
    assert len(result.words) == 2000
    result = judge((), heard("word " * 2000), heard("word other " * 1000))
    assert sum(len(i.fast) for i in result.insertions) == 2000
    result = judge(tokens(one), heard(" ".join(two)), heard(" ".join(three)))
    assert len(result.words) == 3000
    result = judge(tokens(["a" * 20_000, "cat"]), heard("b" * 20_000 + " cat"), heard("c" * 20_000 + " cat"))
    assert len(result.words) == 2
