"""Tables of the results database.

``audio_quality`` holds one row per audio and text of a dataset; each stage owns the columns named in ``STAGE_COLUMNS`` and its three bookkeeping columns
(fingerprint, seconds, error). ``stage_archive`` keeps what a new fingerprint replaced, and the results of engines that have no columns of their own.
A change here needs a revision in ``migrations/versions``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON as SqlJson
from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import TEXT, VARCHAR

from workbench.verdicts.base import Verdict

#: The revisions of ``migrations/versions``, oldest first; opening a database needs only the last.
REVISIONS = ("0001", "0002", "0003", "0004")
# A missing value is NULL, not the JSON text "null". PostgreSQL's JSON keeps numbers and lists as written; its JSONB would turn 1e23 into another number.
JSON = SqlJson(none_as_null=True)
# Ordered by code point, as SQLite orders, whatever the database's language.
Name = String().with_variant(VARCHAR(collation="C"), "postgresql")
Place = Text().with_variant(TEXT(collation="C"), "postgresql")
Big = Integer().with_variant(BigInteger(), "postgresql")
KEY_COLUMNS = ("file_hash", "dataset", "text_hash")

#: What each stage fills, besides ``<stage>_fingerprint``, ``<stage>_sec`` and ``<stage>_error``.
STAGE_COLUMNS: dict[str, dict[str, Any]] = {
    "audio": {"channels": Integer},
    "signal": {
        "duration_sec": Float,
        "sample_rate_hz": Integer,
        "peak_amplitude": Float,
        "rms_db": Float,
        "clipping_pct": Float,
        "silence_pct": Float,
        "energy_std": Float,
        "dynamic_range_db": Float,
        "zero_crossing_rate": Float,
        "spectral_centroid_hz": Float,
        "spectral_rolloff_hz": Float,
        "bandwidth_hz": Float,
        "loudness_lufs": Float,
        "signal_notes": JSON,
    },
    "fast": {
        "fast_engine": String,
        "fast_text": Text,
        "fast_words": JSON,
        "fast_confidence": Float,
        "fast_confidence_method": String,
        "fast_head_disagreement": Float,
    },
    "precision": {
        "precision_engine": String,
        "precision_text": Text,
        "precision_words": JSON,
        "precision_confidence": Float,
        "precision_confidence_method": String,
        "precision_head_disagreement": Float,
        "precision_evidence": JSON,
        # Seconds of audio that the engine was given, where that was only a part of the clip.
        "precision_listened_sec": Float,
    },
    "dnsmos": {"dnsmos_sig": Float, "dnsmos_bak": Float, "dnsmos_ovrl": Float, "dnsmos_p808": Float, "dnsmos_notes": JSON},
    "nisqa": {
        "nisqa_mos": Float,
        "nisqa_noisiness": Float,
        "nisqa_discontinuity": Float,
        "nisqa_coloration": Float,
        "nisqa_loudness": Float,
        "nisqa_tts": Float,
        "nisqa_notes": JSON,
    },
    "scoreq": {"scoreq_synthetic": Float, "scoreq_natural": Float, "scoreq_notes": JSON},
    "utmosv2": {"utmosv2_mos": Float, "utmosv2_notes": JSON},
    "speaker_similarity": {"speaker_similarity_cosine": Float, "speaker_similarity_notes": JSON},
}

#: Derived when results are read, at the operating point in ``verdict_threshold``; never part of a fingerprint.
DERIVED_COLUMNS: dict[str, Any] = {
    "verdict_threshold": Float,
    "reference_words": Integer,
    "wer_fast": Float,
    "wer_precision": Float,
    **{f"n_{verdict.value}": Integer for verdict in Verdict},
    "clip_flags": JSON,
}

metadata = MetaData()


def _stage_columns() -> list[Column]:
    columns = []
    for stage, own in STAGE_COLUMNS.items():
        columns += [Column(name, type_) for name, type_ in own.items()]
        columns += [Column(f"{stage}_fingerprint", String), Column(f"{stage}_sec", Float), Column(f"{stage}_error", JSON)]
    return columns


audio_quality = Table(
    "audio_quality",
    metadata,
    Column("file_hash", Name, primary_key=True),
    Column("dataset", Name, primary_key=True),
    # One audio may stand under two texts (silence does): without the text in the key they would overwrite each other.
    Column("text_hash", Name, primary_key=True),
    Column("clip_id", Name, nullable=False),
    Column("file_path", Text, nullable=False),
    Column("speaker", String, nullable=False, default=""),
    Column("category", String, nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("metadata", JSON),
    *_stage_columns(),
    *(Column(name, type_) for name, type_ in DERIVED_COLUMNS.items()),
    Index("audio_quality_dataset", "dataset", "clip_id"),
)

stage_archive = Table(
    "stage_archive",
    metadata,
    Column("file_hash", Name, primary_key=True),
    Column("dataset", Name, primary_key=True),
    Column("text_hash", Name, primary_key=True),
    Column("stage", Name, primary_key=True),
    Column("fingerprint", Name, primary_key=True),
    Column("sec", Float),
    Column("payload", JSON),
    Column("error", JSON),
)

scan_clips = Table(
    "scan_clips",
    metadata,
    Column("scan_id", Name, primary_key=True),
    Column("position", Big, primary_key=True),
    Column("file_hash", Name, nullable=False),
    Column("dataset", Name, nullable=False),
    Column("text_hash", Name, nullable=False),
    Column("clip", JSON, nullable=False),
)

#: Stretches of a scan that were found finished, so that the next run can pass over them.
scan_chunks = Table(
    "scan_chunks",
    metadata,
    Column("scan_id", Name, primary_key=True),
    Column("first", Big, primary_key=True),
    Column("clips", Big, nullable=False),
    Column("digest", String, nullable=False),
    Column("failed", Big, nullable=False),
)

#: Which content a file had when it was last decoded, so that a finished scan is recognised without decoding.
audio_index = Table(
    "audio_index",
    metadata,
    Column("place", Place, primary_key=True),
    Column("size_bytes", Big, nullable=False),
    Column("mtime_ns", Big, nullable=False),
    Column("file_hash", Name, nullable=False),
)

#: Alembic's own table says what the schema is; this one stays so that a workbench from before Alembic refuses the database.
schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))
