"""Words of a special kind: fillers, and one word spelt in two ways."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from workbench.text.tables import table


@lru_cache(maxsize=1)
def _fillers() -> frozenset[str]:
    return frozenset(table("fillers")["words"])


def is_filler(word: str) -> bool:
    """Whether ``word`` is one of 18 sounds of hesitation (uh, um, hmm ...), any case."""
    return word.lower() in _fillers()


@lru_cache(maxsize=1)
def spelling_map() -> MappingProxyType:
    """British -> American spelling as whisper-normalizer lists it (1,700 words); empty where that package is missing."""
    spec = find_spec("whisper_normalizer")
    if spec is None or not spec.submodule_search_locations:
        return MappingProxyType({})
    path = Path(next(iter(spec.submodule_search_locations))) / "normalizers" / "english.json"
    return MappingProxyType(json.loads(path.read_text(encoding="utf-8")))


#: Productive differences of British, American and older spelling. Most need a syllable in front, or "four" would be "for".
_SPELLING_RULES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"(?<=[aeiouy][^aeiouy])our|(?<=[aeiouy][^aeiouy]{2})our", "or"),
        (r"(?<=[aeiouy][^aeiouy])(is|ys)(?=(?:e|ed|er|ers|es|ing|able|ation|ations)$)", "iz"),
        (r"(?<=[aeiouy][^aeiouy]{2})(is|ys)(?=(?:e|ed|er|ers|es|ing|able|ation|ations)$)", "iz"),
        (r"yz(?=(?:e|ed|er|ers|es|ing)$)", "iz"),
        (r"(?<=[aeiouy])(.)\1(?=(?:ed|ing|er|ers|or|ors|ous|ist|ists|est|ment|ments|ful|ery)$)", r"\1"),
        (r"(?<=[bcgtv])re(?=s?$)", "er"),
        (r"(?<=[aeiouy][^aeiouy])enc(?=e[sd]?$)", "ens"),
        (r"ogue(?=s?$)", "og"),
        (r"[ao]e(?=[a-z]{3})", "e"),
        (r"dge(?=ment)", "dg"),
        (r"mme(?=s?$)", "m"),
        (r"xion(?=s?$)", "ction"),
        (r"(?<=[aeiouy][^aeiouy])ly?(?=(?:ful|ment)(?:ly|s)?$)", "l"),
        (r"ph", "f"),
    )
)


def spelling_variants(a: str, b: str) -> bool:
    """Whether ``a`` and ``b`` are one word spelt in two ways (labelled/labeled, centre/center, realise/realize).

    True when whisper-normalizer's list maps both to the same American spelling, or when a productive spelling rule makes them equal and
    they sound alike. The same spelling twice is no variant; tale/tail are two words.
    """
    a, b = a.lower(), b.lower()
    if a == b:
        return False
    american = spelling_map()
    if american.get(a, a) == american.get(b, b):
        return True
    if not a or not b or a[0] != b[0] or abs(len(a) - len(b)) > 3 or _plainest(a) != _plainest(b):
        return False
    from workbench.text.phones import sound_alike

    return sound_alike([a], [b])


@lru_cache(maxsize=20_000)
def _plainest(word: str) -> str:
    for pattern, by in _SPELLING_RULES:
        word = pattern.sub(by, word)
    return word
