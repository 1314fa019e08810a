"""``results.parquet`` of a comparison: one row per clip, every column that a keep rule may ask for, the same bytes for the same parameters and data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Self

from workbench.datasets.chunks import Chunk
from workbench.datasets.columns import catalogue

_ABOUT = ("dataset", "clip_id", "speaker", "category", "audio", "file_hash", "text", "fast_text", "precision_text", "failures")


class RowWriter:
    """Takes chunks and streams them into a file that appears when the block ends; times of computing stay out, as they differ from run to run.

    Args:
        path: None writes nothing.
        scores: score columns of judges from elsewhere.
    """

    def __init__(self, path: Path | None, *, scores: tuple[str, ...]) -> None:
        self._path, self._writer = path, None
        self._columns = {name: column.kind for name, column in catalogue(scores).items() if column.kind != "text"}

    @classmethod
    def maybe(cls, path: Path | None, *, scores: tuple[str, ...] = ()) -> Self:
        return cls(path, scores=scores)

    def __enter__(self) -> Self:
        if self._path is not None:
            import pyarrow as pa
            import pyarrow.parquet as pq

            self._pa = pa
            kinds = {"number": pa.float64(), "truth": pa.bool_()}
            self._schema = pa.schema([*((name, pa.string()) for name in _ABOUT), *((name, kinds[kind]) for name, kind in self._columns.items())])
            self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        return self

    def __exit__(self, kind: Any, *_rest: object) -> None:
        if self._writer is None or self._path is None:
            return
        self._writer.close()
        os.replace(self._partial, self._path) if kind is None else self._partial.unlink(missing_ok=True)

    @property
    def _partial(self) -> Path:
        return self._path.with_name(f"{self._path.name}.partial")  # type: ignore[union-attr]

    def write(self, chunk: Chunk) -> None:
        """Further rows."""
        if self._writer is None:
            return
        pa = self._pa
        about = zip(*(_about(result) for result in chunk.results), strict=True)
        columns = [pa.array(values, pa.string()) for values in about]
        # NaN is what the columns have for unknown; a table has NULL.
        columns += [pa.array(chunk.columns[name], self._schema.field(name).type, from_pandas=True) for name in self._columns]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))


def _about(result: Any) -> tuple[str | None, ...]:
    clip, heard = result.clip, (result.fast, result.precision)
    said = [None if transcript is None else " ".join(word.text for word in transcript.words) for transcript in heard]
    failures = json.dumps([[f.stage, f.type, f.message] for f in result.failures], ensure_ascii=False)
    return (clip.dataset, clip.clip_id, clip.speaker, clip.category, clip.audio, result.file_hash, clip.text, *said, failures)
