"""Pronunciations for words that the lexicon lacks: eSpeak NG beside us where it is installed, else rules of our own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from workbench.text.phone_sets import from_ipa, sounds_of

_SPEAKABLE = re.compile(r"[a-z']*[a-z][a-z']*")
_TIME_LIMIT_SEC = 20.0

_LONG_VOWELS = {"a": "EY", "i": "AY", "o": "OW", "u": "UW"}

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
    return from_ipa(ipa)


def by_rule(word: str) -> tuple[str, ...]:
    """Our own letter-to-sound rules: letter names for a word without a vowel, silent final e, one sound for a doubled consonant."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    if letters and not re.search("[aeiouy]", letters):
        return letter_names(letters)
    letters = re.sub(r"([^aeiou])\1", r"\1", letters)
    long_vowel = re.fullmatch(r"(.*)([aiou])([^aeiouwxy])e", letters)
    if long_vowel:
        head, vowel, tail = long_vowel.groups()
        tail = {"c": "s", "g": "j"}.get(tail, tail)
        return (*_spelt(head, "letters"), _LONG_VOWELS[vowel], *_spelt(tail, "letters"))
    return _spelt(letters[:-1] if len(letters) > 3 and letters.endswith("e") else letters, "letters")


def letter_names(letters: str) -> tuple[str, ...]:
    """Phones of a word said letter by letter."""
    return _spelt(letters, "names")


def _spelt(text: str, name: str) -> tuple[str, ...]:
    table, piece = sounds_of(name)
    return tuple(phone for found in piece.findall(text) for phone in table[found].split())


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
            command,
            input="\n".join(words) + "\n",
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIME_LIMIT_SEC,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
