"""What other packages and the user's own modules declare to the workbench: engines, sets of weights, environments.

Installed packages declare by an entry point, whose value is one declaration or a list of them; a module that ``WORKBENCH_ENGINE_MODULES`` names
(comma-separated) by a list of a certain name.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from functools import cache
from typing import TypeVar

from workbench.errors import EngineError

MODULES_VARIABLE = "WORKBENCH_ENGINE_MODULES"
Declared = TypeVar("Declared")


def declared(kind: type[Declared], *, called: str, attribute: str, entry_points: str) -> tuple[Declared, ...]:
    """All declarations of one kind: those of entry points first, then those of modules in the variable's order.

    Args:
        kind: the class of a declaration.
        called: what an error calls it ("an engine").
        attribute: name of the list in a module.
        entry_points: group of the entry points.

    Raises:
        EngineError: a module that the variable names cannot be imported, or something declared is of another class.
    """
    return _declared(kind, called, attribute, entry_points, os.environ.get(MODULES_VARIABLE, ""))


@cache
def _declared(kind: type[Declared], called: str, attribute: str, entry_points: str, modules: str) -> tuple[Declared, ...]:
    lists = [(f"entry point {entry.name}", entry.load()) for entry in importlib.metadata.entry_points(group=entry_points)]
    for name in filter(None, (part.strip() for part in modules.split(","))):
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            what = f"engine module {name!r} cannot be imported: {error}"
            raise EngineError(what, where=MODULES_VARIABLE, mend="put its folder on PYTHONPATH") from error
        lists.append((f"{name}.{attribute}", getattr(module, attribute, ())))
    found: list[Declared] = []
    for where, value in lists:
        for one in [value] if isinstance(value, kind) else list(value):
            if not isinstance(one, kind):
                raise EngineError(f"not {called}", where=where, got=type(one).__name__, expected=f"{kind.__name__} or a list of them")
            found.append(one)
    return tuple(found)
