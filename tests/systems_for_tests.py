"""Made-up systems on made-up texts, whose truth is known."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pytest

from workbench.stats import Measurement
from workbench.stats.measurements import Table


@pytest.fixture(scope="module", autouse=True)
def without_old_garbage() -> Iterator[None]:
    """statsmodels collects all garbage at every correction: most of the time of a hundred small comparisons, if all modules are looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def rows_of(scores: Mapping[str, Sequence[float | None]], metric: str = "mos", *, take: int = 0) -> list[Measurement]:
    """One clip of each system on each text."""
    return [Measurement(system, f"t{k:03d}", take, metric, value) for system, values in scores.items() for k, value in enumerate(values)]


def mos(draw: np.random.Generator, shifts: Iterable[float], texts: int, *, noise: float = 0.25) -> np.ndarray:
    """Scores near the top of the scale, shape (systems, texts): every text is as easy for all systems, and 5 is the most."""
    shifts = np.asarray(list(shifts))[:, None]
    return np.clip(4.3 + shifts + 0.4 * draw.normal(size=texts) + noise * draw.normal(size=(len(shifts), texts)), 1, 5)


def errors(draw: np.random.Generator, factors: Iterable[float], texts: int, *, rate: float = 0.037, shape: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Word errors, shape (systems, texts), and words, shape (texts,): most texts without an error, some hard for all, as LibriTTS-R and Kokoro have them."""
    words = draw.integers(5, 26, texts)
    hard = draw.gamma(shape, rate / shape, texts)
    return np.array([draw.binomial(words, np.minimum(factor * hard, 1)) for factor in factors], dtype=float), words.astype(float)


def table(values: np.ndarray, weights: np.ndarray | None = None, metric: str = "mos") -> Table:
    """A table of systems 0, 1, ... from arrays of shape (systems, texts)."""
    values = np.ascontiguousarray(values, dtype=float)
    weights = np.ones_like(values) if weights is None else np.ascontiguousarray(np.broadcast_to(weights, values.shape), dtype=float)
    return Table(metric, tuple(map(str, range(len(values)))), tuple(f"t{k:04d}" for k in range(values.shape[1])), values, weights)


def many(make, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Independent repetitions of two systems as systems of one table: values and weights, shape (2 * trials, texts), first systems, then second ones."""
    drawn = [make() for _ in range(trials)]
    values = np.concatenate([np.array([v[0] for v, _ in drawn]), np.array([v[1] for v, _ in drawn])])
    weights = np.array([np.broadcast_to(w, v.shape[1:]) for v, w in drawn] * 2)
    return values, weights
