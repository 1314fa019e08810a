"""The stages of a scan and what every worker must know of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.engines import Kind
from workbench.guard import Breakers
from workbench.scan.reference import forms_of

if TYPE_CHECKING:
    from workbench.clips import Clip
    from workbench.scan.cascade import Cascade, Choice
    from workbench.store import RowKey, StageResult


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage.

    Attributes:
        name: its place in the store.
        engine: the registry name behind it.
        stochastic: whether the engine says that it draws at random.
        gated: whether it is a judge of quality, which the cascade's ``mos_mode`` chooses clips for.
        reads_text: whether its results depend on the words that a clip should say.
    """

    name: str
    kind: Kind
    engine: str
    fingerprint: str
    options: tuple[tuple[str, Any], ...] = ()
    needs_reference: bool = False
    stochastic: bool = False
    gated: bool = False
    reads_text: bool = False

    def fingerprint_of(self, clip: Clip) -> str:
        """Under which a clip's results are kept. The text itself is part of every key; the ways to say it matter only to a stage that reads it."""
        forms = forms_of(clip) if self.reads_text else ""
        return fingerprint(stage=self.fingerprint, spoken_forms=forms) if forms else self.fingerprint


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How long an engine call may take: ``batch_sec`` (None: for ever), more per second of audio, and more when it first loads its engine."""

    batch_sec: float | None = None
    per_audio_sec: float = 0.0
    load_sec: float = 0.0

    def of(self, audio_sec: float, *, loaded: bool) -> float | None:
        return None if self.batch_sec is None else self.batch_sec + self.per_audio_sec * audio_sec + (0.0 if loaded else self.load_sec)


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """What every worker of a scan must know; it travels to other processes and machines.

    Attributes:
        store_url: of the results database, with its password if the URL had one; ``store_patience_sec`` is how long it is waited for.
        max_attempts: tries of a clip that an engine fails on.
        breaker_failures, breaker_rest_sec: as ``ScanConfig`` has them.
    """

    stages: tuple[StagePlan, ...]
    cascade: Cascade
    store_url: str
    store_patience_sec: float
    device: str
    max_attempts: int
    limits: CallLimits
    seed: int
    breaker_failures: int | None
    breaker_rest_sec: float

    @property
    def by_name(self) -> Mapping[str, StagePlan]:
        return {stage.name: stage for stage in self.stages}

    def choice(self, clip: Clip, key: RowKey, results: dict[str, StageResult], *, by_name: Mapping[str, StagePlan] | None = None) -> Choice:
        """What the stages choose for a clip. ``by_name`` saves making it for every clip."""
        from workbench.scan.cascade import Choice

        return Choice(by_name or self.by_name, self.cascade, seed=self.seed, max_attempts=self.max_attempts, clip=clip, key=key, results=results)

    def breakers(self) -> Breakers:
        return Breakers((stage.name for stage in self.stages), failures=self.breaker_failures, rest_sec=self.breaker_rest_sec)


def fingerprint(**parts: Any) -> str:
    """Short stable hash of what a result depends on."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
