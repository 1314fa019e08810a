"""Keep rules mean what Python means by the same words, wherever everything is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.datasets.columns import kinds
from workbench.datasets.rules import parse

NUMBERS, TRUTHS = ("wer_fast", "duration_sec", "confidence"), ("clipped", "failed")
numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-3, 3).map(str), st.sampled_from(["0.5", "1.25"]))
sums = st.recursive(numbers, lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"), max_leaves=4)
compared = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), sums).map(" ".join)
listed = st.tuples(st.sampled_from(NUMBERS), st.sampled_from([" in ", " not in "]), st.lists(st.integers(-3, 3), min_size=1, max_size=3)).map(lambda t: f"{t[0]}{t[1]}{tuple(t[2])}")
leaves = st.one_of(compared, listed, st.sampled_from(TRUTHS))
rules = st.recursive(
    leaves, lambda inner: st.one_of(inner.map(lambda t: f"not ({t})"), st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})")), max_leaves=8
)
values = st.integers(-3, 3).map(float)
clips = st.lists(st.tuples(values, values, values, st.booleans(), st.booleans()), min_size=1, max_size=6)


def columns_of(rows) -> dict[str, np.ndarray]:
    return {name: np.array(column) for name, column in zip((*NUMBERS, *TRUTHS), zip(*rows, strict=True), strict=True)}


@given(rules, clips)
@settings(max_examples=300, deadline=None)
def test_where_all_is_known_a_rule_is_pythons_own(text, rows):
    truth = parse(text, columns=kinds()).of(columns_of(rows))
    expected = [bool(eval(text, {}, dict(zip((*NUMBERS, *TRUTHS), row, strict=True)))) for row in rows]  # noqa: S307 - made here
    assert truth.true.tolist() == expected and truth.known.all()


@given(rules, clips, st.sampled_from(NUMBERS))
@settings(max_examples=200, deadline=None)
def test_what_is_said_of_the_unknown_holds_whatever_it_turns_out_to_be(text, rows, hidden):
    rule, columns = parse(text, columns=kinds()), columns_of(rows)
    veiled = rule.of({**columns, hidden: np.full(len(rows), np.nan)})
    assert not (veiled.true & ~veiled.known).any()
    for value in (-3.0, -1.0, 0.0, 0.5, 2.0, 3.0):
        told = rule.of({**columns, hidden: np.full(len(rows), value)})
        assert (told.true[veiled.known] == veiled.true[veiled.known]).all()


@given(rules)
@settings(max_examples=100, deadline=None)
def test_the_conditions_of_a_rule_are_together_the_rule(text):
    rule = parse(text, columns=kinds())
    again = parse(" and ".join(f"({clause.text})" for clause in rule.clauses), columns=kinds())
    assert [clause.text for clause in again.clauses] == [clause.text for clause in rule.clauses]
