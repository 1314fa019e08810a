"""One worker of a scan: reads clips, asks the store what is missing, computes only that.

The same object serves every runner. It writes nothing: results go back to the runner, which commits one batch at a time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench import engines
from workbench import audio as audio_io
from workbench.audio import Audio
from workbench.clips import Clip, load_audio
from workbench.errors import WorkbenchError
from workbench.scan.codec import score_columns, transcript_columns, transcript_of
from workbench.scan.plan import StagePlan
from workbench.store import FileState, Member, RowKey, StageRecord, StageResult, Store, StoredRow
from workbench.stt.base import SttRequest, Transcript
from workbench.text import tokenise

AUDIO_FINGERPRINT = "audio-1"
#: Errors that the same input gives again: trying again would only cost time.
FINAL_ERRORS = frozenset({"AudioError", "TextError", "ManifestError", "ConfigError", "UnknownNameError"})


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What one batch came to, ready to be committed. ``load_sec`` is the time that loading engines took in it."""

    records: tuple[StageRecord, ...]
    members: tuple[Member, ...]
    failed: int
    computed: int
    audio_sec: float
    engine_sec: dict[str, float] = field(default_factory=dict)
    load_sec: float = 0.0
    files: tuple[FileState, ...] = ()


@dataclass(slots=True)
class _Item:
    """One readable clip on its way through the stages."""

    position: int
    clip: Clip
    audio: Audio
    key: RowKey
    row: StoredRow | None = None
    results: dict[str, StageResult] = field(default_factory=dict)


class Worker:
    """Runs the planned stages over batches of clips."""

    def __init__(self, stages: Sequence[StagePlan], store_url: str, *, device: str, max_attempts: int) -> None:
        self.stages, self.device, self.max_attempts = tuple(stages), device, max_attempts
        self._store = Store.open(store_url)
        self._engines: dict[str, Any] = {}
        self._load_sec = 0.0

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._store.close()

    def process(self, batch: Sequence[tuple[int, Clip]]) -> BatchOutcome:
        """All missing stages of these clips. A clip that cannot be read becomes a record with its error."""
        items, records, members, files = [], [], [], []
        self._load_sec = 0.0
        for position, clip in batch:
            # The file's state is taken before it is read: a change in between is then seen next time.
            state = file_state(clip)
            try:
                audio = load_audio(clip)
            except (WorkbenchError, OSError, MemoryError) as error:
                key = unreadable_key(clip)
                records += self._unreadable(key, clip, error)
                members.append(Member(position, key, clip))
            else:
                items.append(_Item(position, clip, audio, RowKey(audio_io.content_hash(audio), clip.dataset, text_hash(clip.text))))
                if state is not None:
                    files.append(state._replace(file_hash=items[-1].key.file_hash))
        unreadable = len(members)
        stored = self._store.read((item.key for item in items), stages=[stage.name for stage in self.stages])
        engine_sec: dict[str, float] = {}
        for item in items:
            item.row = stored.get(item.key)
            members.append(Member(item.position, item.key, item.clip))
            if item.row is None or item.row.stage("audio", AUDIO_FINGERPRINT) is None:
                result = StageResult(AUDIO_FINGERPRINT, {"channels": item.audio.channels}, 0.0)
                records.append(StageRecord(item.key, item.clip, "audio", result))
        for stage in self.stages:
            records += self._run_stage(stage, items, engine_sec)
        failed = unreadable + sum(any(result.error for result in item.results.values()) for item in items)
        computed = len({record.key for record in records if record.stage != "audio"})
        audio_sec = sum(item.audio.duration_sec for item in items)
        return BatchOutcome(tuple(records), tuple(members), failed, computed, audio_sec, engine_sec, self._load_sec, tuple(files))

    def _unreadable(self, key: RowKey, clip: Clip, error: Exception) -> list[StageRecord]:
        row = self._store.read([key]).get(key)
        told = {"type": type(error).__name__, "message": str(error), "attempts": 1}
        if row is not None and row.columns["audio_error"] == told:
            return []
        return [StageRecord(key, clip, "audio", StageResult(AUDIO_FINGERPRINT, {}, 0.0, told))]

    def _run_stage(self, stage: StagePlan, items: Sequence[_Item], engine_sec: dict[str, float]) -> list[StageRecord]:
        missing, attempts = [], {}
        for item in items:
            found = item.row.stage(stage.name, stage.fingerprint) if item.row else None
            if found is not None:
                item.results[stage.name] = found
            if is_missing(stage, item.clip, found, max_attempts=self.max_attempts):
                missing.append(item)
                attempts[item.position] = (found.error or {}).get("attempts", 0) if found else 0
        if not missing:
            return []
        engine = self._engine(stage)
        results = self._compute(stage, engine, missing, attempts)
        for item, result in zip(missing, results, strict=True):
            item.results[stage.name] = result
            engine_sec[stage.name] = engine_sec.get(stage.name, 0.0) + result.sec
        return [StageRecord(item.key, item.clip, stage.name, item.results[stage.name]) for item in missing]

    def _engine(self, stage: StagePlan) -> Any:
        if stage.name not in self._engines:
            started = time.perf_counter()
            engine = engines.create(stage.engine, stage.kind, **dict(stage.options))
            engine.load(self.device)
            self._load_sec += time.perf_counter() - started
            self._engines[stage.name] = engine
        return self._engines[stage.name]

    def _compute(self, stage: StagePlan, engine: Any, items: Sequence[_Item], attempts: dict[int, int]) -> list[StageResult]:
        """One batch call; when it fails, each clip alone, so that one bad clip costs only itself."""
        try:
            return self._call(stage, engine, items, attempts)
        except Exception as error:  # noqa: BLE001 - whatever an engine throws becomes data
            if len(items) == 1:
                tried = attempts[items[0].position] + 1
                return [StageResult(stage.fingerprint, {}, 0.0, {"type": type(error).__name__, "message": str(error) or repr(error), "attempts": tried})]
            return [self._compute(stage, engine, [item], attempts)[0] for item in items]

    def _call(self, stage: StagePlan, engine: Any, items: Sequence[_Item], attempts: dict[int, int]) -> list[StageResult]:
        started = time.perf_counter()
        if stage.kind == "stt":
            requests = [self._request(stage, item) for item in items]
            values = [(transcript_columns(stage.name, t), None) for t in engine.transcribe(requests)]
        else:
            values = [(score_columns(stage.name, scores), scores.failure) for scores in engine.score([item.audio for item in items])]
        took = time.perf_counter() - started
        whole = sum(item.audio.duration_sec for item in items) or 1.0
        results = []
        for item, (columns, failure) in zip(items, values, strict=True):
            tried = attempts[item.position] + 1
            error = {"type": failure.type, "message": failure.message, "attempts": tried} if failure else None
            results.append(StageResult(stage.fingerprint, columns, took * item.audio.duration_sec / whole, error))
        return results

    def _request(self, stage: StagePlan, item: _Item) -> SttRequest:
        if not stage.needs_reference:
            return SttRequest(item.audio)
        return SttRequest(item.audio, tuple(token.text for token in tokenise(item.clip.text)), _transcript(item.results.get("fast")))


def _transcript(result: StageResult | None) -> Transcript | None:
    return None if result is None or result.error else transcript_of("fast", result.values)


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
