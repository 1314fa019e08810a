"""A list of trials: clips, each with the reading that its sentence asks for, and, where somebody knows it, the reading that it says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ManifestError
from workbench.homographs.data import QUOTES
from workbench.whole_files import write_whole

REQUIRED = ("audio", "expected", "sentence", "start_byte", "end_byte")
#: What a list may hold beside: the reading that the clip says, its voice and the engine that spoke it.
OPTIONAL = ("spoken", "voice", "engine")


@dataclass(frozen=True, slots=True)
class Trial:
    """One row.

    Attributes:
        audio: file; relative paths count from the list's folder.
        expected: name or data label of a reading; empty where the text model shall say.
        start_byte, end_byte: of the homograph in ``sentence``, half-open, in UTF-8 bytes; -1 where the list holds no number.
        spoken: the reading that the clip says, empty where nobody knows.
        voice, engine: empty where nobody said; voices of the same name of two engines are two voices.
    """

    audio: str
    expected: str
    sentence: str
    start_byte: int
    end_byte: int
    spoken: str = ""
    voice: str = ""
    engine: str = ""

    @property
    def speaker(self) -> str:
        return f"{self.engine}/{self.voice}" if self.engine else self.voice


def read_trials(path: str | Path) -> list[Trial]:
    """The trials of a tab-separated file with a header; a number that is none is kept as -1, so that the row gets its verdict.

    Raises:
        ManifestError: no such file, no UTF-8, a column is missing, or a quotation mark without its other half.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # A stray quotation mark would swallow the rows after it.
            reader = csv.DictReader(file, delimiter="\t", strict=True)
            missing = [column for column in REQUIRED if column not in (reader.fieldnames or ())]
            if missing:
                raise ManifestError("not a list of trials", where=path, got=f"no column {', '.join(missing)}", expected=f"tab-separated {', '.join(REQUIRED)}")
            return [_trial(row, path.parent) for row in reader]
    except csv.Error as error:
        raise ManifestError(f"list of trials cannot be read: {error}", where=path, got=f"line {reader.line_num + 1}", mend=QUOTES) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"list of trials cannot be read: {error}", where=path) from None


def write_trials(path: str | Path, trials: Iterable[Trial]) -> None:
    """Write a list that ``read_trials`` reads; audio inside the list's folder is written relative to it."""
    path, text = Path(path), io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow((*REQUIRED, *OPTIONAL))
    for trial in trials:
        audio = Path(trial.audio)
        shown = audio.relative_to(path.parent) if audio.is_relative_to(path.parent) else audio.absolute()
        writer.writerow((shown, *(getattr(trial, column) for column in (*REQUIRED[1:], *OPTIONAL))))
    write_whole(path, text.getvalue())


def _trial(row: dict[str, str | None], folder: Path) -> Trial:
    texts = {column: (row.get(column) or "").strip() for column in ("expected", *OPTIONAL)}
    start, end = (_number(row.get(column)) for column in ("start_byte", "end_byte"))
    audio = (row.get("audio") or "").strip()
    return Trial(str(folder / audio) if audio else "", sentence=row.get("sentence") or "", start_byte=start, end_byte=end, **texts)


def _number(text: str | None) -> int:
    try:
        return max(-1, int(text or ""))
    except ValueError:
        return -1
