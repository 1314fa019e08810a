"""Frozen, validated configurations: unknown keys are refused with the nearest known name."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from workbench.errors import ConfigError, nearest


class Config(BaseModel):
    """Base of all configurations. Subclasses declare typed fields with defaults and bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def of(cls, values: dict[str, Any], *, where: str = "parameters") -> Self:
        """Validate ``values``.

        Raises:
            ConfigError: on an unknown key, a wrong type or a value out of bounds; all faults in one message.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(without_secrets("; ".join(_complaint(cls, fault) for fault in error.errors())), where=where) from None

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> Self:
        """Validate a notebook's variables: those named like a field, whatever else the notebook holds."""
        return cls.of({name: names[name] for name in cls.model_fields if name in names}, where="the notebook's parameters cell")


_PASSWORD = re.compile(r"(?P<before>\w://[^\s:/@]*:)\S+(?=@)|(?P<named>[?&]password=)[^\s&'\"]+")


def without_secrets(text: str) -> str:
    """The text with the passwords of URLs blotted out."""
    return _PASSWORD.sub(lambda found: f"{found['before'] or found['named']}***", text)


def _no_password(url: str) -> str:
    if _PASSWORD.search(url):
        raise ValueError("holds a password, and parameters are written into reports; give it in the environment as PGPASSWORD, or in a ~/.pgpass file")
    return url


#: A results database as a parameter: a file or a URL, without a password.
DatabasePlace = Annotated[str, AfterValidator(_no_password)]


def _complaint(cls: type[BaseModel], fault: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in fault["loc"]) or cls.__name__
    if fault["type"] == "extra_forbidden":
        close = nearest(name, cls.model_fields)
        hint = f", did you mean {close[0]}?" if close else f", known are {', '.join(cls.model_fields)}"
        return f"unknown parameter {name!r}{hint}"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')} (got {fault['input']!r})"
