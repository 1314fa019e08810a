"""Figures of the homograph calibration report: how sure the text model is and how right, what each kind of contrast can be told by, what knowing a voice brings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.homographs.adaptation import AdaptationPoint
from workbench.homographs.reading_figures import ReadingFigures
from workbench.report.figure_parts import WIDTH_IN, empty, figure_box, series
from workbench.report.html import Column, Fragment, table
from workbench.report.svg import INK, draw
from workbench.stats import proportion


@dataclass(frozen=True, slots=True)
class KindRoc:
    """One kind of contrast: its curve (share of right trials flagged, share of wrong ones), the point that the bounds give, the area, the numbers of trials."""

    kind: str
    curve: Sequence[tuple[float, float]]
    point: tuple[float, float] | None
    area: float | None
    right: int
    wrong: int


def text_model(found: ReadingFigures, *, caption: str = "") -> Fragment:
    """Left: probability of the likeliest reading against how often it was right. Right: what abstaining below a probability leaves, and how right that is."""
    bars = [(mean, proportion(round(share * count), count), count) for _, _, count, mean, share in found.reliability]
    curve = [(edge, coverage, accuracy) for edge, coverage, accuracy in found.curve if accuracy is not None]

    def paint(figure) -> None:
        left, right = figure.subplots(1, 2)
        low = min([100 * mean for mean, _, _ in bars] + [100 * estimate.low for _, estimate, _ in bars])
        left.plot([low, 100], [low, 100], color=INK["rule"], linewidth=1.0, linestyle=(0, (4, 3)))
        for mean, estimate, _ in bars:
            left.plot([100 * mean] * 2, [100 * estimate.low, 100 * estimate.high], color=INK["fig-1"], linewidth=1.4, solid_capstyle="butt")
        left.plot([100 * mean for mean, *_ in bars], [100 * estimate.value for _, estimate, _ in bars], "o", color=INK["fig-1"], markersize=5.5)
        left.set_title("as right as it is sure?")
        left.set_xlabel("probability of the likeliest reading (%)")
        left.set_ylabel("right (%)")
        right.plot([100 * coverage for _, coverage, _ in curve], [100 * accuracy for *_, accuracy in curve], color=INK["fig-1"], linewidth=1.6, marker="o", markersize=4.5)
        for rank, (edge, coverage, accuracy) in enumerate(curve):
            right.annotate(f"p ≥ {edge:g}", (100 * coverage, 100 * accuracy), xytext=(4, 5 if rank % 2 else -11), textcoords="offset points", fontsize=7.5, color=INK["muted"])
        right.set_title("answers that are left, and how right")
        right.set_xlabel("answered (%)")
        right.set_ylabel("right among them (%)")
        right.margins(x=0.16, y=0.16)
        for axes in (left, right):
            axes.grid(True)

    rows = [{"range": f"{low:g} to {high:g}", "items": count, "mean": mean, "right": estimate} for (low, high, *_), (mean, estimate, count) in zip(found.reliability, bars, strict=True)]
    sure = [{"range": f"at least {edge:g}", "items": round(coverage * found.items), "mean": coverage, "right": accuracy} for edge, coverage, accuracy in found.curve]
    numbers = Fragment(
        table(rows, [Column("range", "Probability"), Column("items", "Answers", fmt=",d"), Column("mean", "Mean probability", fmt=".1%"), Column("right", "Right", fmt=".1%")]).html
        + table(sure, [Column("range", "Probability"), Column("items", "Answers", fmt=",d"), Column("mean", "Share of all", fmt=".1%"), Column("right", "Right", fmt=".1%")]).html
    )
    return figure_box(draw(WIDTH_IN, 3.1, paint), "Reliability of the text model's probabilities, and accuracy of the answers left by abstaining", caption, numbers)


def roc_by_kind(kinds: Sequence[KindRoc], *, caption: str = "") -> Fragment:
    """One panel per kind: wrong readings found against right ones flagged over all bounds, and the bounds that were chosen."""
    shown = [one for one in kinds if one.curve]
    if not shown:
        return empty("No kind has right and wrong trials that could be weighed.")
    columns = min(4, len(shown))
    rows = math.ceil(len(shown) / columns)

    def paint(figure) -> None:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, one in zip(grid, shown, strict=False):
            axes.plot([0, 100], [0, 100], color=INK["rule"], linewidth=1.0, linestyle=(0, (4, 3)))
            axes.plot([100 * alarm for alarm, _ in one.curve], [100 * hit for _, hit in one.curve], color=INK["fig-1"], linewidth=1.7)
            if one.point:
                axes.plot(100 * one.point[0], 100 * one.point[1], "*", color=INK["fig-2"], markersize=12, markeredgewidth=0)
            below = f"area {one.area:.3f}\n{one.right} right, {one.wrong} wrong" + ("" if one.point else "\nnot decided")
            axes.text(98, 6, below, ha="right", va="bottom", fontsize=7.5)
            axes.set_title(one.kind)
            axes.set_xlim(-3, 103)
            axes.set_ylim(-3, 103)
            axes.set_xticks((0, 50, 100))
            axes.set_yticks((0, 50, 100))
            axes.grid(True)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        figure.supxlabel("right readings flagged (%)", fontsize=9)
        figure.supylabel("wrong readings found (%)", fontsize=9)

    rows_shown = [
        {"kind": one.kind, "alarm": one.point and one.point[0], "hit": one.point and one.point[1], "area": one.area, "right": one.right, "wrong": one.wrong} for one in shown
    ]
    heads = (
        Column("kind", "Kind"), Column("alarm", "Right flagged", fmt=".1%"), Column("hit", "Wrong found", fmt=".1%"), Column("area", "Area", fmt=".3f"),
        Column("right", "Right trials", fmt=",d"), Column("wrong", "Wrong trials", fmt=",d"),
    )  # fmt: skip
    return figure_box(draw(WIDTH_IN, 0.4 + 1.9 * rows, paint), "Wrong readings found against right ones flagged, per kind of contrast", caption, table(rows_shown, heads))


def adaptation(points: Sequence[AdaptationPoint], *, caption: str = "") -> Fragment:
    """Two-way accuracy over the number of utterances of each reading that are known of the voice."""
    if not points:
        return empty("Too few utterances per voice for a curve of adaptation.")
    groups: Mapping[float, list[AdaptationPoint]] = {share: [p for p in points if p.wrong_share == share] for share in sorted({p.wrong_share for p in points})}
    places = sorted({point.utterances for point in points})
    names = {share: "all of them said rightly" if not share else f"{share:.0%} of them said wrongly" for share in groups}

    def paint(figure) -> None:
        axes = figure.subplots()
        for rank, (share, own) in enumerate(groups.items()):
            colour, marker = series(rank)
            beside = (rank - (len(groups) - 1) / 2) * 0.1
            at = [places.index(point.utterances) + beside for point in own]
            for place, point in zip(at, own, strict=True):
                axes.plot([place, place], [100 * point.two_way.low, 100 * point.two_way.high], color=colour, linewidth=1.3, solid_capstyle="butt")
            axes.plot(at, [100 * point.two_way.value for point in own], color=colour, marker=marker, markersize=5.5, linewidth=1.4, label=names[share])
        axes.set_xticks(range(len(places)), [f"{place}" for place in places])
        axes.set_xlabel("other utterances known of the voice, for each reading and kind of contrast")
        axes.set_ylabel("told right from wrong (%)")
        axes.grid(True, axis="y")
        axes.legend(frameon=False, fontsize=8, loc="lower right")

    rows = [{"n": point.utterances, "which": names[point.wrong_share], "two_way": point.two_way} for point in points]
    columns = (Column("n", "Utterances"), Column("which", "Of which"), Column("two_way", "Told right from wrong", fmt=".1%"))
    return figure_box(draw(6.4, 3.2, paint), "Two-way accuracy against utterances known of the voice", caption, table(rows, columns), width_in=6.4)
