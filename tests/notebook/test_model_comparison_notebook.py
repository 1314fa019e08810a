"""The model comparison notebook itself, through papermill as users run it: complete, repeatable, and truthful about systems that are not alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import tone
from tests.runs_for_tests import folder_of, run_phase
from workbench.audio import write_wav

#: Quick engines: what they hear is no language, which is not what these tests are about.
QUICK = ("fast=counting", "precision=null", "judges=[signal, flat_tops, loudness]", "workers=1", "resamples=1000", "side_by_side=2", "regressions=1")


def run(work: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """A run with the tests' engines."""
    return run_phase("model_comparison", work, *arguments, check=check, engines_of_tests=True)


@pytest.fixture(scope="module")
def smoke(comparison_smoke_run) -> Path:
    return comparison_smoke_run


def test_a_run_leaves_everything_that_a_reader_needs(smoke):
    assert {path.name for path in smoke.iterdir()} == {"report.html", "notebook.ipynb", "params.yaml", "results.parquet", "metrics.json", "provenance.json"}
    metrics = json.loads((smoke / "metrics.json").read_text())
    assert [row["system"] for row in metrics["systems"]] == ["flite/slt", "espeak/en-us"] and metrics["clips"] == 6 and metrics["failed"] == 0
    assert metrics["claims"] and all("prompts" in claim for claim in metrics["claims"])
    rows = pq.read_table(smoke / "results.parquet").to_pylist()
    assert {row["speaker"] for row in rows} == {"flite/slt", "espeak/en-us"} and len({row["clip_id"] for row in rows}) == 6
    assert {"flat_top_runs", "dnsmos_ovrl", "rms_db"} <= set(dict(rows[0]["scores"]))
    told = json.loads((smoke / "provenance.json").read_text())
    assert {row["engine"] for row in told["engines"]} >= {"flite", "espeak", "pocketsphinx", "dnsmos", "flat_tops"}
    assert [system["voice"] for system in told["dataset"]["systems"]] == ["flite/slt", "espeak/en-us"]


def test_the_report_stands_alone_and_starts_with_the_ranking(smoke):
    page = (smoke / "report.html").read_text()
    assert len(page) < 12e6 and "Traceback" not in page
    for reader in ("src=\"http", "href=\"http://", "@import", "<script src"):
        assert reader not in page
    assert page.index("Words said (flagged words)") < page.index("Headline per system") < page.index('<h2 id="what-may-be-claimed"')
    for part in ("Choosing between two systems", "Regressions against flite/slt", "Where the systems differ most", "One number, weighted:", "by length"):
        assert part in page


def test_the_same_parameters_give_the_same_bytes_and_compute_nothing(smoke):
    work = smoke.parents[2]
    again = folder_of(work, run(work, "--profile", "smoke"))
    assert again != smoke and (again / "results.parquet").read_bytes() == (smoke / "results.parquet").read_bytes()
    first, second = (json.loads((folder / "metrics.json").read_text()) for folder in (smoke, again))
    assert second["computed"] == 0 and second["pairs"] == first["pairs"] and second["claims"] == first["claims"]


def test_systems_that_are_not_alike_are_compared_on_what_they_share_and_the_report_says_so(tmp_path, speaking_voice):
    lines = [f"p{k}\tplain\tThis is prompt number {word}.\n" for k, word in enumerate("one two three four five six".split())]
    (tmp_path / "prompts.tsv").write_text("prompt_id\tcategory\ttext\n" + "".join(lines))
    clips = tmp_path / "theirs"
    clips.mkdir()
    for k in range(5):
        write_wav(tone(0.5 + 0.1 * k, pitch_hz=200 + 30 * k), clips / f"p{k}.wav")
    shutil.copy(clips / "p1.wav", clips / "p1_take2.wav")
    write_wav(tone(0.5, pitch_hz=999), clips / "elsewhere.wav")
    (clips / "p4.wav").write_bytes(b"no audio")
    write_wav(tone(0.6, level=1.4), clips / "p3.wav")
    systems = f"systems=[{speaking_voice}, {speaking_voice}, {{name: theirs, clips: theirs}}, {{name: absent, voice: kokoro/af_heart}}]"
    folder = folder_of(tmp_path, run(tmp_path, systems, "texts=prompts.tsv", "text_limit=0", "takes=2", "missing_engines=skip", *QUICK, "side_by_side=6"))
    metrics = json.loads((folder / "metrics.json").read_text())
    told = " ".join(metrics["basis"])
    assert f"{speaking_voice} was given twice and is compared once." in told and "absent: kokoro/af_heart left out" in told
    assert f"{speaking_voice} gave the same audio again for 6 takes of a prompt: each audio is counted once." in told
    assert "theirs gave the same audio again for 1 take of a prompt" in told
    assert "1 clip of theirs says none of the prompts, for instance elsewhere.wav: left out." in told
    assert "theirs failed on 1 clip" in told and "theirs lacks 2 prompts that another system has: p4, p5." in told
    assert "All systems are compared on the 4 of 6 prompts that every one of them has." in told
    page = (folder / "report.html").read_text()
    assert "no clip of this prompt" in page
    assert "theirs: 25% of its clips peak above full scale, up to 1.40" in page
    assert {row["n"] for row in (system["estimates"]["wer"] for system in metrics["systems"])} == {4}


def test_what_cannot_be_compared_stops_the_run_before_it_starts(tmp_path):
    for wrong, told in (("systems=[flit/slt]", "did you mean flite/"), ("baseline=nobody", "unknown baseline"), ("texts=evaluatoin", "did you mean evaluation")):
        done = run(tmp_path, wrong, *QUICK, check=False)
        assert done.returncode == 1 and told in done.stderr
    assert not list(tmp_path.glob("outputs/model_comparison/*/metrics.json"))


def test_the_profiles_name_what_exists(project):
    import yaml

    from workbench import engines
    from workbench.scan.model_comparison import ModelComparisonConfig
    from workbench.text.prompts import prompt_sets

    for path in (project / "params" / "model_comparison").glob("*.yaml"):
        config = ModelComparisonConfig.of(yaml.safe_load(path.read_text()))
        assert config.texts in prompt_sets(), path
        for kind, name in [("stt", config.fast), ("stt", config.precision), *(("judge", j) for j in config.judges), *(("tts", s.engine) for s in config.systems)]:
            assert engines.device_of(name, kind, config.device) in ("cuda", "cpu")
