"""The listening notebook itself, through papermill as users run it: complete without a person, repeatable, and never more certain than its ratings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.listening_for_tests import Listeners, ratings_path, save_ratings, tone_clips
from tests.runs_for_tests import folder_of, run_phase
from workbench.listening.calibration import load_calibrations
from workbench.listening.plan import load_plan
from workbench.listening.preparing import opened
from workbench.listening.study import ListeningConfig

FILES = {"report.html", "notebook.ipynb", "params.yaml", "results.parquet", "metrics.json", "provenance.json"}
#: Quick engines: what they hear is no language, which is not what these tests are about.
QUICK = ("fast=counting", "judges=[signal, loudness]", "workers=1", "resamples=100", "instruction_voice=", "test_folder=here")


def run(work: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """A run with the tests' engines."""
    return run_phase("listening_test", work, *arguments, check=check, engines_of_tests=True)


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(scope="module")
def unrated(tmp_path_factory) -> Path:
    """A run over tones of three systems that nobody has rated yet."""
    work = tmp_path_factory.mktemp("listening")
    for clip in tone_clips(work / "clips", systems=3, texts=8):
        Path(clip.audio).with_suffix(".txt").write_text(clip.text + "\n")
    return folder_of(work, run(work, "manifest=clips", "texts=", "mos_trials=16", "ab_trials=6", "collect=true", *QUICK))


def test_a_simulated_run_passes_through_every_cell_and_calls_itself_no_evidence(listening_smoke_run):
    folder = listening_smoke_run
    assert {path.name for path in folder.iterdir()} >= FILES
    metrics = metrics_of(folder)
    assert metrics["simulated"] and metrics["headline"].startswith("SIMULATED LISTENERS, NO EVIDENCE") and "stated model" in metrics["headline"]
    assert metrics["listeners"] == 6 and len(metrics["judges"]) >= 4 and {pair["kind"] for pair in metrics["pairs"]} == {"mos", "ab", "abx"}
    assert {row["source"] for row in pq.read_table(folder / "results.parquet").to_pylist()} == {"simulated"}
    assert not list(folder.parents[1].glob("listening/smoke/ratings/*.csv"))
    page = (folder / "report.html").read_text()
    assert "Traceback" not in page and "No listener below is a person" in page and page.index("SIMULATED") < page.index("Mean opinion per system")
    assert "</span> No evidence</p>" in page
    assert {row["engine"] for row in json.loads((folder / "provenance.json").read_text())["engines"]} >= {"flite", "espeak", "pocketsphinx"}
    if (maps := folder / "calibration.json").exists():
        with pytest.raises(Exception, match="simulated listeners"):
            load_calibrations(maps)


def test_a_run_without_ratings_says_so_and_is_complete(unrated):
    assert {path.name for path in unrated.iterdir()} == FILES
    page = (unrated / "report.html").read_text()
    assert "Traceback" not in page and "Nobody is here to be asked" in page
    work = unrated.parents[2]
    waiting = folder_of(work, run(work, "test_folder=here", "texts=", "instruction_voice="))
    told, page = metrics_of(waiting), (waiting / "report.html").read_text()
    assert "Waiting for listeners" in page and "(system0, system1 and system2)" in page and "every ratings file" not in page
    assert told["headline"].startswith("No ratings yet: 3 systems with 8 texts wait") and (told["answers"], told["systems"], told["judges"]) == (0, [], [])


def test_ratings_are_reported_with_and_without_the_excluded_and_broken_lines_are_listed(unrated):
    work = unrated.parents[2]
    prepared = opened(work / "here")
    plan = prepared.plan
    quality = {"system0": 2.0, "system1": 3.2, "system2": 4.4}
    listeners = Listeners(plan, lambda item: quality[plan.item[item].system] + 0.1 * (len(plan.item[item].clip_id) % 3))
    for slot in range(9):
        save_ratings(prepared, listeners.of_one(slot))
    save_ratings(prepared, listeners.of_one(9, checks=False))
    with ratings_path(prepared, "listener-00").open("a") as file:
        file.write("not,a,rating\n1,")

    folder = folder_of(work, run(work, "test_folder=here", "texts=", "resamples=100"))
    metrics = metrics_of(folder)
    assert (metrics["simulated"], metrics["listeners"], metrics["listeners_counted"], metrics["refused_lines"]) == (False, 10, 9, 2)
    assert [row["system"] for row in metrics["systems"]] == ["system2", "system1", "system0"]
    best = next(pair for pair in metrics["pairs"] if (pair["kind"], pair["first"], pair["second"]) == ("mos", "system0", "system2"))
    assert best["better"] == "system2"
    assert "24 rated clips with a score, at least 30 are needed" in metrics["not_calibrated"]["loudness_peak"]
    page = (folder / "report.html").read_text()
    for told in ("excluded by the stated rules", "passed 0 of", "by all listeners", "3 cells instead of 11", "cut off while it was written", "(no judge)"):
        assert told in page, told
    rows = pq.read_table(folder / "results.parquet").to_pylist()
    assert len(rows) == 10 * len(plan.trials(0)) and {row["listener"] for row in rows if not row["counts"]} == {"listener-09"}
    again = folder_of(work, run(work, "test_folder=here", "texts=", "resamples=100"))
    assert again != folder and (again / "results.parquet").read_bytes() == (folder / "results.parquet").read_bytes()
    assert {k: v for k, v in metrics_of(again).items()} == metrics


def test_people_and_simulated_listeners_are_never_mixed_and_a_rated_test_is_never_replaced(unrated):
    work = unrated.parents[2]
    prepared = opened(work / "here")
    if not ratings_path(prepared, "listener-01").exists():
        save_ratings(prepared, Listeners(prepared.plan, lambda item: 3.0).of_one(1))
    for arguments, told in ((("simulated_listeners=3", "texts="), "people rated this test"), (("manifest=clips", "texts=", "seed=2", *QUICK), "another test lies in this folder")):
        done = run(work, "test_folder=here", *arguments, check=False)
        assert done.returncode == 1 and told in done.stdout + done.stderr
    assert load_plan(work / "here").plan_id == prepared.plan.plan_id


def test_the_profiles_are_valid_and_the_demo_invents_nobody(project):
    configs = {path.stem: ListeningConfig.of(yaml.safe_load(path.read_text())) for path in (project / "params" / "listening_test").glob("*.yaml")}
    assert set(configs) == {"demo", "smoke", "simulated"}
    assert configs["demo"].simulated_listeners == 0 and configs["smoke"].simulated_listeners > 0
