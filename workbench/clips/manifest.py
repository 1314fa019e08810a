"""``Manifest``: a stream of clips that can be read again, and how its kind is known from its path."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench.clips import columnar
from workbench.clips.base import Clip
from workbench.clips.folder import check_folder, read_folder
from workbench.clips.jsonl import check_jsonl, read_jsonl
from workbench.clips.lines import default_dataset, plain_suffix
from workbench.clips.rows import AUDIO_EXTENSIONS, ColumnNames
from workbench.clips.table import read_table, table_layout
from workbench.errors import ManifestError, nearest, unknown_name

#: kind -> what it is.
KINDS = {
    "folder": "folder of audio with a text of the same name beside each file",
    "libritts": "LibriTTS tree (*.normalized.txt beside the audio)",
    "csv": "table with tabs, bars, semicolons or commas; LJSpeech's metadata.csv",
    "jsonl": "JSON lines, NeMo's manifest among them",
    "dataset": "Hugging Face dataset written by save_to_disk",
    "hub": "Hugging Face dataset by name (hf:owner/name:split)",
    "parquet": "parquet or arrow file, or a folder of them",
}
_SAME_KINDS = {"tsv": "csv", "psv": "csv", "ljspeech": "csv", "nemo": "jsonl", "hf": "hub", "huggingface": "hub", "arrow": "parquet"}
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".psv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl",
             ".parquet": "parquet", ".arrow": "parquet"}
_LISTS_IN_FOLDERS = ("metadata.csv", "metadata.tsv", "metadata.jsonl")


@dataclass(frozen=True)
class Manifest:
    """A source of clips. Each ``for clip in manifest`` reads it anew, from the first clip, in the same order, with the same ids.

    Attributes:
        source: path or name as given.
        kind: one of ``KINDS``.
        dataset: name that its clips carry.
    """

    source: str
    kind: str
    dataset: str
    read: Callable[[], Iterator[Clip]] = field(repr=False, compare=False)
    split: str | None = None
    counted: Callable[[], int | None] | None = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Clip]:
        return self.read()

    def count(self) -> int:
        """How many clips, the faulty ones among them; reads the whole source, unless that knows its own size."""
        known = self.counted() if self.counted else None
        return sum(1 for _ in self) if known is None else known

    def describe(self) -> dict[str, str]:
        """What this manifest is, for provenance; reads nothing."""
        told = {"source": self.source, "kind": self.kind, "dataset": self.dataset, "what": KINDS[self.kind]}
        return told | ({"split": self.split} if self.split else {})


def open_manifest(
    source: str | os.PathLike[str],
    *,
    kind: str | None = None,
    dataset: str | None = None,
    split: str | None = None,
    audio_column: str | None = None,
    text_column: str | None = None,
    speaker_column: str | None = None,
) -> Manifest:
    """Open a source of clips; the kind is known from the path, or forced.

    Rows that are no usable clip come as clips with a ``fault``; nothing is dropped. Memory holds one row and 16 to 32 bytes for each id.

    Args:
        source: a folder, a file, or ``hf:owner/name[/config][:split]``; ``FOLDER:split`` for one split of a dataset on disk.
        kind: one of ``KINDS``, where the path misleads.
        dataset: name for the clips; by default that of the folder or file.
        split: which part of a Hugging Face dataset.
        audio_column, text_column, speaker_column: column names that are not among the usual ones.

    Raises:
        ManifestError: nothing there, empty, of no known kind, or without a column for the audio or the text.
    """
    written = os.fspath(source)
    if kind is not None:
        kind = _SAME_KINDS.get(kind, kind)
        if kind not in KINDS:
            raise unknown_name("kind of manifest", kind, KINDS, where=written)
    asked = ColumnNames(audio_column, text_column, speaker_column)
    if written.startswith("hf:") or kind == "hub":
        manifest = _open_hub(written, dataset, split, asked)
    else:
        path, split = _existing(written, split)
        kind, path, name = _kind_of(path, kind)
        manifest = _OPENERS[kind](written, path, dataset or name, split, asked)
    if next(iter(manifest), None) is None:
        raise ManifestError("manifest holds no clips", where=written, got="no rows", expected=f"at least one clip: {KINDS[manifest.kind]}",
                            mend="check the path, or force another kind with kind=")
    return manifest


def _existing(written: str, split: str | None) -> tuple[Path, str | None]:
    path = Path(written).expanduser()
    if _exists(path):
        return path, split
    before, colon, after = written.rpartition(":")
    if colon and before and Path(before).expanduser().is_dir():
        return Path(before).expanduser(), split or after
    siblings = os.listdir(path.parent) if _exists(path.parent) and path.parent.is_dir() else []
    close = nearest(path.name, siblings)
    hub = written.count("/") == 1 and not path.suffix and not written.startswith((".", "/", "~"))
    mend = f"for a dataset on the Hugging Face hub write hf:{written}" if hub else "check the path"
    mend = f"did you mean {path.parent / close[0]}?" if close else mend
    raise ManifestError("manifest not found", where=written, got="no such file or folder", expected="a folder, a file, or hf:owner/name",
                        mend=mend)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _kind_of(path: Path, kind: str | None) -> tuple[str, Path, str]:
    """(kind, the file or folder to read, name of the dataset)."""
    if path.is_dir():
        kind, path, name = _kind_of_folder(path, kind)
        return kind, path, name
    if kind is None:
        kind = _SUFFIXES.get(plain_suffix(path))
    if path.is_file() and path.stat().st_size == 0:
        raise ManifestError("manifest is empty", where=str(path), got="0 bytes", expected="at least one row")
    if kind is None or kind in ("folder", "libritts", "dataset"):
        audio = plain_suffix(path) in AUDIO_EXTENSIONS
        raise ManifestError(
            "not a kind of manifest" if kind is None else f"a file is no {kind}", where=str(path), got=path.name,
            expected=f"a folder, or a file that ends in {', '.join(_SUFFIXES)}",
            mend=f"give its folder, {path.parent}" if audio else f"force a kind with kind=, one of {', '.join(KINDS)}",
        )
    return kind, path, default_dataset(path)


def _kind_of_folder(path: Path, kind: str | None) -> tuple[str, Path, str]:
    name = path.resolve().name or "clips"
    if kind in (None, "dataset") and ((path / "dataset_dict.json").is_file() or (path / "state.json").is_file()):
        return "dataset", path, name
    if kind in (None, "csv", "jsonl"):
        for list_name in _LISTS_IN_FOLDERS:
            list_kind = _SUFFIXES[Path(list_name).suffix]
            if (path / list_name).is_file() and (kind == list_kind or _usable(path / list_name, list_kind)):
                return list_kind, path / list_name, name
    if kind in ("csv", "jsonl"):
        lists = ", ".join(_LISTS_IN_FOLDERS)
        raise ManifestError(f"folder holds no {kind} list", where=str(path), expected=f"one of {lists}", mend="name the list itself")
    return kind or _kind_by_content(path), path, name


def _usable(path: Path, kind: str) -> bool:
    try:
        check_jsonl(path, asked=ColumnNames()) if kind == "jsonl" else table_layout(path, asked=ColumnNames())
    except ManifestError:
        return False
    return True


def _kind_by_content(root: Path) -> str:
    """By the first folder with files that tell: normalised texts make LibriTTS, audio or text a folder, parquet files a dataset."""
    tables = False
    for _, folders, files in os.walk(root, followlinks=False):
        folders.sort()
        lowered = [name.lower() for name in files]
        if any(name.endswith(".normalized.txt") for name in lowered):
            return "libritts"
        if any(name.endswith(AUDIO_EXTENSIONS) for name in lowered):
            return "folder"
        tables = tables or any(name.endswith((".parquet", ".arrow")) for name in lowered)
    return "parquet" if tables else "folder"


def _open_folder(written: str, path: Path, dataset: str, split: str | None, asked: ColumnNames, *, libritts: bool = False) -> Manifest:
    check_folder(path)
    kind = "libritts" if libritts else "folder"
    return Manifest(written, kind, dataset, functools.partial(read_folder, path, dataset, libritts=libritts))


def _open_table(written: str, path: Path, dataset: str, split: str | None, asked: ColumnNames) -> Manifest:
    return Manifest(written, "csv", dataset, functools.partial(read_table, path, dataset, table_layout(path, asked=asked)))


def _open_jsonl(written: str, path: Path, dataset: str, split: str | None, asked: ColumnNames) -> Manifest:
    check_jsonl(path, asked=asked)
    return Manifest(written, "jsonl", dataset, functools.partial(read_jsonl, path, dataset, asked))


def _open_dataset(written: str, path: Path, dataset: str, split: str | None, asked: ColumnNames) -> Manifest:
    opener = functools.partial(columnar.open_disk, str(path), split)
    return _columnar(written, "dataset", dataset, opener, path, asked, split)


def _open_parquet(written: str, path: Path, dataset: str, split: str | None, asked: ColumnNames) -> Manifest:
    found = path.rglob("*") if path.is_dir() else [path]
    files = sorted(str(file) for file in found if path.is_file() or file.suffix.lower() in (".parquet", ".arrow"))
    if not files:
        raise ManifestError("folder holds no parquet or arrow files", where=written, mend="check the path")
    base = path if path.is_dir() else path.parent
    return _columnar(written, "parquet", dataset, functools.partial(columnar.open_parquet, tuple(files)), base, asked, split)


def _open_hub(written: str, dataset: str | None, split: str | None, asked: ColumnNames) -> Manifest:
    name, _, named_split = written.removeprefix("hf:").partition(":")
    owner, *rest = name.split("/")
    repository, config = "/".join([owner, *rest[:1]]), "/".join(rest[1:]) or None
    split = split or named_split or None
    opener = functools.partial(columnar.open_hub, repository, config, split)
    return _columnar(written, "hub", dataset or repository, opener, Path.cwd(), asked, split)


def _columnar(written: str, kind: str, dataset: str, opener, base: Path, asked: ColumnNames, split: str | None) -> Manifest:
    read = functools.partial(columnar.read_rows, opener, dataset, base.resolve(), asked, written)
    counted = None if kind == "hub" else functools.partial(columnar.count_clips, opener, asked, written)
    return Manifest(written, kind, dataset, read, split, counted)


_OPENERS = {
    "folder": _open_folder,
    "libritts": functools.partial(_open_folder, libritts=True),
    "csv": _open_table,
    "jsonl": _open_jsonl,
    "dataset": _open_dataset,
    "parquet": _open_parquet,
}
