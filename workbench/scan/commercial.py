"""Commercial use: engines and weights whose licence forbids it are refused by name before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench import engines
from workbench.errors import ConfigError
from workbench.weights.catalogue import of_engine
from workbench.weights.chosen import chosen_by


def refuse_non_commercial(used: Iterable[tuple[engines.Kind, str]], options: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise for all engines at once whose licence, or that of the weights they load, forbids commercial use.

    Args:
        used: kind and name of each engine.
        options: of each engine, by name.

    Raises:
        ConfigError: names engine, weights, licence and what to use instead.
        UnknownNameError: no such engine.
    """
    faults: dict[tuple[engines.Kind, str], str] = {}
    for kind, name in dict.fromkeys(used):
        if told := _fault(engines.info(name, kind), options.get(name, {})):
            faults[kind, name] = told
    if not faults:
        return
    kinds = dict.fromkeys(kind for kind, _ in faults)
    instead = "; ".join(f"{kind}: {', '.join(_allowed(kind)) or 'none is known'}" for kind in kinds)
    what = f"not for commercial use: {'; '.join(faults.values())}"
    raise ConfigError(what, where="commercial", got=True, mend=f"use instead {instead}; or set commercial to false")


def _fault(info: engines.EngineInfo, options: Mapping[str, Any]) -> str:
    chosen = chosen_by(info.kind, info.name, options)
    forbidden = [f"weights {one}, licence {one.weights.licence}" for one in chosen if not one.weights.commercial]
    if not forbidden and not info.commercial:
        weights = ", ".join(map(str, chosen)) or info.weights or "of its own"
        forbidden = [f"weights {weights}, licence {info.licence_weights}; its code: {info.licence_code}"]
    return f"{info.kind} engine {info.name!r} ({'; '.join(forbidden)})" if forbidden else ""


def _allowed(kind: engines.Kind) -> list[str]:
    return [info.name for info in engines.known(kind) if info.commercial and all(found.commercial for found in of_engine(info.name))]
