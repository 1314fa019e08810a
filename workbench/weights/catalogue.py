"""The catalogue: every set of weights an engine may load, ours and third parties'.

A third party's module (``WORKBENCH_ENGINE_MODULES``, see ``workbench.engines``) may hold a list ``WEIGHTS`` beside its ``ENGINES``; an
installed package names such a list as an entry point in the group ``workbench.weights``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from functools import cache
from typing import Any

from workbench.engines import MODULES_VARIABLE
from workbench.errors import EngineError, unknown_name
from workbench.weights.base import Weights
from workbench.weights.sets import isolated, judges, phones, stt, tts

CATALOGUE: tuple[Weights, ...] = (*stt.SETS, *judges.SETS, *phones.SETS, *tts.SETS, *isolated.SETS)
ENTRY_POINTS = "workbench.weights"


def every() -> tuple[Weights, ...]:
    """All sets, built-in first; a third party's replaces a built-in one of the same name."""
    found = {one.name: one for one in CATALOGUE}
    found |= {one.name: one for one in _third_party(os.environ.get(MODULES_VARIABLE, ""))}
    return tuple(found.values())


@cache
def _third_party(modules: str) -> tuple[Weights, ...]:
    entries = importlib.metadata.entry_points(group=ENTRY_POINTS)
    found: list[tuple[str, Any]] = [(f"entry point {entry.name}", entry.load()) for entry in entries]
    for name in filter(None, (part.strip() for part in modules.split(","))):
        try:
            found.append((f"{name}.WEIGHTS", getattr(importlib.import_module(name), "WEIGHTS", ())))
        except ImportError as error:
            what = f"engine module {name!r} cannot be imported: {error}"
            raise EngineError(what, where=MODULES_VARIABLE, mend="put its folder on PYTHONPATH") from error
    sets: list[Weights] = []
    for where, value in found:
        for one in [value] if isinstance(value, Weights) else list(value):
            if not isinstance(one, Weights):
                raise EngineError("not a set of weights", where=where, got=type(one).__name__, expected="Weights or a list of them")
            sets.append(one)
    return tuple(sets)


def weights(name: str) -> Weights:
    """
    Raises:
        UnknownNameError: with the nearest known names.
    """
    known = {one.name: one for one in every()}
    if name not in known:
        raise unknown_name("weights", name, known)
    return known[name]


def of_engine(engine: str) -> tuple[Weights, ...]:
    """The sets an engine may load, its default first."""
    return tuple(one for one in every() if engine in one.engines)
