"""What the tests of weights share: a user's machine with a cache, sets of a third party, and the command line."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers_for_tests import FileServer, serving

MODEL = hashlib.sha512(b"seed").digest() * 40_000  # 2.56 MB
TOKEN = "hf_aTokenThatNobodyMaySee"
SETS = """
from workbench.weights import WeightFile, Weights
ENGINES = ()
HUB_FILES, WEB_FILES = (WeightFile("*.json"), WeightFile("model.bin")), (WeightFile("a.onnx"), WeightFile("b/c.onnx"))
WEIGHTS = [
    Weights("tiny-hub", ("counting",), "hf:someone/tiny", "main", HUB_FILES, 2_560_002, "Apache-2.0", True),
    Weights("tiny-web", ("signal", "dnsmos"), "URL/folder", "7", WEB_FILES, 2_560_002, "CC-BY-NC-4.0", False),
    Weights("tiny-sum", ("counting",), "URL/folder", "7", (WeightFile("a.onnx", None, "SHA"),), 2_560_000, "MIT", True),
    Weights("huge", ("counting",), "URL/folder", "7", (WeightFile("a.onnx", 10**18),), 10**18, "MIT", True),
    Weights("plain", ("counting",), "http://weights.example/folder", "7", (WeightFile("a.onnx"),), 1, "MIT", True),
]
"""


@contextmanager
def publisher() -> Iterator[FileServer]:
    """A server with a folder of weights and a hub repository of one commit."""
    held = FileServer(files={"a.onnx": MODEL, "b/c.onnx": b"22"}, large={"model.bin"})
    held.commit(1, {"config.json": b"{}", "model.bin": MODEL, "sub/more.json": b"[]", "README.md": b"read me"})
    with serving(held):
        yield held


class Place:
    """A user's machine: a cache of weights, a module that names sets, and the command line."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.folder, self.cache, self.server = folder, folder / "cache", server
        self.write_sets()

    def write_sets(self, **replaced: str) -> None:
        text = SETS.replace("URL", self.server.url).replace("SHA", hashlib.sha256(MODEL).hexdigest())
        for old, new in replaced.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        (self.folder / "their_sets.py").write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        project = str(Path(__file__).resolve().parents[1])
        own = {"WORKBENCH_ENGINE_MODULES": "their_sets", "WORKBENCH_WEIGHTS": str(self.cache)}
        python = {"PYTHONPATH": f"{project}:{self.folder}", "PYTHONDONTWRITEBYTECODE": "1"}
        hub = {"HF_ENDPOINT": self.server.url, "HF_HOME": str(self.folder / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
        left_out = ("WORKBENCH_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "COLUMNS")
        return {name: value for name, value in os.environ.items() if name not in left_out} | own | python | hub | more

    def start(self, *arguments: str, most_bytes: int = 0, **more: str) -> subprocess.Popen:
        """``workbench weights ...`` as a process that may write files of that size at most."""
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))) if most_bytes else None
        command = [sys.executable, "-m", "workbench.cli", "weights", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment(**more), stdout=pipe, stderr=pipe, text=True, preexec_fn=limit)

    def weights(self, *arguments: str, most_bytes: int = 0, **more: str) -> subprocess.CompletedProcess:
        with self.start(*arguments, most_bytes=most_bytes, **more) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def python(self, code: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", code], env=self.environment(**more), capture_output=True, text=True, check=False)

    def lock(self, name: str) -> dict:
        return json.loads((self.cache / name / "weights.lock.json").read_text())


def wait_until(condition, most_sec: float = 30.0) -> None:
    until = time.monotonic() + most_sec
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)
