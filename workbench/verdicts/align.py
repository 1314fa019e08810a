"""Which heard word belongs to which reference word, first step: where the two sides differ.

Levenshtein over words (``rapidfuzz``, C++) finds the stretches where they do; ``pairing`` then pairs the words inside each stretch by
their sound. Plain word edits are counted by the first step alone and equal those of ``jiwer``.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from workbench.text.stretches import Stretch, moved_right
from workbench.verdicts.base import EditCounts

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million billion trillion dozen"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth "
    "hundredth thousandth millionth"
)
_PARTS = "oh o point half halves quarter quarters percent nil nought minus double triple"
NUMBER_WORDS = frozenset(f"{_UNITS} {_TENS} {_ORDINALS} {_PARTS}".split())
#: Belong to a number or date when one of its words follows: "a hundred", "the fifth of may".
NUMBER_JOINERS = frozenset(("and", "a", "an", "the", "of"))


def align_words(reference: Sequence[str], heard: Sequence[str]) -> tuple[EditCounts, list[Stretch]]:
    """Plain word edits, and the stretches where the two sides differ.

    Returns:
        The counts (those of ``jiwer.process_words``) and the differing stretches in order; everything between them is equal word for
        word. A dropped or extra word that could stand in several places (one of two equal neighbours) is put in the last of them: who
        says a word twice says it again.
    """
    if reference == heard:
        return EditCounts(len(reference), 0, 0, 0), []
    substituted = deleted = inserted = 0
    stretches: list[Stretch] = []
    a, b, c, d = -1, -1, -1, -1
    for tag, i, j in Levenshtein.editops(reference, heard).as_list():
        if i != b or j != d:
            if b >= 0:
                stretches.append((a, b, c, d))
            a, b, c, d = i, i, j, j
        if tag == "replace":
            substituted += 1
            b += 1
            d += 1
        elif tag == "delete":
            deleted += 1
            b += 1
        else:
            inserted += 1
            d += 1
    stretches.append((a, b, c, d))
    if deleted or inserted:
        stretches = moved_right(stretches, reference, heard)
    return EditCounts(len(reference) - substituted - deleted, substituted, deleted, inserted), stretches


def widen_numbers(stretches: list[Stretch], reference: Sequence[str], heard: Sequence[str], units: Sequence[int] | None) -> list[Stretch]:
    """Stretches widened to whole numbers and whole written forms: "nineteen [hundred] five" can only be weighed against "nineteen [oh]
    five" in full.

    Args:
        units: per reference word the number of the written form it shares with others ("$3.50" is five words), -1 for none; None when no
            word has one.
    """
    if not units and NUMBER_WORDS.isdisjoint(reference) and NUMBER_WORDS.isdisjoint(heard):
        return stretches
    out: list[Stretch] = []
    for number, (a, b, c, d) in enumerate(stretches):
        if _touches_number(a, b, c, d, reference, heard, units):
            low = out[-1][1] if out else 0
            high = stretches[number + 1][0] if number + 1 < len(stretches) else len(reference)
            while a > low and (reference[a - 1] in NUMBER_WORDS or (units and units[a - 1] >= 0)):
                a, c = a - 1, c - 1
            while b < high and (reference[b] in NUMBER_WORDS or (units and units[b] >= 0)):
                b, d = b + 1, d + 1
        if out and out[-1][1] >= a:
            a, _, c, _ = out.pop()
        out.append((a, b, c, d))
    return out


def _touches_number(a: int, b: int, c: int, d: int, reference: Sequence[str], heard: Sequence[str], units: Sequence[int] | None) -> bool:
    inside = (*reference[a:b], *heard[c:d])
    if not NUMBER_WORDS.isdisjoint(inside):
        return True
    if units and (any(u >= 0 for u in units[a:b]) or (0 < a == b < len(units) and units[a - 1] == units[b] >= 0)):
        return True
    beside = reference[max(0, a - 1) : a] + reference[b : b + 1]
    return not NUMBER_JOINERS.isdisjoint(inside) and not NUMBER_WORDS.isdisjoint(beside)
