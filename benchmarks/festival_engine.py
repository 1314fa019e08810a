"""Festival as a third-party engine, for measurements only: diphone and HTS voices that sound like neither flite's nor eSpeak's.

Joined by ``WORKBENCH_ENGINE_MODULES=benchmarks.festival_engine``. Forced pronunciations go into its lexicon under a name that no text holds.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from functools import cache

from workbench.audio import Audio
from workbench.engines import EngineInfo
from workbench.tts.base import SpeechRequest
from workbench.tts.flite import plain_ascii
from workbench.tts.programs import check_speed, check_text, check_voice, refuse_phonemes, speak_with
from workbench.tts.said_as import as_flite, holds_in_order, replaced

_NAMES = tuple(f"blemqu{tail}" for tail in ("o", "a", "ot", "ap"))


class FestivalSynthesizer:
    """English voices of festival."""

    name = "festival"
    cloud = False

    def load(self, device: str = "cpu") -> None:
        _voices()

    def voices(self) -> tuple[str, ...]:
        return _voices()

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]:
        return [self._one(request) for request in requests]

    def _one(self, request: SpeechRequest) -> Audio:
        check_voice(self.name, request.voice, _voices())
        check_speed(self.name, request.speed)
        refuse_phonemes(self.name, request)
        check_text(self.name, request.text)
        # speak_with puts the file's name in.
        script = f'(begin {self._script(request)} (utt.save.wave utt "{{wav}}"))'
        return speak_with(self.name, ["festival", "-b", script], request.text, timeout_sec=120)

    def confirms(self, request: SpeechRequest) -> bool:
        """Whether the forced pronunciations stand among the segments that festival says it speaks."""
        script = f'(begin {self._script(request)} (mapcar (lambda (x) (format t " %s" (item.name x))) (utt.relation.items utt (quote Segment))))'
        told = subprocess.run(["festival", "-b", script], capture_output=True, text=True, timeout=120, check=False).stdout
        return holds_in_order(_plain(told), [_plain(as_flite(one.arpabet)) for one in request.said_as])

    def _script(self, request: SpeechRequest) -> str:
        names = _NAMES[: len(request.said_as)]
        text = re.sub(r'["\\{}]', "", plain_ascii(replaced(request, names, where=self.name)))
        entries = "".join(
            f"(lex.add.entry (cons \"{name}\" (cons nil (list (lex.syllabify.phstress (quote ({_phones(one.arpabet)})))))))"
            for name, one in zip(names, request.said_as, strict=True)
        )
        stretch = f"(Parameter.set (quote Duration_Stretch) {1 / request.speed:.4f})"
        return f'(voice_{request.voice}) {stretch} {entries} (set! utt (utt.synth (Utterance Text "{text}")))'

    def close(self) -> None:
        pass

    def identity(self) -> dict[str, object]:
        return {"engine": self.name, "version": _version()}


def _phones(arpabet: Sequence[str]) -> str:
    return as_flite(arpabet).replace("ax0", "ax").replace("0", "")


def _plain(segments: str) -> str:
    return f" {re.sub('[012]', '', segments).strip()} ".replace(" ax ", " ah ").replace(" ax ", " ah ")


@cache
def _voices() -> tuple[str, ...]:
    told = subprocess.run(["festival", "-b", "(print (voice.list))"], capture_output=True, text=True, timeout=60, check=True).stdout
    return tuple(sorted(told.strip("() \n").split()))


@cache
def _version() -> str:
    told = subprocess.run(["festival", "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"System: ([\d.]+)", told)
    return found[1] if found else "unknown"


ENGINES = (
    EngineInfo(
        name="festival",
        kind="tts",
        factory="benchmarks.festival_engine:FestivalSynthesizer",
        summary="festival's English voices, for measurements",
        licence_code="MIT-like (CSTR), BSD-like (CMU)",
        licence_weights="voice by voice; see its packages",
        install="apt-get install festival festvox-kdlpc16k festvox-us-slt-hts",
        programs=(("festival",),),
    ),
)
