"""Listening tests of tones: real plans, sounds and files, small enough to see through."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.conftest import tone
from workbench.audio import write_wav
from workbench.clips import Clip
from workbench.listening.base import NO_PREFERENCE, Rating, Trial, TrialKind
from workbench.listening.plan import Plan, PlanRules
from workbench.listening.preparing import Prepared, prepare
from workbench.listening.ratings import HEADER, line_of
from workbench.listening.session import RATINGS, open_session

NOW = "2026-01-05T10:00:00+00:00"


def tone_clips(folder: Path, *, systems: int, texts: int, duration_sec: float = 0.2) -> Iterator[Clip]:
    """A clip of its own pitch for each system and text."""
    for system in range(systems):
        for text in range(texts):
            path = folder / f"system{system}" / f"text{text:02d}.wav"
            if not path.exists():
                write_wav(tone(duration_sec, pitch_hz=150 + 40 * system + 3 * text), path)
            yield Clip(f"system{system}/text{text:02d}", str(path), f"this is sentence number {text}", "tones", f"system{system}")


def tone_test(folder: Path, *, systems: int = 3, texts: int = 6, **rules: object) -> Prepared:
    """A prepared test under ``folder / "test"``."""
    return prepare(tone_clips(folder / "clips", systems=systems, texts=texts), PlanRules(**rules), folder=folder / "test")


@dataclass(frozen=True)
class Listeners:
    """Answers by a rule that the test states: each listener's opinion of an item is ``quality(item)`` plus what they are off by."""

    plan: Plan
    quality: Callable[[str], float]
    bias_sd: float = 0.3
    noise_sd: float = 0.5
    seed: int = 1

    def ratings(self, count: int) -> list[Rating]:
        return [rating for slot in range(count) for rating in self.of_one(slot)]

    def of_one(self, slot: int, *, answer: str | None = None, elapsed_sec: float = 5.0, checks: bool = True) -> list[Rating]:
        """One listener's answers: with ``answer`` always that one; without ``checks`` they fail every attention check."""
        rng = np.random.default_rng([self.seed, slot])
        bias = rng.normal(0, self.bias_sd)
        return [Rating(f"listener-{slot:02d}", t, self._answer(t, rng, bias, answer, checks), elapsed_sec, NOW) for t in self.plan.trials(slot)]

    def _answer(self, trial: Trial, rng: np.random.Generator, bias: float, answer: str | None, checks: bool) -> str:
        if trial.check:
            wrong = next(a for a in ("5", "1", "A", "B") if (a.isdigit() == (trial.kind is TrialKind.MOS)) and a not in trial.accepted)
            return trial.accepted[0] if checks else wrong
        if answer is not None:
            return answer
        heard = [self.quality(item) + rng.normal(0, self.noise_sd) for item in trial.items]
        if trial.kind is TrialKind.MOS:
            return str(int(np.clip(round(heard[0] + bias), 1, 5)))
        if trial.kind is TrialKind.AB:
            return NO_PREFERENCE if abs(heard[0] - heard[1]) < 0.2 else "A" if heard[0] > heard[1] else "B"
        return trial.accepted[0]


def rate_forever(folder: str, listener: str, told: str) -> None:
    """A process that rates until it is killed; each answer that is on the disk is then counted in the file ``told``."""
    from workbench.listening.plan import load_plan

    session = open_session(folder, load_plan(folder), listener)
    with open(told, "ab", buffering=0) as counted:
        while (trial := session.current) is not None:
            session.answer("3" if trial.kind is TrialKind.MOS else "A", elapsed_sec=1.0)
            os.write(counted.fileno(), b".")


def ratings_path(prepared: Prepared, listener: str) -> Path:
    return prepared.folder / RATINGS / f"{listener}.csv"


def save_ratings(prepared: Prepared, ratings: list[Rating]) -> None:
    """One listener's ratings as a panel would write them; the slot is the number in the listener's name."""
    path = ratings_path(prepared, ratings[0].listener)
    path.parent.mkdir(exist_ok=True)
    slot = int(ratings[0].listener.rpartition("-")[2])
    lines = [
        line_of((1, prepared.plan.plan_id, r.listener, slot, r.trial.position, r.trial.token, r.trial.kind.value, r.answer, r.elapsed_sec, r.rated_at, "panel")) for r in ratings
    ]
    path.write_bytes(HEADER + b"".join(lines))
