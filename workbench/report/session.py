"""What a notebook holds of its own run: the folder, the clock, the last cell."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.config import Config
from workbench.report.folders import LAST_CELL, SENTINEL, open_run_folder, parameters_hash, write_json
from workbench.whole_files import write_whole


class Run:
    """One run of a phase. Under ``workbench run`` the folder is given; in JupyterLab it is made."""

    def __init__(self, phase: str, config: Config, *, outputs: str | Path = "outputs") -> None:
        self.phase, self.config = phase, config
        parameters = config.model_dump(mode="json")
        given = os.environ.get("WORKBENCH_RUN_FOLDER")
        self.folder = Path(given) if given else open_run_folder(Path(outputs), phase, parameters)
        self.parameters_hash = parameters_hash(parameters)
        self.wall_sec: dict[str, float] = {}
        self._headless = bool(given)
        if not given:
            import yaml

            write_whole(self.folder / "params.yaml", yaml.safe_dump(parameters, sort_keys=True, allow_unicode=True))

    @property
    def run_id(self) -> str:
        return self.folder.name

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the block's wall time to the run's provenance."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.wall_sec[stage] = self.wall_sec.get(stage, 0.0) + time.perf_counter() - started

    def finish(self, metrics: dict[str, Any], provenance: dict[str, Any]) -> None:
        """The last cell: provenance, then the sentinel. Headless, the runner exports the report before it makes the sentinel final."""
        write_json(self.folder / "provenance.json", provenance)
        write_json(self.folder / (LAST_CELL if self._headless else SENTINEL), metrics)
