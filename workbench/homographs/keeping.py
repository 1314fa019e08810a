"""What listeners heard, kept in a file of JSON lines, so that nothing is listened to twice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from workbench.errors import ConfigError
from workbench.homographs.spoken import Heard, Pair


def read_heard(path: Path) -> dict[str, Heard]:
    """Key -> what was heard; a last line that a killed run left half written is nothing.

    Raises:
        ConfigError: not such a file.
    """
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").split("\n")
    try:
        return {row["key"]: _heard(row["heard"]) for row in map(json.loads, filter(None, lines[:-1]))}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"not a file of what was heard: {error}", where=path, mend="remove it") from None


def add_heard(path: Path, rows: Iterable[tuple[str, Heard]]) -> None:
    """Append."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = not path.exists() or path.read_bytes()[-1:] in (b"\n", b"")
    with path.open("a", encoding="utf-8") as file:
        file.write("" if whole else "\n")
        for key, heard in rows:
            file.write(json.dumps({"key": key, "heard": asdict(heard)}, ensure_ascii=False) + "\n")


def _heard(row: dict) -> Heard:
    pairs = tuple(Pair(**{**pair, "measures": tuple(pair["measures"]), "distances": _pair_of(pair["distances"])}) for pair in row["pairs"])
    return Heard(**{**row, "pairs": pairs, "span_sec": _pair_of(row["span_sec"]), "window_sec": _pair_of(row["window_sec"])})


def _pair_of(values: list[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])
