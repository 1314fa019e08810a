"""Two further signal metrics: how far up the sound reaches, and how loud it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("bandwidth_hz", "loudness_lufs"):
        op.add_column("audio_quality", sa.Column(name, sa.Float))
    op.execute("UPDATE schema_version SET version = 4")
