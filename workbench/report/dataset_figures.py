"""Figures of the dataset comparison: how a quantity is spread over the clips of each dataset, however many there are, and which phones their texts hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.report.figure_parts import WIDTH_IN, empty, figure_box, voices_axis
from workbench.report.html import Column, Fragment, table
from workbench.report.svg import INK, draw

#: Bins of an outline: more for more clips, so that few clips do not fall apart into spikes.
FEWEST_BINS, MOST_BINS = 12, 48
#: From so many clips on, the axis ends where the middle 99% of them end.
MANY = 400
#: Of the width, what is left at the right for the numbers.
_ROOM = 0.5


@dataclass(frozen=True, slots=True)
class Axis:
    """What is spread: the axis' label, how a value is written, and where the axis ends (None: where the values do)."""

    label: str
    fmt: str = ".1f"
    factor: float = 1.0
    low: float | None = None
    high: float | None = None


def distribution(values: Mapping[str, np.ndarray], axis: Axis, *, caption: str = "") -> Fragment:
    """How many clips of each dataset have which value: a filled outline per dataset, its middle half as a bar and its median as a line.

    Args:
        values: by dataset, shape (clips,); values that are not finite are left out. Each outline has a height of its own.
    """
    known = {name: axis.factor * own[np.isfinite(own)] for name, own in values.items()}
    known = {name: own for name, own in known.items() if len(own)}
    if not known:
        return empty("No clip has this value.")
    low, high = _range(known, axis)
    bins = int(np.clip(2 * max(len(own) for own in known.values()) ** 0.5, FEWEST_BINS, MOST_BINS))
    edges = np.linspace(low, high, bins + 1)

    def paint(figure) -> None:
        axes = figure.subplots()
        for place, own in enumerate(known.values()):
            counts, _ = np.histogram(np.clip(own, low, high), edges)
            top = place + 0.3 - 0.72 * counts / max(1, counts.max())
            axes.stairs(top, edges, baseline=place + 0.3, fill=True, facecolor=INK["fig-soft"], edgecolor=INK["fig-1"], linewidth=0.8)
            quarter, middle, three_quarters = np.clip(np.percentile(own, [25, 50, 75]), low, high)
            axes.plot([quarter, three_quarters], [place + 0.36, place + 0.36], color=INK["fig-1"], linewidth=3, solid_capstyle="butt")
            axes.plot([middle, middle], [place - 0.42, place + 0.42], color=INK["fig-2"], linewidth=2)
            outside = int(((own < low) | (own > high)).sum())
            said = f"median {format(float(np.median(own)), axis.fmt)}, n = {len(own):,}" + (f"\n{outside:,} beyond the edge" if outside else "")
            axes.text(high + 0.03 * (high - low), place, said, va="center", fontsize=8)
        voices_axis(axes, list(known))
        axes.set_xlim(low - 0.01 * (high - low), high + _ROOM * (high - low))
        axes.set_xticks([tick for tick in axes.get_xticks() if low - 1e-9 <= tick <= high + 1e-9])
        axes.spines["bottom"].set_bounds(low, high)
        axes.grid(True, axis="x")
        axes.set_xlabel(axis.label, x=0.5 / (1 + _ROOM))

    rows = [{"dataset": name, "n": len(own), **dict(zip(_QUANTILES, np.percentile(own, list(_QUANTILES.values())), strict=True)), "mean": own.mean()} for name, own in known.items()]
    columns = (Column("dataset", "Dataset"), Column("n", "Clips", fmt=",d"), Column("mean", "Mean", fmt=axis.fmt), *(Column(key, key, fmt=axis.fmt) for key in _QUANTILES))
    return figure_box(draw(WIDTH_IN, 0.75 + 0.58 * len(known), paint), f"{axis.label}, clips of each dataset", caption, table(rows, columns))


_QUANTILES = {"Least": 0, "5%": 5, "25%": 25, "Median": 50, "75%": 75, "95%": 95, "Largest": 100}


def _range(known: Mapping[str, np.ndarray], axis: Axis) -> tuple[float, float]:
    # Of few clips every one is shown; of many, one outlier must not press all others together.
    cut = 0.5 if max(map(len, known.values())) >= MANY else 0.0
    low = min(float(np.percentile(own, cut)) for own in known.values()) if axis.low is None else axis.low
    high = max(float(np.percentile(own, 100 - cut)) for own in known.values()) if axis.high is None else axis.high
    # One value throughout still needs an axis around it.
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def phone_squares(shares: Mapping[str, Mapping[str, float]], *, caption: str = "") -> Fragment:
    """How often each phone stands in the texts of each dataset: the area of a square is the phone's share, a cross says that it never occurs.

    Args:
        shares: dataset -> phone -> share of the running phones; the same phones in each.
    """
    shown = {name: own for name, own in shares.items() if any(own.values())}
    if not shown:
        return empty("No text to count phones in.")
    mean = {phone: float(np.mean([own[phone] for own in shown.values()])) for phone in next(iter(shown.values()))}
    phones = sorted(mean, key=lambda phone: (-mean[phone], phone))
    largest = max(max(own.values()) for own in shown.values())

    def paint(figure) -> None:
        axes = figure.subplots()
        for place, own in enumerate(shown.values()):
            for column, phone in enumerate(phones):
                side = 0.92 * (own[phone] / largest) ** 0.5
                if not own[phone]:
                    axes.plot(column, place, "x", color=INK["fig-2"], markersize=6, markeredgewidth=1.6)
                    continue
                axes.fill([column - side / 2, column + side / 2, column + side / 2, column - side / 2], [place - side / 2, place - side / 2, place + side / 2, place + side / 2],
                          facecolor=INK["fig-1"], edgecolor="none")  # fmt: skip
        voices_axis(axes, list(shown))
        axes.set_ylim(len(shown) - 0.4, -0.7)
        axes.set_xlim(-0.7, len(phones) - 0.3)
        axes.set_xticks(range(len(phones)), phones, fontsize=6.5)
        axes.set_aspect("equal")
        axes.set_xlabel("phones (ARPABET), the most frequent first")

    rows = [{"phone": phone, **{name: own[phone] for name, own in shown.items()}} for phone in phones]
    columns = (Column("phone", "Phone"), *(Column(name, name, fmt=".2%") for name in shown))
    return figure_box(draw(WIDTH_IN + 1.2, 0.75 + 0.22 * len(shown), paint), "Share of each phone in the texts of each dataset", caption, table(rows, columns), width_in=WIDTH_IN + 1.2)


def sentences(told: Sequence[str]) -> Fragment:
    """Statements, one under the other."""
    from workbench.report.html import escape

    return Fragment(f'<ul class="wb wb-prose">{"".join(f"<li>{escape(sentence)}</li>" for sentence in told)}</ul>')
