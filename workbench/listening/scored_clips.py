"""Clips with the scores that judges gave them: from a run's ``results.parquet``, or from a database's export."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import audio
from workbench.clips import Clip
from workbench.errors import ListeningError, WorkbenchError
from workbench.judges.flat_tops import FlatTopsJudge
from workbench.judges.signal import SignalJudge
from workbench.scan.results import ClipResult
from workbench.store.schema import STAGE_COLUMNS

#: The word error rate of the first recogniser, kept among the scores: is what cannot be understood what people dislike?
WER = "wer_fast"
RESULTS = "results.parquet"
#: Columns of the database's export that are scores.
_SCORES = tuple(name for stage, columns in STAGE_COLUMNS.items() if stage not in ("audio", "fast", "precision") for name in columns if not name.endswith("_notes"))


@dataclass(frozen=True, slots=True)
class ScoredClip:
    """A clip and its scores by column."""

    clip: Clip
    scores: Mapping[str, float]


def of_results(results: Iterable[ClipResult]) -> list[ScoredClip]:
    """A scan's results. A clip whose audio could not be read is one with a fault."""
    found = []
    for result in results:
        scores = dict(result.scores)
        if result.verdicts is not None:
            scores[WER] = result.verdicts.fast_edits.wer
        found.append(ScoredClip(result.clip, scores))
    return found


def read_scored_clips(path: str | Path) -> list[ScoredClip]:
    """Clips of a run's folder, its ``results.parquet``, or a Parquet file written by ``workbench db export``.

    A clip whose file is gone, or holds other audio than was judged, comes with a fault.

    Raises:
        ListeningError: no such file, or none of these.
    """
    path = Path(path)
    path = path / RESULTS if path.is_dir() else path
    try:
        import pyarrow.parquet as pq

        table = pq.read_table(path)
    except (OSError, ValueError) as error:
        raise ListeningError(f"results cannot be read: {error}", where=path, expected=f"a run's folder, its {RESULTS}, or a Parquet export of the database") from None
    place = "audio" if "audio" in table.column_names else "file_path"
    if lacking := {"clip_id", "dataset", "speaker", "text", "file_hash", place} - set(table.column_names):
        expected = f"a run's {RESULTS}, or a Parquet export of the database"
        raise ListeningError("not a file of results", where=path, got=f"no column {', '.join(sorted(lacking))}", expected=expected)
    return [_row(row, place) for row in table.to_pylist()]


def _row(row: dict[str, Any], place: str) -> ScoredClip:
    clip = Clip(row["clip_id"], row[place] or "", row["text"] or "", row["dataset"], row["speaker"] or "", row.get("category") or "")
    scores = dict(row["scores"] or []) if "scores" in row else {name: row.get(name) for name in _SCORES}
    scores[WER] = row.get(WER)
    kept = {name: float(value) for name, value in scores.items() if isinstance(value, (int, float)) and math.isfinite(value)}
    return ScoredClip(replace(clip, fault=_fault(clip, row["file_hash"])), kept)


def _fault(clip: Clip, file_hash: str) -> str | None:
    try:
        found = audio.content_hash(audio.read(clip.audio, where=f"clip {clip.clip_id}"))
    except WorkbenchError as error:
        return str(error)
    return None if found == file_hash else f"{clip.audio} no longer holds the audio that was judged, or only a part of it was"


def judge_columns(scored: Iterable[Mapping[str, float]]) -> list[str]:
    """Columns that may be opinions of a judge: all scores but what our own engines measure and the word error rate, in order of name."""
    return sorted({name for scores in scored for name in scores} - {*SignalJudge.columns, *FlatTopsJudge.columns, WER})
