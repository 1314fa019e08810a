"""Which heard word belongs to which reference word, second step: words paired by their sound.

Inside a stretch where text and transcript differ, a dynamic programme over sounds pairs the words, so that "see the sign" heard as
"sea sign" pairs see/sea and drops "the".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from workbench.text import abbreviation_of, is_filler, known_word, pronunciations, same_value
from workbench.text.phones import PHONES
from workbench.verdicts.align import NUMBER_JOINERS, NUMBER_WORDS

#: Cost of a word heard as nothing, or heard without being in the text. Twice this exceeds any substitution, so neighbours are paired
#: before they are dropped.
GAP_COST = 0.7
#: Cost of a word heard twice in a row against nothing: more likely said twice than said for another word of the text.
ECHO_COST = 0.3
#: Cost of any difference at all, so that equal words are always kept together.
_DIFFERENT = 0.05
#: Extra cost per further word of a group (one word heard as two): grouping must earn itself by sound.
_GROUP = 0.1
#: A group that shares neither letters nor sounds in full may differ by at most this share of its phones.
_GROUP_FAR = 0.6
#: Stretches with more cells than this are cut along the first alignment before the second: 5,000 words against 5,000 take seconds, not
#: hours.
MAX_CELLS = 256
_CHUNK = 12
_LONG_WORD = 40
_VOWELS = frozenset("aeiouy")
_TIE = 1e-9
#: Private-use characters, so that a phone never equals a letter.
_PHONE_CODES = {phone: chr(0xE000 + number) for number, phone in enumerate(PHONES)}
_GROUPS = ((1, 2), (2, 1), (1, 3), (3, 1), (2, 2), (2, 3), (3, 2))
_MAX_NUMBER_WORDS = 24


class Block(NamedTuple):
    """Reference words ``ref_start:ref_end`` stand against heard words ``heard_start:heard_end`` (half-open; either side may be empty)."""

    ref_start: int
    ref_end: int
    heard_start: int
    heard_end: int


@lru_cache(maxsize=100_000)
def sound_code(word: str) -> str:
    """The usual pronunciation of ``word`` as one character per phone, for fast comparison; long nonsense stands for itself."""
    if len(word) > _LONG_WORD:
        return word
    readings = pronunciations(word)
    return "".join([_PHONE_CODES.get(phone, phone) for phone in readings[0]]) if readings else word


@lru_cache(maxsize=100_000)
def full_forms(word: str) -> tuple[tuple[str, ...], ...]:
    """What ``word`` abbreviates; nothing for a form that is a word of its own ("in", "sat", "no"): who hears that did not hear "inches"."""
    if known_word(word) and not _VOWELS.isdisjoint(word):
        return ()
    return tuple(map(tuple, abbreviation_of(word)))


def echoes(heard: tuple[str, ...], before: str | None = None, after: str | None = None) -> tuple[int, ...]:
    """Indices of heard words that sound like the word heard before or after them.

    Args:
        before, after: what was heard on either side of ``heard``.
    """
    codes = [sound_code(word) if word else "" for word in (before, *heard, after)]
    return tuple([k for k, code in enumerate(codes[1:-1]) if code and code in (codes[k], codes[k + 2])])


@lru_cache(maxsize=20_000)
def pair_words(
    reference: tuple[str, ...], heard: tuple[str, ...], units: tuple[int, ...] | None = None, twice: tuple[int, ...] = ()
) -> tuple[Block, ...]:
    """The cheapest pairing by sound of a differing stretch.

    Moves are: one word for one, a word dropped, a word inserted, and groups (1-3 words heard as 1-3) that share their letters or their
    sounds, or, one word against several, enough of their sounds; abbreviations with their full form, contractions with theirs, and
    numbers said in another way are free. Optimal under these costs up to ``MAX_CELLS`` pairs of words; larger stretches are cut along
    their word alignment and each part is optimal.

    Args:
        twice: indices of heard words that repeat one beside them (``echoes``).

    Returns:
        Blocks in order that cover both sides; insertions have an empty reference side, one block for words inserted in a row.
    """
    n, m = len(reference), len(heard)
    if n == 1 == m:
        return (Block(0, 1, 0, 1),)
    if n * m > MAX_CELLS:
        blocks: list[Block] = []
        for a, b, c, d in _chunks(reference, heard):
            inside = tuple([k - c for k in twice if c <= k < d])
            part = pair_words(reference[a:b], heard[c:d], units[a:b] if units else None, inside)
            blocks += (Block(a + i0, a + i1, c + j0, c + j1) for i0, i1, j0, j1 in part)
    elif not n or not m:
        blocks = [*(Block(k, k + 1, 0, 0) for k in range(n)), *((Block(0, 0, k, k + 1)) for k in range(m))]
    else:
        blocks = _cheapest(reference, heard, units, twice)
    return tuple(_joined_insertions(blocks))


def _joined_insertions(blocks: Iterable[Block]) -> Iterable[Block]:
    waiting: Block | None = None
    for block in blocks:
        if block.ref_start == block.ref_end:
            waiting = block if waiting is None else waiting._replace(heard_end=block.heard_end)
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        yield block
    if waiting is not None:
        yield waiting


def _chunks(reference: tuple[str, ...], heard: tuple[str, ...]) -> Iterable[Block]:
    a = c = 0
    for tag, i0, i1, j0, j1 in Levenshtein.opcodes(reference, heard):
        i, j = i0, j0
        while i < i1 or j < j1:
            step = min(_CHUNK - max(i - a, j - c), max(i1 - i, j1 - j))
            if tag != "insert":
                i += step
            if tag != "delete":
                j += step
            if max(i - a, j - c) >= _CHUNK:
                yield Block(a, i, c, j)
                a, c = i, j
    if (a, c) != (len(reference), len(heard)):
        yield Block(a, len(reference), c, len(heard))


def _free_moves(
    reference: tuple[str, ...], heard: tuple[str, ...], units: tuple[int, ...] | None
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Steps that cost next to nothing, by the cell they start from: full forms of abbreviations and contractions, the same number said
    otherwise.
    """
    moves: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for j, word in enumerate(heard):
        for full in full_forms(word):
            for i in range(len(reference) - len(full) + 1):
                if reference[i : i + len(full)] == full:
                    moves.setdefault((i, j), []).append((len(full), 1))
    for i, word in enumerate(reference):
        for full in full_forms(word):
            for j in range(len(heard) - len(full) + 1):
                if heard[j : j + len(full)] == full:
                    moves.setdefault((i, j), []).append((1, len(full)))
    for i, j, di, dj in _contractions(reference, heard):
        if same_value(reference[i : i + di], heard[j : j + dj]):
            moves.setdefault((i, j), []).append((di, dj))
    if not units and (NUMBER_WORDS.isdisjoint(reference) or NUMBER_WORDS.isdisjoint(heard)):
        return moves
    for a, b in _number_runs(reference, units):
        own = frozenset(reference[a:b])
        for c, d in _number_runs(heard, None, own):
            # Other spaces alone ("per cent") are a matter of the words themselves, not of the number they stand in.
            number, said = reference[a:b], heard[c:d]
            if 2 < len(number) + len(said) <= _MAX_NUMBER_WORDS and "".join(number) != "".join(said) and same_value(number, said):
                moves.setdefault((a, c), []).append((b - a, d - c))
    return moves


def _contractions(reference: tuple[str, ...], heard: tuple[str, ...]) -> Iterable[tuple[int, int, int, int]]:
    """Places where a contraction ("don't") stands against two words."""
    for i, word in enumerate(reference):
        if "'" in word:
            yield from ((i, j, 1, 2) for j in range(len(heard) - 1))
    for j, word in enumerate(heard):
        if "'" in word:
            yield from ((i, j, 2, 1) for i in range(len(reference) - 1))


def _number_runs(words: tuple[str, ...], units: tuple[int, ...] | None, also: frozenset[str] = frozenset()) -> list[tuple[int, int]]:
    """Stretches of number words, of words that share a written form with others, and of ``also``."""
    own = [word in NUMBER_WORDS or word in also or bool(units and units[k] >= 0) for k, word in enumerate(words)]
    inside = [here or (word in NUMBER_JOINERS and after) for word, here, after in zip(words, own, [*own[1:], False], strict=True)]
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for k, here in enumerate([*inside, False]):
        if here and start is None:
            start = k
        elif not here and start is not None:
            runs.append((start, k))
            start = None
    return runs


def _cheapest(reference: tuple[str, ...], heard: tuple[str, ...], units: tuple[int, ...] | None, twice: tuple[int, ...]) -> list[Block]:
    n, m = len(reference), len(heard)
    ref_codes, heard_codes = [sound_code(w) for w in reference], [sound_code(w) for w in heard]
    free = _free_moves(reference, heard, units)
    if n + m == 3 and not twice:
        return _two_against_one(reference, heard, ref_codes, heard_codes, free=bool(free))
    groups = _group_moves(reference, heard, ref_codes, heard_codes)
    for cell, steps in free.items():
        groups.setdefault(cell, []).extend((di, dj, _DIFFERENT / 5) for di, dj in steps)
    infinite = float("inf")
    extra = [ECHO_COST if j in twice else GAP_COST for j in range(m)]
    best = [[infinite] * (m + 1) for _ in range(n + 1)]
    came: list[list[tuple[int, int]]] = [[(0, 0)] * (m + 1) for _ in range(n + 1)]
    best[0][0] = 0.0
    # Every step leads down or right, so each cell is final when it is reached; of equal costs the first found stays, which pairs words
    # before it drops them.
    for i in range(n + 1):
        for j in range(m + 1):
            base = best[i][j]
            if i < n and j < m:
                cost = base
                if reference[i] != heard[j]:
                    cost += _DIFFERENT + Levenshtein.normalized_distance(ref_codes[i], heard_codes[j])
                if cost < best[i + 1][j + 1] - _TIE:
                    best[i + 1][j + 1], came[i + 1][j + 1] = cost, (1, 1)
            if i < n and base + GAP_COST < best[i + 1][j] - _TIE:
                best[i + 1][j], came[i + 1][j] = base + GAP_COST, (1, 0)
            # Of a word heard twice, the second is the one too many.
            if j < m and base + extra[j] < best[i][j + 1] + (_TIE if j in twice else -_TIE):
                best[i][j + 1], came[i][j + 1] = base + extra[j], (0, 1)
            for di, dj, cost in groups.get((i, j), ()):
                if base + cost < best[i + di][j + dj] - _TIE:
                    best[i + di][j + dj], came[i + di][j + dj] = base + cost, (di, dj)
    return _traced(came, n, m)


def _two_against_one(
    reference: tuple[str, ...], heard: tuple[str, ...], ref_codes: list[str], heard_codes: list[str], *, free: bool
) -> list[Block]:
    """``_cheapest`` for the commonest case by looking at its three outcomes: the group, or either of the two words paired and the
    other left over.
    """
    split = len(heard) == 2
    group: float | None = 0.0
    if not free:
        # Fillers are never part of a group, see ``_group_moves``.
        group = _group_cost(1, 2, "".join(reference) == "".join(heard), "".join(ref_codes), "".join(heard_codes))
        group = None if any(map(is_filler, heard)) else group
    pairs = [
        0.0 if reference[i] == heard[j] else _DIFFERENT + Levenshtein.normalized_distance(ref_codes[i], heard_codes[j])
        for i, j in (((0, 0), (0, 1)) if split else ((0, 0), (1, 0)))
    ]
    if group is not None and group < min(pairs) + GAP_COST - _TIE:
        return [Block(0, len(reference), 0, len(heard))]
    if pairs[0] <= pairs[1] + _TIE:
        return [Block(0, 1, 0, 1), Block(1, 1, 1, 2) if split else Block(1, 2, 1, 1)]
    return [Block(0, 0, 0, 1), Block(0, 1, 1, 2)] if split else [Block(0, 1, 0, 0), Block(1, 2, 0, 1)]


def _group_moves(
    reference: tuple[str, ...], heard: tuple[str, ...], ref_codes: list[str], heard_codes: list[str]
) -> dict[tuple[int, int], list[tuple[int, int, float]]]:
    moves: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
    n, m = len(reference), len(heard)
    # Fillers are never part of a group: "cat uh" is not a way of hearing "cats".
    fillers = [j for j, word in enumerate(heard) if is_filler(word)]
    for di, dj in _GROUPS:
        if di > n or dj > m:
            continue
        for j in range(m - dj + 1):
            if fillers and any(j <= k < j + dj for k in fillers):
                continue
            letters, code = "".join(heard[j : j + dj]), "".join(heard_codes[j : j + dj])
            for i in range(n - di + 1):
                cost = _group_cost(di, dj, "".join(reference[i : i + di]) == letters, "".join(ref_codes[i : i + di]), code)
                if cost is not None and reference[i : i + di] != heard[j : j + dj]:
                    moves.setdefault((i, j), []).append((di, dj, cost))
    return moves


def _group_cost(di: int, dj: int, same_letters: bool, ref_code: str, heard_code: str) -> float | None:
    if same_letters:
        # A little more for each further word, so that equal words stay out of their neighbours' group.
        return _DIFFERENT / 2 + _DIFFERENT / 5 * (di + dj - 3)
    extra = _DIFFERENT + _GROUP * (di + dj - 2)
    if ref_code == heard_code:
        return extra
    if di > 1 < dj:
        return None
    far = Levenshtein.normalized_distance(ref_code, heard_code, score_cutoff=_GROUP_FAR)
    return extra + far * max(di, dj) if far <= _GROUP_FAR else None


def _traced(came: list[list[tuple[int, int]]], n: int, m: int) -> list[Block]:
    out: list[Block] = []
    i, j = n, m
    while i or j:
        di, dj = came[i][j]
        out.append(Block(i - di, i, j - dj, j))
        i, j = i - di, j - dj
    return out[::-1]
