"""Correlation, agreement and several objectives at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import cohen_kappa_score

from workbench.errors import ConfigError
from workbench.stats import Direction, Estimate, Measurement, Scaling, cohen_kappa, correlations, krippendorff_alpha, pareto_front, weighted

UP = {"clear": Direction.HIGHER, "natural": Direction.HIGHER}


def clips(draw: np.random.Generator, *, texts: int = 40, systems: str = "abc", tie: float = 0.6) -> list[Measurement]:
    """Two judges that share ``tie`` of what they see, and the length of each clip."""
    rows = []
    for k in range(texts):
        hard = draw.normal(size=2)
        for system in systems:
            one, other = hard + draw.normal(size=2)
            rows += [Measurement(system, f"t{k}", 0, "utmos", one), Measurement(system, f"t{k}", 0, "nisqa", tie * one + math.sqrt(1 - tie**2) * other)]
            rows.append(Measurement(system, f"t{k}", 0, "duration_sec", draw.uniform(1, 9)))
    return rows


def values(rows, metric):
    return [row.value for row in rows if row.metric == metric]


def test_correlations_are_those_of_scipy_with_intervals_over_texts():
    rows = clips(np.random.default_rng(0))
    found = correlations(rows, ["utmos", "nisqa", "duration_sec"])
    x, y = values(rows, "utmos"), values(rows, "nisqa")
    assert found.pearson["utmos", "nisqa"].value == pytest.approx(pearsonr(x, y)[0]) and found.spearman["nisqa", "utmos"].value == pytest.approx(spearmanr(x, y)[0])
    pair, null = found.pearson["utmos", "nisqa"], found.pearson["utmos", "duration_sec"]
    assert (pair.n, found.clips["utmos", "nisqa"]) == (40, 120) and pair.low > 0.3 and null.low < 0 < null.high
    assert found.matrix("spearman").shape == (3, 3) and found.matrix()[0, 1] == pair.value and (found.matrix() == found.matrix().T).all()


def test_clips_that_share_a_text_make_no_correlation_surer():
    rows = clips(np.random.default_rng(0), systems="a")
    copies = [Measurement(system, row.text, 0, row.metric, row.value) for system in "abcdef" for row in rows]
    alone, copied = (correlations(some, ["utmos", "nisqa"]).pearson["utmos", "nisqa"] for some in (rows, copies))
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), rel=1e-6) and copied.n == alone.n == 40


def test_a_difference_of_systems_alone_is_not_a_correlation_within_them():
    draw = np.random.default_rng(1)
    rows = [Measurement(s, f"t{k}", 0, m, 10 * (s == "b") + draw.normal()) for s in "ab" for k in range(50) for m in ("x", "y")]
    assert correlations(rows, ["x", "y"]).pearson["x", "y"].value > 0.9
    within = correlations(rows, ["x", "y"], within_systems=True).pearson["x", "y"]
    assert within.low < 0 < within.high


def test_what_does_not_vary_within_any_system_correlates_with_nothing_there():
    draw = np.random.default_rng(0)
    level = {"a": 0.1, "b": 3.3, "c": 2.7}
    rows = [Measurement(s, f"t{k}", 0, m, v) for s in level for k in range(17) for m, v in (("flat", level[s]), ("too", 1.7 * level[s] + 0.1), ("x", draw.normal()))]
    found = correlations(rows, ["flat", "too", "x"], within_systems=True)
    assert {e.value for e in found.pearson.values()} == {None} == {e.value for e in found.spearman.values()}


def test_correlations_cover_the_truth_about_as_often_as_they_say():
    covered = 0
    for seed in range(80):
        found = correlations(clips(np.random.default_rng(seed), texts=20), ["utmos", "nisqa"], resamples=300, seed=seed).pearson["utmos", "nisqa"]
        covered += found.low <= 0.6 <= found.high
    assert covered >= 0.88 * 80


def test_what_does_not_vary_or_hardly_exists_correlates_with_nothing():
    rows = [Measurement("a", f"t{k}", 0, m, v) for k in range(20) for m, v in (("flat", 4.1), ("x", float(k)), ("twice", 2.0 * k), ("nan", math.nan))]
    found = correlations([*rows, Measurement("a", "t0", 0, "few", 1.0), Measurement("a", "t1", 0, "few", 2.0)], ["x", "flat", "nan", "few", "twice"])
    assert [found.pearson["x", other].value for other in ("flat", "nan", "few")] == [None, None, None]
    # A perfect line says nothing of how far off others would be.
    assert found.pearson["x", "twice"].value == pytest.approx(1) and found.pearson["x", "twice"].low is None
    assert np.isnan(found.matrix()[0, 1]) and correlations([], ["x", "y"]).clips["x", "y"] == 0


def test_alpha_is_that_of_krippendorffs_example():
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section E: four observers, twelve units, missing values.
    gap = None
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
        [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
    ]
    for level, value in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)):
        found = krippendorff_alpha(ratings, level)
        assert found.value == pytest.approx(value, abs=5e-4) and found.n == 11 and found.low < value <= found.high <= 1


def test_kappa_is_that_of_scikit_learn():
    draw = np.random.default_rng(0)
    first = draw.integers(1, 6, 60)
    second = np.clip(first + draw.integers(-1, 2, 60), 1, 5)
    for weights in (None, "linear", "quadratic"):
        found = cohen_kappa([*first, None], [*second, 3], weights=weights)
        assert found.value == pytest.approx(cohen_kappa_score(first, second, weights=weights)) and found.low < found.value < found.high and found.n == 60
    assert cohen_kappa(["yes", "no"] * 10, ["yes", "no"] * 9 + ["no", "no"]).value == pytest.approx(0.9)


def test_agreement_without_disagreement_variety_or_items_claims_nothing():
    assert krippendorff_alpha([[1, 2, 3, 4, 5, 1]] * 2) == Estimate(1.0, None, None, 6) and cohen_kappa("abcabc", "abcabc") == Estimate(1.0, None, None, 6)
    assert krippendorff_alpha([[3, 3, 3], [3, 3, 3]]).value is None and cohen_kappa("aaa", "aaa").value is None
    assert krippendorff_alpha([[1, None], [None, 2]]) == Estimate(None, None, None, 0) and cohen_kappa([], []) == Estimate(None, None, None, 0)
    assert krippendorff_alpha([[1, 2, 2], [1, 2, 1]]).low is None
    for wrong in (lambda: krippendorff_alpha([[1], [1, 2]]), lambda: krippendorff_alpha([[1], [2]], "cardinal"), lambda: cohen_kappa("ab", "ab", weights="cubic")):
        with pytest.raises(ConfigError):
            wrong()


def test_the_front_and_who_is_behind_whom():
    points = {"a": {"clear": 0.9, "natural": 3.0}, "b": {"clear": 0.8, "natural": 4.0}, "c": {"clear": 0.7, "natural": 3.5}, "d": {"clear": 0.99, "natural": None}}
    front = pareto_front(points, UP)
    assert (front.on, dict(front.off), dict(front.incomplete)) == (("a", "b"), {"c": ("b",)}, {"d": ("natural",)})
    assert pareto_front({"a": {"wer": 0.1}, "b": {"wer": 0.1}, "c": {"wer": 0.2}}, {"wer": Direction.LOWER}).on == ("a", "b")
    with pytest.raises(ConfigError):
        pareto_front(points, {})


def test_one_number_comes_with_its_weighting():
    points = {"a": {"wer": 0.02, "natural": 3.0}, "b": {"wer": 0.04, "natural": 4.0}, "c": {"wer": 0.03, "natural": 3.2}, "d": {"wer": None, "natural": 5.0}}
    directions = {"wer": Direction.LOWER, "natural": Direction.HIGHER}
    found = weighted(points, {"wer": 3, "natural": 1}, directions, scaling=Scaling.RANGE)
    assert found.scores == pytest.approx({"a": 0.75, "c": 0.425, "b": 0.25}) and list(found.scores) == ["a", "c", "b"] and dict(found.incomplete) == {"d": ("wer",)}
    assert found.statement == "0.75 wer (lower is better) + 0.25 natural (higher is better), from ranges (0 worst, 1 best) of these 3 systems; not comparable with other comparisons"
    z = weighted(points, {"wer": 1, "natural": 1}, directions).scores
    assert sum(z.values()) == pytest.approx(0) and list(z) == ["a", "b", "c"] and weighted({"a": points["a"]}, {"wer": 1}, directions).scores == {"a": 0.0}
    # Three takes of 0.1 and one: all are equal, and rounding makes nobody the better.
    assert set(weighted({"a": {"wer": sum([0.1] * 3) / 3}, "b": {"wer": 0.1}}, {"wer": 1}, directions).scores.values()) == {0.0}
    for weights in ({"wer": 0}, {"wer": -1}, {}, {"speed": 1}, {"wer": math.nan}):
        with pytest.raises(ConfigError):
            weighted(points, weights, directions)
