"""Shards on disk: clips on their way to a machine, and what became of them; one Parquet file each, there whole or not at all.

What a user's data can hold (any text, nested lists, None) is JSON inside the Parquet columns, written in ASCII: it comes back exactly, broken Unicode included.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.clips import Clip
from workbench.errors import RunError
from workbench.scan.stages import StagePlan
from workbench.scan.worker import Batch, BatchOutcome
from workbench.store import FileState, Member, RowKey, StageRecord, StageResult

if TYPE_CHECKING:
    import pyarrow as pa

IDENTITY, TOTALS = b"workbench.identity", b"workbench.totals"
#: Raised when the layout of the files changes: older ones are then computed again.
SHARD_VERSION = 1

_CLIP_FIELDS = tuple(f.name for f in fields(Clip) if f.name != "audio_bytes")
_ROWS = ("records", "members", "files", "again")


def identity_of(batches: Iterable[Batch], stages: Sequence[StagePlan]) -> str:
    """What a shard's results depend on: its clips, their encoded audio if inline, and the stages' fingerprints."""
    digest = hashlib.sha256(_text([SHARD_VERSION, [[stage.name, stage.fingerprint] for stage in stages]]).encode())
    for batch in batches:
        for position, clip in batch:
            digest.update(_text([position, _told(clip)]).encode())
            digest.update(hashlib.sha256(clip.audio_bytes or b"").digest())
    return digest.hexdigest()


def write_clips(path: Path, batches: Sequence[Batch], *, identity: str) -> None:
    """Write a shard's clips with the batches they form, inline audio included.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    import pyarrow as pa

    rows = [(number, position, clip) for number, batch in enumerate(batches) for position, clip in batch]
    columns = {
        "batch": pa.array([number for number, _, _ in rows], pa.int32()),
        "position": pa.array([position for _, position, _ in rows], pa.int64()),
        "clip": pa.array([_text(_told(clip)) for _, _, clip in rows], pa.string()),
        "audio_bytes": pa.array([clip.audio_bytes for _, _, clip in rows], pa.large_binary()),
    }
    _write(path, pa.table(columns), {IDENTITY: identity.encode()})


def read_clips(path: Path) -> tuple[list[list[tuple[int, Clip]]], str]:
    """A shard's batches and its identity, as ``write_clips`` got them.

    Raises:
        RunError: there is no such file, or it is not whole.
    """
    table = _read(path)
    if table is None or set(table.column_names) != {"batch", "position", "clip", "audio_bytes"}:
        raise RunError(
            "a shard of clips cannot be read here",
            where=path,
            got="a damaged file" if path.exists() else "no such file",
            mend=f"keep {path.parent} on storage that every machine of the cluster sees under this path",
        )
    batches: list[list[tuple[int, Clip]]] = []
    for row in table.to_pylist():
        if row["batch"] == len(batches):
            batches.append([])
        batches[-1].append((row["position"], Clip(**json.loads(row["clip"]), audio_bytes=row["audio_bytes"])))
    return batches, table.schema.metadata[IDENTITY].decode()


def write_outcome(path: Path, outcome: BatchOutcome, *, identity: str) -> None:
    """Write what a shard came to; from then on it is finished. Encoded audio of inline clips stays behind, as the store does not keep it.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    import pyarrow as pa

    places: dict[int, int] = {}
    clips = [*(r.clip for r in outcome.records), *(m.clip for m in outcome.members), *(clip for _, clip in outcome.again)]
    rows: list[tuple[str, int | None, str | None, Any]] = []
    for clip in clips:
        if id(clip) not in places:
            places[id(clip)] = len(places)
            rows.append(("clip", None, None, _told(clip)))
    for r in outcome.records:
        rows.append(("record", places[id(r.clip)], r.stage, [list(r.key), r.result.fingerprint, r.result.values, r.result.sec, r.result.error]))
    rows += [("member", places[id(m.clip)], None, [m.position, list(m.key)]) for m in outcome.members]
    rows += [("again", places[id(clip)], None, position) for position, clip in outcome.again]
    rows += [("file", None, None, list(state)) for state in outcome.files]
    kinds, of_clips, stages, contents = zip(*rows, strict=True) if rows else ((), (), (), ())
    table = pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "clip": pa.array(of_clips, pa.int32()),
            "stage": pa.array(stages, pa.string()),
            "content": pa.array([_text(content) for content in contents], pa.string()),
        }
    )
    totals = {f.name: getattr(outcome, f.name) for f in fields(outcome) if f.name not in _ROWS}
    _write(path, table, {IDENTITY: identity.encode(), TOTALS: _text(totals).encode()})


def read_outcome(path: Path, *, identity: str | None = None) -> BatchOutcome | None:
    """What ``write_outcome`` got; None when there is no such file, it is damaged or, with ``identity``, of other clips or stages."""
    table = _read(path)
    told = (table.schema.metadata or {}) if table is not None else {}
    if IDENTITY not in told or TOTALS not in told or (identity is not None and told[IDENTITY].decode() != identity):
        return None
    clips: list[Clip] = []
    found: dict[str, list[Any]] = {name: [] for name in _ROWS}
    for row in table.to_pylist():
        kind, content = row["kind"], json.loads(row["content"])
        if kind == "clip":
            clips.append(Clip(**content))
        elif kind == "record":
            key, *result = content
            found["records"].append(StageRecord(RowKey(*key), clips[row["clip"]], row["stage"], StageResult(*result)))
        elif kind == "member":
            found["members"].append(Member(content[0], RowKey(*content[1]), clips[row["clip"]]))
        elif kind == "again":
            found["again"].append((content, clips[row["clip"]]))
        else:
            found["files"].append(FileState(*content))
    return BatchOutcome(**{name: tuple(rows) for name, rows in found.items()}, **_totals(json.loads(told[TOTALS])))


def merged(outcomes: Sequence[BatchOutcome]) -> BatchOutcome:
    """The outcomes of a shard's batches as one."""
    first, *others = outcomes
    for other in others:
        both = {f.name: (getattr(first, f.name), getattr(other, f.name)) for f in fields(BatchOutcome)}
        first = BatchOutcome(**{name: _added(a, b) for name, (a, b) in both.items()})
    return first


def _added(a: Any, b: Any) -> Any:
    """The sum of numbers, counters and tuples; dicts by name."""
    if isinstance(a, dict) and not isinstance(a, Counter):
        return {name: _added(a[name], b[name]) if name in a and name in b else (a | b)[name] for name in {**a, **b}}
    return b if isinstance(a, str) else a + b


def _totals(told: dict[str, Any]) -> dict[str, Any]:
    """Values as they were, where JSON knows no such type."""
    made = {f.name: f.default_factory for f in fields(BatchOutcome) if f.default_factory is not MISSING}
    kinds = {name: Counter if made.get(name) is Counter else tuple if isinstance(value, list) else type(value) for name, value in told.items()}
    return {name: kinds[name](value) for name, value in told.items()}


def without_audio(clip: Clip) -> Clip:
    """The clip without its encoded audio, as it is kept once it was decoded."""
    return clip if clip.audio_bytes is None else replace(clip, audio_bytes=None)


def _told(clip: Clip) -> dict[str, Any]:
    return {name: getattr(clip, name) for name in _CLIP_FIELDS}


def _text(value: Any) -> str:
    # Engines hand out numbers of numpy, too.
    return json.dumps(value, separators=(",", ":"), default=lambda number: number.item())


def _write(path: Path, table: pa.Table, told: dict[bytes, bytes]) -> None:
    import pyarrow.parquet as pq

    # A name of its own: a machine that was taken for dead may still write the same shard.
    half_written = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with half_written.open("wb") as file:
            pq.write_table(table.replace_schema_metadata(told), file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half_written, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            half_written.unlink()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space" in str(error)
        mend = "free disk space and run the same command again: it goes on where it stopped" if full else "make the folder writable for every machine"
        raise RunError("a shard cannot be written", where=path, got=error.strerror or error, mend=mend) from error


def _read(path: Path) -> pa.Table | None:
    """The table in a file, None when there is none or it is not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read()
    except (OSError, pa.ArrowException):
        return None
