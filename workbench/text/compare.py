"""One canonical form in which a written and a spoken form compare equal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

from workbench.text.abbreviations import roman_value
from workbench.text.fold import fold_values, is_number_word
from workbench.text.normalise import normalise, normalise_spoken
from workbench.text.tables import MONTHS
from workbench.text.words import spelling_map

#: Said in one of several ways for the same written sign, or left unsaid.
_SAME = MappingProxyType({
    "misses": "missus", "ms": "miss", "hash": "number", "hashtag": "number", "hyphen": "dash", "negative": "minus", "okay": "ok",
    "cannot": "can not", "etcetera": "et cetera",
})
_NORMALISED = re.compile(r"[a-z]{2,}(?:'[a-z]+)*|[a-z]").fullmatch
_UNSAID = frozenset(["slash", "dash"])
_ENDINGS = (("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"))
_IRREGULAR = MappingProxyType({"won't": "will not", "can't": "can not", "shan't": "shall not", "ain't": "ain't"})


@lru_cache(maxsize=50_000)
def _one_form(word: str) -> tuple[str, ...]:
    if word in _UNSAID:
        return ()
    word = spelling_map().get(word, _SAME.get(word, word))
    if "'" in word:
        if word in _IRREGULAR:
            word = _IRREGULAR[word]
        else:
            for ending, full in _ENDINGS:
                if word.endswith(ending) and len(word) > len(ending):
                    word = word.removesuffix(ending) + full
                    break
    return tuple(word.split())


def comparable(text: str) -> str:
    """The form in which a written text and any usual way of saying it are the same string.

    Numbers become digits whatever way they are said (2006: two thousand six, twenty oh six); dates are month, day, year; money is amount
    and currency; units are singular; spelling is American, contractions that have one full form are in full, letters said one by one are
    one word. It is meant for comparing, not for reading: "twenty five" and "two five" are the same in it. Idempotent; the same treatment
    for both sides.
    """
    words = tuple(normalise_spoken(text).split())
    line = _folded(words)
    # What was folded may read as something written ("5 k 3", "k m"): read on until nothing changes.
    seen = [line]
    while _may_change(words, line):
        words = tuple(normalise(line).split())
        line = _folded(words)
        if line in seen:
            return min(seen[seen.index(line) :])
        seen.append(line)
    return line


def _may_change(words: tuple[str, ...], line: str) -> bool:
    return any(map(str.isdigit, line)) or any(len(word) == 1 for word in words)


@lru_cache(maxsize=20_000)
def _folded(words: tuple[str, ...]) -> str:
    forms = [form for word in words for form in _one_form(word)]
    if "cent" in forms:
        forms = " ".join(forms).replace("per cent", "percent").split()
    return fold_values(forms) if forms else " ".join(words)


def same_value(words_a: Sequence[str], words_b: Sequence[str]) -> bool:
    """Whether two word sequences say the same ("nineteen ninety four", "one thousand nine hundred ninety four").

    Silence equals nothing but silence.
    """
    if not words_a or not words_b:
        return not words_a and not words_b
    return _value(tuple(words_a)) == _value(tuple(words_b))


@lru_cache(maxsize=100_000)
def _plain_form(word: str) -> str | None:
    """The comparable form of a word that stands for itself; None for words that fold with their neighbours (numbers, letters, "cent")."""
    if not _NORMALISED(word) or len(word) == 1 or word in _UNSAID or word in ("cent", "double", "triple") or is_number_word(word):
        return None
    return " ".join(_one_form(word))


def _value(words: tuple[str, ...]) -> str:
    # No second reading for plain words; that makes this quick enough for every mismatch of a long scan.
    forms = [_plain_form(word) for word in words]
    return comparable(" ".join(words)) if None in forms else " ".join(forms)


def agree(text_a: str, text_b: str) -> bool:
    """Whether two raw texts can say the same: their ``comparable`` forms are equal, or equal once an ambiguous form is read otherwise.

    Ambiguous are numeric dates (10/06 is October 6 or June 10), N/M (a date, a fraction, "N out of M"), hyphens between numbers (a range
    or a row), prices ("three fifty"), "St." and "Dr.". Not transitive, so it is no canonical form.
    """
    if comparable(text_a) == comparable(text_b):
        return True
    readings_a = {comparable(r) for r in readings(text_a)}
    return not readings_a.isdisjoint({comparable(r) for r in readings(text_b)})


#: Other ways to write what an ambiguous form may mean.
_OTHER_READINGS = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"\b(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})\b", r"\3/\1/\4"),
        (r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})\b", r"\1 \2 \3"),
        (r"([-/.]\d{1,2}[-/.])(\d\d)\b(?!\d)", r"\g<1>20\2"),
        (r"([-/.]\d{1,2}[-/.])(\d\d)\b(?!\d)", r"\g<1>19\2"),
        (r"\b(\d{1,2})/(\d{1,2})\b(?![/\d])", lambda m: _as_date(m[1], m[2]) or m[0]),
        (r"\b(\d{1,2})/(\d{1,2})\b(?![/\d])", lambda m: _as_date(m[2], m[1]) or m[0]),
        (r"\b(\d{1,2})/(\d{4})\b", lambda m: _as_month_year(m[1], m[2]) or m[0]),
        (r"\b(\d+)/(\d+)\b", r"\1 \2"),
        (r"\b(\d+)/(\d+)\b", r"\1 out of \2"),
        (r"\b(\d+)/(\d+)\b", r"\1 of \2"),
        (r"(?<=\d)\s?[-–]\s?(?=[\d$£€])", " "),
        (r"(?<=\d)\s?[-–]\s?(?=[\d$£€])", " minus "),
        (r"(?<=\d):(?=\d)", " "),
        (r"[$£€](\d+)\.(\d\d)\b", r"\1 \2"),
        (r"\b(\d+)\.(\d+)\b", r"\1 dot \2"),
        (r"(\d)\s?(m|M)\b", r"\1 million"),
        (r"(\d)\s?(b|B)\b", r"\1 billion"),
        (r"\b[Ss]t\.", "saint"),
        (r"\b[Ss]t\.", "street"),
        (r"\b[Dd]r\.", "drive"),
        (r"\b[Dd]r\.", "doctor"),
        (r"(\d)\s?'(?!\d)", r"\1 feet "),
        (r"(\d)\s?\"", r"\1 inches "),
        (r"\b([IVX]{2,})\b", lambda m: str(roman_value(m[1]))),
        (r"#", " pound "),
        (r"#", " hash "),
        (r"\.(?=\w)", " dot "),
        (r"(?<=\w)-(?=\w)", " dash "),
    )
)


def readings(text: str) -> tuple[str, ...]:
    """``text`` and its rewritings with one kind of ambiguous form read the other way; ``text`` itself comes first."""
    return tuple(dict.fromkeys([text, *(pattern.sub(by, text) for pattern, by in _OTHER_READINGS)]))


def _as_date(month: str, day: str) -> str | None:
    return f"{MONTHS[int(month) - 1]} {int(day)}" if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 else None


def _as_month_year(month: str, year: str) -> str | None:
    return f"{MONTHS[int(month) - 1]} {year}" if 1 <= int(month) <= 12 else None

