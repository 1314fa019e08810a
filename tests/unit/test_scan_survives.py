"""Whatever happens to a scan (kill -9, a second one beside it, a server that dies, a full disk), nothing is lost, nothing is doubled, and nothing differs afterwards."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import tone
from tests.postgres_for_tests import PASSWORD
from tests.unit.test_cascade import TEXT
from tests.unit.test_scan import quiet, rows_of
from workbench.audio import write_wav
from workbench.clips import Clip, open_manifest
from workbench.errors import StoreError
from workbench.scan.cascade import Cascade
from workbench.scan.command import name_of
from workbench.scan.finished import CHUNK_CLIPS, INLINE_CHUNK_CLIPS
from workbench.scan.plan import ScanConfig, plan_stages
from workbench.scan.scanning import scan
from workbench.store import Store

CLIPS = 60
#: A second engine that always fails on the longest clips, so that errors and tries are among what must survive.
PARAMETERS = ["fast=counting", "precision=counting", "judges=[signal]", "engine_options={counting: {fail_over_sec: 1.05}}", "batch_clips=2", "breaker_failures=null", "max_attempts=2"]


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    monkeypatch.setenv("PYTHONPATH", str(project))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Clips of different content, one without audio."""
    place = tmp_path / "clips"
    place.mkdir()
    for number in range(CLIPS):
        write_wav(tone(0.5 + 0.01 * number, pitch_hz=200 + number), place / f"{number:03d}.wav")
        (place / f"{number:03d}.txt").write_text(f"clip number {number}\n")
    (place / "030.wav").write_bytes(b"no audio")
    return place


def command(folder: Path, database: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "workbench.cli", "scan", str(folder), "--db", database, *PARAMETERS, *more]


def run(folder: Path, database: str, *more: str, **settings) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder, database, *more), cwd=folder.parent, capture_output=True, text=True, timeout=120, check=False, **settings)


def rows(folder: Path, database: str) -> list:
    stages = plan_stages(ScanConfig(fast="counting", precision="counting", judges=("signal",), engine_options={"counting": {"fail_over_sec": 1.05}}, max_attempts=2))
    with Store.open(database) as store:
        return rows_of(store, name_of(open_manifest(folder)), stages)


@pytest.fixture
def undisturbed(folder, tmp_path) -> list:
    done = run(folder, str(tmp_path / "undisturbed.sqlite"))
    assert done.returncode == 0, done.stderr
    found = rows(folder, str(tmp_path / "undisturbed.sqlite"))
    assert len(found) == CLIPS and [row[0] for row in found] == sorted(row[0] for row in found)
    assert sum(bool(row[2]) for row in found) == 1 and sum(bool(row[3]["fast"] and row[3]["fast"][1]) for row in found) == 4
    return found


@pytest.mark.parametrize("order", ["stream", "batch"])
def test_a_scan_that_is_killed_again_and_again_comes_to_the_same_rows(folder, tmp_path, undisturbed, order):
    database, kills = str(tmp_path / "db.sqlite"), 0
    for after in (5, 20, 35):
        started = subprocess.Popen(command(folder, database, "--order", order), cwd=folder.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while started.poll() is None:
            if members_of(folder, database) >= after:
                started.send_signal(signal.SIGKILL)
                kills += started.wait() == -signal.SIGKILL
            time.sleep(0.01)
    assert kills, "every kill came too late"
    assert run(folder, database, "--order", order).returncode == 0
    assert rows(folder, database) == undisturbed


def members_of(folder: Path, database: str) -> int:
    if not Path(database).exists():
        return 0
    try:
        with Store.open(database) as store:
            return sum(map(len, store.members(name_of(open_manifest(folder)))))
    except StoreError:
        return 0


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_two_scans_at_once_are_harmless(folder, tmp_path, undisturbed, server, request, monkeypatch):
    database = str(tmp_path / "db.sqlite")
    if server == "postgres":
        database = without_password(request.getfixturevalue("postgres").create_database())
        # The password comes from the environment, as a user gives it.
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
    both = [subprocess.Popen(command(folder, database), cwd=folder.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.wait(120) == 0, one.stderr.read()
    assert rows(folder, database) == undisturbed


def without_password(url: str) -> str:
    return sa.make_url(url)._replace(password=None).render_as_string()


def test_a_server_that_is_killed_while_a_scan_runs_is_waited_for(folder, undisturbed, postgres, monkeypatch):
    database = without_password(postgres.create_database())
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    started = subprocess.Popen(command(folder, database, "batch_clips=1"), cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while started.poll() is None and not some_members(folder, database):
        time.sleep(0.02)
    postgres.kill()
    still_there = started.poll() is None
    time.sleep(0.5)
    postgres.start()
    told, _ = started.communicate(timeout=120)
    assert still_there and started.returncode == 0, told
    assert rows(folder, database) == undisturbed


def some_members(folder: Path, database: str) -> bool:
    with Store.open(database) as store:
        return any(store.members(name_of(open_manifest(folder))))


def test_a_server_that_stays_away_stops_the_scan_with_a_line_on_how_to_go_on(folder, tmp_path, undisturbed, postgres):
    database = postgres.create_database()
    clips = list(open_manifest(folder))
    config = ScanConfig(fast="counting", precision="counting", judges=("signal",), engine_options={"counting": {"fail_over_sec": 1.05}}, max_attempts=2, workers=1)
    config = config.model_copy(update={"batch_timeout_sec": None, "breaker_failures": None})

    def and_then_it_dies():
        for number, clip in enumerate(clips):
            if number == 30:
                postgres.kill()
            yield clip

    class Listed:
        __iter__ = staticmethod(and_then_it_dies)

    told: list[str] = []
    name = name_of(open_manifest(folder))
    # The whole list is read ahead of the first batch, so the list's stretch must be longer than what comes before the fault.
    assert len(clips) < CHUNK_CLIPS
    try:
        with Store.open(database, patience_sec=1.0) as store, pytest.raises(StoreError, match="stayed away"):
            scan(Listed(), config, store, scan_id=name, say=told.append)
    finally:
        postgres.start()
    assert any("stopped by StoreError" in line and "goes on from there" in line for line in told)
    assert PASSWORD not in "".join(told)
    with Store.open(database) as store:
        scan(clips, config, store, scan_id=name, say=quiet)
        assert rows_of(store, name, plan_stages(config)) == undisturbed


def test_a_full_disk_is_a_clear_stop_and_the_same_command_goes_on_once_there_is_room(folder, tmp_path, undisturbed):
    database = str(tmp_path / "db.sqlite")
    with Store.open(database):
        room = os.path.getsize(database) + 60_000

    def little_room() -> None:
        # A file that may not grow is refused as a full disk refuses it.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    full = run(folder, database, preexec_fn=little_room)
    assert full.returncode == 1 and "Traceback" not in full.stderr, full.stderr
    assert full.stderr.strip().splitlines()[-1].startswith("StoreError:") and "goes on from there" in full.stdout
    assert run(folder, database).returncode == 0
    assert rows(folder, database) == undisturbed


class TestRecognised:
    """A finished scan is recognised by stretches; whatever changes is seen."""

    @pytest.fixture
    def scanned(self, tmp_path, folder):
        clips = list(open_manifest(folder))
        log = tmp_path / "log"

        def again(listed=clips, **settings):
            config = ScanConfig(fast="counting", precision=None, judges=("signal",), engine_options={"counting": {"log": str(log)}}, workers=1, batch_timeout_sec=None)
            log.write_text("")
            with Store.open(tmp_path / "db.sqlite") as store:
                summary = scan(listed, config.model_copy(update=settings), store, scan_id="s", say=quiet)
                members = [member for part in store.members("s") for member in part]
                return summary, len(log.read_text().splitlines()), members, store.chunks("s", [0])

        first, heard, *_ = again()
        assert (first.computed, heard) == (CLIPS - 1, CLIPS - 1)
        return clips, again

    def test_a_finished_stretch_is_not_looked_into_and_its_failures_are_still_counted(self, scanned, tmp_path):
        clips, again = scanned
        with Store.open(tmp_path / "db.sqlite") as store:
            # Were the rows asked for, every clip would be computed anew.
            store._database.write(lambda connection: connection.exec_driver_sql("DELETE FROM audio_index"))
        summary, heard, members, chunks = again()
        assert (summary.clips, summary.failed, summary.computed, heard, len(members)) == (CLIPS, 1, 0, 0, CLIPS)
        assert chunks[0].clips == CLIPS and chunks[0].failed == 1

    def test_a_changed_text_a_changed_file_and_a_new_clip_are_seen(self, scanned, folder):
        clips, again = scanned
        changed = [Clip("000", clips[0].audio, "another text", clips[0].dataset), *clips[1:]]
        assert again(changed)[1] == 1
        write_wav(tone(0.3), folder / "001.wav")
        assert again(changed)[1] == 1
        write_wav(tone(0.31), folder / "new.wav")
        summary, heard, members, chunks = again([*changed, Clip("new", str(folder / "new.wav"), TEXT, clips[0].dataset)])
        assert (heard, summary.clips, len(members), chunks[0].clips) == (1, CLIPS + 1, CLIPS + 1, CLIPS + 1)

    def test_a_shorter_list_forgets_its_tail_and_another_name_of_a_clip_reaches_the_members(self, scanned):
        clips, again = scanned
        assert len(again(clips[:10])[2]) == 10
        renamed = [Clip("renamed", clips[0].audio, clips[0].text, clips[0].dataset), *clips[1:10]]
        summary, heard, members, _ = again(renamed)
        assert (heard, members[0].clip.clip_id, summary.computed) == (0, "renamed", 0)

    def test_mended_audio_is_opened_again(self, scanned, folder):
        _, again = scanned
        write_wav(tone(0.3), folder / "030.wav")
        summary, heard, _, chunks = again()
        assert (heard, summary.failed, chunks[0].failed) == (1, 0, 0)

    def test_another_cascade_looks_again(self, scanned):
        _, again = scanned
        assert again(judges=("signal", "loudness"))[0].computed == CLIPS - 1
        assert again(judges=("signal", "loudness"), cascade=Cascade(mos_mode="none"))[0].computed == 0

    def test_clips_that_bring_their_audio_along_are_recognised_by_it(self, tmp_path, folder):
        files = [folder / f"{number:03d}.wav" for number in range(30)]
        clips = [Clip(f"{number}", "", "some words", "d", audio_bytes=files[number % 30].read_bytes()) for number in range(INLINE_CHUNK_CLIPS + 10)]
        config = ScanConfig(fast="counting", precision=None, judges=(), workers=1, batch_timeout_sec=None)
        with Store.open(tmp_path / "db.sqlite") as store:
            scan(clips, config, store, scan_id="s", say=quiet)
            assert sorted(store.chunks("s", [0, INLINE_CHUNK_CLIPS])) == [0, INLINE_CHUNK_CLIPS]
            assert scan(clips, config, store, scan_id="s", say=quiet).audio_sec == 0.0
            clips[3] = Clip("3", "", "some words", "d", audio_bytes=files[4].read_bytes())
            # The stretch of the changed clip is opened again, the other one is not.
            assert scan(clips, config, store, scan_id="s", say=quiet).audio_sec == pytest.approx(sum(0.5 + 0.01 * (n % 30) for n in range(INLINE_CHUNK_CLIPS)) + 0.01)

    def test_a_stretch_with_work_left_is_no_finished_one(self, tmp_path, folder):
        clips = list(open_manifest(folder))[:20]
        config = ScanConfig(
            fast="counting", precision=None, judges=(), engine_options={"counting": {"fail_over_sec": 0.55}}, workers=1, batch_timeout_sec=None, breaker_failures=2,
            breaker_rest_sec=1e6, batch_clips=1,
        )
        with Store.open(tmp_path / "db.sqlite") as store:
            assert scan(clips, config, store, scan_id="s", say=quiet).unsettled == 14
            assert store.chunks("s", [0]) == {}
