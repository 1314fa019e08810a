"""What the tests share: real speech made on the spot, real stores, and engines small enough to see through."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tests.postgres_for_tests import PostgresMissing, PostgresServer
from workbench.audio import Audio, write_wav

PROJECT = Path(__file__).resolve().parent.parent


def tone(duration_sec: float = 0.5, *, rate_hz: int = 16000, level: float = 0.1, pitch_hz: float = 220.0) -> Audio:
    """A steady tone: audio of known content."""
    times = np.arange(round(duration_sec * rate_hz)) / rate_hz
    return Audio((level * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32), rate_hz)


@pytest.fixture
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def speaking_voice() -> str:
    """A voice that this machine can speak with."""
    return "flite/slt" if shutil.which("flite") else "espeak/en-us"


@pytest.fixture
def clip_folder(tmp_path: Path) -> Path:
    """Three tones with texts."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(3):
        write_wav(tone(0.5 + 0.1 * number, pitch_hz=200 + 50 * number), folder / f"clip{number}.wav")
        (folder / f"clip{number}.txt").write_text(f"this is clip number {number}\n")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the tests' own. A test that kills it starts it again."""
    try:
        server = PostgresServer()
    except PostgresMissing as error:
        pytest.skip(str(error))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory, worker_id) -> Path:
    """The folder of one run of the validation notebook with the smoke profile, shared by the tests that look at it."""
    return _smoke("validation", tmp_path_factory, worker_id)


@pytest.fixture(scope="session")
def comparison_smoke_run(tmp_path_factory, worker_id) -> Path:
    """The same of the model comparison."""
    return _smoke("model_comparison", tmp_path_factory, worker_id)


@pytest.fixture(scope="session")
def listening_smoke_run(tmp_path_factory, worker_id) -> Path:
    """The same of the listening test."""
    return _smoke("listening_test", tmp_path_factory, worker_id)


def _smoke(phase: str, tmp_path_factory, worker_id: str) -> Path:
    # Test processes that run side by side have folders of their own below a common one.
    shared = tmp_path_factory.mktemp(f"smoke-{phase}") if worker_id == "master" else tmp_path_factory.getbasetemp().parent / f"smoke-{phase}"
    shared.mkdir(exist_ok=True)
    with FileLock(shared.with_suffix(".lock")):
        if not (done := sorted(shared.glob(f"outputs/{phase}/*/metrics.json"))):
            command = [sys.executable, "-m", "workbench.cli", "run", phase, "--profile", "smoke"]
            ran = subprocess.run(command, cwd=shared, capture_output=True, text=True, timeout=900, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            done = [Path(shared, ran.stdout.splitlines()[-1]).parent / "metrics.json"]
    return done[0].parent
