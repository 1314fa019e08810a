"""Both kinds of database give the same rows back, whatever is in them, and the same files out."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest

from workbench.clips import Clip
from workbench.errors import StoreError
from workbench.store import FileState, FinishedChunk, Member, RowKey, StageRecord, StageResult, Store

ODD_TEXT = 'NUL \0, half \udc80, both \U0001f642, quoted "\\u0000" 東京 %s :x ?'
PLAIN_TEXT = 'NUL \ufffd, half \\udc80, both \U0001f642, quoted "\\u0000" 東京 %s :x ?'
ODD_JSON = {"b": [1, 1.0, 0.1 + 0.2, 1e23, -0.0, 2**60, float("nan"), float("inf"), True, None], "a\0": ODD_TEXT, "": {}, "np": np.float32(0.5)}
PLAIN_JSON = {"b": [1, 1.0, 0.1 + 0.2, 1e23, -0.0, 2**60, None, None, True, None], "a\ufffd": PLAIN_TEXT, "": {}, "np": 0.5}
KEY = RowKey("hash", "data", "text")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> str:
    return str(tmp_path / "results.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres").create_database()


@pytest.fixture
def store(place):
    with Store.open(place, patience_sec=20) as opened:
        yield opened


def clip_of(key: RowKey, name: str = "a", **told) -> Clip:
    return Clip(**({"clip_id": name, "audio": f"{name}.wav", "text": "hello", "dataset": key.dataset} | told))


def failed(type_: str = "EngineError") -> dict:
    return {"type": type_, "message": "no\nengine", "attempts": 2}


def test_odd_values_come_back_the_same_from_either_database(store):
    clip = clip_of(KEY, ODD_TEXT, text=ODD_TEXT, extra=ODD_JSON)
    values = {"fast_text": ODD_TEXT, "fast_words": ODD_JSON, "fast_confidence": float("nan"), "fast_head_disagreement": np.float32(0.25)}
    signal = {"rms_db": float("-inf"), "sample_rate_hz": np.int64(16000), "duration_sec": 3, "peak_amplitude": 1e-300, "energy_std": 0.1 + 0.2}
    records = [StageRecord(KEY, clip, name, StageResult("f", told, 1.0)) for name, told in (("fast", values), ("signal", signal), ("mine", {"odd": ODD_JSON}))]
    store.write(records, scan_id=ODD_TEXT, members=[Member(2**40, KEY, clip)])
    row = store.read([KEY], stages=["fast", "signal", "mine"])[KEY]
    assert row.stage("fast", "f").values == {"fast_text": PLAIN_TEXT, "fast_words": PLAIN_JSON, "fast_head_disagreement": 0.25}
    found = row.stage("signal", "f").values
    assert found == {"sample_rate_hz": 16000, "duration_sec": 3.0, "peak_amplitude": 1e-300, "energy_std": 0.1 + 0.2}
    assert type(found["duration_sec"]) is float and type(found["sample_rate_hz"]) is int
    assert row.stage("mine", "f").values == {"odd": PLAIN_JSON}
    assert row.columns["metadata"] == PLAIN_JSON and str(row.columns["metadata"]["b"]) == str(PLAIN_JSON["b"])
    [[member]] = store.members(ODD_TEXT)
    assert (member.position, member.clip.clip_id, member.clip.extra) == (2**40, PLAIN_TEXT, PLAIN_JSON)


def test_keys_and_places_with_odd_characters_are_found_under_their_own_names(store):
    key, place = RowKey("h", ODD_TEXT, "t"), f"/data/{ODD_TEXT}.wav"
    state = FileState(place, 2**40, 1_700_000_000_123_456_789, "h")
    store.write([StageRecord(key, clip_of(key), "fast", StageResult("f", {"fast_text": "x"}, 1.0))], files=[state])
    assert list(store.read([key, KEY])) == [key]
    assert store.file_states([place, "/other.wav"]) == {place: state}


def test_reading_some_stages_brings_their_columns_and_the_clips_own(store):
    store.write([StageRecord(KEY, clip_of(KEY), stage, StageResult("f", {}, 1.0)) for stage in ("fast", "dnsmos")])
    columns = store.read([KEY], stages=["fast"])[KEY].columns
    assert {"clip_id", "file_path", "text", "metadata", "audio_error", "channels", "fast_text", "n_pass", "verdict_threshold", "clip_flags"} <= set(columns)
    assert "dnsmos_sig" not in columns and "dnsmos_sig" in store.read([KEY])[KEY].columns


def test_two_results_of_one_stage_in_one_batch_are_both_kept(store):
    store.write([StageRecord(KEY, clip_of(KEY), "fast", StageResult(name, {"fast_text": name}, 1.0)) for name in ("old", "new")])
    row = store.read([KEY], stages=["fast"])[KEY]
    assert [row.stage("fast", name).values["fast_text"] for name in ("new", "old")] == ["new", "old"] and row.columns["fast_text"] == "new"


def test_finished_chunks_are_found_until_the_scan_is_cleared_below_their_end(store):
    chunks = [FinishedChunk(first, 100, f"d{first}") for first in (0, 100, 200)]
    store.write([], scan_id="s", chunks=chunks)
    store.write([], scan_id="other", chunks=chunks[:1])
    store.write([], scan_id="s", chunks=[FinishedChunk(0, 100, "again")])
    assert store.chunks("s", [0, 50, 200, 10**12]) == {0: FinishedChunk(0, 100, "again"), 200: chunks[2]}
    store.clear_scan("s", from_position=200)
    assert list(store.chunks("s", range(300))) == [0, 100]
    store.clear_scan("s", from_position=199)
    assert list(store.chunks("s", [0, 100])) == [0]
    assert store.chunks("other", [0]) == {0: chunks[0]}


def test_metadata_added_by_hand_is_merged_and_outlives_the_next_scan(store):
    clip = clip_of(KEY, extra={"pace": 1.5})
    store.write([StageRecord(KEY, clip, "fast", StageResult("f", {}, 1.0))])
    store.annotate(KEY, {"listened": [1, ODD_TEXT]})
    store.annotate(KEY, {"listened": True, "by": "me"})
    store.write([StageRecord(KEY, clip, "fast", StageResult("g", {}, 1.0))])
    assert store.read([KEY])[KEY].columns["metadata"] == {"pace": 1.5, "listened": True, "by": "me"}
    with pytest.raises(StoreError, match="no such row"):
        store.annotate(KEY._replace(dataset="other"), {"a": 1})


def fill(store: Store, clips: int = 1100) -> None:
    """Clips of two datasets; every second one failed in ``fast``, the first three in an engine without columns too."""
    records, members = [], []
    for number in range(clips):
        key = RowKey(f"h{number * 7919 % clips:05d}", "Zoo" if number % 4 else "ape", "t")
        clip = clip_of(key, f"{'Äa_Z-'[number % 5]}{number}", text=f'text, "{number}"\nnext')
        records.append(StageRecord(key, clip, "fast", StageResult("f", {"fast_text": "x", "fast_confidence": number / 7}, 1.0, failed() if number % 2 else None)))
        records.append(StageRecord(key, clip, "mine", StageResult("m", {"mine": 1}, 1.0, failed("Own") if number < 3 else None)))
        members.append(Member(number, key, clip))
    store.write(records, scan_id="whole", members=members, chunks=[FinishedChunk(0, 2, "d"), FinishedChunk(4, 1, "d"), FinishedChunk(6, 2, "d")])
    store.write([], scan_id="part", members=members[:10])


def test_errors_are_listed_for_all_a_scan_or_a_dataset(store):
    fill(store)
    everything = list(store.errors())
    assert len(everything) == 553 and len({(error.key, error.stage) for error in everything}) == 553
    of_scan = list(store.errors(scan_id="part"))
    assert [(error.clip_id, error.stage) for error in of_scan] == [("a1", "fast"), ("Z3", "fast"), ("Ä5", "fast"), ("_7", "fast"), ("-9", "fast")] + [
        ("Ä0", "mine"),
        ("a1", "mine"),
        ("_2", "mine"),
    ]
    assert (of_scan[0].type, of_scan[0].message, of_scan[0].attempts, of_scan[0].file_path) == ("EngineError", "no\nengine", 2, "a1.wav")
    assert [error.stage for error in store.errors(dataset="ape")] == ["mine"]
    assert len(list(store.errors(scan_id="whole", dataset="Zoo"))) == 552
    assert list(store.errors(scan_id="none")) == []


def test_replaced_results_are_no_present_errors(store):
    store.write([StageRecord(KEY, clip_of(KEY), "fast", StageResult("old", {}, 1.0, failed()))])
    store.write([StageRecord(KEY, clip_of(KEY), "fast", StageResult("new", {}, 1.0))])
    assert list(store.errors()) == [] and store.forget_errors() == 0
    assert store.read([KEY], stages=["fast"])[KEY].stage("fast", "old").error == failed()


def test_forgotten_errors_are_missing_results_and_their_chunks_unfinished(store):
    fill(store)
    assert store.forget_errors(scan_id="part") == 8
    assert len(list(store.errors())) == 545 and list(store.errors(scan_id="part")) == []
    assert list(store.chunks("whole", [0, 4, 6])) == [4]
    members = [member for chunk in store.members("part") for member in chunk]
    rows = store.read([member.key for member in members], stages=["fast", "mine"])
    assert [rows[member.key].stage("fast", "f") is None for member in members] == [bool(number % 2) for number in range(10)]
    assert [rows[member.key].stage("mine", "m") is None for member in members] == [number < 3 for number in range(10)]
    assert store.forget_errors(dataset="Zoo") == 545
    assert store.info().errors == {}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_both_databases_export_the_same_bytes(suffix, postgres, tmp_path):
    written = []
    for number, place in enumerate((str(tmp_path / "results.sqlite"), postgres.create_database())):
        with Store.open(place) as store:
            fill(store)
            store.annotate(RowKey("h00000", "ape", "t"), {"note": [1.0, 1e23, ODD_TEXT]})
            with store._database.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE audio_quality SET updated_at = 'then'")
            path = tmp_path / f"{number}{suffix}"
            assert store.export(path) == 1100
            written.append(path.read_bytes())
            assert store.export(tmp_path / f"part{suffix}", scan_id="part", dataset="Zoo") == 7
    assert written[0] == written[1]
    assert not list(tmp_path.glob("*.partial"))


def test_exports_hold_the_rows_in_the_order_of_dataset_and_clip(store, tmp_path):
    import pyarrow.parquet as pq

    fill(store, 20)
    store.export(tmp_path / "rows.csv")
    store.export(tmp_path / "rows.parquet")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [(row["dataset"], row["clip_id"]) for row in rows]
    assert names == sorted(names) and len(names) == 20
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [(row["dataset"], row["clip_id"]) for row in table] == names
    assert [row["fast_confidence"] for row in table] == [float(row["fast_confidence"]) for row in rows]
    assert {row["fast_error"] for row in table} == {None, '{"attempts":2,"message":"no\\nengine","type":"EngineError"}'}


def test_an_export_that_fails_leaves_the_file_of_before(store, tmp_path):
    fill(store, 5)
    with pytest.raises(StoreError, match="no such format.*xlsx"):
        store.export(tmp_path / "rows.xlsx")
    with pytest.raises(StoreError, match="cannot be written.*No such file"):
        store.export(tmp_path / "nowhere" / "rows.csv")
    path = tmp_path / "rows.csv"
    path.write_text("before")
    store.close()
    with store._database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audio_quality")
    with pytest.raises(StoreError, match="audio_quality"):
        store.export(path)
    assert path.read_text() == "before" and [found.name for found in tmp_path.glob("rows*")] == ["rows.csv"]


def test_an_empty_database_exports_a_header(store, tmp_path):
    assert store.export(tmp_path / "rows.csv") == 0
    assert (tmp_path / "rows.csv").read_text().startswith('"file_hash","dataset"')


def workbench(project, *words: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "workbench.cli", "db", *map(str, words)], cwd=project, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_line_tells_lists_forgets_and_exports(place, project, tmp_path):
    assert "revision 0004" in workbench(project, "upgrade", "--db", place).stdout
    with Store.open(place) as store:
        fill(store, 8)
    told = workbench(project, "info", "--db", place)
    assert all(words in told.stdout for words in ("revision  0004", "2  ape", "6  Zoo", "8  whole", "4  fast")) and "s3cret" not in told.stdout + told.stderr
    listed = workbench(project, "errors", "--db", place, "--scan", "part").stdout.splitlines()
    assert len(listed) == 7 and listed[0].split("\t") == ["fast", "a1", "EngineError", "attempts 2", "no engine"]
    assert "6 errors forgotten" in workbench(project, "errors", "--db", place, "--dataset", "Zoo", "--forget").stdout
    path = tmp_path / "rows.csv"
    exported = workbench(project, "export", path, "--db", place)
    assert exported.stdout.splitlines()[-1] == str(path) and "8 rows" in exported.stderr and path.exists()


def test_the_command_line_makes_no_database_by_a_slip(project, tmp_path):
    done = workbench(project, "info", "--db", tmp_path / "resluts.sqlite")
    assert done.returncode == 1 and "there is no such database" in done.stderr and not list(tmp_path.iterdir())
