"""``workbench engines install NAME``: build the environment that an engine runs in."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from workbench import engines
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, unknown_name
from workbench.isolated.child import wire
from workbench.isolated.spec import EnvironmentSpec, environments_folder, known
from workbench.offline import is_offline

#: Settings of pip that would put packages elsewhere, or hold them to the pins of our own environment.
_NOT_FOR_PIP = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_CONSTRAINT",
    "PIP_REQUIREMENT",
    "PIP_PYTHON",
    "PIP_REQUIRE_VIRTUALENV",
    "VIRTUAL_ENV",
)
PIP_TIMEOUT_SEC = 4 * 3600.0


def install(name: str, *, say: Callable[[str], None] = lambda line: None) -> Path:
    """Build the environment of an engine, or of that name; one that is there already is left as it is.

    It is built under another name and renamed when its child's module and the declared modules import, so that a folder of the right name
    is always whole. Two calls at once build once.

    Returns:
        The environment's folder.

    Raises:
        UnknownNameError: neither an engine nor an environment.
        ConfigError: the engine runs in our environment.
        EngineUnavailableError: offline, and it is not there yet.
        EngineError: pip or the check failed, with the last lines said.
    """
    spec = spec_of(name)
    if spec.is_installed():
        say(f"{spec.name} is installed in {spec.folder()}")
        return spec.folder()
    if is_offline():
        mend = f"unset WORKBENCH_OFFLINE, then: workbench engines install {name}"
        raise EngineUnavailableError(
            f"environment {spec.name!r} is not installed, and WORKBENCH_OFFLINE forbids the network", where=spec.folder(), mend=mend
        )
    root = environments_folder()
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{spec.folder().name}.lock"):
        if not spec.is_installed():
            _build(spec, say)
    say(f"{spec.name} is installed in {spec.folder()}")
    return spec.folder()


def spec_of(name: str) -> EnvironmentSpec:
    """The environment behind an engine's name, or of that name."""
    specs = {spec.name: spec for spec in known()}
    named = [info for info in engines.known() if info.name == name]
    wanted = next((info.environment for info in named if info.environment), name)
    if wanted in specs:
        return specs[wanted]
    if named:
        mend = named[0].install or None
        raise ConfigError(
            f"{named[0].kind} engine {name!r} runs in the workbench's own environment", expected=f"one of {', '.join(specs)}", mend=mend
        )
    raise unknown_name("engine with an environment of its own", name, {*specs, *(i.name for i in engines.known() if i.environment)})


def _build(spec: EnvironmentSpec, say: Callable[[str], None]) -> None:
    for left_over in environments_folder().glob(f".{spec.folder().name}.building-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    building = environments_folder() / f".{spec.folder().name}.building-{uuid.uuid4().hex[:8]}"
    try:
        say(f"making {spec.name} with {len(spec.requirements)} requirements")
        interpreter = _venv(spec, building)
        requirements = building / "requirements.txt"
        requirements.write_text("".join(f"{line}\n" for line in spec.requirements))
        if spec.requirements:
            _run(
                spec,
                [*_pip(interpreter), "install", "--disable-pip-version-check", "--no-input", "--requirement", str(requirements)],
                what="pip install",
            )
        say("looking whether it imports")
        _check(spec, interpreter)
        # Python finds a moved environment by its own place; only the console scripts, which nobody calls, name the old one.
        if spec.folder().exists():
            # One whose base interpreter went away: not installed, yet in the way.
            shutil.rmtree(spec.folder())
        building.rename(spec.folder())
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _venv(spec: EnvironmentSpec, folder: Path) -> Path:
    python = shutil.which(spec.python) if spec.python else sys.executable
    if python is None:
        raise EngineUnavailableError(
            f"environment {spec.name!r} needs {spec.python}, which is not installed",
            mend=f"apt-get install {spec.python} {spec.python}-venv",
        )
    # Our own pip serves the other environment too; its own would cost some seconds and megabytes.
    bare = ["--without-pip"] if importlib.util.find_spec("pip") else []
    _run(spec, [python, "-m", "venv", *bare, str(folder)], what="python -m venv", mend="apt-get install python3-venv")
    return folder / "bin" / "python"


def _pip(interpreter: Path) -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(interpreter)]
    return [str(interpreter), "-m", "pip"]


def _check(spec: EnvironmentSpec, interpreter: Path) -> None:
    from workbench.isolated.process import child_environment

    modules = ["numpy", *spec.imports, spec.child.partition(":")[0]]
    folders = [str(Path(wire.__file__).parent), *map(str, spec.paths)]
    script = (
        "import sys, importlib; sys.path += sys.argv[2].split('\\n'); [importlib.import_module(name) for name in sys.argv[1].split(',')]"
    )
    command = [str(interpreter), "-I", "-c", script, ",".join(dict.fromkeys(modules)), "\n".join(folders)]
    _run(
        spec,
        command,
        what="importing " + ", ".join(dict.fromkeys(modules)),
        variables=child_environment(threads=1, variables=spec.variables),
    )


def _run(
    spec: EnvironmentSpec, command: Sequence[str], *, what: str, mend: str | None = None, variables: dict[str, str] | None = None
) -> None:
    if variables is None:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name not in _NOT_FOR_PIP}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=variables,
            timeout=PIP_TIMEOUT_SEC,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{what} failed for environment {spec.name!r}: {error}", mend=mend) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-4:]
        raise EngineError(f"{what} failed for environment {spec.name!r}", got=" | ".join(said), mend=mend)
