"""Where a transcript differs from its reference: slots of one reference word at most, grouped into regions between agreeing words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Regions with more cells than this are paired by position: the audio says something else altogether.
_MOST_CELLS = 2_500
_GAP_COST = 0.55


@dataclass(frozen=True, slots=True)
class Slot:
    """Reference words ``start:end`` (none or one) against heard words ``heard_start:heard_end`` (none or more)."""

    start: int
    end: int
    heard_start: int
    heard_end: int


@dataclass(frozen=True, slots=True)
class Region:
    """Neighbouring slots; the words before and after it agree, or it ends where the clip does."""

    slots: tuple[Slot, ...]

    @property
    def start(self) -> int:
        return self.slots[0].start

    @property
    def end(self) -> int:
        return self.slots[-1].end

    @property
    def heard_start(self) -> int:
        return self.slots[0].heard_start

    @property
    def heard_end(self) -> int:
        return self.slots[-1].heard_end


def regions(reference: Sequence[str], heard: Sequence[str]) -> list[Region]:
    """The places where ``heard`` differs from ``reference``, in order.

    Equal words anchor the alignment; between anchors words are paired by phone distance.
    """
    found: list[list[int]] = []
    for code in _opcodes(reference, heard):
        if code.tag == "equal":
            continue
        if found and found[-1][1] == code.src_start and found[-1][3] == code.dest_start:
            found[-1][1], found[-1][3] = code.src_end, code.dest_end
        else:
            found.append([code.src_start, code.src_end, code.dest_start, code.dest_end])
    return [Region(tuple(_slots(reference, heard, *bounds))) for bounds in found]


def agreements(reference: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Indices of the words on which both agree: (in the reference, in the hearing)."""
    return [
        (code.src_start + step, code.dest_start + step)
        for code in _opcodes(reference, heard)
        if code.tag == "equal"
        for step in range(code.src_end - code.src_start)
    ]


def _opcodes(reference: Sequence[str], heard: Sequence[str]):
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.opcodes(list(reference), list(heard))


def _slots(reference: Sequence[str], heard: Sequence[str], start: int, end: int, heard_start: int, heard_end: int) -> list[Slot]:
    pairs = _pairs(reference[start:end], heard[heard_start:heard_end])
    slots: list[Slot] = []
    at, heard_at = start, heard_start
    for takes_reference, takes_heard in pairs:
        slots.append(Slot(at, at + takes_reference, heard_at, heard_at + takes_heard))
        at, heard_at = at + takes_reference, heard_at + takes_heard
    return slots


def _pairs(reference: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Cheapest alignment as steps (reference words taken, heard words taken); substitution costs by phone distance."""
    from workbench.text import word_distance

    rows, columns = len(reference), len(heard)
    if rows * columns > _MOST_CELLS:
        shared = min(rows, columns)
        return [(1, 1)] * shared + [(1, 0)] * (rows - shared) + [(0, 1)] * (columns - shared)
    cost = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows, -1, -1):
        for column in range(columns, -1, -1):
            options = []
            if row < rows and column < columns:
                options.append(word_distance([reference[row]], [heard[column]]) + cost[row + 1][column + 1])
            if row < rows:
                options.append(_GAP_COST + cost[row + 1][column])
            if column < columns:
                options.append(_GAP_COST + cost[row][column + 1])
            cost[row][column] = min(options, default=0.0)
    steps, row, column = [], 0, 0
    while row < rows or column < columns:
        here = cost[row][column]
        if row < rows and column < columns and here == word_distance([reference[row]], [heard[column]]) + cost[row + 1][column + 1]:
            step = (1, 1)
        elif row < rows and here == _GAP_COST + cost[row + 1][column]:
            step = (1, 0)
        else:
            step = (0, 1)
        steps.append(step)
        row, column = row + step[0], column + step[1]
    return steps
