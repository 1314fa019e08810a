"""How alike two stretches of speech sound: weighted edit distance over ARPABET phones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType

#: ARPABET phone -> the articulations it starts and ends with, as rows of ``phone_features.tsv``.
ARTICULATIONS = MappingProxyType({
    "AA": ("ɑ", "ɑ"), "AE": ("æ", "æ"), "AH": ("ʌ", "ʌ"), "AO": ("ɔ", "ɔ"), "AW": ("a", "ʊ"), "AY": ("a", "ɪ"),
    "EH": ("ɛ", "ɛ"), "ER": ("ɜ", "ɹ"), "EY": ("e", "ɪ"), "IH": ("ɪ", "ɪ"), "IY": ("i", "i"), "OW": ("o", "ʊ"),
    "OY": ("ɔ", "ɪ"), "UH": ("ʊ", "ʊ"), "UW": ("u", "u"),
    "B": ("b", "b"), "CH": ("t͡ʃ", "t͡ʃ"), "D": ("d", "d"), "DH": ("ð", "ð"), "F": ("f", "f"), "G": ("ɡ", "ɡ"),
    "HH": ("h", "h"), "JH": ("d͡ʒ", "d͡ʒ"), "K": ("k", "k"), "L": ("l", "l"), "M": ("m", "m"), "N": ("n", "n"),
    "NG": ("ŋ", "ŋ"), "P": ("p", "p"), "R": ("ɹ", "ɹ"), "S": ("s", "s"), "SH": ("ʃ", "ʃ"), "T": ("t", "t"),
    "TH": ("θ", "θ"), "V": ("v", "v"), "W": ("w", "w"), "Y": ("j", "j"), "Z": ("z", "z"), "ZH": ("ʒ", "ʒ"),
})
PHONES = tuple(ARTICULATIONS)

#: A word sequence is compared under at most this many of its pronunciations.
_MAX_READINGS = 16
#: Raw feature distances at or above this quantile of all phone pairs count as "nothing in common".
_FULL_COST_QUANTILE = 0.75
#: Least cost of taking one phone for another.
_CONTRAST = 0.2


@lru_cache(maxsize=1)
def substitution_costs() -> dict[tuple[str, str], float]:
    """Cost in 0..1 of hearing one phone for another, for every pair of ``PHONES``.

    Articulatory features and their weights are those of panphon (Mortensen et al., COLING 2016): the weighted share of features that
    differ, averaged over a phone's start and end (diphthongs glide), scaled so that the upper quarter of all pairs costs 1. Different
    phones cost at least ``_CONTRAST``: features put P and B 0.03 apart, yet the pair tells words apart.
    """
    table = _features()
    weights = table["weight"]
    raw = {
        (a, b): sum(
            sum(w * abs(x - y) for w, x, y in zip(weights, table[sa], table[sb], strict=True)) / 2
            for sa, sb in zip(ARTICULATIONS[a], ARTICULATIONS[b], strict=True)
        )
        for a, b in product(PHONES, PHONES)
    }
    ranked = sorted(cost for (a, b), cost in raw.items() if a < b)
    full = ranked[int(len(ranked) * _FULL_COST_QUANTILE)]
    return {(a, b): (_CONTRAST + (1 - _CONTRAST) * min(1.0, cost / full)) if a != b else 0.0 for (a, b), cost in raw.items()}


def _features() -> dict[str, tuple[float, ...]]:
    lines = files("workbench.text").joinpath("phone_features.tsv").read_text(encoding="utf-8").splitlines()
    as_number = {"+": 1.0, "-": -1.0, "0": 0.0}
    rows = (line.split("\t") for line in lines[1:])
    return {row[0]: tuple(as_number[c] if c in as_number else float(c) for c in row[1:]) for row in rows}


def phone_distance(a: Sequence[str], b: Sequence[str]) -> float:
    """How unlike two phone sequences sound.

    Args:
        a, b: ARPABET phones without stress, words joined. A phone outside the set equals only itself.

    Returns:
        Least cost of edits over the longer length: 0.0 for the same phones (two silences too), 1.0 for none in common. Symmetric.
    """
    a, b = tuple(a), tuple(b)
    return _distance(a, b) if a <= b else _distance(b, a)


@lru_cache(maxsize=200_000)
def _distance(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    if a == b:
        return 0.0
    if not a or not b:
        return 1.0
    costs = substitution_costs()
    above = list(range(len(b) + 1))
    for i, phone in enumerate(a, 1):
        row = [i]
        left = i
        for j, other in enumerate(b, 1):
            cost = costs.get((phone, other), 1.0) if phone != other else 0.0
            left = min(above[j - 1] + cost, above[j] + 1, left + 1)
            row.append(left)
        above = row
    return min(1.0, above[-1] / max(len(a), len(b)))


def word_distance(words_a: Sequence[str], words_b: Sequence[str]) -> float:
    """Least ``phone_distance`` over the pronunciations of two word sequences; 1.0 when exactly one side is empty."""
    return min(phone_distance(a, b) for a, b in product(_readings(tuple(words_a)), _readings(tuple(words_b))))


def sound_alike(words_a: Sequence[str], words_b: Sequence[str]) -> bool:
    """Whether two word sequences can be pronounced the same.

    Tolerated, because speakers and dictionaries of English mix them freely: AO for AA (cot/caught), a doubled consonant for a single one
    across a word border (book case/bookcase), and AH for IH in words of several syllables, where both are weak vowels (roses/Rosa's).
    """
    a, b = _readings(tuple(words_a)), _readings(tuple(words_b))
    return bool(a[0] and b[0]) and not {merged(p) for p in a}.isdisjoint({merged(p) for p in b})


_VOWELS = frozenset(p for p in PHONES if p[0] in "AEIOU")


def merged(phones: Sequence[str]) -> tuple[str, ...]:
    """Phones with the mergers that ``sound_alike`` tolerates applied."""
    several_syllables = sum(p in _VOWELS for p in phones) > 1
    out: list[str] = []
    for phone in phones:
        phone = "AA" if phone == "AO" else "AH" if phone == "IH" and several_syllables else phone
        if not (out and out[-1] == phone and phone not in _VOWELS):
            out.append(phone)
    return tuple(out)


@lru_cache(maxsize=50_000)
def _readings(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    from workbench.text.lexicon import pronunciations

    readings: list[tuple[str, ...]] = [()]
    for word in words:
        options = pronunciations(word) or ((),)
        if len(readings) * len(options) > _MAX_READINGS:
            options = options[:1]
        readings = [done + option for done in readings for option in options]
    return tuple(dict.fromkeys(readings))
