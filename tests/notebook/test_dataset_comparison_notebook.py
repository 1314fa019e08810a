"""The dataset comparison notebook through papermill: it finds what was planted, writes what a filter can read, and computes nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from workbench.clips import open_manifest
from workbench.datasets.columns import catalogue
from workbench.datasets.planted import Planted

WORKBENCH = [sys.executable, "-m", "workbench.cli"]


def workbench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    done = subprocess.run([*WORKBENCH, *arguments], cwd=cwd, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def smoke(tmp_path_factory) -> Path:
    work = tmp_path_factory.mktemp("dataset_comparison")
    done = workbench("run", "dataset_comparison", "--profile", "smoke", cwd=work)
    return Path(work, done.stdout.splitlines()[-1]).parent


@pytest.fixture(scope="module")
def metrics(smoke) -> dict:
    return json.loads((smoke / "metrics.json").read_text())


def test_a_run_leaves_everything_that_a_reader_needs(smoke, metrics):
    assert {path.name for path in smoke.iterdir()} == {"report.html", "notebook.ipynb", "params.yaml", "results.parquet", "metrics.json", "provenance.json"}
    assert [dataset["dataset"] for dataset in metrics["datasets"]] == ["tidy", "worn"] and metrics["failed"] == 0
    rows = pq.read_table(smoke / "results.parquet").to_pylist()
    assert len(rows) == metrics["clips"] == 2 + 22 + 2 and {row["dataset"] for row in rows} == {"tidy", "worn"}
    assert {name for name, column in catalogue().items() if column.kind != "text"} <= set(rows[0])
    assert rows[0]["bandwidth_hz"] > 7000 and rows[0]["loudness_lufs"] < 0 and rows[0]["dnsmos_ovrl"] is None


def test_what_was_planted_is_found(metrics):
    planted = metrics["planted"]
    assert planted["planted"] == len(Planted) and planted["untouched"] == 13
    for sure in ("other_text", "long_text", "short_text", "low_passed", "clipped", "silenced", "same_audio", "same_text"):
        assert planted["kinds"][sure] == {"planted": 1, "found": 1}, sure
    assert planted["found"] >= 9


def test_the_page_says_what_it_may_and_stands_alone(smoke, metrics):
    page = (smoke / "report.html").read_text()
    assert "Traceback" not in page and "src=\"http" not in page and len(page) < 12e6
    for section in ("What the datasets hold", "Faults of the text", "Faults of the audio", "Copies", "What rules keep", "Planted faults", "False alarms", "Sample rates and ceilings"):
        assert section in page, section
    assert metrics["claims"] and all(sentence.endswith(".") for sentence in metrics["claims"])
    assert any("cannot be told apart" in sentence or "the difference may come from them" in sentence or "Nothing can be said" in sentence for sentence in metrics["claims"])
    assert "short and right" in page and "workbench filter" in page
    assert "have a planted fault)" in metrics["headline"] and "accused of a fault (95% interval" in metrics["headline"]


def test_the_filter_keeps_what_the_report_says(smoke, metrics):
    work = smoke.parents[2]
    worn = next(dataset for dataset in metrics["datasets"] if dataset["dataset"] == "worn")
    (manifest,) = work.glob("outputs/speech/planted/*/planted.jsonl")
    for rule in ("balanced", "short and right"):
        arguments = ("filter", str(manifest), "--scan", worn["scan"], "--dataset", "worn", "-p", str(smoke / "params.yaml"), "--keep", rule, "-o", "kept.jsonl")
        done = workbench(*arguments, cwd=work)
        assert f"kept {worn['rules'][rule]['clips']} of {worn['clips']} clips" in done.stderr
    assert sum(1 for _ in (work / "kept.jsonl").open()) == worn["rules"]["short and right"]["clips"]
    copies = workbench("filter", str(manifest), "--scan", worn["scan"], "--dataset", "worn", "--keep", "not copy_fault and not low_ceiling", "-o", "clean.csv", cwd=work)
    assert "takes" in copies.stderr and all("again" not in clip.clip_id for clip in open_manifest(work / "clean.csv"))


def test_the_same_parameters_give_the_same_bytes_and_compute_nothing(smoke):
    work = smoke.parents[2]
    again = workbench("run", "dataset_comparison", "--profile", "smoke", cwd=work)
    folder = Path(work, again.stdout.splitlines()[-1]).parent
    assert (folder / "results.parquet").read_bytes() == (smoke / "results.parquet").read_bytes()
    assert json.loads((folder / "metrics.json").read_text())["computed"] == 0


def test_a_rule_with_a_wrong_column_stops_the_run_before_anything_is_heard(tmp_path):
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump({"keep": {"mine": "wer_fst < 0.1"}}))
    done = subprocess.run([*WORKBENCH, "run", "dataset_comparison", "-p", "wrong.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1 and "did you mean wer_fast" in done.stderr.splitlines()[-1] and not list(tmp_path.glob("outputs/*.sqlite"))
