"""How far the heads of a recogniser disagree, and NISQA's network for synthetic speech."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("fast_head_disagreement", "precision_head_disagreement", "nisqa_tts"):
        op.add_column("audio_quality", sa.Column(name, sa.Float))
    op.execute("UPDATE schema_version SET version = 2")
