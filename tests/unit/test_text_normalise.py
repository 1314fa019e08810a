"""Tokens and their places, and what is refused as a reference text."""

from __future__ import annotations


import pytest

from workbench.errors import TextError
from workbench.text import check_reference, normalise, tokenise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", "hello world"),
        ("Don’t stop – “now”…", "don't stop now"),
        ("a well-known snake_case _word_", "a well known snake case word"),
        ("café naïve Ærø Łódź", "cafe naive aero lodz"),
        ("uh, um, hmm", "uh um hmm"),
        ("labelled and labeled", "labelled and labeled"),
        ("The dogs' bones 'n' things 😀🎉", "the dogs bones n things"),
        ("$3.50", "three dollars and fifty cents"),
        ("Dr. Smith lives on Elm St. near St. Louis", "doctor smith lives on elm street near saint louis"),
        ("at 60 mph", "at sixty miles per hour"),
        ("in 1994, 2006 and 2012", "in nineteen ninety four two thousand six and twenty twelve"),
        ("the 1990s and '80s", "the nineteen nineties and eighties"),
        ("on March 3rd, 2021", "on march third twenty twenty one"),
        ("You may march 5 miles", "you may march five miles"),
        ("at 4:05 p.m. EST", "at four oh five pm est"),
        ("3½ cups", "three and a half cups"),
        ("-5°C to 10°C", "minus five degrees celsius to ten degrees celsius"),
        ("5 km² at 9.8 m/s", "five square kilometers at nine point eight meters per second"),
        ("pages 10-12", "pages ten to twelve"),
        ("a 4-year-old", "a four year old"),
        ("Henry VIII, Chapter IV; I, Malcolm X", "henry the eighth chapter four i malcolm x"),
        ("the U.S.A. at 5 p.m.", "the usa at five pm"),
        ("bob@mail.com", "bob at mail dot com"),
        ("call 555-123-4567", "call five five five one two three four five six seven"),
        ("5 in the morning, 3 in all", "five in the morning three in all"),
        ("On the mar.", "on the mar"),
        ("He sat. It was in Jan. 1999", "he sat it was in january nineteen ninety nine"),
        ("1 in 5 at 6 in. tall", "one in five at six inches tall"),
        ("you may 20 times", "you may twenty times"),
        ("In St. Louis Miss St. Clair left Elm St. It rained", "in saint louis miss saint clair left elm street it rained"),
        ("the end.then a data.tfrec", "the end then a data dot tfrec"),
        ("R2-D2 and COVID-19", "r two d two and covid nineteen"),
        ("٣ and ①", "three and one"),
        ("a $100 bill for the $5 he owes", "a one hundred dollar bill for the five dollars he owes"),
        ("A 5 km walk; Plan A 5 km on", "a five kilometer walk plan a five kilometers on"),
        ("a 30 mph limit in a $5m town", "a thirty mile per hour limit in a five million dollar town"),
        ("100s of birds, 1,000s of eggs, the 1900s", "hundreds of birds thousands of eggs the nineteen hundreds"),
        ("page ix, Chapter XL, part iii, a mix", "page nine chapter forty part three a mix"),
        ("10^2, 10^23", "ten squared ten to the twenty third"),
        ("Fr. Brennan, Pvt. Dunn and Wm. Penn, M.Sc.", "father brennan private dunn and william penn msc"),
        ("Rte. 12 to W. 4th St., incl. tolls", "route twelve to west fourth street including tolls"),
        ("On Sat. he sat. Then on Sun. the sun.", "on saturday he sat then on sunday the sun"),
    ],
)
def test_a_text_becomes_the_words_that_are_said(text, words):
    assert normalise(text) == words


def test_tokens_of_one_written_form_share_its_span():
    text = "It cost $3.50, Dr. Lee."
    tokens = tokenise(text)
    money = [t for t in tokens if t.written == "$3.50"]
    assert [t.text for t in money] == ["three", "dollars", "and", "fifty", "cents"]
    assert {(t.start, t.end, t.kind) for t in money} == {(8, 13, "number")}
    assert [(t.text, t.kind) for t in tokens if t.written == "Dr."] == [("doctor", "abbreviation")]


def test_spans_point_into_the_raw_text_where_folding_changes_its_length():
    text = "ﬁne… 3½ kg — Œuvre №5"
    assert [(t.text, text[t.start : t.end]) for t in tokenise(text)] == [
        ("fine", "ﬁne"), *[(w, "3½ kg") for w in "three and a half kilograms".split()], ("oeuvre", "Œuvre"), ("number", "№"), ("five", "5"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "   \n", "...!?", "—", "😀🎉", "\u200b", "_ _"])
def test_a_text_with_nothing_to_say_is_refused_with_its_place(text):
    assert tokenise(text) == ()
    with pytest.raises(TextError, match="clip 7.*to mend"):
        check_reference(text, where="clip 7")


def test_twenty_thousand_characters_are_accepted_and_two_hundred_thousand_and_one_refused():
    check_reference("word " * 4000)
    with pytest.raises(TextError, match="too long"):
        check_reference("x" * 200_001)


@pytest.mark.parametrize(
    "unit",
    [
        "On 3 March, Dr. Lee paid $3.50 for 12 kg. ", "plain words go quickly ",
        *"a.|.1|1,|A.|1m|a@|é😀|1:|/1|www.|9|$1-|a.exe|oh ".split("|"),
    ],
)
def test_twenty_thousand_characters_of_anything_become_tokens_of_it(unit):
    text = (unit * (20_000 // len(unit) + 1))[:20_000]
    tokens = tokenise(text)
    assert all(0 <= token.start <= token.end <= len(text) for token in tokens)
    assert tokens or not any(character.isalnum() for character in text)
