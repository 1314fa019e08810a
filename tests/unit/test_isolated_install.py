"""The environment of its own is a real one: made by the verb, with packages that could not live beside ours, and used in a scan."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import PROJECT, tone
from workbench import engines
from workbench.audio import Audio
from workbench.clips import open_manifest
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, UnknownNameError
from workbench.isolated import EnvironmentSpec, spec
from workbench.isolated.install import install, spec_of
from workbench.judges.utmosv2 import Utmosv2Judge
from workbench.scan.plan import ScanConfig
from workbench.scan.scanning import scan
from workbench.store import Store

PIN = "numpy==1.26.4"


@pytest.fixture(scope="session")
def documented(tmp_path_factory) -> Path:
    """The two files of ``docs/isolated_engines.md``, as a third party would write them down."""
    folder = tmp_path_factory.mktemp("third-party")
    written = re.findall(r"```python\n# (\S+)\n(.*?)```", (PROJECT / "docs" / "isolated_engines.md").read_text(), re.DOTALL)
    assert [name for name, _ in written] == ["my_engines.py", "children/crest_child.py"]
    (folder / "children").mkdir()
    for name, code in written:
        (folder / name).write_text(code)
    return folder


@pytest.fixture
def joined(documented, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests,my_engines")
    monkeypatch.setenv("WORKBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.syspath_prepend(str(documented))
    return documented


@pytest.fixture(scope="session")
def registry(tmp_path_factory) -> None:
    """Skips where pip itself, without any code of ours, cannot get the package."""
    folder = tmp_path_factory.mktemp("download")
    tried = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), PIN],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if tried.returncode:
        pytest.skip(
            f"no package registry gives {PIN} here: {tried.stderr.strip().splitlines()[-1] if tried.stderr.strip() else 'pip failed'}"
        )


@pytest.fixture(scope="session")
def built(registry, documented, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """The documented environment, built by the command line: twice at once, so that both must agree."""
    root = tmp_path_factory.mktemp("environments")
    variables = os.environ | {
        "PYTHONPATH": f"{PROJECT}:{documented}",
        "WORKBENCH_ENGINE_MODULES": "my_engines",
        "WORKBENCH_ENVIRONMENTS": str(root),
    }
    command = [sys.executable, "-m", "workbench.cli", "engines", "install"]
    both = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
        for name in ("old-crest", "old-numpy")
    ]
    said = [(*process.communicate(timeout=600), process.returncode) for process in both]
    assert [code for _, _, code in said] == [0, 0], said
    assert said[0][0] == said[1][0] and sum("making old-numpy" in told for _, told, _ in said) == 1
    return Path(said[0][0].strip()), root


@pytest.fixture
def installed(built, joined, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ENVIRONMENTS", str(built[1]))
    return built[0]


def test_the_environment_holds_what_ours_cannot(installed):
    said = subprocess.run(
        [str(installed / "bin" / "python"), "-c", "import numpy; print(numpy.__version__)"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "1.26.4" != np.__version__
    assert subprocess.run([str(installed / "bin" / "python"), "-c", "import pydantic"], capture_output=True, check=False).returncode == 1
    assert not [path.name for path in installed.parent.iterdir() if "building" in path.name]


def test_an_installed_environment_is_left_as_it_is(installed):
    before = (installed / "pyvenv.cfg").stat().st_mtime_ns
    assert install("old-crest") == installed and (installed / "pyvenv.cfg").stat().st_mtime_ns == before


def test_the_documented_engine_judges_over_there(installed):
    judge = engines.create("old-crest", "judge")
    judge.load()
    try:
        samples = (0.5 * np.sin(np.arange(16000) / 10)).astype(np.float32)
        scored = judge.score([Audio(samples, 16000), Audio(np.repeat(samples, 3), 48000), Audio(np.zeros(0, np.float32), 16000)])
        assert abs(scored[0].values["crest_db"] - 3.0103) < 0.01 and abs(scored[1].values["crest_db"] - 3.0103) < 0.2
        assert scored[2].failure.type == "ValueError" and "no crest" in scored[2].failure.message
    finally:
        judge.close()


def test_a_scan_uses_the_other_environment_from_end_to_end(installed, clip_folder, tmp_path):
    config = ScanConfig(fast="counting", precision=None, judges=("old-crest",), workers=1, batch_clips=2)
    with Store.open(tmp_path / "db.sqlite") as store:
        summary = scan(open_manifest(clip_folder), config, store, scan_id="s", say=lambda line: None)
        judged = summary.stages[-1]
        members = [member for some in store.members("s") for member in some]
        rows = store.read((member.key for member in members), stages=[judged.name])
        found = [rows[member.key].stage(judged.name, judged.fingerprint) for member in members]
    assert (summary.clips, summary.failed, summary.computed) == (3, 0, 3)
    # A tone's crest factor is 3.01 dB, whatever its level and pitch.
    assert [result.error for result in found] == [None] * 3
    assert all(abs(result.values["crest_db"] - 3.01) < 0.02 for result in found)


def test_other_options_requirements_or_children_are_other_engines(installed, documented):
    judge = engines.create("old-crest", "judge")
    assert judge.identity() != engines.create("old-crest", "judge", floor=0.1).identity()
    child = documented / "children" / "crest_child.py"
    before, text = judge.identity(), child.read_text()
    try:
        child.write_text(text + "\n# changed\n")
        assert judge.identity() != before
    finally:
        child.write_text(text)
    assert EnvironmentSpec("a", ("numpy==1.26.4",), "m:C").fingerprint() != EnvironmentSpec("a", ("numpy==1.26.3",), "m:C").fingerprint()


def test_doctor_and_the_list_name_the_command_while_it_is_missing(joined, tmp_path):
    variables = os.environ | {"PYTHONPATH": f"{PROJECT}:{joined}"}
    for verb, state in (("doctor", "extra"), ("engines", "missing")):
        said = subprocess.run(
            [sys.executable, "-m", "workbench.cli", verb], capture_output=True, text=True, env=variables, cwd=tmp_path, check=False
        ).stdout
        line = next(line for line in said.splitlines() if "old-crest" in line)
        assert state in line and "workbench engines install old-crest" in line


def test_offline_refuses_before_anything_is_tried(joined, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")
    with pytest.raises(EngineUnavailableError, match="WORKBENCH_OFFLINE.*engines install old-crest"):
        install("old-crest")
    assert not (tmp_path / "environments").exists()


def test_names_that_cannot_be_installed_say_why(joined):
    with pytest.raises(UnknownNameError, match="did you mean old-crest"):
        install("old-crst")
    with pytest.raises(ConfigError, match="'signal' runs in the workbench's own environment"):
        install("signal")
    assert spec_of("old-crest") == spec_of("old-numpy")


def declare(joined, monkeypatch, name, requirements):
    (joined / f"{name}.py").write_text(
        "from workbench.isolated import EnvironmentSpec\n"
        f"ENVIRONMENTS = [EnvironmentSpec({name!r}, {requirements!r}, 'crest_child:Crest', ({str(joined / 'children')!r},))]\n"
    )
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", name)


def test_a_build_that_fails_leaves_nothing_behind(joined, tmp_path, monkeypatch):
    declare(joined, monkeypatch, "no_such_file", ("/nowhere/package.whl",))
    with pytest.raises(EngineError, match="pip install failed.*nowhere"):
        install("no_such_file")
    declare(joined, monkeypatch, "without_numpy", ())
    with pytest.raises(EngineError, match="importing numpy.*No module named 'numpy'"):
        install("without_numpy")
    left = [path.name for path in (tmp_path / "environments").iterdir() if not path.name.endswith(".lock")]
    assert left == []


def test_a_build_that_was_killed_is_cleared_and_done_again(joined, registry):
    found = spec.environment("old-numpy")
    remains = found.folder().parent / f".{found.folder().name}.building-dead" / "bin"
    remains.mkdir(parents=True)
    (remains / "python").touch()
    assert not found.is_installed()
    assert install("old-numpy").exists() and not remains.exists()


def test_a_specification_is_checked_where_it_is_written():
    site_packages = next(path for path in sys.path if path.endswith("site-packages"))
    for wrong in (
        {"name": ""}, {"name": "a/b"}, {"name": ".a"}, {"requirements": "numpy"}, {"child": "module"}, {"child": "a:b:c"}, {"paths":
        (site_packages,)},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            EnvironmentSpec(**({"name": "a", "requirements": (), "child": "m:C"} | wrong))


def test_utmosv2_checks_its_options_and_says_what_is_missing(joined, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "weights"))
    for wrong in (
        {"fold": 5},
        {"fold": True},
        {"repetitions": 0},
        {"dataset": "mine"},
        {"dtype": "bfloat16"},
        {"seed": -1},
        {"loudness_lufs": 3},
        {"remove_silent_section": "no"},
        {"folds": 1},
    ):
        with pytest.raises(ConfigError, match="utmosv2"):
            Utmosv2Judge(**wrong)
    judge = Utmosv2Judge()
    assert judge.identity() != Utmosv2Judge(fold=1).identity() != Utmosv2Judge(fold=1, seed=2).identity()
    with pytest.raises(EngineUnavailableError, match="workbench engines install utmosv2"):
        judge.load()
    with pytest.raises(EngineUnavailableError, match="fold0_s42_best_model.pth.*workbench weights fetch utmosv2-fold0"):
        Utmosv2Judge(python=sys.executable).load()


def test_utmosv2_refuses_what_cannot_be_judged_and_lifts_what_its_package_would_take_for_silence():
    judge = Utmosv2Judge(remove_silent_section=True)
    assert Utmosv2Judge().prepare(tone(1.0, level=0.02))[1] == ()
    quiet, notes = judge.prepare(tone(1.0, level=0.02, rate_hz=48000))
    assert quiet.sample_rate_hz == 16000 and quiet.peak == pytest.approx(0.99) and "silence" in notes[0]
    loud, notes = judge.prepare(tone(1.0, level=0.5))
    assert loud.peak == pytest.approx(0.5, abs=0.01) and notes == ()
    refused = judge.score(
        [
            Audio(np.zeros(0, np.float32), 16000),
            tone(0.005),
            Audio(np.zeros(16000, np.float32), 16000),
            Audio(np.full(16000, np.nan, np.float32), 16000),
        ]
    )
    assert [one.failure.type for one in refused] == ["AudioError"] * 4
