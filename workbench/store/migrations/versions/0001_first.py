"""The first schema: rows, archive, members of scans, files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT, VARCHAR

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True)
# A type of its own for each use, spelt out here: a revision stays as it is when the schema goes on.
NAME = sa.String().with_variant(VARCHAR(collation="C"), "postgresql")
PLACE = sa.Text().with_variant(TEXT(collation="C"), "postgresql")
BIG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

STAGES = {
    "audio": {sa.Integer: ["channels"]},
    "signal": {
        sa.Integer: ["sample_rate_hz"],
        sa.Float: [
            "duration_sec",
            "peak_amplitude",
            "rms_db",
            "clipping_pct",
            "silence_pct",
            "energy_std",
            "dynamic_range_db",
            "zero_crossing_rate",
            "spectral_centroid_hz",
            "spectral_rolloff_hz",
        ],
        JSON: ["signal_notes"],
    },
    "fast": {sa.String: ["fast_engine", "fast_confidence_method"], sa.Text: ["fast_text"], JSON: ["fast_words"], sa.Float: ["fast_confidence"]},
    "precision": {
        sa.String: ["precision_engine", "precision_confidence_method"],
        sa.Text: ["precision_text"],
        JSON: ["precision_words", "precision_evidence"],
        sa.Float: ["precision_confidence"],
    },
    "dnsmos": {sa.Float: ["dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "dnsmos_p808"], JSON: ["dnsmos_notes"]},
    "nisqa": {sa.Float: ["nisqa_mos", "nisqa_noisiness", "nisqa_discontinuity", "nisqa_coloration", "nisqa_loudness"], JSON: ["nisqa_notes"]},
    "scoreq": {sa.Float: ["scoreq_synthetic", "scoreq_natural"], JSON: ["scoreq_notes"]},
    "utmosv2": {sa.Float: ["utmosv2_mos"], JSON: ["utmosv2_notes"]},
    "speaker_similarity": {sa.Float: ["speaker_similarity_cosine"], JSON: ["speaker_similarity_notes"]},
}
COUNTS = [
    "n_pass",
    "n_stt_error",
    "n_precision_error",
    "n_tts_failure",
    "n_ambiguous",
    "n_homophone",
    "n_compound",
    "n_spelling_variant",
    "n_filler_word",
    "n_abbreviation",
    "n_gt_typo",
    "n_gt_error",
]


def upgrade() -> None:
    op.create_table("audio_quality", *_key(), *_about_the_clip(), *_of_stages(), *_derived(), sa.PrimaryKeyConstraint("file_hash", "dataset", "text_hash"))
    op.create_index("audio_quality_dataset", "audio_quality", ["dataset", "clip_id"])
    op.create_table(
        "stage_archive",
        *_key(),
        sa.Column("stage", NAME, nullable=False),
        sa.Column("fingerprint", NAME, nullable=False),
        sa.Column("sec", sa.Float),
        sa.Column("payload", JSON),
        sa.Column("error", JSON),
        sa.PrimaryKeyConstraint("file_hash", "dataset", "text_hash", "stage", "fingerprint"),
    )
    op.create_table(
        "scan_clips",
        sa.Column("scan_id", NAME, nullable=False),
        sa.Column("position", BIG, nullable=False, autoincrement=False),
        *_key(),
        sa.Column("clip", JSON, nullable=False),
        sa.PrimaryKeyConstraint("scan_id", "position"),
    )
    op.create_table(
        "audio_index",
        sa.Column("place", PLACE, nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("mtime_ns", BIG, nullable=False),
        sa.Column("file_hash", NAME, nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    schema_version = op.create_table("schema_version", sa.Column("version", sa.Integer, primary_key=True))
    op.bulk_insert(schema_version, [{"version": 1}])


def _key() -> list[sa.Column]:
    return [sa.Column(name, NAME, nullable=False) for name in ("file_hash", "dataset", "text_hash")]


def _about_the_clip() -> list[sa.Column]:
    return [
        sa.Column("clip_id", NAME, nullable=False),
        sa.Column("file_path", sa.Text, nullable=False),
        sa.Column("speaker", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.Column("metadata", JSON),
    ]


def _of_stages() -> list[sa.Column]:
    columns = []
    for stage, by_type in STAGES.items():
        columns += [sa.Column(name, kind) for kind, names in by_type.items() for name in names]
        columns += [sa.Column(f"{stage}_fingerprint", sa.String), sa.Column(f"{stage}_sec", sa.Float), sa.Column(f"{stage}_error", JSON)]
    return columns


def _derived() -> list[sa.Column]:
    return [
        sa.Column("verdict_threshold", sa.Float),
        sa.Column("reference_words", sa.Integer),
        sa.Column("wer_fast", sa.Float),
        sa.Column("wer_precision", sa.Float),
        *(sa.Column(name, sa.Integer) for name in COUNTS),
        sa.Column("clip_flags", JSON),
    ]
