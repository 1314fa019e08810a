"""What the figures share: their box with the numbers under it, axes and marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.report.html import Fragment, escape
from workbench.report.svg import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN = 7.4
_PX_PER_IN = 96
_COLOURS = ("fig-1", "fig-2", "fig-3", "fig-4")
#: One more than there are colours, so that a fifth series is no second first.
_MARKERS = ("o", "s", "^", "D", "v")


def figure_box(svg: str, alt: str, caption: str, numbers: Fragment, *, width_in: float = WIDTH_IN) -> Fragment:
    said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    return Fragment(
        f'<figure class="wb wb-figure" style="--w:{width_in * _PX_PER_IN:.0f}px">'
        f'<div class="wb-scroll" role="region" aria-label="{escape(alt)}">{svg}</div>{said}'
        f'<details class="wb-more"><summary>The numbers</summary>{numbers.html}</details></figure>'
    )


def empty(sentence: str) -> Fragment:
    return Fragment(f'<p class="wb wb-note">{escape(sentence)}</p>')


def series(rank: int) -> tuple[str, str]:
    return INK[_COLOURS[rank % len(_COLOURS)]], _MARKERS[rank % len(_MARKERS)]


def whisker(axes: Axes, place: float, share: float, low: float | None, high: float | None, colour: str, marker: str) -> None:
    if low is not None and high is not None:
        axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot(100 * share, place, marker=marker, color=colour, markersize=6.5, linestyle="none", clip_on=False)


def voices_axis(axes: Axes, voices: Sequence[str]) -> None:
    axes.set_yticks(range(len(voices)), voices)
    # A mark at nought would stand on the names.
    axes.tick_params(axis="y", pad=9)
    axes.set_ylim(len(voices) - 0.4, -0.6)


def percent_axis(axes: Axes, label: str) -> None:
    axes.set_xlim(0, 134)
    axes.set_xticks(range(0, 101, 20))
    axes.spines["bottom"].set_bounds(0, 100)
    axes.grid(True, axis="x")
    axes.set_xlabel(label, x=50 / 134)
