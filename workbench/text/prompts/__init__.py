"""Our own prompt sets as data: ``<name>.tsv`` beside this file with the columns prompt_id, category, text (and, in a user's own, sensitive)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import TextError, unknown_name

FOLDER = Path(__file__).parent
COLUMNS = ("prompt_id", "category", "text")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text to be spoken. A ``sensitive`` one is never handed to a cloud engine."""

    prompt_id: str
    category: str
    text: str
    sensitive: bool = False


def prompt_sets() -> dict[str, Path]:
    """The sets that ship with the package, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.tsv"))}


def load_prompts(source: str | Path, *, limit: int = 0) -> list[Prompt]:
    """Prompts of a shipped set (by name), of a TSV file with our columns, or of a text file with one prompt a line.

    Args:
        limit: at most this many, spread evenly over the set so that every category keeps its share; 0 takes all.

    Raises:
        UnknownNameError: neither a set nor a file.
        TextError: the file is not UTF-8, lacks the columns or is empty, or its optional column ``sensitive`` says neither yes nor no.
    """
    path = prompt_sets().get(str(source), Path(source))
    if not path.is_file():
        raise unknown_name("prompt set", str(source), prompt_sets(), where="a shipped set or a .tsv or .txt file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            prompts = _from_table(lines, path) if path.suffix == ".tsv" else _from_lines(lines)
    except UnicodeDecodeError as error:
        raise TextError("prompt file is not UTF-8", where=path, got=f"byte {error.start}", mend="save it as UTF-8") from None
    if not prompts:
        raise TextError("prompt file holds no prompts", where=path, expected="one prompt a line, or a TSV table with columns prompt_id, category, text")
    if 0 < limit < len(prompts):
        prompts = [prompts[index * len(prompts) // limit] for index in range(limit)]
    return prompts


def _from_table(lines: Iterable[str], path: Path) -> list[Prompt]:
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    if lacking := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise TextError(f"prompt table lacks {', '.join(lacking)}", where=path, got=reader.fieldnames, expected=", ".join(COLUMNS))
    return [Prompt(row["prompt_id"], row["category"] or "", row["text"] or "", _is_sensitive(row, path)) for row in reader]


def _is_sensitive(row: dict[str, str], path: Path) -> bool:
    said = (row.get("sensitive") or "").strip().lower()
    if said not in (*_YES, *_NO):
        raise TextError("sensitive must say yes or no", where=f"{path}, prompt {row['prompt_id']}", got=said, expected="yes, no or nothing")
    return said in _YES


def _from_lines(lines: Iterable[str]) -> list[Prompt]:
    return [Prompt(f"line-{number:05d}", "", line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
