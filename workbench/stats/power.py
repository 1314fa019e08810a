"""How many texts a difference needs, and which difference so many texts can show: the power of the paired t test.

The square of a noncentral t is a noncentral F, which scipy computes at any level. statsmodels' TTestPower is the same where it is defined, but it is NaN at the levels that
Holm's correction over some hundred comparisons asks for.
"""

from __future__ import annotations

import math

POWER = 0.80


def fewest_texts(alpha: float) -> int:
    """Texts under which the paired permutation test cannot reach a level, whatever the data: where all n of them speak alike, its p-value is 2 / 2^n. At least 3."""
    return max(3, math.ceil(1 - math.log2(alpha)))


def texts_to_settle(difference: float, spread: float, *, alpha: float, power: float = POWER) -> int | None:
    """Texts that a paired comparison needs to show ``difference`` with so much power.

    Args:
        difference: the true mean difference per text; the sign does not matter.
        spread: standard deviation of the paired differences over texts, in the same unit.
        alpha: two-sided level; divide by the number of comparisons where several are made.

    None where no number of texts would: the difference is zero, or nothing is known of the spread. At least 3.
    """
    if difference == 0 or not math.isfinite(difference) or not math.isfinite(spread):
        return None
    from scipy.special import ndtri

    effect = min(abs(difference) / spread, 1e6) if spread else 1e6
    # Guenther (1981): the normal's answer, corrected for a spread that is estimated, is right to a text or two. The exact power has the last word.
    quantile = -float(ndtri(alpha / 2))
    texts = max(3, math.ceil(((quantile + float(ndtri(power))) / effect) ** 2 + quantile**2 / 2))
    if texts > 1_000_000:
        return texts
    while _power(effect, texts, alpha) < power:
        texts += 1
    while texts > 3 and _power(effect, texts - 1, alpha) >= power:
        texts -= 1
    return texts


def smallest_resolvable(spread: float, texts: int, *, alpha: float, power: float = POWER) -> float | None:
    """The smallest true difference that ``texts`` paired texts show with so much power, in the unit of ``spread``; None under three texts."""
    if texts < 3 or not math.isfinite(spread):
        return None
    from scipy.optimize import brentq

    # Twice the critical t and a little is enough at any number of texts: the estimated spread would have to be twice the true one.
    enough = (2 * math.sqrt(_critical(texts, alpha)) + 10) / math.sqrt(texts)
    return float(brentq(lambda effect: _power(effect, texts, alpha) - power, 0, enough)) * spread


def _power(effect: float, texts: int, alpha: float) -> float:
    from scipy.special import ncfdtr

    return 1.0 - float(ncfdtr(1, texts - 1, texts * effect**2, _critical(texts, alpha)))


def _critical(texts: int, alpha: float) -> float:
    """The square of Student's t from which on the test speaks."""
    from scipy.special import stdtrit

    return float(stdtrit(texts - 1, alpha / 2)) ** 2
