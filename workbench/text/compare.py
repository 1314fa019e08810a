"""One canonical form in which a written and a spoken form compare equal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from workbench.text.fold import fold_values
from workbench.text.normalise import normalise_spoken

#: Said in one of several ways for the same written sign, or left unsaid.
_SAME = MappingProxyType({
    "misses": "missus", "ms": "miss", "hash": "number", "hashtag": "number", "hyphen": "dash", "negative": "minus", "okay": "ok", "cannot": "can not",
    "etcetera": "et cetera",
})
_NORMALISED = re.compile(r"[a-z]{2,}(?:'[a-z]+)*|[a-z]").fullmatch
_UNSAID = frozenset(["slash", "dash"])
_ENDINGS = (("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"))
_IRREGULAR = MappingProxyType({"won't": "will not", "can't": "can not", "shan't": "shall not", "ain't": "ain't"})


@lru_cache(maxsize=1)
def spelling_map() -> MappingProxyType:
    """British -> American spelling, as whisper-normalizer lists it (1,700 words)."""
    spec = find_spec("whisper_normalizer")
    if spec is None or not spec.submodule_search_locations:
        return MappingProxyType({})
    path = Path(next(iter(spec.submodule_search_locations))) / "normalizers" / "english.json"
    return MappingProxyType(json.loads(path.read_text(encoding="utf-8")))


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

    Numbers become digits whatever way they are said (2006: two thousand six, twenty oh six); dates are month, day, year; money is amount and currency; units are singular; spelling is American, contractions that have one full form are in
    full, letters said one by one are one word. It is meant for comparing, not for reading: "twenty five" and "two five" are the same in it. Idempotent; the same treatment for both sides.
    """
    said = normalise_spoken(text)
    return _folded(tuple(said.split()))


@lru_cache(maxsize=20_000)
def _folded(words: tuple[str, ...]) -> str:
    forms = [form for word in words for form in _one_form(word)]
    return fold_values(forms) if forms else " ".join(words)


def same_value(words_a: Sequence[str], words_b: Sequence[str]) -> bool:
    """Whether two word sequences say the same ("nineteen ninety four", "one thousand nine hundred ninety four").

    Silence equals nothing but silence.
    """
    if not words_a or not words_b:
        return not words_a and not words_b
    return _value(tuple(words_a)) == _value(tuple(words_b))


def _value(words: tuple[str, ...]) -> str:
    # Normalised words need no second reading; that is what makes this quick enough for every mismatch of a long scan.
    if all(map(_NORMALISED, words)):
        return _folded(words)
    return comparable(" ".join(words))
