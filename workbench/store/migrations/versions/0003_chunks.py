"""Finished stretches of a scan, and how much of a clip the second opinion was given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import VARCHAR

revision = "0003"
down_revision = "0002"

BIG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "scan_chunks",
        sa.Column("scan_id", sa.String().with_variant(VARCHAR(collation="C"), "postgresql"), nullable=False),
        sa.Column("first", BIG, nullable=False, autoincrement=False),
        sa.Column("clips", BIG, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("failed", BIG, nullable=False),
        sa.PrimaryKeyConstraint("scan_id", "first"),
    )
    op.add_column("audio_quality", sa.Column("precision_listened_sec", sa.Float))
    op.execute("UPDATE schema_version SET version = 3")
