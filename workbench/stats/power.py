"""How many texts a difference needs, and which difference so many texts can show: the paired t test's power, by statsmodels."""

from __future__ import annotations

import math

POWER = 0.80


def texts_to_settle(difference: float, spread: float, *, alpha: float, power: float = POWER) -> int | None:
    """Texts that a paired comparison needs to show ``difference`` with so much power.

    Args:
        difference: the true mean difference per text; the sign does not matter.
        spread: standard deviation of the paired differences over texts, in the same unit.
        alpha: two-sided level; divide by the number of comparisons where several are made.

    None where no number of texts would: the difference is zero. At least 2.
    """
    if difference == 0 or not math.isfinite(difference) or not math.isfinite(spread):
        return None
    if spread == 0:
        return 2
    from scipy.stats import norm

    effect = abs(difference) / spread
    by_normal = ((norm.isf(alpha / 2) + norm.isf(1 - power)) / effect) ** 2
    if by_normal > 5000:
        return math.ceil(by_normal)
    from statsmodels.stats.power import TTestPower

    low, high = 2, 8
    while TTestPower().power(effect, high, alpha) < power:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if TTestPower().power(effect, middle, alpha) >= power else (middle + 1, high)
    return high


def smallest_resolvable(spread: float, texts: int, *, alpha: float, power: float = POWER) -> float | None:
    """The smallest true difference that ``texts`` paired texts show with so much power; None under two texts."""
    if texts < 2 or not math.isfinite(spread):
        return None
    from statsmodels.stats.power import TTestPower

    return float(TTestPower().solve_power(None, texts, alpha, power)) * spread
