"""A manifest of clips as JSON lines, CSV or Parquet, whole or not there: what ``open_manifest`` reads back as the same clips."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from workbench.clips import Clip
from workbench.clips.rows import AUDIO_NAMES, folded
from workbench.errors import ManifestError

SUFFIXES = (".jsonl", ".csv", ".parquet")
ROWS_PER_GROUP = 1000
_MEND_INLINE = "write a .parquet file, which holds the audio itself"
#: Columns of every row; what else the source knew of a clip travels as JSON in ``source``.
_COLUMNS = ("id", "audio_filepath", "text", "speaker", "category", "offset", "duration", "source")


class ManifestWriter(Protocol):
    """Takes clips one by one, each with measured values by column."""

    def write(self, clip: Clip, *, duration_sec: float | None = None, measured: Mapping[str, Any] | None = None) -> None: ...


def check_suffix(path: Path) -> str:
    """The file's ending.

    Raises:
        ManifestError: none of ``SUFFIXES``.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ManifestError("no such format of a manifest", where=path, got=suffix or "no ending", expected=", ".join(SUFFIXES))
    return suffix


@contextmanager
def writing(path: Path, *, measured: Sequence[str] = ()) -> Iterator[ManifestWriter]:
    """A writer for the file; the file appears when the block ends, and a block that fails leaves what was there before.

    Args:
        measured: names of the values that rows carry beside the clip itself, with CSV and Parquet in a column each.

    Raises:
        ManifestError: another ending, a folder that cannot be written, or clips that the format cannot hold.
    """
    suffix = check_suffix(path)
    # The process's number: two that write the same file do not write into each other's.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        writer = _WRITERS[suffix](partial, tuple(measured))
        try:
            yield writer
        finally:
            writer.close()
        os.replace(partial, path)
    except OSError as error:
        raise ManifestError(f"the manifest cannot be written: {error.strerror or error}", where=path, mend="name a folder that exists and has room") from error
    finally:
        partial.unlink(missing_ok=True)


def _row(clip: Clip, duration_sec: float | None) -> dict[str, Any]:
    if clip.audio_bytes is None and not clip.audio:
        raise ManifestError("clip has no audio to name", where=f"clip {clip.clip_id}", got=clip.fault)
    # A relative path would start at the new manifest's folder.
    audio = clip.audio if clip.audio_bytes is not None or not clip.audio else os.path.abspath(clip.audio)
    row: dict[str, Any] = {"id": clip.clip_id, "audio_filepath": audio, "text": clip.text, "speaker": clip.speaker, "category": clip.category}
    if "offset_sec" in clip.extra:
        row |= {"offset": clip.extra["offset_sec"], "duration": clip.extra.get("duration_sec")}
    elif duration_sec is not None:
        row["duration"] = round(duration_sec, 6)
    return {name: value for name, value in row.items() if value is not None}


def _others(clip: Clip) -> dict[str, object]:
    """What else the source knew, but for what the row says itself."""
    said = {"offset_sec", "duration_sec", "stated_duration_sec"}
    return {name: value for name, value in clip.extra.items() if name not in said}


def _refuse_inline(clip: Clip, path: Path) -> None:
    if clip.audio_bytes is not None:
        raise ManifestError("the audio of this clip has no file of its own", where=f"{path.name}, clip {clip.clip_id}", got="audio inside its dataset", mend=_MEND_INLINE)


class _Jsonl:
    """NeMo's manifest: an object a line; what the source knew stands beside the rest, under its own names."""

    def __init__(self, path: Path, measured: tuple[str, ...]) -> None:
        self._path, self._stream = path, path.open("w", encoding="utf-8", newline="\n")

    def write(self, clip: Clip, *, duration_sec: float | None = None, measured: Mapping[str, Any] | None = None) -> None:
        _refuse_inline(clip, self._path)
        row, found = _row(clip, duration_sec), measured or {}
        taken = {*map(folded, _COLUMNS), *AUDIO_NAMES}
        others = {f"source_{name}" if folded(name) in taken or found.get(name, value) != value else name: value for name, value in _others(clip).items()}
        self._stream.write(json.dumps({**others, **found, **row}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._stream.close()


class _Csv:
    def __init__(self, path: Path, measured: tuple[str, ...]) -> None:
        self._path, self._stream = path, path.open("w", encoding="utf-8", newline="")
        names = [*_COLUMNS, *(name for name in measured if name not in _COLUMNS)]
        self._writer = csv.DictWriter(self._stream, names, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        self._writer.writeheader()

    def write(self, clip: Clip, *, duration_sec: float | None = None, measured: Mapping[str, Any] | None = None) -> None:
        _refuse_inline(clip, self._path)
        self._writer.writerow({**(measured or {}), **_row(clip, duration_sec), "source": _as_json(_others(clip))})

    def close(self) -> None:
        self._stream.close()


class _Parquet:
    """Rows with a path, or with the encoded audio itself where the source held it so."""

    def __init__(self, path: Path, measured: tuple[str, ...]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._pa, self._rows = pa, []
        types = {name: pa.float64() if name in ("offset", "duration") else pa.string() for name in _COLUMNS if name != "audio_filepath"}
        audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        self._schema = pa.schema([("audio", audio), *types.items(), *((name, pa.float64()) for name in measured if name not in types)])
        self._numbers = {name for name in measured if name not in types}
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, clip: Clip, *, duration_sec: float | None = None, measured: Mapping[str, Any] | None = None) -> None:
        row = {**_row(clip, duration_sec), "source": _as_json(_others(clip))}
        row["audio"] = {"bytes": clip.audio_bytes, "path": row.pop("audio_filepath")}
        row |= {name: value for name, value in (measured or {}).items() if name in self._numbers}
        self._rows.append(row)
        if len(self._rows) == ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        self._flush()
        self._writer.close()


def _as_json(others: dict[str, object]) -> str:
    return json.dumps(others, ensure_ascii=False, sort_keys=True) if others else ""


_WRITERS = {".jsonl": _Jsonl, ".csv": _Csv, ".parquet": _Parquet}
