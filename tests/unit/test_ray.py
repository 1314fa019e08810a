"""The Ray runner gives the rows of the local one, whatever dies under it, and loses nothing that was finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import tone
from tests.unit.test_scan import bad_clips, rows_of
from workbench.audio import write_wav
from workbench.clips import Clip, open_manifest
from workbench.errors import ConfigError, EngineUnavailableError, ManifestError, RunError
from workbench.scan import ray_connection, ray_folder, shards
from workbench.scan.plan import ScanConfig, plan_stages, work_plan
from workbench.scan.ray_runner import Feed, RayRunner
from workbench.scan.scanning import scan
from workbench.scan.stages import WorkPlan
from workbench.scan.worker import BatchOutcome
from workbench.store import FileState, Member, RowKey, StageRecord, StageResult, Store

ENGINES = "tests.engines_for_tests,tests.engines_that_misbehave"


@pytest.fixture(scope="module")
def ray_here():
    """One Ray for all tests here, as starting it takes longer than any of them; it believes in a card."""
    before = os.environ.get("RAY_OVERRIDE_RESOURCES")
    os.environ["RAY_OVERRIDE_RESOURCES"] = '{"GPU": 1}'
    try:
        with ray_connection.connected(None, cpus=2):
            yield
    finally:
        os.environ.pop("RAY_OVERRIDE_RESOURCES") if before is None else os.environ.update(RAY_OVERRIDE_RESOURCES=before)


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", ENGINES)
    monkeypatch.setenv("PYTHONPATH", str(project))


def config(*, judges=("signal",), options=None, **others) -> ScanConfig:
    quick = {"fast": "counting", "precision": None, "workers": 1, "batch_clips": 2, "batch_timeout_sec": 60.0, "batch_timeout_per_audio_sec": 0.0}
    return ScanConfig(judges=judges, engine_options=options or {}, **quick | others)


def scanned(tmp_path, name, clips, config, *, ray=False, **others):
    """(summary, rows)"""
    if ray:
        config = config.model_copy(update={"runner": "ray", "ray_folder": str(tmp_path / "shards")} | others)
    with Store.open(tmp_path / f"{name}.sqlite") as store:
        summary = scan(clips, config, store, scan_id="s/1", say=lambda _line: None)
        return summary, rows_of(store, "s/1", summary.stages)


def plan_of(tmp_path) -> WorkPlan:
    with Store.open(tmp_path / "one.sqlite") as store:
        return work_plan(config(), plan_stages(config()), store)


def different(rows, others) -> list:
    """The first rows that differ; comparing the lists themselves would make pytest describe all of them."""
    return [(row, other) for row, other in zip(rows, others, strict=True) if row != other][:2]


def clips_of(folder: Path, lengths, *, words=2) -> list[Clip]:
    """Tones of these lengths in seconds; every other text is what ``counting`` hears, the rest are ``words`` of another kind."""
    folder.mkdir()
    for number, length in enumerate(lengths):
        write_wav(tone(length, pitch_hz=200 + 10 * number), folder / f"clip{number:03d}.wav")
        (folder / f"clip{number:03d}.txt").write_text("word " * int(10 * length) if number % 2 else "clip " * words)
    return list(open_manifest(folder))


def actors(name: str) -> list[psutil.Process]:
    """The actors of a part of the pipeline, below this process."""
    return [process for process in psutil.Process().children(recursive=True) if f"({name})" in " ".join(words_of(process))]


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; empty for one that ended while it was looked at, as those do that were killed a moment ago."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


@pytest.mark.usefixtures("ray_here")
class TestSameRows:
    def test_good_and_bad_clips_of_a_cascade_give_the_rows_of_the_local_runner(self, tmp_path):
        clips = [*bad_clips(tmp_path / "bad"), *clips_of(tmp_path / "clips", [0.5 + 0.04 * n for n in range(8)])]
        # Encoded audio that comes with the list is needed again when its clip is tried again.
        clips += [Clip(f"inline{n}", "", "some words", "in", audio_bytes=Path(clips[-1 - n].audio).read_bytes()) for n in range(3)]
        options = {"counting": {"fail_over_sec": 0.77}, "loudness": {"refuse_over_sec": 0.9}}
        cascade = {"escalate": "flagged", "mos_mode": "passed", "flag_confidence": 0.5, "control_rate": 0.3}
        judged = config(precision="counting", judges=("signal", "loudness"), options=options, cascade=cascade, breaker_failures=None)
        local, rows = scanned(tmp_path, "local", clips, judged)
        ray, ray_rows = scanned(tmp_path, "ray", clips, judged, ray=True, ray_shard_clips=5)
        assert not different(rows, ray_rows) and len(rows) == len(clips)
        assert 0 < sum(row[3]["precision"] is not None for row in rows) < len(rows)
        assert 0 < sum(row[3]["loudness"] is not None for row in rows) < len(rows)
        assert {row[3]["fast"][1]["attempts"] for row in rows if row[3]["fast"] and row[3]["fast"][1]} == {3}
        assert (ray.clips, ray.failed, ray.computed, ray.unsettled) == (local.clips, local.failed, local.computed, local.unsettled)
        assert ray.audio_sec == pytest.approx(local.audio_sec) and set(ray.engine_sec) == set(local.engine_sec)
        assert [health.opened for health in ray.health] == [health.opened for health in local.health]

    def test_stage_by_stage_and_by_word_gives_them_too(self, tmp_path):
        clips = clips_of(tmp_path / "clips", (0.5, 0.7, 0.9, 0.6))
        by_word = config(precision="counting", judges=(), cascade={"escalate": "words", "word_confidence": 0.5})
        _, rows = scanned(tmp_path, "local", clips, by_word)
        summary, ray_rows = scanned(tmp_path, "ray", clips, by_word, ray=True, order="batch")
        assert not different(rows, ray_rows) and (summary.clips, summary.unsettled) == (4, 0)
        assert [row[3]["precision"] is not None for row in rows] == [True, False, True, False]

    def test_engines_that_hang_or_kill_give_them_too(self, tmp_path):
        clips = clips_of(tmp_path / "clips", (0.5, 0.7, 0.9, 0.6))
        bad = config(
            fast="hanging", precision="counting", judges=(), max_attempts=1, batch_timeout_sec=3.0, load_timeout_sec=3.0,
            options={"hanging": {"hang_over_sec": 0.8}, "counting": {"die_over_sec": 0.65}},
        )
        local, rows = scanned(tmp_path, "local", clips, bad.model_copy(update={"workers": 2}))
        summary, ray_rows = scanned(tmp_path, "ray", clips, bad, ray=True)
        assert not different(rows, ray_rows) and summary.failed == local.failed == 2
        errors = [[result[1] and result[1]["type"] for result in row[3].values()] for row in rows]
        assert errors == [[None, None], [None, "WorkerDied"], ["EngineTimeoutError", "WorkerDied"], [None, None]]
        assert [health.timed_out for health in summary.health] == [1, 0]


@pytest.mark.usefixtures("ray_here")
class TestFlow:
    def test_actors_that_are_killed_are_replaced_and_no_more_is_under_way_than_allowed(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5 + 0.01 * n for n in range(24)])
        here = config(judges=("placed",), options={"placed": {"log": str(tmp_path / "placed")}}, device="cuda")
        killed, waiting, read = [], [], []

        def listed():
            for position, clip in enumerate(clips):
                read.append(position)
                yield [(position, clip)]

        with Store.open(tmp_path / "ray.sqlite") as store:
            plan = work_plan(here, plan_stages(here), store)
            with closing(RayRunner(plan, folder=tmp_path / "shards", workers=1, shard_clips=2, in_flight=3)) as runner:
                for number, outcome in enumerate(runner.run(listed())):
                    store.write(outcome.records, scan_id="s", members=outcome.members)
                    waiting.append(len(list((tmp_path / "shards").glob("*.clips.parquet"))))
                    assert len(read) <= 2 * (number + 3)
                    for name in ("Open", "Stage_fast"):
                        if name not in killed and (found := actors(name)):
                            found[0].kill()
                            killed.append(name)
                            break
            rows = rows_of(store, "s", plan.stages)
        assert killed == ["Open", "Stage_fast"] and max(waiting) == 3
        assert [row[0] for row in rows] == [clip.clip_id for clip in clips]
        assert all(result and result[1] is None for row in rows for result in row[3].values())
        assert not list((tmp_path / "shards").glob("*.parquet")) and len(list((tmp_path / "shards" / "stored").glob("*.parquet"))) == 12
        # An engine for cards has one; the others have none, and so need no machine with one.
        assert (tmp_path / "placed").read_text() == "cuda 0"

    def test_a_judge_that_cannot_be_loaded_stops_the_run_with_its_own_words(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5, 0.6])
        with pytest.raises(EngineUnavailableError, match="the weights are not here") as raised:
            scanned(tmp_path, "ray", clips, config(judges=("unloadable",)), ray=True)
        assert "In a worker process" in "".join(raised.value.__notes__)

    def test_a_driver_that_is_killed_leaves_nothing_running_and_what_it_had_finished_is_not_computed_again(self, tmp_path, project):
        clips = clips_of(tmp_path / "clips", [0.5 + 0.01 * n for n in range(8)])
        heard = config(judges=(), options={"counting": {"log": str(tmp_path / "log")}})
        (tmp_path / "driver.py").write_text(
            textwrap.dedent(
                f"""
                import time
                from pathlib import Path
                from workbench.clips import open_manifest
                from workbench.scan.plan import ScanConfig, plan_stages, work_plan
                from workbench.scan.ray_connection import connected
                from workbench.scan.ray_folder import folder_of
                from workbench.scan.ray_runner import RayRunner
                from workbench.store import Store

                if __name__ == "__main__":
                    home = Path({str(tmp_path)!r})
                    config = ScanConfig.model_validate_json({heard.model_dump_json()!r})
                    with Store.open(home / "ray.sqlite") as store, connected(None, cpus=2):
                        folder = folder_of(home / "shards", scan_id="s/1", store_url=store.url)
                        clips = enumerate(open_manifest(home / "clips"))
                        batches = [[clip, next(clips)] for clip in clips]
                        for outcome in RayRunner(work_plan(config, plan_stages(config), store), folder=folder, workers=1, shard_clips=2).run(batches):
                            time.sleep(3600)
                """
            )
        )
        driver = subprocess.Popen([sys.executable, str(tmp_path / "driver.py")], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        finished = lambda: sorted((tmp_path / "shards").glob("*/00000?.parquet"))  # noqa: E731
        until(lambda: len(finished()) == 4 or driver.poll() is not None, 240)
        # Ray's own two agents take a minute to see that their node is gone.
        born = [p for p in psutil.Process(driver.pid).children(recursive=True) if not any("Agent" in word for word in words_of(p)[:1])]
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        until(lambda: not [p for p in born if alive(p)], 60)
        assert len(born) > 4
        # One of the four was damaged on the way.
        damaged = finished()[2]
        damaged.write_bytes(damaged.read_bytes()[:-40])
        before = (tmp_path / "log").read_text().splitlines()
        assert len(before) == 8
        summary, rows = scanned(tmp_path, "ray", clips, heard, ray=True)
        _, undisturbed = scanned(tmp_path, "local", clips, config(judges=()))
        assert Counter((tmp_path / "log").read_text().splitlines()) == Counter(before) + Counter(["0.540", "0.550"])
        assert (summary.clips, summary.computed) == (8, 2) and [row[:3] for row in rows] == [row[:3] for row in undisturbed]

    def test_a_part_of_what_there_is_leaves_room_for_every_part(self):
        assert [ray_connection.share("CPU", among, cluster=True) for among in (1, 2, 3, 5)] == [1.0, 1.0, 0.5, 0.333]
        assert [ray_connection.share("GPU", among, cluster=True) for among in (0, 1, 2)] == [0.0, 1.0, 0.5]
        assert [ray_connection.share("TPU", 2, cluster=cluster) for cluster in (False, True)] == [0.0, 1.0]


class TestBeforeItStarts:
    def test_a_cluster_and_a_database_in_a_file_are_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="a cluster needs PostgreSQL"):
            scanned(tmp_path, "ray", [], config(), ray=True, ray_address="10.0.0.1:6379")

    def test_a_missing_ray_or_a_wrong_address_is_told_at_once(self, tmp_path):
        code = """
            import sys
            from workbench.scan.ray_connection import connected
            def told(address):
                try:
                    with connected(address, cpus=1):
                        print("connected")
                except Exception as error:
                    print(type(error).__name__, error)
            told("127.0.0.1:1")
            told("ray://127.0.0.1:10001")
            sys.modules["ray"] = None
            told(None)
        """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=False)
        nobody, other_kind, missing = done.stdout.splitlines()
        assert nobody.startswith("RunError no Ray cluster answers; where: 127.0.0.1:1") and "ray status" in nobody
        assert other_kind.startswith("ConfigError no address of a Ray cluster") and "host:6379" in other_kind
        assert missing.startswith("EngineUnavailableError Ray is not installed") and "workbench[scale]" in missing

    def test_one_scan_runs_once_and_two_scans_keep_out_of_each_others_way(self, tmp_path):
        plan = plan_of(tmp_path)
        mine, other, elsewhere = (ray_folder.folder_of(tmp_path, scan_id=i, store_url=url) for i, url in (("a/b", "x"), ("a-b", "x"), ("a/b", "y")))
        assert len({mine, other, elsewhere}) == 3 and {folder.parent for folder in (mine, other, elsewhere)} == {tmp_path}
        with ray_folder.opened(mine, plan), ray_folder.opened(other, plan), ray_folder.opened(elsewhere, plan):
            with pytest.raises(RunError, match="running already"), ray_folder.opened(mine, plan):
                pass

    def test_a_scan_that_is_done_asks_for_no_machine(self, tmp_path):
        with Store.open(tmp_path / "db.sqlite") as store:
            runner = RayRunner(work_plan(config(), plan_stages(config()), store), folder=tmp_path / "shards")
            assert list(runner.run([])) == []
            runner.close()

    def test_when_the_list_of_clips_breaks_off_what_was_read_is_sent(self, tmp_path):
        def broken():
            yield [(0, Clip("a", "a.wav", "text", "d"))]
            raise ManifestError("row is not readable")

        with ray_folder.opened(tmp_path, plan_of(tmp_path)) as driver:
            feed = Feed(broken(), driver, shard_clips=2, in_flight=3)
            assert feed.fill() == 1 and isinstance(feed.broken_off, ManifestError)
            assert shards.read_clips(driver.source.clips(0))[0] == [[(0, Clip("a", "a.wav", "text", "d"))]]


def until(condition, most_sec: float) -> None:
    ends = time.monotonic() + most_sec
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.1)


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


texts = st.text(st.characters(), max_size=20)
numbers = st.floats(allow_nan=False) | st.integers(-(2**62), 2**62)
values = st.recursive(st.none() | st.booleans() | numbers | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)
keys = st.builds(RowKey, texts, texts, texts)
stored_clips = st.builds(
    Clip, clip_id=texts, audio=texts, text=texts, dataset=texts, speaker=texts, category=texts, fault=st.none() | texts, extra=st.dictionaries(texts, values, max_size=3)
)
errors = st.none() | st.fixed_dictionaries({"type": texts, "message": texts, "attempts": st.integers(1, 9)})
results = st.builds(StageResult, texts, st.dictionaries(texts, values, max_size=3), st.floats(0, 1e6), errors)
positions = st.lists(st.integers(0, 2**62), max_size=3).map(tuple)
counters = st.dictionaries(texts, st.integers(1, 9), max_size=2).map(Counter)
outcomes = st.builds(
    BatchOutcome,
    records=st.lists(st.builds(StageRecord, keys, stored_clips, texts, results), max_size=3).map(tuple),
    members=st.lists(st.builds(Member, st.integers(0, 2**62), keys, stored_clips), max_size=3).map(tuple),
    failed=positions,
    computed=st.integers(0, 9),
    audio_sec=st.floats(0, 1e9),
    engine_sec=st.dictionaries(texts, st.floats(0, 1e9), max_size=2),
    load_sec=st.floats(0, 1e9),
    files=st.lists(st.builds(FileState, texts, st.integers(0, 2**62), st.integers(0, 2**62), texts), max_size=2).map(tuple),
    again=st.lists(st.tuples(st.integers(0, 2**62), stored_clips), max_size=2).map(tuple),
    unsettled=positions,
    left_out=counters,
    timed_out=counters,
    opened=counters,
    breaker=st.dictionaries(texts, texts, max_size=2),
    last_error=st.dictionaries(texts, texts, max_size=2),
)
on_disk = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class TestShards:
    @on_disk
    @given(outcome=outcomes)
    def test_an_outcome_comes_back_exactly(self, tmp_path, outcome):
        shards.write_outcome(tmp_path / "1.parquet", outcome, identity="x")
        assert repr(shards.read_outcome(tmp_path / "1.parquet", identity="x")) == repr(outcome)
        assert shards.read_outcome(tmp_path / "1.parquet", identity="y") is None

    @on_disk
    @given(batches=st.lists(st.lists(st.tuples(st.integers(0, 2**62), stored_clips), min_size=1, max_size=3), min_size=1, max_size=3), content=st.none() | st.binary())
    def test_clips_come_back_exactly(self, tmp_path, batches, content):
        batches[0].append((7, Clip("inline", "", "", "d", audio_bytes=content)))
        shards.write_clips(tmp_path / "1.clips.parquet", batches, identity="x")
        assert shards.read_clips(tmp_path / "1.clips.parquet") == (batches, "x")

    @on_disk
    @given(outcome=outcomes, data=st.data())
    def test_a_damaged_result_is_no_result(self, tmp_path, outcome, data):
        path = tmp_path / "1.parquet"
        shards.write_outcome(path, outcome, identity="x")
        path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size - 1))])
        assert shards.read_outcome(path, identity="x") is None

    def test_other_clips_other_audio_or_another_engine_is_another_shard(self):
        stages, clip = plan_stages(config()), Clip("a", "", "words", "d", audio_bytes=b"1")
        same = shards.identity_of([[(0, clip)]], stages)
        assert same == shards.identity_of([[(0, clip)]], plan_stages(config()))
        others = [
            shards.identity_of([[(1, clip)]], stages),
            shards.identity_of([[(0, Clip("a", "", "words", "d", audio_bytes=b"2"))]], stages),
            shards.identity_of([[(0, clip)]], plan_stages(config(options={"counting": {"revision": "2"}}))),
        ]
        assert len({same, *others}) == 4

    def test_a_full_disk_is_told_and_leaves_no_half_file(self, tmp_path):
        code = """
            import resource, sys, signal
            from pathlib import Path
            from workbench.clips import Clip
            from workbench.scan.shards import write_clips
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            write_clips(Path(sys.argv[1]), [[(0, Clip("a", "", "", "d", audio_bytes=__import__("os").urandom(9999)))]], identity="x")
        """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "1.clips.parquet")], capture_output=True, text=True, timeout=120, check=False)
        assert "RunError: a shard cannot be written" in done.stderr and "free disk space" in done.stderr
        assert not list(tmp_path.iterdir())
