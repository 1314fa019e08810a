"""Commercial use: what a licence forbids is refused by name before any work, and every row of the provenance says its licence."""

from __future__ import annotations

import pytest

from workbench import engines
from workbench.errors import ConfigError
from workbench.scan.plan import ScanConfig, plan_stages
from workbench.scan.validation import ValidationConfig, validate

THEIRS = '''
from workbench.engines import EngineInfo
from workbench.weights import WeightFile, Weights, identity_of

class Judge:
    columns, primary = (), None
    def __init__(self, *, kind="free", weights=None):
        self.kind, self.weights = kind, weights
    def identity(self):
        return {"settings": [1, {"first": identity_of("MODULE-" + self.kind, local=self.weights)}]}

class Silent(Judge):
    def identity(self):
        return {}

class Voice:
    def voices(self):
        return ("one",)
    def identity(self):
        return {}

ENGINES = [
    EngineInfo("research", "judge", f"{__name__}:Silent", "for research", "MIT", "CC-BY-NC-4.0", weights="in the package", commercial=False),
    EngineInfo("either", "judge", f"{__name__}:Judge", "two sets", "MIT", "several"),
    EngineInfo("silent", "judge", f"{__name__}:Silent", "does not say which", "MIT", "several"),
    EngineInfo("not-here", "judge", "nowhere:Nothing", "cannot be had", "MIT", "x", install="pip install nowhere", programs=(("python:nowhere",),)),
    EngineInfo("f5", "tts", f"{__name__}:Voice", "a voice", "MIT", "CC-BY-NC-4.0", commercial=False),
]
WEIGHTS = [
    Weights("MODULE-free", ("either",), "hf:a/free", "main", (WeightFile("x.bin"),), 1, "Apache-2.0", True),
    Weights("MODULE-nc", ("either", "silent", "not-here"), "hf:a/nc", "v2", (WeightFile("x.bin"),), 1, "CC-BY-NC-SA-4.0", False),
]
'''


@pytest.fixture
def theirs(tmp_path, monkeypatch, request) -> str:
    """A third party's module, its name new in each test since modules are read once per process."""
    name = f"their_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(THEIRS.replace("MODULE", name))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", name)
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "cache"))
    return name


def scan(*judges: str, commercial: bool = True, **options) -> ScanConfig:
    return ScanConfig(judges=judges, engine_options=options, commercial=commercial)


def test_an_engine_for_research_only_is_refused_with_its_licence_and_what_to_use_instead(theirs):
    with pytest.raises(ConfigError) as refused:
        plan_stages(scan("signal", "research"))
    told = str(refused.value)
    assert "judge engine 'research'" in told and "in the package" in told and "CC-BY-NC-4.0" in told
    instead = told.split("use instead")[1]
    assert "dnsmos" in instead and "signal" in instead and not any(name in instead for name in ("research", "silent", "not-here", "either"))
    assert "'signal'" not in told
    assert [stage.engine for stage in plan_stages(scan("signal", "research", commercial=False))][-1] == "research"


def test_the_weights_that_the_options_choose_decide(theirs):
    assert plan_stages(scan("either"))[-1].engine == "either"
    with pytest.raises(ConfigError, match=f"'either' .weights {theirs}-nc, licence CC-BY-NC-SA-4.0"):
        plan_stages(scan("either", either={"kind": "nc"}))


def test_a_path_of_the_users_own_keeps_the_licence_of_the_set_it_stands_in_for(theirs, tmp_path):
    own = tmp_path / "own.bin"
    own.write_bytes(b"own")
    with pytest.raises(ConfigError, match="own files; licence of the set"):
        plan_stages(scan("either", either={"kind": "nc", "weights": str(own)}))
    (row,) = engines.licences([("judge", "either")], {"either": {"kind": "free", "weights": str(own)}})
    assert row["licence of weights"] == "Apache-2.0" and row["revision of weights"].startswith("local, sha256 ") and row["commercial use"] == "yes"
    assert "own files" in row["weights"]


def test_all_faults_are_told_at_once_also_of_engines_that_do_not_say_or_are_not_installed(theirs):
    with pytest.raises(ConfigError) as refused:
        plan_stages(scan("research", "silent", "not-here", "dnsmos"))
    told = str(refused.value).split("to mend")[0]
    assert all(f"'{name}'" in told for name in ("research", "silent", "not-here")) and "dnsmos" not in told


def test_voices_are_refused_too_before_anything_is_written(theirs, tmp_path):
    common = {"database": str(tmp_path / "x.sqlite"), "speech_folder": str(tmp_path / "speech"), "commercial": True}
    spoken = ValidationConfig(voices=("f5/one",), judges=("research",), **common)
    planted = ValidationConfig(manifest="clips", planted_texts=2, planted_test_voices=("f5/one",), judges=(), **common)
    for config in (spoken, planted):
        with pytest.raises(ConfigError, match="tts engine 'f5'.*CC-BY-NC-4.0.*tts: .*flite"):
            validate(config)
    assert not (tmp_path / "x.sqlite").exists() and not (tmp_path / "speech").exists()


def test_the_provenance_says_weights_revision_licence_and_commercial_use(theirs):
    options = {"either": {"kind": "nc"}}
    rows = engines.licences([("judge", "either"), ("judge", "research"), ("judge", "not-here"), ("stt", "pocketsphinx")], options)
    told = [(row["weights"], row["revision of weights"], row["licence of weights"], row["commercial use"]) for row in rows]
    assert told[0] == (f"{theirs}-nc", "v2", "CC-BY-NC-SA-4.0", "no")
    assert told[1] == ("in the package", "as installed", "CC-BY-NC-4.0", "no")
    assert told[2] == (f"{theirs}-nc", "v2", "CC-BY-NC-SA-4.0", "no")
    assert told[3][1:] == ("as installed", "BSD-style (CMU)", "yes")
    assert len({tuple(row) for row in rows}) == 1
