"""What normalisation promises of every text, however odd."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import TextError
from workbench.text import check_reference, comparable, normalise, same_value, tokenise

_PIECES = st.sampled_from(
    (
        "$3.50|5|17|2006|1,000|0|007|3/4|10/06/2005|4:30|pm|a.m.|May|may|march|Jan.|the|of|and|-|–|—|to|twenty|oh|six|hundred|"
        "thousand|point|half|quarter|past|second|seconds|third|a|I|o|x|%|°C|kg|km/h|m|s|k|b|St.|Dr.|No.|U.S.|e.g.|Henry|VIII|IV|I|"
        "&|/|#|@|+|=|(|)|\"|'|don't|it's|colour|labelled|www.a.com|a@b.org|555-1234|1990s|'80s|dollars|cents|minus|million|é|ß|İ|"
        "½|²|①|٣|😀|\u200b|_|snake_case|uh|hmm|slash|dash|double|o'clock|hours|minutes|am|1st|22nd|3rd|CA|,|.|...|!|?|:|;|$|€|£5|"
        "5m|10k|4B|mph|ms|er|th|st|nd|percent|per|cent|foot|inch|one|two|ten|eleven|quarters|thirds|eighty's|10-12|-5|−3|by|times"
    ).split("|")
)
_TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789.,:/-$%°'\" apmskt", max_size=25),
    st.lists(_PIECES, max_size=8).map(" ".join),
    st.lists(_PIECES, max_size=6).map("".join),
)


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
@example("İ")
@example("ﬁ ﬃ ǅ ẞ ŉ")
@example("\ud800 lone surrogate")
def test_normalising_twice_is_normalising_once(text):
    once = normalise(text)
    assert normalise(once) == once


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_every_token_is_a_bare_word_with_its_place_in_the_raw_text(text):
    previous = (0, 0)
    for token in tokenise(text):
        assert token.text and not re.search(r"[\s_\d.,!?;:()$%\"-]", token.text)
        assert token.text == token.text.lower()
        assert 0 <= token.start < token.end <= len(text)
        assert token.written == text[token.start : token.end]
        assert (token.start, token.end) == previous or token.start >= previous[1]
        previous = (token.start, token.end)


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_a_text_with_a_letter_or_digit_is_never_emptied(text):
    if any(c.isalpha() or c.isdecimal() for c in text):
        assert tokenise(text)
        check_reference(text)
    elif not tokenise(text):
        with pytest.raises(TextError):
            check_reference(text)


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_the_comparable_form_is_its_own_comparable_form(text):
    once = comparable(text)
    assert comparable(once) == once


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_a_text_and_its_normalised_words_compare_equal(text):
    words = normalise(text).split()
    assert same_value(words, words)
    assert comparable(text.replace(" - ", " ")) == comparable(normalise(text.replace(" - ", " ")))
