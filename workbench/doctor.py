"""What this machine has and lacks, each lack with the one command that mends it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass

from workbench import engines


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined. ``mend`` is None when it is there; ``without`` says what does not work while it is missing; nobody needs an ``extra``
    until asking for it by name."""

    name: str
    found: str
    mend: str | None = None
    without: str = ""
    extra: bool = False


def examine() -> list[Finding]:
    """Python, every engine's needs, and the programs that tests and reports use."""
    findings = [_python()]
    for info in engines.known():
        lacking = info.missing()
        name, mend, without = f"{info.kind} {info.name}", info.install or "see its documentation", f"its {info.kind} engine is left out"
        # An environment of an engine's own takes gigabytes: for those who want that engine.
        found = Finding(name, "", mend, without, extra=bool(info.environment)) if lacking else Finding(name, "available")
        findings.append(found)
    findings.append(_program("chromium", "apt-get install chromium", "browser tests fail, reports do not need it"))
    findings += [_package(name, without) for name, without in (("papermill", "no notebook runs"), ("torch", "engines of the gpu profile"), ("nemo", "engines of the gpu profile"))]
    return findings


def _python() -> Finding:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    return Finding("python 3.11", found) if sys.version_info[:2] == (3, 11) else Finding("python 3.11", found, "make PYTHON=/path/to/python3.11", f"{found} is not tested")


def _program(name: str, mend: str, without: str) -> Finding:
    found = shutil.which(name)
    return Finding(f"program {name}", "available") if found else Finding(f"program {name}", "", mend, without)


def _package(name: str, without: str) -> Finding:
    present = importlib.util.find_spec(name) is not None
    return Finding(f"package {name}", "available") if present else Finding(f"package {name}", "", "make install", without)
