"""Reading and writing the results database through SQLAlchemy Core.

A stage's result is kept under its fingerprint. The same fingerprint is never computed twice; another one moves the old result to the archive, from where it can be read
again, so no result is overwritten silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from workbench.clips import Clip
from workbench.errors import StoreError
from workbench.store.schema import (
    DERIVED_COLUMNS,
    KEY_COLUMNS,
    SCHEMA_VERSION,
    STAGE_COLUMNS,
    audio_index,
    audio_quality,
    metadata,
    scan_clips,
    schema_version,
    stage_archive,
)

BUSY_TIMEOUT_SEC = 120
# SQLite takes at most 32,766 bound values in one statement; three stand for one key.
KEYS_PER_QUERY = 1000


class RowKey(NamedTuple):
    """A row belongs to one audio content, one dataset and one text."""

    file_hash: str
    dataset: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage's outcome: values by column name, or an error ``{"type", "message", "attempts"}``."""

    fingerprint: str
    values: dict[str, Any]
    sec: float
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage's outcome on its way into the store, with the clip it belongs to."""

    key: RowKey
    clip: Clip
    stage: str
    result: StageResult


@dataclass(frozen=True, slots=True)
class Member:
    """One clip's place in a scan and the row it led to."""

    position: int
    key: RowKey
    clip: Clip


class FileState(NamedTuple):
    """A file (or a part of one) and the content that was decoded from it; size and time of change tell whether that still holds."""

    place: str
    size_bytes: int
    mtime_ns: int
    file_hash: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as read: wide columns, and archived results by (stage, fingerprint)."""

    columns: dict[str, Any]
    archived: dict[tuple[str, str], StageResult] = field(default_factory=dict)

    def stage(self, stage: str, fingerprint: str) -> StageResult | None:
        """The result of ``stage`` under exactly this fingerprint, or None."""
        if self.columns.get(f"{stage}_fingerprint") == fingerprint:
            return _from_columns(stage, self.columns)
        return self.archived.get((stage, fingerprint))


class Store:
    """A results database. Safe for several processes at once: each batch is one transaction."""

    def __init__(self, engine: sa.Engine, url: str) -> None:
        self._engine, self.url = engine, url

    @classmethod
    def open(cls, url: str | Path) -> Store:
        """Open or create the database at a SQLAlchemy URL or a file path.

        Raises:
            StoreError: the file is no database, is newer than this code or cannot be written.
        """
        url = str(url)
        if "://" not in url:
            Path(url).parent.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{url}"
        try:
            engine = sa.create_engine(url, json_serializer=_json_text)
            if engine.dialect.name == "sqlite":
                _prepare_sqlite(engine)
            store = cls(engine, url)
            store._create_tables()
        except sa.exc.SQLAlchemyError as error:
            raise _store_error(error, url) from error
        return store

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def _create_tables(self) -> None:
        with self._engine.begin() as connection:
            # Two first runs at once: creation waits for the write lock, then finds the tables there.
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            metadata.create_all(connection)
            found = connection.execute(sa.select(schema_version.c.version)).scalar()
            if found is None:
                connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
            elif found != SCHEMA_VERSION:
                raise StoreError("results database of another schema", where=self.url, got=f"version {found}", expected=f"version {SCHEMA_VERSION}", mend="name another database")

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise _store_error(error, self.url) from error

    def read(self, keys: Iterable[RowKey], *, stages: Sequence[str] = ()) -> dict[RowKey, StoredRow]:
        """The rows of these keys with what the archive holds of ``stages``; keys without a row are absent."""
        keys = list(dict.fromkeys(keys))
        found: dict[RowKey, StoredRow] = {}
        with self._transaction() as connection:
            for start in range(0, len(keys), KEYS_PER_QUERY):
                part = keys[start : start + KEYS_PER_QUERY]
                for row in connection.execute(sa.select(audio_quality).where(_is_one_of(audio_quality, part))).mappings():
                    found[_key_of(row)] = StoredRow(dict(row))
                archive = sa.select(stage_archive).where(_is_one_of(stage_archive, part), stage_archive.c.stage.in_(stages))
                for row in connection.execute(archive).mappings():
                    result = StageResult(row["fingerprint"], row["payload"] or {}, row["sec"] or 0.0, row["error"])
                    if owner := found.get(_key_of(row)):
                        owner.archived[row["stage"], row["fingerprint"]] = result
        return found

    def file_states(self, places: Sequence[str]) -> dict[str, FileState]:
        """What is known of these files, by place."""
        found: dict[str, FileState] = {}
        with self._transaction() as connection:
            for start in range(0, len(places), KEYS_PER_QUERY):
                query = sa.select(audio_index).where(audio_index.c.place.in_(places[start : start + KEYS_PER_QUERY]))
                found |= {row.place: FileState(*row) for row in connection.execute(query)}
        return found

    def write(self, records: Sequence[StageRecord], *, scan_id: str = "", members: Sequence[Member] = (), files: Sequence[FileState] = ()) -> None:
        """Write one batch in one transaction: stage results, replaced ones to the archive, the scan's members, and what is known of their files."""
        with self._transaction() as connection:
            self._insert_rows(connection, records, members)
            for stage in dict.fromkeys(record.stage for record in records):
                of_stage = [record for record in records if record.stage == stage]
                if stage in STAGE_COLUMNS:
                    self._archive_replaced(connection, stage, of_stage)
                    self._update_stage(connection, stage, of_stage)
                else:
                    _upsert(connection, stage_archive, [_archive_row(record.key, stage, record.result) for record in of_stage])
            if members:
                _upsert(connection, scan_clips, [_member_row(scan_id, member) for member in members])
            _upsert(connection, audio_index, [state._asdict() for state in files])

    def _insert_rows(self, connection: sa.Connection, records: Sequence[StageRecord], members: Sequence[Member]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        clips = {record.key: record.clip for record in records} | {member.key: member.clip for member in members}
        rows = [
            {
                **key._asdict(),
                "clip_id": clip.clip_id,
                "file_path": clip.audio,
                "speaker": clip.speaker,
                "category": clip.category,
                "text": clip.text,
                "updated_at": now,
                "metadata": clip.extra or None,
            }
            for key, clip in clips.items()
        ]
        _upsert(connection, audio_quality, rows, keep=("text", "metadata"))

    def _archive_replaced(self, connection: sa.Connection, stage: str, records: Sequence[StageRecord]) -> None:
        new = {record.key: record.result.fingerprint for record in records}
        fingerprint = audio_quality.c[f"{stage}_fingerprint"]
        rows = []
        keys = list(new)
        for start in range(0, len(keys), KEYS_PER_QUERY):
            part = keys[start : start + KEYS_PER_QUERY]
            query = sa.select(audio_quality).where(_is_one_of(audio_quality, part), fingerprint.is_not(None))
            for row in connection.execute(query).mappings():
                if row[f"{stage}_fingerprint"] != new[_key_of(row)]:
                    rows.append(_archive_row(_key_of(row), stage, _from_columns(stage, row)))
        _upsert(connection, stage_archive, rows)

    def _update_stage(self, connection: sa.Connection, stage: str, records: Sequence[StageRecord]) -> None:
        update = audio_quality.update().where(*(audio_quality.c[name] == sa.bindparam(f"key_{name}") for name in KEY_COLUMNS))
        update = update.values({name: sa.bindparam(f"new_{name}") for name in _owned_by(stage)})
        rows = []
        for record in records:
            values = _to_columns(stage, record.result)
            rows.append({f"key_{k}": v for k, v in record.key._asdict().items()} | {f"new_{name}": values.get(name) for name in _owned_by(stage)})
        connection.execute(update, rows)

    def write_derived(self, rows: Sequence[tuple[RowKey, dict[str, Any]]]) -> None:
        """Refresh the derived columns (verdict counts at an operating point)."""
        if not rows:
            return
        update = audio_quality.update().where(*(audio_quality.c[name] == sa.bindparam(f"key_{name}") for name in KEY_COLUMNS))
        update = update.values({name: sa.bindparam(f"new_{name}") for name in DERIVED_COLUMNS})
        with self._transaction() as connection:
            connection.execute(
                update,
                [{f"key_{k}": v for k, v in key._asdict().items()} | {f"new_{name}": values.get(name) for name in DERIVED_COLUMNS} for key, values in rows],
            )

    def clear_scan(self, scan_id: str, *, from_position: int = 0) -> None:
        """Forget the members of a scan from a position on (a manifest that grew shorter)."""
        with self._transaction() as connection:
            connection.execute(scan_clips.delete().where(scan_clips.c.scan_id == scan_id, scan_clips.c.position >= from_position))

    def members(self, scan_id: str, *, chunk: int = 500) -> Iterator[list[Member]]:
        """The members of a scan in order, in chunks; the scan's size never matters to memory."""
        after = -1
        while True:
            query = sa.select(scan_clips).where(scan_clips.c.scan_id == scan_id, scan_clips.c.position > after).order_by(scan_clips.c.position).limit(chunk)
            with self._transaction() as connection:
                rows = connection.execute(query).mappings().all()
            if not rows:
                return
            yield [Member(row["position"], _key_of(row), Clip(**row["clip"])) for row in rows]
            after = rows[-1]["position"]


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def settings(connection, _record) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SEC * 1000}")
        # Readers never wait for the writer; a commit survives the process's death.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")


def _upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]], *, keep: Sequence[str] = ()) -> None:
    """Insert rows; where the key exists, update every given column but ``keep``."""
    if not rows:
        return
    statement = sqlite_insert(table)
    keys = [column.name for column in table.primary_key]
    changing = [name for name in rows[0] if name not in keys and name not in keep]
    statement = statement.on_conflict_do_update(index_elements=keys, set_={name: statement.excluded[name] for name in changing})
    connection.execute(statement, list(rows))


def _is_one_of(table: sa.Table, keys: Sequence[RowKey]) -> sa.ColumnElement[bool]:
    return sa.tuple_(*(table.c[name] for name in KEY_COLUMNS)).in_([tuple(key) for key in keys])


def _key_of(row: Any) -> RowKey:
    return RowKey(row["file_hash"], row["dataset"], row["text_hash"])


def _owned_by(stage: str) -> list[str]:
    return [*STAGE_COLUMNS[stage], f"{stage}_fingerprint", f"{stage}_sec", f"{stage}_error"]


def _to_columns(stage: str, result: StageResult) -> dict[str, Any]:
    values = {name: result.values.get(name) for name in STAGE_COLUMNS[stage]}
    return values | {f"{stage}_fingerprint": result.fingerprint, f"{stage}_sec": result.sec, f"{stage}_error": result.error}


def _from_columns(stage: str, row: Any) -> StageResult:
    values = {name: row[name] for name in STAGE_COLUMNS.get(stage, {}) if row[name] is not None}
    return StageResult(row[f"{stage}_fingerprint"], values, row[f"{stage}_sec"] or 0.0, row[f"{stage}_error"])


def _archive_row(key: RowKey, stage: str, result: StageResult) -> dict[str, Any]:
    return {**key._asdict(), "stage": stage, "fingerprint": result.fingerprint, "sec": result.sec, "payload": result.values, "error": result.error}


def _member_row(scan_id: str, member: Member) -> dict[str, Any]:
    clip = member.clip
    # Encoded audio of inline sources stays in its source; the row says where to find it.
    told = {name: getattr(clip, name) for name in ("clip_id", "audio", "text", "dataset", "speaker", "category", "fault", "extra")}
    return {"scan_id": scan_id, "position": member.position, **member.key._asdict(), "clip": told}


def _json_text(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _store_error(error: Exception, url: str) -> StoreError:
    cause = str(getattr(error, "orig", None) or error)
    mend = None
    if "full" in cause:
        mend = "free disk space and run the same command again: it goes on where it stopped"
    elif "not a database" in cause:
        mend = "name another file for the database"
    elif "locked" in cause:
        mend = "another process holds the database; run the same command again"
    shown = sa.engine.make_url(url).render_as_string(hide_password=True) if "://" in url else url
    return StoreError(f"results database refused: {cause}", where=shown, mend=mend)
