"""The ways in which a written text may be said, given by hand for its numbers, dates, abbreviations and the like.

``3/4 cup = three quarters of a cup | three quarter cup ; Dr. = doctor``: places of the text in order, each with the forms that are right there, the usual one first.
What no place covers is said as ``tokenise`` says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from rapidfuzz.distance import Levenshtein

from workbench.errors import TextError
from workbench.text.normalise import tokenise
from workbench.text.tokens import Token

#: The name of the column, in tables of prompts and in manifests.
SPOKEN_FORMS = "spoken_forms"
#: Longer texts are compared with what was heard in parts of about so many words: the work grows with the square.
PART_WORDS = 200
_STRETCH_WORDS = 20

_Words = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text as it may be said: its stretches in order, each with the ways to say it, the usual one first."""

    stretches: tuple[tuple[_Words, ...], ...]

    @property
    def first(self) -> _Words:
        """The usual way, as ``tokenise`` would give it: the words of a place share its span."""
        return tuple(token for ways in self.stretches for token in ways[0])

    def sentences(self) -> Iterator[str]:
        """Every way as one line of words, the usual one first."""
        return (" ".join(token.text for words in ways for token in words) for ways in product(*self.stretches))

    def nearest(self, heard: Sequence[str]) -> _Words:
        """Of all ways the one with the fewest word edits to what was heard; of equally near ones, and where nothing was heard, the first.

        Optimal up to ``PART_WORDS`` words; longer texts are cut along the alignment of their usual way, and each part is optimal.
        """
        if not heard:
            return self.first
        return tuple(token for stretches, part in self._parts(list(heard)) for token in _nearest(stretches, part))

    def _parts(self, heard: list[str]) -> Iterator[tuple[Sequence[tuple[_Words, ...]], list[str]]]:
        if len(usual := [token.text for token in self.first]) <= PART_WORDS:
            yield self.stretches, heard
            return
        edits, done, words, place, heard_place = Levenshtein.opcodes(usual, heard), 0, 0, 0, 0
        for number, ways in enumerate(self.stretches, 1):
            words += len(ways[0])
            if words < PART_WORDS and number < len(self.stretches):
                continue
            place += words
            # Where the alignment stands behind so many words; all that was heard behind the last one is the last part's.
            edit = next((e for e in edits if e.src_start < place <= e.src_end), edits[-1])
            until = len(heard) if number == len(self.stretches) else min(edit.dest_start + place - edit.src_start, edit.dest_end)
            yield self.stretches[done:number], heard[heard_place:until]
            done, words, heard_place = number, 0, until


def _nearest(stretches: Sequence[tuple[_Words, ...]], heard: Sequence[str]) -> Iterator[Token]:
    """The nearest way, from Levenshtein's rows over the text as a graph of alternatives, so that places multiply no work.

    A cell is one number: its edits, and below them, as digits, the ways that led to it. The least number is then the nearest way, and among those the first.
    """
    base, places = max(map(len, stretches), default=1), sum(len(ways) > 1 for ways in stretches)
    edit = digit = base**places
    row = [edit * inserted for inserted in range(len(heard) + 1)]
    for ways in stretches if places else ():
        digit = digit // base if len(ways) > 1 else digit
        ends = [_through([cell + number * digit for cell in row], words, heard, edit) for number, words in enumerate(ways)]
        row = ends[0] if len(ends) == 1 else list(map(min, *ends))
    taken = row[-1]
    digit = edit
    for ways in stretches:
        digit = digit // base if len(ways) > 1 else digit
        yield from ways[taken // digit % base if len(ways) > 1 else 0]


def _through(row: list[int], words: _Words, heard: Sequence[str], edit: int) -> list[int]:
    """The row behind ``words``: a cell per number of heard words."""
    for word in words:
        text, cell = word.text, row[0] + edit
        behind = [cell]
        for at, other in enumerate(heard):
            cell = min(row[at] if other == text else row[at] + edit, row[at + 1] + edit, cell + edit)
            behind.append(cell)
        row = behind
    return row


@lru_cache(maxsize=4096)
def ways_to_say(text: str, spoken_forms: str = "", *, where: object = None) -> SpokenText:
    """A text with its spoken forms.

    Raises:
        TextError: not pairs, a place is not in the text (or not in this order), cuts a written form in two, or has a form that is not plain words.
    """
    tokens, stretches, done, at = tokenise(text), [], 0, 0
    for written, said in pairs(spoken_forms, where=where, expected="written = form | other form ; written = form"):
        start, first, last = _place(text, tokens, written, at, where)
        at = start + len(written)
        ways = tuple(_form(form, start, written, where) for form in said.split("|"))
        stretches += _plain(tokens[done:first])
        stretches.append(tuple(dict.fromkeys(ways)))
        done = last
    return SpokenText((*stretches, *_plain(tokens[done:])))


def _plain(tokens: _Words) -> list[tuple[_Words, ...]]:
    """Tokens that are said in one way, as short stretches, between which a long text may be cut."""
    return [(tokens[start : start + _STRETCH_WORDS],) for start in range(0, len(tokens), _STRETCH_WORDS)]


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
