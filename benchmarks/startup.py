"""How long a user waits before anything happens: importing the package, asking for help. Fresh processes, medians."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 11


def median_sec(command: list[str]) -> float:
    """Median wall time of a command over fresh processes."""
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def main() -> None:
    bare = median_sec([sys.executable, "-c", "pass"])
    imported = median_sec([sys.executable, "-c", "import workbench"])
    helped = median_sec([str(Path(sys.executable).with_name("workbench")), "--help"])
    print(f"bare interpreter {bare:.3f} s, import workbench {imported:.3f} s in all, workbench --help {helped:.3f} s")
    print(json.dumps({"import_sec": round(max(imported - bare, 0.0), 4), "help_sec": round(helped, 3), "interpreter_sec": round(bare, 3)}))


if __name__ == "__main__":
    main()
