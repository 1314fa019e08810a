"""From a table's row, of whatever source, to clips: which column is what, where the audio lies, which id is free."""

from __future__ import annotations

import functools
import hashlib
import math
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from workbench.clips.base import Clip
from workbench.errors import ManifestError

AUDIO_EXTENSIONS = (".wav", ".flac", ".mp3", ".ogg", ".opus")

#: Column names by role, the preferred first; compared in lower case with blanks and hyphens as underscores.
AUDIO_NAMES = ("audio", "audio_file", "audio_filepath", "audio_path", "path", "file", "file_name", "filename", "filepath", "file_path",
               "wav", "wav_path", "wav_file", "wav_filename", "clip")
TEXT_NAMES = ("text", "normalized_text", "text_normalized", "normalised_text", "transcript", "transcription", "sentence", "reference",
              "text_original", "raw_text")
SPEAKER_NAMES = ("speaker", "voice", "speaker_id", "speaker_name", "spk", "client_id", "system")
CATEGORY_NAMES = ("category", "kind")
ID_NAMES = ("id", "clip_id", "utt_id", "utterance_id", "segment_id", "uid")
OFFSET_NAMES = ("offset", "offset_sec")
DURATION_NAMES = ("duration", "duration_sec")
#: Folders beside a manifest in which its audio may lie when the path as written leads nowhere.
AUDIO_FOLDERS = ("wavs", "wav", "audio", "clips")


@dataclass(frozen=True)
class Columns:
    """Which column plays which role. Several ``audio`` columns are several voices of one text, each named by its column."""

    audio: tuple[str, ...]
    text: str
    speaker: str | None = None
    category: str | None = None
    clip_id: str | None = None
    offset: str | None = None
    duration: str | None = None

    @functools.cached_property
    def roles(self) -> frozenset[str | None]:
        return frozenset({*self.audio, self.text, self.speaker, self.category, self.clip_id, self.offset, self.duration})


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The caller's own names for the columns; None leaves the choice to the names known here."""

    audio: str | None = None
    text: str | None = None
    speaker: str | None = None


def folded(name: object) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def is_audio_name(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower().endswith(AUDIO_EXTENSIONS)


def find_columns(names: Sequence[str], sample: Mapping[str, object], *, asked: ColumnNames, where: object,
                 typed_audio: Sequence[str] = (), files_by_id: bool = False) -> Columns:
    """Give each column its role.

    Args:
        names: the columns in order.
        sample: one row, by which voice columns (named by voice, holding audio) are known.
        asked: names that the caller insists on.
        typed_audio: columns that the source's schema declares as audio.
        files_by_id: without an audio column, the id names the file (``wavs/<id>.wav``).

    Raises:
        ManifestError: no column for the audio or for the text, or an asked one is missing.
    """
    known = {folded(name): name for name in reversed(names)}

    def pick(candidates: Sequence[str], wanted: str | None = None) -> str | None:
        if wanted is None:
            return next((known[name] for name in candidates if name in known), None)
        if folded(wanted) not in known:
            raise ManifestError(f"no column {wanted!r}", where=where, got=f"columns {', '.join(map(str, names))}", mend="name one of them")
        return known[folded(wanted)]

    inline = tuple(typed_audio) or tuple(name for name in names if _is_inline(sample.get(name)))
    by_name = pick(AUDIO_NAMES, asked.audio)
    if asked.audio or not inline:
        audio = (by_name,) if by_name else tuple(name for name in names if is_audio_name(sample.get(name)))
    else:
        audio = inline
    if not audio and files_by_id and (by_id := pick(ID_NAMES)):
        audio = (by_id,)
    text = pick(TEXT_NAMES, asked.text)
    missing = [role for role, found in (("audio", audio), ("text", text)) if not found]
    if missing or text is None:
        accepted = AUDIO_NAMES if "audio" in missing else TEXT_NAMES
        raise ManifestError(
            f"no column for the {' and the '.join(missing)}", where=where, got=f"columns {', '.join(map(str, names)) or 'none'}",
            expected=f"one named {', '.join(accepted)}", mend="rename the column, or name it with audio_column= and text_column=",
        )
    speaker = pick(SPEAKER_NAMES, asked.speaker)
    return Columns(audio, text, speaker, pick(CATEGORY_NAMES), pick(ID_NAMES), pick(OFFSET_NAMES), pick(DURATION_NAMES))


def _is_inline(value: object) -> bool:
    return isinstance(value, (bytes, bytearray)) or (isinstance(value, Mapping) and "bytes" in value)


def printable(text: str) -> str:
    """The text as it can be stored anywhere: undecodable bytes and lone surrogates as escapes, NUL as U+FFFD."""
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\0", "\ufffd") if "\0" in text else text


def fault_text(what: str, *, where: object, got: object = None, expected: object = None, mend: str | None = None) -> str:
    """A row's fault in the words of the error family."""
    return printable(str(ManifestError(what, where=where, got=got, expected=expected, mend=mend)))


class SeenIds:
    """A set of ids that takes 16 to 32 bytes an id, so that a million clips cost about 16 MB.

    Open addressing over 64-bit BLAKE2 digests. Two ids with one digest would only cost the second a needless line number.
    """

    def __init__(self) -> None:
        self._slots = array("Q", [0]) * 1024
        self._used = 0

    def add(self, clip_id: str) -> bool:
        """Take an id; False when it was taken before."""
        digest = int.from_bytes(hashlib.blake2b(clip_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") or 1
        if not self._place(digest):
            return False
        self._used += 1
        if 2 * self._used > len(self._slots):
            old, self._slots = self._slots, array("Q", [0]) * (2 * len(self._slots))
            for value in old:
                if value:
                    self._place(value)
        return True

    def free(self, clip_id: str, *, line: int) -> str:
        """``clip_id``, or with the line it stands on when it is taken: ``a.wav``, then ``a.wav@57``."""
        candidate, more = clip_id, 1
        while not self.add(candidate):
            candidate = f"{clip_id}@{line}" if more == 1 else f"{clip_id}@{line}.{more}"
            more += 1
        return candidate

    def _place(self, digest: int) -> bool:
        slots, mask = self._slots, len(self._slots) - 1
        at = digest & mask
        while slots[at]:
            if slots[at] == digest:
                return False
            at = (at + 1) & mask
        slots[at] = digest
        return True


class AudioFinder:
    """Where the audio of a row lies: as written, from the manifest's folder, or in a usual folder beside it.

    Paths are strings here: pathlib interns every part of a path, which grows with the manifest and takes half the time of a row.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    @functools.cached_property
    def _folders(self) -> list[str]:
        beside = (os.path.join(self.folder, name) for name in AUDIO_FOLDERS)
        return [self.folder, *filter(os.path.isdir, beside)]

    def find(self, written: str) -> str:
        """The absolute path; where nothing is found, the one that was most likely meant."""
        if written.startswith("file://"):
            written = unquote(urlsplit(written).path)
        elif written.startswith("~/"):
            written = os.path.expanduser(written)
        if os.path.isabs(written) or (len(self._folders) == 1 and is_audio_name(written)):
            return os.path.join(self.folder, written)
        endings = ("",) if is_audio_name(written) else ("", *AUDIO_EXTENSIONS)
        candidates = (os.path.join(folder, written + ending) for folder in self._folders for ending in endings)
        return next(filter(os.path.isfile, candidates), os.path.join(self.folder, written))

    def relative(self, written: str) -> str:
        """A short name for an id: within the manifest's folder the relative path, else the file's name."""
        if not written.startswith(("/", "file://")):
            return written.removeprefix("./")
        return written.removeprefix(self.folder + "/") if written.startswith(self.folder + "/") else os.path.basename(written)


@dataclass
class RowReader:
    """Turns the rows of one pass over a manifest into clips.

    Attributes:
        name: how the manifest is called in faults and in the ids of rows without audio.
        base: the folder from which relative audio paths start.
        row_word: what a row's number counts.
    """

    name: str
    dataset: str
    base: Path
    row_word: str = "line"
    seen: SeenIds = field(default_factory=SeenIds)

    def __post_init__(self) -> None:
        self._finder = AudioFinder(self.base)

    def where(self, line: int) -> str:
        return f"{self.name} {self.row_word} {line}"

    def faulty(self, line: int, what: str, *, text: str = "", got: object = None, expected: object = None, mend: str | None = None) -> Clip:
        """The clip that stands for a row of which nothing can be used."""
        fault = fault_text(what, where=self.where(line), got=got, expected=expected, mend=mend)
        return Clip(self.seen.free(f"{self.name}:{line}", line=line), "", printable(text), self.dataset, fault=fault)

    def clips(self, row: Mapping[str, object], columns: Columns, line: int) -> Iterator[Clip]:
        """One clip for each audio column of the row."""
        text, fault = self._text(row.get(columns.text), columns.text, line)
        others = _others(row, columns.roles)
        span, fault = self._span(row, columns, line, fault)
        for column in columns.audio:
            audio, content, name, audio_fault = self._audio(row.get(column), column, line)
            clip_id = _word(row, columns.clip_id)
            if not clip_id and name:
                clip_id = f"{name}@{span['offset_sec']:g}s" if "offset_sec" in span else name
            elif len(columns.audio) > 1:
                clip_id = f"{clip_id or f'{self.name}:{line}'}/{column}"
            clip_id = clip_id or f"{self.name}:{line}"
            yield Clip(
                self.seen.free(printable(clip_id), line=line), printable(audio), text, self.dataset,
                speaker=str(column) if len(columns.audio) > 1 else _word(row, columns.speaker),
                category=_word(row, columns.category), audio_bytes=content, fault=audio_fault or fault, extra={**others, **span},
            )

    def _text(self, value: object, column: str, line: int) -> tuple[str, str | None]:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            got = "nothing" if value is None else f"{type(value).__name__} {value!r}"
            return "", fault_text(f"no text in column {column!r}", where=self.where(line), got=got, expected="the words it should say")
        return printable(value), _unreadable(value, f"text in column {column!r}", self.where(line))

    def _audio(self, value: object, column: str, line: int) -> tuple[str, bytes | None, str, str | None]:
        """Path, encoded bytes, name for the id, fault."""
        if isinstance(value, Mapping):
            written, content = str(value.get("path") or ""), value.get("bytes")
            if content is not None:
                return written, bytes(content), os.path.basename(written), None
            value = value if "array" in value and not written else written
        if isinstance(value, (bytes, bytearray)):
            return "", bytes(value), "", None
        where = self.where(line)
        if value is None or (isinstance(value, str) and not value.strip()):
            fault = fault_text(f"no audio in column {column!r}", where=where, got="nothing", expected="path of an audio file")
            return "", None, "", fault
        if not isinstance(value, str):
            fault = fault_text(f"audio in column {column!r} is not a file", where=where, got=f"a {type(value).__name__}",
                               expected="a path, or encoded bytes", mend="save the audio as files or as encoded bytes")
            return "", None, "", fault
        written = value.strip()
        if fault := _unreadable(written, f"path in column {column!r}", where):
            return written, None, self._finder.relative(written), fault
        if written.startswith(("http://", "https://")):
            fault = fault_text("audio is a web address", where=where, got=written, expected="a file on this machine", mend="download it")
            return written, None, os.path.basename(urlsplit(written).path), fault
        return self._finder.find(written), None, self._finder.relative(written), None

    def _span(self, row: Mapping[str, object], columns: Columns, line: int, fault: str | None) -> tuple[dict[str, object], str | None]:
        """The part of the file that the clip is; only a row that names an offset is a part. Without one a duration is mere information."""
        values = [row.get(name) if name else None for name in (columns.offset, columns.duration)]
        offset, duration = (None if value is None or value == "" else _number(value) for value in values)
        if offset is None:
            return ({} if duration is None or math.isnan(duration) else {"stated_duration_sec": duration}), fault
        if not offset >= 0 or (duration is not None and not duration > 0):
            got = f"offset {values[0]!r}, duration {values[1]!r}"
            return {}, fault or fault_text("offset and duration are no span", where=self.where(line), got=got,
                                           expected="seconds, offset >= 0 and duration > 0")
        return {"offset_sec": offset} | ({} if duration is None else {"duration_sec": duration}), fault


def _others(row: Mapping[str, object], roles: frozenset[str | None]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in row.items():
        if name in roles or name in ("offset_sec", "duration_sec") or not isinstance(value, (str, int, float)) or value == "":
            continue
        if isinstance(value, float) and not math.isfinite(value):
            value = str(value)  # JSON has no NaN
        kept[printable(str(name))] = printable(value) if isinstance(value, str) else value
    return kept


def _word(row: Mapping[str, object], column: str | None) -> str:
    value = row.get(column) if column else None
    return printable(str(value)).strip() if isinstance(value, (str, int, float)) else ""


def _number(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def _unreadable(text: str, what: str, where: str) -> str | None:
    if "\0" in text:
        return fault_text(f"{what} holds a NUL character", where=where, got=text[:60], expected="text", mend="remove it from the file")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return fault_text(f"{what} is not UTF-8", where=where, got=text[:60], expected="UTF-8 text", mend="save the file as UTF-8")
    return None
