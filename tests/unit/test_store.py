"""The results database keeps what it promised: idempotent, nothing overwritten silently, clear refusals."""

from __future__ import annotations

import multiprocessing

import pytest
import sqlalchemy as sa

from workbench.clips import Clip
from workbench.errors import StoreError
from workbench.store import Member, RowKey, StageRecord, StageResult, Store
from workbench.store.connecting import database_url
from workbench.store.schema import DERIVED_COLUMNS, STAGE_COLUMNS, audio_quality

KEY = RowKey("hash", "data", "text")
CLIP = Clip(clip_id="a", audio="a.wav", text="hello", dataset="data")


def record(stage: str, fingerprint: str, *, error=None, sec: float = 1.0, **values) -> StageRecord:
    return StageRecord(KEY, CLIP, stage, StageResult(fingerprint, values, sec, error))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> str:
    """A new database of either kind."""
    return str(tmp_path / "results.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres").create_database()


@pytest.fixture
def store(place):
    with Store.open(place, patience_sec=20) as opened:
        yield opened


def test_a_stage_fills_only_its_own_columns(store):
    store.write([record("fast", "f", fast_text="hello", fast_confidence=0.5)])
    store.write([record("dnsmos", "d", dnsmos_ovrl=3.5)])
    row = store.read([KEY])[KEY]
    assert row.stage("fast", "f").values == {"fast_text": "hello", "fast_confidence": 0.5}
    assert row.stage("dnsmos", "d").values == {"dnsmos_ovrl": 3.5}
    assert row.stage("precision", "p") is None


def test_writing_twice_gives_one_row(store):
    for _ in range(2):
        store.write([record("fast", "f", fast_text="hello")], scan_id="s", members=[Member(0, KEY, CLIP)])
    assert [m.key for chunk in store.members("s") for m in chunk] == [KEY]
    assert list(store.read([KEY])) == [KEY]


def test_another_fingerprint_never_overwrites_silently(store):
    store.write([record("fast", "old", fast_text="first")])
    store.write([record("fast", "new", fast_text="second")])
    row = store.read([KEY], stages=["fast"])[KEY]
    assert row.stage("fast", "new").values["fast_text"] == "second"
    assert row.stage("fast", "old").values["fast_text"] == "first"
    store.write([record("fast", "old", fast_text="first")])
    row = store.read([KEY], stages=["fast"])[KEY]
    assert row.stage("fast", "new").values["fast_text"] == "second"


def test_an_engine_without_columns_keeps_its_results(store):
    store.write([record("mine", "m", mine_score=2.0)])
    assert store.read([KEY], stages=["mine"])[KEY].stage("mine", "m").values == {"mine_score": 2.0}


def test_the_same_audio_under_two_texts_or_datasets_has_two_rows(store):
    other = KEY._replace(text_hash="other")
    elsewhere = KEY._replace(dataset="elsewhere")
    for key in (KEY, other, elsewhere):
        store.write([StageRecord(key, CLIP, "fast", StageResult("f", {"fast_text": str(key)}, 0.0))])
    rows = store.read([KEY, other, elsewhere])
    assert {row.columns["fast_text"] for row in rows.values()} == {str(KEY), str(other), str(elsewhere)}


def test_errors_are_kept_as_data_and_replaced_by_a_success(store):
    store.write([record("fast", "f", error={"type": "EngineError", "message": "no", "attempts": 1})])
    assert store.read([KEY])[KEY].stage("fast", "f").error["type"] == "EngineError"
    store.write([record("fast", "f", fast_text="yes")])
    assert store.read([KEY])[KEY].stage("fast", "f").error is None


def test_members_come_back_in_order_and_in_chunks(store):
    members = [Member(i, KEY._replace(file_hash=f"h{i}"), CLIP) for i in range(25)]
    store.write([], scan_id="s", members=list(reversed(members)))
    chunks = list(store.members("s", chunk=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    assert [m.position for chunk in chunks for m in chunk] == list(range(25))
    store.clear_scan("s", from_position=20)
    assert sum(len(chunk) for chunk in store.members("s")) == 20


def test_texts_of_any_script_survive(store):
    clip = Clip(clip_id="ü 'quoted' \"twice\"", audio="a b.wav", text="naïve 東京 🙂", dataset="data")
    store.write([], scan_id="s", members=[Member(0, KEY, clip)])
    assert next(store.members("s"))[0].clip == clip


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path):
    path = tmp_path / "notes.sqlite"
    path.write_text("these are notes, not a database, and long enough to be read as a header " * 4)
    with pytest.raises(StoreError, match="not a database.*another file"):
        Store.open(path)
    assert path.read_text().startswith("these are notes")


def test_a_database_newer_than_the_code_is_refused(place):
    Store.open(place).close()
    engine = sa.create_engine(database_url(place))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreError, match="newer schema.*9999.*update this workbench"):
        Store.open(place)


def test_the_schema_has_room_for_every_stage():
    names = {column.name for column in audio_quality.columns}
    assert {"fast_fingerprint", "precision_evidence", "utmosv2_mos", "n_tts_failure", "metadata"} <= names
    assert len(names) == len(audio_quality.columns)
    assert names.issuperset(DERIVED_COLUMNS) and all(names.issuperset(own) for own in STAGE_COLUMNS.values())


def _write_many(path: str, worker: int) -> None:
    with Store.open(path) as store:
        for i in range(30):
            key = KEY._replace(file_hash=f"{worker}-{i}")
            store.write([StageRecord(key, CLIP, "fast", StageResult("f", {"fast_text": str(i)}, 0.0))], scan_id=str(worker), members=[Member(i, key, CLIP)])


def test_several_processes_may_write_at_once_even_into_a_new_database(place):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(place, worker)) for worker in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with Store.open(place) as store:
        assert [sum(len(c) for c in store.members(str(w))) for w in range(3)] == [30, 30, 30]
