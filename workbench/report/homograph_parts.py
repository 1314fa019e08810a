"""Pieces of tables about homographs: a sentence with its word, a reading as it sounds, the word to listen to."""

from __future__ import annotations

from collections.abc import Callable

from workbench import audio as audio_io
from workbench.audio import Audio
from workbench.homographs.lexicon import lexicon
from workbench.report import players
from workbench.report.html import Fragment, escape

#: Audio kept on either side of the word, so that a listener hears its sentence begin and end.
MARGIN_SEC = 1.2
#: Characters of the sentence shown on either side of the word.
_AROUND = 60


def marked(text: str, span: tuple[int, int]) -> Fragment:
    """A text with the word at ``span`` (characters, half-open) made to stand out; long ones are cut on both sides."""
    start, end = span
    low, high = max(0, start - _AROUND), min(len(text), end + _AROUND)
    before, after = ("…" if low else "") + text[low:start], text[end:high] + ("…" if high < len(text) else "")
    return Fragment(f'<span class="wb-sentence">{escape(before)}<strong>{escape(text[start:end])}</strong>{escape(after)}</span>')


def reading_name(reading: str) -> str:
    """A reading's name in the lexicon as words."""
    return reading.replace("noun_adjective", "noun, adjective").replace("_", " ")


def reading_of(word: str, reading: str | None) -> Fragment | None:
    """A reading's name and its usual pronunciation."""
    if reading is None:
        return None
    return Fragment(f'{escape(reading_name(reading))} <span class="wb-nowrap">/{escape(lexicon()[word].reading(reading).usual.ipa)}/</span>')


def player(read: Callable[[], Audio], span_sec: tuple[float, float] | None, *, left: int, label: str) -> Fragment:
    """A small player of the word and what stands around it, or why there is none.

    Args:
        read: the clip; ``OSError`` and ``WorkbenchError`` of it are told in the player's place.
        span_sec: where the word lies; None takes the whole clip.
        left: bytes that the page may still grow by.
    """
    sound = players.sound_of(lambda: _around(read, span_sec), left)
    if sound.uri is None:
        return Fragment(escape(sound.why_not))
    return Fragment(f'<audio class="wb-inline" controls preload="none" src="{sound.uri}" aria-label="{escape(label)}"></audio>')


def _around(read: Callable[[], Audio], span_sec: tuple[float, float] | None) -> bytes | None:
    try:
        audio = read()
    except OSError:
        return None
    if span_sec is not None:
        audio = audio_io.cut(audio, max(0.0, span_sec[0] - MARGIN_SEC), min(audio.duration_sec, span_sec[1] + MARGIN_SEC))
    return audio_io.encode_mp3(audio)
