"""Third-party engines with the faults that real ones have: they hang inside C, break for a while, sit behind a slow load, draw at random."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
from pathlib import Path

import numpy as np

from workbench.engines import EngineInfo
from workbench.errors import EngineUnavailableError, Failure
from workbench.judges.base import Scores
from workbench.stt.base import Transcript, Word


class HangingTranscriber:
    """Hangs for ever on clips longer than ``hang_over_sec``, inside a C call that holds the interpreter's lock: no thread of its process can run any more.

    Each call is noted in ``log`` (lengths of its clips, rounded); with ``once`` (a path) it hangs only the first time. With ``load_program`` (a path) loading waits for
    a program that never ends, whose process number goes into that file.
    """

    name = "hanging"

    def __init__(self, *, log: str = "", hang_over_sec: float = 1e9, once: str = "", load_program: str = "") -> None:
        self.log, self.hang_over_sec, self.once, self.load_program = log, hang_over_sec, once, load_program

    def load(self, device: str = "cpu") -> None:
        if self.load_program:
            program = subprocess.Popen(["sleep", "3600"])
            Path(self.load_program).write_text(str(program.pid))
            program.wait()

    def transcribe(self, requests):
        lengths = [request.audio.duration_sec for request in requests]
        if self.log:
            with Path(self.log).open("a") as log:
                log.write(" ".join(f"{length:.1f}" for length in lengths) + "\n")
        if max(lengths) > self.hang_over_sec and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            self._hang()
        return [Transcript((Word("word", 0.0, length, 0.9),), self.name, "constant") for length in lengths]

    def _hang(self) -> None:
        ctypes.PyDLL(None).sleep(3600)

    def close(self) -> None:
        pass

    def identity(self):
        return {}


class BrokenTranscriber:
    """Fails on every call until ``log`` has ``well_after`` lines (a line per call)."""

    name = "broken"

    def __init__(self, *, log: str, well_after: int) -> None:
        self.log, self.well_after = Path(log), well_after

    def load(self, device: str = "cpu") -> None:
        pass

    def transcribe(self, requests):
        with self.log.open("a") as log:
            log.write(f"{len(requests)}\n")
        if len(self.log.read_text().splitlines()) <= self.well_after:
            raise RuntimeError("the card fell off the bus")
        return [Transcript((), self.name, "constant") for _ in requests]

    def close(self) -> None:
        pass

    def identity(self):
        return {}


class UnloadableJudge:
    """Has no weights."""

    name, columns = "unloadable", ("unloadable_score",)

    def load(self, device: str = "cpu") -> None:
        raise EngineUnavailableError("the weights are not here", mend="fetch them")

    def score(self, clips):
        raise AssertionError("not loaded")

    def close(self) -> None:
        pass

    def identity(self):
        return {}


class PlacedJudge:
    """Notes in ``log`` on which device it was loaded and which cards its process may see."""

    name, columns = "placed", ("placed_score",)

    def __init__(self, *, log: str) -> None:
        self.log = log

    def load(self, device: str = "cpu") -> None:
        Path(self.log).write_text(f"{device} {os.environ.get('CUDA_VISIBLE_DEVICES')}")

    def score(self, clips):
        return [Scores({"placed_score": 1.0}) for _ in clips]

    def close(self) -> None:
        pass

    def identity(self):
        return {}


class FussyJudge:
    """Refuses every clip, with the error type it is given."""

    name, columns, primary = "fussy", ("fussy_score",), "fussy_score"

    def __init__(self, *, log: str, failure: str) -> None:
        self.log, self.failure = Path(log), failure

    def load(self, device: str = "cpu") -> None:
        pass

    def score(self, clips):
        with self.log.open("a") as log:
            log.write("call\n" * len(clips))
        return [Scores({}, failure=Failure(self.name, self.failure, "not this one")) for _ in clips]

    def close(self) -> None:
        pass

    def identity(self):
        return {}


class DrawingJudge:
    """Scores by drawing from the generators of Python and numpy, and says so."""

    name, columns, primary, stochastic = "drawing", ("drawing_score",), "drawing_score", True

    def load(self, device: str = "cpu") -> None:
        pass

    def score(self, clips):
        return [Scores({"drawing_score": random.random() + np.random.random()}) for _ in clips]

    def close(self) -> None:
        pass

    def identity(self):
        return {}


ENGINES = [
    EngineInfo("hanging", "stt", f"{__name__}:HangingTranscriber", "hangs on long clips", "Apache-2.0", "none"),
    EngineInfo("broken", "stt", f"{__name__}:BrokenTranscriber", "fails for a while", "Apache-2.0", "none"),
    EngineInfo("unloadable", "judge", f"{__name__}:UnloadableJudge", "cannot be loaded", "Apache-2.0", "none"),
    EngineInfo("placed", "judge", f"{__name__}:PlacedJudge", "tells where it runs", "Apache-2.0", "none", devices=("cpu", "cuda")),
    EngineInfo("fussy", "judge", f"{__name__}:FussyJudge", "refuses all clips", "Apache-2.0", "none"),
    EngineInfo("drawing", "judge", f"{__name__}:DrawingJudge", "draws at random", "Apache-2.0", "none"),
]
