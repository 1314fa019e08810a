"""CMU Flite as an engine: a program run once per text, so that the same text gives the same samples."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache

from workbench.audio import Audio
from workbench.tts.base import SpeechRequest
from workbench.tts.programs import check_speed, check_voice, refuse_phonemes, speak_with


class FliteSynthesizer:
    """Flite's built-in voices (kal, kal16, awb, rms, slt ...); 16 kHz mono, kal 8 kHz."""

    name = "flite"
    cloud = False

    def __init__(self, *, timeout_sec: float = 120.0) -> None:
        self.timeout_sec = timeout_sec

    def load(self, device: str = "cpu") -> None:
        _voices()

    def voices(self) -> tuple[str, ...]:
        return _voices()

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]:
        """One audio per request, in order.

        Raises:
            UnknownNameError, TextError, EngineError: see ``tts.programs``.
        """
        return [self._one(request) for request in requests]

    def _one(self, request: SpeechRequest) -> Audio:
        check_voice(self.name, request.voice, self.voices())
        check_speed(self.name, request.speed)
        refuse_phonemes(self.name, request)
        command = ["flite", "-voice", request.voice]
        if request.speed != 1.0:
            command += ["--setf", f"duration_stretch={1 / request.speed:.4f}"]
        return speak_with(self.name, [*command, "-f", "{text}", "-o", "{wav}"], plain_ascii(request.text), timeout_sec=self.timeout_sec)

    def close(self) -> None:
        pass

    def identity(self) -> dict[str, object]:
        return {"engine": self.name, "version": _version()}


def plain_ascii(text: str) -> str:
    """Flite reads bytes and speaks what is not ASCII as rubbish: fold accents, quotes and dashes first; one line, as it pauses at line ends."""
    from text_unidecode import unidecode

    return " ".join(unidecode(text).split())


@cache
def _voices() -> tuple[str, ...]:
    listed = subprocess.run(["flite", "-lv"], capture_output=True, text=True, timeout=20, check=True).stdout
    return tuple(sorted(listed.partition(":")[2].split()))


@cache
def _version() -> str:
    said = subprocess.run(["flite", "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    lines = [line.partition("version:")[2].split("(")[0].strip() for line in said.splitlines() if "version:" in line]
    return lines[0] if lines else "unknown"
