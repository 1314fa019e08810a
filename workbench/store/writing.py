"""One batch's way into the database: one upsert a row with all its stages, replaced results to the archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from workbench.clips import Clip
from workbench.store.connecting import Raced
from workbench.store.records import FileState, FinishedChunk, Member, RowKey, StageRecord, StageResult, from_columns
from workbench.store.schema import KEY_COLUMNS, STAGE_COLUMNS, audio_index, audio_quality, scan_chunks, scan_clips, stage_archive
from workbench.store.statements import Prepared, Statements, clean_key, parts
from workbench.store.values import clean_text, converter, json_text

BASE_COLUMNS = (*KEY_COLUMNS, "clip_id", "file_path", "speaker", "category", "text", "updated_at", "metadata")
# What a later scan must not take back: the text belongs to the key, ad-hoc metadata may have been added since.
KEPT = ("text", "metadata")
ARCHIVE_COLUMNS = (*KEY_COLUMNS, "stage", "fingerprint", "sec", "payload", "error")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows ready for the driver.

    ``rows`` has by key: the clip's values, and the results of stages with columns. Each key and list is sorted, so that two writers of the same
    rows take their locks in the same order.
    """

    clips: dict[RowKey, tuple]
    results: dict[RowKey, dict[str, StageResult]]
    archive: list[tuple]
    members: list[tuple]
    files: list[tuple]
    chunks: list[tuple]
    stages: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.clips or self.archive or self.files or self.chunks)


def batch_of(
    records: Sequence[StageRecord], *, scan_id: str = "", members: Sequence[Member] = (), files: Sequence[FileState] = (), chunks: Sequence[FinishedChunk] = ()
) -> Batch:
    """Everything of one batch, serialised once however often its transaction has to run."""
    clips: dict[RowKey, Clip] = {}
    results: dict[RowKey, dict[str, StageResult]] = {}
    archive: dict[tuple, tuple] = {}
    for record in records:
        key, result = clean_key(record.key), record.result
        clips[key] = record.clip
        if record.stage not in STAGE_COLUMNS:
            archive[key, record.stage, result.fingerprint] = archive_row(key, record.stage, result)
            continue
        of_key = results.setdefault(key, {})
        before = of_key.get(record.stage)
        if before is not None and before.fingerprint != result.fingerprint:
            archive[key, record.stage, before.fingerprint] = archive_row(key, record.stage, before)
        of_key[record.stage] = result
    placed = [(member, clean_key(member.key)) for member in members]
    clips |= {key: member.clip for member, key in placed}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    found = {stage for of_key in results.values() for stage in of_key}
    scan_id = clean_text(scan_id)
    return Batch(
        clips={key: (*key, *_about(clips[key], now)) for key in sorted(clips)},
        results=results,
        archive=[archive[known] for known in sorted(archive)],
        members=sorted((scan_id, member.position, *key, json_text(_told(member.clip))) for member, key in placed),
        files=sorted((clean_text(state.place), state.size_bytes, state.mtime_ns, clean_text(state.file_hash)) for state in files),
        chunks=sorted((scan_id, chunk.first, chunk.clips, clean_text(chunk.digest)) for chunk in chunks),
        stages=tuple(stage for stage in STAGE_COLUMNS if stage in found),
    )


def write_batch(connection: sa.Connection, statements: Statements, batch: Batch) -> None:
    """The batch's transaction.

    Raises:
        Raced: another writer stored a row in between; the same again sees it.
    """
    replaced = _replaced(connection, statements, batch)
    _write_rows(connection, statements, batch, set(replaced))
    archive = [archive_row(key, stage, result) for key, of_key in replaced.items() for stage, result in of_key.items()] + batch.archive
    put(connection, statements, stage_archive, ARCHIVE_COLUMNS, sorted(archive, key=lambda row: row[:5]))
    put(connection, statements, scan_clips, ("scan_id", "position", *KEY_COLUMNS, "clip"), batch.members)
    put(connection, statements, audio_index, FileState._fields, batch.files)
    put(connection, statements, scan_chunks, ("scan_id", *FinishedChunk._fields), batch.chunks)


def put(connection: sa.Connection, statements: Statements, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple]) -> None:
    """Upsert rows whose values stand in the order of ``columns``."""
    if not rows:
        return
    prepared = statements.upsert(table, columns)
    connection.exec_driver_sql(prepared.sql, in_order(prepared, columns, rows))


def in_order(prepared: Prepared, columns: Sequence[str], rows: Sequence[tuple]) -> list[tuple]:
    """Rows in the order that the statement takes."""
    if prepared.columns == tuple(columns):
        return list(rows)
    places = [columns.index(name) for name in prepared.columns]
    return [tuple(row[place] for place in places) for row in rows]


def _replaced(connection: sa.Connection, statements: Statements, batch: Batch) -> dict[RowKey, dict[str, StageResult]]:
    """The stored results that the batch replaces, by key and stage. Only keys and fingerprints are read of the rows that it does not."""
    if not batch.stages:
        return {}
    key_columns = [audio_quality.c[name] for name in KEY_COLUMNS]
    query = statements.of_keys(audio_quality, [*key_columns, *(audio_quality.c[f"{stage}_fingerprint"] for stage in batch.stages)])
    if statements.is_postgres:
        # No other writer may come between this look and the upsert. SQLite has one writer at a time.
        query = query.order_by(*key_columns).with_for_update(of=audio_quality)
    changed: dict[RowKey, list[str]] = {}
    for part in parts(sorted(batch.results)):
        for row in connection.execute(query, statements.asked(part)):
            key = RowKey(*row[:3])
            new = batch.results[key]
            for stage, fingerprint in zip(batch.stages, row[3:], strict=True):
                if fingerprint is not None and stage in new and new[stage].fingerprint != fingerprint:
                    changed.setdefault(key, []).append(stage)
    if not changed:
        return {}
    stages = [stage for stage in batch.stages if any(stage in of_key for of_key in changed.values())]
    columns = [audio_quality.c[name] for stage in stages for name in owned_by(stage)]
    replaced = {}
    for part in parts(sorted(changed)):
        for row in connection.execute(statements.of_keys(audio_quality, [*key_columns, *columns]), statements.asked(part)).mappings():
            key = RowKey(*(row[name] for name in KEY_COLUMNS))
            replaced[key] = {stage: from_columns(stage, row) for stage in changed[key]}
    return replaced


def _write_rows(connection: sa.Connection, statements: Statements, batch: Batch, replaced: set[RowKey]) -> None:
    groups: dict[tuple[tuple[str, ...], bool], list[RowKey]] = {}
    for key in batch.clips:
        of_key = batch.results.get(key, {})
        groups.setdefault((tuple(stage for stage in batch.stages if stage in of_key), key in replaced), []).append(key)
    for (stages, is_replacing), keys in groups.items():
        # A row that another writer made since is not simply overwritten: its results must reach the archive first.
        unchanged = [f"{stage}_fingerprint" for stage in stages] if statements.is_postgres and not is_replacing else []
        columns = (*BASE_COLUMNS, *(name for stage in stages for name in owned_by(stage)))
        prepared = statements.upsert(audio_quality, columns, keep=KEPT, unchanged=unchanged)
        rows = in_order(prepared, columns, [batch.clips[key] + _stage_values(stages, batch.results.get(key, {})) for key in keys])
        done = connection.exec_driver_sql(prepared.sql, rows)
        if unchanged and done.rowcount != len(rows):
            raise Raced


def _stage_values(stages: Sequence[str], results: dict[str, StageResult]) -> tuple:
    values: list[Any] = []
    for stage in stages:
        result = results[stage]
        given = result.values.get
        values += [None if (value := given(name)) is None else convert(value) for name, convert in _converters(stage)]
        values += (result.fingerprint, result.sec, None if result.error is None else json_text(result.error))
    return tuple(values)


@cache
def _converters(stage: str) -> list[tuple[str, Callable[[Any], Any]]]:
    return [(name, converter(audio_quality.c[name])) for name in STAGE_COLUMNS[stage]]


@cache
def owned_by(stage: str) -> tuple[str, ...]:
    """The columns of a stage, its bookkeeping last."""
    return (*STAGE_COLUMNS[stage], f"{stage}_fingerprint", f"{stage}_sec", f"{stage}_error")


def archive_row(key: RowKey, stage: str, result: StageResult) -> tuple:
    """A result as ``ARCHIVE_COLUMNS``."""
    error = None if result.error is None else json_text(result.error)
    return (*key, clean_text(stage), clean_text(result.fingerprint), result.sec, json_text(result.values), error)


def _about(clip: Clip, now: str) -> tuple:
    extra = json_text(clip.extra) if clip.extra else None
    return (clean_text(clip.clip_id), clean_text(clip.audio), clean_text(clip.speaker), clean_text(clip.category), clean_text(clip.text), now, extra)


def _told(clip: Clip) -> dict[str, Any]:
    # Encoded audio of inline sources stays in its source; the row says where to find it.
    return {name: getattr(clip, name) for name in ("clip_id", "audio", "text", "dataset", "speaker", "category", "fault", "extra")}
