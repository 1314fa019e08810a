"""A JupyterLab of the tests' own: its server in a folder of its own, without news, updates or a browser."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT

TOKEN = "tests"
PATIENCE_MS = 120_000


def notebook_with(phase: str, folder: Path, **parameters: object) -> Path:
    """A copy of a phase's notebook with other values in its parameters cell."""
    book = json.loads((PROJECT / "notebooks" / f"{phase}.ipynb").read_text())
    cell = next(cell for cell in book["cells"] if "parameters" in cell["metadata"].get("tags", []))
    source = "".join(cell["source"])
    for name, value in parameters.items():
        source, found = re.subn(rf"(?m)^({name}: \w+ = ).*?(  #)", lambda was, value=value: f"{was[1]}{value!r}{was[2]}", source)
        assert found == 1, name
    cell["source"] = source
    path = folder / f"{phase}.ipynb"
    path.write_text(json.dumps(book))
    return path


def run_all_cells(page: Any, address: str, notebook: str) -> None:
    """Open a notebook in a browser's page and run it, once its kernel is there."""
    page.goto(f"{address}/doc/tree/{notebook}?token={TOKEN}")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=PATIENCE_MS)
    # Before the page is connected to its kernel, it would ask for one.
    _wait_for(lambda: any(kernel["connections"] and kernel["execution_state"] == "idle" for kernel in _asked(f"{address}/api/kernels") or ()), "no kernel")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


@contextmanager
def jupyter_lab(folder: Path, *, theme: str = "Light") -> Iterator[str]:
    """Serve ``folder`` while the block runs; gives the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = folder / ".jupyter-for-tests"
    for plugin, settings in {"notification": {"fetchNews": "false"}, "themes": {"theme": f"JupyterLab {theme}"}}.items():
        path = own / "settings" / "@jupyterlab" / "apputils-extension" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT}:{os.environ.get('PYTHONPATH', '')}", "JUPYTER_CONFIG_DIR": str(own / "config"), "IPYTHONDIR": str(own / "ipython"),
                   "JUPYTER_RUNTIME_DIR": str(own / "runtime"), "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces")}  # fmt: skip
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
               f"--ServerApp.root_dir={folder}", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly"]  # fmt: skip
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(lambda: _answers(address, server, folder / "lab.log"), "JupyterLab did not start")
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _asked(url: str) -> Any:
    """What the server says; None while it has no answer, which a kernel that is just starting costs it, too."""
    try:
        with urllib.request.urlopen(f"{url}?token={TOKEN}", timeout=30) as answer:
            return json.load(answer)
    except OSError:
        return None


def _wait_for(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


def _answers(address: str, server: subprocess.Popen, log: Path) -> bool:
    assert server.poll() is None, log.read_text(errors="replace")
    return _asked(f"{address}/api/status") is not None
