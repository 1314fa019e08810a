"""What a rule keeps of a dataset, in clips and in hours, and what each of its conditions takes. Counted chunk by chunk, by the notebook and by ``workbench filter`` alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.datasets.chunks import Chunk
from workbench.datasets.rules import Clause, Rule


@dataclass(slots=True)
class ClauseCount:
    """What one condition takes: the clips for which it is not true, those that it alone takes, and those of which it knows nothing (they are taken as well)."""

    text: str
    taken: int = 0
    taken_sec: float = 0.0
    alone: int = 0
    alone_sec: float = 0.0
    unknown: int = 0

    @property
    def taken_hours(self) -> float:
        return self.taken_sec / 3600

    @property
    def alone_hours(self) -> float:
        return self.alone_sec / 3600


@dataclass(slots=True)
class RuleCount:
    """What a rule, or several together, keeps.

    Attributes:
        clips, sec: of the dataset, unreadable clips among the clips.
        unreadable: clips without audio; no rule keeps them.
        known: by column, how many clips have a value.
    """

    rules: tuple[Rule, ...]
    clauses: tuple[ClauseCount, ...]
    clips: int = 0
    sec: float = 0.0
    kept: int = 0
    kept_sec: float = 0.0
    unreadable: int = 0
    known: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> RuleCount:
        return cls(tuple(rules), tuple(ClauseCount(clause.text) for clause in _clauses(rules)))

    @property
    def name(self) -> str:
        return " and ".join(rule.name for rule in self.rules)

    @property
    def hours(self) -> float:
        return self.sec / 3600

    @property
    def kept_hours(self) -> float:
        return self.kept_sec / 3600

    @property
    def kept_share(self) -> float | None:
        """Of the hours."""
        return self.kept_sec / self.sec if self.sec else None

    @property
    def never_known(self) -> tuple[str, ...]:
        """Columns that the rules ask for and no clip has."""
        return tuple(column for column, clips in self.known.items() if not clips)

    def add(self, chunk: Chunk) -> np.ndarray:
        """Count further clips. Returns which of them stay, shape (clips,)."""
        sec, readable = chunk.sec, chunk.readable
        found = [clause.of(chunk.columns) for clause in _clauses(self.rules)]
        true = np.array([truth.true for truth in found]).reshape(len(found), len(chunk))
        kept = readable & true.all(axis=0)
        fails = (~true).sum(axis=0)
        for count, truth in zip(self.clauses, found, strict=True):
            taken = readable & ~truth.true
            alone = taken & (fails == 1)
            count.taken += int(taken.sum())
            count.taken_sec += float(sec[taken].sum())
            count.alone += int(alone.sum())
            count.alone_sec += float(sec[alone].sum())
            count.unknown += int((readable & ~truth.known).sum())
        for column in dict.fromkeys(name for rule in self.rules for name in rule.columns):
            values = chunk.columns[column]
            self.known[column] = self.known.get(column, 0) + int(np.isfinite(values).sum() if values.dtype.kind == "f" else len(values))
        self.clips += len(chunk)
        self.sec += float(sec.sum())
        self.kept += int(kept.sum())
        self.kept_sec += float(sec[kept].sum())
        self.unreadable += int((~readable).sum())
        return kept


def _clauses(rules: Sequence[Rule]) -> list[Clause]:
    """Every condition once, however many rules hold it."""
    return list({clause.text: clause for rule in rules for clause in rule.clauses}.values())
