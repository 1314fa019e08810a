"""No engine can stop a scan: one that hangs is ended, one that keeps failing rests, and what they left undone is computed by another run."""

from __future__ import annotations

import json

import numpy as np
import psutil
import pytest

from tests.conftest import tone
from workbench.audio import write_wav
from workbench.clips import open_manifest
from workbench.errors import EngineTimeoutError
from workbench.guard import State
from workbench.report.html import prose
from workbench.report.session import Run
from workbench.report.validation import ValidationReport
from workbench.scan.plan import ScanConfig, plan_stages
from workbench.scan.scanning import scan
from workbench.scan.validation import ValidationConfig, validate
from workbench.store import Store

NEVER_SEC = 3600.0


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_that_misbehave")
    monkeypatch.setenv("PYTHONPATH", str(project))


@pytest.fixture
def six_clips(tmp_path):
    """Tones of 0.5, 0.6 ... 1.0 s."""
    folder = tmp_path / "six"
    folder.mkdir()
    for number in range(6):
        write_wav(tone(0.5 + 0.1 * number, pitch_hz=200 + 50 * number), folder / f"clip{number}.wav")
        (folder / f"clip{number}.txt").write_text(f"clip {number}\n")
    return folder


def config(fast="hanging", judges=("signal",), *, options=None, **settings) -> ScanConfig:
    quick = {"batch_timeout_sec": 1.5, "batch_timeout_per_audio_sec": 0.0, "load_timeout_sec": 4.0, "batch_clips": 3, "workers": 1}
    return ScanConfig(fast=fast, precision=None, judges=judges, engine_options=options or {}, **quick | settings)


def scanned(folder, config, database):
    """(summary, errors of the fast stage in order: None where it did its work and "absent" where nothing is stored)."""
    with Store.open(database) as store:
        summary = scan(open_manifest(folder), config, store, scan_id="s", say=lambda _line: None)
        (members,) = store.members("s")
        rows = store.read((m.key for m in members), stages=[s.name for s in summary.stages])
        found = [[rows[m.key].stage(s.name, s.fingerprint) for m in members] for s in summary.stages]
    assert all(result is not None and result.error is None for result in found[1]) or summary.stages[1].name != "signal"
    return summary, ["absent" if result is None else result.error for result in found[0]]


def health_of(summary, stage="fast"):
    return next(health for health in summary.health if health.stage == stage)


class TestHanging:
    def test_a_clip_that_hangs_its_engine_is_an_error_and_every_other_clip_is_done(self, tmp_path, six_clips):
        hanging = config(options={"hanging": {"hang_over_sec": 0.95, "log": str(tmp_path / "log")}}, workers=2)
        summary, errors = scanned(six_clips, hanging, tmp_path / "db.sqlite")
        assert errors[:5] == [None] * 5
        assert (errors[5]["type"], errors[5]["attempts"]) == (EngineTimeoutError.__name__, 3)
        assert "'hanging' gave no answer" in errors[5]["message"] and "batch_timeout_sec" in errors[5]["message"]
        assert (summary.clips, summary.failed) == (6, 1)
        assert (health_of(summary).timed_out, health_of(summary).left_out, health_of(summary).breaker) == (1, 0, State.CLOSED)
        # What was finished before the worker was ended is not computed again.
        assert sorted((tmp_path / "log").read_text().splitlines()) == ["0.5 0.6 0.7", "0.8", "0.8 0.9 1.0", "0.9", *["1.0"] * 3]

    def test_an_engine_that_hung_once_by_bad_luck_costs_nothing(self, tmp_path, six_clips):
        summary, errors = scanned(six_clips, config(options={"hanging": {"hang_over_sec": 0.85, "once": str(tmp_path / "once")}}), tmp_path / "db.sqlite")
        assert (tmp_path / "once").exists()
        assert errors == [None] * 6 and summary.failed == 0 and health_of(summary).sound

    def test_a_clip_that_hangs_is_tried_again_up_to_the_limit_and_then_never(self, tmp_path, six_clips):
        hanging = config(options={"hanging": {"hang_over_sec": 0.95}}, max_attempts=2, batch_clips=1)
        first, _ = scanned(six_clips, hanging, tmp_path / "db.sqlite")
        second, errors = scanned(six_clips, hanging, tmp_path / "db.sqlite")
        assert [summary.computed for summary in (first, second)] == [6, 0]
        assert errors[5]["attempts"] == 2 and [summary.failed for summary in (first, second)] == [1, 1]

    def test_an_engine_that_waits_for_a_program_while_it_loads_rests_and_the_program_ends_with_it(self, tmp_path, six_clips):
        options = {"hanging": {"load_program": str(tmp_path / "pid")}}
        hanging = config(options=options, batch_timeout_sec=1.0, load_timeout_sec=1.0, breaker_failures=2, breaker_rest_sec=NEVER_SEC)
        summary, errors = scanned(six_clips, hanging, tmp_path / "db.sqlite")
        # The first batch of three, then its first clip alone: two hangs in a row.
        assert [error if error == "absent" else error["type"] for error in errors] == [EngineTimeoutError.__name__, *["absent"] * 5]
        assert (health_of(summary).breaker, health_of(summary).opened, health_of(summary).left_out) == (State.OPEN, 1, 6)
        number = int((tmp_path / "pid").read_text())
        assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


class TestBreaker:
    @pytest.mark.parametrize(("workers", "timeout_sec"), [(1, None), (2, 30.0)])
    def test_an_engine_that_fails_in_a_row_rests_and_another_run_computes_what_was_left_out(self, tmp_path, six_clips, workers, timeout_sec):
        log = tmp_path / "log"
        settings = {"batch_clips": 1, "breaker_failures": 3, "breaker_rest_sec": NEVER_SEC, "workers": workers, "batch_timeout_sec": timeout_sec}
        broken = config("broken", options={"broken": {"log": str(log), "well_after": workers + 2}}, **settings)
        first, errors = scanned(six_clips, broken, tmp_path / "db.sqlite")
        tried = len(log.read_text().splitlines())
        # Calls that other workers had begun by then end as they will.
        assert 3 <= tried < 3 + workers
        assert errors.count("absent") == 6 - tried
        # What failed has tries left.
        assert health_of(first).left_out == first.unsettled == 6
        assert (health_of(first).breaker, health_of(first).opened) == (State.OPEN, 1)
        assert health_of(first).last_error == "RuntimeError: the card fell off the bus"
        log.write_text("1\n" * 10)
        second, errors = scanned(six_clips, broken, tmp_path / "db.sqlite")
        assert errors == [None] * 6 and second.computed == 6 and health_of(second).sound

    def test_after_its_rest_one_clip_probes_the_engine_and_a_success_brings_it_back(self, tmp_path, six_clips):
        log = tmp_path / "log"
        # The batch of three, its clips alone (the third opens the breaker), then a probe at once; at the end those that failed, again.
        broken = config("broken", options={"broken": {"log": str(log), "well_after": 4}}, breaker_failures=3, breaker_rest_sec=0.0, batch_timeout_sec=None)
        summary, errors = scanned(six_clips, broken, tmp_path / "db.sqlite")
        assert log.read_text().split() == ["3", "1", "1", "1", "1", "2", "3"]
        assert errors == [None] * 6 and summary.failed == 0
        assert (health_of(summary).breaker, health_of(summary).opened, health_of(summary).left_out) == (State.CLOSED, 1, 0)

    @pytest.mark.parametrize(("failure", "tried"), [("EngineError", 3), ("AudioError", 6)])
    def test_bad_input_rests_no_engine(self, tmp_path, six_clips, failure, tried):
        log = tmp_path / "log"
        settings = {"batch_clips": 1, "breaker_failures": 3, "breaker_rest_sec": NEVER_SEC, "batch_timeout_sec": None}
        summary, _ = scanned(six_clips, config(judges=("signal", "fussy"), options={"fussy": {"log": str(log), "failure": failure}}, **settings), tmp_path / "db.sqlite")
        assert len(log.read_text().splitlines()) == tried
        assert health_of(summary, "fussy").opened == (tried < 6)


class TestSeeds:
    def drawn(self, folder, database, **settings):
        with Store.open(database) as store:
            summary = scan(open_manifest(folder), config(judges=("drawing",), **settings), store, scan_id="s", say=lambda _line: None)
            (members,) = store.members("s")
            rows = store.read((m.key for m in members), stages=["drawing"])
            return [rows[m.key].stage("drawing", summary.stages[1].fingerprint).values["drawing_score"] for m in members]

    def test_an_engine_that_draws_at_random_gives_the_same_scores_in_any_batch_order_and_process(self, tmp_path, six_clips):
        here = {"batch_timeout_sec": None}
        ways = [here | {"batch_clips": 1}, here | {"batch_clips": 6}, {"batch_clips": 4, "workers": 2, "batch_timeout_sec": 60.0}]
        drawn = [self.drawn(six_clips, tmp_path / f"{k}.sqlite", **way) for k, way in enumerate(ways)]
        assert drawn[0] == drawn[1] == drawn[2] and len(set(drawn[0])) == 6
        other = self.drawn(six_clips, tmp_path / "other.sqlite", seed=2, **here)
        assert not np.isclose(drawn[0], other).any()

    def test_only_an_engine_that_draws_at_random_is_computed_again_under_another_seed(self):
        one, two = (plan_stages(config(judges=("signal", "drawing"), seed=seed)) for seed in (1, 2))
        assert [a.fingerprint == b.fingerprint for a, b in zip(one, two, strict=True)] == [True, True, False]

    def test_settings_of_the_guard_are_part_of_no_fingerprint(self):
        other = {"batch_timeout_sec": None, "batch_timeout_per_audio_sec": 9.0, "load_timeout_sec": 9.0, "breaker_failures": None, "breaker_rest_sec": 9.0}
        assert plan_stages(config()) == plan_stages(config(**other))


def report_of(folder, tmp_path, **settings) -> ValidationReport:
    config = ValidationConfig(
        manifest=str(folder), precision=None, judges=("signal",), workers=1, batch_clips=1, batch_timeout_sec=None, database=str(tmp_path / "db.sqlite"), **settings
    )
    return ValidationReport(validate(config, say=lambda _line: None), config, Run("validation", config, outputs=tmp_path / "outputs"))


class TestReport:
    def test_the_report_tells_which_engine_rested_how_often_and_what_it_left_out(self, tmp_path, six_clips):
        log = tmp_path / "log"
        settings = {"fast": "broken", "engine_options": {"broken": {"log": str(log), "well_after": 2}}, "breaker_failures": 2, "breaker_rest_sec": NEVER_SEC}
        report = report_of(six_clips, tmp_path, **settings)
        page = "".join(part._repr_html_() for part in report.failures())
        for told in ("Engines in trouble in this run", "broken", "open", "RuntimeError: the card fell off the bus"):
            assert told in page, told
        assert report.headline_text == "Nothing could be judged: no clip was done. Left for another run: 6 by broken."
        report.finish()
        (trouble,) = json.loads((report.run.folder / "metrics.json").read_text())["engines_in_trouble"]
        assert (trouble["stage"], trouble["engine"], trouble["breaker"], trouble["opened"], trouble["left_out"], trouble["timed_out"]) == ("fast", "broken", "open", 1, 6, 0)
        # Well again, another run computes the rest (and tries again what failed), and has nothing to tell.
        mended = report_of(six_clips, tmp_path, **settings)
        assert [part._repr_html_() for part in mended.failures()] == [prose("Every stage did its work on every clip.")._repr_html_()]
