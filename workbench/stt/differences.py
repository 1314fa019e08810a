"""Where a transcript differs from its reference: slots of words that stand against each other, grouped into regions between agreeing
words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workbench.text.stretches import Stretch, moved_right

#: Regions with more cells than this are paired by position: the audio says something else altogether.
_MOST_CELLS = 2_500
#: Costs of the pairing: a word against nothing, any difference, one word against two, and how far those may be apart.
_GAP_COST, _DIFFERENT, _GROUP, _GROUP_FAR = 0.7, 0.05, 0.1, 0.6
#: A word heard twice in a row against nothing.
ECHO_COST = 0.3
_STEPS = ((1, 1), (1, 0), (0, 1), (1, 2), (2, 1))


@dataclass(frozen=True, slots=True)
class Slot:
    """Reference words ``start:end`` against heard words ``heard_start:heard_end``; either side may be empty."""

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

    Equal words anchor the alignment; between anchors words are paired by sound. A dropped or added word that could stand in several places
    (one of two equal neighbours) is put in the last of them.
    """
    return [Region(tuple(_slots(reference, heard, *bounds))) for bounds in moved_right(_stretches(reference, heard), reference, heard)]


def _stretches(reference: Sequence[str], heard: Sequence[str]) -> list[Stretch]:
    found: list[Stretch] = []
    for code in _opcodes(reference, heard):
        if code.tag == "equal":
            continue
        if found and found[-1][1] == code.src_start and found[-1][3] == code.dest_start:
            found[-1] = (found[-1][0], code.src_end, found[-1][2], code.dest_end)
        else:
            found.append((code.src_start, code.src_end, code.dest_start, code.dest_end))
    return found


def agreements(reference: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Indices of the words on which both agree: (in the reference, in the hearing)."""
    both: list[tuple[int, int]] = []
    at, heard_at = 0, 0
    for a, b, c, d in [*moved_right(_stretches(reference, heard), reference, heard), (len(reference), 0, len(heard), 0)]:
        both += zip(range(at, a), range(heard_at, c), strict=True)
        at, heard_at = b, d
    return both


def _opcodes(reference: Sequence[str], heard: Sequence[str]):
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.opcodes(list(reference), list(heard))


def _slots(reference: Sequence[str], heard: Sequence[str], start: int, end: int, heard_start: int, heard_end: int) -> list[Slot]:
    said_twice = [_is_echo(heard, at) for at in range(heard_start, heard_end)]
    pairs = _pairs(reference[start:end], heard[heard_start:heard_end], said_twice)
    slots: list[Slot] = []
    at, heard_at = start, heard_start
    for takes_reference, takes_heard in pairs:
        slots.append(Slot(at, at + takes_reference, heard_at, heard_at + takes_heard))
        at, heard_at = at + takes_reference, heard_at + takes_heard
    return slots


def _is_echo(heard: Sequence[str], at: int) -> bool:
    """Whether a heard word sounds like the one before or after it: more likely said twice than said for another word of the text."""
    return any(_phones((heard[at],)) == _phones((heard[beside],)) for beside in (at - 1, at + 1) if 0 <= beside < len(heard))


def _pairs(reference: Sequence[str], heard: Sequence[str], said_twice: Sequence[bool]) -> list[tuple[int, int]]:
    """Cheapest alignment as steps (reference words taken, heard words taken), by the share of phones that differ; of equal costs, words
    are paired before they are dropped."""
    rows, columns = len(reference), len(heard)
    if rows * columns > _MOST_CELLS:
        shared = min(rows, columns)
        return [(1, 1)] * shared + [(1, 0)] * (rows - shared) + [(0, 1)] * (columns - shared)
    best: list[list[tuple[float, tuple[int, int]]]] = [[(0.0, (0, 0))] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows, -1, -1):
        for column in range(columns, -1, -1):
            options = [
                (_step_cost(reference, heard, said_twice, row, column, di, dj) + best[row + di][column + dj][0], -rank, (di, dj))
                for rank, (di, dj) in enumerate(_STEPS)
                if row + di <= rows and column + dj <= columns
            ]
            if options:
                cost, _, step = min(options, key=lambda option: (round(option[0], 9), -option[1]))
                best[row][column] = cost, step
    steps, row, column = [], 0, 0
    while row < rows or column < columns:
        step = best[row][column][1]
        steps.append(step)
        row, column = row + step[0], column + step[1]
    return steps


def _step_cost(reference: Sequence[str], heard: Sequence[str], said_twice: Sequence[bool], row: int, column: int, di: int, dj: int) -> float:
    if not di and said_twice[column]:
        return ECHO_COST
    return _cost(reference[row : row + di], heard[column : column + dj])


def _cost(given: Sequence[str], taken: Sequence[str]) -> float:
    from rapidfuzz.distance import Levenshtein

    if not given or not taken:
        return _GAP_COST
    if list(given) == list(taken):
        return 0.0
    far = Levenshtein.normalized_distance(_phones(tuple(given)), _phones(tuple(taken)))
    if len(given) == len(taken):
        return _DIFFERENT + far
    return _DIFFERENT + _GROUP + 2 * far if far <= _GROUP_FAR else 2 * _GAP_COST + 1.0


@lru_cache(maxsize=50_000)
def _phones(words: tuple[str, ...]) -> tuple[str, ...]:
    from workbench.text import pronunciations

    return tuple(phone for word in words for phone in (pronunciations(word) or ((word,),))[0])
