"""Which sets of weights an engine with given options loads, and under which licence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench import engines
from workbench.errors import WorkbenchError
from workbench.weights.base import Weights
from workbench.weights.catalogue import every, of_engine
from workbench.weights.identity import revision_of


@dataclass(frozen=True, slots=True)
class Chosen:
    """One set as an engine loads it. ``sha256`` is of the user's own files, which keep the licence of the set they stand in for."""

    weights: Weights
    revision: str
    sha256: str = ""

    @property
    def is_local(self) -> bool:
        return self.revision == "local"

    def __str__(self) -> str:
        return f"{self.weights.name} (own files; licence of the set)" if self.is_local else self.weights.name


def chosen_by(kind: engines.Kind, engine: str, options: Mapping[str, Any]) -> tuple[Chosen, ...]:
    """The sets that the engine's identity names; all that the catalogue has for it where the identity names none or cannot be had."""
    try:
        identity = engines.create(engine, kind, **options).identity()
    except WorkbenchError:
        # Not installed here, or options that planning refuses with better words: the catalogue still knows the licences.
        identity = {}
    known = {found.name: found for found in every()}
    named = {part["weights"]: part for part in _parts(identity) if isinstance(part.get("weights"), str) and part["weights"] in known}
    if named:
        return tuple(Chosen(known[name], str(part.get("revision", "")), str(part.get("sha256", ""))) for name, part in named.items())
    return tuple(Chosen(found, revision_of(found)) for found in of_engine(engine))


def _parts(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _parts(inner)
