"""A scan: clips in, rows in the store out. Running it again computes only what is missing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field

from workbench.clips import Clip
from workbench.errors import ConfigError
from workbench.guard import Breakers, State
from workbench.scan.finished import Unfinished
from workbench.scan.local import LocalRunner
from workbench.scan.plan import ScanConfig, plan_stages, work_plan
from workbench.scan.progress import Progress, print_line
from workbench.scan.stages import StagePlan, WorkPlan
from workbench.scan.worker import Batch, BatchOutcome, Worker, died
from workbench.store import Store

#: Clips to try again that are kept in mind at once; the tries of further ones are left for another run.
MOST_AGAIN = 2000


@dataclass(frozen=True, slots=True)
class StageHealth:
    """How an engine bore up in a scan.

    Attributes:
        breaker: where its breaker stands at the end; ``opened`` counts how often it opened, ``last_error`` is the last failure that it was told.
        timed_out: clips on which the engine hung.
        left_out: clips that it was not tried on, or not again, because it rested or because what it builds on is missing; another run computes them.
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
    """What a scan did.

    Attributes:
        failed: clips that could not be read or that an engine failed on, in this run or an earlier one.
        computed: clips that an engine was called for; with the order ``batch``, those of its largest pass.
        audio_sec: length of the clips that were opened.
        engine_sec: the engines' own time by stage, summed over workers; clips found in the store cost none.
        load_sec: what loading the engines took.
        unsettled: clips with work left for another run.
    """

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
    unsettled: int = 0


@dataclass(slots=True)
class _Totals:
    """What the passes of a scan come to."""

    engine_sec: Counter = field(default_factory=Counter)
    load_sec: float = 0.0
    left_out: Counter = field(default_factory=Counter)
    timed_out: Counter = field(default_factory=Counter)
    opened: Counter = field(default_factory=Counter)
    breaker: dict[str, str] = field(default_factory=dict)
    last_error: dict[str, str] = field(default_factory=dict)
    unsettled: int = 0

    def add(self, outcome: BatchOutcome) -> None:
        for name in ("engine_sec", "left_out", "timed_out", "opened", "breaker", "last_error"):
            getattr(self, name).update(getattr(outcome, name))
        self.load_sec += outcome.load_sec
        self.unsettled += len(outcome.unsettled)


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
    """Hear and judge the clips as the cascade chooses, each batch committed in one transaction.

    Args:
        clips: a manifest or any iterable; it is read as the work goes on and never held whole. With the order ``batch`` it is read once for every stage, and once more.
        scan_id: names the list of clips, so that results can be read back in their order.
        total: for the progress lines, if known.

    Raises:
        UnknownNameError, EngineUnavailableError, ConfigError: before any clip is touched.
        StoreError: the database refused; what was committed stays, the same call goes on from there.
        RunError, or what an engine's loading raised: the run cannot go on; the same holds.
    """
    stages = plan_stages(config)
    plan = work_plan(config, stages, store)
    if config.order == "batch" and iter(clips) is clips:
        raise ConfigError("these clips can be read only once", where="order", got="batch", expected="a manifest or a list", mend="use the order stream")
    breakers, totals, started = plan.breakers(), _Totals(), time.perf_counter()
    passes = [None] if config.order == "stream" else [*((stage.name,) for stage in stages), None]
    progresses: list[Progress] = []
    with _machines(config):
        for only in passes:
            progresses.append(Progress(label if len(passes) == 1 else f"{label} ({only[0] if only else 'last look'})", total=total, say=say))
            # What an earlier pass left out, this one may do.
            totals.left_out, totals.unsettled = Counter(), 0
            unfinished = Unfinished(clips, plan, store, scan_id, batch_clips=config.batch_clips, progress=progresses[-1], only=only)
            try:
                with closing(_runner(config, plan, breakers, only, scan_id)) as runner:
                    _run(unfinished, runner, store, scan_id, config, progresses[-1], totals)
            except BaseException as error:
                say(f"{label}: stopped by {type(error).__name__}; every finished clip is stored in {store.shown}, and the same scan goes on from there")
                raise
            progresses[-1].finish()
    store.clear_scan(scan_id, from_position=unfinished.listed)
    health = _health(stages, breakers, totals)
    for line in filter(None, map(_told, health)):
        say(f"{label}: {line}")
    if progresses[-1].failed:
        say(f"{label}: {progresses[-1].failed} clips failed; to list them: workbench db errors --db {store.shown} --scan {scan_id}")
    return ScanSummary(
        scan_id=scan_id,
        stages=stages,
        clips=progresses[-1].done,
        failed=progresses[-1].failed,
        computed=max(progress.computed for progress in progresses),
        audio_sec=max(progress.audio_sec for progress in progresses),
        wall_sec=time.perf_counter() - started,
        engine_sec=dict(totals.engine_sec),
        load_sec=totals.load_sec,
        workers=config.workers,
        health=health,
        unsettled=totals.unsettled,
    )


def _machines(config: ScanConfig) -> AbstractContextManager:
    """What the runners of all passes work on."""
    if config.runner == "local":
        return nullcontext()
    from workbench.scan.ray_connection import connected

    return connected(config.ray_address or None, cpus=config.workers)


def _runner(config: ScanConfig, plan: WorkPlan, breakers: Breakers, only: Sequence[str] | None, scan_id: str):
    if config.runner == "ray":
        from workbench.scan.ray_folder import folder_of
        from workbench.scan.ray_runner import RayRunner

        folder = folder_of(config.ray_folder, scan_id=scan_id, store_url=plan.store_url)
        told = {"cluster": bool(config.ray_address), "workers": config.workers, "shard_clips": config.ray_shard_clips, "gpus": config.ray_gpus}
        return RayRunner(plan, only=only, folder=folder, **told)
    # Only a process of its own can be stopped.
    apart = config.batch_timeout_sec is not None
    return LocalRunner(Worker, {"plan": plan, "only": only}, workers=config.workers, on_death=died, breakers=breakers, apart=apart)


def _run(unfinished: Unfinished, runner, store: Store, scan_id: str, config: ScanConfig, progress: Progress, totals: _Totals) -> None:
    """One pass: all unfinished batches, then again the clips that an engine failed on, as often as they may be tried."""
    batches: Iterable[Batch] = unfinished
    tried_again = False
    while True:
        again: list[tuple[int, Clip]] = []
        for outcome in runner.run(batches):
            room = MOST_AGAIN - len(again)
            taken, given_up = outcome.again[:room], outcome.again[room:]
            chunks = unfinished.settle(outcome, given_up=given_up)
            store.write(outcome.records, scan_id=scan_id, members=outcome.members, files=outcome.files, chunks=chunks)
            totals.add(outcome)
            totals.unsettled += len(given_up)
            again += taken
            done = len(outcome.members) - len(taken)
            progress.add(
                done,
                failed=len(outcome.failed) + len(given_up),
                # A clip that is tried again was computed once already, though nothing may have come of it now.
                computed=done if tried_again else outcome.computed + len(given_up),
                audio_sec=0.0 if tried_again else outcome.audio_sec,
            )
        if not again:
            return
        batches, tried_again = list(_batches(again, config.batch_clips)), True


def _batches(clips: Batch, size: int) -> Iterator[Batch]:
    return (clips[start : start + size] for start in range(0, len(clips), size))


def _health(stages: tuple[StagePlan, ...], breakers: Breakers, totals: _Totals) -> tuple[StageHealth, ...]:
    found = {report.name: report for report in breakers.report()}
    return tuple(
        StageHealth(
            s.name,
            s.engine,
            # Workers on other machines keep breakers of their own.
            State(totals.breaker[s.name]) if s.name in totals.breaker else found[s.name].state,
            found[s.name].opened + totals.opened[s.name],
            totals.timed_out[s.name],
            totals.left_out[s.name],
            totals.last_error.get(s.name) or found[s.name].last_error,
        )
        for s in stages
    )


def _told(health: StageHealth) -> str:
    if health.sound:
        return ""
    told = f"{health.stage} ({health.engine}): hung on {health.timed_out} clips, breaker {health.breaker} (opened {health.opened} times), {health.left_out} clips left for another run"
    return told + (f"; last error: {health.last_error}" if health.last_error else "")
