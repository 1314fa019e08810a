"""Probabilities that mean what they say: folds of labelled items, and the scale of logits found on items that a fit did not see.

Source: temperature scaling (Guo et al., "On calibration of modern neural networks", ICML 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.homographs.data import LabelledItem


def folds_of(items: Sequence[LabelledItem], *, count: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Numbers of the items to fit and of the items held out, ``count`` times; every reading is spread over the folds as evenly as its number allows."""
    import random

    by_reading: dict[tuple[str, str], list[int]] = {}
    for number, item in enumerate(items):
        by_reading.setdefault((item.word, item.reading), []).append(number)
    generator = random.Random(seed)
    fold_of, turn = {}, 0
    for numbers in by_reading.values():
        generator.shuffle(numbers)
        for number in numbers:
            fold_of[number] = turn % count
            turn += 1
    for fold in range(count):
        yield [n for n in range(len(items)) if fold_of[n] != fold], [n for n in range(len(items)) if fold_of[n] == fold]


def fitted_scale(logits: Sequence[float]) -> float:
    """By what to multiply logits so that they are calibrated; drawn towards 1, as a handful that are all right would be trusted without bound.

    Args:
        logits: of the right reading against the best other one.
    """
    if not logits:
        return 1.0
    import numpy as np
    from scipy.optimize import minimize_scalar

    margins = np.array(logits)
    found = minimize_scalar(lambda log_scale: float(np.logaddexp(0, -np.exp(log_scale) * margins).sum() + log_scale**2), bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(found.x))
