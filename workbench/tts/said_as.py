"""Pronunciations that a request forces (``SpeechRequest.said_as``), in the notation of each engine that takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.errors import EngineError
from workbench.tts.base import SaidAs, SpeechRequest

#: Most forced words in one text.
MOST_FORCED = 16
#: ARPABET -> (eSpeak NG's mnemonic for English, Kokoro's symbol). A stressed vowel takes its mark before it.
_NOTATION = {
    "AA": ("A:", "ɑ"), "AE": ("a", "æ"), "AH": ("V", "ʌ"), "AO": ("O:", "ɔ"), "AW": ("aU", "W"), "AY": ("aI", "I"), "EH": ("E", "ɛ"),
    "ER": ("3:", "ɜɹ"), "EY": ("eI", "A"), "IH": ("I", "ɪ"), "IY": ("i:", "i"), "OW": ("oU", "O"), "OY": ("OI", "Y"), "UH": ("U", "ʊ"), "UW": ("u:", "u"),
    "B": ("b", "b"), "CH": ("tS", "ʧ"), "D": ("d", "d"), "DH": ("D", "ð"), "F": ("f", "f"), "G": ("g", "ɡ"), "HH": ("h", "h"), "JH": ("dZ", "ʤ"),
    "K": ("k", "k"), "L": ("l", "l"), "M": ("m", "m"), "N": ("n", "n"), "NG": ("N", "ŋ"), "P": ("p", "p"), "R": ("r", "ɹ"), "S": ("s", "s"),
    "SH": ("S", "ʃ"), "T": ("t", "t"), "TH": ("T", "θ"), "V": ("v", "v"), "W": ("w", "w"), "Y": ("j", "j"), "Z": ("z", "z"), "ZH": ("Z", "ʒ"),
}  # fmt: skip
#: Vowels that are weaker where they bear no stress.
_WEAK = {"AH": ("@", "ə"), "ER": ("3", "əɹ"), "IY": ("i", "i")}


def as_espeak(arpabet: Sequence[str]) -> str:
    """``K AH0 N D AH1 K T`` as ``k@nd'Vkt``."""
    marks = {"1": "'", "2": ",", "0": "", "": ""}
    return "".join(marks[stress] + _symbol(base, stress)[0] for base, stress in _phones(arpabet))


def as_kokoro(arpabet: Sequence[str]) -> str:
    """``K AH0 N D AH1 K T`` as ``kəndˈʌkt``."""
    marks = {"1": "ˈ", "2": "ˌ", "0": "", "": ""}
    return "".join(marks[stress] + _symbol(base, stress)[1] for base, stress in _phones(arpabet))


def as_flite(arpabet: Sequence[str]) -> str:
    """``K AH0 N D AH1 K T`` as ``k ax0 n d ah1 k t``: flite knows two degrees of stress."""
    degree = {"0": "0", "1": "1", "2": "1", "": ""}
    return " ".join("ax0" if (base, stress) == ("AH", "0") else base.lower() + degree[stress] for base, stress in _phones(arpabet))


def parts(request: SpeechRequest, *, where: str) -> Iterator[tuple[str, SaidAs | None]]:
    """The text in order: stretches as written (None beside them) and forced words.

    Raises:
        EngineError: a span outside the text, spans out of order or too many, or a phone that is none.
    """
    text, at = request.text, 0
    if len(request.said_as) > MOST_FORCED:
        raise EngineError("too many forced pronunciations", where=where, got=len(request.said_as), expected=f"at most {MOST_FORCED} in a text")
    for said in request.said_as:
        if not at <= said.start < said.end <= len(text):
            expected = f"spans in order within 0 to {len(text)}"
            raise EngineError("a forced pronunciation lies outside the text or over another", where=where, got=f"{said.start} to {said.end}", expected=expected)
        list(_phones(said.arpabet, where=where))
        yield text[at : said.start], None
        yield text[said.start : said.end], said
        at = said.end
    yield text[at:], None


def replaced(request: SpeechRequest, by: Sequence[str], *, where: str) -> str:
    """The text with each forced word replaced.

    Raises:
        EngineError: see ``parts``.
    """
    given = iter(by)
    return "".join(part if said is None else next(given) for part, said in parts(request, where=where))


def holds_in_order(text: str, pieces: Sequence[str]) -> bool:
    """Whether the pieces stand in the text one after the other."""
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece.rstrip())
    return True


def _phones(arpabet: Sequence[str], *, where: str = "said_as") -> Iterator[tuple[str, str]]:
    """(phone, stress) of each; a vowel without a digit is unstressed."""
    if not arpabet:
        raise EngineError("a forced pronunciation without phones", where=where, expected="at least one phone")
    for phone in arpabet:
        base, stress = (phone[:-1], phone[-1]) if phone[-1:].isdigit() else (phone, "")
        vowel = base[:1] in "AEIOU"
        if base not in _NOTATION or stress not in ("", "0", "1", "2") or (stress and not vowel):
            raise EngineError("not an ARPABET phone", where=where, got=phone, expected=f"one of {' '.join(_NOTATION)}, vowels with 0, 1 or 2")
        yield base, (stress or "0") if vowel else ""


def _symbol(base: str, stress: str) -> tuple[str, str]:
    return _WEAK[base] if stress == "0" and base in _WEAK else _NOTATION[base]
