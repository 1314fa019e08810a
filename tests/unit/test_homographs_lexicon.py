"""The lexicon of homographs: whole, apart by ear, true to the data and to the dictionary, open to the user's words."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import pytest

from workbench.errors import ConfigError, TextError, UnknownNameError
from workbench.homographs import KINDS, contrast, contrast_of, lexicon, place_of
from workbench.homographs.lexicon import phones_of, read
from workbench.text.lexicon import lexicon as cmu_dictionary
from workbench.text.phone_sets import bare, from_ipa, unknown_symbols

BOOK = lexicon()
LABELS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "text" / "homographs_wikipedia" / "wordids.tsv"
#: Wrong in the dictionary: the noun, rubbish, ends in S.
_WRONG_IN_CMU = {("refuse", "R EH F Y UW Z")}
#: Wrong in the data: stray digits, a lost sound, a lost ending.
_WRONG_IN_DATA = {"abuses_nou", "abuses_vrb", "affiliate_vrb", "approximate_vrb"}


def test_every_reading_is_whole():
    assert len(BOOK) == 162 and sum(len(word.readings) for word in BOOK.values()) == 326
    for word in BOOK.values():
        for reading in word:
            assert reading.sense and reading.pos and reading.labels and reading.examples, (word.word, reading.name)
            regions = {variant.region for variant in reading.variants}
            # British English says the sculpture as it says the telephone.
            assert regions == {"us", "gb"} or (word.word, reading.name) == ("mobile", "art")
            assert all(variant.ipa and any(phone.endswith("1") for phone in variant.phones) for variant in reading.variants)
        if word.told_by == "sense":
            assert all(reading.cues for reading in word) or word.word == "mobile", word.word


def test_no_pronunciation_belongs_to_two_readings():
    for word in BOOK.values():
        for a, b in combinations(word, 2):
            assert {v.phones for v in a.variants}.isdisjoint({v.phones for v in b.variants}), word.word


def test_kinds_are_those_of_the_phones():
    for word in BOOK.values():
        assert word.kind == contrast_of(*word.readings[:2]).kind, word.word
    assert {word.kind for word in BOOK.values()} == set(KINDS)


@pytest.mark.parametrize(
    ("a", "b", "kind", "pairs"),
    [
        ("L EH1 D", "L IY1 D", "vowel", (("EH1", "IY1"),)),
        ("AA1 B JH EH0 K T", "AH0 B JH EH1 K T", "reduction", (("AA1", "AH0"),)),
        ("R EH1 K ER0 D", "R IH0 K AO1 R D", "reduction", (("EH1", "IH0"), ("AH0", "AO1"))),
        ("S EH1 P ER0 AH0 T", "S EH1 P ER0 EY2 T", "ate_ment", (("AH0", "EY2"),)),
        ("Y UW1 S", "Y UW1 Z", "voicing", (("S", "Z"),)),
        ("D IY1 K R IY2 S", "D IH0 K R IY1 S", "weak_reduction", (("IY1", "IH0"),)),
        ("IH1 N S AH2 L T", "IH0 N S AH1 L T", "stress_only", ()),
        ("M OW1 P EH2 D", "M OW1 P T", "lexical", (("EH2", ""), ("D", "T"))),
    ],
)
def test_a_contrast_is_named_by_what_differs(a, b, kind, pairs):
    found = contrast(a.split(), b.split())
    assert (found.kind, found.pairs) == (kind, pairs)
    assert contrast(b.split(), a.split()).kind == kind


def test_every_label_names_one_reading():
    labels = [label for word in BOOK.values() for reading in word for label in reading.labels]
    assert len(labels) == len(set(labels)) == len(BOOK.labels()) == 326
    assert BOOK["LIVE"].reading("live_vrb") is BOOK["live"].reading("verb")
    with pytest.raises(UnknownNameError, match="did you mean metal"):
        BOOK["lead"].reading("meta")


@pytest.mark.skipif(not LABELS.is_file(), reason="the Wikipedia Homograph Data are not there")
def test_labels_and_pronunciations_are_those_of_the_data_but_for_its_faults():
    def loose(phones):
        return tuple({"IH": "AH", "EH": "AH", "AO": "AA"}.get(phone, phone) for phone in bare(phones))

    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["wordid"] for row in rows} == set(BOOK.labels())
    wrong = set()
    for row in rows:
        ours = {loose(variant.phones) for variant in BOOK[row["homograph"]].reading(row["wordid"]).variants}
        if unknown_symbols(row["pronunciation"]) or loose(from_ipa(row["pronunciation"])) not in ours:
            wrong.add(row["wordid"])
    assert wrong == _WRONG_IN_DATA


def test_cmus_dictionary_says_nothing_that_the_lexicon_lacks_but_for_its_faults():
    missing = {
        (word.word, " ".join(phones))
        for word in BOOK.values()
        for phones in cmu_dictionary().pronunciations(word.word)
        if not any(variant.bare == phones for reading in word for variant in reading.variants)
    }
    assert missing == _WRONG_IN_CMU


def test_weak_vowels_are_variants_and_say_so():
    verb = BOOK["decrease"].reading("verb")
    assert [" ".join(v.phones) for v in verb.of_region("us")] == ["D IH0 K R IY1 S", "D IY0 K R IY1 S", "D AH0 K R IY1 S"]
    assert [v.usual for v in verb.of_region("us")] == [True, True, False]
    assert "noun" in verb.tolerates and verb.usual.ipa == "dɪˈkɹiːs"


@pytest.mark.parametrize(
    ("word", "reading", "other"),
    [("mobile", "art", "movable"), ("mobile", "movable", "art"), ("advocate", "noun", "verb"), ("graduate", "noun_adjective", "verb"), ("expatriate", "noun_adjective", "verb")],
)
def test_a_sound_that_dictionaries_allow_is_no_error(word, reading, other):
    assert other in BOOK[word].reading(reading).tolerates


def test_a_pronunciation_is_arpabet_or_ipa():
    assert phones_of("L IY1 D") == phones_of("liːd") == phones_of("ˈliːd") == ("L", "IY1", "D")
    assert phones_of("ˈɹɛkɔːd") == ("R", "EH1", "K", "AO0", "D")
    assert phones_of("L IH V") == ("L", "IH1", "V")
    for wrong in ("L IY3 D", "QQ", "l1d", "ɹɛkɔːd", "", "tk", "M", "S T", "R EH K ER D", "l iy1 d", "l ih v"):
        with pytest.raises(TextError):
            phones_of(wrong)


ENTRY = """
[cwm]
[cwm.valley]
sense = "a valley"
pos = ["noun"]
us = ["K UW1 M"]
examples = ["They camped in the cwm overnight."]
cues = ["Glacier"]

[cwm.verb]
sense = "an invented verb"
pos = ["verb"]
gb = ["kwɪm"]
tolerates = ["valley"]
"""


def test_a_user_adds_a_word_by_one_entry(tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text(ENTRY, encoding="utf-8")
    found = lexicon(path)["Cwm"]
    assert (found.kind, found.told_by, found.source) == ("lexical", "grammar", str(path))
    assert found.reading("verb").usual.phones == ("K", "W", "IH1", "M") and found.reading("valley").cues == ("glacier",)
    monkeypatch.setenv("WORKBENCH_HOMOGRAPHS", str(path))
    assert "cwm" in lexicon() and len(lexicon()) == 163
    path.write_text(ENTRY.replace("cwm", "lead"), encoding="utf-8")
    # What was read before the file was changed is not told again.
    assert "cwm" not in lexicon() and lexicon()["lead"].source == str(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[cwm]", "[cwm", "not TOML"),
        ("cwm", "Cwm", "lower case"),
        ('pos = ["verb"]', 'pos = ["verbal"]', "parts of speech"),
        ('pos = ["verb"]', "", "parts of speech"),
        ('gb = ["kwɪm"]', "", "needs a pronunciation"),
        ('gb = ["kwɪm"]', 'gb = ["K W IH9 M"]', "cannot be read"),
        ('gb = ["kwɪm"]', 'us = ["M"]', "needs a vowel"),
        ('gb = ["kwɪm"]', 'gb = ["kuːm"]', "same pronunciation"),
        ('gb = ["kwɪm"]', 'gb = "kwɪm"', "list of texts"),
        ('tolerates = ["valley"]', 'tolerates = ["hill"]', "tolerates a reading"),
        ("examples =", "exemples =", "did you mean examples"),
        ("the cwm overnight", "the cwm of a cwm", "2 times"),
        ("the cwm overnight", "the hut overnight", "0 times"),
        ("[cwm]\n", '[cwm]\nkind = "odd"\n', "unknown kind"),
        ("[cwm]\n", '[cwm]\ntold_by = "luck"\n', "unknown told_by"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused_by_name(old, new, told):
    with pytest.raises(ConfigError, match=told):
        read(ENTRY.replace(old, new), where="mine.toml", source="mine.toml")


def test_one_reading_makes_no_homograph():
    with pytest.raises(ConfigError, match="two readings"):
        read(ENTRY.split("[cwm.verb]")[0], where="mine.toml", source="mine.toml")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        lexicon(tmp_path / "none.toml")


def test_the_place_of_a_word_is_in_bytes():
    assert place_of("Für wen ist das Lead?", "lead") == (17, 21)
    with pytest.raises(TextError):
        place_of("leading", "lead")
