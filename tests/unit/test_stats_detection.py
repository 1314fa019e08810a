"""Shares of trials that are not independent cover as often as they say; detection theory agrees with its books; a flag is worth no more than the false alarms allow."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.stats import Estimate, area_under_roc, clustered_proportion, d_prime, precision_at, proportion


def trials(share, *, words, each, spread, seed):
    """Outcomes of words whose own shares vary, and their words."""
    draw = np.random.default_rng(seed)
    own = draw.beta(share * spread, (1 - share) * spread, words)
    return (draw.random((words, each)) < own[:, None]).ravel(), np.repeat(np.arange(words), each)


@pytest.mark.parametrize("share", [0.02, 0.9])
def test_intervals_cover_though_trials_of_a_word_are_alike_and_those_of_independent_trials_would_not(share):
    found, naive = [], []
    for seed in range(400):
        outcomes, words = trials(share, words=24, each=16, spread=6, seed=seed)
        for estimates, estimate in ((found, clustered_proportion(outcomes, words)), (naive, proportion(int(outcomes.sum()), len(outcomes)))):
            estimates.append(estimate.low <= share <= estimate.high)
    # Three standard errors of 400 draws below 0.93.
    assert np.mean(found) > 0.89 and np.mean(naive) < np.mean(found) - 0.04


def test_trials_that_are_independent_give_wilsons_interval():
    outcomes = [True] * 30 + [False] * 10
    own, wilson = clustered_proportion(outcomes, range(40)), proportion(30, 40)
    assert (own.value, own.n) == (0.75, 40) and own.low == pytest.approx(wilson.low, abs=0.003) and own.high == pytest.approx(wilson.high, abs=0.003)


def test_what_never_happened_may_still_happen_the_more_the_fewer_the_words():
    none = [False] * 64
    few, many = clustered_proportion(none, [n % 4 for n in range(64)]), clustered_proportion(none, range(64))
    assert few.value == few.low == 0.0 and few.high > many.high > 0.05
    assert clustered_proportion([], []) == Estimate(None, None, None, 0)
    one = clustered_proportion([True] * 50, ["live"] * 50)
    assert one.n == 1 and one.low < 0.25


def test_d_prime_is_the_distance_of_two_normals():
    draw = np.random.default_rng(3)
    signal, noise = draw.normal(1.5, 1, 4000) > 0.5, draw.normal(0, 1, 4000) > 0.5
    found = d_prime(int(signal.sum()), 4000, int(noise.sum()), 4000)
    assert found.low < 1.5 < found.high and found.high - found.low < 0.25
    perfect = d_prime(20, 20, 0, 20)
    assert np.isfinite(perfect.value) and perfect.low > 1
    assert d_prime(0, 0, 0, 5).value is None
    assert area_under_roc([3, 2, 1, 0], [True, True, False, False]) == 1.0 and area_under_roc([1, 2], [True, True]) is None


def test_few_errors_make_most_flags_false_and_no_false_alarm_seen_proves_little():
    found, flagged = [True] * 90 + [False] * 10, [True] * 3 + [False] * 97
    at = {rate: precision_at(rate, found, range(100), flagged, range(100), seed=1) for rate in (0.01, 0.05, 0.5)}
    assert at[0.01].value == pytest.approx(0.01 * 0.9 / (0.01 * 0.9 + 0.99 * 0.03)) and at[0.01].high < 0.6 < at[0.05].high
    assert all(one.low <= one.value <= one.high for one in at.values()) and at[0.01].value < at[0.05].value < at[0.5].value
    clean = precision_at(0.05, found, range(100), [False] * 20, range(20), seed=1)
    assert clean.value == 1.0 and clean.low < 0.5
    assert precision_at(0.05, [], [], flagged, range(100), seed=1).value is None
    assert precision_at(0.05, [False] * 5, range(5), [False] * 5, range(5), seed=1).value is None
