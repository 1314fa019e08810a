"""What listeners heard, kept in a file of JSON lines, so that nothing is listened to twice; and where results may be written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from workbench.errors import ConfigError
from workbench.homographs.spoken import Heard, Pair

#: What every line begins with.
_HEAD = '{"key"'


def read_heard(path: Path) -> dict[str, Heard]:
    """Key -> what was heard; a line that a killed run left half written is nothing, wherever it stands by now.

    Raises:
        ConfigError: not such a file.
    """
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        return {row["key"]: _heard(row["heard"]) for row in map(_row, filter(None, lines[:-1])) if row is not None}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"not a file of what was heard: {error}", where=path, mend="remove it") from None


def add_heard(path: Path, rows: Iterable[tuple[str, Heard]]) -> None:
    """Append, in one piece: what two runs add at once does not mix."""
    text = "".join(json.dumps({"key": key, "heard": asdict(heard)}, ensure_ascii=False) + "\n" for key, heard in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file:
        if file.tell():
            file.seek(-1, 2)
            text = text if file.read(1) == b"\n" else "\n" + text
        file.write(text.encode())


def check_place(path: Path) -> None:
    """
    Raises:
        ConfigError: nothing can be written there: found before hours of listening, not after.
    """
    if path.is_dir():
        raise ConfigError("a folder where a file is to be written", where=path, mend="name a file")
    if not path.parent.is_dir():
        raise ConfigError("no folder for the file", where=path, mend=f"mkdir -p {path.parent}")


def _row(line: str) -> dict | None:
    """None for the beginning of a line."""
    try:
        return json.loads(line)
    except ValueError:
        if _HEAD.startswith(line[: len(_HEAD)]):
            return None
        raise


def _heard(row: dict) -> Heard:
    pairs = tuple(Pair(**{**pair, "measures": tuple(pair["measures"]), "distances": _pair_of(pair["distances"])}) for pair in row["pairs"])
    return Heard(**{**row, "pairs": pairs, "span_sec": _pair_of(row["span_sec"]), "window_sec": _pair_of(row["window_sec"])})


def _pair_of(values: list[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])
