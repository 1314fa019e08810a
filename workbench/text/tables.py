"""``written.toml`` read once: what is written short and said long."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType


#: Months in order; their short forms stand in ``written.toml``.
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict]:
    return tomllib.loads(files("workbench.text").joinpath("written.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def table(name: str) -> MappingProxyType:
    """One table of ``written.toml``, read-only."""
    return MappingProxyType(_tables()[name])


@lru_cache(maxsize=1)
def month_names() -> MappingProxyType:
    """Every way to write a month, lower case -> its full name."""
    return MappingProxyType({w: full for full, short in table("months").items() for w in (full, *short)})


@lru_cache(maxsize=4096)
def unit(written: str) -> tuple[str, str] | None:
    """Singular and plural of a written unit ("km^2", "m/s", "mA", "MHz"); None when it is none."""
    units = table("units")
    found = units.get(written)
    if found is None and (len(written) > 1 or written in "GLVWH"):
        found = units.get(written.lower())
    if found is not None:
        return found[0], found[1]
    if "/" in written:
        head, _, tail = written.partition("/")
        above, below = unit(head), per(tail)
        return (f"{above[0]} {below}", f"{above[1]} {below}") if above and below else None
    for power, word in (("^2", "square"), ("^3", "cubic"), ("2", "square"), ("3", "cubic")):
        base = unit(written.removesuffix(power)) if written.endswith(power) and len(written) > len(power) else None
        if base and written.removesuffix(power).lower() in ("m", "km", "cm", "mm", "dm", "ft", "in", "mi", "yd", "μm", "nm"):
            return f"{word} {base[0]}", f"{word} {base[1]}"
    return None


@lru_cache(maxsize=4096)
def per(written: str) -> str | None:
    """What stands behind a slash: "kg" -> "per kilogram"; None when it is neither a unit nor a period."""
    said = table("per").get(written)
    if said is None:
        found = unit(written)
        said = found[0] if found else None
    if said is None and written.isalpha() and len(written) > 3:
        said = written.lower()
    return said if said is None or said == "each" else f"per {said}"


@lru_cache(maxsize=1)
def unit_plurals() -> MappingProxyType:
    """Plural -> singular of the words that units and currencies are made of ("feet" -> "foot")."""
    pairs = {}
    for entry in (*table("units").values(), *table("currencies").values()):
        for singular, many in zip(entry[::2], entry[1::2], strict=True):
            pairs.update((b, a) for a, b in zip(singular.split(), many.split(), strict=True) if a != b)
    return MappingProxyType(pairs)
