"""How metrics go together over clips, with intervals that know which clips share a text.

Percentiles of resampled coefficients cover 81 to 95% in simulations of 8 to 60 texts in four clips each; Student's t interval on Fisher's scale, with the resamples'
standard error, 90 to 97%.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.stats.intervals import Estimate, constant
from workbench.stats.measurements import Measurement
from workbench.stats.resampling import draws, student

#: Texts from which on a coefficient gets an interval.
LEAST = 5


@dataclass(frozen=True)
class Correlations:
    """Pearson's and Spearman's coefficients of every two metrics, in both orders; the diagonal is absent.

    Each pair is taken over the clips that have both values; ``n`` of an estimate counts their texts, ``clips`` the clips. A coefficient of a metric that does
    not vary is None, and so is the interval of fewer than five texts.
    """

    metrics: tuple[str, ...]
    pearson: Mapping[tuple[str, str], Estimate]
    spearman: Mapping[tuple[str, str], Estimate]
    clips: Mapping[tuple[str, str], int]

    def matrix(self, kind: str = "pearson") -> np.ndarray:
        """The coefficients, shape (metrics, metrics), 1 on the diagonal and NaN where there is none."""
        found = np.eye(len(self.metrics))
        for (a, b), estimate in getattr(self, kind).items():
            found[self.metrics.index(a), self.metrics.index(b)] = np.nan if estimate.value is None else estimate.value
        return found


def correlations(
    rows: Iterable[Measurement], metrics: Sequence[str], *, within_systems: bool = False, resamples: int = 2000, level: float = 0.95, seed: int = 1
) -> Correlations:
    """Correlate metrics over clips; a clip is a system, text and take, its value value / weight. Measurements that came more than once count with their mean.

    Args:
        within_systems: take each system's mean off first, so that only what varies between its clips counts.
    """
    found: dict[str, dict[tuple[str, str, str], set[float]]] = {metric: defaultdict(set) for metric in metrics}
    for row in rows:
        if row.metric in found and row.value is not None and row.weight > 0 and math.isfinite(row.value / row.weight):
            found[row.metric][row.system, row.text, str(row.take)].add(row.value / row.weight)
    clips = {metric: {clip: math.fsum(values) / len(values) for clip, values in own.items()} for metric, own in found.items()}
    pearson, spearman, counts = {}, {}, {}
    for a, b in combinations(metrics, 2):
        keys = sorted(clips[a].keys() & clips[b].keys(), key=str)
        x, y = np.array([clips[a][k] for k in keys]), np.array([clips[b][k] for k in keys])
        if within_systems:
            x, y = _within(x, keys), _within(y, keys)
        both = _coefficients(x, y, [text for _, text, _ in keys], resamples, level, seed)
        for order in ((a, b), (b, a)):
            pearson[order], spearman[order] = both
            counts[order] = len(keys)
    return Correlations(tuple(metrics), pearson, spearman, counts)


def _within(values: np.ndarray, keys: list) -> np.ndarray:
    _, system = np.unique([key[0] for key in keys], return_inverse=True)
    if not len(keys):
        return values
    off = values - (np.bincount(system, values) / np.bincount(system))[system]
    # Of a metric that does not vary within any system only rounding is left, and that goes with nothing.
    return np.zeros_like(off) if constant(off, values) else off


def _coefficients(x: np.ndarray, y: np.ndarray, texts: list[str], resamples: int, level: float, seed: int) -> tuple[Estimate, Estimate]:
    """Pearson's and Spearman's coefficient. Ranks are those of all clips: within a resample they are not taken anew."""
    from scipy.stats import rankdata

    names, cluster = np.unique(texts, return_inverse=True)
    if len(x) < 3 or constant(x - x.mean(), x) or constant(y - y.mean(), y):
        return (Estimate(None, None, None, len(names)),) * 2
    parts = []
    for u, v in ((x, y), (rankdata(x), rankdata(y))):
        u, v = (u - u.mean()) / u.std(), (v - v.mean()) / v.std()
        parts.append([np.bincount(cluster, moment) for moment in (np.ones_like(u), u, v, u * u, v * v, u * v)])
    parts = np.array(parts)
    values = _correlation(parts.sum(2))
    drawn = np.concatenate([_correlation(np.moveaxis(w @ np.moveaxis(parts, 1, 2), 1, 2)) for w in draws(len(names), resamples, seed=seed)], axis=1) if len(names) >= LEAST else None
    return tuple(_estimate(value, None if drawn is None else drawn[k], len(names), level) for k, value in enumerate(values))


def _estimate(value: float, drawn: np.ndarray | None, texts: int, level: float) -> Estimate:
    """Student's t interval on Fisher's scale with the resamples' standard error; none where every resample is as good as 1, which says nothing of others."""
    value = float(np.clip(value, -1, 1))
    if drawn is None or abs(value) > 1 - 1e-9:
        return Estimate(value, None, None, texts)
    spread = np.arctanh(np.clip(drawn[np.isfinite(drawn)], -0.9999, 0.9999)).std()
    reach = student(texts, level) * float(spread) * np.sqrt(texts / (texts - 1))
    return Estimate(value, float(np.tanh(np.arctanh(value) - reach)), float(np.tanh(np.arctanh(value) + reach)), texts)


def _correlation(moments: np.ndarray) -> np.ndarray:
    """From count, sums, sums of squares and of products, along the second axis; NaN where a side does not vary."""
    count, x, y, xx, yy, xy = np.moveaxis(moments, 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (xy - x * y / count) / np.sqrt((xx - x * x / count) * (yy - y * y / count))
