"""``results.parquet`` of a listening test: one row per answer with its key, the same bytes for the same ratings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.listening.base import Rating
from workbench.listening.study import Study


def write_ratings(study: Study, ratings: Sequence[Rating], path: str | Path) -> int:
    """Write all answers with systems, text and whether the listener counts; returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    counts = {one.listener: one.counts for one in study.attention}
    rows = [_row(rating, study, counts[rating.listener]) for rating in ratings]
    partial = path.with_suffix(".parquet.partial")
    pq.write_table(pa.Table.from_pylist(rows, schema=_schema(pa)), partial, compression="zstd")
    os.replace(partial, path)
    return len(rows)


def _schema(pa: Any) -> Any:
    text, many = pa.string(), pa.list_(pa.string())
    fields = {"listener": text, "counts": pa.bool_(), "position": pa.int64(), "kind": text, "systems": many, "clip_ids": many, "text": text, "check": text, "answer": text,
              "right": pa.bool_(), "elapsed_sec": pa.float64(), "rated_at": text, "source": text}  # fmt: skip
    return pa.schema(list(fields.items()))


def _row(rating: Rating, study: Study, counts: bool) -> dict[str, Any]:
    trial, item = rating.trial, study.prepared.plan.item
    return {
        "listener": rating.listener,
        "counts": counts,
        "position": trial.position,
        "kind": trial.kind.value,
        "systems": [item[i].system for i in trial.items],
        "clip_ids": [item[i].clip_id for i in trial.items],
        "text": item[trial.items[0]].text,
        "check": trial.check,
        "answer": rating.answer,
        "right": rating.answer in trial.accepted if trial.accepted else None,
        "elapsed_sec": rating.elapsed_sec,
        "rated_at": rating.rated_at,
        "source": rating.source,
    }
