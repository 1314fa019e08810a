"""Reading and writing the results database through SQLAlchemy Core.

A stage's result is kept under its fingerprint. The same fingerprint is never computed twice; another one moves the old result to the archive,
from where it can be read again, so no result is overwritten silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbench.clips import Clip
from workbench.errors import StoreError
from workbench.store.connecting import Persistent, database_url
from workbench.store.records import FileState, FinishedChunk, Member, RowKey, StageRecord, StageResult, StoredError, StoredRow, StoreInfo
from workbench.store.schema import (
    DERIVED_COLUMNS,
    KEY_COLUMNS,
    STAGE_COLUMNS,
    audio_index,
    audio_quality,
    scan_chunks,
    scan_clips,
    stage_archive,
)
from workbench.store.statements import Statements, clean_key, parts
from workbench.store.values import Converter, clean_text, json_text
from workbench.store.writing import BASE_COLUMNS, BatchWriter, batch_of, owned_by

PATIENCE_SEC = 120.0


class Store:
    """A results database. Safe for several processes at once: each batch is one transaction, run again where a passing fault broke it off.

    ``url`` opens it again, in another process too; ``shown`` is the same for messages, without the password.
    """

    def __init__(self, database: Persistent) -> None:
        self._database = database
        self._statements = Statements(database.url.get_backend_name())
        self._writer = BatchWriter(database, self._statements)
        self.patience_sec = database.patience_sec
        self.shown = database.shown
        self.url = database.url.render_as_string(hide_password=False)

    @classmethod
    def open(cls, url_or_path: str | Path, *, patience_sec: float = PATIENCE_SEC, create: bool = True) -> Store:
        """Open, create or upgrade the database at a URL (``postgresql://...``, ``sqlite:///...``) or a file path.

        Args:
            patience_sec: how long every call waits for a database that went away, is starting or is locked.
            create: whether a SQLite file that is not there is made.

        Raises:
            StoreError: the URL is of no supported database, the file is no database, is newer than this code or cannot be written.
        """
        url = database_url(url_or_path)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            if not create and not Path(url.database).exists():
                raise StoreError("there is no such database", where=url.database, mend="check the path; a scan makes the database")
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        database = Persistent(url, patience_sec=patience_sec)
        from workbench.store import upgrading

        try:
            if not upgrading.is_present(database):
                upgrading.upgrade(database)
        except BaseException:
            database.engine.dispose()
            raise
        return cls(database)

    def __repr__(self) -> str:
        return f"Store({self.shown!r})"

    def close(self) -> None:
        self._database.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def read(self, keys: Iterable[RowKey], *, stages: Sequence[str] = ()) -> dict[RowKey, StoredRow]:
        """The rows of these keys; keys without a row are absent.

        Args:
            stages: read the columns of these stages (with the audio's, the derived and the clip's own) and what the archive holds of them;
                without stages, every column and nothing from the archive.
        """
        asked = {clean_key(key): key for key in keys}
        columns = [audio_quality.c[name] for name in _columns_for(stages)] if stages else list(audio_quality.c)
        names = [column.name for column in columns]
        wide = self._statements.of_keys(audio_quality, columns)
        archive = self._statements.of_keys(stage_archive, list(stage_archive.c)).where(stage_archive.c.stage.in_(stages)) if stages else None

        def work(connection: sa.Connection) -> dict[RowKey, StoredRow]:
            found: dict[RowKey, StoredRow] = {}
            for part in parts(list(asked)):
                of_part = self._statements.asked(part)
                for row in connection.execute(wide, of_part).all():
                    # The key's columns come first.
                    found[asked[row[:3]]] = StoredRow(dict(zip(names, row)))  # noqa: B905
                if archive is not None:
                    for row in connection.execute(archive, of_part).all():
                        *key, stage, fingerprint, sec, payload, error = row
                        if owner := found.get(asked[tuple(key)]):
                            owner.archived[stage, fingerprint] = StageResult(fingerprint, payload or {}, sec or 0.0, error)
            return found

        return self._database.read(work) if asked else {}

    def file_states(self, places: Sequence[str]) -> dict[str, FileState]:
        """What is known of these files, by place."""
        asked = {clean_text(place): place for place in places}
        query = sa.select(audio_index).where(self._statements.is_any(audio_index.c.place, "places"))

        def work(connection: sa.Connection) -> dict[str, FileState]:
            rows = [row for part in parts(list(asked)) for row in connection.execute(query, {"places": part})]
            return {asked[row[0]]: FileState(asked[row[0]], *row[1:]) for row in rows}

        return self._database.read(work) if asked else {}

    def write(
        self,
        records: Sequence[StageRecord],
        *,
        scan_id: str = "",
        members: Sequence[Member] = (),
        files: Sequence[FileState] = (),
        chunks: Sequence[FinishedChunk] = (),
    ) -> None:
        """Write one batch in one transaction: stage results, replaced ones to the archive, the scan's members, what is known of their files,
        and which stretches of the scan are finished."""
        batch = batch_of(records, scan_id=scan_id, members=members, files=files, chunks=chunks)
        if batch:
            self._writer.write(batch)

    def write_derived(self, rows: Sequence[tuple[RowKey, dict[str, Any]]]) -> None:
        """Refresh the derived columns (verdict counts at an operating point)."""
        if not rows:
            return
        prepared = self._statements.update(audio_quality, tuple(DERIVED_COLUMNS))
        convert = Converter([audio_quality.c[name] for name in DERIVED_COLUMNS])
        by_key = {clean_key(key): values for key, values in rows}
        keys = sorted(by_key)
        columns = dict(zip(DERIVED_COLUMNS, convert([by_key[key] for key in keys]), strict=True)) | dict(zip(KEY_COLUMNS, zip(*keys, strict=True), strict=True))
        told = list(zip(*(columns[name] for name in prepared.columns), strict=True))
        self._database.write(lambda connection: connection.exec_driver_sql(prepared.sql, told))

    def annotate(self, key: RowKey, told: dict[str, Any]) -> None:
        """Merge ad-hoc metadata into a row's JSON column; later scans keep it.

        Raises:
            StoreError: there is no such row.
        """
        where = sa.and_(*(audio_quality.c[name] == value for name, value in clean_key(key)._asdict().items()))

        def work(connection: sa.Connection) -> None:
            # The lock is for PostgreSQL; a writer of SQLite is alone.
            found = connection.execute(sa.select(audio_quality.c.metadata).where(where).with_for_update()).first()
            if found is None:
                raise StoreError("no such row", where=self.shown, got=tuple(key))
            update = self._statements.update(audio_quality, ("metadata",))
            values = clean_key(key)._asdict() | {"metadata": json_text((found[0] or {}) | told)}
            connection.exec_driver_sql(update.sql, tuple(values[name] for name in update.columns))

        self._database.write(work)

    def chunks(self, scan_id: str, firsts: Sequence[int]) -> dict[int, FinishedChunk]:
        """The finished stretches of a scan that begin at these positions, by position."""
        columns = (scan_chunks.c.first, scan_chunks.c.clips, scan_chunks.c.digest, scan_chunks.c.failed)
        query = sa.select(*columns).where(scan_chunks.c.scan_id == clean_text(scan_id), self._statements.is_any(scan_chunks.c.first, "firsts"))

        def work(connection: sa.Connection) -> dict[int, FinishedChunk]:
            return {row[0]: FinishedChunk(*row) for part in parts(list(firsts)) for row in connection.execute(query, {"firsts": part})}

        return self._database.read(work) if firsts else {}

    def clear_scan(self, scan_id: str, *, from_position: int = 0) -> None:
        """Forget the members of a scan from a position on (a manifest that grew shorter), and the finished stretches that reach beyond it."""
        name = clean_text(scan_id)

        def work(connection: sa.Connection) -> None:
            connection.execute(scan_clips.delete().where(scan_clips.c.scan_id == name, scan_clips.c.position >= from_position))
            end = scan_chunks.c.first + scan_chunks.c.clips
            connection.execute(scan_chunks.delete().where(scan_chunks.c.scan_id == name, end > from_position))

        self._database.write(work)

    def members(self, scan_id: str, *, chunk: int = 500) -> Iterator[list[Member]]:
        """The members of a scan in order, in chunks; the scan's size never matters to memory."""
        after = -1
        columns = [scan_clips.c[name] for name in ("position", *KEY_COLUMNS, "clip")]
        while True:
            query = sa.select(*columns).where(scan_clips.c.scan_id == clean_text(scan_id), scan_clips.c.position > after)
            query = query.order_by(scan_clips.c.position).limit(chunk)
            rows = self._database.read(lambda connection, query=query: connection.execute(query).all())
            if not rows:
                return
            yield [Member(row[0], RowKey(*row[1:4]), Clip(**row[4])) for row in rows]
            after = rows[-1][0]

    def errors(self, *, scan_id: str | None = None, dataset: str | None = None) -> Iterator[StoredError]:
        """Failed results, streamed: of all clips, of a dataset, or of a scan's clips (once for every place that a content has in the scan)."""
        from workbench.store import failures

        return failures.errors(self._database, scan_id=scan_id, dataset=dataset)

    def forget_errors(self, *, scan_id: str | None = None, dataset: str | None = None) -> int:
        """Clear failed results so that the next scan tries them again. Returns how many."""
        from workbench.store import failures

        return failures.forget(self._database, scan_id=scan_id, dataset=dataset)

    def export(self, path: str | Path, *, dataset: str | None = None, scan_id: str | None = None) -> int:
        """Stream rows into a Parquet or a CSV file, by the path's ending, ordered by dataset and clip. Returns how many.

        Raises:
            StoreError: another ending, or the database or the disk refused; a file that was there before stays whole.
        """
        from workbench.store.export import export

        return export(self._database, Path(path), dataset=dataset, scan_id=scan_id)

    def info(self) -> StoreInfo:
        """What the database holds."""
        from workbench.store.failures import info

        return info(self._database)


def _columns_for(stages: Sequence[str]) -> list[str]:
    wide = [stage for stage in STAGE_COLUMNS if stage == "audio" or stage in stages]
    return [*BASE_COLUMNS, *(name for stage in wide for name in owned_by(stage)), *DERIVED_COLUMNS]
