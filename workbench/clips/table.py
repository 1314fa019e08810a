"""CSV, TSV and pipe-separated tables: with a header, or in the layout of LJSpeech (id|text|normalised text) or of audio|text."""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.clips.base import Clip
from workbench.clips.lines import numbered_lines, open_text, plain_suffix
from workbench.clips.rows import (
    AUDIO_FOLDERS,
    AUDIO_NAMES,
    TEXT_NAMES,
    ColumnNames,
    Columns,
    RowReader,
    find_columns,
    folded,
    is_audio_name,
)
from workbench.errors import ManifestError

_DELIMITERS = ("\t", "|", ";", ",")
#: A quoted cell that runs over more lines than this is a quotation mark that nobody closed.
_LONGEST_CELL_LINES = 200
#: csv's own limit of 131,072 would turn one long text into an error.
_LONGEST_CELL_CHARS = 16_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is cut into cells, and what they mean."""

    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    columns: Columns

    @property
    def quoted(self) -> bool:
        # In tab and pipe tables a quotation mark is a character of the text: LJSpeech has unbalanced ones.
        return self.delimiter in ",;"


def table_layout(path: Path, *, asked: ColumnNames) -> Layout:
    """Delimiter, header and columns, from the first rows.

    Raises:
        ManifestError: no column for the audio or for the text.
    """
    with open_text(path) as stream:
        head = list(itertools.islice((line for _, line, _ in numbered_lines(stream) if line.strip()), 20))
    if not head:
        raise ManifestError("manifest is empty", where=str(path), got="no rows", expected="a header and at least one row")
    trials = [(delimiter, _cells(head, delimiter)) for delimiter in _likely_delimiters(path, head[0])]
    for delimiter, rows in trials:
        names = tuple(cell.strip() for cell in rows[0])
        if {*map(folded, names)} & {*TEXT_NAMES, *map(folded, filter(None, [asked.text]))} and not is_audio_name(names[0]):
            sample = dict(zip(names, rows[1] if len(rows) > 1 else (), strict=False))
            by_id = any((path.parent / folder).is_dir() for folder in AUDIO_FOLDERS)
            return Layout(delimiter, names, True, find_columns(names, sample, asked=asked, where=path, files_by_id=by_id))
    for delimiter, rows in trials:
        if len(rows[0]) > 1 and (found := _without_header(path, rows[0], delimiter)):
            return found
    delimiter, rows = trials[0]
    return Layout(delimiter, tuple(rows[0]), True, find_columns(rows[0], {}, asked=asked, where=path))


def _likely_delimiters(path: Path, first_line: str) -> list[str]:
    present = [delimiter for delimiter in _DELIMITERS if delimiter in first_line]
    if plain_suffix(path) == ".tsv" and "\t" in present:
        return ["\t"]
    return present or [","]


def _cells(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    table = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if delimiter in ",;" else csv.QUOTE_NONE)
    try:
        return [[_unwrapped(cell) for cell in row] for row in table]
    except csv.Error:
        return [lines[0].rstrip("\r\n").split(delimiter)]


def _without_header(path: Path, first: Sequence[str], delimiter: str) -> Layout | None:
    if {*map(folded, first)} & {*AUDIO_NAMES}:
        return None
    if is_audio_name(first[0]):
        second, third = (first[1].strip(), first[2].strip()) if len(first) > 2 else ("", "")
        # Multi-speaker lists come as path|text|speaker and as path|speaker|text: a speaker is one word, a text is more.
        roles = ("speaker", "text") if second and " " not in second and " " in third else ("text", "speaker")
        names = ("audio", *roles, *(f"column_{place}" for place in range(4, len(first) + 1)))[: len(first)]
        return Layout(delimiter, names, False, Columns(("audio",), "text", "speaker" if len(names) > 2 else None))
    if delimiter == "|" and len(first) <= 3 and " " not in first[0].strip():
        # LJSpeech 1.1: the third cell has numbers and abbreviations written out; it is what the reader was asked to say.
        text = "normalized_text" if len(first) == 3 else "text"
        return Layout("|", ("id", "text", "normalized_text")[: len(first)], False, Columns(("id",), text, clip_id="id"))
    return None


def read_table(path: Path, dataset: str, layout: Layout) -> Iterator[Clip]:
    """The clips of a table, one record in memory at a time."""
    reader = RowReader(path.name, dataset, path.resolve().parent)
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL_CHARS))
    records = _records(path, layout)
    if layout.has_header:
        next(records, None)
    for line, cells, fault in records:
        if fault:
            yield reader.faulty(line, fault, got=" ".join(cells)[:80], expected=f"{len(layout.names)} cells: {', '.join(layout.names)}")
        elif len(cells) != len(layout.names):
            yield _wrong_cells(reader, layout, line, cells)
        else:
            yield from reader.clips(dict(zip(layout.names, cells, strict=True)), layout.columns, line)


def _wrong_cells(reader: RowReader, layout: Layout, line: int, cells: Sequence[str]) -> Clip:
    row = dict(zip(layout.names, cells, strict=False))
    return reader.faulty(
        line, f"row has {len(cells)} instead of {len(layout.names)} cells", text=row.get(layout.columns.text, ""),
        got=layout.delimiter.join(cells)[:80], expected=", ".join(layout.names),
        mend="put quotation marks around a text that holds the separator" if layout.quoted else "take the separator out of the text",
    )


def _records(path: Path, layout: Layout) -> Iterator[tuple[int, list[str], str | None]]:
    """(line, cells, fault) of each record. An unclosed quotation mark costs its own line and none after it."""
    with open_text(path) as stream:
        lines = numbered_lines(stream)
        waiting: deque[tuple[int, str, bool]] = deque()
        while True:
            taken: list[tuple[int, str, bool]] = []
            ended = False

            def feed() -> Iterator[str]:
                nonlocal ended
                while len(taken) < _LONGEST_CELL_LINES and (entry := waiting.popleft() if waiting else next(lines, None)):
                    taken.append(entry)
                    yield entry[1]
                ended = True

            cells, fault = _one_record(feed(), layout)
            if not taken:
                return
            first_line, first_text, whole = taken[0]
            if (ended or not whole) and not fault:
                fault = "line is too long" if not whole else "quotation mark is never closed"
            if fault:
                waiting.extendleft(reversed(taken[1:]))
                cells = [first_text.strip()]
            if cells:
                yield first_line, cells, fault


def _one_record(feed: Iterator[str], layout: Layout) -> tuple[list[str], str | None]:
    if not layout.quoted:
        line = next(feed, "").rstrip("\r\n")
        cells = [_unwrapped(cell) for cell in line.split(layout.delimiter)]
        return ([] if _blank(cells) else cells), None
    try:
        cells = next(csv.reader(feed, delimiter=layout.delimiter), [])
    except csv.Error as error:
        return [], f"row cannot be read: {error}"
    return ([] if _blank(cells) else cells), None


def _blank(cells: Sequence[str]) -> bool:
    # A line of separators is a row with nothing in it: it counts, as a faulty one. An empty line is no row.
    return not cells or (len(cells) == 1 and not cells[0].strip())


def _unwrapped(cell: str) -> str:
    """A cell without the quotation marks that a table writer put around it."""
    inner = cell[1:-1]
    if len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell
