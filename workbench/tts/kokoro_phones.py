"""Text as Kokoro's phonemes, without anything that would download: eSpeak NG through misaki, in the phone set the model was trained on.

The usual English front end of Kokoro (``misaki.en.G2P``) fetches a spaCy model at run time. Here the whole text goes the way that front end
keeps for words it does not know. The difference is heard in homographs, which a caller may settle by giving phonemes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace

from workbench.errors import EngineError, EngineUnavailableError
from workbench.text import tokenise

#: First letter of a voice -> language of eSpeak NG.
ESPEAK_LANGUAGES = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
#: Where to break speech that is too long for one pass, the best places first.
_BREAKS = (r"(?:(?<=[.!?…])|(?<=[.!?…][\"”)]))\s+", r"(?<=[:;])\s+", r"(?<=[,—])\s+", r"\s+")


def phonemes_of(text: str, language: str) -> str:
    """Phonemes of a text with its punctuation.

    Args:
        language: first letter of the voice.

    Raises:
        EngineUnavailableError: misaki's rules for the language are not installed, or would download what they need.
    """
    plain = " ".join((spoken_in_full(text) if language in "ab" else text).split())
    return " ".join(_rules(language)(plain).split())


def spoken_in_full(text: str) -> str:
    """English with numbers, abbreviations and symbols as words, the rest as written: the point of "Mr." or "3.5" is no pause."""
    out, at = [], 0
    groups: dict[tuple[int, int], list[str]] = {}
    for token in tokenise(text):
        if token.kind != "word":
            groups.setdefault((token.start, token.end), []).append(token.text)
    for (start, end), words in groups.items():
        ends_sentence = text[start:end].endswith(".") and not text[end:].strip()
        out += [text[at:start], " ".join(words), "." if ends_sentence else ""]
        at = end
    return "".join(out) + text[at:]


@lru_cache(maxsize=None)
def _rules(language: str) -> Callable[[str], str]:
    if language in ("j", "z"):
        mend = "give the request its phonemes, or use a Kokoro server (openai-speech)"
        raise EngineUnavailableError(
            "no phonemes for Japanese and Chinese texts without further packages and downloads", where="kokoro", mend=mend
        )
    if language not in ESPEAK_LANGUAGES:
        mend = f"name the voice's file after its language, {', '.join(f'{k} ({v})' for k, v in ESPEAK_LANGUAGES.items())}, or give the request its phonemes"
        raise EngineUnavailableError("a voice whose first letter names no language", where="kokoro", got=language, mend=mend)
    from misaki.espeak import EspeakFallback, EspeakG2P

    if language in "ab":
        english = EspeakFallback(british=language == "b")
        return lambda text: english(SimpleNamespace(text=text))[0] or ""
    other = EspeakG2P(language=ESPEAK_LANGUAGES[language])
    return lambda text: other(text)[0] or ""


def known_only(phonemes: str, vocabulary: dict[str, int]) -> str:
    """What the model has symbols for. It would drop the rest itself, after counting it."""
    return "".join(symbol for symbol in phonemes if symbol in vocabulary)


def check_phonemes(phonemes: str, vocabulary: dict[str, int]) -> None:
    """
    Raises:
        EngineError: given phonemes hold a symbol that the model does not know, or nothing to say.
    """
    unknown = sorted(set(phonemes) - set(vocabulary))
    if unknown:
        raise EngineError(
            "phonemes that Kokoro does not know", where="kokoro", got=" ".join(unknown), expected=f"symbols among {''.join(vocabulary)}"
        )
    if not any(symbol.isalpha() for symbol in phonemes):
        raise EngineError("no phoneme to say", where="kokoro", got=phonemes or "empty phonemes")


def in_passes(phonemes: str, most: int) -> list[str]:
    """Phonemes in pieces of at most ``most`` symbols, broken after sentences where that suffices, else after clauses or between words."""
    return [piece for piece in _packed(phonemes.strip(), most, 0) if piece]


def _packed(phonemes: str, most: int, level: int) -> list[str]:
    if len(phonemes) <= most:
        return [phonemes]
    if level == len(_BREAKS):
        return [phonemes[start : start + most] for start in range(0, len(phonemes), most)]
    packed: list[str] = []
    for part in filter(None, (part.strip() for part in re.split(_BREAKS[level], phonemes))):
        joined = f"{packed[-1]} {part}" if packed else part
        if packed and len(joined) <= most:
            packed[-1] = joined
        else:
            packed += _packed(part, most, level + 1)
    return packed
