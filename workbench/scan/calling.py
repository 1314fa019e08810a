"""Engine calls of a stage over the clips that lack it: asked for and told at the gate, seeded, and clip by clip where a batch fails."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench import engines
from workbench.audio import Audio
from workbench.clips import Clip
from workbench.errors import EngineError, EngineTimeoutError, Failure
from workbench.guard import Outcome, seed_everything, seed_of
from workbench.scan.by_word import Stretch, doubtful, requests, splice
from workbench.scan.calls import Call, Earlier, Ended, Gate
from workbench.scan.cascade import FINAL_ERRORS, Cascade, Choice
from workbench.scan.codec import score_columns, transcript_columns
from workbench.scan.stages import StagePlan, WorkPlan
from workbench.store import RowKey, StageResult
from workbench.stt.base import SttRequest, Transcript

@dataclass(slots=True)
class Item:
    """One readable clip on its way through the stages."""

    position: int
    clip: Clip
    audio: Audio
    key: RowKey
    choice: Choice

    @property
    def results(self) -> dict[str, StageResult]:
        """By stage name, those of the store and those computed since."""
        return self.choice.results


class Caller:
    """The engines of one worker, loaded when they are first needed. ``load_sec`` adds up what that took."""

    def __init__(self, plan: WorkPlan, *, gate: Gate) -> None:
        self._plan, self._gate = plan, gate
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
        results |= {i.position: self._killed(stage, i) for i in items if (stage.name, i.position) in earlier.killed}
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
        limit_sec = self._plan.limits.of(sum(item.audio.duration_sec for item in items), loaded=stage.name in self._engines)
        return Call(stage.name, tuple(item.position for item in items), limit_sec)

    def _call(self, stage: StagePlan, items: Sequence[Item]) -> Ended:
        engine = self._engine(stage)
        seed_everything(seed_of(self._plan.seed, items[0].key.file_hash))
        started = time.perf_counter()
        try:
            values = list(self._values(stage, engine, items))
        except Exception as error:  # noqa: BLE001 - whatever an engine throws becomes data
            if len(items) > 1:
                return Ended({})
            values, started = [({}, Failure.of(stage.name, error))], time.perf_counter()
        took = time.perf_counter() - started
        whole = sum(item.audio.duration_sec for item in items) or 1.0
        results = {}
        for item, (columns, failure) in zip(items, values, strict=True):
            error = {"type": failure.type, "message": failure.message, "attempts": _tried(stage, item) + 1} if failure else None
            results[item.position] = StageResult(stage.fingerprint_of(item.clip), columns, took * item.audio.duration_sec / whole, error)
        return Ended(results, tuple(_outcome(stage, item, results[item.position]) for item in items))

    def _values(self, stage: StagePlan, engine: Any, items: Sequence[Item]) -> Iterable[tuple[dict[str, Any], Failure | None]]:
        """Columns and failure of each clip; an engine that gave another number of answers than it got clips is an error of all of them."""
        if stage.kind == "judge":
            values = [(score_columns(stage.name, scores), scores.failure) for scores in engine.score([item.audio for item in items])]
        elif stage.name == "precision" and self._plan.cascade.escalate == "words":
            values = [(transcript_columns(stage.name, transcript), None) for transcript in heard_by_word(self._plan.cascade, engine, items)]
        else:
            answers = engine.transcribe([_request(stage, item) for item in items])
            values = [(transcript_columns(stage.name, transcript), None) for transcript in answers]
        return [value for value, _ in zip(values, items, strict=True)]

    def _killed(self, stage: StagePlan, item: Item) -> StageResult:
        """Two workers died of it, the second with this clip alone: that is tried no more."""
        message = f"engine {stage.engine!r} ends its process on this clip, perhaps for want of memory"
        return StageResult(stage.fingerprint_of(item.clip), {}, 0.0, {"type": "WorkerDied", "message": message, "attempts": self._plan.max_attempts})

    def _engine(self, stage: StagePlan) -> Any:
        if stage.name not in self._engines:
            started = time.perf_counter()
            engine = engines.create(stage.engine, stage.kind, **dict(stage.options))
            engine.load(engines.device_of(stage.engine, stage.kind, self._plan.device))
            self.load_sec += time.perf_counter() - started
            self._engines[stage.name] = engine
        return self._engines[stage.name]


def _singly(items: Sequence[Item]) -> list[list[Item]]:
    return [[item] for item in items]


def _tried(stage: StagePlan, item: Item) -> int:
    found = item.results.get(stage.name)
    return (found.error or {}).get("attempts", 0) if found else 0


def _hung(stage: StagePlan, item: Item, limit_sec: float) -> StageResult:
    error = EngineTimeoutError(
        f"engine {stage.engine!r} gave no answer", got=f"nothing in {limit_sec:.1f} s", mend="raise batch_timeout_sec if the engine is only slow"
    )
    told = {"type": type(error).__name__, "message": str(error), "attempts": _tried(stage, item) + 1}
    return StageResult(stage.fingerprint_of(item.clip), {}, limit_sec, told)


def _outcome(stage: StagePlan, item: Item, result: StageResult) -> Outcome:
    """What a result says about the engine: nothing, when the input was to blame."""
    if not result.error:
        return ""
    if result.error["type"] in FINAL_ERRORS or (stage.needs_reference and item.choice.heard("fast") is None):
        return None
    return f"{result.error['type']}: {result.error['message']}"


def _request(stage: StagePlan, item: Item) -> SttRequest:
    if not stage.needs_reference:
        return SttRequest(item.audio)
    return SttRequest(item.audio, tuple(token.text for token in item.choice.tokens), item.choice.heard("fast"))


def heard_by_word(cascade: Cascade, engine: Any, items: Sequence[Item]) -> Iterator[Transcript]:
    """One transcript per clip, from the stretches in which the fast engine left words in doubt, all in one call. A clip that the fast engine could not hear is heard
    whole."""
    asked: list[SttRequest] = []
    parts: list[tuple[Transcript | None, Sequence[Stretch], int]] = []
    for item in items:
        fast, tokens, stretches = item.choice.heard("fast"), item.choice.tokens, ()
        if fast is not None:
            stretches = doubtful(
                tokens, fast, duration_sec=item.audio.duration_sec, word_confidence=cascade.word_confidence, context_words=cascade.context_words,
                margin_sec=cascade.margin_sec,
            )
        mine = requests(item.audio, tokens, fast, stretches) if stretches else [SttRequest(item.audio, tuple(token.text for token in tokens), fast)]
        parts.append((fast, stretches, len(mine)))
        asked += mine
    answers = engine.transcribe(asked)
    if len(answers) != len(asked):
        raise EngineError("another number of transcripts than of requests", where="by word", got=len(answers), expected=len(asked))
    rest = iter(answers)
    for fast, stretches, count in parts:
        heard = [next(rest) for _ in range(count)]
        yield splice(fast, stretches, heard) if stretches else heard[0]
