"""Databases of every age become the present one, without losing a row."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from workbench.store import FileState, RowKey, StageRecord, StageResult, Store
from workbench.store.connecting import database_url
from workbench.store.schema import REVISIONS, metadata

KEY = RowKey("hash", "data", "text")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> str:
    return str(tmp_path / "results.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres").create_database()


@pytest.fixture(params=[1, 2])
def older(request, tmp_path) -> Path:
    """A database as this workbench made it before Alembic, with one of everything in it."""
    path = tmp_path / "older.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(Path(__file__).with_name(f"test_store_version{request.param}.sql").read_text())
    return path


def differences(place: str) -> list:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = sa.create_engine(database_url(place))
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    return found


def test_the_migrations_lead_to_the_schema_of_the_code(place):
    Store.open(place).close()
    assert differences(place) == []


def test_a_database_from_before_is_upgraded_without_losing_a_row(older):
    with Store.open(older) as store:
        row = store.read([KEY], stages=["fast", "mine", "dnsmos"])[KEY]
        assert row.stage("fast", "new").values == {"fast_text": "second", "fast_words": [["second", 0.0, 0.5, 0.25]]}
        assert row.stage("fast", "old").values == {"fast_text": "first"}
        assert row.stage("mine", "m").values == {"mine_score": 2.0}
        assert row.stage("dnsmos", "d").error == {"type": "EngineError", "message": "no", "attempts": 1}
        assert row.columns["metadata"] == {"pace": 1.5}
        [[member]] = store.members("s")
        assert (member.key, member.clip.clip_id) == (KEY, "naïve")
        assert store.file_states(["/a.wav"]) == {"/a.wav": FileState("/a.wav", 5, 6, "hash")}
        store.write([StageRecord(KEY, member.clip, "precision", StageResult("p", {"precision_listened_sec": 0.5, "precision_head_disagreement": 0.1}, 1.0))])
        assert store.read([KEY])[KEY].stage("precision", "p").values["precision_listened_sec"] == 0.5
    assert differences(str(older)) == []


def test_a_workbench_from_before_the_migrations_sees_that_the_database_is_newer(older):
    Store.open(older).close()
    with sqlite3.connect(older) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(4,)]


def test_opening_an_upgraded_database_needs_no_alembic(tmp_path, project):
    path = tmp_path / "results.sqlite"
    Store.open(path).close()
    script = f"import sys; from workbench.store import Store; Store.open({str(path)!r}); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_revision_is_known_to_the_schema(project):
    files = sorted(path.name[:4] for path in (project / "workbench/store/migrations/versions").glob("0*.py"))
    assert tuple(files) == REVISIONS
