"""One worker of a scan: reads clips, asks the store what is missing, computes only that.

The same object serves every runner. It writes nothing: results go back to the runner, which commits one batch at a time. Around every engine call it asks the
runner's gate, so that the runner can end a call that hangs and rest an engine that fails.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench import audio as audio_io
from workbench.clips import Clip, load_audio
from workbench.errors import EngineTimeoutError, WorkbenchError
from workbench.scan.calling import FINAL_ERRORS, Caller, CallLimits, Item
from workbench.scan.calls import Earlier, Gate
from workbench.scan.plan import StagePlan
from workbench.store import FileState, Member, RowKey, StageRecord, StageResult, Store
from workbench.text import tokenise

AUDIO_FINGERPRINT = "audio-1"


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What one batch came to, ready to be committed. ``load_sec`` is the time that loading engines took in it; by stage, ``left_out`` counts the clips that were
    not tried because their engine rests, ``timed_out`` those on which it hung."""

    records: tuple[StageRecord, ...]
    members: tuple[Member, ...]
    failed: int
    computed: int
    audio_sec: float
    engine_sec: dict[str, float] = field(default_factory=dict)
    load_sec: float = 0.0
    files: tuple[FileState, ...] = ()
    left_out: Counter = field(default_factory=Counter)
    timed_out: Counter = field(default_factory=Counter)


@dataclass(slots=True)
class _Opened:
    """A batch as read: the clips that could be, and a record of what is wrong with the others."""

    items: list[Item] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    files: list[FileState] = field(default_factory=list)
    records: list[StageRecord] = field(default_factory=list)


@dataclass(slots=True)
class _Done:
    """What the stages of a batch come to."""

    records: list[StageRecord] = field(default_factory=list)
    engine_sec: dict[str, float] = field(default_factory=dict)
    left_out: Counter = field(default_factory=Counter)
    timed_out: Counter = field(default_factory=Counter)


class Worker:
    """Runs the planned stages over batches of clips."""

    def __init__(
        self, stages: Sequence[StagePlan], store_url: str, *, device: str, max_attempts: int, gate: Gate, limits: CallLimits, seed: int
    ) -> None:
        self.stages, self.max_attempts = tuple(stages), max_attempts
        self._store = Store.open(store_url)
        self._caller = Caller(device=device, gate=gate, limits=limits, seed=seed)

    def close(self) -> None:
        self._caller.close()
        self._store.close()

    def process(self, batch: Sequence[tuple[int, Clip]], earlier: Earlier | None = None) -> BatchOutcome:
        """All missing stages of these clips. A clip that cannot be read becomes a record with its error.

        Args:
            earlier: what other tries of the same batch came to: what they finished is taken over, what hung becomes a record with its error.
        """
        self._caller.load_sec = 0.0
        opened = self._open(batch)
        self._look_up(opened)
        items, done = opened.items, _Done()
        for stage in self.stages:
            self._run_stage(stage, items, earlier or Earlier(), done)
        return BatchOutcome(
            records=(*opened.records, *done.records),
            members=tuple(opened.members),
            failed=len(opened.members) - len(items) + sum(any(result.error for result in item.results.values()) for item in items),
            computed=len({record.key for record in done.records}),
            audio_sec=sum(item.audio.duration_sec for item in items),
            engine_sec=done.engine_sec,
            load_sec=self._caller.load_sec,
            files=tuple(opened.files),
            left_out=done.left_out,
            timed_out=done.timed_out,
        )

    def _open(self, batch: Sequence[tuple[int, Clip]]) -> _Opened:
        opened = _Opened()
        for position, clip in batch:
            # The file's state is taken before it is read: a change in between is then seen next time.
            state = file_state(clip)
            try:
                audio = load_audio(clip)
            except (WorkbenchError, OSError, MemoryError) as error:
                key = unreadable_key(clip)
                opened.records += self._unreadable(key, clip, error)
            else:
                key = RowKey(audio_io.content_hash(audio), clip.dataset, text_hash(clip.text))
                opened.items.append(Item(position, clip, audio, key))
                if state is not None:
                    opened.files.append(state._replace(file_hash=key.file_hash))
            opened.members.append(Member(position, key, clip))
        return opened

    def _look_up(self, opened: _Opened) -> None:
        stored = self._store.read((item.key for item in opened.items), stages=[stage.name for stage in self.stages])
        for item in opened.items:
            item.row = stored.get(item.key)
            if item.row is None or item.row.stage("audio", AUDIO_FINGERPRINT) is None:
                result = StageResult(AUDIO_FINGERPRINT, {"channels": item.audio.channels}, 0.0)
                opened.records.append(StageRecord(item.key, item.clip, "audio", result))

    def _run_stage(self, stage: StagePlan, items: Sequence[Item], earlier: Earlier, done: _Done) -> None:
        missing = self._missing(stage, items)
        results = self._caller.run(stage, [item for item in missing if self._may_begin(stage, item)], earlier)
        for item in missing:
            result = results.get(item.position)
            if result is None:
                done.left_out[stage.name] += 1
                continue
            item.results[stage.name] = result
            done.records.append(StageRecord(item.key, item.clip, stage.name, result))
            done.engine_sec[stage.name] = done.engine_sec.get(stage.name, 0.0) + result.sec
            done.timed_out[stage.name] += bool(result.error) and result.error["type"] == EngineTimeoutError.__name__

    def _unreadable(self, key: RowKey, clip: Clip, error: Exception) -> list[StageRecord]:
        row = self._store.read([key]).get(key)
        told = {"type": type(error).__name__, "message": str(error), "attempts": 1}
        if row is not None and row.columns["audio_error"] == told:
            return []
        return [StageRecord(key, clip, "audio", StageResult(AUDIO_FINGERPRINT, {}, 0.0, told))]

    def _missing(self, stage: StagePlan, items: Sequence[Item]) -> list[Item]:
        missing = []
        for item in items:
            found = item.stored(stage)
            if found is not None:
                item.results[stage.name] = found
            if is_missing(stage, item.clip, found, max_attempts=self.max_attempts):
                missing.append(item)
        return missing

    def _may_begin(self, stage: StagePlan, item: Item) -> bool:
        """Whether what the stage builds on is there: a second opinion waits for a first one that another run may still give."""
        first = self.stages[0]
        return not stage.needs_reference or not is_missing(first, item.clip, item.results.get(first.name), max_attempts=self.max_attempts)


def is_missing(stage: StagePlan, clip: Clip, found: StageResult | None, *, max_attempts: int) -> bool:
    """Whether a stage has something to do for a clip: no result yet, or an error that another try may mend."""
    if found is None:
        return not stage.needs_reference or bool(tokenise(clip.text))
    error = found.error
    return bool(error) and error["type"] not in FINAL_ERRORS and error.get("attempts", 1) < max_attempts


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
