"""Figures of a listening test: opinions with intervals, and a judge's map with how far its predictions can be relied on."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.listening.calibration import SCALE, Bin, Calibration, Rated
from workbench.listening.opinions import SystemOpinion
from workbench.report.figure_parts import WIDTH_IN, empty, figure_box, series
from workbench.report.html import Column, Fragment, table
from workbench.report.players import score_title
from workbench.report.svg import INK, draw


def mean_opinions(counted: Sequence[SystemOpinion], everyone: Sequence[SystemOpinion], *, caption: str = "") -> Fragment:
    """Mean opinion of each system with its interval, by the listeners who count and by all; the latter only where they differ."""
    if not counted:
        return empty("No opinions to show.")
    groups = [("listeners who count", counted), *([("all listeners", everyone)] if everyone != counted else [])]
    # A system that only excluded listeners rated has a row of its own, the last, as in the table.
    places = {system: place for place, system in enumerate(dict.fromkeys(one.system for one in (*counted, *everyone)))}

    def paint(figure) -> None:
        axes = figure.subplots()
        for rank, (name, opinions) in enumerate(groups):
            colour, marker = series(rank)
            for one in opinions:
                place = places[one.system] + (rank - (len(groups) - 1) / 2) * 0.3
                if one.mos.low is not None:
                    axes.plot([one.mos.low, one.mos.high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
                label = f"{name} {one.mos.value:.2f}" if len(groups) > 1 else f"{one.mos.value:.2f}"
                axes.plot(one.mos.value, place, marker=marker, color=colour, markersize=6.5, linestyle="none", clip_on=False)
                axes.text(SCALE[1] + 0.08, place, f"{label}  (n = {one.ratings})", va="center", fontsize=8)
        axes.set_yticks(range(len(places)), list(places))
        axes.set_ylim(len(places) - 0.4, -0.6)
        axes.set_xlim(SCALE[0] - 0.05, SCALE[1] + (2.0 if len(groups) > 1 else 0.9))
        axes.set_xticks(range(1, 6))
        axes.spines["bottom"].set_bounds(*SCALE)
        axes.grid(True, axis="x")
        axes.set_xlabel("mean opinion, 1 bad to 5 excellent", loc="left")

    rows = [{"system": one.system, "who": name, "mos": one.mos, "ratings": one.ratings} for name, opinions in groups for one in opinions]
    columns = (Column("system", "System"), Column("who", "By"), Column("mos", "Mean opinion", fmt=".2f"), Column("ratings", "Ratings"))
    height = 0.7 + len(places) * (0.16 + 0.19 * len(groups))
    return figure_box(draw(WIDTH_IN, height, paint), "Mean opinion of each system with its interval", caption, table(rows, columns))


def calibration_map(calibration: Calibration, rated: Sequence[Rated], *, caption: str = "") -> Fragment:
    """Left: clips by score and opinion, with the map. Right: what was predicted and what was said, before and after, in bins of clips."""

    def paint(figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
        dots = {"markersize": 4, "markerfacecolor": INK["fig-soft"], "markeredgecolor": INK["fig-1"], "markeredgewidth": 0.7}
        left.plot([one.score for one in rated], [one.opinion for one in rated], "o", **dots)
        left.plot(calibration.scores, calibration.opinions, color=INK["fig-2"], linewidth=2.0)
        left.set_title(f"map, {calibration.kind}")
        left.set_xlabel(f"score, {score_title(calibration.column)}")
        left.set_ylabel("mean opinion of the clip")
        right.plot(SCALE, SCALE, color=INK["rule"], linewidth=1.0, linestyle=(0, (4, 3)))
        for rank, (name, bins) in enumerate((("score as it is", calibration.reliability_before), ("calibrated", calibration.reliability_after))):
            colour, marker = series(rank)
            right.plot([one.predicted for one in bins], [one.said for one in bins], marker=marker, color=colour, linewidth=1.2, markersize=5, label=name)
        right.set_title("predicted against said, texts held out")
        right.set_xlabel("predicted opinion")
        right.legend(frameon=False, fontsize=8, loc="upper left")
        for axes in (left, right):
            axes.set_ylim(SCALE[0] - 0.1, SCALE[1] + 0.1)
            axes.grid(True)
        right.set_xlim(*_reach(calibration))

    rows = [
        {"which": name, "predicted": one.predicted, "said": one.said, "clips": one.clips}
        for name, bins in (("score as it is", calibration.reliability_before), ("calibrated", calibration.reliability_after))
        for one in bins
    ]
    columns = (Column("which", "Prediction"), Column("predicted", "Predicted", fmt=".2f"), Column("said", "Said", fmt=".2f"), Column("clips", "Clips"))
    alt = f"{score_title(calibration.column)}: score against opinion with the fitted map, and reliability before and after"
    return figure_box(draw(WIDTH_IN, 3.1, paint), alt, caption, table(rows, columns))


def _reach(calibration: Calibration) -> tuple[float, float]:
    """The scale, and as far beyond it as scores that are on no scale of 1 to 5 go."""
    found: list[Bin] = [*calibration.reliability_before, *calibration.reliability_after]
    return min(SCALE[0], *(one.predicted for one in found)) - 0.1, max(SCALE[1], *(one.predicted for one in found)) + 0.1
