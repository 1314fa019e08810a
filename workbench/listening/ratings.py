"""The ratings file: a CSV per listener, a line per answer, read strictly. A line that does not hold is refused with its number, and the others count.

``docs/listening.md`` documents the format for programs that write it, such as a web panel.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workbench.errors import ListeningError
from workbench.listening.base import ANSWERS, Rating, Trial, TrialKind
from workbench.listening.plan import Plan

SCHEMA = "1"
COLUMNS = ("schema", "plan", "listener", "slot", "position", "trial", "kind", "answer", "elapsed_sec", "rated_at", "source")
#: The first line of a listener says which slot is theirs; it is no answer.
START = "start"
SIMULATED = "simulated"
MOST_SLOTS = 100_000
#: A day; what took longer was no listening.
MOST_SEC = 86_400.0
_LISTENER = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Refused:
    """A line (0: the whole file) that was not used, and why."""

    file: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """One listener's answers. ``whole_bytes`` is where the last complete line ends; ``torn`` says that something incomplete follows it."""

    listener: str
    slot: int | None
    ratings: tuple[Rating, ...]
    refused: tuple[Refused, ...]
    whole_bytes: int
    torn: bool


def check_listener(listener: str) -> str:
    """The pseudonym, if it may name a file.

    Raises:
        ListeningError: it is empty, or holds something else than small letters, digits, ``-`` and ``_``.
    """
    if not _LISTENER.fullmatch(listener):
        raise ListeningError("not a pseudonym for a listener", got=listener or "nothing", expected="1 to 40 small letters, digits, - and _, for instance listener-07")
    return listener


def line_of(cells: Iterable[object]) -> bytes:
    """Cells as one line of the file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(list(cells))
    return out.getvalue().encode("utf-8")


HEADER = line_of(COLUMNS)


def read_ratings(path: str | Path, plan: Plan) -> RatingsFile:
    """One listener's file against the plan of its test.

    Everything is checked: columns, schema, plan, listener (that is the file's name), slot, that the trial is the one the plan has at this position, the
    answer, the times. A last line without its end was cut off while it was written, and is left out.

    Raises:
        ListeningError: the file cannot be read at all, or its name is no listener's.
    """
    path = Path(path)
    listener = check_listener(path.name.removesuffix(".csv"))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ListeningError(f"ratings cannot be read: {error.strerror or error}", where=path) from None
    whole = content.rfind(b"\n") + 1
    lines = content[:whole].removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]
    torn = whole < len(content)
    if not lines or lines[0].rstrip(b"\r") + b"\n" != HEADER:
        why = "the first line is not the header of a ratings file" if lines else "there is no header"
        return RatingsFile(listener, None, (), (Refused(path.name, 0, why),), whole, torn)
    reader = _Reader(plan, listener)
    refused = []
    for number, line in enumerate(lines[1:], start=2):
        if why := reader.take(number, line):
            refused.append(Refused(path.name, number, why))
    return RatingsFile(listener, reader.slot, tuple(rating for _, rating in reader.found.values()), tuple(refused), whole, torn)


def read_all_ratings(folder: str | Path, plan: Plan) -> list[RatingsFile]:
    """Every ``*.csv`` of a folder, in order of name; files that cannot be read come with a refusal instead of ratings."""
    found = []
    for path in sorted(Path(folder).glob("*.csv")):
        try:
            found.append(read_ratings(path, plan))
        except ListeningError as error:
            found.append(RatingsFile(path.stem, None, (), (Refused(path.name, 0, str(error)),), 0, False))
    return found


class _Reader:
    """Takes lines one by one; ``take`` says what is wrong with a line, or nothing."""

    def __init__(self, plan: Plan, listener: str) -> None:
        self._plan, self._listener = plan, listener
        self.slot: int | None = None
        self.found: dict[int, tuple[int, Rating]] = {}

    def take(self, number: int, line: bytes) -> str:
        try:
            text = line.decode("utf-8").rstrip("\r")
            cells = next(csv.reader([text], strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            return f"not a line of UTF-8 CSV: {error}"
        if len(cells) != len(COLUMNS):
            return f"{len(cells)} cells instead of {len(COLUMNS)}"
        row = dict(zip(COLUMNS, cells, strict=True))
        if why := self._foreign(row) or self._not_the_slot(row):
            return why
        slot = int(row["slot"])
        why = "" if row["kind"] == START else self._answer(number, row, slot)
        # Only a line that holds says whose slot it is.
        self.slot = slot if not why and self.slot is None else self.slot
        return why

    def _foreign(self, row: dict[str, str]) -> str:
        wanted = (("schema", SCHEMA, "schema"), ("plan", self._plan.plan_id, "plan of another test:"), ("listener", self._listener, "another listener:"))
        for column, ours, what in wanted:
            if row[column] != ours:
                return f"{what} {row[column][:40]!r} instead of {ours!r}"
        return f"{SIMULATED} ratings are no evidence" if row["source"] == SIMULATED else "" if row["source"] else "no source"

    def _not_the_slot(self, row: dict[str, str]) -> str:
        slot = _whole(row["slot"])
        if slot is None or slot >= MOST_SLOTS:
            return f"slot {row['slot'][:40]!r} is no number from 0 to {MOST_SLOTS - 1}"
        return "" if self.slot in (None, slot) else f"slot {slot}, but the listener has slot {self.slot}"

    def _answer(self, number: int, row: dict[str, str], slot: int) -> str:
        trials, position = self._plan.trials(slot), _whole(row["position"])
        if not position or position > len(trials):
            return f"position {row['position'][:40]!r} is none of 1 to {len(trials)}"
        trial = trials[position - 1]
        if (row["trial"], row["kind"]) != (trial.token, trial.kind.value):
            return f"trial {row['trial'][:40]!r} ({row['kind'][:10]}) is not what the plan asks at position {position}"
        if row["answer"] not in answers_of(trial, self._plan):
            return f"answer {row['answer'][:40]!r} is none of {', '.join(answers_of(trial, self._plan))}"
        elapsed_sec = _real(row["elapsed_sec"])
        if elapsed_sec is None:
            return f"elapsed_sec {row['elapsed_sec'][:40]!r} is no time from 0 to {MOST_SEC:.0f} s"
        if not _is_time(row["rated_at"]):
            return f"rated_at {row['rated_at'][:40]!r} is no ISO 8601 time with its zone"
        if position in self.found:
            return f"position {position} was answered before, in line {self.found[position][0]}; the first answer counts"
        self.found[position] = (number, Rating(self._listener, trial, row["answer"], elapsed_sec, row["rated_at"], row["source"]))
        return ""


def answers_of(trial: Trial, plan: Plan) -> tuple[str, ...]:
    """The answers that are offered."""
    answers = ANSWERS[trial.kind]
    return answers if trial.kind is not TrialKind.AB or plan.rules.no_preference else answers[:2]


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _real(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= MOST_SEC else None


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
