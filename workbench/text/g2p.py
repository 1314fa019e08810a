"""Pronunciations for words that the lexicon lacks."""

from __future__ import annotations


def guess(word: str) -> tuple[str, ...]:
    """One pronunciation."""
    table = dict(zip("abcdefghijklmnopqrstuvwxyz", "AE B K D EH F G HH IH JH K L M N AA P K R S T AH V W K Y Z".split(), strict=True))
    return tuple(table[c] for c in word if c in table)
