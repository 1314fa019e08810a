"""Agreement of raters, by the ``krippendorff`` and statsmodels packages, with intervals over items.

In simulations of 10 to 60 items rated 1 to 5, percentiles of the resampled alpha cover 82 to 89%, Student's t interval with the resamples' standard error 91 to 98%; for kappa
the normal interval 79 to 95%, Student's 89 to 96%.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from workbench.errors import ConfigError
from workbench.stats.intervals import Estimate
from workbench.stats.resampling import draws, student

LEVELS = ("nominal", "ordinal", "interval", "ratio")
#: Items from which on agreement gets an interval.
LEAST = 5


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]], level: str = "interval", *, resamples: int = 1000, seed: int = 1) -> Estimate:
    """Krippendorff's alpha of any number of raters, missing ratings allowed (Krippendorff 2011), with a 95% interval over items.

    Args:
        ratings: shape (raters, items); None or NaN where a rater gave none.
        level: of measurement: nominal, ordinal, interval or ratio.

    ``n`` counts the items that two raters or more rated. The value is None where nothing varies or no item has two ratings; no interval is given under five
    items, nor where all agree: that says nothing of how often they would not.
    """
    if level not in LEVELS:
        raise ConfigError("unknown level of measurement", where="level", got=level, expected=", ".join(LEVELS))
    table = _table(ratings)
    domain = np.unique(table[np.isfinite(table)])
    counts = np.array([[(column == value).sum() for value in domain] for column in table.T]).reshape(table.shape[1], len(domain))
    counts = counts[counts.sum(1) >= 2]
    value = _alpha(counts, domain, level)
    if value is None or len(counts) < LEAST or value == 1:
        return Estimate(value, None, None, len(counts))
    drawn = [_alpha(np.repeat(counts, weights, axis=0), domain, level) for block in draws(len(counts), resamples, seed=seed) for weights in block.astype(int)]
    return _around(value, float(np.std([one for one in drawn if one is not None])), len(counts))


def cohen_kappa(first: Sequence[Hashable | None], second: Sequence[Hashable | None], *, weights: str | None = None) -> Estimate:
    """Cohen's kappa of two raters over the same items with a 95% interval from its asymptotic variance (Fleiss, Cohen, Everitt 1969), by statsmodels.

    Args:
        first, second: one category per item; items that either left out (None) do not count.
        weights: None for categories, ``linear`` or ``quadratic`` for ordered ones, in their sorting order and equally far apart.

    None as in ``krippendorff_alpha``.
    """
    if weights not in (None, "linear", "quadratic"):
        raise ConfigError("unknown weights of agreement", where="weights", got=weights, expected="None, linear or quadratic")
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    domain = sorted({category for pair in both for category in pair}, key=lambda category: (isinstance(category, str), category))
    if len(domain) < 2:
        return Estimate(None, None, None, len(both))
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((len(domain), len(domain)))
    for a, b in both:
        table[domain.index(a), domain.index(b)] += 1
    found = cohens_kappa(table, wt=weights)
    if len(both) < LEAST or found.kappa == 1:
        return Estimate(float(found.kappa), None, None, len(both))
    return _around(float(found.kappa), float(found.std_kappa), len(both))


def _table(ratings: Sequence[Sequence[float | None]]) -> np.ndarray:
    lengths = {len(row) for row in ratings}
    if len(lengths) != 1:
        raise ConfigError("raters with unequal numbers of items", where="ratings", got=sorted(lengths), expected="one entry per rater and item, None where there is no rating")
    table = np.array([[np.nan if rating is None else rating for rating in row] for row in ratings], dtype=float)
    return np.where(np.isfinite(table), table, np.nan)


def _alpha(counts: np.ndarray, domain: np.ndarray, level: str) -> float | None:
    if (counts.sum(0) > 0).sum() < 2:
        return None
    from krippendorff import alpha

    return float(alpha(value_counts=counts, value_domain=domain, level_of_measurement=level))


def _around(value: float, error: float, items: int) -> Estimate:
    reach = student(items, 0.95) * error * np.sqrt(items / (items - 1))
    return Estimate(value, float(max(-1.0, value - reach)), float(min(1.0, value + reach)), items)
