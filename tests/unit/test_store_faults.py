"""A results database that goes away, is full, is locked or is not there: nothing committed is lost, and no password is told."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa

from tests.postgres_for_tests import PASSWORD, PostgresServer
from workbench.clips import Clip
from workbench.errors import StoreError
from workbench.store import Member, RowKey, StageRecord, StageResult, Store
from workbench.store.connecting import without_password

CLIP = Clip(clip_id="a", audio="a.wav", text="hello", dataset="data")


def record(number: int, fingerprint: str = "f", text: str = "hello") -> StageRecord:
    return StageRecord(RowKey(f"h{number:04d}", "data", "t"), CLIP, "fast", StageResult(fingerprint, {"fast_text": text}, 1.0))


@pytest.fixture
def own_server(postgres):
    """A server that a test may kill; ``postgres`` is asked for first, so that a machine without one skips."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


def test_a_server_killed_in_the_middle_of_writing_loses_nothing(own_server):
    url = own_server.create_database()
    killed = threading.Event()

    def outage() -> None:
        time.sleep(0.3)
        own_server.kill()
        killed.set()
        time.sleep(0.5)
        own_server.start()

    with Store.open(url, patience_sec=60) as store:
        away = threading.Thread(target=outage)
        away.start()
        number = 0
        while not killed.is_set() or number % 50:
            store.write([record(number)], scan_id="s", members=[Member(number, record(number).key, CLIP)])
            number += 1
        store.write([record(number)], scan_id="s", members=[Member(number, record(number).key, CLIP)])
        away.join()
        assert [m.position for chunk in store.members("s") for m in chunk] == list(range(number + 1))
        assert len(store.read([record(n).key for n in range(number + 1)])) == number + 1


def test_a_server_that_stays_away_ends_in_a_line_that_says_how_to_go_on(own_server):
    url = own_server.create_database()
    with Store.open(url, patience_sec=0.5) as store:
        store.write([record(1)])
        own_server.kill()
        with pytest.raises(StoreError, match="stayed away.*what was committed is kept; run the same command again and it goes on from there") as told:
            store.write([record(2)])
        assert PASSWORD not in str(told.value)
        own_server.start()
        assert list(store.read([record(1).key, record(2).key])) == [record(1).key]
        store.write([record(2)])
        assert len(store.read([record(1).key, record(2).key])) == 2


def test_opening_waits_for_a_server_that_is_just_starting(own_server):
    url = own_server.create_database()
    own_server.kill()
    starter = threading.Timer(0.5, own_server.start)
    starter.start()
    with Store.open(url, patience_sec=60) as store:
        assert store.info().rows == {}
    starter.join()


def test_connections_that_the_server_ended_are_made_again(postgres):
    url = postgres.create_database()
    with Store.open(url, patience_sec=20) as store:
        store.write([record(1)])
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname LIKE 'test_%'")
        store.write([record(2)])
        assert len(store.read([record(1).key, record(2).key])) == 2


def _write_same(place: str, fingerprint: str, backwards: bool) -> None:
    with Store.open(place, patience_sec=60) as store:
        for _ in range(6):
            records = [record(number, fingerprint, fingerprint) for number in range(60)]
            store.write(records[::-1] if backwards else records, scan_id=fingerprint, members=[Member(n, r.key, CLIP) for n, r in enumerate(records)])


@pytest.mark.parametrize("fingerprints", [("same", "same"), ("one", "two")])
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_two_processes_upserting_the_same_rows_lose_no_result(dialect, fingerprints, request, tmp_path):
    place = str(tmp_path / "results.sqlite") if dialect == "sqlite" else request.getfixturevalue("postgres").create_database()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_same, args=(place, name, bool(turn))) for turn, name in enumerate(fingerprints)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    assert [process.exitcode for process in processes] == [0, 0]
    keys = [record(number).key for number in range(60)]
    with Store.open(place) as store:
        rows = store.read(keys, stages=["fast"])
        assert len(rows) == 60
        assert all(row.stage("fast", name).values == {"fast_text": name} for row in rows.values() for name in fingerprints)
        assert all(len(list(store.members(name))[0]) == 60 for name in fingerprints)


def test_a_full_disk_is_a_clear_stop_and_keeps_what_was_committed(tmp_path):
    path = tmp_path / "results.sqlite"
    with Store.open(path) as store:
        store.write([record(1)])

        @sa.event.listens_for(store._database.engine, "connect")
        def small(connection, _record) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 4}")

        store._database.engine.dispose()
        with pytest.raises(StoreError, match="is full.*free disk space; what was committed is kept"):
            store.write([record(number, text="x" * 5000) for number in range(2, 60)])
        assert list(store.read([record(n).key for n in range(60)])) == [record(1).key]
    with Store.open(path) as store:
        store.write([record(2)])


def _fail_on_insert(postgres: PostgresServer, url: str, state: str, *, times: int) -> None:
    """From now on the server itself refuses this many inserts with an SQLSTATE."""
    database = url.rpartition("/")[2]
    postgres.execute("CREATE SEQUENCE refused", database=database)
    postgres.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF nextval('refused') <= {times} THEN RAISE EXCEPTION 'refused for a test' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$",
        database=database,
    )
    postgres.execute("CREATE TRIGGER refusing BEFORE INSERT ON audio_quality FOR EACH ROW EXECUTE FUNCTION refuse()", database=database)


@pytest.mark.parametrize("state", ["40P01", "40001", "53300", "57P03"])
def test_what_passes_by_itself_is_tried_again(postgres, state):
    url = postgres.create_database()
    with Store.open(url, patience_sec=30) as store:
        _fail_on_insert(postgres, url, state, times=2)
        store.write([record(1)])
        assert list(store.read([record(1).key])) == [record(1).key]


@pytest.mark.parametrize(
    ("state", "mend"), [("53100", "free disk space; what was committed is kept"), ("53200", "free disk space"), ("42501", "let this user write")]
)
def test_what_stays_is_not_tried_again(postgres, state, mend):
    url = postgres.create_database()
    with Store.open(url, patience_sec=600) as store:
        _fail_on_insert(postgres, url, state, times=1)
        with pytest.raises(StoreError, match=f"refused for a test.*{mend}"):
            store.write([record(1)])
        store.write([record(1)])


def test_a_database_that_another_program_holds_is_waited_for(tmp_path):
    path = tmp_path / "results.sqlite"
    with Store.open(path, patience_sec=0.3) as impatient, Store.open(path, patience_sec=60) as patient:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked.*run the same command again"):
            impatient.write([record(1)])
        release = threading.Timer(0.5, other.execute, ["ROLLBACK"])
        release.start()
        patient.write([record(1)])
        release.join()
        other.close()
        assert list(impatient.read([record(1).key])) == [record(1).key]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda server: server.url("nowhere"), 'database "nowhere" does not exist.*createdb nowhere'),
        (lambda server: server.url(password="wr0ng-pass"), "password authentication failed.*give the right user and password"),
        (lambda server: server.url().replace("workbench:", "nobody:"), "authentication failed"),
        (lambda server: server.url() + "?sslmode=require&sslpassword=s3cret", "SSL"),
    ],
)
def test_a_url_that_can_not_work_is_refused_at_once_without_its_password(postgres, change, told):
    url = change(postgres)
    with pytest.raises(StoreError, match=told) as error:
        Store.open(url, patience_sec=600)
    shown = str(error.value) + repr(error.value) + str(pickle.loads(pickle.dumps(error.value)))
    assert "s3cret" not in shown and "wr0ng" not in shown and PASSWORD not in shown


@pytest.mark.parametrize("url", ["mysql://root:s3cret@localhost/x", "postgresql+asyncpg://me:s3cret@localhost/x", "oracle://me:s3cret@h/x"])
def test_another_kind_of_database_is_refused(url):
    with pytest.raises(StoreError, match="no database of the kind.*PostgreSQL URL") as error:
        Store.open(url)
    assert "s3cret" not in str(error.value)


def test_what_is_no_url_is_refused_without_its_password():
    with pytest.raises(StoreError, match="no database URL") as error:
        Store.open("postgresql://me:s3c/ret@host:port/x")
    assert "s3c" not in str(error.value) and "ret@" not in str(error.value)


def test_a_url_opens_again_but_is_shown_without_its_password(postgres):
    url = postgres.create_database()
    with Store.open(url) as store, Store.open(store.url) as again:
        assert again.info().revision == store.info().revision
        assert "s3cret" not in repr(store) + store.shown + repr(store._database.engine)
    assert without_password("postgresql://h/x?user=me&password=s3cret") == "postgresql://h/x?user=me&password=***"


def test_a_user_who_may_not_write_is_told(postgres):
    postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    url = postgres.create_database()
    Store.open(url).close()
    with pytest.raises(StoreError, match="permission denied.*let this user write"):
        Store.open(url.replace(url[len("postgresql://") : url.index("@")], "reader:reader")).write([record(1)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="unable to open"):
        Store.open(tmp_path / "results.sqlite")
