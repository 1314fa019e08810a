"""Pronunciations for words that the lexicon lacks: eSpeak NG beside us where it is installed, else rules of our own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

#: IPA as eSpeak NG writes American English -> ARPABET without stress; the longest key wins.
_IPA = {
    "aɪɚ": "AY ER", "aʊɚ": "AW ER", "ɑːɹ": "AA R", "ɔːɹ": "AO R", "oːɹ": "AO R", "ɔɹ": "AO R", "ɑɹ": "AA R", "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R",
    "iə": "IY AH", "eɪ": "EY", "aɪ": "AY", "aʊ": "AW", "ɔɪ": "OY", "oʊ": "OW", "əʊ": "OW", "tʃ": "CH", "dʒ": "JH", "ɜː": "ER", "iː": "IY", "uː": "UW",
    "ɑː": "AA", "ɔː": "AO", "oː": "AO", "əl": "AH L", "n̩": "AH N", "l̩": "AH L", "m̩": "AH M", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "e": "EY", "ɛ": "EH",
    "æ": "AE", "a": "AA", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO", "o": "OW", "ʊ": "UH", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɚ": "ER", "ɜ": "ER", "ɝ": "ER",
    "b": "B", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "ç": "HH", "k": "K", "x": "K", "l": "L", "ɫ": "L", "ɬ": "L", "m": "M", "n": "N",
    "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH", "v": "V", "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH",
}  # fmt: skip
_IPA_PIECE = re.compile("|".join(sorted(map(re.escape, _IPA), key=len, reverse=True)))

#: Spelling -> sound, the longest first: the last resort where no eSpeak NG is at hand.
_LETTERS = {
    "tion": "SH AH N", "sion": "ZH AH N", "ture": "CH ER", "ough": "AO", "augh": "AO", "eigh": "EY", "igh": "AY", "tch": "CH", "dge": "JH", "sch": "SH",
    "air": "EH R", "ear": "IH R", "eer": "IH R", "our": "AO R", "oar": "AO R", "qu": "K W", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "wh": "W",
    "ck": "K", "ng": "NG", "gh": "G", "kn": "N", "wr": "R", "ee": "IY", "ea": "IY", "oo": "UW", "ai": "EY", "ay": "EY", "oa": "OW", "ow": "OW", "ou": "AW",
    "oi": "OY", "oy": "OY", "au": "AO", "aw": "AO", "ew": "UW", "ie": "IY", "ei": "EY", "ar": "AA R", "er": "ER", "ir": "ER", "or": "AO R", "ur": "ER",
    "ce": "S EH", "ci": "S IH", "cy": "S IY", "ge": "JH EH", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S",
    "y": "IY", "z": "Z",
}  # fmt: skip
_LETTER_PIECE = re.compile("|".join(sorted(_LETTERS, key=len, reverse=True)))
_NAMES = dict(zip(
    "abcdefghijklmnopqrstuvwxyz",
    "EY|B IY|S IY|D IY|IY|EH F|JH IY|EY CH|AY|JH EY|K EY|EH L|EH M|EH N|OW|P IY|K Y UW|AA R|EH S|T IY|Y UW|V IY|D AH B AH L Y UW|EH K S|W AY|Z IY".split("|"),
    strict=True,
))  # fmt: skip
_SPEAKABLE = re.compile(r"[a-z']*[a-z][a-z']*")
_TIME_LIMIT_SEC = 20.0

_guessed: dict[str, tuple[str, ...]] = {}


def guess(word: str) -> tuple[str, ...]:
    """ARPABET phones without stress for a word that no lexicon lists; empty when it has no letter of the Latin alphabet."""
    if word not in _guessed:
        guess_all([word])
    return _guessed[word]


def guess_all(words: Iterable[str]) -> None:
    """Guess many words in one go (one process for all of them); ``guess`` then answers from memory."""
    wanted = sorted({word for word in words if word not in _guessed})
    speakable = [word for word in wanted if _SPEAKABLE.fullmatch(word)]
    found = dict(zip(speakable, _ask_espeak(speakable), strict=True))
    for word in wanted:
        _guessed[word] = arpabet(found.get(word, "")) or by_rule(word)


def arpabet(ipa: str) -> tuple[str, ...]:
    """eSpeak NG's IPA as ARPABET phones; marks of stress and length that stand alone are dropped."""
    return tuple(phone for piece in _IPA_PIECE.findall(ipa) for phone in _IPA[piece].split())


def by_rule(word: str) -> tuple[str, ...]:
    """Our own letter-to-sound rules: letter names for a word without a vowel, silent final e, one sound for a doubled consonant."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    if letters and not re.search("[aeiouy]", letters):
        return tuple(phone for letter in letters for phone in _NAMES[letter].split())
    letters = re.sub(r"([^aeiou])\1", r"\1", letters)
    long_vowel = re.fullmatch(r"(.*)([aiou])([^aeiouwxy])e", letters)
    if long_vowel:
        head, vowel, tail = long_vowel.groups()
        return (*_sounds(head), *{"a": "EY", "i": "AY", "o": "OW", "u": "UW"}[vowel].split(), *_sounds({"c": "s", "g": "j"}.get(tail, tail)))
    return _sounds(letters[:-1] if len(letters) > 3 and letters.endswith("e") else letters)


def _sounds(letters: str) -> tuple[str, ...]:
    return tuple(phone for piece in _LETTER_PIECE.findall(letters) for phone in _LETTERS[piece].split())


def _ask_espeak(words: Sequence[str]) -> list[str]:
    """IPA per word; empty strings where no eSpeak NG answers."""
    if not words:
        return []
    for command in _commands():
        answer = _lines_of(command, words)
        if len(answer) == len(words):
            return answer
        if answer and len(words) > 1:
            # A word that it reads as two sentences shifts the lines: ask for each alone.
            return [" ".join(_lines_of(command, [word])) for word in words]
    return [""] * len(words)


@lru_cache(maxsize=1)
def _commands() -> tuple[tuple[str, ...], ...]:
    """Ways to ask eSpeak NG, the program first."""
    found = []
    if program := shutil.which("espeak-ng"):
        found.append((program, "-q", "--ipa", "-v", "en-us"))
    found.append((sys.executable, str(Path(__file__).with_name("espeak_child.py"))))
    return tuple(found)


def _lines_of(command: Sequence[str], words: Sequence[str]) -> list[str]:
    try:
        done = subprocess.run(
            command, input="\n".join(words) + "\n", capture_output=True, encoding="utf-8", errors="replace", timeout=_TIME_LIMIT_SEC, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
