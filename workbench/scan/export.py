"""``results.parquet``: one row per clip, in order, the same bytes for the same parameters and data."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.scan.results import ClipResult
from workbench.scan.summaries import audio_error_rate
from workbench.verdicts.base import Verdict

ROWS_PER_GROUP = 2000


def write_parquet(results: Iterable[ClipResult], path: str | Path) -> int:
    """Stream results into a Parquet file; times of computing stay out, as they differ from run to run. Returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    partial = path.with_suffix(".parquet.partial")
    schema, count, chunk = _schema(pa), 0, []
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for result in results:
            chunk.append(_row(result))
            count += 1
            if len(chunk) == ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
                chunk = []
        writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
    os.replace(partial, path)
    return count


def _schema(pa: Any) -> Any:
    text, real, whole = pa.string(), pa.float64(), pa.int64()
    fields = {name: text for name in ("clip_id", "dataset", "speaker", "category", "audio", "file_hash", "text", "fast_text", "precision_text")}
    fields |= {"duration_sec": real, "reference_words": whole, "wer_fast": real, "wer_precision": real, "audio_error_rate": real, "confidence": real}
    fields |= {f"n_{verdict.value}": whole for verdict in Verdict}
    fields |= {"flags": pa.list_(text), "notes": pa.list_(text), "failures": text, "words": text, "scores": pa.map_(text, real)}
    return pa.schema(list(fields.items()))


def _row(result: ClipResult) -> dict[str, Any]:
    clip, verdicts = result.clip, result.verdicts
    row: dict[str, Any] = {
        "clip_id": clip.clip_id,
        "dataset": clip.dataset,
        "speaker": clip.speaker,
        "category": clip.category,
        "audio": clip.audio,
        "file_hash": result.file_hash,
        "text": clip.text,
        "fast_text": _text(result.fast),
        "precision_text": _text(result.precision),
        "duration_sec": result.duration_sec,
        "notes": list(result.notes),
        "failures": json.dumps([[f.stage, f.type, f.message] for f in result.failures], ensure_ascii=False),
        "scores": sorted(result.scores.items()),
    }
    if verdicts is not None:
        row |= {
            "reference_words": len(verdicts.words),
            "wer_fast": verdicts.fast_edits.wer,
            "wer_precision": verdicts.precision_edits.wer if verdicts.precision_edits else None,
            "audio_error_rate": audio_error_rate(result),
            "confidence": verdicts.confidence,
            "flags": list(verdicts.flags),
            "words": json.dumps([[w.word, w.verdict.value, w.start_sec, w.end_sec] for w in verdicts.words], ensure_ascii=False),
        }
        row |= {f"n_{verdict.value}": verdicts.count(verdict) for verdict in Verdict}
    return row


def _text(transcript: Any) -> str | None:
    return None if transcript is None else " ".join(word.text for word in transcript.words)
