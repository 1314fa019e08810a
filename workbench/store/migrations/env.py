"""Alembic's entry: runs the revisions on the connection, and in the transaction, that it was given."""

from __future__ import annotations

from alembic import context

from workbench.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
