"""The parts of the Ray pipeline: opening clips, one part per stage, and writing the result.

Each lives in an actor and has one worker process for its work, kept from shard to shard, under the local runner's supervision. A stage's worker holds that stage's
engine and nothing else; only the opening one reads the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workbench.guard import BreakerReport
from workbench.scan.calling import Caller, Item
from workbench.scan.calls import Earlier, Gate, LocalGate
from workbench.scan.cascade import ToDo
from workbench.scan.local import LocalRunner
from workbench.scan.ray_folder import Source, patiently
from workbench.scan.ray_pipeline import Finished
from workbench.scan.shards import merged, read_clips, read_outcome, without_audio, write_outcome
from workbench.scan.stages import StagePlan, WorkPlan
from workbench.scan.worker import Batch, BatchOutcome, Opened, Worker, died, file_state
from workbench.store import StageResult


@dataclass(slots=True)
class Shard:
    """A shard between two parts: its batches as opened, what became of clips that killed their worker outside of any engine, and how the engines bore up."""

    identity: str
    batches: list[Opened] = field(default_factory=list)
    dead: list[BatchOutcome] = field(default_factory=list)
    health: BatchOutcome = field(default_factory=lambda: BatchOutcome((), (), failed=(), computed=0, audio_sec=0.0))

    def died(self, item: Item) -> None:
        """Nothing else is kept of a clip that killed its worker, as without Ray."""
        state = file_state(item.clip)
        for opened in self.batches:
            opened.items = [other for other in opened.items if other is not item]
            opened.members = [member for member in opened.members if member.position != item.position]
            opened.records = [record for record in opened.records if record.clip is not item.clip]
            opened.files = [file for file in opened.files if state is None or file.place != state.place]
        self.dead.append(died((item.position, item.clip)))

    def outcome(self, plan: WorkPlan, stages: Sequence[StagePlan]) -> BatchOutcome:
        """What the shard came to, once these stages are through."""
        return merged([self.health, *(opened.outcome(plan, stages) for opened in self.batches), *self.dead])


class _Opener:
    """Reads a batch of clips and looks it up; the encoded audio of inline clips stays behind."""

    def __init__(self, plan: WorkPlan) -> None:
        self._plan, self._by_name = plan, plan.by_name
        self._worker = Worker(plan, gate=LocalGate(plan.breakers()))

    def process(self, batch: Batch) -> Opened:
        opened = self._worker.open(batch)
        bare = {id(clip): without_audio(clip) for _, clip in batch}
        for item in opened.items:
            item.clip = bare[id(item.clip)]
            item.choice = self._plan.choice(item.clip, item.key, item.results, by_name=self._by_name)
        opened.members = [replace(member, clip=bare[id(member.clip)]) for member in opened.members]
        opened.records = [replace(record, clip=bare[id(record.clip)]) for record in opened.records]
        return opened

    def close(self) -> None:
        self._worker.close()


class _StageWorker:
    """Calls one stage's engine for clips that are open. Results by position, and the time that loading took."""

    def __init__(self, plan: WorkPlan, stage: StagePlan, *, gate: Gate) -> None:
        self._stage, self._caller = stage, Caller(plan, gate=gate)

    def process(self, items: Sequence[Item], earlier: Earlier) -> tuple[dict[int, StageResult], float]:
        self._caller.load_sec = 0.0
        results = self._caller.run(self._stage, items, earlier)
        return results, self._caller.load_sec

    def close(self) -> None:
        self._caller.close()


class OpenPart:
    """Reads a shard's clips from the shared folder and opens them. A shard that is finished already goes through untouched."""

    def __init__(self, plan: WorkPlan, source: Source) -> None:
        self._source = source
        self._runner = LocalRunner(_Opener, {"plan": plan}, workers=1, on_death=died, apart=True)

    def step(self, number: int, _state: None) -> Shard | Finished:
        if self._source.stored(number).exists():
            return Finished()
        patiently(lambda: self._source.clips(number).exists() or None)
        batches, identity = read_clips(self._source.clips(number))
        if read_outcome(self._source.result(number), identity=identity) is not None:
            return Finished()
        shard = Shard(identity)
        for found in self._runner.run(batches):
            (shard.batches if isinstance(found, Opened) else shard.dead).append(found)
        return shard

    def close(self) -> None:
        self._runner.close()


class StagePart:
    """Runs one stage over a shard; the part of the last of ``stages`` writes the result."""

    def __init__(self, plan: WorkPlan, stage: StagePlan, source: Source, stages: Sequence[StagePlan]) -> None:
        self._plan, self._stage, self._source, self._stages = plan, stage, source, stages
        self._breakers = plan.breakers()
        arguments = {"plan": plan, "stage": stage}
        self._runner = LocalRunner(_StageWorker, arguments, workers=1, on_death=lambda item: item, breakers=self._breakers, apart=True)

    def step(self, number: int, shard: Shard) -> Shard | Finished:
        before = self._report()
        ready = [[item for item in opened.items if item.choice.to_do(self._stage) is ToDo.NOW] for opened in shard.batches]
        load_sec = 0.0
        for found in self._runner.run(filter(None, ready)):
            if isinstance(found, Item):
                shard.died(found)
                continue
            for opened in shard.batches:
                opened.take(self._stage, found[0])
            load_sec += found[1]
        self._tell(shard, before, load_sec)
        if self._stage is not self._stages[-1]:
            return shard
        write_outcome(self._source.result(number), shard.outcome(self._plan, self._stages), identity=shard.identity)
        return Finished()

    def close(self) -> None:
        self._runner.close()

    def _report(self) -> BreakerReport:
        return next(report for report in self._breakers.report() if report.name == self._stage.name)

    def _tell(self, shard: Shard, before: BreakerReport, load_sec: float) -> None:
        now, health = self._report(), shard.health
        shard.health = replace(health, load_sec=health.load_sec + load_sec)
        if now.opened > before.opened:
            health.opened[now.name] += now.opened - before.opened
        if now.last_error:
            # A worker whose engine never failed says nothing that would hide what another one says.
            health.breaker[now.name], health.last_error[now.name] = now.state.value, now.last_error
