"""Values on their way into a column. What only one of the databases could hold is made the same for both, so that both give equal rows back.

NUL becomes U+FFFD, half a surrogate pair (a file name that is not UTF-8) its escape, a number that is not finite nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

# Words with their times are most of what is written: this encoder takes a seventh of the time of Python's own.
_encoder = msgspec.json.Encoder(order="sorted")


def clean_text(text: str) -> str:
    """The text as both databases can hold it."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(value: Any) -> str:
    """JSON with sorted keys that both databases take and give back equal."""
    try:
        text = _encoder.encode(value)
        # The escape of NUL; it also stands in a text that spells it out, which then only costs the longer way.
        if b"\\u0000" not in text:
            return text.decode()
    except (ValueError, TypeError):
        # Half a surrogate pair, a number of another library, or a name that is no text.
        pass
    return _encoder.encode(_plain(value)).decode()


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
    """Values by column name to values for the driver, column by column for many rows at once: what holds for a whole column is found out in C, and a call for every
    value would cost more than writing it."""

    def __init__(self, columns: Sequence[sa.Column]) -> None:
        self._names = tuple(column.name for column in columns)
        self._ways = tuple(map(converter, columns))

    def __call__(self, rows: Sequence[dict[str, Any]]) -> list[Sequence[Any]]:
        """The columns, each as long as there are rows; what a row lacks is None."""
        table = zip(*[list(map(values.get, self._names)) for values in rows], strict=True)
        return [_converted(column, convert) for column, convert in zip(table, self._ways, strict=True)]


def _converted(column: tuple, convert: Callable[[Any], Any]) -> Sequence[Any]:
    kinds = set(map(type, column))
    if kinds <= _AS_THEY_ARE.get(convert, _NOTHING):
        return column
    if kinds == {float} and convert is _real:
        total = sum(column)
        # Every sum with a number that is not finite is not finite, and its difference NaN.
        if total - total == 0:
            return column
    elif kinds == {str} and convert is _text:
        joined = "".join(column)
        if joined.isascii() and "\0" not in joined:
            return column
    return [None if value is None else convert(value) for value in column]


_NOTHING = frozenset({type(None)})
_AS_THEY_ARE = {_whole: frozenset({int, type(None)})}
