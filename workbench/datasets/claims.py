"""What may be said of two datasets: a sentence per pair and metric that claims no more than the data hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.scan.comparison_metrics import judge_title
from workbench.stats.claims import p_said
from workbench.stats.independent import Gap

#: Metrics that are shares or rates, told in percentage points.
PERCENT = frozenset({"mean WER", "clips without an error", "clips above 5% WER"})


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence and the gap that it rests on."""

    sentence: str
    gap: Gap


def claims_of(gaps: Sequence[Gap], shared_texts: Mapping[frozenset[str], int]) -> tuple[Claim, ...]:
    """Every gap as a sentence.

    Args:
        shared_texts: by pair of datasets, how many texts both have.
    """
    compared = sum(gap.p_value is not None for gap in gaps)
    return tuple(Claim(_sentence(gap, compared, shared_texts.get(frozenset((gap.a, gap.b)), 0)), gap) for gap in gaps)


def _sentence(gap: Gap, compared: int, shared: int) -> str:
    metric, label, d = gap.metric, judge_title(gap.metric), gap.difference
    n = f"{gap.texts_a:,} and {gap.texts_b:,} texts"
    if gap.p_value is None:
        return f"Nothing can be said of {gap.a} and {gap.b} on {label} with {n}: {gap.reason}."
    if gap.higher is None:
        told = f"{gap.a} and {gap.b} cannot be told apart on {label} with {n} (difference {_told(d.value, metric)} [{_raw(d.low, metric)}, {_raw(d.high, metric)}])"
        if gap.texts_needed is not None:
            told += f"; about {gap.texts_needed:,} texts in each would settle a difference of that size"
        return f"{told}."
    lower = gap.b if gap.higher == gap.a else gap.a
    return f"{gap.higher} is higher than {lower} on {label} by {_told(abs(d.value), metric)} [{_bounds(gap)}], {p_said(gap.p_holm)} (Holm over {compared} comparisons, {n}); {_whose(gap, shared)}."


def _whose(gap: Gap, shared: int) -> str:
    """What the difference may come from besides the speech."""
    if not shared:
        return "their texts differ, and the difference may come from them"
    if shared >= max(gap.texts_a, gap.texts_b):
        return "they speak the same texts, so a comparison text by text would see more"
    return f"they share {shared:,} texts, and the difference may come from the others"


def _bounds(gap: Gap) -> str:
    low, high = sorted((abs(gap.difference.low), abs(gap.difference.high)))
    return f"{_raw(low, gap.metric)}, {_raw(high, gap.metric)}"


def _raw(value: float, metric: str) -> str:
    """In percentage points or in the metric's own unit; never 0.0 for what is not 0."""
    value, digits = (100 * value, 1) if metric in PERCENT else (value, 3 if metric == "confidence" else 2)
    told = f"{value:.{digits}f}"
    return told if float(told) or not value else f"{value:.1g}"


def _told(value: float, metric: str) -> str:
    return f"{_raw(value, metric)} points" if metric in PERCENT else _raw(value, metric)
