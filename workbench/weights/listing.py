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
from workbench.weights.places import cache_folder, folder_of, lock_of, missing_files

#: A commit is shown by its first characters; --json has all.
COMMIT_SHOWN, COMMIT_LENGTH = 10, 40


def state_of(found: Weights) -> str:
    """``present``, ``outdated`` (of another revision than the catalogue's), ``in part`` or ``absent``; nothing is hashed."""
    lock = lock_of(found)
    if not missing_files(found):
        return "present" if lock is None or lock.is_of(found) else "outdated"
    return "in part" if lock is not None and lock.is_of(found) else "absent"


def rows() -> list[dict[str, Any]]:
    """Every set of the catalogue, for ``--json``."""
    return [_row(found) for found in every()]


def _row(found: Weights) -> dict[str, Any]:
    lock = lock_of(found)
    fetched = sum(file.size_bytes for file in lock.files) if lock else 0
    return {
        "name": found.name,
        "engines": list(found.engines),
        "licence": found.licence,
        "commercial": found.commercial,
        "source": found.source,
        "revision": revision_of(found),
        "pinned": lock is not None or len(found.revision) == COMMIT_LENGTH,
        "size_bytes": fetched or found.size_bytes,
        "folder": str(folder_of(found)),
        "state": state_of(found),
        "missing": missing_files(found),
    }


def table(shown: Sequence[dict[str, Any]]) -> Table:
    """The rows, readable at 80 columns."""
    caption = f"each set lands in {cache_folder()}/NAME (WORKBENCH_WEIGHTS moves it); fetch one: workbench weights fetch NAME"
    drawn = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", padding=(0, 1, 0, 0), show_edge=False)
    for name in ("weights", "licence", "revision", "size", "state"):
        drawn.add_column(name, overflow="fold", justify="right" if name == "size" else "left", no_wrap=name == "size")
    for row in shown:
        drawn.add_row(
            f"{row['name']}\nfor {', '.join(row['engines'])}",
            f"{row['licence']}\ncommercial: {'yes' if row['commercial'] else 'no'}",
            row["revision"][:COMMIT_SHOWN] if len(row["revision"]) == COMMIT_LENGTH else row["revision"],
            size(row["size_bytes"]),
            row["state"],
        )
    return drawn


def file_lines(states: Sequence[FileState]) -> list[str]:
    """One line per file of a verification."""
    return [f"{state.state:<11}{state.weights}/{state.path}" + (f"  ({state.told})" if state.told else "") for state in states]


def engine_lines(engine: str) -> list[str]:
    """What ``workbench engines`` says of the sets an engine loads, a line each."""
    states = {one.name: "available" if not missing_files(one) else f"run: workbench weights fetch {one.name}" for one in of_engine(engine)}
    return [f"weights {name}: {state}" for name, state in states.items()]


def size(count: int) -> str:
    """Bytes for people, decimal as publishers count them."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count} B"
