"""Figures of the thresholds report: what cascades cost against what they catch, and how a quantity is spread over clips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from workbench.report.figure_parts import WIDTH_IN, empty, figure_box, voices_axis
from workbench.report.html import Column, Fragment, table
from workbench.report.svg import INK, draw

_SAID = {"flagged": "flagged clips", "words": "doubtful words", "all": "everything"}
_MARKS = {"flagged": ("fig-1", "o"), "words": ("fig-3", "s"), "all": ("fig-2", "*")}


@dataclass(frozen=True, slots=True)
class TradePoint:
    """One cascade: what it costs (the precision engine's time over that of hearing everything) and the share of planted errors it finds.

    ``kind`` is how it escalates (flagged, words, all), ``label`` is drawn beside it, ``best`` says whether none beats it in both.
    """

    name: str
    kind: str
    cost: float
    recall: float
    low: float | None = None
    high: float | None = None
    label: str = ""
    best: bool = False


def trade_off(points: Sequence[TradePoint], *, caption: str = "") -> Fragment:
    """Recall of planted errors against cost. Shape and hue tell how a cascade escalates; a line joins those that none beats in both."""
    if not points:
        return empty("No errors were planted, so nothing is known of what a cascade catches.")

    def paint(figure) -> None:
        axes = figure.subplots()
        best = sorted((p for p in points if p.best), key=lambda p: p.cost)
        axes.plot([100 * p.cost for p in best], [100 * p.recall for p in best], color=INK["muted"], linewidth=1.2, zorder=1)
        for kind, (colour, marker) in _MARKS.items():
            own = [p for p in points if p.kind == kind]
            size = 12 if marker == "*" else 6.5
            axes.plot([100 * p.cost for p in own], [100 * p.recall for p in own], marker, color=INK[colour], markersize=size, markerfacecolor=INK[colour], alpha=0.85, label=_SAID[kind])
        for place, point in enumerate(p for p in points if p.label):
            if point.low is not None and point.high is not None:
                axes.plot([100 * point.cost] * 2, [100 * point.low, 100 * point.high], color=INK["fig-2"], linewidth=1.2, zorder=1)
            right = point.cost > 0.6
            axes.annotate(
                f"{point.label}\n{point.recall:.1%} at {point.cost:.0%} of the cost",
                (100 * point.cost, 100 * point.recall),
                xytext=(-12 if right else 12, -18 - 34 * (place % 2)),
                textcoords="offset points",
                ha="right" if right else "left",
                va="top",
                fontsize=8,
                arrowprops={"arrowstyle": "-", "color": INK["muted"], "linewidth": 0.7},
            )
        lowest = min(p.recall if p.low is None or not p.label else p.low for p in points)
        axes.set_ylim(max(0.0, 100 * lowest - 18), 102)
        axes.set_xlim(0, 104)
        axes.grid(True)
        axes.legend(loc="lower right", fontsize=8, frameon=False)
        axes.set_xlabel("precision engine's time (% of hearing everything)")
        axes.set_ylabel("planted errors found (%)")

    columns = (
        Column("name", "Cascade"),
        Column("cost", "Precision engine's time", fmt=".1%"),
        Column("recall", "Found", fmt=".1%"),
        Column("low", "Low", fmt=".1%"),
        Column("high", "High", fmt=".1%"),
    )
    return figure_box(draw(6.8, 4.2, paint), "Planted errors found against the precision engine's time, per cascade", caption, table(points, columns), width_in=6.8)


def spread(
    values_per_voice: Mapping[str, Sequence[float | None]], *, label: str, bounds: Mapping[str, float] | None = None, edge: float = 1.0, caption: str = ""
) -> Fragment:
    """Every clip's value (a share) as a dot per voice, rising with the share of clips below it, with the median.

    Args:
        label: what the value is, on the axis.
        bounds: lines to draw, by name.
        edge: larger values (word error rates know no bound) stand here, counted.
    """
    voices = {voice: sorted(v for v in values if v is not None and math.isfinite(v)) for voice, values in values_per_voice.items()}
    voices = {voice: values for voice, values in voices.items() if values}
    if not voices:
        return empty("No clips to show.")
    lowest, highest = min(v[0] for v in voices.values()), min(edge, max(v[-1] for v in voices.values()))
    margin = 0.04 * (highest - lowest) or 0.01

    def paint(figure) -> None:
        axes = figure.subplots()
        for place, values in enumerate(voices.values()):
            heights = [place + 0.3 - 0.6 * (rank + 0.5) / len(values) for rank in range(len(values))]
            axes.plot([100 * min(v, edge) for v in values], heights, "o", markersize=3.6, markerfacecolor=INK["fig-soft"], markeredgecolor=INK["fig-1"], markeredgewidth=0.7)
            middle, over = median(values), sum(v > edge for v in values)
            axes.plot([100 * min(middle, edge)] * 2, [place - 0.36, place + 0.36], color=INK["fig-2"], linewidth=2.2)
            axes.text(100 * (highest + 1.6 * margin), place, f"median {middle:.1%}, n = {len(values)}" + (f", {over} above {edge:.0%}" if over else ""), va="center", fontsize=8)
        for rank, (name, bound) in enumerate((bounds or {}).items()):
            if lowest - margin <= bound <= highest + margin:
                axes.axvline(100 * bound, color=INK["muted"], linewidth=1, linestyle=(0, (4, 3)))
                axes.text(100 * bound, -0.62 - 0.2 * (rank % 2), name, fontsize=7.5, ha="center", va="bottom", color=INK["muted"])
        voices_axis(axes, list(voices))
        axes.set_xlim(100 * (lowest - margin), 100 * (highest + 1.2 * margin + 0.42 * (highest - lowest + margin)))
        axes.set_xticks([tick for tick in axes.get_xticks() if 100 * (lowest - margin) <= tick <= 100 * (highest + margin)])
        axes.grid(True, axis="x")
        axes.set_xlabel(label)

    rows = [{"voice": voice, "n": len(v), "low": v[len(v) // 10], "median": median(v), "high": v[-1 - len(v) // 10], "mean": sum(v) / len(v), "max": v[-1]} for voice, v in voices.items()]
    columns = (
        Column("voice", "Voice"),
        Column("n", "Clips"),
        Column("low", "10% below", fmt=".1%"),
        Column("median", "Median", fmt=".1%"),
        Column("high", "10% above", fmt=".1%"),
        Column("mean", "Mean", fmt=".1%"),
        Column("max", "Largest", fmt=".1%"),
    )
    return figure_box(draw(WIDTH_IN, 1.0 + 0.55 * len(voices), paint), f"{label}: every clip, per voice", caption, table(rows, columns))
