"""Unpaired statistics claim no more than the data hold: intervals cover, null data give no winner, and clips of one text count once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.stats.independent import Gap, Sample, gaps, mean_of, median_of, moments


def sample(values, clusters=None, *, share=False) -> Sample:
    values = np.asarray(values, float)
    return Sample(values, np.arange(len(values)) if clusters is None else np.asarray(clusters), share=share)


def wer_like(rng: np.random.Generator, texts: int, takes: int = 1) -> Sample:
    """Word error rates as recognisers give them: many zeros, a long tail, and texts that are hard in every take."""
    hard = np.repeat(rng.gamma(0.6, 0.08, texts), takes)
    values = np.maximum(0, hard + rng.normal(0, 0.03, texts * takes))
    values[rng.random(texts * takes) < 0.3] = 0
    return Sample(values, np.repeat(np.arange(texts), takes))


def one(a: Sample, b: Sample) -> Gap:
    (gap,) = gaps({"m": {"a": a, "b": b}})
    return gap


@pytest.mark.parametrize(("texts", "takes"), [(20, 1), (60, 1), (30, 3)])
def test_intervals_of_skewed_data_cover_and_null_data_have_no_winner(texts, takes):
    rng, trials = np.random.default_rng(5), 1000
    truth = float(np.mean([moments(wer_like(rng, 4000, takes)).mean for _ in range(10)]))
    covered = covered_gap = told = 0
    for _ in range(trials):
        a, b = wer_like(rng, texts, takes), wer_like(rng, texts, takes)
        found, gap = mean_of(a), one(a, b)
        covered += found.low <= truth <= found.high
        covered_gap += gap.difference.low <= 0 <= gap.difference.high
        told += gap.higher is not None
    assert 0.92 <= covered / trials <= 0.98 and 0.93 <= covered_gap / trials <= 0.98 and told / trials <= 0.06


def test_no_interval_leaves_where_the_values_lie():
    wer, sure, level = mean_of(sample([0] * 9 + [0.3])), mean_of(sample([0.99, 0.98, 1, 0.9])), mean_of(sample([-20, -21, -30, -0.5]))
    assert wer.low == 0 < 0.2 < wer.high < 1 and sure.low < 0.9 and sure.high == 1 and level.low < -30 and level.high == 0
    assert mean_of(sample([3.2, 4.1, 4.9, 1.2])).high > 5


def test_shares_are_covered_and_null_shares_have_no_winner():
    rng, trials, covered, covered_gap, told = np.random.default_rng(6), 1000, 0, 0, 0
    for _ in range(trials):
        a, b = (sample(rng.random(60) < 0.15, share=True) for _ in range(2))
        found, gap = mean_of(a), one(a, b)
        covered += found.low <= 0.15 <= found.high
        covered_gap += gap.difference.low <= 0 <= gap.difference.high
        told += gap.higher is not None
    assert covered / trials >= 0.92 and covered_gap / trials >= 0.93 and told / trials <= 0.07


@pytest.mark.parametrize("texts", [5, 10])
def test_shares_of_few_texts_in_many_clips_claim_no_more_than_their_texts(texts):
    rng, trials, covered, told = np.random.default_rng(8), 600, 0, 0

    def drawn() -> Sample:
        return Sample((rng.random(20 * texts) < rng.beta(0.3, 0.7, texts).repeat(20)).astype(float), np.repeat(np.arange(texts), 20), share=True)

    for _ in range(trials):
        found = mean_of(a := drawn())
        covered += found.low <= 0.3 <= found.high
        told += one(a, drawn()).higher is not None
    assert covered / trials >= 0.89 and told / trials <= 0.07


def test_a_tie_is_never_settled_by_fewer_texts_than_there_are():
    gap = one(sample(np.full(20, 0.1)), sample([0] * 19 + [0.5]))
    assert gap.higher is None and gap.texts_needed == 21


def test_over_many_comparisons_a_false_winner_stays_rare():
    rng, trials, told = np.random.default_rng(7), 30, 0
    for _ in range(trials):
        data = {f"m{m}": {name: wer_like(rng, 40) for name in "abcd"} for m in range(3)}
        told += any(gap.higher for gap in gaps(data))
    assert told / trials <= 0.15


def test_the_promised_number_of_texts_settles_the_difference():
    rng = np.random.default_rng(8)
    needed = one(sample(rng.normal(0, 1, 40)), sample(rng.normal(0.3, 1, 40))).texts_needed
    pilot = one(sample(rng.normal(0, 1, 40)), sample(rng.normal(0.5, 1, 40)))
    assert needed and pilot.texts_needed
    texts = 2 * int(np.ceil((stats.norm.isf(0.025) + stats.norm.isf(0.2)) ** 2 / 0.5**2 / 1))
    power = np.mean([one(sample(rng.normal(0, 1, texts)), sample(rng.normal(0.5, 1, texts))).higher == "b" for _ in range(200)])
    assert 0.70 <= power <= 0.90


def test_symmetric_data_have_welchs_own_interval():
    a, b = np.array([1.0, 2, 3, 4, 5]), np.array([4.0, 6, 8])
    gap, expected = one(sample(a), sample(b)), stats.ttest_ind(a, b, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (gap.difference.low, gap.difference.high) == pytest.approx((interval.low, interval.high))
    assert gap.p_value == pytest.approx(expected.pvalue) and gap.p_holm == gap.p_value


def test_clips_of_one_text_count_as_one():
    values = np.array([0.1, 0.4, 0.2, 0.6, 0.3, 0.5])
    single, five_takes = sample(values), sample(np.repeat(values, 5), np.repeat(np.arange(6), 5))
    a, b = mean_of(single), mean_of(five_takes)
    assert (b.value, b.low, b.high, b.n) == pytest.approx((a.value, a.low, a.high, 6))
    yes = sample(np.repeat(values > 0.25, 5), np.repeat(np.arange(6), 5), share=True)
    once = mean_of(sample(values > 0.25, share=True))
    # How far six texts spread is not known as well as how far six clips do that are drawn one by one.
    assert 1 <= (mean_of(yes).high - mean_of(yes).low) / (once.high - once.low) < 1.2


def test_a_share_without_a_single_case_is_not_called_certain():
    none = mean_of(sample(np.zeros(30), share=True))
    assert none.value == 0 == none.low and 0.08 < none.high < 0.16
    gap = one(sample(np.zeros(30), share=True), sample(np.zeros(30), share=True))
    assert gap.p_value == 1 and gap.higher is None and gap.difference.low < 0 < gap.difference.high and gap.texts_needed is None


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [([0.1, 0.2], [0.1, 0.2, 0.3], "only 2 independent texts"), ([0.5] * 9, [0.7] * 9, "nothing varies"), ([0.1], [0.2] * 4, "only 1 independent text in")],
)
def test_what_cannot_be_decided_says_why(a, b, reason):
    gap = one(sample(a), sample(b))
    assert reason in gap.reason and gap.p_value is None and gap.p_holm is None and gap.higher is None and gap.difference.low is None


@pytest.mark.parametrize(("value", "texts", "others"), [(0.1, 7, 13), (0.7, 13, 29), (3.3, 1001, 777)])
def test_what_rounding_leaves_of_equal_values_is_no_difference(value, texts, others):
    for other in (value, value + 0.2):
        gap = one(sample([value] * texts), sample([other] * others))
        assert gap.reason == "nothing varies within either of them" and gap.p_value is None and gap.higher is None
    assert mean_of(sample([value] * texts)).low is None
    # Takes that differ, texts that do not.
    takes = sample(np.tile([value, value / 3, 0.1], texts), np.repeat(np.arange(texts), 3))
    assert mean_of(takes).low is None and one(takes, takes).reason


def test_missing_values_are_left_out_and_a_dataset_without_any_has_no_pair():
    a = sample([0.1, np.nan, 0.3, 0.2])
    assert mean_of(a).n == 3 and mean_of(a).value == pytest.approx(0.2)
    assert gaps({"m": {"a": a, "b": sample([np.nan] * 5)}}) == []
    assert mean_of(sample([np.nan])) == mean_of(sample([])) and mean_of(sample([])).value is None and median_of(sample([])).value is None


def test_constant_values_have_no_interval():
    found = mean_of(sample([0.0] * 50))
    assert (found.value, found.low, found.high) == (0.0, None, None)


def test_medians_are_covered_and_few_texts_give_none():
    rng, covered = np.random.default_rng(9), 0
    for _ in range(400):
        found = median_of(sample(rng.exponential(1, 40)))
        covered += found.low <= np.log(2) <= found.high
    assert 0.93 <= covered / 400 <= 0.99
    assert median_of(sample([1, 2, 3])).low is None and median_of(sample([1, 2, 3])).value == 2


def test_a_hundred_thousand_clips_are_no_work():
    rng = np.random.default_rng(1)
    large = [Sample(rng.gamma(0.6, 0.1, 100_000), rng.integers(0, 30_000, 100_000)) for _ in range(3)]
    found = gaps({"m": dict(zip("abc", large, strict=True))})
    assert len(found) == 3 and all(gap.difference.high - gap.difference.low < 0.01 for gap in found)
