"""Rows of the database as one Parquet or CSV file, the same bytes from either kind of database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from workbench.errors import StoreError
from workbench.store.connecting import Persistent
from workbench.store.failures import keys_of
from workbench.store.schema import KEY_COLUMNS, audio_quality
from workbench.store.values import clean_text

ROWS_PER_GROUP = 2000
ORDER = ("dataset", "clip_id", "file_hash", "text_hash")


class _Writer(Protocol):
    def write_batch(self, batch: Any) -> None: ...
    def close(self) -> None: ...


def export(database: Persistent, path: Path, *, dataset: str | None, scan_id: str | None) -> int:
    """See ``Store.export``."""
    if path.suffix.lower() not in (".parquet", ".csv"):
        raise StoreError("no such format", where=path, got=path.suffix or "no ending", expected=".parquet or .csv")
    # The process's number: two exports at once do not write into each other's file.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    query = _query(dataset=dataset, scan_id=scan_id)
    try:
        # One transaction, so that the file shows one moment; broken off, it begins again.
        count = database.read(lambda connection: _write(connection, query, partial, path.suffix.lower()))
        os.replace(partial, path)
    except OSError as error:
        cause = error.strerror or error
        raise StoreError(f"the file cannot be written: {cause}", where=path, mend="name a folder that exists and has room") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _query(*, dataset: str | None, scan_id: str | None) -> sa.Select:
    # JSON as its text, as it was written.
    columns = [sa.cast(column, sa.Text).label(column.name) if isinstance(column.type, sa.JSON) else column for column in audio_quality.c]
    query = sa.select(*columns).order_by(*(audio_quality.c[name] for name in ORDER))
    if dataset is not None:
        query = query.where(audio_quality.c.dataset == clean_text(dataset))
    if scan_id is not None:
        query = query.where(sa.tuple_(*(audio_quality.c[name] for name in KEY_COLUMNS)).in_(keys_of(scan_id)))
    return query


def _write(connection: sa.Connection, query: sa.Select, partial: Path, suffix: str) -> int:
    import pyarrow as pa

    count, schema = 0, _schema(pa)
    writer = _writer(partial, schema, suffix)
    try:
        for rows in _groups(connection, query):
            columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            count += len(rows)
    finally:
        writer.close()
    return count


def _groups(connection: sa.Connection, query: sa.Select) -> Iterator[Sequence[Any]]:
    yield from connection.execution_options(stream_results=True, yield_per=ROWS_PER_GROUP).execute(query).partitions()


def _schema(pa: Any) -> Any:
    def of(column: sa.Column) -> Any:
        return pa.float64() if isinstance(column.type, sa.Float) else pa.int64() if isinstance(column.type, sa.Integer) else pa.string()

    return pa.schema([(column.name, of(column)) for column in audio_quality.c])


def _writer(partial: Path, schema: Any, suffix: str) -> _Writer:
    if suffix == ".csv":
        import pyarrow.csv

        return pyarrow.csv.CSVWriter(partial, schema)
    import pyarrow.parquet

    return pyarrow.parquet.ParquetWriter(partial, schema, compression="zstd")
