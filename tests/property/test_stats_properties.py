"""What holds for any measurements."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.systems_for_tests import without_old_garbage  # noqa: F401
from workbench.stats import Direction, Measurement, Outcome, Scaling, compare, correlations, pareto_front, weighted

METRICS = {"mos": Direction.HIGHER, "wer": Direction.LOWER}
FINITE = st.floats(-100, 100, allow_subnormal=False).map(lambda value: round(value, 3))
VALUES = st.one_of(FINITE, st.sampled_from([math.nan, math.inf, None, 0.0, 1.0]))
ROWS = st.lists(
    st.builds(Measurement, st.sampled_from("abc"), st.sampled_from([f"t{k}" for k in range(6)]), st.integers(0, 1), st.sampled_from(["mos", "wer", "other"]), VALUES, st.sampled_from([0.0, 1.0, 7.0])),
    max_size=60,
)
SEEDS = st.integers(0, 2**31)
QUICK = settings(deadline=None, max_examples=25)


def small(seed: int, *, texts: int = 12, systems: str = "abc") -> list[Measurement]:
    draw = np.random.default_rng(seed)
    hard = draw.normal(0, 1, texts)
    words = draw.integers(3, 20, texts)
    rows = []
    for system in systems:
        rows += [Measurement(system, f"t{k:02d}", 0, "mos", float(hard[k] + draw.normal())) for k in range(texts)]
        rows += [Measurement(system, f"t{k:02d}", 0, "wer", float(draw.integers(0, 4)), float(words[k])) for k in range(texts)]
    return rows


def run(rows, **options):
    return compare(rows, METRICS, resamples=1000, **options)


def changed(rows: list[Measurement], change) -> list[Measurement]:
    return [Measurement(r.system, r.text, r.take, r.metric, change(r), r.weight) for r in rows]


@QUICK
@given(rows=ROWS)
def test_any_measurements_are_compared_without_a_contradiction(rows):
    found = run(rows)
    for pair in found.pairs:
        d = pair.difference
        assert (d.low is None) == (d.high is None) == (pair.p_holm is None) == (pair.outcome is Outcome.UNDECIDABLE) == bool(pair.reason)
        if d.low is not None:
            assert d.low <= d.value <= d.high and 0 < pair.p_value <= pair.p_holm <= 1 and (pair.resolvable is None or pair.resolvable > 0)
            assert not pair.better or (d.low > 0 or d.high < 0) and pair.p_holm <= 0.05
        assert pair.texts_needed is None or pair.texts_needed > (d.n if pair.outcome is Outcome.TIE else 2)
    for estimate in found.estimates.values():
        assert estimate.low is None or estimate.low <= estimate.value <= estimate.high
    for metric in found.metrics:
        ranks = found.ranks(metric)
        assert [rank.rank for rank in ranks] == sorted(rank.rank for rank in ranks) and all(1 <= rank.best <= rank.worst <= len(ranks) for rank in ranks)
    counted = sum(len(texts) for texts in found.left_out.lacking.values())
    assert all(len(found.texts_by_metric[metric]) <= 6 for metric in found.metrics) and counted <= 6 * 6


@QUICK
@given(rows=ROWS, seed=SEEDS)
def test_the_order_of_measurements_changes_nothing(rows, seed):
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)
    one, other = run(rows), run(mixed)
    assert (one.estimates, one.pairs, one.left_out) == (other.estimates, other.pairs, other.left_out)
    assert correlations(rows, ["mos", "wer"], resamples=100) == correlations(mixed, ["mos", "wer"], resamples=100)


@QUICK
@given(seed=SEEDS)
def test_exchanging_two_systems_turns_their_difference_round(seed):
    rows = small(seed)
    names = {"a": "b", "b": "a", "c": "c"}
    one, other = run(rows), run([Measurement(names[r.system], r.text, r.take, r.metric, r.value, r.weight) for r in rows])
    for metric in METRICS:
        pair, turned = one.pair(metric, "a", "b"), other.pair(metric, "a", "b")
        assert turned.difference.value == pytest.approx(-pair.difference.value, abs=1e-12)
        assert (turned.difference.low, turned.difference.high) == (pytest.approx(-pair.difference.high), pytest.approx(-pair.difference.low))
        assert (turned.p_value, turned.p_holm, turned.texts_needed) == (pair.p_value, pair.p_holm, pair.texts_needed) and turned.better == names.get(pair.better)


@QUICK
@given(seed=SEEDS, factor=st.floats(1e-3, 1e3), shift=st.floats(-50, 50))
def test_another_unit_changes_no_verdict(seed, factor, shift):
    rows = [row for row in small(seed) if row.metric == "mos"]
    one, other = run(rows), run(changed(rows, lambda r: r.value * factor + shift))
    for pair, scaled in zip(one.pairs, other.pairs, strict=True):
        ours, theirs = pair.difference, scaled.difference
        assert (theirs.value, theirs.low, theirs.high) == pytest.approx((factor * ours.value, factor * ours.low, factor * ours.high), rel=1e-6, abs=1e-9 * factor)
        assert (scaled.p_value, scaled.outcome, scaled.texts_needed) == (pair.p_value, pair.outcome, pair.texts_needed)
        assert scaled.effect_size == pytest.approx(pair.effect_size, rel=1e-6, abs=1e-9) and scaled.resolvable == pytest.approx(factor * pair.resolvable, rel=1e-6)


@QUICK
@given(seed=SEEDS)
def test_a_further_system_changes_no_other_pairs_interval(seed):
    rows = small(seed, systems="abcd")
    one, other = run([row for row in rows if row.system != "d"]), run(rows)
    for pair in one.pairs:
        same = other.pair(pair.metric, pair.a, pair.b)
        assert (same.difference.low, same.difference.high) == pytest.approx((pair.difference.low, pair.difference.high), rel=1e-9)
        assert same.p_holm >= pair.p_value and same.resolvable >= pair.resolvable
    assert all(other.estimates[key].low == pytest.approx(estimate.low, rel=1e-9) for key, estimate in one.estimates.items())


@QUICK
@given(points=st.dictionaries(st.sampled_from("abcdef"), st.fixed_dictionaries({"x": FINITE, "y": st.one_of(FINITE, st.none())}), max_size=6))
def test_the_front_is_what_nobody_dominates(points):
    directions = {"x": Direction.HIGHER, "y": Direction.LOWER}
    front = pareto_front(points, directions)
    assert {*front.on, *front.off, *front.incomplete} == set(points) and set(front.incomplete) == {s for s, p in points.items() if p["y"] is None}
    assert not points or front.on or len(front.incomplete) == len(points)
    for system, by in front.off.items():
        assert any(other in front.on for other in by) and all(points[o]["x"] >= points[system]["x"] and points[o]["y"] <= points[system]["y"] for o in by)
    for scaling in Scaling:
        scores = weighted(points, {"x": 1, "y": 3}, directions, scaling=scaling).scores
        # Who is dominated has no higher number, whatever the weights.
        assert all(scores[other] >= scores[system] - 1e-9 for system, by in front.off.items() for other in by)
