"""What phone distance promises of every pair."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.text import phone_distance, pronunciations
from workbench.text.g2p import arpabet, by_rule
from workbench.text.phones import PHONES, merged

_PHONES = st.lists(st.sampled_from(PHONES), max_size=9)


@settings(max_examples=150, deadline=None)
@given(_PHONES, _PHONES)
def test_phone_distance_is_symmetric_zero_on_equal_and_within_one(a, b):
    distance = phone_distance(a, b)
    assert distance == phone_distance(b, a)
    assert 0.0 <= distance <= 1.0
    assert (distance == 0.0) == (a == b)


@settings(max_examples=150, deadline=None)
@given(_PHONES)
def test_mergers_are_settled_in_one_go(phones):
    assert merged(merged(phones)) == merged(phones)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_rules_give_phones_of_the_set_or_nothing_for_any_string(text):
    assert set(by_rule(text)) <= set(PHONES)
    assert set(arpabet(text)) <= set(PHONES)
    assert bool(by_rule(text)) == any("a" <= c <= "z" for c in text.lower())


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet="abcdeghilmnoprstuy'", min_size=1, max_size=8))
def test_pronunciations_never_raise_and_always_give_phones_to_a_word(word):
    readings = pronunciations(word)
    assert all(set(p) <= set(PHONES) and p for p in readings)
    assert bool(readings) == any(c.isalpha() for c in word)
