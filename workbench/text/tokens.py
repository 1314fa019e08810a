"""Reference text as spoken words, each tied to its place in the text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """One spoken word of a text.

    ``text`` is the normalised word ("three"); ``start:end`` the half-open character span of the written form it came from ("$3.50": several tokens share one span). ``written`` is that form.
    """

    text: str
    start: int
    end: int
    written: str
