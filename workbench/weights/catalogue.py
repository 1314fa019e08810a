"""The catalogue: every set of weights an engine of ours may load."""

from __future__ import annotations

from workbench.errors import unknown_name
from workbench.weights.base import Weights
from workbench.weights.sets import isolated, judges, phones, stt, tts

CATALOGUE: tuple[Weights, ...] = (*stt.SETS, *judges.SETS, *phones.SETS, *tts.SETS, *isolated.SETS)


def weights(name: str) -> Weights:
    """
    Raises:
        UnknownNameError: with the nearest known names.
    """
    known = {one.name: one for one in CATALOGUE}
    if name not in known:
        raise unknown_name("weights", name, known)
    return known[name]


def of_engine(engine: str) -> tuple[Weights, ...]:
    """The sets an engine may load, its default first."""
    return tuple(one for one in CATALOGUE if engine in one.engines)
