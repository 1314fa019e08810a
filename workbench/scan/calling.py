"""Engine calls of a stage over the clips that lack it: asked for and told at the gate, seeded, and clip by clip where a batch fails."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench import engines
from workbench.audio import Audio
from workbench.clips import Clip
from workbench.errors import EngineTimeoutError, Failure
from workbench.guard import Outcome, seed_everything, seed_of
from workbench.scan.calls import Call, Earlier, Ended, Gate
from workbench.scan.codec import score_columns, transcript_columns, transcript_of
from workbench.scan.plan import StagePlan
from workbench.store import RowKey, StageResult, StoredRow
from workbench.stt.base import SttRequest, Transcript
from workbench.text import tokenise

#: Errors of the input, not of the engine; the same input gives them again, so trying again would only cost time.
FINAL_ERRORS = frozenset({"AudioError", "TextError", "ManifestError", "ConfigError", "UnknownNameError"})


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How long an engine call may take: ``batch_sec`` (None: for ever), more per second of audio, and more when it first loads its engine."""

    batch_sec: float | None = None
    per_audio_sec: float = 0.0
    load_sec: float = 0.0

    def of(self, audio_sec: float, *, loaded: bool) -> float | None:
        return None if self.batch_sec is None else self.batch_sec + self.per_audio_sec * audio_sec + (0.0 if loaded else self.load_sec)


@dataclass(slots=True)
class Item:
    """One readable clip on its way through the stages."""

    position: int
    clip: Clip
    audio: Audio
    key: RowKey
    row: StoredRow | None = None
    results: dict[str, StageResult] = field(default_factory=dict)

    def stored(self, stage: StagePlan) -> StageResult | None:
        return self.row.stage(stage.name, stage.fingerprint) if self.row else None


class Caller:
    """The engines of one worker, loaded when they are first needed. ``load_sec`` adds up what that took."""

    def __init__(self, *, device: str, gate: Gate, limits: CallLimits, seed: int) -> None:
        self._device, self._gate, self._limits, self._seed = device, gate, limits, seed
        self._engines: dict[str, Any] = {}
        self.load_sec = 0.0

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()

    def run(self, stage: StagePlan, items: Sequence[Item], earlier: Earlier) -> dict[int, StageResult]:
        """Results by position; clips that are absent were left out because the engine rests.

        A batch that fails is tried clip by clip, so that one bad clip costs only itself. An engine that draws at random (``stochastic``) gets single clips too, each
        seeded by its own content: its scores then depend on neither batch nor order.
        """
        results = {i.position: earlier.known[stage.name, i.position] for i in items if (stage.name, i.position) in earlier.known}
        results |= {i.position: _hung(stage, i, earlier.hung[stage.name, i.position]) for i in items if (stage.name, i.position) in earlier.hung}
        todo = [item for item in items if item.position not in results]
        waiting = deque(_singly(todo) if stage.stochastic or stage.name in earlier.alone else [todo])
        while waiting:
            group = waiting.popleft()
            call = self._gate.enter(self._asked(stage, group)) if group else None
            if call is None:
                break
            taken, rest = group[: len(call.members)], group[len(call.members) :]
            if rest:
                waiting.appendleft(rest)
            ended = self._call(stage, taken)
            self._gate.leave(ended)
            results |= ended.results
            if not ended.results:
                waiting.extendleft(reversed(_singly(taken)))
        return results

    def _asked(self, stage: StagePlan, items: Sequence[Item]) -> Call:
        limit_sec = self._limits.of(sum(item.audio.duration_sec for item in items), loaded=stage.name in self._engines)
        return Call(stage.name, tuple(item.position for item in items), limit_sec)

    def _call(self, stage: StagePlan, items: Sequence[Item]) -> Ended:
        engine = self._engine(stage)
        seed_everything(seed_of(self._seed, items[0].key.file_hash))
        started = time.perf_counter()
        try:
            values = list(_values(stage, engine, items))
        except Exception as error:  # noqa: BLE001 - whatever an engine throws becomes data
            if len(items) > 1:
                return Ended({})
            values, started = [({}, Failure.of(stage.name, error))], time.perf_counter()
        took = time.perf_counter() - started
        whole = sum(item.audio.duration_sec for item in items) or 1.0
        results = {}
        for item, (columns, failure) in zip(items, values, strict=True):
            error = {"type": failure.type, "message": failure.message, "attempts": _tried(stage, item) + 1} if failure else None
            results[item.position] = StageResult(stage.fingerprint, columns, took * item.audio.duration_sec / whole, error)
        return Ended(results, tuple(_outcome(stage, item, results[item.position]) for item in items))

    def _engine(self, stage: StagePlan) -> Any:
        if stage.name not in self._engines:
            started = time.perf_counter()
            engine = engines.create(stage.engine, stage.kind, **dict(stage.options))
            engine.load(engines.device_of(stage.engine, stage.kind, self._device))
            self.load_sec += time.perf_counter() - started
            self._engines[stage.name] = engine
        return self._engines[stage.name]


def _values(stage: StagePlan, engine: Any, items: Sequence[Item]) -> Iterable[tuple[dict[str, Any], Failure | None]]:
    """Columns and failure of each clip; an engine that gave another number of answers than it got clips is an error of all of them."""
    if stage.kind == "stt":
        answers = engine.transcribe([_request(stage, item) for item in items])
        values = [(transcript_columns(stage.name, transcript), None) for transcript in answers]
    else:
        values = [(score_columns(stage.name, scores), scores.failure) for scores in engine.score([item.audio for item in items])]
    return [value for value, _ in zip(values, items, strict=True)]


def _singly(items: Sequence[Item]) -> list[list[Item]]:
    return [[item] for item in items]


def _tried(stage: StagePlan, item: Item) -> int:
    found = item.stored(stage)
    return (found.error or {}).get("attempts", 0) if found else 0


def _hung(stage: StagePlan, item: Item, limit_sec: float) -> StageResult:
    error = EngineTimeoutError(
        f"engine {stage.engine!r} gave no answer", got=f"nothing in {limit_sec:.1f} s", mend="raise batch_timeout_sec if the engine is only slow"
    )
    told = {"type": type(error).__name__, "message": str(error), "attempts": _tried(stage, item) + 1}
    return StageResult(stage.fingerprint, {}, limit_sec, told)


def _outcome(stage: StagePlan, item: Item, result: StageResult) -> Outcome:
    """What a result says about the engine: nothing, when the input was to blame."""
    if not result.error:
        return ""
    if result.error["type"] in FINAL_ERRORS or (stage.needs_reference and first_transcript(item) is None):
        return None
    return f"{result.error['type']}: {result.error['message']}"


def _request(stage: StagePlan, item: Item) -> SttRequest:
    if not stage.needs_reference:
        return SttRequest(item.audio)
    return SttRequest(item.audio, tuple(token.text for token in tokenise(item.clip.text)), first_transcript(item))


def first_transcript(item: Item) -> Transcript | None:
    """What the fast engine heard in the clip, None when it did not or failed."""
    result = item.results.get("fast")
    return None if result is None or result.error else transcript_of("fast", result.values)
