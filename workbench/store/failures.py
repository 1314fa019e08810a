"""Failed results as the database holds them: listing them, forgetting them, counting what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from workbench.store.connecting import Persistent
from workbench.store.records import RowKey, StoredError, StoreInfo
from workbench.store.schema import KEY_COLUMNS, STAGE_COLUMNS, audio_quality, scan_chunks, scan_clips, stage_archive
from workbench.store.upgrading import revision_of
from workbench.store.values import clean_text
from workbench.store.writing import owned_by

ROWS_PER_PAGE = 500
ERROR_COLUMNS = {stage: audio_quality.c[f"{stage}_error"] for stage in STAGE_COLUMNS}
ANY_ERROR = sa.or_(*(column.is_not(None) for column in ERROR_COLUMNS.values()))
# What a new fingerprint replaced is archived too; only a stage without columns has its present results there.
ARCHIVED_ERROR = sa.and_(stage_archive.c.error.is_not(None), stage_archive.c.stage.not_in(STAGE_COLUMNS))


def errors(database: Persistent, *, scan_id: str | None, dataset: str | None) -> Iterator[StoredError]:
    """See ``Store.errors``."""
    about = [audio_quality.c[name] for name in (*KEY_COLUMNS, "clip_id", "file_path")]
    wide = sa.select(*about, *ERROR_COLUMNS.values()).where(ANY_ERROR)
    for row in _pages(database, wide, audio_quality, (), scan_id=scan_id, dataset=dataset):
        told = row._mapping
        for stage, column in ERROR_COLUMNS.items():
            if told[column] is not None:
                yield _error(row, stage, told[column])
    joined = stage_archive.join(audio_quality, same_key(stage_archive, audio_quality))
    of_result = [stage_archive.c[name] for name in ("stage", "fingerprint", "error")]
    archived = sa.select(*about, *of_result).select_from(joined).where(ARCHIVED_ERROR)
    for row in _pages(database, archived, stage_archive, ("stage", "fingerprint"), scan_id=scan_id, dataset=dataset):
        yield _error(row, row.stage, row.error)


def _error(row: Any, stage: str, told: dict[str, Any]) -> StoredError:
    type_, message, attempts = told.get("type", ""), told.get("message", ""), told.get("attempts", 1)
    return StoredError(RowKey(*row[:3]), row.clip_id, row.file_path, stage, type_, message, attempts)


def _pages(
    database: Persistent, query: sa.Select, table: sa.Table, further: tuple[str, ...], *, scan_id: str | None, dataset: str | None
) -> Iterator[Any]:
    """Rows of a query, each page a transaction of its own, so that neither memory nor a lost connection matters."""
    order = [table.c[name] for name in (*KEY_COLUMNS, *further)]
    if scan_id is not None:
        query = query.join(scan_clips, same_key(scan_clips, table)).where(scan_clips.c.scan_id == clean_text(scan_id))
        order = [scan_clips.c.position, *(table.c[name] for name in further)]
    if dataset is not None:
        query = query.where(table.c.dataset == clean_text(dataset))
    query = query.add_columns(*(column.label(f"order_{number}") for number, column in enumerate(order)))
    query = query.order_by(*order).limit(ROWS_PER_PAGE)
    after: tuple = ()
    while True:
        page = query.where(sa.tuple_(*order) > sa.tuple_(*after)) if after else query
        rows = database.read(lambda connection, page=page: connection.execute(page).all())
        yield from rows
        if len(rows) < ROWS_PER_PAGE:
            return
        after = tuple(rows[-1][-len(order) :])


def forget(database: Persistent, *, scan_id: str | None, dataset: str | None) -> int:
    """See ``Store.forget_errors``."""

    def chosen(table: sa.Table) -> sa.ColumnElement[bool]:
        chosen = [sa.true()] if dataset is None else [table.c.dataset == clean_text(dataset)]
        if scan_id is not None:
            chosen.append(sa.tuple_(*(table.c[name] for name in KEY_COLUMNS)).in_(keys_of(scan_id)))
        return sa.and_(*chosen)

    def work(connection: sa.Connection) -> int:
        # A stretch that holds such a clip is finished no more.
        within = sa.and_(
            scan_clips.c.scan_id == scan_chunks.c.scan_id,
            scan_clips.c.position >= scan_chunks.c.first,
            scan_clips.c.position < scan_chunks.c.first + scan_chunks.c.clips,
        )
        for table, failed in ((audio_quality, ANY_ERROR), (stage_archive, ARCHIVED_ERROR)):
            touched = sa.select(1).select_from(scan_clips.join(table, same_key(scan_clips, table))).where(within, failed, chosen(table))
            connection.execute(scan_chunks.delete().where(touched.correlate(scan_chunks).exists()))
        count = connection.execute(stage_archive.delete().where(ARCHIVED_ERROR, chosen(stage_archive))).rowcount
        for stage, column in ERROR_COLUMNS.items():
            emptied = dict.fromkeys(owned_by(stage), sa.null())
            count += connection.execute(audio_quality.update().where(column.is_not(None), chosen(audio_quality)).values(emptied)).rowcount
        return count

    return database.write(work)


def info(database: Persistent) -> StoreInfo:
    """See ``Store.info``."""

    def counted(connection: sa.Connection, column: sa.Column, *where: sa.ColumnElement[bool]) -> dict[str, int]:
        rows = connection.execute(sa.select(column, sa.func.count()).where(*where).group_by(column).order_by(column))
        return {name: count for name, count in rows}

    def work(connection: sa.Connection) -> StoreInfo:
        of_stages = sa.select(*(sa.func.count(column).label(stage) for stage, column in ERROR_COLUMNS.items()))
        counts = connection.execute(of_stages).mappings().one()
        return StoreInfo(
            dialect=connection.dialect.name,
            revision=revision_of(connection),
            rows=counted(connection, audio_quality.c.dataset),
            scans=counted(connection, scan_clips.c.scan_id),
            errors={stage: count for stage, count in counts.items() if count} | counted(connection, stage_archive.c.stage, ARCHIVED_ERROR),
        )

    return database.read(work)


def same_key(one: sa.Table, other: sa.Table) -> sa.ColumnElement[bool]:
    """Whether two tables' rows belong to the same audio, dataset and text."""
    return sa.and_(*(one.c[name] == other.c[name] for name in KEY_COLUMNS))


def keys_of(scan_id: str) -> sa.Select:
    """Select the keys of a scan's clips."""
    return sa.select(*(scan_clips.c[name] for name in KEY_COLUMNS)).where(scan_clips.c.scan_id == clean_text(scan_id))

