"""What a homograph is: one spelling, several readings, each with all its valid pronunciations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.errors import TextError, unknown_name
from workbench.text.phone_sets import bare, spelt_ipa

#: What tells two readings apart by ear, see ``workbench.homographs.contrast``.
Kind = Literal["vowel", "reduction", "ate_ment", "voicing", "weak_reduction", "stress_only", "lexical"]
KINDS: tuple[Kind, ...] = ("vowel", "reduction", "ate_ment", "voicing", "weak_reduction", "stress_only", "lexical")
#: What tells two readings apart on paper: their part of speech, or only what the sentence is about.
TOLD_BY = ("grammar", "sense")
PARTS_OF_SPEECH = ("noun", "verb", "adjective", "adverb", "name")
REGIONS = ("us", "gb")


@dataclass(frozen=True, slots=True)
class Variant:
    """One valid pronunciation.

    Attributes:
        phones: ARPABET with stress, ("L", "IY1", "D"). A British variant is written with the same phones (ɒ as AA, no R after its vowel).
        region: "us" or "gb".
        written: as the lexicon has it, ARPABET or IPA.
        usual: False for one that the rule of weak vowels added (unstressed IH and AH are free variants in English).
    """

    phones: tuple[str, ...]
    region: str
    written: str
    usual: bool = True

    @property
    def bare(self) -> tuple[str, ...]:
        """The phones without stress, as a recogniser's dictionary has them."""
        return bare(self.phones)

    @property
    def ipa(self) -> str:
        """IPA: as written where the lexicon has IPA, else made of the phones."""
        return spelt_ipa(self.phones) if self.written.isascii() else self.written


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a homograph.

    Attributes:
        name: what the workbench calls it within its word: "noun", "metal".
        labels: what data sets call it, such as the WORDID of the Wikipedia Homograph Data.
        sense: what it means, in a few words.
        pos: parts of speech, the usual one first.
        variants: every valid pronunciation, usual ones first within each region, American before British.
        tolerates: names of readings whose sound dictionaries also allow here: heard there, it is no error.
        examples: sentences that ask for this reading; each holds the word once.
        cues: words that point to it, for readings that only the subject tells apart.
    """

    name: str
    labels: tuple[str, ...]
    sense: str
    pos: tuple[str, ...]
    variants: tuple[Variant, ...]
    tolerates: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()

    def of_region(self, region: str) -> tuple[Variant, ...]:
        """The variants of "us" or "gb"; empty where the lexicon lists none there."""
        return tuple(variant for variant in self.variants if variant.region == region)

    @property
    def usual(self) -> Variant:
        """The pronunciation that comes first."""
        return self.variants[0]


@dataclass(frozen=True, slots=True)
class Homograph:
    """One spelling with its readings.

    Attributes:
        word: lower case.
        kind: of the contrast between the first two readings; ``contrast.contrast_of`` gives it for any pair.
        told_by: "grammar" where the part of speech tells the readings apart, else "sense".
        readings: two or more.
        source: "workbench", or the file of the user's that it came from.
    """

    word: str
    kind: Kind
    told_by: str
    readings: tuple[Reading, ...]
    source: str = "workbench"

    def reading(self, name: str) -> Reading:
        """The reading of that name or data label.

        Raises:
            UnknownNameError: there is none.
        """
        for reading in self.readings:
            if name == reading.name or name in reading.labels:
                return reading
        raise unknown_name("reading", name, [reading.name for reading in self.readings], where=self.word)

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.readings)


def stamp(path: str | Path) -> tuple[int, ...] | None:
    """What is another when a file was written anew, so that what was read of it is read again; None where there is no file."""
    try:
        told = os.stat(path)
    except (OSError, ValueError):
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns


def place_of(sentence: str, word: str) -> tuple[int, int]:
    """Byte offsets, half-open, of a word that stands in the sentence once (any case).

    Raises:
        TextError: it stands there not at all, or more than once.
    """
    import re

    found = list(re.finditer(rf"(?<![\w'’-]){re.escape(word)}(?![\w-])", sentence, re.IGNORECASE))
    if len(found) != 1:
        raise TextError("the word must stand in the sentence once", where=sentence, got=f"{word}, {len(found)} times")
    start = len(sentence[: found[0].start()].encode())
    return start, start + len(found[0].group().encode())
