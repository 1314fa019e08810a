"""Values on their way into a column. What only one of the databases could hold is made the same for both, so that both give equal rows back.

NUL becomes U+FFFD, half a surrogate pair (a file name that is not UTF-8) its escape, a number that is not finite nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from json.encoder import c_make_encoder, encode_basestring
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False, check_circular=False)
# JSONEncoder makes its encoder anew at every call, which for short lists costs as much as encoding them.
_fast = c_make_encoder and c_make_encoder(None, _encoder.default, encode_basestring, None, ":", ",", True, False, False)


def _encode(value: Any) -> str:
    return "".join(_fast(value, 0)) if _fast else _encoder.encode(value)


def clean_text(text: str) -> str:
    """The text as both databases can hold it."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(value: Any) -> str:
    """JSON with sorted keys that both databases take and give back equal."""
    try:
        text = _encode(value)
        # The escape of NUL; it also stands in a text that spells it out, which then only costs the longer way.
        if "\\u0000" not in text:
            if not text.isascii():
                text.encode("utf-8")
            return text
    except (ValueError, TypeError):
        # Not finite, half a surrogate pair, or a number of another library.
        pass
    return _encode(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    # numpy's scalars and arrays know their plain value.
    return _plain(value.tolist()) if hasattr(value, "tolist") else value


def _text(value: Any) -> str:
    return clean_text(value if isinstance(value, str) else str(value))


def _real(value: Any) -> float | None:
    # The difference is NaN where the number is not finite.
    return float(value) if value - value == 0 else None


def _whole(value: Any) -> int:
    return int(value)


def converter(column: sa.Column) -> Callable[[Any], Any]:
    """What turns a value that is not None into what the driver takes for this column."""
    if isinstance(column.type, sa.JSON):
        return json_text
    if isinstance(column.type, sa.Float):
        return _real
    return _whole if isinstance(column.type, sa.Integer) else _text


class Converter:
    """Values by column name to values for the driver. What to do is worked out once for every combination of types: a call for every number
    would cost more than writing it."""

    def __init__(self, columns: Sequence[sa.Column]) -> None:
        self._columns = tuple(columns)
        self._names = tuple(column.name for column in columns)
        self._plans: dict[tuple[type, ...], _Plan] = {}

    def __call__(self, values: dict[str, Any]) -> list[Any]:
        found = list(map(values.get, self._names))
        types = tuple(map(type, found))
        plan = self._plans.get(types) or self._plan(types)
        ways = plan.ways
        if plan.reals is not None:
            total = sum(plan.reals(found))
            # Every sum with a number that is not finite is not finite, and its difference NaN.
            ways = ways if total - total == 0 else plan.all_ways
        for place, convert in ways:
            found[place] = convert(found[place])
        return found

    def _plan(self, types: tuple[type, ...]) -> _Plan:
        ways = [(place, converter(column)) for place, (column, kind) in enumerate(zip(self._columns, types, strict=True)) if kind is not type(None)]
        ways = [(place, convert) for place, convert in ways if (types[place], convert) != (int, _whole)]
        reals = [place for place, convert in ways if (types[place], convert) == (float, _real)]
        # One place alone would be given as a number, not as a tuple.
        plain = set(reals) if len(reals) > 1 else set()
        plan = _Plan(itemgetter(*reals) if plain else None, [way for way in ways if way[0] not in plain], ways)
        self._plans[types] = plan
        return plan


class _Plan(NamedTuple):
    """``reals`` takes the floats out of a row; ``ways`` is what to do if they are all finite, ``all_ways`` if not."""

    reals: Callable[[list[Any]], tuple[float, ...]] | None
    ways: list[tuple[int, Callable[[Any], Any]]]
    all_ways: list[tuple[int, Callable[[Any], Any]]]
