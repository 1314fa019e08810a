"""eSpeak NG as an engine: the system's program, or the library that the package ``espeakng-loader`` carries.

The library keeps state from one text to the next, so each utterance gets a process of its own: the same text then gives the same samples.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from workbench.audio import Audio
from workbench.tts.base import SpeechRequest
from workbench.tts.programs import check_speed, check_text, check_voice, refuse_phonemes, speak_with
from workbench.tts.said_as import as_espeak, holds_in_order, replaced

WORDS_PER_MINUTE = 175
VOICES = ("en-029", "en-gb", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp", "en-us")


class EspeakSynthesizer:
    """English voices of eSpeak NG, 22.05 kHz mono."""

    name = "espeak"
    cloud = False

    def __init__(self, *, timeout_sec: float = 120.0) -> None:
        self.timeout_sec = timeout_sec

    def load(self, device: str = "cpu") -> None:
        _door()

    def voices(self) -> tuple[str, ...]:
        return VOICES

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]:
        """One audio per request, in order.

        Raises:
            UnknownNameError, TextError, EngineError: see ``tts.programs`` and ``tts.said_as``.
        """
        return [self._one(request) for request in requests]

    def _one(self, request: SpeechRequest) -> Audio:
        check_voice(self.name, request.voice, VOICES)
        check_speed(self.name, request.speed)
        refuse_phonemes(self.name, request)
        check_text(self.name, request.text)
        text = self._written(request)
        pace = str(round(WORDS_PER_MINUTE * request.speed))
        if _door() == "program":
            command = ["espeak-ng", "-v", request.voice, "-s", pace, "-f", "{text}", "-w", "{wav}"]
        else:
            command = [sys.executable, "-m", "workbench.tts.espeak_child", request.voice, pace, "{text}", "{wav}"]
        return speak_with(self.name, command, " ".join(text.split()), timeout_sec=self.timeout_sec)

    def _written(self, request: SpeechRequest) -> str:
        return replaced(request, [f"[[{as_espeak(one.arpabet)}]]" for one in request.said_as], where=self.name)

    def confirms(self, request: SpeechRequest) -> bool | None:
        """Whether the forced pronunciations stand in the program's own transcription of the request; None where only the library is there, which tells none.

        Raises:
            EngineError: see ``tts.said_as``.
        """
        if _door() != "program":
            return None
        command = ["espeak-ng", "-v", request.voice, "-q", "-x", "--stdin"]
        told = subprocess.run(command, input=self._written(request), capture_output=True, text=True, timeout=self.timeout_sec, check=False).stdout
        return holds_in_order(_plain(told), [_plain(as_espeak(one.arpabet)) for one in request.said_as])

    def close(self) -> None:
        pass

    def identity(self) -> dict[str, object]:
        return {"engine": self.name, "door": _door(), "version": _version()}


def _plain(mnemonics: str) -> str:
    """Mnemonics without stress and what voices make of them: links, glides, and variants of a phoneme."""
    return re.sub(r"3(?!:)", "@", re.sub(r"r-|[',%|;2-]", "", mnemonics))


@cache
def _door() -> str:
    return "program" if shutil.which("espeak-ng") else "library"


@cache
def _version() -> str:
    if _door() == "program":
        said = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
        return said.partition("text-to-speech:")[2].split("Data at")[0].strip() or "unknown"
    from importlib.metadata import version

    return f"espeakng-loader {version('espeakng-loader')}"
