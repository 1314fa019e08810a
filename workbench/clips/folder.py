"""Folders of audio with a text beside each file, LibriTTS trees among them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workbench.clips.base import Clip
from workbench.clips.rows import AUDIO_EXTENSIONS, fault_text, printable
from workbench.errors import ManifestError

#: Endings of the text beside ``x.wav``, the preferred first: LibriTTS' normalised text is what its readers were given.
TEXT_ENDINGS = (".normalized.txt", ".txt", ".lab", ".original.txt")
#: Folders that say nothing of a speaker.
_PLAIN_FOLDERS = frozenset({"wav", "wavs", "audio", "clips", "data", "samples", "flac", "mp3"})
#: Text files that describe a collection and belong to no clip.
_DESCRIPTIONS = re.compile(
    r"(readme|license|licence|notice|copying|changelog|changes|speakers?|books|chapters|reader_book|metadata)\.txt|.*\.trans\.txt"
)
_LIBRITTS_NAME = re.compile(r"(?P<speaker>\d+)_(?P<chapter>\d+)_\d+_\d+$")
_LONGEST_TEXT_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One audio with its text file, or either alone; both relative to the root."""

    audio: str | None
    text: str | None
    fault: str | None = None


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sorting key under which ``clip2`` comes before ``clip10``."""
    parts = (part for part in re.split(r"([0-9]+)", name) if part)
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts] + [(2, 0, name)]


def walk(root: Path) -> Iterator[Entry]:
    """Audio and texts under a folder in natural order, folder by folder; only one folder's names are in memory."""
    yield from _walk(root, "", frozenset())


def _walk(folder: Path, prefix: str, above: frozenset[str]) -> Iterator[Entry]:
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder it lies in
        return
    try:
        with os.scandir(folder) as entries:
            is_folder = {entry.name: entry.is_dir() for entry in entries if not entry.name.startswith(".")}
    except OSError as error:
        fault = fault_text("folder cannot be listed", where=prefix or str(folder), got=error.strerror, expected="a readable folder")
        yield Entry(prefix or ".", None, fault)
        return
    files = {name for name, folder_too in is_folder.items() if not folder_too}
    texts = {name.lower(): name for name in sorted(files) if name.lower().endswith(TEXT_ENDINGS)}
    audio = {name for name in files if name.lower().endswith(AUDIO_EXTENSIONS)}
    orphans = _orphans(texts, {os.path.splitext(name)[0].lower() for name in audio})
    for name in sorted(is_folder, key=natural_key):
        if is_folder[name]:
            yield from _walk(folder / name, f"{prefix}{name}/", above | {real})
        elif name in audio:
            text = _text_of(name, files, texts)
            yield Entry(prefix + name, prefix + text if text else None)
        elif name in orphans:
            yield Entry(None, prefix + name)


def _text_of(audio_name: str, files: set[str], texts: dict[str, str]) -> str | None:
    stem = os.path.splitext(audio_name)[0]
    for ending in TEXT_ENDINGS:
        if stem + ending in files:
            return stem + ending
        if (stem + ending).lower() in texts:
            return texts[(stem + ending).lower()]
    return None


def _orphans(texts: dict[str, str], audio_stems: set[str]) -> set[str]:
    """Texts without audio, one a stem: x.original.txt beside x.normalized.txt is one missing clip, not two."""
    best: dict[str, str] = {}
    for ending in TEXT_ENDINGS:
        for lowered, name in texts.items():
            if lowered.endswith(ending) and not _DESCRIPTIONS.fullmatch(lowered) and lowered.removesuffix(ending) not in audio_stems:
                stem = min((lowered.removesuffix(other) for other in TEXT_ENDINGS if lowered.endswith(other)), key=len)
                if stem not in audio_stems:
                    best.setdefault(stem, name)
    return set(best.values())


def check_folder(root: Path) -> None:
    """Refuse a folder without any clip.

    Raises:
        ManifestError: names what the folder holds instead.
    """
    if next(walk(root), None) is not None:
        return
    names = sorted(os.listdir(root))
    tables = [name for name in names if name.lower().endswith((".csv", ".tsv", ".jsonl", ".json"))]
    raise ManifestError(
        "folder holds no audio", where=str(root), got=f"{len(names)} entries{': ' + ', '.join(names[:5]) if names else ''}",
        expected=f"files that end in {', '.join(AUDIO_EXTENSIONS)}, each with a .txt of the same name",
        mend=f"name the list itself: {root / tables[0]}" if tables else "check the path",
    )


def read_folder(root: Path, dataset: str, *, libritts: bool = False) -> Iterator[Clip]:
    """The clips of a folder. The id is the path from the folder, so no two are the same; the speaker is the first folder below it.

    In a LibriTTS tree (``<speaker>/<chapter>/<speaker>_<chapter>_<paragraph>_<sentence>.wav``; Zen et al. 2019) the speaker is the reader.
    """
    root = root.resolve()
    for entry in walk(root):
        yield _clip(root, entry, dataset, libritts=libritts)


def _clip(root: Path, entry: Entry, dataset: str, *, libritts: bool) -> Clip:
    relative = entry.audio or entry.text or ""
    path = PurePosixPath(relative)
    first = path.parts[0] if len(path.parts) > 1 else ""
    speaker, extra = ("" if first.lower() in _PLAIN_FOLDERS else first), {}
    if libritts and (name := _LIBRITTS_NAME.match(path.name.split(".")[0])):
        speaker, extra = name["speaker"], {"chapter": name["chapter"]}
    text, fault = _read_text(root, entry, path)
    clip_id = printable(relative)
    if clip_id != relative:
        fault = fault_text("file name is not UTF-8", where=clip_id, got=clip_id, expected="a UTF-8 name", mend="rename the file")
    audio = printable(str(root / entry.audio)) if entry.audio else ""
    return Clip(clip_id, audio, text, dataset, speaker=printable(speaker), fault=entry.fault or fault, extra=extra)


def _read_text(root: Path, entry: Entry, path: PurePosixPath) -> tuple[str, str | None]:
    if entry.fault:
        return "", None
    if entry.text is None:
        stem = os.path.splitext(path.name)[0]
        return "", fault_text("no text beside the audio", where=path, got="audio alone", expected=f"{stem}.txt in the same folder",
                              mend="write the words it should say into it")
    text, fault = read_text(root / entry.text, where=entry.text)
    if entry.audio is None:
        stem = path.name.removesuffix(".txt")
        fault = fault_text("no audio beside the text", where=path, got="text alone", expected=f"{stem}.wav, .flac, .mp3, .ogg or .opus",
                           mend="synthesise it, or remove the text")
    return text, fault


def read_text(path: Path, *, where: object) -> tuple[str, str | None]:
    """(text, fault) of a text file: UTF-8 with or without a byte order mark, or UTF-16 with one; blanks at the ends go."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read(_LONGEST_TEXT_BYTES + 1)
    except OSError as error:
        return "", fault_text("text cannot be read", where=where, got=error.strerror, expected="a readable text file")
    if len(raw) > _LONGEST_TEXT_BYTES:
        got = f"over {_LONGEST_TEXT_BYTES:,} bytes"
        return "", fault_text("text file is too long for one clip", where=where, got=got, expected="the words of one clip")
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding).strip()
    except UnicodeDecodeError as error:
        return printable(raw.decode("utf-8", "backslashreplace").strip()), fault_text(
            "text is not UTF-8", where=where, got=f"byte 0x{raw[error.start]:02x} at position {error.start}", expected="UTF-8 text",
            mend=f"iconv -f latin1 -t utf-8 {path.name}")
    nul = fault_text("text holds a NUL character", where=where, got=text[:60], expected="text", mend="remove it from the file")
    return printable(text), nul if "\0" in text else None
