"""One worker of a scan: reads clips, asks the store what is missing, computes only that.

The same object serves every runner and every order of work. It writes nothing: results go back to the runner, which commits one batch at a time. Around every engine
call it asks the runner's gate, so that the runner can end a call that hangs and rest an engine that fails.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from workbench import audio as audio_io
from workbench.clips import Clip, load_audio
from workbench.errors import EngineTimeoutError, WorkbenchError
from workbench.scan.calling import Caller, Item
from workbench.scan.calls import Earlier, Gate
from workbench.scan.cascade import FINAL_ERRORS, ToDo, is_open
from workbench.scan.stages import StagePlan, WorkPlan
from workbench.store import FileState, Member, RowKey, StageRecord, StageResult, Store

AUDIO_FINGERPRINT = "audio-1"

Batch = Sequence[tuple[int, Clip]]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What one batch came to, ready to be committed.

    Attributes:
        failed: positions of clips that could not be read or that an engine failed on.
        computed: number of clips with a new result of an engine.
        again: clips that an engine failed on and that another try may mend; ``failed``, ``computed`` and ``unsettled`` are about the others only.
        unsettled: positions with work left for another run.
        load_sec: the time that loading engines took in it.
        left_out, timed_out: by stage, the clips that were not tried because their engine rests, and those on which it hung.
        opened, breaker, last_error: by stage, where workers keep breakers of their own: how often one opened in this batch, where it stood at its end, what it was
            last told.
    """

    records: tuple[StageRecord, ...]
    members: tuple[Member, ...]
    failed: tuple[int, ...]
    computed: int
    audio_sec: float
    engine_sec: dict[str, float] = field(default_factory=dict)
    load_sec: float = 0.0
    files: tuple[FileState, ...] = ()
    again: tuple[tuple[int, Clip], ...] = ()
    unsettled: tuple[int, ...] = ()
    left_out: Counter = field(default_factory=Counter)
    timed_out: Counter = field(default_factory=Counter)
    opened: Counter = field(default_factory=Counter)
    breaker: dict[str, str] = field(default_factory=dict)
    last_error: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Opened:
    """A batch as read: the clips that could be, with what the store knows of them, and a record of what is wrong with the others.

    ``computed`` grows while stages run: by stage, the positions with a new result.
    """

    items: list[Item] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    files: list[FileState] = field(default_factory=list)
    records: list[StageRecord] = field(default_factory=list)
    unsettled: list[int] = field(default_factory=list)
    computed: dict[str, set[int]] = field(default_factory=dict)
    load_sec: float = 0.0

    def take(self, stage: StagePlan, results: dict[int, StageResult]) -> None:
        """Note what a stage came to."""
        new = self.computed.setdefault(stage.name, set())
        for item in self.items:
            if item.position in results:
                item.results[stage.name] = results[item.position]
                new.add(item.position)

    def outcome(self, plan: WorkPlan, stages: Sequence[StagePlan] | None = None) -> BatchOutcome:
        """What the batch came to once these stages (all of the plan, unless given) are through."""
        stages = plan.stages if stages is None else stages
        records, again, engine_sec = list(self.records), [], Counter()
        computed, unsettled, readable = set(), list(self.unsettled), {item.position for item in self.items}
        failed = [member.position for member in self.members if member.position not in readable]
        left_out, timed_out = Counter(), Counter()
        for item in self.items:
            new = {stage.name: item.results[stage.name] for stage in stages if item.position in self.computed.get(stage.name, ())}
            for name, result in new.items():
                records.append(StageRecord(item.key, item.clip, name, result))
                engine_sec[name] += result.sec
            if any(is_open(result, max_attempts=plan.max_attempts) for result in new.values()):
                again.append((item.position, item.clip))
                continue
            if new:
                computed.add(item.key)
            timed_out.update(name for name, result in new.items() if result.error and result.error["type"] == EngineTimeoutError.__name__)
            left_out.update(stage.name for stage in stages if stage.name not in new and item.choice.to_do(stage) is not ToDo.NOTHING)
            if item.choice.failed():
                failed.append(item.position)
            if item.choice.unfinished():
                unsettled.append(item.position)
        return BatchOutcome(
            records=tuple(records),
            members=tuple(self.members),
            failed=tuple(failed),
            computed=len(computed),
            audio_sec=sum(item.audio.duration_sec for item in self.items),
            engine_sec=dict(engine_sec),
            load_sec=self.load_sec,
            files=tuple(self.files),
            again=tuple(again),
            unsettled=tuple(unsettled),
            left_out=left_out,
            timed_out=timed_out,
        )


class Worker:
    """Runs planned stages over batches of clips.

    Args:
        only: names of the stages to compute; results of the others are taken from the store where they are needed. None computes all.
    """

    def __init__(self, plan: WorkPlan, *, gate: Gate, only: Collection[str] | None = None) -> None:
        self._plan, self._by_name = plan, plan.by_name
        self.stages = tuple(stage for stage in plan.stages if only is None or stage.name in only)
        self._store = Store.open(plan.store_url, patience_sec=plan.store_patience_sec)
        self._caller = Caller(plan, gate=gate)

    def close(self) -> None:
        self._caller.close()
        self._store.close()

    def process(self, opened: Opened, earlier: Earlier | None = None) -> BatchOutcome:
        """What is missing of an opened batch."""
        self.compute(opened, earlier or Earlier())
        return opened.outcome(self._plan, self.stages)

    def compute(self, opened: Opened, earlier: Earlier) -> None:
        """The stages' missing results.

        Args:
            earlier: what other tries of the same batch came to: what they finished is taken over, what hung becomes a record with its error.
        """
        self._caller.load_sec = 0.0
        for stage in self.stages:
            ready = [item for item in opened.items if item.choice.to_do(stage) is ToDo.NOW]
            opened.take(stage, self._caller.run(stage, ready, earlier))
        opened.load_sec += self._caller.load_sec

    def open(self, batch: Batch) -> Opened:
        """Read a batch and look up what the store knows of it. A clip that cannot be read becomes a record with its error."""
        opened, read = Opened(), []
        for position, clip in batch:
            # The file's state is taken before it is read: a change in between is then seen next time.
            state = file_state(clip)
            try:
                audio = load_audio(clip)
            except (WorkbenchError, OSError, MemoryError) as error:
                key = unreadable_key(clip)
                opened.records += self._unreadable(key, clip, error)
                if type(error).__name__ not in FINAL_ERRORS:
                    opened.unsettled.append(position)
            else:
                key = RowKey(audio_io.content_hash(audio), clip.dataset, text_hash(clip.text))
                read.append((position, clip, audio, key))
                if state is not None:
                    opened.files.append(state._replace(file_hash=key.file_hash))
            opened.members.append(Member(position, key, clip))
        self._look_up(opened, read)
        return opened

    def _look_up(self, opened: Opened, read: list) -> None:
        stored = self._store.read((key for *_, key in read), stages=[stage.name for stage in self._plan.stages]) if read else {}
        for position, clip, audio, key in read:
            row, results = stored.get(key), {}
            if row is not None:
                found = ((stage.name, row.stage(stage.name, stage.fingerprint_of(clip))) for stage in self._plan.stages)
                results = {name: result for name, result in found if result is not None}
            if row is None or row.stage("audio", AUDIO_FINGERPRINT) is None:
                opened.records.append(StageRecord(key, clip, "audio", StageResult(AUDIO_FINGERPRINT, {"channels": audio.channels}, 0.0)))
            opened.items.append(Item(position, clip, audio, key, self._plan.choice(clip, key, results, by_name=self._by_name)))

    def _unreadable(self, key: RowKey, clip: Clip, error: Exception) -> list[StageRecord]:
        row = self._store.read([key], stages=["audio"]).get(key)
        told = {"type": type(error).__name__, "message": str(error), "attempts": 1}
        if row is not None and row.columns["audio_error"] == told:
            return []
        return [StageRecord(key, clip, "audio", StageResult(AUDIO_FINGERPRINT, {}, 0.0, told))]


def file_state(clip: Clip) -> FileState | None:
    """The state of a clip's file, its content yet unknown; None for clips that have no file of their own or no usable row."""
    if clip.audio_bytes is not None or clip.fault:
        return None
    try:
        found = os.stat(clip.audio)
    except (OSError, ValueError):
        return None
    part = f"#{clip.extra['offset_sec']}+{clip.extra.get('duration_sec')}" if "offset_sec" in clip.extra else ""
    return FileState(f"{clip.audio}{part}", found.st_size, found.st_mtime_ns, "")


def text_hash(text: str) -> str:
    """Short hash of a reference text as written."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def unreadable_key(clip: Clip) -> RowKey:
    """The key of a clip without decodable audio: its place stands in for its content, and mended audio gets a new row."""
    place = hashlib.sha256(f"{clip.audio}\0{clip.clip_id}".encode("utf-8", "surrogatepass")).hexdigest()
    return RowKey(f"unreadable-{place[:48]}", clip.dataset, text_hash(clip.text))


def died(item: tuple[int, Clip]) -> BatchOutcome:
    """The outcome of a clip that ended two worker processes outside of any engine's call: while it was read."""
    position, clip = item
    key = unreadable_key(clip)
    error = {"type": "WorkerDied", "message": "the worker process died on this clip twice, perhaps for want of memory", "attempts": 2}
    record = StageRecord(key, clip, "audio", StageResult(AUDIO_FINGERPRINT, {}, 0.0, error))
    return BatchOutcome((record,), (Member(position, key, clip),), failed=(position,), computed=0, audio_sec=0.0, unsettled=(position,))
