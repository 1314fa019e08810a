"""Values on their way into a column. What only one of the databases could hold is made the same for both, so that both give the same rows back.

NUL becomes U+FFFD, half a surrogate pair (a file name that is not UTF-8) its escape, a number that is not finite nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode


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


def _text(value: Any) -> str | None:
    return None if value is None else clean_text(value if isinstance(value, str) else str(value))


def _real(value: Any) -> float | None:
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _json(value: Any) -> str | None:
    return None if value is None else json_text(value)


def converter(column: sa.Column) -> Callable[[Any], Any]:
    """What turns a value into what the driver takes for this column."""
    if isinstance(column.type, sa.JSON):
        return _json
    if isinstance(column.type, sa.Float):
        return _real
    return _whole if isinstance(column.type, sa.Integer) else _text
