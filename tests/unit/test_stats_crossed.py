"""Intervals over listeners and texts: they hold what they promise, and promise nothing from too little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from workbench.stats.crossed import Crossed


def opinions(rng, *, listeners=12, texts=20, systems=2, per_listener=20, gap=0.4, knows=0.6):
    """Ratings as a Latin square gives them, with a bias per listener, a difficulty per text, and a score that goes with a clip's quality."""
    quality = rng.normal(0, 0.5, (texts, systems))
    score = knows * quality / 0.5 + np.sqrt(1 - knows**2) * rng.normal(0, 1, quality.shape)
    bias, hard, taste = rng.normal(0, 0.4, listeners), rng.normal(0, 0.2, texts), rng.normal(0, 0.2, (listeners, systems))
    who, k = np.repeat(np.arange(listeners), per_listener), np.tile(np.arange(per_listener), listeners)
    text, system = k % texts, (k + who + k // texts) % systems
    value = 3 + gap * system + quality[text, system] + bias[who] + hard[text] + taste[who, system] + rng.normal(0, 0.6, len(who))
    units = list(zip(text.tolist(), system.tolist(), strict=True))
    return value, who, text, units, {(t, s): float(score[t, s]) for t in range(texts) for s in range(systems)}


def group(units):
    return {unit: unit[1] for unit in units}


@pytest.mark.parametrize(("listeners", "texts", "per_listener"), [(12, 20, 20), (20, 12, 24), (6, 20, 40)])
def test_intervals_of_means_and_differences_hold_the_truth_as_often_as_they_say(listeners, texts, per_listener):
    rng, held = np.random.default_rng(1), []
    for _ in range(300):
        value, who, text, units, _ = opinions(rng, listeners=listeners, texts=texts, per_listener=per_listener)
        crossed = Crossed(value, who, text, units)
        mean, difference = crossed.means(group(units))[0], crossed.difference(group(units), 1, 0)
        held.append((mean.low <= 3 <= mean.high, difference.low <= 0.4 <= difference.high))
    assert all(0.91 <= share for share in np.mean(held, axis=0))


def test_intervals_of_a_correlation_hold_the_truth_as_often_as_they_say():
    rng, found = np.random.default_rng(2), []
    for _ in range(100):
        *ratings, scores = opinions(rng)
        found.append(Crossed(*ratings, resamples=100).correlation(scores))
    expected = np.tanh(np.mean([np.arctanh(one.value) for one in found]))
    assert np.mean([one.low <= expected <= one.high for one in found]) >= 0.89


def test_coefficients_are_those_of_scipy_over_the_units_means():
    value, who, text, units, scores = opinions(np.random.default_rng(3))
    crossed = Crossed(value, who, text, units, resamples=100)
    means = crossed.unit_means()
    both = [(scores[unit], mean) for unit, (mean, _) in means.items()]
    assert crossed.correlation(scores).value == pytest.approx(pearsonr(*zip(*both, strict=True)).statistic)
    assert crossed.correlation(scores, ranks=True).value == pytest.approx(spearmanr(*zip(*both, strict=True)).statistic)
    assert sum(count for _, count in means.values()) == len(value)


def test_the_order_of_ratings_changes_nothing():
    value, who, text, units, scores = opinions(np.random.default_rng(4))
    order = np.random.default_rng(5).permutation(len(value))
    one, other = Crossed(value, who, text, units), Crossed(value[order], who[order], text[order], [units[k] for k in order])
    assert one.means(group(units))[0].low == pytest.approx(other.means(group(units))[0].low)
    assert one.correlation(scores).value == pytest.approx(other.correlation(scores).value)


@pytest.mark.parametrize(("listeners", "texts"), [(2, 20), (20, 2), (1, 1)])
def test_too_few_listeners_or_texts_give_a_value_without_an_interval(listeners, texts):
    value, who, text, units, scores = opinions(np.random.default_rng(6), listeners=listeners, texts=texts)
    crossed = Crossed(value, who, text, units)
    for estimate in (*crossed.means(group(units)).values(), crossed.correlation(scores)):
        assert estimate.low is None and estimate.high is None


def test_nothing_and_constants_have_no_coefficient():
    value, who, text, units, scores = opinions(np.random.default_rng(7))
    assert Crossed([], [], [], []).means({}) == {}
    assert Crossed(value, who, text, units).correlation({}).value is None
    assert Crossed(value, who, text, units).correlation(dict.fromkeys(scores, 2.0)).value is None
    assert Crossed(np.full(len(value), 3.0), who, text, units).correlation(scores).value is None
    assert Crossed(value, who, text, units).correlation(scores, groups=group(units)).value is None  # two systems make no coefficient
    assert Crossed(value, who, text, units).difference(group(units), 1, "absent").value is None


def test_unanimous_ratings_have_no_width():
    value, who, text, units, _ = opinions(np.random.default_rng(8))
    mean = Crossed(np.full(len(value), 5.0), who, text, units).means(group(units))[0]
    assert (mean.value, mean.low, mean.high) == (5.0, 5.0, 5.0)
