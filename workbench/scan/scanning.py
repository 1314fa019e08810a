"""A scan: clips in, rows in the store out. Running it again computes only what is missing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from workbench.clips import Clip
from workbench.guard import Breakers, State
from workbench.scan.calling import CallLimits
from workbench.scan.local import run_local
from workbench.scan.plan import ScanConfig, StagePlan, plan_stages
from workbench.scan.progress import Progress, print_line
from workbench.scan.worker import AUDIO_FINGERPRINT, BatchOutcome, Worker, file_state, is_missing, text_hash, unreadable_key
from workbench.store import Member, RowKey, StageRecord, StageResult, Store

#: How many clips are compared with the store in one query.
RECOGNISED_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class StageHealth:
    """How an engine bore up in a scan.

    Attributes:
        breaker: where its breaker stands at the end; ``opened`` counts how often it opened, ``last_error`` is the last failure that it was told.
        timed_out: clips on which the engine hung.
        left_out: clips that it was not tried on, because it rested or because what it builds on is missing; another run computes them.
    """

    stage: str
    engine: str
    breaker: State
    opened: int
    timed_out: int
    left_out: int
    last_error: str

    @property
    def sound(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.opened or self.timed_out or self.left_out)


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """What a scan did. ``engine_sec`` is the engines' own time by stage, summed over workers (clips found in the store
    cost none), ``load_sec`` what loading them took, ``audio_sec`` the length of the clips that were opened."""

    scan_id: str
    stages: tuple[StagePlan, ...]
    clips: int
    failed: int
    computed: int
    audio_sec: float
    wall_sec: float
    engine_sec: dict[str, float]
    load_sec: float
    workers: int
    health: tuple[StageHealth, ...] = ()


def scan(
    clips: Iterable[Clip],
    config: ScanConfig,
    store: Store,
    *,
    scan_id: str,
    label: str = "scan",
    total: int | None = None,
    say: Callable[[str], None] = print_line,
) -> ScanSummary:
    """Hear and judge every clip, each batch committed in one transaction.

    Args:
        clips: a manifest or any iterable; it is read as the work goes on and never held whole.
        scan_id: names the list of clips, so that results can be read back in their order.
        total: for the progress lines, if known.

    Raises:
        UnknownNameError, EngineUnavailableError, ConfigError: before any clip is touched.
        StoreError: the database refused; what was committed stays, the same call goes on from there.
    """
    stages = plan_stages(config)
    progress = Progress(label, total=total, say=say)
    engine_sec: dict[str, float] = {}
    left_out, timed_out = Counter(), Counter()
    load_sec, started = 0.0, time.perf_counter()
    breakers = Breakers((stage.name for stage in stages), failures=config.breaker_failures, rest_sec=config.breaker_rest_sec)
    batches = _Unfinished(clips, stages, store, scan_id, config, progress)
    outcomes = run_local(
        batches,
        make_worker=Worker,
        arguments={
            "stages": stages,
            "store_url": store.url,
            "device": config.device,
            "max_attempts": config.max_attempts,
            "limits": CallLimits(config.batch_timeout_sec, config.batch_timeout_per_audio_sec, config.load_timeout_sec),
            "seed": config.seed,
        },
        workers=config.workers,
        on_death=_died,
        breakers=breakers,
        # Only a process of its own can be stopped.
        apart=config.batch_timeout_sec is not None,
    )
    for outcome in outcomes:
        store.write(outcome.records, scan_id=scan_id, members=outcome.members, files=outcome.files)
        load_sec += outcome.load_sec
        left_out += outcome.left_out
        timed_out += outcome.timed_out
        for stage, sec in outcome.engine_sec.items():
            engine_sec[stage] = engine_sec.get(stage, 0.0) + sec
        progress.add(len(outcome.members), failed=outcome.failed, computed=outcome.computed, audio_sec=outcome.audio_sec)
    store.clear_scan(scan_id, from_position=progress.done)
    progress.finish()
    health = _health(stages, breakers, timed_out, left_out)
    for line in filter(None, map(_told, health)):
        say(f"{label}: {line}")
    return ScanSummary(
        scan_id=scan_id,
        stages=stages,
        clips=progress.done,
        failed=progress.failed,
        computed=progress.computed,
        audio_sec=progress.audio_sec,
        wall_sec=time.perf_counter() - started,
        engine_sec=engine_sec,
        load_sec=load_sec,
        workers=config.workers,
        health=health,
    )


def _health(stages: tuple[StagePlan, ...], breakers: Breakers, timed_out: Counter, left_out: Counter) -> tuple[StageHealth, ...]:
    found = {report.name: report for report in breakers.report()}
    return tuple(
        StageHealth(s.name, s.engine, found[s.name].state, found[s.name].opened, timed_out[s.name], left_out[s.name], found[s.name].last_error) for s in stages
    )


def _told(health: StageHealth) -> str:
    if health.sound:
        return ""
    told = f"{health.stage} ({health.engine}): hung on {health.timed_out} clips, breaker {health.breaker} (opened {health.opened} times), {health.left_out} clips left for another run"
    return told + (f"; last error: {health.last_error}" if health.last_error else "")


class _Unfinished:
    """Batches of clips that some stage has work for. Clips whose file is unchanged and whose stages are done are noted on the way and not opened."""

    def __init__(self, clips: Iterable[Clip], stages: tuple[StagePlan, ...], store: Store, scan_id: str, config: ScanConfig, progress: Progress) -> None:
        self._clips, self._stages, self._store, self._scan_id, self._config, self._progress = clips, stages, store, scan_id, config, progress

    def __iter__(self) -> Iterator[list[tuple[int, Clip]]]:
        numbered = enumerate(self._clips)
        waiting: list[tuple[int, Clip]] = []
        while chunk := list(islice(numbered, RECOGNISED_AT_ONCE)):
            waiting += self._without_finished(chunk)
            while len(waiting) >= self._config.batch_clips:
                batch, waiting = waiting[: self._config.batch_clips], waiting[self._config.batch_clips :]
                yield batch
        if waiting:
            yield waiting

    def _without_finished(self, chunk: list[tuple[int, Clip]]) -> list[tuple[int, Clip]]:
        states = [file_state(clip) for _, clip in chunk]
        known = self._store.file_states([state.place for state in states if state])
        keys = {}
        for (position, clip), state in zip(chunk, states, strict=True):
            before = known.get(state.place) if state else None
            if before is not None and before._replace(file_hash="") == state:
                keys[position] = RowKey(before.file_hash, clip.dataset, text_hash(clip.text))
        rows = self._store.read(keys.values(), stages=[stage.name for stage in self._stages]) if keys else {}
        finished, rest, failed = [], [], 0
        for position, clip in chunk:
            row = rows.get(keys.get(position))
            results = [row.stage(stage.name, stage.fingerprint) for stage in self._stages] if row else []
            if row is None or any(
                is_missing(stage, clip, result, max_attempts=self._config.max_attempts) for stage, result in zip(self._stages, results, strict=True)
            ):
                rest.append((position, clip))
            else:
                finished.append(Member(position, keys[position], clip))
                failed += any(result is not None and result.error for result in results)
        if finished:
            self._store.write([], scan_id=self._scan_id, members=finished)
            self._progress.add(len(finished), failed=failed)
        return rest


def _died(item: tuple[int, Clip]) -> BatchOutcome:
    position, clip = item
    key = unreadable_key(clip)
    error = {"type": "WorkerDied", "message": "the worker process died on this clip twice, perhaps for want of memory", "attempts": 2}
    record = StageRecord(key, clip, "audio", StageResult(AUDIO_FINGERPRINT, {}, 0.0, error))
    return BatchOutcome((record,), (Member(position, key, clip),), failed=1, computed=1, audio_sec=0.0)
