"""Written and spoken forms that must compare equal, and near misses that must not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from workbench.text import abbreviation_of, agree, comparable, is_filler, same_value, spelling_variants

_EQUAL = """
2006 = two thousand six = two thousand and six = twenty oh six = two zero zero six
1994 = nineteen ninety four = one thousand nine hundred ninety-four
1905 = nineteen oh five = nineteen hundred and five
101 = one hundred and one = one oh one
2,500 = twenty five hundred = two thousand five hundred
1.5 million = one point five million = one and a half million = 1,500,000
0.5 = .5 = zero point five = point five
$3.50 = three dollars and fifty cents = three dollars fifty = three point five dollars
$2.5 million = two point five million dollars = two and a half million dollars
£5.99 = five pounds ninety nine = five pounds and ninety nine pence
$5-$10 = $5–10 = five to ten dollars = five dollars to ten dollars
March 3, 2021 = 3 March 2021 = the third of March twenty twenty-one = march third two thousand twenty one = 2021-03-03
July 4th = the fourth of July = 4 July
25/12/2020 = december twenty fifth twenty twenty
4:30 pm = four thirty p m = half past four pm
4:05 = four oh five = five past four
9:45 = quarter to ten = nine forty five
7:00 = seven o'clock = seven
1990s = nineteen nineties = 1990's
1st = first
121st = one hundred and twenty first
3/4 = three quarters = three fourths
1 1/2 = 1½ = one and a half = 1.5
60 mph = sixty miles per hour
5 km = five kilometers = five kilometres = five kilometer
-5°C = minus five degrees celsius = negative five degrees Celsius
50% = fifty percent = fifty per cent
5'10" = five foot ten = five feet ten inches
Dr. Smith = doctor smith
e.g. = for example = eg
U.S.A. = USA = u s a
AT&T = a t and t
Chapter IV = chapter four
Henry VIII = henry the eighth
(555) 123-4567 = five five five one two three four five six seven = 555.123.4567
1-800-555-1234 = one eight hundred five five five one two three four
007 = double oh seven = zero zero seven
bob@mail.com = bob at mail dot com
www.abc.com = w w w dot a b c dot c o m
and/or = and or = and slash or
100s of = hundreds of
1,000s = thousands
6 × 10^23 = six times ten to the twenty third
a 5 km walk = a five kilometer walk
M.Sc. = m s c
can't = cannot = can not
colour = color
""".strip().splitlines()


@pytest.mark.parametrize("line", _EQUAL)
def test_every_usual_way_to_say_a_written_form_compares_equal(line):
    assert len({comparable(form) for form in line.split(" = ")}) == 1, [comparable(form) for form in line.split(" = ")]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("fifteen", "fifty"), ("1990", "nineteen oh nine"), ("$3.50", "three dollars and fifteen cents"), ("$3.50", "three euros fifty"),
        ("March 3", "march thirteenth"), ("March 3", "may third"), ("4:30", "four thirteen"), ("quarter past nine", "9:45"),
        ("1/2", "one third"), ("3rd", "three"), ("5 km", "five meters"), ("-5", "five"), ("one second", "one half"),
        ("the second", "the half"), ("two to five", "twenty five"), ("1.5", "fifteen"), ("1 million", "one billion"), ("cat", "cats"),
        ("their", "there"), ("can", "can't"), ("slash", "dash"), ("oh no", "no"), ("4,812", "four eight hundred twelve"),
        ("$1,200", "one two hundred dollars"), ("$13.75", "thirteen dollars and seventy five pence"),
    ],
)  # fmt: skip
def test_different_values_stay_different(a, b):
    assert comparable(a) != comparable(b)
    assert not agree(a, b)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("10/06/2005", "october sixth two thousand five"), ("10/06/2005", "the tenth of june two thousand five"),
        ("12/25", "december twenty fifth"), ("4/5", "four out of five"), ("$19.95", "nineteen ninety five"), ("Rocky III", "rocky three"),
        ("2-5", "two five"), ("50/50", "fifty fifty"),
    ],
)  # fmt: skip
def test_an_ambiguous_written_form_agrees_with_each_of_its_readings(written, spoken):
    assert agree(written, spoken) and agree(spoken, written)


def test_the_words_of_a_mismatch_are_the_same_value_however_the_number_is_said():
    assert same_value("nineteen ninety four".split(), "one thousand nine hundred ninety four".split())
    assert same_value(["two", "thousand", "six"], ["twenty", "oh", "six"])
    assert not same_value(["nineteen", "ninety", "four"], ["nineteen", "ninety", "five"])
    assert not same_value(["slash"], []) and same_value([], [])


@pytest.mark.parametrize(
    "pair",
    "labelled labeled|centre center|colour color|realise realize|grey gray|travelling traveling|defence defense|catalogue catalog|"
    "jewellery jewelry|organisations organizations|harbour harbor|analyse analyze|biassed biased|vectorise vectorize".split("|"),
)
def test_one_word_in_two_spellings_is_a_variant_both_ways(pair):
    a, b = pair.split()
    assert spelling_variants(a, b) and spelling_variants(b, a)


@pytest.mark.parametrize(
    "pair",
    "tale tail|four for|hour our|prise prize|filled filed|dinner diner|there their|to too|color color|cat bat|planed planned".split("|"),
)
def test_two_words_are_no_spelling_variant_of_each_other(pair):
    a, b = pair.split()
    assert not spelling_variants(a, b) and not spelling_variants(b, a)


def test_abbreviations_know_their_full_forms_and_fillers_are_eighteen():
    assert ("miles", "per", "hour") in abbreviation_of("mph") and ("miles", "per", "hour") in abbreviation_of("MPH")
    assert {("doctor",), ("drive",)} <= set(abbreviation_of("Dr."))
    assert {("street",), ("saint",)} <= set(abbreviation_of("st"))
    assert ("for", "example") in abbreviation_of("e.g.") and ("december",) in abbreviation_of("Dec")
    assert ("kilograms",) in abbreviation_of("kg")
    assert abbreviation_of("house") == ()
    from workbench.text.tables import table

    assert len(table("fillers")["words"]) == 18 and all(map(is_filler, ["uh", "Um", "hmm"])) and not is_filler("the")
    assert sum(map(bool, map(abbreviation_of, [*table("always"), *table("stopped"), *table("units")]))) >= 45


def _equal_share(path: Path) -> float:
    with path.open(encoding="utf-8", newline="") as file:
        pairs = [(row["written"] or "", row["spoken"] or "") for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    assert len(pairs) > 200
    return sum(comparable(written) == comparable(spoken) for written, spoken in pairs) / len(pairs)


def test_nineteen_of_twenty_written_forms_equal_their_spoken_form():
    assert _equal_share(Path(__file__).with_name("test_text_written_spoken.tsv")) >= 0.95
    given = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "text" / "written_spoken.tsv"
    if given.exists():
        assert _equal_share(given) >= 0.95
