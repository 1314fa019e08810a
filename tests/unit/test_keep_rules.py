"""Keep rules compute what they say, know what is unknown, and can do nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.datasets.columns import kinds
from workbench.datasets.rules import DEEPEST, STANDARD, Rule, parse, parse_all
from workbench.errors import ConfigError, UnknownNameError

NAN = float("nan")
COLUMNS = {
    "wer_fast": np.array([0.0, 0.03, 0.2, NAN]),
    "confidence": np.array([0.99, 0.975, 0.99, 0.99]),
    "duration_sec": np.array([2.0, 20.0, 3.0, 4.0]),
    "clipped": np.array([False, True, False, False]),
    "speaker": np.array(["anna", "bert", "", "anna"], object),
}


def rule(text: str, **how) -> Rule:
    return parse(text, columns=kinds(), **how)


def kept(text: str) -> list[bool]:
    return rule(text).of(COLUMNS).true.tolist()


def known(text: str) -> list[bool]:
    return rule(text).of(COLUMNS).known.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wer_fast < 0.05 and duration_sec < 15", [True, False, False, False]),
        ("wer_fast < 0.05 or duration_sec < 5", [True, True, True, True]),
        ("not clipped", [True, False, True, True]),
        ("clipped or speaker == 'anna'", [True, True, False, True]),
        ("2 <= duration_sec <= 3", [True, False, True, False]),
        ("duration_sec > 3 > wer_fast * 2", [False, True, False, False]),
        ('speaker in ("bert", "")', [False, True, True, False]),
        ("speaker not in ['anna']", [False, True, True, False]),
        ("duration_sec in (2, 20)", [True, True, False, False]),
        ("duration_sec / (wer_fast + 1) >= 19 - -0.1", [False, True, False, False]),
        ("wer_fast != 0", [False, True, True, False]),
        ("duration_sec\n  < 15", [True, False, True, True]),
        ("(((clipped)))", [False, True, False, False]),
    ],
)
def test_a_rule_keeps_the_clips_for_which_it_is_true(text, expected):
    assert kept(text) == expected


def test_what_is_unknown_is_kept_by_no_comparison_and_by_no_negation_of_one():
    assert kept("wer_fast < 9")[3] is False and kept("not wer_fast < 9")[3] is False and kept("wer_fast != 1")[3] is False
    assert kept("wer_fast not in (1, 2)")[3] is False
    assert known("wer_fast < 9") == [True, True, True, False]


def test_what_is_unknown_does_not_matter_where_the_rest_settles_it():
    assert known("wer_fast < 0.1 and duration_sec > 10")[3] is True
    assert kept("wer_fast < 0.1 or duration_sec < 5")[3] is True
    assert known("wer_fast < 0.1 and duration_sec < 10")[3] is False
    assert kept("not (wer_fast < 0.1 and duration_sec > 10)")[3] is True


def test_division_by_zero_is_unknown_and_no_warning(recwarn):
    assert known("duration_sec / wer_fast > 1") == [False, True, True, False]
    assert not recwarn.list


def test_the_standard_rules_are_those_of_the_thresholds():
    assert STANDARD == {
        "strict": "wer_fast < 0.02 and confidence > 0.98",
        "balanced": "wer_fast < 0.05 and confidence > 0.97",
        "permissive": "wer_fast < 0.10 and confidence > 0.95",
    }
    assert kept("strict") == [True, False, False, False] and kept("balanced") == [True, True, False, False]


def test_rules_may_name_rules_and_their_conditions_are_counted_one_by_one():
    found = rule("balanced and not clipped")
    assert [clause.text for clause in found.clauses] == ["wer_fast < 0.05", "confidence > 0.97", "not clipped"]
    assert found.columns == ("wer_fast", "confidence", "clipped")
    short, mine = parse_all({"short": "duration_sec < 15", "mine": "balanced and short"}, columns=kinds())
    assert mine.name == "mine" and len(mine.clauses) == 3 and short.of(COLUMNS).true.sum() == 3


def test_an_own_rule_may_replace_a_standard_one():
    (strict,) = parse_all({"strict": "duration_sec < 3"}, columns=kinds())
    assert strict.of(COLUMNS).true.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wer_fst < 0.05", "did you mean wer_fast"),
        ("balancd", "did you mean balanced"),
        ("dnsmos_overall > 3", "dnsmos_ovrl"),
    ],
)
def test_an_unknown_column_is_refused_with_the_nearest(text, told):
    with pytest.raises(UnknownNameError, match=told):
        rule(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected: conditions"),
        ("wer_fast", "a condition, not a value"),
        ("speaker", "a condition, not a value"),
        ("wer_fast = 0.05", "write == to compare"),
        ("wer_fast < 0.05 && clipped", "write and"),
        ("clipped || failed", "write or"),
        ("clipped & failed", "write and"),
        ("clipped == True", "write clipped alone"),
        ("wer_fast < 'low'", "two numbers or two texts"),
        ("speaker < 'b'", "between texts"),
        ("speaker in 'anna'", "constants"),
        ("speaker in (wer_fast,)", "constants"),
        ("duration_sec in ()", "constants"),
        ("not wer_fast", "a condition after not"),
        ("wer_fast + clipped > 1", "numbers to compute with"),
        ("wer_fast and clipped", "between and and or"),
        ("1 < 2", "a condition on a column"),
        ("wer_fast < 1e400", "a number within"),
        ("wer_fast ** 2 < 1", r"wer_fast \*\* 2"),
        ("wer_fast is 3", "< <= > >="),
        ("wer_fast < 0.05 and", "not a keep rule"),
        ("wer_fast < 5%", "not a keep rule"),
        ("\0", "not a keep rule"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_to_write_instead(text, told):
    with pytest.raises(ConfigError, match=told):
        rule(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "clip_id.upper() == 'A'", "(lambda: clipped)()", "[c for c in speaker] == 1", "clipped if clipped else clipped", "wer_fast[0] < 1",
        "f'{speaker}' == 'a'", "(x := 1) < 2", "await clipped", "speaker == b'a'", "wer_fast < 1j", "clipped, failed", "...", "None == wer_fast",
    ],
)  # fmt: skip
def test_a_rule_can_do_nothing_but_compare(text):
    with pytest.raises((ConfigError, UnknownNameError)):
        rule(text)


def test_a_rule_costs_neither_the_stack_nor_the_memory():
    for text in ("not " * 900 + "clipped", "(" * 150 + "clipped" + ")" * 150 + " and " + "not " * (DEEPEST + 1) + "clipped", "clipped and " * 400 + "clipped", "-" * 1500 + "wer_fast < 1"):
        with pytest.raises(ConfigError):
            rule(text)
    doubling = {f"r{n}": f"r{n + 1} or not r{n + 1}" for n in range(60)} | {"r60": "clipped"}
    with pytest.raises(ConfigError, match="too many parts"):
        parse("r0", columns=kinds(), named=doubling)


def test_rules_that_name_each_other_in_a_circle_are_refused():
    with pytest.raises(ConfigError, match="circle"):
        parse_all({"one": "two and clipped", "two": "one or clipped"}, columns=kinds())
    with pytest.raises(ConfigError, match="circle"):
        parse_all({"one": "one"}, columns=kinds())
