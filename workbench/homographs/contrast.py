"""What tells two pronunciations apart by ear: the phones that differ, and the kind of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.homographs.base import Kind, Reading
from workbench.text.phone_sets import VOWELS, bare
from workbench.text.phones import substitution_costs

_VOICED = {"P": "B", "T": "D", "K": "G", "F": "V", "TH": "DH", "S": "Z", "SH": "ZH", "CH": "JH"}
_VOICING_PAIRS = frozenset(frozenset(pair) for pair in _VOICED.items())
#: Vowels so close that speech at speed hardly keeps them apart where one of them is unstressed.
_WEAK_PAIRS = frozenset(frozenset(pair.split()) for pair in ("IY IH", "IH AH", "IH EH", "UW UH", "UH AH"))
_WEAK_VOWELS = frozenset({"AH", "IH", "UH", "IY"})
_GAP_COST = 1.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """How two pronunciations differ.

    Attributes:
        kind: see ``contrast_of``.
        pairs: the differing phones with stress, in order; an empty string where one side has no phone. Empty for ``stress_only``.
            ER counts as a vowel AH and R, so that "record" differs in its vowels alone.
    """

    kind: Kind
    pairs: tuple[tuple[str, str], ...]


def contrast_of(a: Reading, b: Reading) -> Contrast:
    """The contrast of the usual pronunciations of two readings."""
    return contrast(a.usual.phones, b.usual.phones)


def contrast(a: Sequence[str], b: Sequence[str]) -> Contrast:
    """The contrast of two pronunciations in ARPABET with stress.

    Kinds, the first that fits: ``stress_only`` the same phones; ``voicing`` only consonants that differ in voice (use); ``ate_ment`` only the vowel of a last
    syllable -ate or -ment, weak against full (separate); ``weak_reduction`` only vowels near each other, one of each pair unstressed (decrease); ``reduction`` only
    vowels, one of each pair weak and unstressed (object); ``vowel`` only vowels (lead); ``lexical`` anything more (resume).
    """
    left, right = _with_er_split(a), _with_er_split(b)
    pairs = tuple((x, y) for x, y in _aligned(left, right) if bare([x]) != bare([y]))
    return Contrast(_kind(pairs, left, right), pairs)


def _kind(pairs: Sequence[tuple[str, str]], a: Sequence[str], b: Sequence[str]) -> Kind:
    if not pairs:
        return "stress_only"
    names = [frozenset(bare(pair)) for pair in pairs]
    if all(pair in _VOICING_PAIRS for pair in names):
        return "voicing"
    if not all(pair <= VOWELS for pair in names):
        return "lexical"
    if len(pairs) == 1 and _is_ate_or_ment(pairs[0], a, b):
        return "ate_ment"
    if all(pair in _WEAK_PAIRS and "0" in x + y for pair, (x, y) in zip(names, pairs, strict=True)):
        return "weak_reduction"
    if all(any(p.endswith("0") and p[:-1] in _WEAK_VOWELS - {"IY"} for p in pair) for pair in pairs):
        return "reduction"
    return "vowel"


def _is_ate_or_ment(pair: tuple[str, str], a: Sequence[str], b: Sequence[str]) -> bool:
    """One pair, in the last syllable of both: AH T against EY T, or M AH N T against M EH N T."""
    weak, full = sorted(pair, key=lambda phone: not phone.endswith("0"))
    if bare([weak])[0] not in ("AH", "IH"):
        return False
    ends = tuple(tuple(bare(phones)) for phones in (a, b))
    if bare([full]) == ("EY",):
        return all(end[-1] == "T" and end[-2] in ("AH", "IH", "EY") for end in ends)
    return bare([full]) == ("EH",) and all(len(end) > 3 and end[-4] == "M" and end[-2:] == ("N", "T") for end in ends)


def _with_er_split(phones: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for phone in phones for part in ((f"AH{phone[2:]}", "R") if phone[:2] == "ER" else (phone,)))


def _aligned(a: Sequence[str], b: Sequence[str]) -> list[tuple[str, str]]:
    """The phones side by side; an empty string is a gap."""
    return [("" if i is None else a[i], "" if j is None else b[j]) for i, j in aligned_phones(a, b)]


def aligned_phones(a: Sequence[str], b: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Indices of the phones of two pronunciations side by side, at the least cost of edits; None is a gap."""
    costs, names_a, names_b = substitution_costs(), bare(a), bare(b)
    table = [[float(i + j) if not (i and j) else 0.0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i][j] = min(
                table[i - 1][j - 1] + costs[names_a[i - 1], names_b[j - 1]], table[i - 1][j] + _GAP_COST, table[i][j - 1] + _GAP_COST
            )
    pairs, i, j = [], len(a), len(b)
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + costs[names_a[i - 1], names_b[j - 1]]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and table[i][j] == table[i - 1][j] + _GAP_COST:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]
