"""Reference text as spoken words, each tied to its place in the text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """One spoken word of a text.

    ``text`` is the normalised word ("three"); ``start:end`` the half-open character span of the written form it came from ("$3.50": several
    tokens share one span). ``written`` is that form. ``kind`` says how the word came about: "word" (written as spoken), "number" (from
    digits or a symbol beside them), "abbreviation" (written short: "mph", "Dr."), "symbol" ("&", "%", an address of the net) or "spoken" (from a spoken form given by hand,
    see ``text.spoken``).
    """

    text: str
    start: int
    end: int
    written: str
    kind: str = "word"
