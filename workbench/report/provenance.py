"""What a run was made of: code, packages, engines with licences, data, seeds, machine, time. Never a secret, never an environment variable."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import workbench
from workbench import engines


def code_version() -> dict[str, Any]:
    """Version of the package and, in a checkout, its commit and whether files differ from it."""
    root = Path(workbench.__file__).resolve().parent.parent
    commit = _git(root, "rev-parse", "HEAD")
    return {"workbench": workbench.__version__, "git_commit": commit, "git_dirty": bool(_git(root, "status", "--porcelain")) if commit else None}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def package_versions() -> dict[str, str]:
    """Installed versions of the direct dependencies."""
    found = {"python": platform.python_version()}
    for requirement in requires("workbench") or ():
        name = requirement.split("==")[0].split("[")[0].strip()
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return dict(sorted(found.items()))


def hardware() -> dict[str, Any]:
    """Processor, cores, memory and GPUs of the machine."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": _gpus(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


def _gpus() -> list[str]:
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def provenance(
    *,
    used: Iterable[tuple[engines.Kind, str]],
    fingerprints: dict[str, str],
    dataset: dict[str, Any],
    seeds: dict[str, int],
    wall_sec: dict[str, float],
    engine_options: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The content of ``provenance.json``."""
    return {
        "code": code_version(),
        "packages": package_versions(),
        "engines": engines.licences(used, engine_options),
        "fingerprints": fingerprints,
        "dataset": dataset,
        "seeds": seeds,
        "hardware": hardware(),
        "wall_sec": {name: round(sec, 3) for name, sec in wall_sec.items()},
    }
