"""The project's own promises: pins agree, the README's example works, start-up stays light, notebooks are clean."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import yaml

from workbench import engines
from workbench.audio import Audio


def test_conda_users_get_the_same_pins(project):
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    wanted = set(declared["dependencies"]) | {pin for extra in ("test", "production", "scale") for pin in declared["optional-dependencies"][extra]}
    listed = yaml.safe_load((project / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    assert set(pip) - {"--editable ."} == wanted
    assert "torch==2.13.0" in wanted and "python=3.11" in listed


def test_constraints_agree_with_direct_pins(project):
    constraints = dict(line.split("==") for line in (project / "constraints.txt").read_text().splitlines() if "==" in line)
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    for pin in [*declared["dependencies"], *declared["optional-dependencies"]["test"], *declared["optional-dependencies"]["production"], *declared["optional-dependencies"]["scale"]]:
        name, version = pin.split("==")
        assert constraints[re.sub(r"\[.*\]", "", name).lower()] == version


def test_the_readme_example_is_an_engine(project, tmp_path):
    code = re.search(r"```python\n(.*?)```", (project / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "my_engines.py").write_text(code)
    script = (
        "import numpy as np; from workbench import engines; from workbench.audio import Audio; "
        "judge = engines.create('crest', 'judge'); judge.load(); "
        "print(judge.score([Audio(np.array([1.0, -1.0, 0.0, 0.0], dtype=np.float32), 4)])[0].values)"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{project}", "WORKBENCH_ENGINE_MODULES": "my_engines"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert abs(json.loads(done.stdout.replace("'", '"'))["crest_db"] - 3.0103) < 1e-3
    assert 15 <= len(code.strip().splitlines()) <= 30


def test_an_installed_package_joins_by_entry_point(project, tmp_path):
    (tmp_path / "their_engines.py").write_text(
        "from workbench.engines import EngineInfo\nINFO = EngineInfo('theirs', 'tts', 'their_engines:Theirs', 'theirs', 'MIT', 'MIT')\n"
    )
    described = tmp_path / "theirs-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[workbench.engines]\ntheirs = their_engines:INFO\n")
    done = subprocess.run([sys.executable, "-m", "workbench.cli", "engines"], capture_output=True, text=True, env={"PYTHONPATH": f"{tmp_path}:{project}"}, check=True)
    assert "theirs" in done.stdout and "flite" in done.stdout


def test_importing_the_package_imports_no_model_library(project):
    heavy = ("torch", "nemo", "transformers", "onnxruntime", "pocketsphinx", "pandas", "matplotlib", "sqlalchemy", "panphon", "papermill")
    rooms = "workbench workbench.cli workbench.engines workbench.text workbench.clips workbench.audio workbench.verdicts workbench.config"
    script = f"import sys, importlib; [importlib.import_module(m) for m in '{rooms}'.split()]; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=project, check=True)
    assert done.stdout.strip() == "[]"


def test_a_room_imports_only_from_floors_below(project):
    floors = [
        ("errors", "config", "settings", "offline", "third_parties", "whole_files", "audio", "clips", "text"),
        ("engines", "tts", "stt", "judges", "phones", "weights", "batching", "guard", "isolated", "store"),
        ("verdicts", "stats", "homographs"),
        ("scan",),
        ("datasets", "listening"),
        ("report", "doctor"),
        ("cli", "cli_db", "cli_homographs"),
    ]
    floor_of = {room: floor for floor, rooms in enumerate(floors) for room in rooms}
    # The store's verdict columns are named after the verdicts' list, which is data.
    allowed = {("store", "verdicts.base")}
    wrong = []
    for path in (project / "workbench").rglob("*.py"):
        room = path.relative_to(project / "workbench").parts[0].removesuffix(".py")
        for target in re.findall(r"^\s*(?:from|import) workbench\.([\w.]+)", path.read_text(), re.MULTILINE):
            other = target.split(".")[0]
            if room != "__init__" and floor_of[other] > floor_of[room] and (room, target) not in allowed:
                wrong.append(f"{path.relative_to(project)} imports {target}")
    assert wrong == []


def test_notebooks_are_committed_clean_and_take_their_configuration(project):
    for path in (project / "notebooks").glob("*.ipynb"):
        book = json.loads(path.read_text())
        code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
        assert sum("parameters" in cell["metadata"].get("tags", []) for cell in code) == 1
        assert ":" in book["metadata"]["workbench"]["config"]


def test_every_engine_states_its_licences():
    for info in engines.known():
        assert info.licence_code and info.licence_weights and info.summary, info.name
        assert not info.programs or info.install, info.name


def test_the_registry_names_the_nearest_engine():
    import pytest

    from workbench.errors import UnknownNameError

    with pytest.raises(UnknownNameError, match="did you mean flite"):
        engines.create("flight", "tts")


def test_audio_is_a_value_that_knows_its_length():
    import numpy as np

    assert Audio(np.zeros(8000, dtype=np.float32), 16000).duration_sec == 0.5
