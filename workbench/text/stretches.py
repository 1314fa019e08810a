"""Where a dropped or added word stands that could stand in several places: always in the last of them.

Two transcripts of the same audio must place the same word alike, or neither confirms the other.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Reference words ``a:b`` differ from heard words ``c:d`` (half-open; one side may be empty), as the tuple (a, b, c, d).
Stretch = tuple[int, int, int, int]


def moved_right(stretches: Sequence[Stretch], reference: Sequence[str], heard: Sequence[str]) -> list[Stretch]:
    """The same differences with every dropped or added word as far right as equal neighbours allow: who says a word twice says it again.

    A stretch that also holds other differences gives up the added (or dropped) words at its end that repeat in the agreeing words after it
    ("[sheep] for most" heard as "[shape for] for most" differs in "sheep" and has another "for" before "most"). The number of word edits
    stays as it is.

    Args:
        stretches: in order; the words between them are equal.
    """
    found = list(stretches)
    # What one difference gives up may meet the next one and make it a mixed one, which then gives up words of its own. Words only ever move right, so this ends.
    while (moved := _moved_once(found, reference, heard)) != found:
        found = moved
    return found


def _moved_once(stretches: Sequence[Stretch], reference: Sequence[str], heard: Sequence[str]) -> list[Stretch]:
    out: list[Stretch] = []
    for number, (a, b, c, d) in enumerate(stretches):
        limit = stretches[number + 1][0] if number + 1 < len(stretches) else len(reference)
        if out and out[-1][1] == a:  # the one before slid up to this one
            a, _, c, _ = out.pop()
        repeated = _repeated_at_end((a, b, c, d), limit, reference, heard)
        if repeated:
            start, heard_start = (b, d - repeated) if d - c > b - a else (b - repeated, d)
            out.append((a, start, c, heard_start))
            a, c = start, heard_start
        if a == b:
            while b < limit and heard[c] == heard[d]:
                b, c, d = b + 1, c + 1, d + 1
            a = b
        elif c == d:
            while b < limit and reference[a] == reference[b]:
                a, b, c = a + 1, b + 1, c + 1
            d = c
        out.append((a, b, c, d))
    return out


def _repeated_at_end(stretch: Stretch, limit: int, reference: Sequence[str], heard: Sequence[str]) -> int:
    """How many words at the end of a mixed stretch are added (dropped) words that the next agreeing word repeats."""
    a, b, c, d = stretch
    if a == b or c == d or b >= limit:
        return 0
    words, end = (heard, d) if d - c > b - a else (reference, b)
    # No more than the surplus of one side: what is left must still be as many edits as before.
    return next((count for count in range(1, abs((d - c) - (b - a)) + 1) if words[end - count] == words[end]), 0)
