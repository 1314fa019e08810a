"""One mapping between ARPABET, IPA and eSpeak NG's symbols: round trips, and phones that panphon knows."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from shutil import which
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import TextError
from workbench.text.lexicon import lexicon
from workbench.text.phone_sets import VOWELS, bare, espeak_symbols, for_panphon, from_ipa, parse_arpabet, sounds_of, spelt_ipa, symbols_for, to_ipa, unknown_symbols
from workbench.text.phones import PHONES

_PHONE = st.sampled_from([p for p in PHONES if p not in VOWELS] + [v + digit for v in sorted(VOWELS) for digit in "012"])
_PHONES = st.lists(_PHONE, min_size=1, max_size=10)


@settings(max_examples=300, deadline=None)
@given(_PHONES)
def test_arpabet_goes_into_ipa_and_back_with_its_stress(phones):
    assert from_ipa(to_ipa(phones), stress=True) == tuple(phones)
    assert from_ipa(to_ipa(phones)) == bare(phones)
    assert from_ipa(spelt_ipa(phones)) == bare(phones)
    assert parse_arpabet(" ".join(phones)) == tuple(phones)


@settings(max_examples=300, deadline=None)
@given(_PHONES)
def test_spelt_ipa_keeps_every_stress(phones):
    # A weak vowel that bears a mark is written as the strong one: "ˌə" would be no English.
    assert [p for p in from_ipa(spelt_ipa(phones), stress=True) if p[-1] in "12"] == [p for p in phones if p[-1] in "12"]


@settings(max_examples=300, deadline=None)
@given(_PHONES, st.booleans())
def test_espeaks_symbols_mean_the_same_phones(phones, with_pairs):
    known = None if with_pairs else {symbol for symbol in sounds_of("ipa")[0] if len(sounds_of("ipa")[0][symbol].split()) == 1}
    symbols = espeak_symbols(phones, known=known)
    assert from_ipa(symbols) == bare(phones)
    assert known is None or set(symbols) <= known


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=15))
def test_any_text_gives_phones_of_the_set(text):
    assert set(from_ipa(text)) <= set(PHONES)
    assert set(bare(from_ipa(text, stress=True))) <= set(PHONES)
    unknown_symbols(text)


@lru_cache(maxsize=1)
def _panphon():
    import panphon

    return panphon.FeatureTable()


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [("ˈɹeɪdiəʊ", "R EY1 D IY0 OW0"), ("ˈvɪdɪəʊ", "V IH1 D IH0 OW0"), ("ˈstjuːdiəʊz", "S T Y UW1 D IY0 OW0 Z"), ("ˈtɪə", "T IH1 AH0"), ("ˈmiːdiə", "M IY1 D IY0 AH0")],
)
def test_the_british_o_keeps_its_schwa_after_another_vowel(ipa, phones):
    assert from_ipa(ipa, stress=True) == tuple(phones.split())


def test_panphon_knows_every_phone():
    for phone in [*PHONES, *(v + "0" for v in VOWELS)]:
        (symbol,) = to_ipa([phone])
        assert "".join(_panphon().ipa_segs(for_panphon(symbol))) == for_panphon(symbol), phone
    for symbol in sounds_of("ipa")[0]:
        assert "".join(_panphon().ipa_segs(for_panphon(symbol))) == normalize("NFD", for_panphon(symbol)), symbol


def test_symbols_of_a_phone_begin_with_the_usual_one():
    assert symbols_for("T") == ("t", "ɾ", "ʔ") and symbols_for("AH0")[0] == "ə" and symbols_for("AH1")[0] == "ʌ"
    assert all(from_ipa((symbol,)) == (phone,) for phone in PHONES for symbol in symbols_for(phone))


def test_every_pronunciation_of_the_dictionary_survives():
    for word, phones in list(lexicon().entries())[::499]:
        assert from_ipa(to_ipa(phones)) == phones == from_ipa(espeak_symbols(phones)), word


@pytest.mark.skipif(which("espeak-ng") is None, reason="eSpeak NG is not installed")
@pytest.mark.parametrize("voice", ["en-us", "en-gb"])
def test_what_espeak_writes_is_understood(voice):
    words = [word for word, _ in list(lexicon().entries())[::211] if word.isalpha()]
    done = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", voice], input="\n".join(words), capture_output=True, encoding="utf-8", check=True)
    unknown = {sign for line in done.stdout.splitlines() for sign in unknown_symbols(line.strip())}
    # Nasal vowels of French words keep the vowel.
    assert unknown <= {"\u0303"}, unknown


@pytest.mark.parametrize("wrong", ["", "B1", "AH3", "b", "XX", "AH 1"])
def test_what_is_no_arpabet_is_refused(wrong):
    with pytest.raises(TextError):
        parse_arpabet(wrong)
