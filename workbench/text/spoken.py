"""The ways in which a written text may be said, given by hand for its numbers, dates, abbreviations and the like.

``3/4 cup = three quarters of a cup | three quarter cup ; Dr. = doctor``: places of the text in order, each with the forms that are right there, the usual one first.
What no place covers is said as ``tokenise`` says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from workbench.errors import TextError
from workbench.text.normalise import tokenise
from workbench.text.tokens import Token

#: The name of the column, in tables of prompts and in manifests.
SPOKEN_FORMS = "spoken_forms"

_Words = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text as it may be said: its stretches in order, each with the ways to say it, the usual one first."""

    stretches: tuple[tuple[_Words, ...], ...]

    @property
    def first(self) -> _Words:
        """The usual way, as ``tokenise`` would give it: the words of a place share its span."""
        return self._chosen((0,) * len(self.stretches))

    def sentences(self) -> Iterator[str]:
        """Every way as one line of words, the usual one first."""
        return (" ".join(token.text for words in ways for token in words) for ways in product(*self.stretches))

    def nearest(self, heard: Sequence[str]) -> _Words:
        """Of all ways the one with the fewest word edits to what was heard; of equally near ones the first.

        Levenshtein's rows over the text as a graph of alternatives, so that places multiply no work. Each cell carries the ways that led to it.
        """
        row = [(inserted, ()) for inserted in range(len(heard) + 1)]
        for ways in self.stretches:
            ends = [_through(row, words, heard, number) for number, words in enumerate(ways)]
            row = [min(cells) for cells in zip(*ends, strict=True)]
        return self._chosen(row[-1][1])

    def _chosen(self, numbers: Sequence[int]) -> _Words:
        return tuple(token for ways, number in zip(self.stretches, numbers, strict=True) for token in ways[number])


def _through(row: list[tuple[int, tuple[int, ...]]], words: _Words, heard: Sequence[str], number: int) -> list[tuple[int, tuple[int, ...]]]:
    """The row behind ``words``: per number of heard words the edits so far, and the ways taken with ``number`` as the last."""
    for word in words:
        behind = [(row[0][0] + 1, row[0][1])]
        for at, other in enumerate(heard):
            edits, ways = row[at]
            # Of equal costs the one with the earlier ways, as tuples compare.
            behind.append(min((edits + (other != word.text), ways), (row[at + 1][0] + 1, row[at + 1][1]), (behind[at][0] + 1, behind[at][1])))
        row = behind
    return [(edits, (*ways, number)) for edits, ways in row]


@lru_cache(maxsize=4096)
def spoken_text(text: str, spoken_forms: str = "", *, where: object = None) -> SpokenText:
    """A text with its spoken forms.

    Raises:
        TextError: not pairs, a place is not in the text (or not in this order), cuts a written form in two, or has a form that is not plain words.
    """
    tokens, stretches, done, at = tokenise(text), [], 0, 0
    for written, said in pairs(spoken_forms, where=where, expected="written = form | other form ; written = form"):
        start, first, last = _place(text, tokens, written, at, where)
        at = start + len(written)
        ways = tuple(_form(form, start, written, where) for form in said.split(" | "))
        stretches += [(tokens[done:first],)] if first > done else []
        stretches.append(tuple(dict.fromkeys(ways)))
        done = last
    return SpokenText((*stretches, (tokens[done:],)))


def pairs(cell: str, *, where: object, expected: str) -> Iterator[tuple[str, str]]:
    """A table's cell ``a = b ; c = d`` as pairs.

    Raises:
        TextError: one lacks a side.
    """
    for pair in filter(None, (piece.strip() for piece in cell.split(" ; "))):
        left, _, right = (piece.strip() for piece in pair.partition(" = "))
        if not left or not right:
            raise TextError("not a pair", where=where, got=pair, expected=expected)
        yield left, right


def _place(text: str, tokens: _Words, written: str, at: int, where: object) -> tuple[int, int, int]:
    """Where ``written`` starts, from the character ``at`` on, and which tokens (half-open) it stands for."""
    start, cut = text.find(written, at), None
    while start >= 0:
        end = start + len(written)
        first = next((k for k, token in enumerate(tokens) if token.end > start), len(tokens))
        last = next((k for k in range(first, len(tokens)) if tokens[k].start >= end), len(tokens))
        inside = tokens[first:last]
        # The full stop behind "3 Jan." may also be the sentence's.
        if not inside or (inside[0].start >= start and text[end : inside[-1].end] in ("", ".")):
            return start, first, last
        cut = cut or inside[0 if inside[0].start < start else -1].written
        start = text.find(written, start + 1)
    if cut:
        mend = "take in the whole written form"
        raise TextError(f"spoken forms for a part of {cut!r}", where=where, got=written, expected="whole words and numbers", mend=mend)
    mend = "write it as in the text, and places in the order of the text"
    raise TextError("spoken forms for what the text does not hold there", where=where, got=written, expected=f"a part of {text[at:]!r}", mend=mend)


def _form(form: str, start: int, written: str, where: object) -> _Words:
    words = tokenise(form)
    if not words or any(word.kind != "word" for word in words):
        raise TextError(f"a spoken form of {written!r} is not plain words", where=where, got=form, expected="every word in full, as it is said")
    return tuple(Token(word.text, start, start + len(written), written, "spoken") for word in words)
