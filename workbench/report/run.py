"""Running a phase's notebook: parameters checked, executed by papermill in a kernel of its own, exported, and only then called done."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import workbench
from workbench.config import Config
from workbench.errors import RunError, WorkbenchError, unknown_name
from workbench.report.folders import ERROR, LAST_CELL, SENTINEL, hold_lock, open_run_folder
from workbench.scan.progress import print_line
from workbench.settings import gather, read_yaml
from workbench.whole_files import write_whole

PROJECT = Path(workbench.__file__).resolve().parent.parent


def run_notebook(
    phase: str,
    *,
    profile: str | None = None,
    files: Sequence[str | Path] = (),
    assignments: Sequence[str] = (),
    outputs: str | Path = "outputs",
    say: Callable[[str], None] = print_line,
) -> Path:
    """Run a phase and return its finished folder.

    Args:
        phase: name of a notebook in ``notebooks/``.
        profile: ``params/<phase>/<profile>.yaml``; None runs the notebook's own defaults.
        files: further YAML files, later ones win.
        assignments: ``name=value``, winning over files.

    Raises:
        UnknownNameError, ConfigError: before anything runs.
        RunError: the notebook failed, or ended without its last cell's sentinel.
    """
    outputs = Path(outputs)
    notebook = notebook_of(phase)
    config = resolve(phase, profile=profile, files=files, assignments=assignments)
    parameters = config.model_dump(mode="json")
    title = f"{phase.replace('_', ' ').capitalize()} report"
    with hold_lock(outputs, phase, parameters):
        folder = open_run_folder(outputs, phase, parameters)
        say(f"run folder: {folder}")
        try:
            _execute(notebook, folder, parameters)
            _finish(folder, title=title)
        except BaseException as error:
            write_whole(folder / ERROR, f"{_first_line(error)}\n\n{traceback.format_exc()}")
            _show_failed(folder, title=title, say=say)
            raise
    return folder


def phases() -> dict[str, Path]:
    """The notebooks there are, by phase: of the working folder if it has any, else of the project."""
    for root in (Path.cwd(), PROJECT):
        found = {path.stem: path for path in sorted((root / "notebooks").glob("*.ipynb"))}
        if found:
            return found
    return {}


def notebook_of(phase: str) -> Path:
    """The notebook of a phase; raises ``UnknownNameError`` with the nearest."""
    known = phases()
    if phase not in known:
        raise unknown_name("phase", phase, known)
    return known[phase]


def config_class(notebook: Path) -> type[Config]:
    """The configuration that a notebook names in its metadata (``workbench.config``: ``module:Class``)."""
    import nbformat

    where = nbformat.read(notebook, as_version=4).metadata.get("workbench", {}).get("config", "")
    module, _, name = where.partition(":")
    if not name:
        raise RunError("the notebook does not say which configuration it takes", where=notebook.name, expected="metadata.workbench.config = 'module:Class'")
    return getattr(importlib.import_module(module), name)


def resolve(phase: str, *, profile: str | None, files: Sequence[str | Path], assignments: Sequence[str]) -> Config:
    """Defaults, then profile, then files, then assignments, as one validated configuration."""
    notebook = notebook_of(phase)
    cls = config_class(notebook)
    values: dict[str, Any] = {}
    if profile is not None:
        folder = notebook.parent.parent / "params" / phase
        known = {path.stem: path for path in folder.glob("*.yaml")}
        if profile not in known:
            raise unknown_name("profile", profile, known, where=f"params/{phase}")
        values |= read_yaml(known[profile])
    return gather(cls, values, files=files, assignments=assignments, where=f"parameters of {phase}")


def _execute(notebook: Path, folder: Path, parameters: dict[str, Any]) -> None:
    import yaml

    quiet_environment()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    write_whole(folder / "params.yaml", yaml.safe_dump(parameters, sort_keys=True, allow_unicode=True))
    os.environ["WORKBENCH_RUN_FOLDER"] = str(folder.resolve())
    try:
        papermill.execute_notebook(
            str(notebook),
            str(folder / "notebook.ipynb"),
            parameters=parameters,
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
            cwd=str(Path.cwd()),
        )
    except PapermillExecutionError as error:
        raise RunError(f"{error.ename}: {error.evalue}", where=f"{folder / 'notebook.ipynb'}, code cell {error.exec_count}") from None
    finally:
        os.environ.pop("WORKBENCH_RUN_FOLDER", None)


def quiet_environment() -> None:
    """Keep what notebook tools write by habit (history, connection files, font caches) inside the user's cache."""
    import platformdirs

    cache = Path(platformdirs.user_cache_dir("workbench"))
    for name, folder in {"IPYTHONDIR": "ipython", "JUPYTER_RUNTIME_DIR": "jupyter-runtime", "MPLCONFIGDIR": "matplotlib"}.items():
        if name not in os.environ:
            (cache / folder).mkdir(parents=True, exist_ok=True)
            os.environ[name] = str(cache / folder)
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")


def _finish(folder: Path, *, title: str) -> None:
    from workbench.report.export import export_html

    if not (folder / LAST_CELL).exists():
        raise RunError("the notebook ended without its last cell's sentinel", where=folder, expected=LAST_CELL)
    export_html(folder / "notebook.ipynb", folder / "report.html", title=title)
    os.replace(folder / LAST_CELL, folder / SENTINEL)


def _show_failed(folder: Path, *, title: str, say: Callable[[str], None]) -> None:
    """A failed run's page shows how far it came; that it failed stands on top of it."""
    from workbench.report.export import export_html

    try:
        export_html(folder / "notebook.ipynb", folder / "report.html", title=title)
        say(f"how far the run came: {folder / 'report.html'}")
    except (WorkbenchError, OSError) as error:
        say(f"no page of the failed run: {error}")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
