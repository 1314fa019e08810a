"""Third-party engines as a user would write them: deterministic, quick, and able to fail on demand.

They join through ``WORKBENCH_ENGINE_MODULES``, the door that any third party uses, so worker processes know them too.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from workbench.engines import EngineInfo
from workbench.errors import Failure
from workbench.judges.base import Scores
from workbench.stt.base import Transcript, Word


class CountingTranscriber:
    """Hears one word per 0.1 s; notes each call in ``log`` so that a test can count what was computed."""

    def __init__(self, *, log: str = "", fail_over_sec: float = 0.0, die_over_sec: float = 0.0, die_once: str = "", revision: str = "1") -> None:
        self.log, self.fail_over_sec, self.die_over_sec, self.die_once, self.revision = log, fail_over_sec, die_over_sec, die_once, revision

    def load(self, device: str = "cpu") -> None:
        pass

    def transcribe(self, requests):
        for request in requests:
            if self.die_over_sec and request.audio.duration_sec > self.die_over_sec and self._may_die():
                os.kill(os.getpid(), signal.SIGKILL)
            if self.fail_over_sec and request.audio.duration_sec > self.fail_over_sec:
                raise RuntimeError(f"cannot hear {request.audio.duration_sec:.1f} s")
        if self.log:
            with Path(self.log).open("a") as log:
                log.write("".join(f"{r.audio.duration_sec:.3f}\n" for r in requests))
        return [self._hear(request.audio.duration_sec) for request in requests]

    def _may_die(self) -> bool:
        if not self.die_once:
            return True
        try:
            Path(self.die_once).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _hear(self, duration_sec: float) -> Transcript:
        words = tuple(Word("word", i / 10, (i + 1) / 10, 0.9) for i in range(int(duration_sec * 10)))
        return Transcript(words, "counting", "constant")

    def close(self) -> None:
        pass

    def identity(self):
        return {"revision": self.revision}


class LoudnessJudge:
    """A judge with a column of its own; refuses clips above a length."""

    name, columns, primary = "loudness", ("loudness_peak",), "loudness_peak"

    def __init__(self, *, refuse_over_sec: float = 1e9) -> None:
        self.refuse_over_sec = refuse_over_sec

    def load(self, device: str = "cpu") -> None:
        pass

    def score(self, clips):
        return [
            Scores({}, failure=Failure("loudness", "EngineError", "too long"))
            if clip.duration_sec > self.refuse_over_sec
            else Scores({"loudness_peak": clip.peak}, notes=("looked at the peak",))
            for clip in clips
        ]

    def close(self) -> None:
        pass

    def identity(self):
        return {"refuse_over_sec": self.refuse_over_sec}


class ScriptedTranscriber:
    """Hears what it is told to hear in clips of a length.

    Args:
        script: by length in milliseconds, [word, confidence] pairs that share the clip's time evenly. Other lengths: what the request's reference says, surely.
        log: a file that gets the lengths of each call, so that a test can count what was heard.
    """

    def __init__(self, *, script: dict | None = None, log: str = "") -> None:
        self.script, self.log = script or {}, log

    def load(self, device: str = "cpu") -> None:
        pass

    def transcribe(self, requests):
        if self.log:
            with Path(self.log).open("a") as log:
                log.write("".join(f"{1000 * r.audio.duration_sec:.0f}\n" for r in requests))
        return [self._hear(request) for request in requests]

    def _hear(self, request) -> Transcript:
        heard = self.script.get(f"{1000 * request.audio.duration_sec:.0f}", [[word, 1.0] for word in request.reference])
        each = request.audio.duration_sec / max(1, len(heard))
        return Transcript(tuple(Word(word, i * each, (i + 1) * each, sure) for i, (word, sure) in enumerate(heard)), "scripted", "scripted")

    def close(self) -> None:
        pass

    def identity(self):
        return {"script": self.script}


ENGINES = [
    EngineInfo("scripted", "stt", f"{__name__}:ScriptedTranscriber", "hears what it is told", "Apache-2.0", "none"),
    EngineInfo("scripted-second", "stt", f"{__name__}:ScriptedTranscriber", "hears what it is told", "Apache-2.0", "none"),
    EngineInfo("scripted-weighing", "stt", f"{__name__}:ScriptedTranscriber", "hears what it is told", "Apache-2.0", "none", needs=("reference",)),
    EngineInfo("counting", "stt", f"{__name__}:CountingTranscriber", "hears a word per 0.1 s", "Apache-2.0", "none"),
    EngineInfo("loudness", "judge", f"{__name__}:LoudnessJudge", "peak as a score", "Apache-2.0", "none"),
    EngineInfo("absent", "judge", "nowhere:Nothing", "cannot be had", "Apache-2.0", "none", install="pip install nowhere", programs=(("python:nowhere",),)),
]
