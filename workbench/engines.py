"""The registry of engines: name -> kind, factory, what to install, weights, licences, rate and devices.

Third parties join by an entry point in the group ``workbench.engines`` (its value: an ``EngineInfo`` or a list of them), or, without packaging,
by naming an importable module in ``WORKBENCH_ENGINE_MODULES`` (comma-separated) that holds a list ``ENGINES``.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from workbench.errors import ConfigError, EngineUnavailableError, unknown_name
from workbench.third_parties import declared

Kind = Literal["tts", "stt", "judge", "phones"]
ENTRY_POINTS = "workbench.engines"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is known of an engine before any of its code is imported.

    Attributes:
        name: what users write in parameters.
        kind: which protocol its objects keep (``Synthesizer``, ``Transcriber``, ``Judge``, ``PhoneRecogniser``).
        factory: ``package.module:Class``; called with the engine's options.
        summary: one line.
        programs: alternatives of programs or ``python:module`` packages; one of each tuple must be present.
        install: the one command that supplies what is missing.
        weights: where the weights come from, with their revision; empty when the engine has none.
        licence_code, licence_weights: SPDX names where there are any.
        sample_rate_hz: the rate it works at, None when it takes any.
        commercial: whether the licences of code and weights allow commercial use.
        environment: name of the environment of its own that the engine runs in, empty for ours (``workbench.isolated``).
        needs: for ``stt``: ``reference`` when it weighs the reference text (a second opinion only).
    """

    name: str
    kind: Kind
    factory: str
    summary: str
    licence_code: str
    licence_weights: str
    install: str = ""
    programs: tuple[tuple[str, ...], ...] = ()
    weights: str = ""
    sample_rate_hz: int | None = None
    devices: tuple[str, ...] = ("cpu",)
    needs: tuple[str, ...] = ()
    cloud: bool = False
    commercial: bool = True
    environment: str = ""

    def __post_init__(self) -> None:
        if self.environment and not self.install:
            object.__setattr__(self, "install", f"workbench engines install {self.name}")

    def missing(self) -> tuple[str, ...]:
        """What this machine lacks, one name per unmet need; empty when the engine can load."""
        lacking = tuple(" or ".join(a.removeprefix("python:") for a in any_of) for any_of in self.programs if not any(map(_present, any_of)))
        return lacking if not self.environment or _installed(self.environment) else (*lacking, f"environment {self.environment}")


def _present(need: str) -> bool:
    if need.startswith("python:"):
        return importlib.util.find_spec(need.removeprefix("python:")) is not None
    return shutil.which(need) is not None


def _installed(environment: str) -> bool:
    from workbench.isolated.spec import known as environments

    return any(spec.is_installed() for spec in environments() if spec.name == environment)


#: Modules with a tuple ``ENGINES``; each is data and imports no engine.
CATALOGUES = ("workbench.tts.catalogue", "workbench.stt.catalogue", "workbench.judges.catalogue", "workbench.phones.catalogue", "workbench.isolated.catalogue")

_registered: dict[tuple[str, str], EngineInfo] = {}


def register(info: EngineInfo) -> None:
    """Add an engine to this process. Worker processes do not inherit it: use an entry point or the module variable for those."""
    _registered[info.kind, info.name] = info


@cache
def _built_in() -> tuple[EngineInfo, ...]:
    return tuple(info for name in CATALOGUES for info in importlib.import_module(name).ENGINES)


def known(kind: Kind | None = None) -> list[EngineInfo]:
    """All engines, built-in first; a third party's replaces a built-in one of the same name."""
    found = {(i.kind, i.name): i for i in _built_in()}
    found |= {(i.kind, i.name): i for i in declared(EngineInfo, called="an engine", attribute="ENGINES", entry_points=ENTRY_POINTS)}
    found |= _registered
    return [info for info in found.values() if kind in (None, info.kind)]


def info(name: str, kind: Kind) -> EngineInfo:
    """The engine of that name.

    Raises:
        UnknownNameError: with the nearest known names.
    """
    engines = {i.name: i for i in known(kind)}
    if name not in engines:
        raise unknown_name(f"{kind} engine", name, engines)
    return engines[name]


def create(name: str, kind: Kind, /, **options: Any) -> Any:
    """Make an engine object; it loads nothing yet.

    Raises:
        UnknownNameError: no such engine.
        EngineUnavailableError: with the one command that installs what is missing.
        ConfigError: options that the engine does not take.
    """
    found = info(name, kind)
    if lacking := found.missing():
        raise EngineUnavailableError(f"{kind} engine {name!r} needs {', '.join(lacking)}, which is not installed", mend=found.install)
    module_name, _, attribute = found.factory.partition(":")
    factory = getattr(importlib.import_module(module_name), attribute)
    try:
        return factory(**options)
    except TypeError as error:
        raise ConfigError(f"{kind} engine {name!r} refused its options: {error}", got=f"options {', '.join(sorted(options))}") from None


def device_of(name: str, kind: Kind, asked: str) -> str:
    """Where an engine runs when a run asks for a device: there, or on the CPU if that is all the engine declares.

    Raises:
        UnknownNameError: no such engine.
        ConfigError: not a device.
        EngineUnavailableError: it can run neither there nor on the CPU.
    """
    devices = info(name, kind).devices
    if asked.partition(":")[0] not in (kinds := {one for engine in known() for one in engine.devices}):
        # A slip of the pen must not be taken for a CPU.
        raise ConfigError("not a device", where="device", got=asked, expected=f"one of {', '.join(sorted(kinds))}, perhaps with a number (cuda:1)")
    if asked.partition(":")[0] in devices:
        return asked
    if "cpu" in devices:
        return "cpu"
    raise EngineUnavailableError(f"{kind} engine {name!r} cannot run there", where="device", got=asked, expected=f"one of {', '.join(devices)}")


def licences(used: Iterable[tuple[Kind, str]], options: Mapping[str, Mapping[str, Any]] | None = None) -> list[dict[str, str]]:
    """Licence rows for a report's provenance, one per engine used.

    Args:
        used: kind and name of each.
        options: of each engine, by name; they may choose the weights.
    """
    return [_licence_row(info(name, kind), (options or {}).get(name, {})) for kind, name in dict.fromkeys(used)]


def _licence_row(found: EngineInfo, options: Mapping[str, Any]) -> dict[str, str]:
    from workbench.weights.chosen import chosen_by

    chosen = chosen_by(found.kind, found.name, options)
    revisions = "; ".join(f"{one.revision}, sha256 {one.sha256}" if one.sha256 else one.revision for one in chosen)
    allowed = found.commercial and all(one.weights.commercial for one in chosen)
    return {
        "engine": found.name,
        "kind": found.kind,
        "licence of code": found.licence_code,
        "licence of weights": "; ".join(dict.fromkeys(one.weights.licence for one in chosen)) or found.licence_weights,
        "weights": "; ".join(map(str, chosen)) or found.weights or "none",
        "revision of weights": revisions or ("as installed" if found.weights else "none"),
        "commercial use": "yes" if allowed else "no",
    }
