"""Frozen, validated configurations: unknown keys are refused with the nearest known name."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

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
            raise ConfigError(
                "; ".join(_complaint(cls, fault) for fault in error.errors()), where=where
            ) from None

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> Self:
        """Validate a notebook's variables: those named like a field, whatever else the notebook holds."""
        return cls.of({name: names[name] for name in cls.model_fields if name in names}, where="the notebook's parameters cell")


def _complaint(cls: type[BaseModel], fault: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in fault["loc"]) or cls.__name__
    if fault["type"] == "extra_forbidden":
        close = nearest(name, cls.model_fields)
        hint = f", did you mean {close[0]}?" if close else f", known are {', '.join(cls.model_fields)}"
        return f"unknown parameter {name!r}{hint}"
    return f"{name}: {fault['msg']} (got {fault['input']!r})"
