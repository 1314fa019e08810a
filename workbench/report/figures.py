"""The report's figures.

Each says its numbers beside its marks, tells apart by shape and pattern as well as by hue, and carries its numbers as a table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.report.figure_parts import WIDTH_IN, empty, figure_box, percent_axis, series, voices_axis, whisker
from workbench.report.html import Column, Fragment, table
from workbench.report.svg import INK, draw
from workbench.report.verdict_style import in_order, style_of
from workbench.verdicts.base import Verdict


class Timed(Protocol):
    """One stage's own working time over the audio it worked on, such as ``scan.summaries.StageTime``.

    A cascade's later stages see fewer clips. ``rtfx`` is audio time per processing time, None where nothing was timed.
    """

    @property
    def stage(self) -> str: ...
    @property
    def sec(self) -> float: ...
    @property
    def audio_sec(self) -> float: ...
    @property
    def rtfx(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class YieldRow:
    """How many of a voice's clips a profile of thresholds keeps, with the bounds of the share where known."""

    voice: str
    profile: str
    kept: int
    total: int
    low: float | None = None
    high: float | None = None

    @property
    def share(self) -> float | None:
        return self.kept / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class RecallRow:
    """Planted errors of one kind: how many there were, how many were caught, bounds of the share."""

    kind: str
    caught: int
    planted: int
    low: float | None = None
    high: float | None = None

    @property
    def recall(self) -> float | None:
        return self.caught / self.planted if self.planted else None


@dataclass(frozen=True, slots=True)
class RocPoint:
    """False alarms (share of untouched words) and recall (share of planted errors) at one threshold.

    ``label`` names a point of its own, such as one engine alone.
    """

    false_alarm: float
    recall: float
    threshold: float | None = None
    label: str = ""


def verdict_breakdown(counts_per_voice: Mapping[str, Mapping[Verdict, int]], *, caption: str = "") -> Fragment:
    """Verdicts other than pass as a share of each voice's words, one panel per voice; insertions count where they carry a verdict."""
    voices = {voice: {Verdict(v): n for v, n in counts.items()} for voice, counts in counts_per_voice.items()}
    found = in_order({v for counts in voices.values() for v, n in counts.items() if n and v is not Verdict.PASS})
    if not voices or not found:
        return empty("Every word passed.") if voices else empty("No words to show.")
    columns = min(len(voices), 3)
    rows = math.ceil(len(voices) / columns)
    widest = max(counts.get(v, 0) / max(1, sum(counts.values())) for counts in voices.values() for v in found)

    def paint(figure) -> None:
        grid = figure.subplots(rows, columns, sharey=True, sharex=True, squeeze=False).ravel()
        for axes, (voice, counts) in zip(grid, voices.items(), strict=False):
            total = max(1, sum(counts.values()))
            for place, verdict in enumerate(found):
                share, style = 100 * counts.get(verdict, 0) / total, style_of(verdict)
                colour = INK[f"v-{style.family.name}"]
                axes.barh(
                    place,
                    share,
                    height=0.62,
                    facecolor=colour if not style.family.hatch else "none",
                    edgecolor=colour,
                    hatch=style.family.hatch,
                )
                axes.text(
                    share + widest * 2,
                    place,
                    f"{share:.1f}% ({counts.get(verdict, 0):,})" if counts.get(verdict) else "0",
                    va="center",
                    fontsize=8,
                )
            axes.set_title(f"{voice}\npass {counts.get(Verdict.PASS, 0) / total:.1%} of {total:,}")
            axes.set_xlim(0, widest * 150 + 0.01)
            axes.set_yticks(range(len(found)), [f"{style_of(v).label} {style_of(v).symbol}" for v in found])
            axes.set_ylim(len(found) - 0.4, -0.6)
            axes.set_xlabel("share of words (%)")
        for axes in grid[len(voices) :]:
            axes.set_visible(False)

    table_rows = [{"voice": voice, **{v.value: counts.get(v, 0) for v in [Verdict.PASS, *found]}} for voice, counts in voices.items()]
    columns_shown = [Column("voice", "Voice"), *(Column(v.value, style_of(v).label, fmt=",d") for v in [Verdict.PASS, *found])]
    return figure_box(
        draw(WIDTH_IN + 0.6, rows * (0.9 + 0.24 * len(found)) + 0.15, paint),
        "Verdicts other than pass, share of words per voice",
        caption,
        table(table_rows, columns_shown),
        width_in=WIDTH_IN + 0.6,
    )


def yields(rows: Sequence[YieldRow], *, caption: str = "", names: tuple[str, str] = ("voice", "profile")) -> Fragment:
    """Share of clips each profile keeps, per voice; one shape and hue per profile, bounds where given. ``names`` is what a voice and a profile are called."""
    shown = [row for row in rows if row.total]
    if not shown:
        return empty("No clips to show.")
    voices, profiles = list(dict.fromkeys(r.voice for r in shown)), list(dict.fromkeys(r.profile for r in shown))

    def paint(figure) -> None:
        axes = figure.subplots()
        step = 0.66 / max(1, len(profiles))
        for row in shown:
            rank = profiles.index(row.profile)
            colour, marker = series(rank)
            place = voices.index(row.voice) + (rank - (len(profiles) - 1) / 2) * step
            whisker(axes, place, row.share, row.low, row.high, colour, marker)
            axes.text(101.5, place, f"{row.profile} {row.share:.0%}  ({row.kept} of {row.total})", va="center", fontsize=8)
        voices_axis(axes, voices)
        percent_axis(axes, "clips kept (%)")

    columns = (
        Column("voice", names[0].capitalize()),
        Column("profile", names[1].capitalize()),
        Column("kept", "Kept"),
        Column("total", "Clips"),
        Column("share", "Share", fmt=".1%"),
        Column("low", "Low", fmt=".1%"),
        Column("high", "High", fmt=".1%"),
    )
    height = 0.7 + len(voices) * (0.12 + 0.19 * len(profiles))
    return figure_box(draw(WIDTH_IN, height, paint), f"Share of clips kept per {names[0]} and {names[1]}", caption, table(shown, columns))


def stage_times(stages: Sequence[Timed], *, caption: str = "") -> Fragment:
    """Working seconds per stage with the real-time factor RTFx (audio time per processing time) beside each bar."""
    if not stages:
        return empty("No stage was timed.")
    longest = max(s.sec for s in stages) or 1.0

    def paint(figure) -> None:
        axes = figure.subplots()
        for place, stage in enumerate(stages):
            axes.barh(place, stage.sec, height=0.6, color=INK["fig-1"])
            factor = f"RTFx {speed(stage.rtfx)}×" if stage.rtfx is not None else "not timed"
            axes.text(stage.sec + longest * 0.015, place, f"{_seconds(stage.sec)}   {factor}", va="center", fontsize=8.5)
        axes.set_yticks(range(len(stages)), [s.stage for s in stages])
        axes.set_ylim(len(stages) - 0.4, -0.6)
        axes.set_xlim(0, longest * 1.4)
        axes.set_xlabel("engine working time (s)")

    columns = (
        Column("stage", "Stage"),
        Column("sec", "Working time", "s", ".2f"),
        Column("audio_sec", "Audio", "s", ".1f"),
        Column("rtfx", "RTFx", "×", speed),
    )
    return figure_box(
        draw(WIDTH_IN, 0.65 + 0.3 * len(stages), paint), "Working time and real-time factor per stage", caption, table(stages, columns)
    )


def recall_by_kind(rows: Sequence[RecallRow], *, target: float | None = None, caption: str = "") -> Fragment:
    """Recall of planted errors per kind with its interval; ``target`` draws a line."""
    shown = [row for row in rows if row.planted]
    if not shown:
        return empty("No errors were planted.")

    def paint(figure) -> None:
        axes = figure.subplots()
        for place, row in enumerate(shown):
            whisker(axes, place, row.recall, row.low, row.high, INK["fig-1"], "o")
            axes.text(101.5, place, f"{row.recall:.0%}  ({row.caught} of {row.planted})", va="center", fontsize=8.5)
        if target is not None:
            axes.axvline(100 * target, color=INK["fig-2"], linewidth=1.1, linestyle=(0, (4, 3)))
            axes.text(100 * target - 0.8, -0.62, f"target {target:.0%}", fontsize=8, color=INK["fig-2"], va="bottom", ha="right")
        axes.set_yticks(range(len(shown)), [row.kind.replace("_", " ") for row in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        percent_axis(axes, "planted errors caught (%)")

    columns = (
        Column("kind", "Kind"),
        Column("caught", "Caught"),
        Column("planted", "Planted"),
        Column("recall", "Recall", fmt=".1%"),
        Column("low", "Low", fmt=".1%"),
        Column("high", "High", fmt=".1%"),
    )
    return figure_box(draw(WIDTH_IN, 0.75 + 0.3 * len(shown), paint), "Recall of planted errors by kind", caption, table(shown, columns))


def roc(
    points: Sequence[RocPoint], operating_point: RocPoint | None = None, *, others: Sequence[RocPoint] = (), caption: str = ""
) -> Fragment:
    """Recall against false alarms over the thresholds, with the operating point.

    ``others`` are single points to compare with, such as one recogniser alone.
    """
    line = sorted(points, key=lambda p: (p.false_alarm, p.recall))
    marked = [*([operating_point] if operating_point else []), *others]
    if not line and not marked:
        return empty("No thresholds to show.")

    def paint(figure) -> None:
        axes = figure.subplots()
        axes.plot(
            [100 * p.false_alarm for p in line], [100 * p.recall for p in line], color=INK["fig-1"], linewidth=1.8, marker=".", markersize=5
        )
        for rank, point in enumerate(marked):
            chosen = operating_point is not None and rank == 0
            colour, marker = (INK["fig-2"], "*") if chosen else series(rank + 1 - (operating_point is not None) + 1)
            axes.plot(
                100 * point.false_alarm, 100 * point.recall, marker=marker, markersize=13 if chosen else 7, color=colour, linestyle="none"
            )
            name = point.label or ("operating point" if chosen else "")
            axes.annotate(
                f"{name}\n{point.recall:.1%} at {point.false_alarm:.2%}",
                (100 * point.false_alarm, 100 * point.recall),
                xytext=(9, -6),
                textcoords="offset points",
                va="top",
                fontsize=8,
            )
        everything = [*line, *marked]
        axes.set_xlim(0, 128 * max(max(p.false_alarm for p in everything), 0.005))
        lowest = min(p.recall for p in everything)
        axes.set_ylim(max(0.0, 100 * lowest - 12), 101.5)
        axes.grid(True)
        axes.tick_params(axis="y", labelcolor=INK["muted"])
        axes.set_xlabel("false alarms (% of untouched words)")
        axes.set_ylabel("recall (% of planted errors)")

    rows = [
        {
            "label": p.label or ("operating point" if p is operating_point else ""),
            "threshold": p.threshold,
            "recall": p.recall,
            "false_alarm": p.false_alarm,
        }
        for p in [*marked, *(p for p in line if p is not operating_point)]
    ]
    columns = (
        Column("threshold", "Threshold", fmt=".3g"),
        Column("recall", "Recall", fmt=".1%"),
        Column("false_alarm", "False alarms", fmt=".2%"),
        Column("label", "Point"),
    )
    return figure_box(draw(6.4, 3.6, paint), "Recall against false alarms over the thresholds", caption, table(rows, columns), width_in=6.4)


def _seconds(sec: float) -> str:
    return f"{sec:.0f} s" if sec >= 100 else f"{sec:.1f} s" if sec >= 1 else f"{1000 * sec:.0f} ms"


def speed(rtfx: Any) -> str:
    """A real-time factor as it is written."""
    return f"{rtfx:,.0f}" if rtfx >= 100 else f"{rtfx:.1f}"
