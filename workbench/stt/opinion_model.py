"""From measures to one number: log odds that the reference was said, learnt from planted errors.

Logistic regression on the columns of ``weigh.MEASURES``; written by ``benchmarks/planted_errors.py --tune``.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Changes with the numbers below, so that stored results know which ones they come from.
MODEL_NAME = "planted-2"
#: Log ratios stay within this many nats; slots of which nothing could be measured stand at the lower end.
LOG_RATIO_LIMIT = 20.0
INTERCEPT = 2.9439
# fmt: off
COEFFICIENTS = (
    0.7882, 0.3588, 0.3465, 0.4716, 0.855, -0.3119, 0.4649, -0.5725, 0.825, -0.6931,
    -1.1148, -0.2538, -0.0341, -0.0261, 2.1998, -0.1632, -0.2801, -1.4804,
)
# fmt: on


def log_odds(measures: Sequence[float], *, intercept: float = INTERCEPT, coefficients: Sequence[float] = COEFFICIENTS) -> float:
    """Log p(reference said) / p(not said), nats, within ``LOG_RATIO_LIMIT``.

    Args:
        measures: the columns of ``weigh.MEASURES``.
    """
    total = intercept + sum(weight * value for weight, value in zip(coefficients, measures, strict=True))
    return round(max(-LOG_RATIO_LIMIT, min(LOG_RATIO_LIMIT, total)), 6)
