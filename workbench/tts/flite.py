"""CMU Flite as an engine: a program run once per text, so that the same text gives the same samples."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from workbench.audio import Audio
from workbench.tts.base import SpeechRequest
from workbench.tts.programs import check_speed, check_voice, refuse_phonemes, speak_with
from workbench.tts.said_as import as_flite, holds_in_order, replaced

#: Names for words whose pronunciation is given; pronounceable, as flite spells what is not.
_UNHEARD_OF = tuple(f"{head}emqu{tail}" for head in ("bl", "gr", "st", "pl") for tail in ("o", "a", "ot", "ap"))


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
            UnknownNameError, TextError, EngineError: see ``tts.programs`` and ``tts.said_as``.
        """
        return [self._one(request) for request in requests]

    def _one(self, request: SpeechRequest) -> Audio:
        check_voice(self.name, request.voice, self.voices())
        check_speed(self.name, request.speed)
        refuse_phonemes(self.name, request)
        with self._told(request) as (command, text):
            if request.speed != 1.0:
                command += ["--setf", f"duration_stretch={1 / request.speed:.4f}"]
            return speak_with(self.name, [*command, "-f", "{text}", "-o", "{wav}"], text, timeout_sec=self.timeout_sec)

    def confirms(self, request: SpeechRequest) -> bool:
        """Whether the forced pronunciations stand among the segments that flite says it speaks.

        Raises:
            EngineError: see ``tts.said_as``.
        """
        with self._told(request) as (command, text):
            told = subprocess.run([*command, "-ps", "-t", text, "-o", "none"], capture_output=True, text=True, timeout=self.timeout_sec, check=False).stdout
        return holds_in_order(_plain(told), [_plain(as_flite(one.arpabet)) for one in request.said_as])

    @contextmanager
    def _told(self, request: SpeechRequest) -> Iterator[tuple[list[str], str]]:
        """The command as far as it depends on voice and forced words, and the text; the lexicon of forced words lasts as long as the block."""
        command = ["flite", "-voice", request.voice]
        if not request.said_as:
            yield command, plain_ascii(request.text)
            return
        # An addendum for a word that flite's own lexicon holds is not always heeded; one for a word that no text holds is.
        names = _UNHEARD_OF[: len(request.said_as)]
        text = plain_ascii(replaced(request, names, where=self.name))
        with tempfile.TemporaryDirectory(prefix="workbench-tts-") as folder:
            lexicon = Path(folder, "addenda.txt")
            lexicon.write_text("".join(f"{name} : {as_flite(one.arpabet)}\n" for name, one in zip(names, request.said_as, strict=True)), encoding="ascii")
            yield [*command, "-add_lex", str(lexicon)], text

    def close(self) -> None:
        pass

    def identity(self) -> dict[str, object]:
        return {"engine": self.name, "version": _version()}


def plain_ascii(text: str) -> str:
    """Flite reads bytes and speaks what is not ASCII as rubbish: fold accents, quotes and dashes first; one line, as it pauses at line ends."""
    from text_unidecode import unidecode

    return " ".join(unidecode(text).split())


def _plain(segments: str) -> str:
    return f" {re.sub('[012]', '', segments).strip()} ".replace(" ax ", " ah ").replace(" ax ", " ah ")


@cache
def _voices() -> tuple[str, ...]:
    listed = subprocess.run(["flite", "-lv"], capture_output=True, text=True, timeout=20, check=True).stdout
    return tuple(sorted(listed.partition(":")[2].split()))


@cache
def _version() -> str:
    said = subprocess.run(["flite", "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    lines = [line.partition("version:")[2].split("(")[0].strip() for line in said.splitlines() if "version:" in line]
    return lines[0] if lines else "unknown"
