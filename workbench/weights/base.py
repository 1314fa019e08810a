"""What is known of a set of weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a set. ``sha256`` is None where the publisher gives none; then the first fetch records what came."""

    path: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """One set of weights.

    Attributes:
        name: what users write; also the folder in the cache.
        engines: registry names of the engines that load it.
        source: ``hf:OWNER/NAME`` (a hub repository) or an ``https://`` address of a folder to which file paths are appended.
        revision: commit, tag or record number. ``main`` of a hub is pinned to the commit that the first fetch resolved.
        files: what the engine reads; a hub repository may name patterns (``*.json``).
        size_bytes: of the download, about.
        licence: SPDX name where there is one.
        commercial: whether that licence allows commercial use.
    """

    name: str
    engines: tuple[str, ...]
    source: str
    revision: str
    files: tuple[WeightFile, ...]
    size_bytes: int
    licence: str
    commercial: bool
