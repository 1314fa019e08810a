"""Shares of yes/no decisions whose trials are not independent, and what they say of a detector: how well it tells signal from noise, and what a flag of it is worth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from workbench.stats.intervals import Estimate

#: Draws of the shares' posteriors behind the interval of a precision.
DRAWS = 20_000


def clustered_proportion(outcomes: Sequence[float], clusters: Sequence[Hashable], *, level: float = 0.95) -> Estimate:
    """A share of trials that come in clusters (the words, the texts), with the Wilson interval of so many independent trials as say as much.

    Args:
        outcomes, clusters: shape (N,): true and false, or each trial's own share, 0 to 1.

    ``n`` counts the clusters. Where every outcome is the same the trials cannot say how much they depend on each other: the geometric mean of trials and clusters
    counts then, which covers in simulation.

    Source: effective sample size of Korn and Graubard (Survey Methodology 24, 1998), Wilson (1927) in place of Clopper and Pearson.
    """
    if not len(outcomes):
        return Estimate(None, None, None, 0)
    from statsmodels.stats.proportion import proportion_confint

    share, effective, count = _effective(outcomes, clusters)
    low, high = proportion_confint(share * effective, effective, alpha=1 - level, method="wilson")
    return Estimate(share, float(max(0.0, low)), float(min(1.0, high)), count)


def _effective(outcomes: Sequence[float], clusters: Sequence[Hashable], *, level: float = 0.95) -> tuple[float, float, int]:
    """Share, number of independent trials that would know it as well, number of clusters."""
    from scipy.stats import t

    names = {name: index for index, name in enumerate(dict.fromkeys(clusters))}
    of = np.array([names[cluster] for cluster in clusters])
    hits, trials = np.bincount(of, weights=np.asarray(outcomes, dtype=float)), np.bincount(of).astype(float)
    total, count = trials.sum(), len(names)
    share = float(hits.sum() / total)
    if count < 2:
        return share, 1.0, count
    # Variance of a ratio of totals over clusters drawn with replacement, linearised; it is known from the clusters alone, hence the quantiles of t.
    variance = count / (count - 1) * ((hits - share * trials) ** 2).sum() / total**2
    if not 0 < share < 1 or variance == 0:
        return share, float(np.sqrt(total * count)), count
    known = (t.ppf((1 + level) / 2, total - 1) / t.ppf((1 + level) / 2, count - 1)) ** 2 if total > count else 1.0
    # Trials that depend on each other never say more than as many independent ones.
    return share, float(min(total, share * (1 - share) / variance * known)), count


def d_prime(hits: int, signals: int, false_alarms: int, noise: int, *, level: float = 0.95) -> Estimate:
    """How many standard deviations of a normal scale lie between signal and noise; a half is added to each cell, so that it stays finite.

    Args:
        hits, signals: trials with the signal that were said to have it, and all of them.
        false_alarms, noise: the same of those without.

    Source: Hautus (1995) for the half, Gourevitch and Galanter (1967) for the variance. ``n`` counts trials; without signal or without noise there is no value.
    """
    from scipy.stats import norm

    if not signals or not noise:
        return Estimate(None, None, None, signals + noise)
    hit, alarm = (hits + 0.5) / (signals + 1), (false_alarms + 0.5) / (noise + 1)
    value = norm.ppf(hit) - norm.ppf(alarm)
    variance = sum(p * (1 - p) / ((n + 1) * norm.pdf(norm.ppf(p)) ** 2) for p, n in ((hit, signals), (alarm, noise)))
    reach = norm.ppf((1 + level) / 2) * np.sqrt(variance)
    return Estimate(float(value), float(value - reach), float(value + reach), signals + noise)


def area_under_roc(scores: Sequence[float], signal: Sequence[bool]) -> float | None:
    """How often a signal's score is above a noise's, ties counting half; None without one of them."""
    if len(set(signal)) < 2:
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(np.asarray(signal), np.asarray(scores)))


def precision_at(
    rate: float, found: Sequence[bool], found_clusters: Sequence[Hashable], flagged: Sequence[bool], flagged_clusters: Sequence[Hashable], *, seed: int, level: float = 0.95
) -> Estimate:
    """Share of true errors among the flagged where a share ``rate`` of all is an error: a property of the detector and of what it is used on.

    Args:
        found, found_clusters: of every trial with an error, whether it was flagged, and its cluster.
        flagged, flagged_clusters: the same of every trial without one.

    The interval comes of draws of both shares from their posteriors (Jeffreys' prior, numbers of trials as in ``clustered_proportion``): with no false alarm
    seen the value is 1 and the interval says how far that goes.
    """
    if not len(found) or not len(flagged):
        return Estimate(None, None, None, 0)
    draw = np.random.default_rng(seed)
    shares, draws, counts = [], [], []
    for outcomes, clusters in ((found, found_clusters), (flagged, flagged_clusters)):
        share, effective, count = _effective(outcomes, clusters)
        shares.append(share)
        counts.append(count)
        draws.append(draw.beta(share * effective + 0.5, (1 - share) * effective + 0.5, DRAWS))
    if not shares[0] and not shares[1]:
        return Estimate(None, None, None, min(counts))
    moved = rate * draws[0] / (rate * draws[0] + (1 - rate) * draws[1])
    low, high = np.quantile(moved, [(1 - level) / 2, (1 + level) / 2])
    value = rate * shares[0] / (rate * shares[0] + (1 - rate) * shares[1])
    return Estimate(float(value), float(min(low, value)), float(max(high, value)), min(counts))
