"""The statistics keep their word on data whose truth is known: no false winners, intervals that cover, power as predicted, scipy's own resamples."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test, skew
from statsmodels.stats.power import TTestPower

from tests.systems_for_tests import errors, many, mos, rows_of, table, without_old_garbage  # noqa: F401
from workbench.stats import Direction, Measurement, compare, resampling, smallest_resolvable, texts_to_settle
from workbench.stats.resampling import draws, interval, paired, signs

TRIALS = 400


def both(trials: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(trials), np.arange(trials, 2 * trials)


def word_errors(factors, texts, seed):
    draw = np.random.default_rng(seed)
    return many(lambda: errors(draw, factors, texts), TRIALS)


def scores(shifts, texts, seed):
    draw = np.random.default_rng(seed)
    return many(lambda: (mos(draw, shifts, texts), np.ones(texts)), TRIALS)


def truth(made) -> tuple[float, float]:
    """A first system's value and its difference from the second, of very many texts."""
    values, weights = made
    first, second = np.split(values.sum(1) / weights.sum(1), 2)
    return float(first.mean()), float((first - second).mean())


@pytest.mark.parametrize("texts", [20, 50, 200])
@pytest.mark.parametrize("make", [word_errors, scores])
def test_intervals_cover_the_truth_as_often_as_they_say(make, texts):
    # Most texts without an error; scores under a ceiling. A quarter more errors, or 0.1 on the scale, between the systems.
    systems = (1, 1.25) if make is word_errors else (0, 0.1)
    value, difference = truth(make(systems, 5000, 7))
    values, weights = make(systems, texts, texts)
    [found] = paired([table(values, weights)], [both(TRIALS)], resamples=1000, flips=0, level=0.95, seed=1)
    own = (found.low[:TRIALS] <= value) & (value <= found.high[:TRIALS])
    between = (found.difference_low <= difference) & (difference <= found.difference_high)
    # Three standard errors of a simulation of 400 below 0.93; above, 20 texts that are mostly faultless cover a little more than they say.
    assert 0.90 <= own.mean() <= 0.99 and 0.90 <= between.mean() <= 0.99, (own.mean(), between.mean())


def test_percentiles_would_cover_too_seldom_where_ours_do_not():
    value, _ = truth(word_errors((1, 1), 5000, 7))
    values, weights = word_errors((1, 1), 20, 20)
    [found] = paired([table(values, weights)], [both(TRIALS)], resamples=1000, flips=0, level=0.95, seed=1)
    moved = np.concatenate([(w @ values.T) / (w @ weights.T) for w in draws(20, 1000, seed=1)])
    low, high = np.quantile(moved, [0.025, 0.975], axis=0)
    percentile = ((low <= value) & (value <= high)).mean()
    assert percentile < 0.91 < ((found.low <= value) & (value <= found.high)).mean() - 0.02


def test_systems_that_are_alike_have_no_winner_19_times_of_20():
    draw, wrong, families = np.random.default_rng(4), 0, 120
    for _ in range(families):
        judged, (heard, words) = mos(draw, [0] * 4, 30), errors(draw, [1] * 4, 30)
        rows = rows_of(dict(zip("abcd", judged, strict=True)))
        rows += [Measurement(s, f"t{k:03d}", 0, "wer", heard[i, k], words[k]) for i, s in enumerate("abcd") for k in range(30)]
        found = compare(rows, {"mos": Direction.HIGHER, "wer": Direction.LOWER}, resamples=1000)
        wrong += any(pair.better for pair in found.pairs)
    # 5% of 120 are 6; more than 11 have a chance of 1 in 100 at exactly 5%.
    assert wrong <= 11


@pytest.mark.parametrize("make", [word_errors, scores])
def test_the_stated_number_of_texts_settles_a_difference_as_often_as_predicted(make):
    systems = (1, 1.6) if make is word_errors else (0, 0.1)
    values, weights = make(systems, 4000, 1)
    [large] = paired([table(values[[0, TRIALS]], weights[[0, TRIALS]])], [both(1)], resamples=1000, flips=0, level=0.95, seed=1)
    _, difference = truth((values, weights))
    needed = texts_to_settle(difference, float(large.spread[0]), alpha=0.05)
    values, weights = make(systems, needed, 2)
    [found] = paired([table(values, weights)], [both(TRIALS)], resamples=1000, flips=1000, level=0.95, seed=1)
    settled = (found.p_values <= 0.05) & ((found.difference_low > 0) | (found.difference_high < 0))
    assert 0.70 <= settled.mean() <= 0.88 and needed > 50
    # Half of the texts settle it much more seldom.
    [fewer] = paired([table(values[:, : needed // 2], weights[:, : needed // 2])], [both(TRIALS)], resamples=1000, flips=1000, level=0.95, seed=1)
    assert (fewer.p_values <= 0.05).mean() < settled.mean() - 0.15


def test_power_is_that_of_statsmodels_where_that_has_one():
    for effect, alpha in ((0.1, 0.05), (0.3, 0.05), (0.3, 0.01), (0.8, 0.05)):
        wanted = TTestPower().solve_power(effect, None, alpha, 0.8)
        assert texts_to_settle(effect, 1.0, alpha=alpha) == np.ceil(wanted)
    for texts in (5, 20, 100, 1000):
        assert smallest_resolvable(2.0, texts, alpha=0.05) == pytest.approx(2 * TTestPower().solve_power(None, texts, 0.05, 0.8), rel=1e-4)
    # At the level of the first of 360 comparisons statsmodels has none.
    assert np.isnan(TTestPower().power(3, 100, 0.05 / 360)) and 200 < texts_to_settle(0.3, 1.0, alpha=0.05 / 360) < 300
    assert smallest_resolvable(1.0, 250, alpha=0.05 / 360) == pytest.approx(0.3, abs=0.005)


def test_what_no_number_of_texts_settles_is_none():
    assert texts_to_settle(0.0, 1.0, alpha=0.05) is None and texts_to_settle(0.1, float("nan"), alpha=0.05) is None
    assert texts_to_settle(1.0, 0.0, alpha=0.05) == 3 and texts_to_settle(1e-4, 1.0, alpha=0.05) > 10**8
    assert smallest_resolvable(1.0, 2, alpha=0.05) is None and smallest_resolvable(0.0, 50, alpha=0.05) == 0


def test_the_resamples_are_those_of_scipy():
    heard, words = errors(np.random.default_rng(3), (1, 1.5), 60)
    [found] = paired([table(heard, words, "wer")], [both(1)], resamples=2000, flips=0, level=0.95, seed=5)

    def difference(a, b, w, axis=-1):
        return (a.sum(axis) - b.sum(axis)) / w.sum(axis)

    theirs = bootstrap((*heard, words), difference, paired=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(5), batch=300)
    moved = theirs.bootstrap_distribution
    low, high = interval(found.differences, moved.std(keepdims=True), skew(moved, keepdims=True), 60, 0.95, outer=True)
    assert (low, high) == (pytest.approx(found.difference_low, rel=1e-10), pytest.approx(found.difference_high, rel=1e-10))


def test_p_values_are_those_of_scipy_exactly_where_all_exchanges_are_tried():
    values = mos(np.random.default_rng(3), (0, 0.2), 10)
    [found] = paired([table(values)], [both(1)], resamples=1000, flips=2000, level=0.95, seed=5)
    theirs = permutation_test(values, lambda a, b, axis: a.mean(axis) - b.mean(axis), permutation_type="samples", n_resamples=np.inf, vectorized=True)
    assert found.p_values[0] == pytest.approx(theirs.pvalue, rel=1e-12) and len(np.concatenate(list(signs(10, 2000, seed=1)))) == 1024
    [drawn] = paired([table(values)], [both(1)], resamples=1000, flips=1000, level=0.95, seed=5)
    assert drawn.p_values[0] == pytest.approx(theirs.pvalue, abs=0.05) and drawn.p_values[0] >= 1 / 1001


@pytest.mark.parametrize("weighted", [False, True])
def test_the_formula_for_very_many_texts_is_what_resampling_tends_to(monkeypatch, weighted):
    draw = np.random.default_rng(0)
    values, weights = errors(draw, (1, 1.1, 1.2), 2000) if weighted else (mos(draw, (0, 0.02, 0.05), 2000), None)
    one, pairs = table(values, weights), (np.array([0, 0]), np.array([1, 2]))
    [drawn] = paired([one], [pairs], resamples=10_000, flips=10_000, level=0.95, seed=1)
    monkeypatch.setattr(resampling, "MANY", 1000)
    [computed] = paired([one], [pairs], resamples=10_000, flips=10_000, level=0.95, seed=1)
    width = drawn.difference_high - drawn.difference_low
    assert np.abs(drawn.difference_low - computed.difference_low).max() < 0.03 * width.max()
    assert np.abs((drawn.high - drawn.low) / (computed.high - computed.low) - 1).max() < 0.03
    assert computed.p_values == pytest.approx(drawn.p_values, abs=0.015)


def test_how_many_resamples_are_computed_at_once_changes_no_number(monkeypatch):
    values = mos(np.random.default_rng(3), (0, 0.1, 0.2), 40)
    pairs = (np.array([0, 0, 1]), np.array([1, 2, 2]))
    [found] = paired([table(values)], [pairs], resamples=1500, flips=1500, level=0.95, seed=1)
    monkeypatch.setattr(resampling, "BLOCK", 37)
    [again] = paired([table(values)], [pairs], resamples=1500, flips=1500, level=0.95, seed=1)
    assert again.difference_low == pytest.approx(found.difference_low, rel=1e-9) and again.low == pytest.approx(found.low, rel=1e-9)
    assert (again.p_values == found.p_values).all()


def test_scripts_beside_the_benchmark_of_statistics_get_the_standard_librarys(project):
    script = "import sys; sys.path.insert(0, 'benchmarks'); import statistics; print(statistics.median([1, 2, 9]))"
    assert subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True).stdout == "2\n"
