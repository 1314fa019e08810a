"""The lock file beside a set of weights: what the first fetch found behind the revision, so that later ones get the same."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.errors import EngineError
from workbench.weights.base import Weights

#: Written beside the weights by a fetch.
LOCK_NAME = "weights.lock.json"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file as it was fetched."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Lock:
    """What was fetched. ``files`` is empty until the first fetch is whole.

    Attributes:
        source, revision: as the catalogue wrote them then; another revision in the catalogue makes the lock stale.
        commit: what ``revision`` resolved to.
    """

    weights: str
    source: str
    revision: str
    commit: str
    files: tuple[LockedFile, ...] = ()

    @property
    def is_complete(self) -> bool:
        return bool(self.files)

    def is_of(self, found: Weights) -> bool:
        """Whether it belongs to what the catalogue now says."""
        return (self.source, self.revision) == (found.source, found.revision)


def read_lock(folder: Path) -> Lock | None:
    """The lock in ``folder``; None where nothing was fetched.

    Raises:
        EngineError: the file is damaged.
    """
    path = folder / LOCK_NAME
    try:
        text = path.read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        read = json.loads(text)
        return Lock(**{**read, "files": tuple(LockedFile(**file) for file in read["files"])})
    except (ValueError, TypeError, KeyError) as error:
        mend = "delete it and fetch the weights again"
        raise EngineError("damaged lock file of weights", where=path, got=str(error), mend=mend) from error


def write_lock(folder: Path, lock: Lock) -> None:
    """Replace the lock in ``folder`` in one step."""
    temporary = folder / f".{LOCK_NAME}.{os.getpid()}"
    temporary.write_text(json.dumps(asdict(lock), indent=1, sort_keys=True) + "\n")
    os.replace(temporary, folder / LOCK_NAME)
