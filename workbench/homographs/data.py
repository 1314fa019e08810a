"""Labelled sentences in the format of the Wikipedia Homograph Data.

Source: Gorman, Mazovetskiy, Nikolaev, "Improving homograph disambiguation with machine learning" (LREC 2018).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ConfigError, TextError, WorkbenchError
from workbench.homographs.lexicon import Lexicon
from workbench.homographs.occurrence import Occurrence, occurrence

#: What to do about a table that the csv module cannot read.
QUOTES = 'put a field that holds a quotation mark into quotation marks, and write the mark in it twice: """Live!"" she said."'
COLUMNS = ("homograph", "wordid", "sentence", "start", "end")


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One homograph in a sentence whose reading is known.

    Attributes:
        reading: name of the reading in the lexicon.
        start_byte, end_byte: half-open offsets into the UTF-8 bytes of the sentence.
        occurrence: the same, read.
    """

    word: str
    reading: str
    sentence: str
    start_byte: int
    end_byte: int
    occurrence: Occurrence


def read_items(path: str | Path, lexicon: Lexicon, *, part: str = "train") -> list[LabelledItem]:
    """The items of a TSV file, or of ``<part>.tsv`` in a folder.

    Raises:
        ConfigError: no such file, a column that lacks, or a row that does not fit: offsets that hold another word, a homograph or label that the lexicon lacks.
    """
    file = tsv_of(path, part)
    items = []
    for number, row in _rows(file):
        try:
            items.append(_item(row, lexicon))
        except (WorkbenchError, ValueError) as error:
            mend = "add the word, or the label to its reading, in a file of homographs: docs/homographs.md" if "unknown" in str(error) else None
            raise ConfigError(f"row of labelled data does not fit: {error}", where=f"{file}, row {number}", mend=mend) from None
    if not items:
        raise ConfigError("labelled data without a row", where=file, expected=f"a header with {', '.join(COLUMNS)}, and rows")
    return items


def tsv_of(path: str | Path, part: str) -> Path:
    """The TSV file that a file or folder stands for.

    Raises:
        ConfigError: there is none.
    """
    path = Path(path)
    file = path / f"{part}.tsv" if path.is_dir() else path
    if not file.is_file():
        raise ConfigError("no labelled data there", where=path, expected=f"a .tsv file, or a folder with {part}.tsv")
    return file


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            # A stray quotation mark would swallow the rows after it.
            reader = csv.DictReader(lines, delimiter="\t", strict=True)
            lacking = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if lacking:
                raise ConfigError("labelled data lacks columns", where=file, got=", ".join(reader.fieldnames or ("an empty file",)), expected=", ".join(COLUMNS))
            yield from enumerate(reader, 1)
    except csv.Error as error:
        raise ConfigError(f"labelled data cannot be read: {error}", where=file, got=f"line {reader.line_num + 1}", mend=QUOTES) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"labelled data cannot be read: {error}", where=file) from None


def _item(row: dict[str, str], lexicon: Lexicon) -> LabelledItem:
    start, end = int(row["start"] or "no number"), int(row["end"] or "no number")
    found = occurrence(row["sentence"] or "", start, end)
    homograph = lexicon.need(row["homograph"])
    if found.word != homograph.word:
        raise TextError("offsets hold another word", got=found.written, expected=homograph.word)
    return LabelledItem(homograph.word, homograph.reading(row["wordid"]).name, row["sentence"], start, end, found)
