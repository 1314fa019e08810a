"""Words that sound close to a word."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=10_000)
def neighbours(word: str, *, count: int = 6) -> tuple[str, ...]:
    """Lexicon words closest to ``word`` by phones, nearest first, homophones left out."""
    from workbench.text.lexicon import lexicon, pronunciations
    from workbench.text.phones import phone_distance

    phones = pronunciations(word)[0]
    near = sorted((phone_distance(phones, p), w) for w, p in lexicon().entries() if len(p) == len(phones) and "'" not in w)
    return tuple(dict.fromkeys(w for d, w in near if d > 0))[:count]
