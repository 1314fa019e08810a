"""Runs: parameters checked before anything happens, folders resumed, states told truthfully."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from workbench.errors import ConfigError, RunError, UnknownNameError
from workbench.report.folders import LAST_CELL, SENTINEL, hold_lock, list_runs, open_run_folder, parameters_hash, write_json
from workbench.report.run import resolve, run_notebook

HASH_OF_NOTHING = parameters_hash({})


def test_unknown_parameters_are_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="unknown parameter 'text_limt', did you mean text_limit"):
        resolve("validation", profile=None, files=(), assignments=["text_limt=3"])


def test_unknown_phases_and_profiles_are_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="did you mean validation"):
        resolve("validaton", profile=None, files=(), assignments=())
    with pytest.raises(UnknownNameError, match="did you mean demo"):
        resolve("validation", profile="dmeo", files=(), assignments=())


def test_later_parameters_win_and_text_stays_text(tmp_path):
    file = tmp_path / "more.yaml"
    file.write_text("text_limit: 7\nseed: 5\n")
    config = resolve("validation", profile="smoke", files=[file], assignments=["seed=9", "dataset=001", "voices=[flite/rms]"])
    assert (config.text_limit, config.seed, config.dataset, config.voices) == (7, 9, "001", ("flite/rms",))


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (["text_limit=-1"], "text_limit: .*greater than or equal to 0"),
        (["workers=zero"], "workers: .*valid integer"),
        (["speed=.inf"], "speed"),
        (["seed"], "name=value"),
        (["voices=[a: b: c"], "no YAML"),
    ],
)
def test_bad_values_say_which_parameter_and_why(assignments, told):
    with pytest.raises(ConfigError, match=told):
        resolve("validation", profile=None, files=(), assignments=assignments)


@pytest.mark.parametrize(("content", "told"), [("- a\n- b\n", "no mapping"), ("a: [", "cannot be read")])
def test_a_bad_parameter_file_is_a_clear_error(tmp_path, content, told):
    file = tmp_path / "bad.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=told):
        resolve("validation", profile=None, files=[file], assignments=())


def test_an_unfinished_folder_is_used_again_and_a_finished_one_is_not(tmp_path):
    first = open_run_folder(tmp_path, "validation", {})
    assert open_run_folder(tmp_path, "validation", {}) == first
    write_json(first / SENTINEL, {"headline": "done"})
    os.rename(first, first.with_name(f"20200101T000000Z-{HASH_OF_NOTHING}"))
    assert open_run_folder(tmp_path, "validation", {}) != first.with_name(f"20200101T000000Z-{HASH_OF_NOTHING}")
    assert open_run_folder(tmp_path, "validation", {"seed": 2}).name.endswith(parameters_hash({"seed": 2}))


def test_the_same_run_twice_at_once_is_refused(tmp_path):
    with hold_lock(tmp_path, "validation", {}):
        code = "from pathlib import Path; from workbench.report.folders import hold_lock\nwith hold_lock(Path(%r), 'validation', {}): pass" % str(tmp_path)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "the same run is going on in another process" in done.stderr
    with hold_lock(tmp_path, "validation", {}):
        pass


def _started(tmp_path, name: str):
    folder = tmp_path / "validation" / name
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text("{}\n")
    return folder


def test_runs_are_listed_with_their_true_state(tmp_path):
    done = _started(tmp_path, "20260101T000000Z-aaaaaaaa")
    write_json(done / SENTINEL, {"headline": "all is well"})
    failed = _started(tmp_path, "20260102T000000Z-bbbbbbbb")
    (failed / "error.txt").write_text("it broke\n\ndetails")
    # A notebook that wrote its last cell but was killed before the report stood is not done.
    half = _started(tmp_path, "20260103T000000Z-cccccccc")
    write_json(half / LAST_CELL, {"headline": "not yet"})
    running = _started(tmp_path, f"20260104T000000Z-{HASH_OF_NOTHING}")
    with hold_lock(tmp_path, "validation", {}):
        rows = list_runs(tmp_path)
    assert [(row.folder, row.state, row.headline.split(" goes")[0]) for row in rows] == [
        (done, "done", "all is well"),
        (failed, "failed", "it broke"),
        (half, "interrupted", "the same command"),
        (running, "running", ""),
    ]
    assert list_runs(tmp_path)[-1].state == "interrupted"


def _project_with(tmp_path, monkeypatch, source: str) -> None:
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("seed: int = 1", metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(source)])
    book.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, "workbench": {"config": "workbench.scan.validation:ValidationConfig"}}
    (tmp_path / "notebooks").mkdir()
    nbformat.write(book, tmp_path / "notebooks" / "tiny.ipynb")
    monkeypatch.chdir(tmp_path)


def test_a_notebook_that_fails_is_a_failed_run_with_its_error(tmp_path, monkeypatch):
    _project_with(tmp_path, monkeypatch, "raise ValueError('no such luck')")
    with pytest.raises(RunError, match="ValueError: no such luck"):
        run_notebook("tiny", say=lambda _line: None)
    (row,) = list_runs(tmp_path / "outputs")
    assert row.state == "failed" and "no such luck" in row.headline
    assert not (row.folder / SENTINEL).exists()


def test_a_notebook_that_ends_without_its_sentinel_is_not_done(tmp_path, monkeypatch):
    _project_with(tmp_path, monkeypatch, "print('all cells ran')")
    with pytest.raises(RunError, match="without its last cell's sentinel"):
        run_notebook("tiny", say=lambda _line: None)
    assert list_runs(tmp_path / "outputs")[0].state == "failed"


def test_secrets_in_the_environment_never_reach_provenance(monkeypatch):
    import json

    from workbench.report.provenance import provenance

    monkeypatch.setenv("GEMINI_API_KEY", "do-not-tell-4711")
    found = provenance(used=[("judge", "signal")], fingerprints={}, dataset={}, seeds={"seed": 1}, wall_sec={"all": 1.0})
    assert "do-not-tell-4711" not in json.dumps(found)
    assert found["engines"][0]["licence of code"] == "Apache-2.0" and found["hardware"]["cores"] >= 1
