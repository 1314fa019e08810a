"""The notebooks with the engines of their gpu profiles, each with tiny weights in its library's own format."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.runs_for_tests import folder_of, run_phase
from tests.tiny_models import judges, parakeet, qwen3_asr
from tests.tiny_models.kokoro import build_tiny_kokoro
from workbench import engines
from workbench.scan.validation import ValidationConfig


def profile_of(project: Path, phase: str) -> dict:
    return yaml.safe_load((project / "params" / phase / "gpu.yaml").read_text())


@pytest.fixture(scope="module")
def profile(request) -> dict:
    return profile_of(Path(request.config.rootpath), "validation")


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory) -> dict[str, dict]:
    """Options of the engines. The judge ``utmosv2`` lives in an environment of gigabytes and has tests of its own."""
    weights = tmp_path_factory.mktemp("weights")
    judges.save_scoreq(weights / "scoreq" / "adapt_nr_synthetic.onnx")
    return {
        "kokoro": {"weights": str(build_tiny_kokoro(weights / "kokoro"))},
        "parakeet": {"weights": str(parakeet.build_tiny_parakeet(weights / "parakeet"))},
        "qwen3-asr": {
            "weights": str(qwen3_asr.build_tiny_qwen3_asr(weights / "qwen")),
            "aligner": str(qwen3_asr.build_tiny_forced_aligner(weights / "aligner")),
        },
        "scoreq": {"scores": "synthetic", "weights": str(weights / "scoreq" / "adapt_nr_synthetic.onnx")},
        "nisqa": {
            "weights": str(judges.save_nisqa(weights / "nisqa.tar")),
            "tts_weights": str(judges.save_nisqa_tts(weights / "nisqa_tts.tar")),
        },
    }


def run(phase: str, profile: dict, work: Path, **changed) -> Path:
    """The folder of a run of the profile on the CPU."""
    without_utmos = [name for name in profile["judges"] if name != "utmosv2"]
    chosen = {**profile, "device": "cpu", "batch_clips": 2, "judges": without_utmos, "missing_engines": "skip", **changed}
    (work / "tiny.yaml").write_text(yaml.safe_dump(chosen))
    return folder_of(work, run_phase(phase, work, "-p", "tiny.yaml"))


@pytest.fixture(scope="module")
def ran(profile, tiny_weights, tmp_path_factory) -> Path:
    return run(
        "validation", profile, tmp_path_factory.mktemp("gpu"), engine_options=tiny_weights, text_limit=1, voices=["kokoro/af_heart", "flite/slt"],
        planted_texts=2, planted_test_voices=["flite/slt"],
    )  # fmt: skip


def test_the_profile_names_engines_that_exist_and_can_run_where_it_says(profile):
    config = ValidationConfig.of(profile)
    heard = [("stt", config.fast), ("stt", config.precision), *(("judge", name) for name in config.judges)]
    spoken = [("tts", voice.partition("/")[0]) for voice in config.voices]
    for kind, name in [*heard, *spoken]:
        assert engines.device_of(name, kind, config.device) in ("cuda", "cpu")
    assert engines.device_of("parakeet", "stt", "cuda:1") == "cuda:1" and engines.device_of("dnsmos", "judge", "cuda") == "cpu"


def test_every_production_engine_writes_its_columns(ran):
    rows = pq.read_table(ran / "results.parquet").to_pylist()
    metrics = json.loads((ran / "metrics.json").read_text())
    assert rows and metrics["failed"] == 0, metrics
    for row in rows:
        assert row["fast_text"] is not None and row["precision_text"] is not None
        assert {"scoreq_synthetic", "nisqa_mos", "nisqa_tts", "dnsmos_ovrl", "rms_db"} <= set(dict(row["scores"]))


def test_provenance_names_each_engines_weights_and_licence(ran):
    told = {row["engine"]: row for row in json.loads((ran / "provenance.json").read_text())["engines"]}
    assert {"kokoro", "parakeet", "qwen3-asr", "scoreq", "nisqa", "dnsmos", "signal"} <= set(told)
    assert told["nisqa"]["commercial use"] in (False, "no") and "NC" in told["nisqa"]["licence of weights"]


def test_the_report_is_whole(ran):
    page = (ran / "report.html").read_text()
    assert "Traceback" not in page and "parakeet" in page and "qwen3-asr" in page


def test_models_are_compared_with_the_engines_of_their_profile(project, tiny_weights, tmp_path):
    profile = profile_of(project, "model_comparison")
    folder = run(
        "model_comparison", profile, tmp_path, engine_options=tiny_weights, systems=["kokoro/af_heart", "flite/slt"], baseline="flite/slt", text_limit=2, resamples=1000,
    )  # fmt: skip
    page, metrics = (folder / "report.html").read_text(), json.loads((folder / "metrics.json").read_text())
    assert "Traceback" not in page and "kokoro/af_heart" in page and "nisqa" in page and metrics["headline"]


def test_datasets_are_compared_with_the_engines_of_their_profile(project, tiny_weights, tmp_path):
    profile = profile_of(project, "dataset_comparison")
    spoken = {"theirs": {"texts": "everyday", "voices": ["kokoro/af_heart"], "text_limit": 2}, "ours": {"texts": "everyday", "voices": ["flite/slt"], "text_limit": 2}}
    folder = run("dataset_comparison", profile, tmp_path, engine_options=tiny_weights, datasets=spoken, worst_clips=1, sample_clips=1)
    page, metrics = (folder / "report.html").read_text(), json.loads((folder / "metrics.json").read_text())
    assert "Traceback" not in page and "full band" in page and metrics["headline"]
