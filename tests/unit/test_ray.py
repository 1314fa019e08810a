"""The Ray runner gives the rows of the local one, whatever dies under it, and loses nothing that was finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from functools import partial
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
from workbench.scan import ray_runner, shards
from workbench.scan.calling import CallLimits
from workbench.scan.plan import ScanConfig, plan_stages
from workbench.scan.ray_parts import WorkPlan
from workbench.scan.scanning import died, scan
from workbench.scan.worker import BatchOutcome
from workbench.store import FileState, Member, RowKey, StageRecord, StageResult, Store

ENGINES = "tests.engines_for_tests,tests.engines_that_misbehave"


@pytest.fixture(scope="module", autouse=True)
def ray_here():
    """One Ray for all tests here: starting it takes longer than any of them."""
    with ray_runner.connected(None, cpus=2):
        yield


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", ENGINES)
    monkeypatch.setenv("PYTHONPATH", str(project))


def config(*, fast="counting", judges=("signal",), refuse_over_sec=None, limit_sec=60.0, **options) -> ScanConfig:
    judge = {"loudness": {"refuse_over_sec": refuse_over_sec}} if "loudness" in judges else {}
    return ScanConfig(
        fast=fast, precision=None, judges=judges, engine_options={fast: options, **judge}, workers=1, batch_clips=2, batch_timeout_sec=limit_sec,
        batch_timeout_per_audio_sec=0.0, load_timeout_sec=0.0,
    )


def on_ray(folder, batches, stages, config, store_url, *, each=lambda outcome: None, **settings):
    """A runner for ``scan``: the plan of the local one, driven by Ray."""
    limits = CallLimits(config.batch_timeout_sec, config.batch_timeout_per_audio_sec, config.load_timeout_sec)
    plan = WorkPlan(stages, store_url, config.device, config.max_attempts, limits, config.seed, config.breaker_failures, config.breaker_rest_sec)
    for outcome in ray_runner.run_ray(batches, plan, folder=folder, on_death=died, workers=1, **{"shard_batches": 1} | settings):
        each(outcome)
        yield outcome


def scanned(tmp_path, name, clips, config, runner=None):
    """(summary, rows)"""
    with Store.open(tmp_path / f"{name}.sqlite") as store:
        summary = scan(clips, config, store, scan_id="s", say=lambda _line: None, runner=runner)
        return summary, rows_of(store, "s", summary.stages)


def clips_of(folder: Path, lengths) -> list[Clip]:
    folder.mkdir()
    for number, length in enumerate(lengths):
        write_wav(tone(length, pitch_hz=200 + 10 * number), folder / f"clip{number:03d}.wav")
        (folder / f"clip{number:03d}.txt").write_text(f"clip {number}\n")
    return list(open_manifest(folder))


def actors(name: str) -> list[psutil.Process]:
    """The actors of a part of the pipeline, below this process."""
    return [process for process in psutil.Process().children(recursive=True) if f"({name})" in " ".join(process.cmdline())]


class TestSameRows:
    def test_good_and_bad_clips_give_the_rows_of_the_local_runner(self, tmp_path):
        clips = bad_clips(tmp_path / "bad")
        inline = [Clip(f"inline{n}", "", "some words", "in", audio_bytes=(tmp_path / "bad" / "whole.wav").read_bytes()) for n in range(2)]
        judged = config(judges=("signal", "loudness"), refuse_over_sec=0.9, fail_over_sec=0.95)
        local, rows = scanned(tmp_path, "local", [*clips, *inline], judged)
        ray, ray_rows = scanned(tmp_path, "ray", [*clips, *inline], judged, partial(on_ray, tmp_path / "shards", shard_batches=3))
        assert ray_rows == rows and len(rows) == len(clips) + 2
        assert (ray.clips, ray.failed) == (local.clips, local.failed) and ray.audio_sec == pytest.approx(local.audio_sec)
        assert list(ray.engine_sec) == list(local.engine_sec)

    def test_engines_that_hang_or_kill_give_the_rows_of_the_local_runner(self, tmp_path):
        clips = clips_of(tmp_path / "clips", (0.5, 0.7, 0.9, 0.6))
        for name, bad in {"hangs": config(fast="hanging", hang_over_sec=0.8, limit_sec=6.0), "kills": config(die_over_sec=0.8)}.items():
            _, rows = scanned(tmp_path, f"local-{name}", clips, bad.model_copy(update={"workers": 2}))
            summary, ray_rows = scanned(tmp_path, f"ray-{name}", clips, bad, partial(on_ray, tmp_path / name))
            assert ray_rows == rows and summary.failed == 1
            assert sum(row[2] is not None or row[3]["fast"][1] is not None for row in rows) == 1


class TestDeaths:
    def test_an_actor_that_is_killed_is_replaced_and_nothing_is_lost(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5 + 0.01 * n for n in range(24)])
        _, rows = scanned(tmp_path, "local", clips, config())
        killed = []

        def kill(_outcome) -> None:
            for name in ("Open", "Stage_fast"):
                if name not in killed and (found := actors(name)):
                    found[0].kill()
                    killed.append(name)
                    return

        summary, ray_rows = scanned(tmp_path, "ray", clips, config(), partial(on_ray, tmp_path / "shards", each=kill, in_flight=4))
        assert set(killed) == {"Open", "Stage_fast"}
        assert ray_rows == rows and (summary.clips, summary.failed) == (24, 0)

    def test_what_a_killed_driver_had_finished_is_not_computed_again_and_nothing_of_it_lives_on(self, tmp_path, project):
        clips_of(tmp_path / "clips", [0.5 + 0.01 * n for n in range(8)])
        (tmp_path / "driver.py").write_text(
            textwrap.dedent(
                f"""
                import time
                from functools import partial
                from pathlib import Path
                from tests.unit.test_ray import config, on_ray, scanned
                from workbench.clips import open_manifest

                if __name__ == "__main__":
                    home = Path({str(tmp_path)!r})
                    waits = lambda outcome: time.sleep(3600)
                    scanned(home, "db", open_manifest(home / "clips"), config(log=str(home / "log")), partial(on_ray, home / "shards", each=waits))
                """
            )
        )
        driver = subprocess.Popen([sys.executable, str(tmp_path / "driver.py")], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        results = tmp_path / "shards"
        until(lambda: len(list(results.glob("00000?.parquet"))) == 4 or driver.poll() is not None, 240)
        # Ray's own two agents take a minute to see that their node is gone.
        born = [p for p in psutil.Process(driver.pid).children(recursive=True) if not p.cmdline()[:1] or "Agent" not in p.cmdline()[0]]
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        until(lambda: not [p for p in born if alive(p)], 60)
        assert len(born) > 4
        # One of the four was damaged on the way.
        damaged = results / "000002.parquet"
        damaged.write_bytes(damaged.read_bytes()[:-40])
        heard = (tmp_path / "log").read_text().splitlines()
        assert len(heard) == 8
        clips = list(open_manifest(tmp_path / "clips"))
        summary, rows = scanned(tmp_path, "db", clips, config(log=str(tmp_path / "log")), partial(on_ray, results))
        _, undisturbed = scanned(tmp_path, "local", clips, config())
        assert Counter((tmp_path / "log").read_text().splitlines()) == Counter(heard) + Counter(["0.540", "0.550"])
        assert summary.clips == 8 and [row[:3] for row in rows] == [row[:3] for row in undisturbed]


class TestFlow:
    def test_no_more_shards_are_under_way_than_allowed(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5 + 0.01 * n for n in range(24)])
        waiting = []
        each = lambda _outcome: waiting.append(len(list((tmp_path / "shards").glob("*.clips.parquet"))))  # noqa: E731
        summary, _ = scanned(tmp_path, "ray", clips, config(), partial(on_ray, tmp_path / "shards", each=each, in_flight=3))
        assert summary.clips == 24 and max(waiting) == 3
        assert not list((tmp_path / "shards").glob("*.parquet"))
        assert len(list((tmp_path / "shards" / "stored").glob("*.parquet"))) == 12

    def test_an_error_in_the_work_stops_the_run_with_its_own_words(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5, 0.6])
        with pytest.raises(EngineUnavailableError, match="the weights are not here") as raised:
            scanned(tmp_path, "ray", clips, config(fast="unloadable"), partial(on_ray, tmp_path / "shards"))
        assert "In a worker process" in "".join(raised.value.__notes__)

    def test_when_the_list_of_clips_breaks_off_what_was_read_is_not_thrown_away(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5, 0.6, 0.7])

        def broken():
            yield from clips
            raise ManifestError("row is not readable")

        with Store.open(tmp_path / "db.sqlite") as store:
            with pytest.raises(ManifestError):
                list(on_ray(tmp_path / "shards", iter_batches(broken()), plan_stages(config()), config(), store.url, each=lambda o: store.write(o.records, scan_id="s", members=o.members)))
            (members,) = store.members("s")
        assert len(members) == 3

    def test_a_cluster_and_a_database_in_a_file_are_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="a cluster needs PostgreSQL"):
            list(on_ray(tmp_path / "shards", [], plan_stages(config()), config(), "sqlite:///x.sqlite", address="10.0.0.1:6379"))

    def test_two_runs_do_not_share_a_folder(self, tmp_path):
        clips = clips_of(tmp_path / "clips", [0.5, 0.6])
        run = partial(on_ray, tmp_path / "shards", stages=plan_stages(config()), config=config(), store_url=f"sqlite:///{tmp_path}/db.sqlite")
        first = run(iter_batches(clips))
        next(first)
        with pytest.raises(RunError, match="another run"):
            next(run(iter_batches(clips)))
        first.close()


def iter_batches(clips):
    """Batches of one."""
    for position, clip in enumerate(clips):
        yield [(position, clip)]


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
counters = st.dictionaries(texts, st.integers(1, 9), max_size=2).map(Counter)
outcomes = st.builds(
    BatchOutcome,
    records=st.lists(st.builds(StageRecord, keys, stored_clips, texts, results), max_size=3).map(tuple),
    members=st.lists(st.builds(Member, st.integers(0, 2**62), keys, stored_clips), max_size=3).map(tuple),
    failed=st.integers(0, 9),
    computed=st.integers(0, 9),
    audio_sec=st.floats(0, 1e9),
    engine_sec=st.dictionaries(texts, st.floats(0, 1e9), max_size=2),
    load_sec=st.floats(0, 1e9),
    files=st.lists(st.builds(FileState, texts, st.integers(0, 2**62), st.integers(0, 2**62), texts), max_size=2).map(tuple),
    left_out=counters,
    timed_out=counters,
)
on_disk = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


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

    def test_other_clips_other_audio_or_another_engine_is_another_shard(self, monkeypatch, project):
        stages, clip = plan_stages(config()), Clip("a", "", "words", "d", audio_bytes=b"1")
        same = shards.identity_of([[(0, clip)]], stages)
        assert same == shards.identity_of([[(0, clip)]], plan_stages(config()))
        others = [
            shards.identity_of([[(1, clip)]], stages),
            shards.identity_of([[(0, Clip("a", "", "words", "d", audio_bytes=b"2"))]], stages),
            shards.identity_of([[(0, clip)]], plan_stages(config(revision="2"))),
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
