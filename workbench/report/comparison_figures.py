"""Figures of a comparison: estimates with their intervals, a heat map of categories, a matrix of correlations, a Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from workbench.report.figure_parts import WIDTH_IN, empty, figure_box, series
from workbench.report.html import Column, Fragment, table
from workbench.report.svg import INK, draw
from workbench.stats import Correlations, Direction, Estimate

#: Shade of the strongest cell: text on it stays readable in light and in dark.
_DEEPEST = 0.5


@dataclass(frozen=True, slots=True)
class Shown:
    """A metric as a figure shows it. ``factor`` and ``digits`` make the number that is written: 100 and 1 for shares."""

    name: str
    title: str
    direction: Direction
    factor: float = 1.0
    digits: int = 2
    unit: str = ""

    def scaled(self, estimate: Estimate) -> Estimate:
        """The estimate in the unit that is written."""
        value, low, high = (None if x is None else self.factor * x for x in (estimate.value, estimate.low, estimate.high))
        return Estimate(value, low, high, estimate.n)

    def column(self, key: str) -> Column:
        """A column of values that are in the unit that is written."""
        return Column(key, self.axis, fmt=f".{self.digits}f")

    def text(self, value: float | None) -> str:
        return "–" if value is None else f"{self.factor * value:.{self.digits}f}"

    @property
    def axis(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


def intervals(estimates: Mapping[tuple[str, str], Estimate], systems: Sequence[str], metrics: Sequence[Shown], *, caption: str = "") -> Fragment:
    """Every system's estimate on every metric with its interval, one panel per metric, the good end marked on its axis."""
    metrics = [m for m in metrics if any(estimates[s, m.name].value is not None for s in systems)]
    if not metrics or not systems:
        return empty("Nothing to show.")
    columns = min(3, len(metrics))
    rows = math.ceil(len(metrics) / columns)

    def paint(figure) -> None:
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, metric in zip(grid, metrics, strict=False):
            for place, system in enumerate(systems):
                _estimate(axes, place, estimates[system, metric.name], metric)
            axes.set_yticks(range(len(systems)), systems)
            axes.set_ylim(len(systems) - 0.4, -0.6)
            axes.grid(True, axis="x")
            axes.margins(x=0.12)
            _keep_shares(axes.get_xlim, axes.set_xlim, metric)
            axes.set_title(metric.title)
            axes.set_xlabel(f"{metric.unit}  ← better" if metric.direction is Direction.LOWER else f"better →  {metric.unit}")
        for axes in grid[len(metrics) :]:
            axes.set_visible(False)

    shown = [{"system": s, **{m.name: m.scaled(estimates[s, m.name]) for m in metrics}} for s in systems]
    numbers = table(shown, [Column("system", "System"), *(m.column(m.name) for m in metrics)])
    svg = draw(WIDTH_IN + 0.6, rows * (0.85 + 0.3 * len(systems)), paint)
    return figure_box(svg, "Each system on each metric, with intervals", caption, numbers, width_in=WIDTH_IN + 0.6)


def _keep_shares(limits, set_limits, metric: Shown) -> None:
    """An axis of shares ends a little beyond 0 and 100%, however wide the margins."""
    if metric.unit == "%":
        low, high = sorted(limits())
        pad = 0.03 * max(1.0, min(high, 100.0) - max(low, 0.0))
        set_limits(max(low, -pad), min(high, 100 + pad))


def _estimate(axes, place: int, estimate: Estimate, metric: Shown) -> None:
    if estimate.value is None:
        axes.text(0.5, place, "no value", transform=axes.get_yaxis_transform(), va="center", ha="center", fontsize=8, color=INK["muted"])
        return
    if estimate.low is not None:
        axes.plot([metric.factor * estimate.low, metric.factor * estimate.high], [place, place], color=INK["fig-1"], linewidth=1.6, solid_capstyle="butt")
    axes.plot(metric.factor * estimate.value, place, "o", color=INK["fig-1"], markersize=5.5)


def heat_map(
    values: Mapping[tuple[str, str], float | None], rows: Sequence[str], columns: Sequence[str], metric: Shown, *, counts: Mapping[str, int], caption: str = ""
) -> Fragment:
    """One metric by system (rows) and category (columns): darker is worse, the number in every cell.

    Args:
        values: (row, column) -> value.
        counts: prompts by column.
    """
    found = [value for value in values.values() if value is not None]
    if not found or not rows or not columns:
        return empty("No categories to show.")
    best, worst = (min(found), max(found)) if metric.direction is Direction.LOWER else (max(found), min(found))

    def paint(figure) -> None:
        axes = figure.subplots()
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                value = values.get((row, column))
                badness = 0.0 if value is None or worst == best else (value - best) / (worst - best)
                _cell(axes, x, y, metric.text(value), INK["fig-2"], _DEEPEST * badness)
        _matrix_axes(axes, [f"{column}\nn={counts.get(column, 0)}" for column in columns], rows)

    shown = [{"system": row, **{column: None if (v := values.get((row, column))) is None else metric.factor * v for column in columns}} for row in rows]
    numbers = table(shown, [Column("system", "System"), *(Column(column, column, fmt=f".{metric.digits}f") for column in columns)])
    width = max(4.0, 1.9 + 0.72 * len(columns))
    return figure_box(draw(width, 0.95 + 0.32 * len(rows), paint), f"{metric.axis} by system and category", caption, numbers, width_in=width)


def correlation_matrix(found: Correlations, titles: Mapping[str, str], *, kind: str = "pearson", caption: str = "") -> Fragment:
    """Coefficients of every two metrics with their intervals; blue goes with, orange against."""
    names = found.metrics
    if len(names) < 2:
        return empty("There are no two metrics to correlate.")
    estimates = getattr(found, kind)

    def paint(figure) -> None:
        axes = figure.subplots()
        for y, a in enumerate(names):
            for x, b in enumerate(names):
                if a == b:
                    _cell(axes, x, y, "", INK["fig-grid"], 1.0)
                    continue
                estimate = estimates[a, b]
                colour = INK["fig-1"] if (estimate.value or 0.0) >= 0 else INK["fig-2"]
                _cell(axes, x, y, _coefficient(estimate), colour, _DEEPEST * abs(estimate.value or 0.0))
        _matrix_axes(axes, [titles[name] for name in names], [titles[name] for name in names])

    shown = [
        {"a": titles[a], "b": titles[b], "r": estimates[a, b], "prompts": estimates[a, b].n, "clips": found.clips[a, b]} for a, b in combinations(names, 2)
    ]
    columns = (Column("a", "Metric"), Column("b", "With"), Column("r", "Coefficient", fmt="+.2f"), Column("prompts", "Prompts"), Column("clips", "Clips"))
    numbers = table(shown, columns)
    size = 1.5 + 0.95 * len(names)
    return figure_box(draw(size, 0.6 + 0.55 * len(names), paint), "Correlations of judges and other metrics", caption, numbers, width_in=size)


def _coefficient(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    bounds = "" if estimate.low is None else f"\n[{estimate.low:+.2f}, {estimate.high:+.2f}]"
    return f"{estimate.value:+.2f}{bounds}"


def _cell(axes, x: int, y: int, text: str, colour: str, alpha: float) -> None:
    axes.add_patch(_rectangle((x - 0.48, y - 0.46), 0.96, 0.92, colour, alpha))
    if text:
        axes.text(x, y, text, ha="center", va="center", fontsize=8, linespacing=1.35)


def _rectangle(corner: tuple[float, float], width: float, height: float, colour: str, alpha: float):
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, facecolor=colour, alpha=alpha, linewidth=0)


def _matrix_axes(axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), [_wrapped(column) for column in columns], fontsize=8)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelcolor=INK["ink"])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _wrapped(text: str, width: int = 13) -> str:
    first, newline, rest = text.partition("\n")
    if len(first) > width and " " in first:
        words = first.split(" ")
        middle = (len(words) + 1) // 2
        first = f"{' '.join(words[:middle])}\n{' '.join(words[middle:])}"
    return f"{first}{newline}{rest}"


#: Labels of points go round, so that two systems that lie together do not hide each other's names.
_LABELS = (((8, 7), "left"), ((-8, -14), "right"), ((-8, 7), "right"), ((8, -14), "left"))


@dataclass(frozen=True, slots=True)
class Point:
    """A system on two objectives; ``on_front`` of all objectives, not of these two alone."""

    system: str
    x: Estimate
    y: Estimate
    on_front: bool


def pareto(points: Sequence[Point], x: Shown, y: Shown, *, caption: str = "") -> Fragment:
    """Systems on two objectives with their intervals; full marks are on the Pareto front."""
    shown = [point for point in points if point.x.value is not None and point.y.value is not None]
    if not shown:
        return empty("No system has both values.")

    def paint(figure) -> None:
        axes = figure.subplots()
        ground = {"facecolor": INK["bg"], "alpha": 0.8, "edgecolor": "none", "pad": 0.6}
        for rank, point in enumerate(shown):
            colour, marker = series(rank)
            at = x.factor * point.x.value, y.factor * point.y.value
            if point.x.low is not None and point.y.low is not None:
                axes.plot([x.factor * point.x.low, x.factor * point.x.high], [at[1]] * 2, color=colour, linewidth=1.1)
                axes.plot([at[0]] * 2, [y.factor * point.y.low, y.factor * point.y.high], color=colour, linewidth=1.1)
            axes.plot(*at, marker=marker, color=colour, markersize=8, markerfacecolor=colour if point.on_front else "none", linestyle="none")
            offset, side = _LABELS[rank % len(_LABELS)]
            axes.annotate(point.system, at, xytext=offset, textcoords="offset points", fontsize=8.5, ha=side, bbox=ground)
        axes.margins(0.16)
        axes.grid(True)
        axes.tick_params(axis="y", labelcolor=INK["muted"])
        axes.set_xlabel(x.axis)
        axes.set_ylabel(y.axis)
        _keep_shares(axes.get_xlim, axes.set_xlim, x)
        _keep_shares(axes.get_ylim, axes.set_ylim, y)
        for shown_on, axis in ((x, axes.xaxis), (y, axes.yaxis)):
            if shown_on.direction is Direction.LOWER:
                axis.set_inverted(True)

    rows = [{"system": p.system, "x": x.scaled(p.x), "y": y.scaled(p.y), "front": p.on_front} for p in shown]
    numbers = table(rows, [Column("system", "System"), x.column("x"), y.column("y"), Column("front", "On the front")])
    return figure_box(draw(6.4, 3.7, paint), f"{y.title} against {x.title}", caption, numbers, width_in=6.4)
