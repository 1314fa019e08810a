"""Agreement of raters, by the ``krippendorff`` and statsmodels packages, with intervals over items."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from workbench.errors import ConfigError
from workbench.stats.intervals import Estimate
from workbench.stats.resampling import draws

LEVELS = ("nominal", "ordinal", "interval", "ratio")


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]], level: str = "interval", *, resamples: int = 1000, seed: int = 1) -> Estimate:
    """Krippendorff's alpha of any number of raters, missing ratings allowed (Krippendorff 2011), with a 95% bootstrap interval over items.

    Args:
        ratings: shape (raters, items); None or NaN where a rater gave none.
        level: of measurement: nominal, ordinal, interval or ratio.

    ``n`` counts the items that two raters or more rated. The value is None where nothing varies or no item has two ratings.
    """
    if level not in LEVELS:
        raise ConfigError("unknown level of measurement", where="level", got=level, expected=", ".join(LEVELS))
    from krippendorff import alpha

    table = np.array([[np.nan if r is None else r for r in row] for row in ratings], dtype=float)
    domain = np.unique(table[np.isfinite(table)])
    counts = np.array([[(column == value).sum() for value in domain] for column in table.T]).reshape(table.shape[1], len(domain))
    counts = counts[counts.sum(1) >= 2]
    if (counts.sum(0) > 0).sum() < 2:
        return Estimate(None, None, None, len(counts))
    value = float(alpha(value_counts=counts, value_domain=domain, level_of_measurement=level))
    drawn = []
    for block in draws(len(counts), resamples, seed=seed):
        for weights in block.astype(int):
            drawn_counts = np.repeat(counts, weights, axis=0)
            if (drawn_counts.sum(0) > 0).sum() > 1:
                drawn.append(alpha(value_counts=drawn_counts, value_domain=domain, level_of_measurement=level))
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(counts) >= 5 else (None, None)
    return Estimate(value, low if low is None else float(low), high if high is None else float(high), len(counts))


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable], *, weights: str | None = None) -> Estimate:
    """Cohen's kappa of two raters over the same items with its asymptotic 95% interval (Fleiss, Cohen, Everitt 1969), by statsmodels.

    Args:
        first, second: one category per item; items that either left out (None) do not count.
        weights: None for categories, ``linear`` or ``quadratic`` for ordered ones.
    """
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    domain = sorted({c for pair in both for c in pair}, key=lambda c: (str(type(c)), c))
    if len(domain) < 2:
        return Estimate(None, None, None, len(both))
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((len(domain), len(domain)))
    for a, b in both:
        table[domain.index(a), domain.index(b)] += 1
    found = cohens_kappa(table, wt={None: None, "linear": "linear", "quadratic": "quadratic"}[weights])
    return Estimate(float(found.kappa), float(found.kappa_low), float(found.kappa_upp), len(both))
