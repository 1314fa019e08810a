"""One batch's way into the database: one upsert a row with all its stages, replaced results to the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from workbench.clips import Clip
from workbench.store.connecting import Persistent, Raced
from workbench.store.records import FileState, FinishedChunk, Member, RowKey, StageRecord, StageResult, from_columns
from workbench.store.schema import KEY_COLUMNS, STAGE_COLUMNS, audio_index, audio_quality, scan_chunks, scan_clips, stage_archive
from workbench.store.statements import Prepared, Statements, clean_key, parts
from workbench.store.values import Converter, clean_text, json_text

BASE_COLUMNS = (*KEY_COLUMNS, "clip_id", "file_path", "speaker", "category", "text", "updated_at", "metadata")
# What a later scan must not take back: the text belongs to the key, ad-hoc metadata may have been added since.
KEPT = ("text", "metadata")
ARCHIVE_COLUMNS = (*KEY_COLUMNS, "stage", "fingerprint", "sec", "payload", "error")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows ready for the driver, serialised once however often their transaction has to run.

    ``rows`` has by set of stages each key's row, ``results`` the results with columns by key and stage. Everything is sorted, so that two writers of
    the same rows take their locks in the same order.
    """

    rows: dict[tuple[str, ...], dict[RowKey, tuple]]
    results: dict[RowKey, dict[str, StageResult]]
    archive: list[tuple]
    members: list[tuple]
    files: list[tuple]
    chunks: list[tuple]

    def __bool__(self) -> bool:
        return bool(self.rows or self.files or self.chunks)


def batch_of(
    records: Sequence[StageRecord],
    *,
    scan_id: str = "",
    members: Sequence[Member] = (),
    files: Sequence[FileState] = (),
    chunks: Sequence[FinishedChunk] = (),
) -> Batch:
    """Everything of one batch."""
    clips: dict[RowKey, Clip] = {}
    results: dict[RowKey, dict[str, StageResult]] = {}
    archive: dict[tuple, tuple] = {}
    for record in records:
        key, result = record.key, record.result
        if key not in clips:
            key = clean_key(key)
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
    scan_id = clean_text(scan_id)
    return Batch(
        rows=_rows(clips, results),
        results=results,
        archive=[archive[known] for known in sorted(archive)],
        members=sorted((scan_id, member.position, *key, json_text(_told(member.clip))) for member, key in placed),
        files=sorted((clean_text(state.place), state.size_bytes, state.mtime_ns, clean_text(state.file_hash)) for state in files),
        chunks=sorted((scan_id, chunk.first, chunk.clips, clean_text(chunk.digest), chunk.failed) for chunk in chunks),
    )


def _rows(clips: dict[RowKey, Clip], results: dict[RowKey, dict[str, StageResult]]) -> dict[tuple[str, ...], dict[RowKey, tuple]]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows: dict[tuple[str, ...], dict[RowKey, tuple]] = {}
    keys_of: dict[tuple[str, ...], list[RowKey]] = {}
    for key in sorted(clips):
        keys_of.setdefault(_in_table_order(tuple(results.get(key, ()))), []).append(key)
    for stages, keys in keys_of.items():
        columns = [*zip(*keys, strict=True), *_about([clips[key] for key in keys], now)]
        for stage in stages:
            columns += _stage_columns(stage, [results[key][stage] for key in keys])
        rows[stages] = dict(zip(keys, zip(*columns, strict=True), strict=True))
    return rows


class BatchWriter:
    """Writes batches, and looks for results that they would replace only where there are such: most bring new results or the same again."""

    def __init__(self, database: Persistent, statements: Statements) -> None:
        self._database, self._statements = database, statements
        self._looks = False

    def write(self, batch: Batch) -> None:
        """One transaction; what it replaces goes to the archive."""
        looks = self._looks

        def work(connection: sa.Connection) -> bool:
            nonlocal looks
            replaced = _replaced(connection, self._statements, batch) if looks else {}
            # Where the upsert finds a result that is not known to be replaced, the transaction begins again and looks first.
            looks = True
            _write_batch(connection, self._statements, batch, replaced)
            return bool(replaced)

        self._looks = self._database.write(work)


def _write_batch(connection: sa.Connection, statements: Statements, batch: Batch, replaced: dict[RowKey, dict[str, StageResult]]) -> None:
    for stages, rows in batch.rows.items():
        guards = [f"{stage}_fingerprint" for stage in stages]
        _write_rows(connection, statements, stages, [row for key, row in rows.items() if key not in replaced], guards)
        if replaced:
            _write_rows(connection, statements, stages, [row for key, row in rows.items() if key in replaced], [])
    archive = [archive_row(key, stage, result) for key, of_key in replaced.items() for stage, result in of_key.items()] + batch.archive
    put(connection, statements, stage_archive, ARCHIVE_COLUMNS, sorted(archive, key=lambda row: row[:5]))
    put(connection, statements, scan_clips, ("scan_id", "position", *KEY_COLUMNS, "clip"), batch.members)
    put(connection, statements, audio_index, FileState._fields, batch.files)
    put(connection, statements, scan_chunks, ("scan_id", *FinishedChunk._fields), batch.chunks)


def _write_rows(
    connection: sa.Connection, statements: Statements, stages: tuple[str, ...], rows: Sequence[tuple], guards: Sequence[str]
) -> None:
    if not rows:
        return
    columns = row_columns(stages)
    prepared = statements.upsert(audio_quality, columns, keep=KEPT, unchanged=guards)
    done = connection.exec_driver_sql(prepared.sql, in_order(prepared, columns, rows))
    if guards and done.rowcount != len(rows):
        raise Raced


def _replaced(connection: sa.Connection, statements: Statements, batch: Batch) -> dict[RowKey, dict[str, StageResult]]:
    """The stored results that the batch replaces, by key and stage. Only keys and fingerprints are read of the rows that it does not."""
    stages = _in_table_order(tuple({stage for of_key in batch.results.values() for stage in of_key}))
    key_columns = [audio_quality.c[name] for name in KEY_COLUMNS]
    query = statements.of_keys(audio_quality, [*key_columns, *(audio_quality.c[f"{stage}_fingerprint"] for stage in stages)])
    if statements.is_postgres:
        # No other writer may come between this look and the upsert. SQLite has one writer at a time.
        query = query.order_by(*key_columns).with_for_update(of=audio_quality)
    changed: dict[RowKey, list[str]] = {}
    for part in parts(sorted(batch.results)):
        for row in connection.execute(query, statements.asked(part)).all():
            key = RowKey(*row[:3])
            new = batch.results[key]
            stored = {stage: before for stage, before in zip(stages, row[3:], strict=True) if before is not None and stage in new}
            if found := [stage for stage, before in stored.items() if new[stage].fingerprint != before]:
                changed[key] = found
    columns = [audio_quality.c[name] for stage in stages for name in owned_by(stage)]
    replaced = {}
    for part in parts(sorted(changed)):
        for row in connection.execute(statements.of_keys(audio_quality, [*key_columns, *columns]), statements.asked(part)).mappings():
            key = RowKey(*(row[name] for name in KEY_COLUMNS))
            replaced[key] = {stage: from_columns(stage, row) for stage in changed[key]}
    return replaced


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


def _stage_columns(stage: str, results: Sequence[StageResult]) -> list[Sequence[Any]]:
    """A stage's columns in the order of ``owned_by``, for the driver."""
    columns = _converter(stage)([result.values for result in results])
    errors = [None if result.error is None else json_text(result.error) for result in results]
    return [*columns, [result.fingerprint for result in results], [result.sec for result in results], errors]


@cache
def _converter(stage: str) -> Converter:
    return Converter([audio_quality.c[name] for name in STAGE_COLUMNS[stage]])


@cache
def _in_table_order(stages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stage for stage in STAGE_COLUMNS if stage in stages)


@cache
def row_columns(stages: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a row with results of these stages."""
    return (*BASE_COLUMNS, *(name for stage in stages for name in owned_by(stage)))


@cache
def owned_by(stage: str) -> tuple[str, ...]:
    """The columns of a stage, its bookkeeping last."""
    return (*STAGE_COLUMNS[stage], f"{stage}_fingerprint", f"{stage}_sec", f"{stage}_error")


def archive_row(key: RowKey, stage: str, result: StageResult) -> tuple:
    """A result as ``ARCHIVE_COLUMNS``."""
    error = None if result.error is None else json_text(result.error)
    return (*key, clean_text(stage), clean_text(result.fingerprint), result.sec, json_text(result.values), error)


def _about(clips: Sequence[Clip], now: str) -> list[Sequence[Any]]:
    """The columns that tell of the clips themselves, in the order of ``BASE_COLUMNS`` after the key."""
    texts = _ABOUT([{"clip_id": c.clip_id, "file_path": c.audio, "speaker": c.speaker, "category": c.category, "text": c.text} for c in clips])
    return [*texts, [now] * len(clips), [json_text(clip.extra) if clip.extra else None for clip in clips]]


_ABOUT = Converter([audio_quality.c[name] for name in BASE_COLUMNS[3:-2]])


def _told(clip: Clip) -> dict[str, Any]:
    # Encoded audio of inline sources stays in its source; the row says where to find it.
    return {name: getattr(clip, name) for name in ("clip_id", "audio", "text", "dataset", "speaker", "category", "fault", "extra")}
