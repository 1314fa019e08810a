"""Bringing a database to the present schema: at its first opening, and when the code has grown since. Only this imports Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from workbench.errors import StoreError
from workbench.store.connecting import Persistent
from workbench.store.schema import REVISIONS

# Any fixed number: all that open this kind of database at once wait for the same lock.
LOCK = 0x776F726B62656E63


def revision_of(connection: sa.Connection) -> str:
    """The revision of the database, "" for one that Alembic does not know."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""


def is_present(database: Persistent) -> bool:
    """Whether the database has the schema of this code.

    Raises:
        StoreError: it has a newer one.
    """
    found = database.read(revision_of)
    if found and found not in REVISIONS:
        raise _foreign(database, found)
    return found == REVISIONS[-1]


def upgrade(database: Persistent) -> None:
    """Create or upgrade the tables, in one transaction; several that come at once wait for each other."""
    from alembic import command
    from alembic.config import Config

    def work(connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # Another may have been first.
        found = revision_of(connection)
        if found == REVISIONS[-1]:
            return
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        if not found and (before := _before_alembic(connection, database)):
            command.stamp(config, before)
        command.upgrade(config, REVISIONS[-1])

    database.write(work)


def _before_alembic(connection: sa.Connection, database: Persistent) -> str:
    """The revision that a database without Alembic's table has, "" for a new one."""
    if not sa.inspect(connection).has_table("schema_version"):
        return ""
    version = connection.execute(sa.text("SELECT version FROM schema_version")).scalar()
    if version not in (1, 2):
        raise _foreign(database, f"version {version}")
    return REVISIONS[version - 1]


def _foreign(database: Persistent, found: str) -> StoreError:
    return StoreError(
        "results database of a newer schema",
        where=database.shown,
        got=found,
        expected=f"one of {', '.join(REVISIONS)}",
        mend="update this workbench, or name another database",
    )
