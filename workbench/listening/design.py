"""Who hears what, on which side and when: designs that are balanced over listeners, and shuffled within each.

Listeners fill numbered slots. Over one cycle of slots every text is heard with every system (or pair, on either side) equally often: a Latin square of
texts and slots. Fewer trials than there are texts take a window of them, which moves on from cycle to cycle. The order of systems within a block follows
the rows of a Williams square (Williams 1949): every system stands at every place, and follows every other, equally often.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Heard:
    """Systems (as indices) that are heard with one text: one for MOS; left, right for AB; left, right and X for ABX."""

    text: int
    systems: tuple[int, ...]


def williams_square(size: int) -> list[tuple[int, ...]]:
    """Rows of 0 .. size-1; ``size`` rows when that is even, twice as many when it is odd."""
    first = [0]
    for step in range(1, size):
        first.append((step + 1) // 2 if step % 2 else size - step // 2)
    rows = [tuple((place + shift) % size for place in first) for shift in range(size)]
    return rows if size % 2 == 0 or size == 1 else rows + [row[::-1] for row in rows]


def pairs_of(systems: int, *, baseline: int | None = None) -> list[tuple[int, int]]:
    """All pairs of systems, or those with the baseline alone."""
    return [pair for pair in combinations(range(systems), 2) if baseline is None or baseline in pair]


def mos_design(*, texts: int, systems: int, trials: int, slot: int, seed: int) -> list[Heard]:
    """Single clips for the listener in ``slot``, at most ``trials`` and never the same clip twice.

    A listener hears every text once before any text again. A cycle is ``systems`` slots.
    """
    cycle, row = divmod(slot, systems)
    trials = min(trials, texts * systems)
    orders, rng, heard = williams_square(systems), random.Random(f"mos/{seed}/{slot}"), []
    for turn in range(-(-trials // texts)):
        own = [
            Heard((place + cycle * trials) % texts, ((place + row + turn) % systems,)) for place in range(min(texts, trials - turn * texts))
        ]
        blocks = [own[start : start + systems] for start in range(0, len(own), systems)]
        for number, block in enumerate(blocks):
            order = orders[(row + number + turn) % len(orders)]
            block.sort(key=lambda one: order.index(one.systems[0]))
        rng.shuffle(blocks)
        heard += [one for block in blocks for one in block]
    return heard


def pair_design(*, texts: int, pairs: list[tuple[int, int]], trials: int, slot: int, seed: int, with_x: bool = False) -> list[Heard]:
    """Pairs of clips for the listener in ``slot``, at most ``trials`` and never the same pair of clips twice.

    A cycle is two slots for each pair, four ``with_x``: every text with every pair on both sides (and with both as X) equally often.
    """
    size, most = len(pairs), texts * len(pairs)
    trials = min(trials, most)
    round_of, row = divmod(slot, size)
    cycle = slot // (size * (4 if with_x else 2))
    rng, heard = random.Random(f"{'abx' if with_x else 'ab'}/{seed}/{slot}"), []
    for turn in range(-(-trials // texts)):
        own = []
        for place in range(min(texts, trials - turn * texts)):
            left, right = pairs[(place + row + turn) % size]
            # Within a listener a pair changes sides from one of its texts to the next, and no system keeps to a side.
            if (place + (0 if size % 2 else place // size) + round_of) % 2:
                left, right = right, left
            x = ((left, right)[(place // 2 + slot // (2 * size)) % 2],) if with_x else ()
            own.append(Heard((place + cycle * trials) % texts, (left, right, *x)))
        rng.shuffle(own)
        heard += own
    return heard
