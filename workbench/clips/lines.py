"""Lines of a text manifest, one at a time, whatever their encoding, length or compression."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from workbench.errors import ManifestError

#: A line longer than this is not kept: a file without line ends must not enter memory whole.
LONGEST_LINE_CHARS = 4_000_000


def open_text(path: Path) -> TextIO:
    """A manifest as text: UTF-8 with or without a byte order mark, UTF-16 with one, gzip by its name.

    Bytes that are not UTF-8 come through as lone surrogates, so that one bad line is one bad row.

    Raises:
        ManifestError: the file cannot be opened.
    """
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as raw:
            mark = cast(BinaryIO, raw).read(2)
        wide = mark in (b"\xff\xfe", b"\xfe\xff")
        encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
        return cast(TextIO, opener(path, "rt", encoding=encoding, errors=errors, newline=""))
    except OSError as error:
        raise ManifestError("manifest cannot be opened", where=str(path), got=str(error), expected="a readable file") from None


def numbered_lines(stream: TextIO) -> Iterator[tuple[int, str, bool]]:
    """(number from 1, line with its end, whole?) of each line; a line too long is cut off and not whole."""
    number = 0
    while line := stream.readline(LONGEST_LINE_CHARS):
        number += 1
        whole = len(line) < LONGEST_LINE_CHARS or line.endswith(("\n", "\r"))
        yield number, line, whole
        while not whole and not line.endswith(("\n", "\r")):
            if not (line := stream.readline(LONGEST_LINE_CHARS)):
                return


def plain_suffix(path: Path) -> str:
    """The extension in lower case, without ``.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def default_dataset(path: Path) -> str:
    """A name for the dataset: the file's, or its folder's where the file's says nothing."""
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    general = stem.lower() in {"metadata", "manifest", "index", "filelist", "list", "train", "test", "validation", "dev"}
    return path.resolve().parent.name if general and path.resolve().parent.name else stem
