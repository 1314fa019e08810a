"""What fetching from a hub and from a folder on the web have in common."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase

from workbench.errors import EngineError
from workbench.weights.base import Weights

#: Environment variables whose values must not reach a message.
SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file as its publisher describes it: ``git_oid`` is git's SHA-1 of a small file, ``sha256`` that of a large one."""

    path: str
    size_bytes: int | None = None
    sha256: str | None = None
    git_oid: str | None = None


def wanted(found: Weights, files: list[RemoteFile]) -> list[RemoteFile]:
    """Those files that the set names, each path or pattern answered by one at least.

    Raises:
        EngineError: a pattern that no file answers to, or a path that would leave the set's folder.
    """
    chosen = {}
    for pattern in found.files:
        matches = [file for file in files if path_matches(file.path, pattern.path)]
        if not matches:
            got = ", ".join(file.path for file in files[:20]) or "no files"
            raise EngineError(f"weights {found.name!r}: the source has no file {pattern.path!r}", where=found.source, got=got)
        chosen |= {file.path: file for file in matches}
    for path in chosen:
        if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/"):
            raise EngineError("a path that leaves the folder of its weights", where=found.source, got=path)
    return [chosen[path] for path in sorted(chosen)]


def path_matches(path: str, pattern: str) -> bool:
    """As ``Path.glob`` does: a star does not cross a slash."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def without_secrets(text: str) -> str:
    """``text`` with every token of the environment struck out."""
    for name in SECRETS:
        if secret := os.environ.get(name, "").strip():
            text = text.replace(secret, "(token)")
    return text
