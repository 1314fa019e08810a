"""Statements compiled once and run with plain tuples, so that a row costs little more than what the driver takes for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from workbench.store.records import RowKey
from workbench.store.schema import KEY_COLUMNS
from workbench.store.values import clean_text, json_text

# Rows with long transcripts take some kB each; SQLite takes at most 32,766 bound values in one statement.
KEYS_PER_QUERY = 1000


class Prepared(NamedTuple):
    """SQL for ``exec_driver_sql`` and the columns whose values it takes, in order."""

    sql: str
    columns: tuple[str, ...]


class Statements:
    """The statements of one dialect ("sqlite" or "postgresql")."""

    def __init__(self, dialect: str) -> None:
        self.is_postgres = dialect == "postgresql"
        self._prepared: dict[tuple, Prepared] = {}

    @cached_property
    def _dialect(self) -> sa.Dialect:
        if not self.is_postgres:
            return sqlite.dialect()
        from sqlalchemy.dialects.postgresql import psycopg

        # By position: one tuple a row instead of one dict.
        return psycopg.dialect(paramstyle="format")

    def upsert(self, table: sa.Table, columns: Sequence[str], *, keep: Sequence[str] = (), unchanged: Sequence[str] = ()) -> Prepared:
        """Insert a row; where its key exists, update every column but ``keep``.

        Args:
            unchanged: only where these columns are empty or have the new value already; otherwise no row is counted.
        """
        known = (table.name, tuple(columns), tuple(keep), tuple(unchanged))
        if known not in self._prepared:
            insert = (postgresql.insert if self.is_postgres else sqlite.insert)(table)
            keys = [column.name for column in table.primary_key]
            same = [sa.or_(table.c[name].is_(None), table.c[name] == insert.excluded[name]) for name in unchanged]
            changing = {name: insert.excluded[name] for name in columns if name not in keys and name not in keep}
            insert = insert.on_conflict_do_update(index_elements=keys, set_=changing, where=sa.and_(*same) if same else None)
            self._prepared[known] = self._compiled(insert, columns)
        return self._prepared[known]

    def update(self, table: sa.Table, columns: Sequence[str]) -> Prepared:
        """Set these columns of the row with a key; the key's values come last."""
        known = (table.name, tuple(columns))
        if known not in self._prepared:
            keys = [column.name for column in table.primary_key]
            update = table.update().where(*(table.c[name] == sa.bindparam(f"key_{name}") for name in keys))
            found = self._compiled(update.values({name: sa.bindparam(f"new_{name}") for name in columns}))
            self._prepared[known] = Prepared(found.sql, tuple(name.partition("_")[2] for name in found.columns))
        return self._prepared[known]

    def _compiled(self, statement: Any, columns: Sequence[str] | None = None) -> Prepared:
        compiled = statement.compile(dialect=self._dialect, column_keys=None if columns is None else list(columns))
        return Prepared(str(compiled), tuple(compiled.positiontup))

    def of_keys(self, table: sa.Table, columns: Sequence[sa.ColumnElement]) -> sa.Select:
        """Select columns of the rows whose keys are given as ``asked(keys)``. The statement is the same for any number of keys."""
        if self.is_postgres:
            lists = [sa.bindparam(name, type_=postgresql.ARRAY(sa.String)) for name in KEY_COLUMNS]
            asked = sa.func.unnest(*lists).table_valued(*KEY_COLUMNS).render_derived(name="asked")
        else:
            each = sa.func.json_each(sa.bindparam("keys", type_=sa.String)).table_valued("value")
            names = [sa.func.json_extract(each.c.value, f"$[{place}]").label(name) for place, name in enumerate(KEY_COLUMNS)]
            asked = sa.select(*names).subquery("asked")
        return sa.select(*columns).select_from(table.join(asked, sa.and_(*(table.c[name] == asked.c[name] for name in KEY_COLUMNS))))

    def asked(self, keys: Sequence[RowKey]) -> dict[str, Any]:
        """Parameters for ``of_keys``."""
        if self.is_postgres:
            return dict(zip(KEY_COLUMNS, map(list, zip(*keys, strict=True)), strict=True))
        return {"keys": json_text(keys)}

    def is_any(self, column: sa.Column, name: str) -> sa.ColumnElement[bool]:
        """Whether a column has one of the values given as the list ``name``."""
        if self.is_postgres:
            return column == sa.func.any(sa.bindparam(name, type_=postgresql.ARRAY(column.type)))
        return column.in_(sa.bindparam(name, expanding=True))


def clean_key(key: RowKey) -> RowKey:
    """The key as the database holds it."""
    joined = "".join(key)
    return key if joined.isascii() and "\0" not in joined else RowKey(*map(clean_text, key))


def parts(values: Sequence[Any], size: int = KEYS_PER_QUERY) -> list[Sequence[Any]]:
    """A sequence in pieces of at most ``size``."""
    return [values[start : start + size] for start in range(0, len(values), size)]
