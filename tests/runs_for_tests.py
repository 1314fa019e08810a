"""Notebooks run as users run them: ``workbench run PHASE`` from a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT


def run_phase(phase: str, work: Path, *arguments: str, check: bool = True, engines_of_tests: bool = False) -> subprocess.CompletedProcess:
    """``workbench run PHASE ...`` in ``work``; with ``check`` a run that fails fails the test, with all that it said."""
    environment = dict(os.environ)
    if engines_of_tests:
        environment |= {"WORKBENCH_ENGINE_MODULES": "tests.engines_for_tests", "PYTHONPATH": f"{PROJECT}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "workbench.cli", "run", phase, *arguments]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=900, check=False, env=environment)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def folder_of(work: Path, done: subprocess.CompletedProcess) -> Path:
    """The folder of a run, whose report's path is the last line."""
    return Path(work, done.stdout.splitlines()[-1]).parent
