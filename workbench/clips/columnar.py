"""Hugging Face datasets on disk and by name, and single parquet or arrow files; audio stays encoded until a clip is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.clips.base import Clip
from workbench.clips.rows import ColumnNames, RowReader, find_columns
from workbench.errors import ManifestError

#: Rows read from a parquet file at once: with a megabyte of audio each, still little memory.
_BATCH_ROWS = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a source with what its schema says; ``typed_audio`` are the columns declared as audio, ``total`` is None where unknown."""

    names: tuple[str, ...]
    typed_audio: tuple[str, ...]
    rows: Iterable[Mapping[str, object]]
    total: int | None = None


def read_rows(opener, dataset: str, base: Path, asked: ColumnNames, where: str) -> Iterator[Clip]:
    """The clips of what ``opener()`` opens (``Rows``), one clip for each audio column of each row.

    Raises:
        ManifestError: no usable columns, or the source breaks off.
    """
    source: Rows = opener()
    reader = RowReader(dataset, dataset, base, row_word="row")
    columns = None
    rows = iter(source.rows)
    number = 0
    while True:
        try:
            row = next(rows, None)
        except (OSError, ValueError, RuntimeError, KeyError) as error:  # what pyarrow, fsspec and the hub's client raise
            raise ManifestError("dataset breaks off", where=where, got=f"after {number} rows: {_first_line(error)}",
                                expected="a readable row", mend="check the network or the file") from error
        if row is None:
            return
        number += 1
        names = source.names or tuple(row)
        columns = columns or find_columns(names, row, asked=asked, where=where, typed_audio=source.typed_audio)
        yield from reader.clips(row, columns, number)


def count_clips(opener, asked: ColumnNames, where: str) -> int | None:
    """How many clips, from the source's own count of rows, without touching any audio but the first row's; None where it has none."""
    source: Rows = opener()
    first = next(iter(source.rows), None) if source.total else None
    if first is None or source.total is None:
        return source.total
    return source.total * len(find_columns(source.names, first, asked=asked, where=where, typed_audio=source.typed_audio).audio)


def open_disk(path: str, split: str | None) -> Rows:
    """A dataset written by ``save_to_disk``.

    Raises:
        ManifestError: damaged, or several splits and none named.
    """
    import datasets

    try:
        found = datasets.load_from_disk(path)
    except Exception as error:  # the library raises whatever its parts raise on damaged files
        raise ManifestError("dataset on disk cannot be opened", where=path, got=_first_line(error),
                            expected="a folder written by save_to_disk", mend="save it again") from error
    if isinstance(found, datasets.DatasetDict):
        found = found[_split_of(list(found), split, where=path)]
    elif split and str(found.split or split) != split:
        raise ManifestError(f"no split {split!r}", where=path, got=f"split {found.split}", expected="that split, or none")
    return replace(_undecoded(found), total=len(found))


def open_hub(name: str, config: str | None, split: str | None) -> Rows:
    """A dataset by its name on the Hugging Face hub, streamed: nothing but what is read is fetched.

    Raises:
        ManifestError: unknown or private name, no network, several splits and none named.
    """
    from workbench.offline import is_offline

    where = f"hf:{name}" + (f"/{config}" if config else "")
    if is_offline():
        raise ManifestError("offline: a dataset on the Hugging Face hub is not read", where=where,
                            mend="unset WORKBENCH_OFFLINE and HF_HUB_OFFLINE, or give a folder written by save_to_disk")
    import datasets

    try:
        found = datasets.load_dataset(name, config, split=split, streaming=True)
    except Exception as error:  # network, hub, parser: the library has no common base for them
        raise ManifestError(
            "dataset cannot be opened from the Hugging Face hub", where=where, got=f"{type(error).__name__}: {_first_line(error)}",
            expected="a public dataset and a network, or a login",
            mend="check the name, the split and the network; `hf auth login` for a private one; "
                 "without a network save it elsewhere with `datasets.load_dataset(...).save_to_disk(FOLDER)` and give FOLDER",
        ) from error
    if isinstance(found, (datasets.IterableDatasetDict, datasets.DatasetDict)):
        found = found[_split_of(list(found), split, where=where)]
    return _undecoded(found)


def _undecoded(dataset) -> Rows:
    import datasets

    features = dataset.features or {}
    typed = tuple(name for name, feature in features.items() if isinstance(feature, datasets.Audio))
    for name in typed:
        dataset = dataset.cast_column(name, datasets.Audio(decode=False))  # decoding would need torchcodec
    return Rows(tuple(features), typed, dataset)


def _split_of(splits: list[str], asked: str | None, *, where: object) -> str:
    if asked in splits:
        return str(asked)
    if asked is None and len(splits) == 1:
        return splits[0]
    raise ManifestError(
        f"no split {asked!r}" if asked else "which split?", where=where, got=f"splits {', '.join(splits)}", expected="one of them",
        mend=f"write {where}:{splits[-1]}, or split={splits[-1]!r}",
    )


def open_parquet(paths: tuple[str, ...]) -> Rows:
    """Parquet or arrow files with the same columns, one batch of rows in memory at a time.

    Raises:
        ManifestError: a file cannot be read.
    """
    try:
        names = tuple(_schema(paths[0]).names)
        total = sum(map(_row_count, paths))
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise ManifestError("file cannot be read", where=", ".join(paths), got=_first_line(error), expected="a parquet or arrow file",
                            mend="copy or write it again") from error
    return Rows(names, (), _arrow_rows(paths), total)


def _schema(path: str):
    if path.lower().endswith(".parquet"):
        import pyarrow.parquet

        return pyarrow.parquet.read_schema(path)
    with _arrow_reader(path) as reader:
        return reader.schema


def _row_count(path: str) -> int:
    if path.lower().endswith(".parquet"):
        import pyarrow.parquet

        return pyarrow.parquet.read_metadata(path).num_rows
    return sum(batch.num_rows for batch in _batches(path))


def _arrow_rows(paths: tuple[str, ...]) -> Iterator[Mapping[str, object]]:
    for path in paths:
        for batch in _batches(path):
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield from batch.slice(start, _BATCH_ROWS).to_pylist()


def _batches(path: str):
    if path.lower().endswith(".parquet"):
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=_BATCH_ROWS)
        return
    with _arrow_reader(path) as reader:
        if hasattr(reader, "num_record_batches"):
            yield from (reader.get_batch(place) for place in range(reader.num_record_batches))
        else:
            yield from reader


def _arrow_reader(path: str):
    import pyarrow

    mapped = pyarrow.memory_map(path)
    try:
        return pyarrow.ipc.open_file(mapped)
    except pyarrow.ArrowInvalid:  # `datasets` writes the streaming format
        mapped.seek(0)
        return pyarrow.ipc.open_stream(mapped)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
