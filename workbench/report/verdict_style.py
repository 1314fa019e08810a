"""How each verdict is named, marked and coloured: the one place for tables, players and figures.

Colour is never the only sign. A verdict's family has its own hue AND its own underline, each verdict its own symbol and words.
Hues follow Okabe and Ito (2008, "Color Universal Design"), darkened or lightened until text in them reaches a contrast of 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.verdicts.base import FLAGGED, Verdict


@dataclass(frozen=True, slots=True)
class Family:
    """Verdicts that ask the same of the reader: one hue per theme, one CSS underline, one hatch for print."""

    name: str
    light: str
    dark: str
    underline: str
    hatch: str


@dataclass(frozen=True, slots=True)
class VerdictStyle:
    """One verdict's label (in words), short label (in a chip), symbol (beside a word), meaning (in a legend) and family."""

    label: str
    short: str
    symbol: str
    meaning: str
    family: Family

    @property
    def css_class(self) -> str:
        return f"wb-v-{self.family.name}"


PASSED = Family("pass", "#1d2126", "#e6e8eb", "none", "")
FAULT = Family("fault", "#b5330b", "#ff9470", "solid 0.14em", "")
UNSURE = Family("unsure", "#875300", "#f0b649", "wavy 0.09em", "////")
RECOGNISER = Family("recogniser", "#0b5a96", "#7dc1f7", "dotted 0.14em", "....")
SAME = Family("same", "#0a6a50", "#5fd1ae", "dashed 0.1em", "\\\\\\\\")
TEXT = Family("text", "#8c3672", "#eba0cf", "double 0.14em", "xxxx")

FAMILIES: tuple[Family, ...] = (PASSED, FAULT, UNSURE, RECOGNISER, SAME, TEXT)

#: In order of severity: where several tokens share one written form, the first of these that occurs marks it.
STYLES: dict[Verdict, VerdictStyle] = {
    Verdict.TTS_FAILURE: VerdictStyle("TTS failure", "TTS", "✗", "both recognisers heard the same other word, or neither heard one: a fault of the audio, as far as they can tell", FAULT),
    Verdict.AMBIGUOUS: VerdictStyle("ambiguous", "ambig.", "?", "both heard something else, not the same: listen", UNSURE),
    Verdict.GT_ERROR: VerdictStyle("text error", "text", "T", "the text is faulty, for instance a space is missing", TEXT),
    Verdict.GT_TYPO: VerdictStyle("typo in text", "typo", "t", "the text holds a typo, the audio is right", TEXT),
    Verdict.STT_ERROR: VerdictStyle("fast misheard", "fast", "f", "only the fast recogniser heard something else", RECOGNISER),
    Verdict.PRECISION_ERROR: VerdictStyle(
        "precision misheard", "prec", "p", "only the precision recogniser heard something else", RECOGNISER
    ),
    Verdict.HOMOPHONE: VerdictStyle("homophone", "homoph", "≈", "a word of the same sound was written", SAME),
    Verdict.COMPOUND: VerdictStyle("compound", "comp", "&", "neighbouring words were merged or split", SAME),
    Verdict.SPELLING_VARIANT: VerdictStyle("spelling variant", "spell", "~", "the same word, spelt otherwise", SAME),
    Verdict.ABBREVIATION: VerdictStyle("abbreviation", "abbr", ".", "written short, heard in full, or the other way round", SAME),
    Verdict.FILLER_WORD: VerdictStyle("filler word", "filler", "u", "uh, um, hmm", SAME),
    Verdict.PASS: VerdictStyle("pass", "pass", "✓", "both recognisers heard the word", PASSED),
}

_SEVERITY = {verdict: rank for rank, verdict in enumerate(STYLES)}


def style_of(verdict: Verdict) -> VerdictStyle:
    return STYLES[Verdict(verdict)]


def severest(verdicts: list[Verdict]) -> Verdict:
    """The verdict that a written form carries when its tokens differ."""
    return min(verdicts, key=_SEVERITY.__getitem__)


def in_order(verdicts: set[Verdict]) -> list[Verdict]:
    """The verdicts, severest first."""
    return sorted(verdicts, key=_SEVERITY.__getitem__)


def is_flagged(verdict: Verdict) -> bool:
    return verdict in FLAGGED
