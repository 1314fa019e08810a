"""Words written short: abbreviations, initials, Roman numerals, addresses of the net."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

from workbench.text.numbers import cardinal, digits, ordinal
from workbench.text.tables import month_names, table

_ROMAN = re.compile(r"(?=[IVXLC])(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![\w'.]\w?)")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_DOTTED = re.compile(r"(?:(?:[A-Za-z]\.)+[A-Za-z](?![\w'])\.?|(?:[A-Za-z]\.){2,})(?:'?s\b)?|(?:Ph\.\s?D|[BM]\.\s?Sc)\b\.?")
_DAY_ENDS = re.compile(r", ?\d|-[A-Z]")
_NAME_FOLLOWS = re.compile(r"\.? [A-Z0-9]")
_NUMBERED_STREET = re.compile(r"\.? \d{1,3}(?:st|nd|rd|th) (?:St|Ave|Street|Avenue)\b")
#: Behind these "Sat." and "Sun." are days, not words that end a sentence.
_BEFORE_A_DAY = frozenset("on every next last this until till by from to through thru".split())
_STATE_ENDS = re.compile(r"\s*(?:$|[.,;:)!?]|\d{5})")
_NET_PIECES = re.compile(r"[^\W\d_]+|\d+|.")


DAYS = MappingProxyType({
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "thu": "thursday", "thur": "thursday", "thurs": "thursday",
    "fri": "friday", "sat": "saturday", "sun": "sunday",
})


@lru_cache(maxsize=1)
def net_pattern() -> re.Pattern[str]:
    """Addresses: with a scheme, of mail, of a site, a file's name."""
    endings = "|".join(sorted({*table("endings")["net"], *table("endings")["files"]}, key=len, reverse=True))
    name = r"[A-Za-z0-9][\w-]{0,62}"
    return re.compile(
        r"(?:https?|ftp|file)://[^\s<>\"]*[\w/]"
        r"|www\.[^\s<>\"]*[\w/]"
        rf"|(?<![\w.])[A-Za-z0-9][\w.+-]{{0,63}}@{name}(?:\.{name}){{1,6}}(?:/[^\s<>\"]*[\w/])?"
        rf"|(?<![\w.]){name}(?:\.{name}){{0,6}}\.(?:{endings})\b(?![.@'-]?\w)(?:/[^\s<>\"]*[\w/])?"
    )


def say_address(address: str) -> str:
    """An address symbol by symbol: letters as words, digits one by one."""
    names = table("net")
    said = []
    for piece in _NET_PIECES.findall(address):
        piece = {"jpg": "jpeg"}.get(piece.lower(), piece)
        said.append(digits(piece) if piece.isdecimal() else names.get(piece, piece.lower() if piece.isalpha() else ""))
    return " ".join(filter(None, said))


def roman_value(numeral: str) -> int:
    """``"XIV"`` -> 14."""
    values = [_ROMAN_VALUES[c] for c in numeral]
    return sum(-v if any(v < later for later in values[i + 1 :]) else v for i, v in enumerate(values))


#: Roman numerals in small letters, as pages of a preface are numbered ("page ix"); one letter alone is none.
SMALL_ROMAN = frozenset(f"{tens}{ones}" for tens in ("", "x", "xx", "xxx") for ones in ("", *"i ii iii iv v vi vii viii ix".split()) if len(tens + ones) > 1)


def say_small_roman(word: str, before: list[str]) -> str | None:
    """A Roman numeral in small letters behind "page", "chapter" and the like."""
    if word in SMALL_ROMAN and before and before[-1].lower().rstrip(".") in (*table("roman")["counted"], "page", "pages", "p", "pp"):
        return cardinal(roman_value(word.upper()))
    return None


def say_roman(text: str, start: int, before: list[str]) -> tuple[str, int] | None:
    """A Roman numeral at ``start``: counted after "chapter", ranked after a capitalised name; None when it is a word."""
    m = _ROMAN.match(text, start)
    if not m or not m[0]:
        return None
    if not before or not before[-1][:1].isupper():
        # No English word is spelt II or VIII; IV, VI, XL, LI and the like are also something else.
        return (cardinal(roman_value(m[0])), m.end()) if re.fullmatch(r"X{0,3}V?I{2,3}|X{1,3}I[VX]|XVI?|X{2,3}", m[0]) else None
    counted = before[-1].lower() in table("roman")["counted"]
    value = roman_value(m[0])
    if counted:
        return cardinal(value), m.end()
    # "King Henry VIII": one letter alone ("Malcolm X", "vitamin C", "Sam and I") stays a letter.
    name = before[-1]
    if len(m[0]) > 1 and len(name) > 2 and not name.isupper() and m[0] not in ("LI", "XL", "CC", "CV", "MI"):
        return f"the {ordinal(value)}", m.end()
    return None


def say_dotted(text: str, start: int) -> tuple[str, int] | None:
    """Letters with full stops between ("U.S.A.", "e.g.", "p.m.", "Ph.D.")."""
    m = _DOTTED.match(text, start)
    if not m:
        return None
    bare = m[0].replace(" ", "").rstrip(".").lower()
    phrase = table("phrases").get(bare)
    return (phrase[0] if phrase else bare.replace(".", "")), m.end()


def say_short(text: str, start: int, end: int, before: list[str]) -> tuple[str, int] | None:
    """A word written short at ``start:end``.

    Args:
        text: the folded text. before: the written words so far, for "St." behind a name and in front of one.

    Returns:
        What is said and where the written form ends; None for an ordinary word.
    """
    word = text[start:end]
    lower = word.lower()
    stop = text.startswith(".", end)
    after = text[end + stop : end + stop + 12].lstrip(" ")
    last = before[-1] if before else ""
    a_word = stop and lower in ("sat", "sun") and last.lower() not in _BEFORE_A_DAY
    if lower in DAYS and word[0].isupper() and (stop or _DAY_ENDS.match(text, end)) and not a_word:
        return DAYS[lower], end + stop
    if lower in DAYS and word[0].isupper() and start and text[start - 1] == "-" and before and before[-1].lower() in DAYS:
        return DAYS[lower], end + stop
    always, stopped = table("always").get(lower), table("stopped").get(lower)
    street = table("streets").get(lower)
    behind_name = (last[:1].isupper() or last[-2:] in ("st", "nd", "rd", "th")) and last[-1:] not in ".!?"
    if lower == "st" and last.lower().rstrip(".") in table("saint")["behind"]:
        behind_name = False
    if street and behind_name and (stop or word[0].isupper() or last[0].isdigit()) and (lower != "dr" or not after[:1].isupper()):
        return street, end + stop
    if always:
        return always[0], end + stop
    if lower in table("numbered") and stop and after[:1].isdigit():
        return table("numbered")[lower][0], end + 1
    if stopped and stop and _is_short(word, lower, after):
        if lower in ("st", "ft"):
            return ("saint" if lower == "st" else "fort"), end + 1
        return stopped[0], end + 1
    return _say_place(text, start, end, before)


def _is_short(word: str, lower: str, after: str) -> bool:
    """Whether a word with a full stop is an abbreviation here, or ends a sentence ("On the mar.", "to the max.")."""
    stops = table("stops")
    if word[0].isupper():
        return lower in month_names() or lower in stops["capitalised"] or after[:1].isupper()
    goes_on = after[:1] not in ("", "\n") and not after[:1].isupper()
    return lower in stops["inside"] and (goes_on or (lower in stops["anywhere"] and bool(after)))


def _say_place(text: str, start: int, end: int, before: list[str]) -> tuple[str, int] | None:
    word = text[start:end]
    if not word.isupper() or len(word) > 2 or not before:
        return None
    direction = table("directions").get(word)
    number_before = before[-1][0].isdigit()
    stop = text.startswith(".", end)
    if direction and (_NUMBERED_STREET if not number_before else _NAME_FOLLOWS).match(text, end):
        return direction, end + stop
    # A state's code stands behind a comma, and a number, a stop or nothing follows.
    state = table("states").get(word)
    if state and re.search(r",\s*$", text[max(0, start - 3) : start]) and _STATE_ENDS.match(text, end):
        return state, end
    return None


@lru_cache(maxsize=1)
def _full_forms() -> MappingProxyType:
    forms: dict[str, list[tuple[str, ...]]] = {}
    for name in ("always", "stopped", "numbered", "phrases"):
        for short, said in table(name).items():
            forms.setdefault(short.replace(".", ""), []).extend(tuple(s.split()) for s in said)
    for short, said in table("units").items():
        forms.setdefault(short.lower(), []).extend(tuple(s.split()) for s in said)
    for name in ("streets", "states", "directions"):
        for short, said in table(name).items():
            forms.setdefault(short.lower(), []).append(tuple(said.split()))
    for short, full in month_names().items():
        if short != full:
            forms.setdefault(short, []).append((full,))
    return MappingProxyType({short: tuple(dict.fromkeys(said)) for short, said in forms.items()})


def abbreviation_of(word: str) -> tuple[tuple[str, ...], ...]:
    """Possible full spoken forms of an abbreviation, any case, with or without full stops: "mph" -> (("miles", "per", "hour"), ...).

    Empty when ``word`` abbreviates nothing known.
    """
    return _full_forms().get(word.lower().replace(".", ""), ())
