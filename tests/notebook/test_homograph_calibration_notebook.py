"""The homograph calibration notebook through papermill: every figure is held out, the calibration that it writes is one, and a list of one's own is taken."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.runs_for_tests import folder_of, run_phase
from tests.tiny_models.wav2vec2 import build_tiny_wav2vec2_phoneme
from workbench.homographs import lexicon
from workbench.homographs.calibration import read_calibration
from workbench.text.phone_sets import espeak_symbols


def run(work: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    return run_phase("homograph_calibration", work, "--profile", "smoke", *arguments, check=check)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory) -> Path:
    work = tmp_path_factory.mktemp("calibration")
    return folder_of(work, run(work))


def test_a_run_writes_a_calibration_its_verdicts_and_its_figures(smoke):
    metrics = json.loads((smoke / "metrics.json").read_text())
    assert {"engine", "voice"} == set(metrics["held_out"]) and metrics["trials"] == len(list(csv.reader((smoke / "verdicts.tsv").open(), delimiter="\t"))) - 1 > 80
    assert 0.5 < metrics["held_out"]["engine"]["two_way"]["value"] <= 1 and metrics["text"]["micro"]["n"] == 326
    made = read_calibration(smoke / "calibration.json")
    assert made.listener == "pocketsphinx" and sorted(made.allowed) == metrics["allowed"] and len(made.provenance["trials_sha256"]) == 64
    assert yaml.safe_load((smoke / "params.yaml").read_text())["false_alarms"] == 0.02


def test_the_page_shows_each_section_and_no_internal_name(smoke):
    page = (smoke / "report.html").read_text()
    assert "Traceback" not in page and "noun_adjective /" not in page and "-ate, -ment" in page
    for told in ("Trials and their split", "By kind of contrast", "What a suspect is worth", "reference rule", "The evidence for each of 6 words", "floor: always"):
        assert told in page, told
    assert "<audio" in page or "No verdict was wrong." in page


def test_a_list_of_ones_own_is_taken_and_one_voice_is_too_few(smoke, tmp_path):
    [found] = (smoke.parents[2] / "outputs" / "homographs").glob("*/trials.tsv")
    rows = list(csv.DictReader(found.open(), delimiter="\t"))
    for row in rows:
        row["audio"] = str(found.parent / row["audio"])
    chosen = [row for row in rows if row["engine"] == "espeak"]

    def write(name, kept):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t")
            writer.writeheader()
            writer.writerows(kept)
        return f"trials={tmp_path / name}"

    chosen[0]["spoken"] = ""
    folder = folder_of(tmp_path, run(tmp_path, write("mine.tsv", chosen)))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["held_out"]) == {"voice"} and metrics["trials"] == len(chosen) - 1 and metrics["end_to_end"] is None
    alone = run(tmp_path, write("one.tsv", [row for row in chosen if row["voice"] == chosen[0]["voice"]]), check=False)
    assert alone.returncode != 0 and "neither an engine nor a voice can be held out" in alone.stdout + alone.stderr


def test_the_gpu_profile_calibrates_a_phone_recogniser(project, tmp_path):
    profile = yaml.safe_load((project / "params" / "homograph_calibration" / "gpu.yaml").read_text())
    words = ["live", "use", "separate"]
    phones = {symbol for word in words for reading in lexicon()[word] for variant in reading.variants for symbol in espeak_symbols(variant.phones)}
    weights = build_tiny_wav2vec2_phoneme(tmp_path / "weights", phones=sorted(phones))
    tiny = {
        **profile, "device": "cpu", "voices": ["flite/slt", "flite/rms", "espeak/en-us", "espeak/en-gb"], "british": ["espeak/en-gb"], "words": words,
        "adaptation_utterances": [0], "engine_options": {"wav2vec2-phoneme": {"weights": str(weights)}},
    }  # fmt: skip
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    folder = folder_of(tmp_path, run(tmp_path, "-p", "tiny.yaml"))
    made = read_calibration(folder / "calibration.json")
    assert made.listener == "wav2vec2-phoneme" and "ctc_ratio" in made.measures
    told = {row["engine"] for row in json.loads((folder / "provenance.json").read_text())["engines"]}
    assert {"wav2vec2-phoneme", "flite", "espeak"} <= told
