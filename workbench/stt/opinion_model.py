"""From measures to one number: log odds that the reference was said, learnt from planted errors.

Logistic regression on the columns of ``weigh.MEASURES``; written by ``benchmarks/planted_errors.py --tune``.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Changes with the numbers below, so that stored results know which ones they come from.
MODEL_NAME = "planted-1"
#: Log ratios stay within this many nats; slots of which nothing could be measured stand at the lower end.
LOG_RATIO_LIMIT = 20.0
INTERCEPT = 2.0736
COEFFICIENTS = (0.6662, 0.306, 0.4354, 0.3926, 0.5472, -0.2078, -0.1701, -0.3039, 0.8236, -0.4452, -0.7599, -0.3476, -0.0149, 0.3887, 2.0875, 0.0, 0.0)


def log_odds(measures: Sequence[float], *, intercept: float = INTERCEPT, coefficients: Sequence[float] = COEFFICIENTS) -> float:
    """Log p(reference said) / p(not said), nats, within ``LOG_RATIO_LIMIT``.

    Args:
        measures: the columns of ``weigh.MEASURES``.
    """
    total = intercept + sum(weight * value for weight, value in zip(coefficients, measures, strict=True))
    return round(max(-LOG_RATIO_LIMIT, min(LOG_RATIO_LIMIT, total)), 6)
