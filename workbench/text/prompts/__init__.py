"""Our own prompt sets as data: ``<name>.tsv`` beside this file with the columns prompt_id, category, text.

Columns that need not be there: ``spoken_forms`` (how the text may be said, see ``text.spoken``), ``homographs`` (``lives = lives_vrb ; wound = wound_nou-vrb``: words of
the text in order, each with the reading that the sentence asks for), ``sensitive``; all others travel with the prompt.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from workbench.errors import TextError, unknown_name
from workbench.text.spoken import SPOKEN_FORMS, SpokenText, pairs, ways_to_say

FOLDER = Path(__file__).parent
COLUMNS = ("prompt_id", "category", "text")
HOMOGRAPHS = "homographs"
#: The ten categories that models are compared in, as ``evaluation``, ``evaluation_large`` and ``stress`` spell them.
CATEGORIES = ("numbers", "decimals", "dates", "currency", "negations", "quotes", "lists", "abbreviations", "homographs", "long prosody")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "")


class ExpectedReading(NamedTuple):
    """A homograph at ``start:end`` (half-open, characters of the text), and the reading that its sentence asks for."""

    word: str
    reading: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text to be spoken. A ``sensitive`` one is never handed to a cloud engine.

    ``extra`` holds the table's other columns where they say anything; given to ``TextToSpeak`` they reach the clip.
    """

    prompt_id: str
    category: str
    text: str
    sensitive: bool = False
    extra: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def spoken(self) -> SpokenText:
        """The text with all accepted ways to say it.

        Raises:
            TextError: its spoken forms do not fit the text; never for prompts that ``load_prompts`` gave.
        """
        return ways_to_say(self.text, self.extra.get(SPOKEN_FORMS, ""), where=self.prompt_id)

    @property
    def homographs(self) -> tuple[ExpectedReading, ...]:
        """Homographs with their expected readings, in the order of the text.

        Raises:
            TextError: a word is not in the text; never for prompts that ``load_prompts`` gave.
        """
        found, at = [], 0
        for word, reading in pairs(self.extra.get(HOMOGRAPHS, ""), where=self.prompt_id, expected="word = reading ; word = reading"):
            m = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE).search(self.text, at)
            if not m:
                raise TextError("homograph is not in the text, or not in this order", where=self.prompt_id, got=word, expected=f"a word of {self.text[at:]!r}")
            found.append(ExpectedReading(word, reading, m.start(), at := m.end()))
        return tuple(found)


def prompt_sets() -> dict[str, Path]:
    """The sets that ship with the package, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.tsv"))}


def load_prompts(source: str | Path, *, limit: int = 0) -> list[Prompt]:
    """Prompts of a shipped set (by name), of a TSV file with our columns, or of a text file with one prompt a line.

    Args:
        limit: at most this many, spread evenly over the set so that every category keeps its share; 0 takes all.

    Raises:
        UnknownNameError: neither a set nor a file.
        TextError: the file is not UTF-8, lacks the columns or is empty, its optional column ``sensitive`` says neither yes nor no, or spoken forms or homographs
            do not fit their text.
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
    return [_prompt(row, path) for row in reader]


def _prompt(row: dict[str, str], path: Path) -> Prompt:
    extra = {name: value for name, value in row.items() if name and value and name not in (*COLUMNS, "sensitive")}
    prompt = Prompt(row["prompt_id"], row["category"] or "", row["text"] or "", _is_sensitive(row, path), extra)
    try:
        _ = prompt.spoken, prompt.homographs
    except TextError as error:
        raise TextError(error.what, where=f"{path}, prompt {prompt.prompt_id}", got=error.got, expected=error.expected, mend=error.mend) from None
    return prompt


def _is_sensitive(row: dict[str, str], path: Path) -> bool:
    said = (row.get("sensitive") or "").strip().lower()
    if said not in (*_YES, *_NO):
        raise TextError("sensitive must say yes or no", where=f"{path}, prompt {row['prompt_id']}", got=said, expected="yes, no or nothing")
    return said in _YES


def _from_lines(lines: Iterable[str]) -> list[Prompt]:
    return [Prompt(f"line-{number:05d}", "", line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
