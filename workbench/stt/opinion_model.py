"""From measures to one number: log odds that the reference was said, learnt from planted errors.

Logistic regression on the columns of ``weigh.MEASURES``; written by ``benchmarks/planted_errors.py --tune``.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Changes with the numbers below, so that stored results know which ones they come from.
MODEL_NAME = "planted-1"
#: Log ratios stay within this many nats; slots of which nothing could be measured stand at the lower end.
LOG_RATIO_LIMIT = 20.0
INTERCEPT = 2.7554
# fmt: off
COEFFICIENTS = (
    0.6165, 0.2951, 0.3904, 0.4338, 0.6784, -0.1584, 0.1988, -0.2585, 0.6605, -0.7598,
    -1.2726, -0.2339, -0.087, 0.2202, 1.1275, -0.0615, -0.1416, -1.0997,
)
# fmt: on


def log_odds(measures: Sequence[float], *, intercept: float = INTERCEPT, coefficients: Sequence[float] = COEFFICIENTS) -> float:
    """Log p(reference said) / p(not said), nats, within ``LOG_RATIO_LIMIT``.

    Args:
        measures: the columns of ``weigh.MEASURES``.
    """
    total = intercept + sum(weight * value for weight, value in zip(coefficients, measures, strict=True))
    return round(max(-LOG_RATIO_LIMIT, min(LOG_RATIO_LIMIT, total)), 6)
