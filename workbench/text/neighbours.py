"""Words that sound close to a word: what a voice may have said, or a recogniser heard, in its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from workbench.text.lexicon import lexicon, model_folder, pronunciations
from workbench.text.phones import PHONES, merged, substitution_costs
from workbench.text.words import is_filler

if TYPE_CHECKING:
    import numpy as np

#: A candidate's unigram probability in the recogniser's language model, in nats: about the 25,000 most usual words.
_LEAST_LOG_PROBABILITY = -14.0
#: How much of a phone's cost a word pays per nat of rarity, so that of two equally close words the usual one comes first.
_RARITY_COST = 0.01


@dataclass(frozen=True)
class _Group:
    """Words of one length in phones: ``phones`` (N, L) uint8, ``rarity`` (N,) float32 in nats, and the words themselves."""

    phones: np.ndarray
    rarity: np.ndarray
    words: tuple[str, ...]


@lru_cache(maxsize=1)
def _index() -> dict[int, _Group]:
    import numpy as np

    codes = {phone: i for i, phone in enumerate(PHONES)}
    rarity = _rarities()
    by_length: dict[int, list[tuple[str, bytes]]] = {}
    for word, phones in lexicon().entries():
        if word in rarity and len(word) > 1 and word.isalpha() and not is_filler(word):
            by_length.setdefault(len(phones), []).append((word, bytes(codes[p] for p in phones)))
    return {
        length: _Group(
            np.frombuffer(b"".join(row for _, row in rows), np.uint8).reshape(len(rows), length),
            np.array([rarity[word] for word, _ in rows], np.float32),
            tuple(word for word, _ in rows),
        )
        for length, rows in by_length.items()
    }


def _rarities() -> dict[str, float]:
    """Words of the bundled language model that are usual enough -> nats of rarity (minus log probability)."""
    from pocketsphinx import Config, LogMath, NGramModel

    math = LogMath()
    model = NGramModel(Config(hmm=None, lm=None, dict=None), math, str(model_folder() / "en-us.lm.bin"))
    found = {}
    for word in {word for word, _ in lexicon().entries()}:
        log_probability = math.log_to_ln(model.prob([word]))
        if log_probability >= _LEAST_LOG_PROBABILITY:
            found[word] = -log_probability
    return found


@lru_cache(maxsize=1)
def _cost_table() -> np.ndarray:
    import numpy as np

    costs = substitution_costs()
    return np.array([[costs[a, b] for b in PHONES] for a in PHONES], np.float32)


@lru_cache(maxsize=20_000)
def neighbours(word: str, *, count: int = 6) -> tuple[str, ...]:
    """The usual words of the lexicon that sound closest to ``word``, nearest first; words that sound the same are left out.

    Candidates are the recogniser's own vocabulary (it cannot hear others). Distance is that of ``phone_distance``, with a touch of
    preference for usual words. The index is built at first use (about a second).

    Returns:
        Up to ``count`` words; empty when ``word`` has no pronunciation.
    """
    options = pronunciations(word)
    if not options or not options[0]:
        return ()
    word = word.lower()
    same_sound = {merged(p) for p in options}
    ranked = _ranked(options[0])
    chosen: list[str] = []
    for candidate in ranked:
        if candidate != word and candidate not in chosen and same_sound.isdisjoint(map(merged, pronunciations(candidate))):
            chosen.append(candidate)
            if len(chosen) == count:
                break
    return tuple(chosen)


def _ranked(phones: tuple[str, ...], keep: int = 200) -> list[str]:
    """The ``keep`` best candidates for a phone sequence, best first."""
    import numpy as np

    codes = np.array([PHONES.index(p) for p in phones if p in PHONES], np.intp)
    scored: list[tuple[float, str]] = []
    for length, group in _index().items():
        if abs(length - len(codes)) > max(1, len(codes) // 3):
            continue
        cost = _edit_costs(codes, group.phones) + _RARITY_COST * group.rarity
        best = np.argsort(cost, kind="stable")[:keep]
        scored += [(float(cost[i]) / max(length, len(codes)), group.words[i]) for i in best]
    return [word for _, word in sorted(scored)[:keep]]


def _edit_costs(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Weighted edit distance of one sequence (M,) against rows (N, L) at once; the recurrence of ``phone_distance``. Returns (N,)."""
    import numpy as np

    table = _cost_table()
    count, length = rows.shape
    above = np.repeat(np.arange(length + 1, dtype=np.float32)[:, None], count, axis=1)
    columns = np.ascontiguousarray(rows.T)
    for i, code in enumerate(codes, 1):
        row = np.empty_like(above)
        row[0] = i
        for j in range(1, length + 1):
            best = above[j - 1] + table[code][columns[j - 1]]
            np.minimum(best, above[j] + 1, out=best)
            np.minimum(best, row[j - 1] + 1, out=row[j])
        above = row
    return above[length]
