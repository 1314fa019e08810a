"""Intervals that do not claim more than the data hold."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.stats import Estimate, mean_estimate, proportion, ratio_estimate


def test_a_ratio_is_of_sums_not_a_mean_of_ratios():
    found = ratio_estimate([1, 0, 0, 5], [1, 10, 10, 10], ["a", "b", "c", "d"], seed=1)
    assert found.value == pytest.approx(6 / 31) and found.low <= found.value <= found.high and found.n == 4


def test_clips_that_share_a_text_count_once():
    alone = ratio_estimate([1, 0, 2, 0, 3, 1], [10] * 6, list("abcdef"), seed=1)
    # The same six texts, each in ten voices that fail alike, hold no more evidence.
    shared = ratio_estimate([1, 0, 2, 0, 3, 1] * 10, [10] * 60, list("abcdef") * 10, seed=1)
    assert (shared.value, shared.n) == (pytest.approx(alone.value), 6)
    assert (shared.low, shared.high) == (pytest.approx(alone.low), pytest.approx(alone.high))


def test_fewer_than_three_texts_give_no_interval():
    assert ratio_estimate([1, 2], [10, 10], ["a", "b"], seed=1) == Estimate(0.15, None, None, 2)
    assert ratio_estimate([], [], [], seed=1) == Estimate(None, None, None, 0)
    assert ratio_estimate([0], [0], ["a"], seed=1).value is None


def test_constant_values_have_an_interval_of_no_width():
    assert mean_estimate([4.0] * 5, list("abcde"), seed=1) == Estimate(4.0, 4.0, 4.0, 5)


def test_missing_values_are_left_out_of_a_mean():
    found = mean_estimate([1.0, None, float("nan"), 3.0], list("abcd"), seed=1)
    assert (found.value, found.n) == (2.0, 2)


def test_the_same_seed_gives_the_same_interval():
    values, texts = list(np.random.default_rng(0).normal(size=30)), [str(i // 2) for i in range(30)]
    assert mean_estimate(values, texts, seed=3) == mean_estimate(values, texts, seed=3)


def test_a_proportion_without_failures_still_has_an_upper_bound():
    found = proportion(0, 100)
    assert found.value == 0.0 and found.low == 0.0 and 0.02 < found.high < 0.05
    assert proportion(0, 0).value is None


def test_clustered_intervals_cover_the_truth_about_as_often_as_they_say():
    draw = np.random.default_rng(5)
    covered = 0
    for trial in range(120):
        effect = draw.normal(0.0, 1.0, 40).repeat(3)
        values = 2.0 + effect + draw.normal(0.0, 0.5, 120)
        found = mean_estimate(list(values), list(np.arange(40).repeat(3)), seed=trial)
        covered += found.low <= 2.0 <= found.high
    assert covered >= 0.88 * 120


def test_no_error_seen_is_not_no_error_possible():
    none = ratio_estimate([0] * 20, [10] * 20, list(range(20)), seed=1)
    assert none.value == none.low == 0.0 and 0.01 < none.high < 0.05
    every = mean_estimate([1.0] * 20, list(range(20)), seed=1)
    assert every.value == every.high == 1.0 and 0.75 < every.low < 0.95
