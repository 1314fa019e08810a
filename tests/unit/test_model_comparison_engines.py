"""The whole comparison in this process: checkpoints of one engine, takes that differ, likeness to a speaker, and licences, with tiny weights in their real formats."""

from __future__ import annotations

import pytest

from tests.tiny_models.judges import save_nisqa, save_nisqa_tts, save_wavlm
from tests.tiny_models.kokoro import build_tiny_kokoro
from workbench.errors import ConfigError
from workbench.scan.comparison_metrics import Objective
from workbench.scan.model_comparison import ModelComparison, ModelComparisonConfig, compare_models
from workbench.scan.speak import TextToSpeak, Voice, speak

TEXTS = "prompt_id\tcategory\ttext\n" + "".join(f"p{k}\tplain\tThe {word} boat left the harbour at dawn.\n" for k, word in enumerate(("red", "blue", "green")))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Two checkpoints, judges' weights, a speaker's recording and prompts."""
    work = tmp_path_factory.mktemp("engines")
    for number, name in enumerate(("7k", "21k")):
        build_tiny_kokoro(work / name, seed=number)
    save_wavlm(work / "wavlm")
    save_nisqa(work / "nisqa.tar")
    save_nisqa_tts(work / "nisqa_tts.tar")
    (work / "prompts.tsv").write_text(TEXTS)
    speak([TextToSpeak("target", "This is how I sound.")], [Voice("espeak", "en-us")], folder=work / "target", dataset="t", say=lambda line: None)
    return work


def config(work, **given) -> ModelComparisonConfig:
    reference = str(next((work / "target").rglob("*.wav")))
    systems = [{"name": name, "voice": "kokoro/af_heart", "options": {"weights": str(work / name)}, "reference": reference} for name in ("7k", "21k")]
    options = {"speaker_similarity": {"weights": str(work / "wavlm")}, "nisqa": {"weights": str(work / "nisqa.tar"), "tts_weights": str(work / "nisqa_tts.tar")}}
    told = {
        "systems": systems, "texts": str(work / "prompts.tsv"), "takes": 2, "fast": "counting", "precision": None, "judges": ["signal", "flat_tops", "nisqa"],
        "engine_options": options, "workers": 1, "batch_timeout_sec": None, "resamples": 1000, "database": str(work / "db.sqlite"), "speech_folder": str(work / "speech"),
    }  # fmt: skip
    return ModelComparisonConfig.of({**told, **given})


@pytest.fixture(scope="module")
def found(work) -> ModelComparison:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
        return compare_models(config(work), say=lambda line: None)


def test_checkpoints_of_one_engine_and_voice_are_two_systems(found):
    assert found.compared.systems == ("7k", "21k") and found.compared.counted.same_audio == ()
    assert all(entry.clip.fault is None for entry in found.gathered.entries) and len(found.gathered.entries) == 12


def test_takes_of_an_engine_that_draws_at_random_differ_and_all_count(found):
    assert found.compared.counted.repeats == {} and len(found.compared.counted.of("7k")) == 6
    assert found.compared.comparison.estimates["7k", "wer"].n == 3


def test_a_reference_brings_speaker_similarity_in_as_an_objective(found):
    assert found.compared.objectives[Objective.SIMILARITY].name == "similarity"
    for system in found.compared.systems:
        assert -1 <= found.compared.comparison.estimates[system, "similarity"].value <= 1
    assert "speaker_similarity" not in found.compared.composite_of


def test_the_same_again_computes_nothing(found, work, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    again = compare_models(config(work), say=lambda line: None)
    assert again.summary.computed == 0 and again.dataset_hash == found.dataset_hash and again.compared.comparison == found.compared.comparison


def test_commercial_use_is_refused_by_name_before_anything_is_spoken(work, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    with pytest.raises(ConfigError, match="nisqa"):
        compare_models(config(work, commercial=True, speech_folder=str(tmp_path / "speech")), say=lambda line: None)
    assert not (tmp_path / "speech").exists()
