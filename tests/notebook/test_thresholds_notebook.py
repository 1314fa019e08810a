"""The thresholds notebook through papermill: it proposes a cascade, says what held-out errors say of it, and computes nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.runs_for_tests import folder_of, run_phase
from workbench.scan.plan import ScanParameters


@pytest.fixture(scope="module")
def smoke(tmp_path_factory) -> Path:
    work = tmp_path_factory.mktemp("thresholds")
    return folder_of(work, run_phase("thresholds", work, "--profile", "smoke"))


def test_a_run_proposes_a_cascade_that_a_scan_takes(smoke):
    metrics = json.loads((smoke / "metrics.json").read_text())
    names = [candidate["name"] for candidate in metrics["candidates"]]
    assert metrics["proposed"] in names and "hear everything" in names and any(name.startswith("words") for name in names)
    assert ScanParameters.of(metrics["parameters"]).escalate in ("all", "flagged", "words")
    everything = next(candidate for candidate in metrics["candidates"] if candidate["name"] == "hear everything")
    assert all(candidate["sec_per_audio_hour"] <= everything["sec_per_audio_hour"] for candidate in metrics["candidates"] if candidate["name"].startswith("clips"))
    assert metrics["borne_out"] in ("shown", "compatible", "contradicted")
    assert pq.read_table(smoke / "results.parquet").num_rows == metrics["clips"] == 2


def test_the_page_names_the_proposal_and_its_evidence(smoke):
    page = (smoke / "report.html").read_text()
    assert "Traceback" not in page and "Cascades, cheapest first" in page and "hear everything" in page and "escalate: " in page
    assert "held-out" in page and "present parameters" in page
    assert yaml.safe_load((smoke / "params.yaml").read_text())["keep_recall"] == 0.95
