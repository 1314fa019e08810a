"""Parameters from several places as one validated configuration: defaults, YAML files, single assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from workbench.config import Config
from workbench.errors import ConfigError

AnyConfig = TypeVar("AnyConfig", bound=Config)


def gather(cls: type[AnyConfig], values: Mapping[str, Any], *, files: Sequence[str | Path] = (), assignments: Sequence[str] = (), where: str) -> AnyConfig:
    """``values``, then files, then assignments (``name=value``), later ones winning.

    Raises:
        ConfigError: a file that cannot be read, or values that the configuration refuses.
    """
    found = dict(values)
    for file in files:
        found |= read_yaml(Path(file))
    for assignment in assignments:
        found |= _assignment(cls, assignment)
    return cls.of(found, where=where)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises ``ConfigError`` with what is wrong."""
    import yaml

    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"parameter file cannot be read: {error}", where=path) from None
    if not isinstance(read or {}, dict):
        raise ConfigError("parameter file holds no mapping", where=path, got=type(read).__name__, expected="name: value lines")
    return read or {}


def _assignment(cls: type[Config], text: str) -> dict[str, Any]:
    import yaml

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ConfigError("not an assignment", got=text, expected="name=value")
    field = cls.model_fields.get(name)
    # A text parameter takes the value as typed: "001" stays "001".
    if field is not None and field.annotation is str:
        return {name: value}
    try:
        return {name: yaml.safe_load(value)}
    except yaml.YAMLError as error:
        raise ConfigError(f"value is no YAML: {error}", where=name, got=value) from None
