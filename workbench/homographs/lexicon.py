"""The homographs that the workbench knows, and the user's own: read from TOML, checked when read."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import combinations, product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.errors import ConfigError, TextError, unknown_name
from workbench.homographs.base import KINDS, PARTS_OF_SPEECH, REGIONS, TOLD_BY, Homograph, Reading, Variant, place_of, stamp
from workbench.homographs.contrast import contrast_of
from workbench.text.phone_sets import VOWELS, from_ipa, parse_arpabet, unknown_symbols

#: Files of the user's with further homographs, as PATH holds folders.
FILES_VARIABLE = "WORKBENCH_HOMOGRAPHS"
_SHIPPED = ("grammar.toml", "sense.toml")
_TEXTS = {"labels", "pos", "tolerates", "examples", "cues", *REGIONS}
_READING_KEYS = _TEXTS | {"sense"}
_WORD_KEYS = {"kind", "told_by"}


class Lexicon(Mapping[str, Homograph]):
    """Homographs by word; look-ups ignore case. Words of later files replace those of earlier ones."""

    def __init__(self, homographs: Sequence[Homograph]) -> None:
        self._words = {homograph.word: homograph for homograph in homographs}

    def __getitem__(self, word: str) -> Homograph:
        return self._words[word.lower()]

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word.lower() in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def need(self, word: str) -> Homograph:
        """
        Raises:
            UnknownNameError: no such homograph, with the nearest that there are.
        """
        if word not in self:
            raise unknown_name("homograph", word, self._words)
        return self[word]

    def labels(self) -> Mapping[str, tuple[Homograph, Reading]]:
        """Data label -> homograph and reading."""
        return MappingProxyType({label: (word, reading) for word in self.values() for reading in word for label in reading.labels})


def lexicon(*paths: str | Path) -> Lexicon:
    """The shipped homographs, those of the files that ``WORKBENCH_HOMOGRAPHS`` names, and those of ``paths``.

    Raises:
        ConfigError: a file that cannot be read or an entry that is not whole; says which entry and what is wrong.
    """
    given = tuple(part for part in os.environ.get(FILES_VARIABLE, "").split(os.pathsep) if part)
    return _lexicon(tuple((path, stamp(path)) for path in (*given, *map(str, paths))))


@lru_cache(maxsize=8)
def _lexicon(stamped: tuple[tuple[str, object], ...]) -> Lexicon:
    shipped = files("workbench.homographs")
    found = [word for name in _SHIPPED for word in read(shipped.joinpath(name).read_text(encoding="utf-8"), where=name, source="workbench")]
    for path, _ in stamped:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"file of homographs cannot be read: {error}", where=path, mend=f"mend {FILES_VARIABLE} or the file") from None
        found += read(text, where=path, source=path)
    return Lexicon(found)


def read(text: str, *, where: str, source: str) -> list[Homograph]:
    """The homographs of one TOML text, see docs/homographs.md.

    Raises:
        ConfigError: no TOML, or an entry that is not whole.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=where) from None
    return [_homograph(word, entry, f"{where}, [{word}]", source) for word, entry in table.items()]


def _homograph(word: str, entry: Any, where: str, source: str) -> Homograph:
    if not isinstance(entry, dict) or word != word.lower() or not word.isalpha():
        raise ConfigError("a homograph is one word in lower case with a table of its readings", where=where, got=word)
    rest = {key: value for key, value in entry.items() if not isinstance(value, dict)}
    _check_keys(rest, _WORD_KEYS, where)
    tables = {key: value for key, value in entry.items() if isinstance(value, dict)}
    if len(tables) < 2:
        raise ConfigError("a homograph needs two readings", where=where, got=f"{len(tables)}", expected=f"tables such as [{word}.noun] and [{word}.verb]")
    readings = tuple(_reading(word, name, table, f"{where}.{name}") for name, table in tables.items())
    for reading in readings:
        for name in reading.tolerates:
            if name not in tables or name == reading.name:
                raise ConfigError("tolerates a reading that is not another of this word", where=f"{where}.{reading.name}", got=name, expected=", ".join(tables))
    _check_apart(readings, where)
    kind, told_by = rest.get("kind", contrast_of(*readings[:2]).kind), rest.get("told_by", "grammar")
    for key, value, known in (("kind", kind, KINDS), ("told_by", told_by, TOLD_BY)):
        if value not in known:
            raise ConfigError(f"unknown {key}", where=where, got=value, expected=", ".join(known))
    return Homograph(word, kind, told_by, readings, source)


def _reading(word: str, name: str, table: dict[str, Any], where: str) -> Reading:
    _check_keys(table, _READING_KEYS, where)
    for key in _TEXTS & set(table):
        if not isinstance(table[key], list) or not all(isinstance(item, str) and item.strip() for item in table[key]):
            raise ConfigError(f"{key} must be a list of texts", where=where, got=table[key])
    sense, pos = table.get("sense", ""), tuple(table.get("pos", ()))
    if not isinstance(sense, str) or not pos or not set(pos) <= set(PARTS_OF_SPEECH):
        got, expected = f"sense={sense!r}, pos={pos}", f"pos of {', '.join(PARTS_OF_SPEECH)}"
        raise ConfigError("a reading needs a sense in words and its parts of speech", where=where, got=got, expected=expected)
    variants = tuple(variant for region in REGIONS for variant in _variants(table.get(region, ()), region, where))
    if not variants:
        raise ConfigError("a reading needs a pronunciation", where=where, expected='us = ["L IY1 D"] or gb = ["liːd"]')
    examples = tuple(table.get("examples", ()))
    for example in examples:
        try:
            place_of(example, word)
        except TextError as error:
            raise ConfigError(f"example does not fit: {error}", where=where) from None
    texts = {key: tuple(table.get(key, ())) for key in ("labels", "tolerates", "cues")}
    return Reading(name, texts["labels"], sense, pos, variants, texts["tolerates"], examples, tuple(cue.lower() for cue in texts["cues"]))


def _check_keys(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(str(unknown_name("key", key, known)), where=where)


def _check_apart(readings: Sequence[Reading], where: str) -> None:
    for a, b in combinations(readings, 2):
        same = {variant.phones for variant in a.variants} & {variant.phones for variant in b.variants}
        if same:
            got = f"{a.name} and {b.name} share {' '.join(sorted(same)[0])}"
            raise ConfigError("two readings with the same pronunciation", where=where, got=got, mend=f'leave it out of one and write tolerates = ["{a.name}"] there')


def _variants(written: Sequence[str], region: str, where: str) -> list[Variant]:
    """Variants as written, then those that their weak vowels allow."""
    try:
        as_written = [Variant(phones_of(text), region, text) for text in written]
    except TextError as error:
        raise ConfigError(f"pronunciation cannot be read: {error}", where=where) from None
    weak = [Variant(phones, region, " ".join(phones), usual=False) for variant in as_written for phones in weak_variants(variant.phones, region=region)]
    return list({variant.phones: variant for variant in reversed([*as_written, *weak])}.values())[::-1]


def phones_of(written: str) -> tuple[str, ...]:
    """A pronunciation in ARPABET ("L IY1 D") or IPA ("liːd") as ARPABET with stress; a single syllable without a mark bears the stress.

    Raises:
        TextError: symbols that are neither.
    """
    if written.isascii() and (written.isupper() or " " in written.strip()):
        phones = parse_arpabet(written)
    elif unknown := unknown_symbols(written):
        raise TextError("not IPA of English", where=written, got=" ".join(unknown))
    else:
        phones = from_ipa(written, stress=True)
    vowels = [phone for phone in phones if phone[:-1] in VOWELS]
    if not vowels or (len(vowels) > 1 and not any(vowel.endswith("1") for vowel in vowels)):
        raise TextError("a pronunciation needs a vowel, and a mark of stress where it has several", where=written, expected="such as ˈɹɛkɚd or R EH1 K ER0 D")
    return phones if len(vowels) > 1 else tuple(f"{phone[:-1]}1" if phone in vowels else phone for phone in phones)


def weak_variants(phones: Sequence[str], *, region: str) -> list[tuple[str, ...]]:
    """The pronunciations that differ in weak vowels alone, as speakers of English mix them: unstressed IH as AH, and AH as IH in an American last syllable.

    (In a British one AH may be what is left of ER, which does not vary: "desert".)
    """
    last = max(at for at, phone in enumerate(phones) if phone[:-1] in VOWELS)
    weak = [at for at, phone in enumerate(phones) if (phone == "IH0" or (phone == "AH0" and at == last and region == "us")) and _is_free(phones, at)]
    choices = [("IH0", "AH0") if at in weak else (phone,) for at, phone in enumerate(phones)]
    return [made for made in product(*choices) if made != tuple(phones)]


def _is_free(phones: Sequence[str], at: int) -> bool:
    """Not at the end, and not before L, M, N, NG, R or a vowel: there the two are kept apart or fall together otherwise."""
    after = phones[at + 1] if at + 1 < len(phones) else "L"
    return after not in ("L", "M", "N", "NG", "R") and after[:-1] not in VOWELS
