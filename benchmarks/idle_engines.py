"""Engines for measuring what a scan costs beside them. They join through ``WORKBENCH_ENGINE_MODULES``; this file is no benchmark of its own."""

from __future__ import annotations

import time

from workbench.engines import EngineInfo
from workbench.stt.base import Transcript, Word

TEXT = "some words to compare with"
HEARD = tuple(Word(word, 0.2 * place, 0.2 * place + 0.15, 1.0) for place, word in enumerate(TEXT.split()))


class IdleTranscriber:
    """Hears the same words in every clip.

    Args:
        busy_ms: processor time spent on each clip first.
        unsure_every: of so many clips one is heard with little confidence, by its loudness; 0 for none.
        fails_every: of so many clips one is refused with an error, by its loudness; 0 for none.
    """

    def __init__(self, *, busy_ms: float = 0.0, unsure_every: int = 0, fails_every: int = 0) -> None:
        self.busy_ms, self.unsure_every, self.fails_every = busy_ms, unsure_every, fails_every

    def load(self, device: str = "cpu") -> None:
        pass

    def transcribe(self, requests):
        return [self._hear(request) for request in requests]

    def _hear(self, request) -> Transcript:
        until = time.thread_time() + self.busy_ms / 1000
        while time.thread_time() < until:
            pass
        number = round(abs(float(request.audio.samples[3])) * 1000)
        if self.fails_every and number % self.fails_every == 1:
            raise RuntimeError("this clip is always refused")
        words = HEARD
        if self.unsure_every and number % self.unsure_every == 0:
            words = tuple(Word(word.text, word.start_sec, word.end_sec, 0.5) for word in HEARD)
        return Transcript(words, "idle", "constant")

    def close(self) -> None:
        pass

    def identity(self):
        return {"unsure_every": self.unsure_every, "fails_every": self.fails_every}


ENGINES = [
    EngineInfo("idle", "stt", f"{__name__}:IdleTranscriber", "hears the same words in every clip", "Apache-2.0", "none"),
    EngineInfo("idle-second", "stt", f"{__name__}:IdleTranscriber", "hears the same words in every clip", "Apache-2.0", "none"),
]
