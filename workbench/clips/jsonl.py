"""NeMo manifests and other JSON lines: one object a line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from workbench.clips.base import Clip
from workbench.clips.lines import LONGEST_LINE_CHARS, numbered_lines, open_text
from workbench.clips.rows import ColumnNames, Columns, RowReader, find_columns
from workbench.errors import ManifestError

_ROWS_TO_JUDGE = 20
_MEND_ARRAY = "write one object a line: `jq -c '.[]' in.json > out.jsonl`"


def check_jsonl(path: Path, *, asked: ColumnNames) -> None:
    """Look at the first rows.

    Raises:
        ManifestError: none of them is a JSON object, or none has audio and text.
    """
    complaint: ManifestError | None = None
    with open_text(path) as stream:
        filled = ((number, line) for number, line, _ in numbered_lines(stream) if line.strip())
        for number, line in itertools.islice(filled, _ROWS_TO_JUDGE):
            row, fault = _object(line)
            if row is None:
                array = line.lstrip().startswith("[")
                complaint = complaint or ManifestError(
                    "manifest is not JSON lines", where=f"{path}, line {number}", got=f"{line.strip()[:60]} ({fault})",
                    expected='one object a line: {"audio_filepath": "a.wav", "text": "..."}',
                    mend=_MEND_ARRAY if array else "force another kind with kind=",
                )
                continue
            try:
                find_columns(list(row), row, asked=asked, where=path)
                return
            except ManifestError as error:
                complaint = error
    if complaint:
        raise complaint


def read_jsonl(path: Path, dataset: str, asked: ColumnNames) -> Iterator[Clip]:
    """The clips of a manifest, one line in memory at a time."""
    reader = RowReader(path.name, dataset, path.resolve().parent)
    layouts: dict[tuple[str, ...], Columns | ManifestError] = {}
    with open_text(path) as stream:
        for number, line, whole in numbered_lines(stream):
            if not line.strip():
                continue
            row, fault = _object(line) if whole else (None, "longer")
            if not whole:
                yield reader.faulty(number, "line is too long", got=line[:60], expected=f"under {LONGEST_LINE_CHARS:,} characters")
            elif row is None:
                got = f"{line.strip()[:60]} ({fault})"
                yield reader.faulty(number, "line is not a JSON object", got=got, expected='{"audio_filepath": ..., "text": ...}')
            else:
                yield from _clips(reader, row, number, layouts, asked)


def _clips(reader: RowReader, row: dict[str, object], number: int, layouts: dict, asked: ColumnNames) -> Iterator[Clip]:
    keys = tuple(row)
    columns = layouts.get(keys)
    if columns is None:
        try:
            columns = find_columns(keys, row, asked=asked, where=reader.name)
        except ManifestError as error:
            columns = error
        if len(layouts) < 64:  # rows of one manifest share a few layouts; a hostile one must not fill the memory
            layouts[keys] = columns
    if isinstance(columns, ManifestError):
        yield reader.faulty(number, columns.what, text=str(row.get("text") or ""), got=columns.got, expected=columns.expected)
    else:
        yield from reader.clips(row, columns, number)


def _object(line: str) -> tuple[dict[str, object] | None, str]:
    try:
        value = json.loads(line.replace("\0", "\\u0000") if "\0" in line else line)
    except (ValueError, RecursionError) as error:
        return None, getattr(error, "msg", None) or type(error).__name__
    return (value, "") if isinstance(value, dict) else (None, f"a {type(value).__name__}")
