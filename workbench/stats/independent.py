"""Samples that share nothing: datasets with texts of their own. Estimates and differences in closed form, so that a hundred thousand clips cost no more than a hundred.

Clips that share a text are one unit, as in the paired comparisons: variances are those of the clusters' sums of residuals (the linearised mean; Cameron and Miller 2015).
Word error rates are skewed, and Student's interval is then too short on one side; Hall's transformation (1992) removes the skewness to second order, but overdoes it for
the difference of two samples of like skewness. So each side is taken as far out as the farther of the two has it, and a p-value as the larger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from workbench.stats.intervals import Estimate, constant, within
from workbench.stats.power import POWER

LEVEL = 0.95
#: Fewer independent texts than this support no interval: it would claim more than the data hold.
FEWEST = 3


@dataclass(frozen=True)
class Sample:
    """One dataset's values of one metric.

    Attributes:
        values: shape (N,), one per clip, NaN where unknown; 0 and 1 for a share.
        clusters: shape (N,), integers: clips with the same one are not independent.
        share: whether the values are yes and no.
    """

    values: np.ndarray
    clusters: np.ndarray
    share: bool = False

    def known(self) -> Sample:
        """Without the clips whose value is unknown."""
        known = np.isfinite(self.values)
        return self if known.all() else replace(self, values=self.values[known], clusters=self.clusters[known])


@dataclass(frozen=True, slots=True)
class Moments:
    """A mean with its variance and third cumulant over independent texts; ``spread`` is the standard deviation that one text contributes."""

    mean: float
    variance: float
    third: float
    texts: int
    clips: int

    @property
    def spread(self) -> float:
        return math.sqrt(self.variance * self.texts)


@dataclass(frozen=True, slots=True)
class Gap:
    """Two datasets on one metric, a minus b.

    Attributes:
        texts_a, texts_b: independent texts with a value.
        difference: with its 95% interval, Welch's or Hall's (Newcombe's (1998) for shares); ``n`` is the smaller number of texts.
        p_value: two-sided, of Welch's test over texts or Hall's (of the score test for shares); None where ``reason`` says why there is none.
        p_holm: the same after Holm's correction over all gaps of the call.
        effect_size: the difference over the pooled standard deviation of texts (Cohen's d).
        texts_needed: texts in each dataset that would settle the observed difference with 80% power at the strictest step of Holm's correction; None where none would.
        higher: the dataset whose value is higher, where the data tell.
    """

    metric: str
    a: str
    b: str
    texts_a: int
    texts_b: int
    difference: Estimate
    p_value: float | None
    p_holm: float | None = None
    effect_size: float | None = None
    texts_needed: int | None = None
    higher: str | None = None
    reason: str = ""


def moments(sample: Sample) -> Moments | None:
    """The mean over clips and what its variance rests on; None without a known value."""
    sample = sample.known()
    clips = len(sample.values)
    if not clips:
        return None
    mean = float(sample.values.mean())
    _, codes = np.unique(sample.clusters, return_inverse=True)
    sums = np.bincount(codes, weights=sample.values - mean)
    if constant(sums, sample.values):
        # What rounding leaves of equal values would pass for a variance, and their means for different ones.
        sums = np.zeros_like(sums)
    texts = len(sums)
    # The small-sample factor G / (G - 1): a single text has no variance to show.
    variance = float((sums**2).sum()) / clips**2 * texts / (texts - 1) if texts > 1 else math.nan
    return Moments(mean, variance, float((sums**3).sum()) / clips**3, texts, clips)


def mean_of(sample: Sample) -> Estimate:
    """Mean over clips with a 95% interval over texts: Student's or Hall's for numbers, cut to where they lie; Wilson's at the effective number of clips for shares."""
    found = moments(sample)
    if found is None:
        return Estimate(None, None, None, 0)
    if found.texts < FEWEST:
        return Estimate(found.mean, None, None, found.texts)
    if sample.share:
        low, high = _wilson(found)
        return Estimate(found.mean, low, high, found.texts)
    if not found.variance:
        return Estimate(found.mean, None, None, found.texts)
    low, high = _interval(found.mean, found.variance, found.third, found.texts - 1)
    known = sample.known().values
    return Estimate(found.mean, *within(low, high, known, np.ones_like(known)), found.texts)


def _interval(value: float, variance: float, third: float, freedom: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    error, reach = math.sqrt(variance), float(stdtrit(freedom, (1 + LEVEL) / 2))
    skew = third / error**3
    return value - error * max(reach, _skewed(reach, skew)), value - error * min(-reach, _skewed(-reach, skew))


def _skewed(z: float, skew: float) -> float:
    """Hall's transformation backwards: a quantile of the symmetric distribution as one of the studentised mean."""
    return z if abs(skew) < 1e-9 else 3 / skew * (math.cbrt(1 + skew * (z - skew / 6)) - 1)


def _unskewed(z: float, skew: float) -> float:
    """Hall's transformation."""
    return z + skew * z**2 / 3 + skew**2 * z**3 / 27 + skew / 6


def median_of(sample: Sample) -> Estimate:
    """Median over clips with the distribution-free 95% interval between order statistics, taken as wide as so many independent texts would."""
    sample = sample.known()
    if not len(sample.values):
        return Estimate(None, None, None, 0)
    ordered, texts = np.sort(sample.values), len(np.unique(sample.clusters))
    value = float(np.median(ordered))
    from scipy.stats import binom

    below = int(binom.ppf((1 - LEVEL) / 2, texts, 0.5))
    if below < 1:
        return Estimate(value, None, None, texts)
    # The ranks of the texts, stretched to the ranks of the clips.
    place = math.floor((below - 1) / texts * len(ordered))
    return Estimate(value, float(ordered[place]), float(ordered[len(ordered) - 1 - place]), texts)


def gaps(samples: Mapping[str, Mapping[str, Sample]]) -> list[Gap]:
    """Every two datasets on every metric, by metric and then in the order of the datasets.

    Args:
        samples: metric -> dataset -> its values. A dataset that lacks a metric, or every value of it, has no pair there.
    """
    found = []
    for metric, by_dataset in samples.items():
        known = {name: (sample, own) for name, sample in by_dataset.items() if (own := moments(sample)) is not None}
        found += [_gap(metric, a, b, known[a], known[b]) for a, b in combinations(known, 2)]
    return _corrected(found, {(metric, name): moments(sample) for metric, own in samples.items() for name, sample in own.items()})


def _gap(metric: str, a: str, b: str, first: tuple[Sample, Moments], second: tuple[Sample, Moments]) -> Gap:
    (sample, x), (_, y) = first, second
    value, texts = x.mean - y.mean, min(x.texts, y.texts)
    if texts < FEWEST:
        return Gap(metric, a, b, x.texts, y.texts, Estimate(value, None, None, texts), None, reason=f"only {texts} independent {'text' if texts == 1 else 'texts'} in one of them")
    if sample.share:
        return _gap_of_shares(metric, a, b, x, y)
    variance = x.variance + y.variance
    if variance == 0:
        return Gap(metric, a, b, x.texts, y.texts, Estimate(value, None, None, texts), None, reason="nothing varies within either of them")
    from scipy.special import stdtr

    freedom = variance**2 / (x.variance**2 / (x.texts - 1) + y.variance**2 / (y.texts - 1))
    third = x.third - y.third
    low, high = _interval(value, variance, third, freedom)
    z = value / math.sqrt(variance)
    p = 2 * float(stdtr(freedom, -min(abs(z), abs(_unskewed(z, third / variance**1.5)))))
    return Gap(metric, a, b, x.texts, y.texts, Estimate(value, low, high, texts), p, effect_size=_effect(x, y))


def _gap_of_shares(metric: str, a: str, b: str, x: Moments, y: Moments) -> Gap:
    """Newcombe's hybrid score interval, and the score test, at the effective numbers of clips."""
    from scipy.special import ndtr

    value, (low_a, high_a), (low_b, high_b) = x.mean - y.mean, _wilson(x), _wilson(y)
    low = value - math.hypot(x.mean - low_a, high_b - y.mean)
    high = value + math.hypot(high_a - x.mean, y.mean - low_b)
    n, m = _effective(x), _effective(y)
    pooled = (n * x.mean + m * y.mean) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    p = 2 * float(ndtr(-abs(value) / error)) if error else 1.0
    return Gap(metric, a, b, x.texts, y.texts, Estimate(value, low, high, min(x.texts, y.texts)), p, effect_size=_effect(x, y))


def _effective(found: Moments) -> float:
    """How many independent clips would give a share the variance that it has, fewer where that rests on few texts (Korn and Graubard 1998); the texts where it has none."""
    plain = found.mean * (1 - found.mean) / found.clips
    if not plain or not found.variance:
        return float(found.texts)
    from scipy.special import stdtrit

    of_clips, of_texts = stdtrit(np.array([found.clips, found.texts]) - 1.0, (1 + LEVEL) / 2)
    return min(float(found.clips), found.clips * plain / found.variance * float(of_clips / of_texts) ** 2)


def _wilson(found: Moments) -> tuple[float, float]:
    from scipy.special import ndtri

    n, p, z = _effective(found), found.mean, float(ndtri((1 + LEVEL) / 2))
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, min(p, middle - reach)), min(1.0, max(p, middle + reach))


def _effect(x: Moments, y: Moments) -> float | None:
    pooled = math.sqrt((x.spread**2 + y.spread**2) / 2)
    return (x.mean - y.mean) / pooled if pooled else None


def _corrected(found: list[Gap], known: Mapping[tuple[str, str], Moments | None]) -> list[Gap]:
    tested = [gap.p_value for gap in found if gap.p_value is not None]
    if not tested:
        return found
    adjusted = iter(_holm(tested))
    corrected = []
    for gap in found:
        if gap.p_value is None:
            corrected.append(gap)
            continue
        p, d = float(next(adjusted)), gap.difference
        told = p <= 1 - LEVEL and (d.low > 0 or d.high < 0)
        needed = _texts_needed(d.value, known[gap.metric, gap.a], known[gap.metric, gap.b], alpha=(1 - LEVEL) / len(tested))
        if needed is not None and not told:
            # What these texts did not settle takes more of them, whatever the normal distribution says of so few.
            needed = max(needed, d.n + 1)
        corrected.append(replace(gap, p_holm=p, texts_needed=needed, higher=(gap.a if d.value > 0 else gap.b) if told else None))
    return corrected


def _holm(p_values: list[float]) -> list[float]:
    if len(p_values) == 1:
        return p_values
    from statsmodels.stats.multitest import multipletests

    return list(multipletests(p_values, alpha=1 - LEVEL, method="holm")[1])


def _texts_needed(difference: float, x: Moments, y: Moments, *, alpha: float) -> int | None:
    """By the normal approximation, for as many texts in the one as in the other."""
    variance = x.spread**2 + y.spread**2
    if difference == 0 or not variance:
        return None
    from scipy.special import ndtri

    return max(FEWEST, math.ceil((float(ndtri(1 - alpha / 2)) + float(ndtri(POWER))) ** 2 * variance / difference**2))
