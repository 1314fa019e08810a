"""Unicode down to what an English recogniser writes, with the way back to the raw text."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Characters whose compatibility form would mislead the reader of numbers, quotes and dashes.
_OVERRIDES = {
    **dict.fromkeys("‘’‛ʼ′＇", "'"),
    "`": '"',
    "´": "'",
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–−﹣－", "-"),
    **dict.fromkeys("—―⸺⸻", " - "),
    "º": "°",
    "™": " ",
    "℠": " ",
    "№": "No. ",
    "²": "^2",
    "³": "^3",
    "ß": "ss",
    "ẞ": "SS",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "Đ": "D",
    "ł": "l",
    "Ł": "L",
    "þ": "th",
    "Þ": "Th",
    "ı": "i",
}
_LATIN_MARKS = range(0x0300, 0x0370)


@lru_cache(maxsize=20_000)
def _fold_character(c: str) -> str:
    seen = ""
    folded = _fold_once(c)
    # Lower-casing later must not bring back anything to fold, or normalising twice would differ from once.
    while folded != seen:
        seen = folded
        lowered = "".join(map(_fold_once, folded.lower()))
        if lowered != folded.lower():
            folded = lowered
    return folded


def _fold_once(c: str) -> str:
    if c in _OVERRIDES:
        return _OVERRIDES[c]
    if c < "\x7f":
        return c if c >= " " else " "
    if unicodedata.decimal(c, None) is not None:
        return str(unicodedata.decimal(c))
    category = unicodedata.category(c)
    if category in ("Cf", "Cs", "Co", "Cn", "Mn", "Me"):
        return ""
    if category in ("Zs", "Zl", "Zp", "Cc"):
        return " "
    plain = unicodedata.normalize("NFKC", c)
    if "\u2044" in plain:  # vulgar fractions: 3½ is "3 1/2"
        return f" {plain.replace(chr(0x2044), '/')} "
    bare = "".join(p for p in unicodedata.normalize("NFD", plain) if ord(p) not in _LATIN_MARKS)
    bare = unicodedata.normalize("NFC", bare)
    return "".join(_fold_once(p) for p in bare) if bare != c else c


def fold_characters(text: str) -> tuple[str, list[int] | None]:
    """Fold ``text``: NFKC, straight quotes and hyphens, bare letters, ASCII digits, nothing invisible. Case is kept.

    Returns:
        The folded text, and for each of its characters the index of the raw one it came from (None: the same index).
    """
    if text.isascii() and text.isprintable() and "`" not in text:
        return text, None
    pieces = [_fold_character(c) for c in text]
    origin = [i for i, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), origin
