"""The validation notebook itself, through papermill as users run it: complete, repeatable, resumable, truthful about bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile

from tests.conftest import tone
from workbench.audio import write_wav
from workbench.report.folders import list_runs

WORKBENCH = [sys.executable, "-m", "workbench.cli"]


def run(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """``workbench run validation`` in ``folder``, as from a shell."""
    return subprocess.run([*WORKBENCH, "run", "validation", *arguments], cwd=folder, capture_output=True, text=True, timeout=900, check=check)


@pytest.fixture(scope="module")
def smoke(smoke_run) -> Path:
    return smoke_run


def test_a_run_leaves_everything_that_a_reader_needs(smoke):
    assert {path.name for path in smoke.iterdir()} == {"report.html", "notebook.ipynb", "params.yaml", "results.parquet", "metrics.json", "provenance.json"}
    metrics = json.loads((smoke / "metrics.json").read_text())
    assert metrics["clips"] == 4 and metrics["failed"] == 0 and metrics["words"] > 20
    provenance = json.loads((smoke / "provenance.json").read_text())
    assert {"code", "packages", "engines", "fingerprints", "dataset", "seeds", "hardware", "wall_sec"} == set(provenance)
    assert {row["engine"] for row in provenance["engines"]} >= {"pocketsphinx", "pocketsphinx-grammar", "dnsmos", "signal"}
    assert all(row["licence of code"] and row["licence of weights"] for row in provenance["engines"])
    table = pq.read_table(smoke / "results.parquet").to_pylist()
    assert len(table) == 4 and all(row["reference_words"] and row["fast_text"] is not None for row in table)


def test_the_report_stands_alone_and_is_small(smoke):
    page = (smoke / "report.html").read_text()
    assert len(page) < 12e6
    for reader in ("src=\"http", "href=\"http://", "@import", "<script src"):
        assert reader not in page
    assert "planted" in page.casefold() and "Traceback" not in page and "tts_failure" in page


def test_a_good_voice_is_told_from_a_bad_one(smoke):
    voices = {row["voice"]: row for row in json.loads((smoke / "metrics.json").read_text())["voices"]}
    if "flite/slt" not in voices:
        pytest.fail("flite is not installed: apt-get install flite")
    assert voices["flite/slt"]["audio_error_rate"]["value"] < voices["espeak/en-us"]["audio_error_rate"]["value"]
    assert voices["flite/slt"]["pass_rate"]["value"] > 0.7


def test_the_same_parameters_give_the_same_bytes_and_compute_nothing(smoke):
    work = smoke.parents[2]
    again = run(work, "--profile", "smoke")
    folder = Path(work, again.stdout.splitlines()[-1]).parent
    assert folder != smoke
    assert (folder / "results.parquet").read_bytes() == (smoke / "results.parquet").read_bytes()
    assert json.loads((folder / "metrics.json").read_text())["computed"] == 0
    states = {row.folder.name: row.state for row in list_runs(work / "outputs")}
    assert states == {smoke.name: "done", folder.name: "done"}


def bad_folder(folder: Path) -> Path:
    """A folder of clips as users have them: good ones among every kind of bad one."""
    (folder / "sub 'quoted' \"twice\"").mkdir(parents=True)
    speech = tone(1.0)
    write_wav(speech, folder / "good.wav")
    write_wav(tone(1.0, pitch_hz=300), folder / "sub 'quoted' \"twice\"" / "good.wav")
    (folder / "zero.wav").write_bytes(b"")
    (folder / "fake.wav").write_text("not audio")
    write_wav(tone(0.05), folder / "short.wav")
    soundfile.write(folder / "loud.wav", 13 * speech.samples, 16000, subtype="FLOAT")
    write_wav(tone(1.0, pitch_hz=350), folder / "empty_text.wav")
    write_wav(tone(1.0, pitch_hz=400), folder / "emoji.wav")
    write_wav(tone(1.0, pitch_hz=450), folder / "latin1.wav")
    write_wav(tone(1.0, pitch_hz=500), folder / "no_text.wav")
    texts = {"good": "some words", "sub 'quoted' \"twice\"/good": "some words", "zero": "a", "fake": "a", "short": "hi", "loud": "too loud", "empty_text": "", "emoji": "🙂 ?!"}
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    (folder / "latin1.txt").write_bytes("café".encode("latin-1"))
    (folder / "nowhere.txt").write_text("text without audio")
    return folder


def test_a_folder_of_bad_clips_is_counted_and_reported_whole(tmp_path):
    bad_folder(tmp_path / "my clips")
    done = run(tmp_path, "manifest=my clips", "workers=1", "planted_texts=0")
    folder = Path(tmp_path, done.stdout.splitlines()[-1]).parent
    rows = {row["clip_id"]: row for row in pq.read_table(folder / "results.parquet").to_pylist()}
    assert len(rows) == 11
    failures = {clip_id: [stage for stage, _, _ in json.loads(row["failures"])] for clip_id, row in rows.items()}
    failed = {Path(clip_id).stem for clip_id, stages in failures.items() if stages}
    assert failed >= {"zero", "fake", "empty_text", "emoji", "latin1", "no_text", "nowhere"}
    assert not failures[next(clip_id for clip_id in rows if clip_id.startswith("loud"))]
    page = (folder / "report.html").read_text()
    assert "normalised" in page and "AudioError" in page


def test_a_run_killed_half_way_goes_on_to_the_same_rows(tmp_path, speaking_voice):
    parameters = ["text_limit=5", f"voices=[{speaking_voice}]", "planted_texts=0", "batch_clips=1"]
    undisturbed = tmp_path / "undisturbed"
    killed = tmp_path / "killed"
    for folder in (undisturbed, killed):
        folder.mkdir()
    whole = Path(undisturbed, run(undisturbed, *parameters).stdout.splitlines()[-1]).parent
    shutil.copytree(undisturbed / "outputs" / "speech", killed / "outputs" / "speech")

    process = subprocess.Popen([*WORKBENCH, "run", "validation", *parameters], cwd=killed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    _wait_for_rows(killed / "outputs" / "workbench.sqlite", least=2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert [row.state for row in list_runs(killed / "outputs")] == ["interrupted"]

    again = run(killed, *parameters)
    folder = Path(killed, again.stdout.splitlines()[-1]).parent
    assert [row.state for row in list_runs(killed / "outputs")] == ["done"]
    assert (folder / "results.parquet").read_bytes() == (whole / "results.parquet").read_bytes()
    assert 0 < json.loads((folder / "metrics.json").read_text())["computed"] < 5


def _wait_for_rows(database: Path, *, least: int) -> None:
    import sqlite3

    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if database.exists():
            try:
                with sqlite3.connect(database, timeout=30) as connection:
                    if connection.execute("SELECT count(*) FROM audio_quality WHERE fast_fingerprint IS NOT NULL").fetchone()[0] >= least:
                        return
            except sqlite3.OperationalError:
                pass
        time.sleep(0.05)
    pytest.fail("the scan wrote no rows in time")


def test_a_wrong_parameter_stops_the_run_before_it_starts(tmp_path):
    done = run(tmp_path, "text_limt=3", check=False)
    assert done.returncode == 1 and "did you mean text_limit" in done.stderr and not (tmp_path / "outputs").exists()
