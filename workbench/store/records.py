"""What goes into the results database and comes out of it: keys, results, records, members."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbench.clips import Clip
from workbench.store.schema import STAGE_COLUMNS


class RowKey(NamedTuple):
    """A row belongs to one audio content, one dataset and one text."""

    file_hash: str
    dataset: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage's outcome: values by column name, or an error ``{"type", "message", "attempts"}``."""

    fingerprint: str
    values: dict[str, Any]
    sec: float
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage's outcome on its way into the store, with the clip it belongs to."""

    key: RowKey
    clip: Clip
    stage: str
    result: StageResult


@dataclass(frozen=True, slots=True)
class Member:
    """One clip's place in a scan and the row it led to."""

    position: int
    key: RowKey
    clip: Clip


class FileState(NamedTuple):
    """A file (or a part of one) and the content that was decoded from it; size and time of change tell whether that still holds."""

    place: str
    size_bytes: int
    mtime_ns: int
    file_hash: str


class FinishedChunk(NamedTuple):
    """The positions ``first`` .. ``first + clips`` (half open) of a scan were found finished under this digest, ``failed`` of its clips with an error."""

    first: int
    clips: int
    digest: str
    failed: int = 0


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as read: wide columns, and archived results by (stage, fingerprint)."""

    columns: dict[str, Any]
    archived: dict[tuple[str, str], StageResult] = field(default_factory=dict)

    def stage(self, stage: str, fingerprint: str) -> StageResult | None:
        """The result of ``stage`` under exactly this fingerprint, or None."""
        if self.columns.get(f"{stage}_fingerprint") == fingerprint:
            return from_columns(stage, self.columns)
        return self.archived.get((stage, fingerprint))


@dataclass(frozen=True, slots=True)
class StoredError:
    """A stage that failed on a clip, as the database holds it."""

    key: RowKey
    clip_id: str
    file_path: str
    stage: str
    type: str
    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a results database holds: rows by dataset, clips by scan, failed results by stage."""

    dialect: str
    revision: str
    rows: dict[str, int]
    scans: dict[str, int]
    errors: dict[str, int]


def from_columns(stage: str, columns: dict[str, Any]) -> StageResult:
    """The result that a stage's columns hold; columns without a value are left out."""
    values = {name: value for name in STAGE_COLUMNS.get(stage, ()) if (value := columns[name]) is not None}
    return StageResult(columns[f"{stage}_fingerprint"], values, columns[f"{stage}_sec"] or 0.0, columns[f"{stage}_error"])
