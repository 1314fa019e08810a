"""Sentences that the statistics allow, one per pair and metric."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from workbench.stats.comparison import Comparison, Outcome, Pair


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence and the pair that it rests on."""

    sentence: str
    metric: str
    pair: Pair


def claims(found: Comparison, *, metric: str | None = None, labels: Mapping[str, str] | None = None, percent: Collection[str] = ("wer",), unit: str = "texts") -> list[Claim]:
    """Every pair as a sentence, pairs with the baseline first.

    Args:
        metric: only this one.
        labels: how a metric is called in a sentence; its own name by default.
        percent: metrics that are shares, told in percentage points.
        unit: what a text is called: texts, prompts.
    """
    labels = labels or {}
    pairs = [pair for pair in found.pairs if metric in (None, pair.metric)]
    pairs.sort(key=lambda pair: found.baseline not in (pair.a, pair.b) if found.baseline else False)
    return [Claim(_sentence(pair, labels.get(pair.metric, pair.metric), pair.metric in percent, unit, found.comparisons), pair.metric, pair) for pair in pairs]


def _sentence(pair: Pair, label: str, percent: bool, unit: str, comparisons: int) -> str:
    n, d = pair.difference.n, pair.difference
    if pair.outcome is Outcome.UNDECIDABLE:
        return f"Nothing can be said of {pair.a} and {pair.b} on {label} with n={n} {unit}: {pair.reason}."
    if pair.better is None:
        start = f"{pair.a} and {pair.b} cannot be told apart on {label} with n={n} {unit}"
        if pair.texts_needed is None:
            return f"{start}; no number of {unit} would settle a difference of 0."
        return f"{start}; about {pair.texts_needed:,} {unit} would settle a difference of {_number(abs(d.value), percent)}."
    shown = pair if pair.better == pair.a else pair.turned()
    low, high = sorted((abs(shown.difference.low), abs(shown.difference.high)))
    interval = f"{_number(abs(d.value), percent)} [{_number(low, percent, bare=True)}, {_number(high, percent, bare=True)}]"
    return f"{shown.a} is better than {shown.b} on {label} by {interval}, {_p(pair.p_holm)} (Holm over {comparisons} comparisons, n={n} {unit})."


def _number(value: float, percent: bool, *, bare: bool = False) -> str:
    if percent:
        return f"{100 * value:.1f}" + ("" if bare else " points")
    return f"{value:.2f}" if value >= 0.005 or value == 0 else f"{value:.1g}"


def _p(value: float) -> str:
    return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("0.", ".")
