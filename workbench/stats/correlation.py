"""How metrics go together over clips, with intervals that know which clips share a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.stats.intervals import Estimate
from workbench.stats.measurements import Measurement
from workbench.stats.resampling import draws


@dataclass(frozen=True)
class Correlations:
    """Pearson's and Spearman's coefficients of every two metrics, in both orders; the diagonal is absent.

    Each pair is taken over the clips that have both values; ``n`` of an estimate counts their texts, ``clips`` the clips. A coefficient of a metric that does
    not vary is None.
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
    """Correlate metrics over clips; a clip is a system, text and take, its value value / weight.

    Args:
        within_systems: take each system's mean off first, so that only what varies between its clips counts.
    """
    clips: dict[str, dict[tuple[str, str, str], float]] = {metric: defaultdict(float) for metric in metrics}
    for row in rows:
        if row.metric in clips and row.value is not None and row.weight > 0 and np.isfinite(row.value / row.weight):
            clips[row.metric][row.system, row.text, str(row.take)] = row.value / row.weight
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
    return values - (np.bincount(system, values) / np.bincount(system))[system] if len(keys) else values


def _coefficients(x: np.ndarray, y: np.ndarray, texts: list[str], resamples: int, level: float, seed: int) -> tuple[Estimate, Estimate]:
    from scipy.stats import rankdata

    names, cluster = np.unique(texts, return_inverse=True)
    n = len(names)
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return (Estimate(None, None, None, n),) * 2
    found = []
    for u, v in ((x, y), (rankdata(x), rankdata(y))):
        value = float(np.corrcoef(u, v)[0, 1])
        moments = np.array([np.bincount(cluster, m) for m in (np.ones_like(u), u - u.mean(), v - v.mean(), (u - u.mean()) ** 2, (v - v.mean()) ** 2, (u - u.mean()) * (v - v.mean()))]).T
        drawn = np.concatenate([_correlation(w @ moments) for w in draws(n, resamples, seed=seed)])
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if n >= 5 else (None, None)
        found.append(Estimate(value, low if low is None else float(low), high if high is None else float(high), n))
    return found[0], found[1]


def _correlation(moments: np.ndarray) -> np.ndarray:
    count, x, y, xx, yy, xy = moments.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return (xy - x * y / count) / np.sqrt((xx - x * x / count) * (yy - y * y / count))
