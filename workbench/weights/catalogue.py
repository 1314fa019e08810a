"""The catalogue: every set of weights an engine may load, ours and third parties'.

A third party's module (``WORKBENCH_ENGINE_MODULES``, see ``workbench.engines``) may hold a list ``WEIGHTS`` beside its ``ENGINES``; an
installed package names such a list as an entry point in the group ``workbench.weights``.
"""

from __future__ import annotations

from workbench.errors import unknown_name
from workbench.third_parties import declared
from workbench.weights.base import Weights
from workbench.weights.sets import isolated, judges, phones, stt, tts

CATALOGUE: tuple[Weights, ...] = (*stt.SETS, *judges.SETS, *phones.SETS, *tts.SETS, *isolated.SETS)
ENTRY_POINTS = "workbench.weights"


def every() -> tuple[Weights, ...]:
    """All sets, built-in first; a third party's replaces a built-in one of the same name."""
    found = {one.name: one for one in CATALOGUE}
    found |= {one.name: one for one in declared(Weights, called="a set of weights", attribute="WEIGHTS", entry_points=ENTRY_POINTS)}
    return tuple(found.values())


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
