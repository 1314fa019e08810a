"""Sentences that the statistics allow: one per pair and metric, and one for everything that the comparison does not rest on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from workbench.stats.comparison import Comparison
from workbench.stats.pairs import Outcome, Pair


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


def remarks(found: Comparison, *, labels: Mapping[str, str] | None = None, unit: str = "texts") -> list[str]:
    """Whatever was measured and does not count, metric by metric; empty where everything does."""
    left_out, told = found.left_out, []
    for metric in found.metrics:
        label = (labels or {}).get(metric, metric)
        told += [f"{label}: {system} has no usable value and takes no part." for system, m in left_out.missing if m == metric]
        lacking = [f"{system} lacks {len(texts):,}" for system, texts in _of(left_out.lacking, metric)]
        if lacking:
            told.append(f"{label}: compared on the {len(found.texts_by_metric[metric]):,} {unit} that all systems have; {', '.join(lacking)}.")
        told += [f"{label}: {count:,} values of {system} are missing or not finite and do not count." for system, count in _of(left_out.not_finite, metric)]
        told += [f"{label}: {count:,} measurements of {system} came more than once and count once." for system, count in _of(left_out.duplicates, metric)]
        for system, count in _of(left_out.contradictions, metric):
            told.append(f"{label}: {count:,} measurements of {system} contradict another of the same take; the take counts with their mean.")
    told += [f"{count:,} measurements of {metric} were not asked for." for metric, count in sorted(left_out.unknown_metrics.items())]
    return told


def _of(counts: Mapping[tuple[str, str], object], metric: str) -> Iterator[tuple[str, object]]:
    return ((system, count) for (system, m), count in sorted(counts.items()) if m == metric)


def _sentence(pair: Pair, label: str, percent: bool, unit: str, comparisons: int) -> str:
    n, d = pair.difference.n, pair.difference
    if pair.outcome is Outcome.UNDECIDABLE:
        return f"Nothing can be said of {pair.a} and {pair.b} on {label} with n={n} {unit}: {pair.reason}."
    if pair.better is None:
        start = f"{pair.a} and {pair.b} cannot be told apart on {label} with n={n} {unit}"
        if pair.texts_needed is None:
            return f"{start}; no number of {unit} would settle a difference of 0."
        return f"{start}; about {pair.texts_needed:,} {unit} would settle a difference of {number(abs(d.value), percent)}."
    shown = pair if pair.better == pair.a else pair.turned()
    low, high = (shown.difference.low, shown.difference.high) if shown.difference.value > 0 else (-shown.difference.high, -shown.difference.low)
    interval = f"{number(abs(d.value), percent)} [{number(low, percent, bare=True)}, {number(high, percent, bare=True)}]"
    over = f"Holm over {comparisons:,} comparisons" if comparisons > 1 else "the only comparison"
    return f"{shown.a} is better than {shown.b} on {label} by {interval}, {p_said(pair.p_holm)} ({over}, n={n} {unit})."


def number(value: float, percent: bool, *, bare: bool = False) -> str:
    """A size with two significant digits or more, in percentage points or in the metric's own unit. Never 0.0 for what is not 0."""
    value, least = (100 * value, 0.05) if percent else (value, 0.005)
    told = f"{value:.1g}" if 0 < value < least else f"{value:.1f}" if percent else f"{value:.2f}" if value < 1000 else f"{value:,.0f}"
    return told if bare or not percent else f"{told} points"


def p_said(value: float) -> str:
    """A p-value in a sentence; never a bare 0."""
    return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("0.", ".")
