"""A composite says over which judges it was taken, and systems are compared only over judges that scored them all."""

from __future__ import annotations

import math

from workbench.judges.composite import Composite, composite, fair_composites, fair_judges


def test_composite_is_the_mean_of_the_primaries_and_names_their_judges():
    assert composite({"dnsmos": 3.0, "nisqa": 4.0}) == Composite(3.5, ("dnsmos", "nisqa"))


def test_a_judge_without_a_score_is_neither_counted_nor_named():
    assert composite({"dnsmos": 3.0, "nisqa": None, "scoreq": math.nan}) == Composite(3.0, ("dnsmos",))


def test_a_composite_over_no_judges_is_none_not_zero():
    assert composite({}) == composite({"dnsmos": None}) == Composite(None, ())


SYSTEMS = {
    "a": {"dnsmos": 3.0, "nisqa": 4.0, "scoreq": 4.4},
    "b": {"scoreq": 4.0, "nisqa": 3.0, "dnsmos": None},
    "c": {"nisqa": 2.0, "scoreq": 1.0},
}


def test_fair_judges_are_those_that_scored_every_system_in_a_fixed_order():
    assert fair_judges(SYSTEMS) == ("nisqa", "scoreq")
    assert fair_judges({}) == ()
    assert fair_judges({"a": SYSTEMS["a"]}) == ("dnsmos", "nisqa", "scoreq")


def test_fair_composites_rest_on_the_same_judges_for_every_system():
    fair = fair_composites(SYSTEMS)
    both = ("nisqa", "scoreq")
    assert fair == {"a": Composite(4.2, both), "b": Composite(3.5, both), "c": Composite(1.5, both)}
    assert composite(SYSTEMS["a"]).value != fair["a"].value
