"""What ``workbench weights`` shows: a row per set, a line per file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from workbench.weights.base import Weights
from workbench.weights.catalogue import every, of_engine
from workbench.weights.check import FileState
from workbench.weights.identity import revision_of
from workbench.weights.places import cache_folder, current_lock, folder_of, missing_files

#: A commit is shown by its first characters; --json has all.
COMMIT_SHOWN = 10


def state_of(found: Weights) -> str:
    """``present``, ``in part`` or ``absent``; by name and size, nothing is hashed."""
    if not missing_files(found):
        return "present"
    return "in part" if current_lock(found) is not None else "absent"


def rows() -> list[dict[str, Any]]:
    """Every set of the catalogue, for ``--json``."""
    return [_row(found) for found in every()]


def _row(found: Weights) -> dict[str, Any]:
    lock = current_lock(found)
    fetched = sum(file.size_bytes for file in lock.files) if lock else 0
    return {
        "name": found.name,
        "engines": list(found.engines),
        "licence": found.licence,
        "commercial": found.commercial,
        "source": found.source,
        "revision": revision_of(found),
        "pinned": lock is not None or len(found.revision) == 40,
        "size_bytes": fetched or found.size_bytes,
        "folder": str(folder_of(found)),
        "state": state_of(found),
        "missing": missing_files(found),
    }


def table(shown: Sequence[dict[str, Any]]) -> Table:
    """The rows, readable at 80 columns."""
    caption = f"each set lands in {cache_folder()}/NAME (WORKBENCH_WEIGHTS moves it); fetch one: workbench weights fetch NAME"
    drawn = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", padding=(0, 1, 0, 0), show_edge=False)
    for name in ("weights", "engines", "licence", "commer-\ncial", "revision", "size", "state"):
        drawn.add_column(name, overflow="fold", justify="right" if name == "size" else "left", no_wrap=name == "size")
    for row in shown:
        drawn.add_row(
            row["name"],
            ", ".join(row["engines"]),
            row["licence"],
            "yes" if row["commercial"] else "no",
            row["revision"][:COMMIT_SHOWN] if len(row["revision"]) == 40 else row["revision"],
            size(row["size_bytes"]),
            row["state"],
        )
    return drawn


def file_lines(states: Sequence[FileState]) -> list[str]:
    """One line per file of a verification."""
    return [f"{state.state:<11}{state.weights}/{state.path}" + (f"  ({state.told})" if state.told else "") for state in states]


def engine_line(engine: str) -> str:
    """What ``workbench engines`` says of the sets an engine loads; empty when it has none."""
    told = [f"{one.name} available" if not missing_files(one) else f"run: workbench weights fetch {one.name}" for one in of_engine(engine)]
    return "; ".join(told)


def size(count: int) -> str:
    """Bytes for people, decimal as publishers count them."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count} B"
