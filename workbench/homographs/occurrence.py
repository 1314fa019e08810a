"""A word in its sentence: the tokens before and after it, from byte offsets that may be wrong."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from workbench.errors import TextError
from workbench.text import abbreviation_of

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,]\d+)*|[^\w\s]|\w")
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE_END = re.compile(r"((?<![.!?])[.!?]+[\"'”’)\]]*)\s+(?=[\"'“‘(\[]*[^\W\d_a-zà-ÿ])|\n+")
#: Signs that part words without parting the sentence; what stands beyond is the neighbour that counts.
_THIN = frozenset("-–‐\"'“”‘’`")
#: Characters to either side that count at most: a transcript without full stops is one sentence for hours.
_REACH = 2000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A word and its neighbours within the sentence.

    Attributes:
        word: lower case.
        written: as it stands there.
        left, right: tokens before and after it, nearest first, without hyphens and quotation marks.
        marks: which of those stood right beside the word: "hyphen-", "-hyphen", "quote-".
        is_first: no word of the sentence precedes it.
    """

    word: str
    written: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    marks: tuple[str, ...]
    is_first: bool


def occurrence(sentence: str, start_byte: int, end_byte: int) -> Occurrence:
    """The word at half-open offsets into the UTF-8 bytes of a text; of a longer text its sentence alone counts.

    Raises:
        TextError: no text, offsets outside it, reversed or within a character, or a span that is not one whole word.
    """
    start, end = character_span(sentence, start_byte, end_byte)
    written = sentence[start:end]
    if _WORD.fullmatch(sentence, start, end) is None or sentence[start - 1 : start].isalpha() or sentence[end : end + 1].isalpha():
        raise TextError("the span is not one whole word", where=_around(sentence, start, end), got=written)
    first, last = sentence_span(sentence, start, end)
    first, last = max(first, start - _REACH), min(last, end + _REACH)
    left, right = _TOKEN.findall(sentence[first:start])[::-1], _TOKEN.findall(sentence[end:last])
    kinds = (("hyphen-", left, "-–‐"), ("-hyphen", right, "-–‐"), ("quote-", left, "\"“‘'"))
    marks = [mark for mark, beside, signs in kinds if beside and beside[0] in signs]
    thick = [tuple(token for token in side if token not in _THIN) for side in (left, right)]
    return Occurrence(written.lower(), written, thick[0], thick[1], tuple(marks), not any(token[0].isalpha() for token in left))


def character_span(text: str, start_byte: int, end_byte: int) -> tuple[int, int]:
    """Byte offsets as character offsets.

    Raises:
        TextError: no text, or offsets outside it, reversed or within a character.
    """
    if not isinstance(text, str) or not text.strip():
        raise TextError("no text", got=repr(text)[:60])
    if not all(isinstance(offset, int) and not isinstance(offset, bool) for offset in (start_byte, end_byte)):
        raise TextError("offsets must be whole numbers", got=f"{start_byte!r} to {end_byte!r}")
    data = text.encode("utf-8", "surrogatepass")
    if not 0 <= start_byte < end_byte <= len(data):
        raise TextError("the span is outside the text", got=f"bytes {start_byte} to {end_byte}", expected=f"0 <= start < end <= {len(data)}")
    if any(offset < len(data) and data[offset] & 0xC0 == 0x80 for offset in (start_byte, end_byte)):
        raise TextError("an offset lies within a character of several bytes", got=f"bytes {start_byte} to {end_byte}", mend="count bytes of UTF-8, not characters")
    start = len(data[:start_byte].decode("utf-8", "surrogatepass"))
    return start, start + len(data[start_byte:end_byte].decode("utf-8", "surrogatepass"))


def words_of(text: str) -> Iterator[tuple[str, int, int]]:
    """Every word of a text, as written, with its byte offsets."""
    at = count = 0
    for found in _WORD.finditer(text):
        count += len(text[at : found.start()].encode("utf-8", "surrogatepass"))
        length = len(found.group().encode("utf-8", "surrogatepass"))
        yield found.group(), count, count + length
        at, count = found.end(), count + length


def sentence_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Character offsets of the sentence around a span. A point after an abbreviation or an initial ends none."""
    starts, closed, ends = _sentence_ends(text)
    before, after = bisect_right(ends, start), bisect_left(starts, end)
    return ends[before - 1] if before else 0, closed[after] if after < len(closed) else len(text)


@lru_cache(maxsize=4)
def _sentence_ends(text: str) -> tuple[list[int], list[int], list[int]]:
    """Where sentences end, once for all words of a text: characters where their last signs begin and end, and where the next sentence begins."""
    found = [
        end for end in _SENTENCE_END.finditer(text)
        if not (end[1] and _is_short(text[text.rfind(" ", 0, end.start()) + 1 : end.start()]))
    ]  # fmt: skip
    return [end.start() for end in found], [end.end(1) if end[1] else end.start() for end in found], [end.end() for end in found]


def _is_short(word: str) -> bool:
    """Whether a point after the word may be no full stop: initials, abbreviations."""
    return len(word) < 3 or "." in word or bool(abbreviation_of(word.strip("\"'”’)(]")))


def _around(text: str, start: int, end: int) -> str:
    return text[max(0, start - 30) : end + 30]
