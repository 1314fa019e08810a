"""Spoken words folded so that every way to say the same number, date, time or sum of money ends in one form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workbench.text.numbers import SCALES, SMALL, TENS, ordinal, ordinal_word, plural
from workbench.text.tables import MONTHS, table, unit_plurals

_UNITS = {word: value for value, word in enumerate(SMALL)} | {"oh": 0, "o": 0, "nought": 0, "naught": 0}
_TENS = {word: 10 * value for value, word in enumerate(TENS) if value > 1} | {"fourty": 40, "ninty": 90}
_SCALE = {word: 1000**power for power, word in enumerate(SCALES) if word} | {"hundred": 100}


@dataclass(frozen=True, slots=True)
class _Word:
    """A number word: its value, and "th" (third), "ths" (thirds), "s" (eighties) or nothing behind it."""

    kind: str  # "unit" | "teen" | "ten" | "scale"
    value: int
    suffix: str = ""


@lru_cache(maxsize=1)
def _number_words() -> dict[str, _Word]:
    words: dict[str, _Word] = {}
    for names, kind in ((_UNITS, "unit"), (_TENS, "ten"), (_SCALE, "scale")):
        for name, value in names.items():
            actual = "teen" if kind == "unit" and value > 9 else kind
            words[name] = _Word(actual, value)
            if name in ("oh", "o", "nought", "naught"):
                continue
            rank = ordinal_word(name)
            words[rank] = _Word(actual, value, "th")
            words[rank + "s"] = _Word(actual, value, "ths")
            words.setdefault(plural(name), _Word(actual, value, "s"))
            words[name + "'s"] = _Word(actual, value, "s")
    words["half"] = _Word("part", 2, "th")
    words["halves"] = _Word("part", 2, "ths")
    words["quarter"] = _Word("part", 4, "th")
    words["quarters"] = _Word("part", 4, "ths")
    return words


def is_number_word(word: str) -> bool:
    """Whether ``word`` is or may be part of a number ("seven", "oh", "half", "third")."""
    return word in _number_words()


#: Before a number in digits that is not joined to the one before it.
_APART = "~"


def fold_numbers(words: Sequence[str]) -> list[str]:
    """Number words to digits: each phrase by its value, an ordinal with "th" behind it.

    ``["two", "hundred", "and", "five"]`` -> ``["205"]``; ``["twenty", "oh", "six"]`` -> ``["20", "0", "6"]`` (joined later).
    ``["four", "eight", "hundred"]`` -> ``["4", "~800"]``: that is not 4,800 with its "thousand" unsaid; "one eight hundred five five five" is a row.
    """
    known = _number_words()
    if known.keys().isdisjoint(words):
        return list(words)
    words = _repeated(words)
    out: list[str] = []
    i = 0
    while i < len(words):
        if words[i] == "point" and i + 1 < len(words) and words[i + 1] in known:
            i = _decimals(words, i + 1, known, out)
            continue
        taken, said = _phrase(words, i, known)
        apart = taken and "hundred" in words[i : i + taken] and _alone_before(out) and not (i + taken < len(words) and words[i + taken] in known)
        out.append((_APART if apart else "") + said if taken else words[i])
        i += taken or 1
    return out


def _alone_before(out: Sequence[str]) -> bool:
    """Whether one number, no row of them, was the last thing said."""
    return bool(out) and out[-1].isdigit() and not (len(out) > 1 and out[-2].isdigit())


def _decimals(words: Sequence[str], start: int, known: dict[str, _Word], out: list[str]) -> int:
    """Digits behind "point", each by itself ("five million" is no number there); a scale stays a word.

    Returns:
        Where the reading goes on.
    """
    out.append("point")
    i = start
    while i < len(words) and words[i] in known:
        word = known[words[i]]
        if word.suffix or word.kind in ("scale", "part") or (i > start and words[i + 1 : i + 2] == ["hundred"]):
            break
        if word.kind == "ten" and i + 1 < len(words) and words[i + 1] in SMALL[1:10]:
            out.append(str(word.value + known[words[i + 1]].value))
            i += 1
        else:
            out.append(str(word.value))
        i += 1
    if i < len(words) and words[i] in _SCALE and i > start:
        out.append(words[i])
        i += 1
    return max(i, start)


_DIGITS = frozenset({*SMALL[:10], "oh", "o"})


def _repeated(words: Sequence[str]) -> list[str]:
    """"double five" -> five five, "triple" thrice; "two and a half million" -> two point five million."""
    out: list[str] = []
    words = list(words)
    for i, word in enumerate(words):
        times = {"double": 1, "triple": 2}.get(word)
        if word == "half" and words[i - 2 : i] == ["and", "a"] and words[i + 1 : i + 2] and words[i + 1] in _SCALE:
            out[-2:] = ["point", "five"]
        elif times and i + 1 < len(words) and words[i + 1] in _DIGITS:
            out += [words[i + 1]] * times
        else:
            out.append(word)
    return out


def _phrase(words: Sequence[str], start: int, known: dict[str, _Word]) -> tuple[int, str]:
    """The longest number phrase at ``start``: how many words it takes and its digits; 0 when there is none."""
    first = words[start]
    if first in ("a", "an") and start + 1 < len(words) and words[start + 1] in _SCALE:
        taken, said = _phrase(["one", *words[start + 1 : start + 24]], 0, known)
        return taken, said
    if first not in known or not _is_number_here(words, start, known):
        return 0, ""
    total = group = 0
    last_kind, last_scale = "", 1000**30
    i = start
    while i < len(words):
        word = known.get(words[i])
        if word is None or not _fits(word, last_kind, group, last_scale):
            if words[i] == "and" and last_kind == "scale" and i + 1 < len(words) and _continues(known.get(words[i + 1])):
                i += 1
                continue
            break
        if word.kind == "part":
            return 1, f"{word.value}{word.suffix}"
        # "one eight hundred five five five": a row of digits behind the hundred, not 805.
        if last_kind == "scale" and words[i] in _DIGITS and i + 1 < len(words) and words[i + 1] in _DIGITS:
            break
        if words[i] == "seconds" and i > start and not _counts(words, start - 1, known):
            break
        if word.kind == "scale" and word.value == 100:
            group = max(group, 1) * 100
        elif word.kind == "scale":
            total, group, last_scale = total + max(group, 1) * word.value, 0, word.value
        else:
            group += word.value
        last_kind = "zero" if word.kind == "unit" and word.value == 0 else word.kind
        i += 1
        if word.suffix:
            return i - start, f"{total + group}{word.suffix}"
    return i - start, str(total + group)


def _fits(word: _Word, last_kind: str, group: int, last_scale: int) -> bool:
    """Whether a number word goes on with the phrase so far, or starts a new one ("twenty" + "twelve")."""
    if not last_kind:
        return True
    if last_kind == "zero" or word.kind == "part":
        return False
    if word.kind == "unit":
        return word.value > 0 and last_kind in ("ten", "scale")
    if word.kind in ("ten", "teen"):
        return last_kind == "scale"
    if word.kind == "scale":
        if word.value == 100:
            return 0 < group < 100
        return (group > 0 and word.value < last_scale) or (last_kind == "scale" and group > 0)
    return False


def _continues(word: _Word | None) -> bool:
    return word is not None and word.kind in ("unit", "teen", "ten") and word.value > 0


def _counts(words: Sequence[str], at: int, known: dict[str, _Word]) -> bool:
    """Whether a cardinal stands at ``at``."""
    return 0 <= at < len(words) and words[at] in known and not known[words[at]].suffix and words[at] not in ("o", "oh")


def _is_number_here(words: Sequence[str], at: int, known: dict[str, _Word]) -> bool:
    """Number words that also mean something else: "oh", "second", "quarter", "half"."""
    word = words[at]
    if word == "o" and at and len(words[at - 1]) == 1:
        return False
    if word in ("o", "oh"):
        left, right = at - 1, at + 1
        while at - left < 8 and left > 0 and words[left] == word:
            left -= 1
        while right - at < 8 and right < len(words) - 1 and words[right] == word:
            right += 1
        return _counts(words, left, known) or _counts(words, right, known)
    if word in ("second", "seconds"):
        return words[at - 1 : at] in ([m] for m in MONTHS) or any(w in MONTHS for w in words[at + 1 : at + 3])
    if known[word].kind == "part":
        return _counts(words, at - 1, known)
    return True


_LETTERS = re.compile(r"(?<![^ ])(?:[a-z] )+[a-z](?: ?'s)?(?![^ ])")
_MONTH = f"({'|'.join(MONTHS)})"
_N = r"(?<![^ ])(\d+)(?![^ ])"


def _join_letters(m: re.Match[str]) -> str:
    joined = m[0].replace(" ", "")
    if joined[:2] in ("am", "pm") and len(joined) > 2 and m.string[m.start() - 2 : m.start() - 1].isdigit():
        return f"{joined[:2]} {joined[2:]}"
    return joined


def _swap_fraction(m: re.Match[str]) -> str:
    above, below, suffix = m[1], m[2], m[3]
    if (above == "1") == (suffix == "th") and int(below) > 1:
        return f"{above}/{below}"
    return m[0]


def _decimal_scaled(m: re.Match[str]) -> str:
    head, tail, scale = m[1], m[2].replace(" ", ""), m[3]
    power = len(str(_SCALE[scale])) - 1
    digits = (head + tail.ljust(power, "0")) if len(tail) <= power else head + tail[:power]
    rest = tail[power:].rstrip("0")
    return (digits.lstrip("0") or "0") + (f" point {rest}" if rest else "")


def _money(m: re.Match[str]) -> str:
    major, currency, cents = m[1], m[2], int(m[3])
    if cents > 99 or m[4] != _hundredth(currency):
        return m[0]
    return f"{major} point {cents:02d} {currency}"


@lru_cache(maxsize=1)
def table_of_cents() -> dict[str, str]:
    """Hundredth of a currency -> a currency that has it."""
    return {entry[2]: entry[0] for entry in table("currencies").values() if entry[2]}


@lru_cache(maxsize=1)
def _currencies() -> str:
    return "|".join(sorted({entry[0].split()[-1] for entry in table("currencies").values()} - {"cent"}))


@lru_cache(maxsize=1)
def _steps() -> tuple[tuple[re.Pattern[str], object], ...]:
    """Substitutions on the words joined by spaces, numbers already in digits, in the order in which they apply."""
    cents = "|".join(sorted(table_of_cents()))
    scales = "|".join(sorted(_SCALE, key=len, reverse=True))
    money = _currencies()
    month = _MONTH
    wanted = [
        # point: digits behind it are one row; a scale behind a decimal multiplies it
        (r"(?<!\d )\bpoint (?=\d)", "0 point "),
        (r"(?<=\d) dot (?=\d)", " point "),
        (rf"\b(\d+) point ((?:\d+ )*\d+) ({scales})\b", _decimal_scaled),
        # halves, quarters, thirds
        (r"\b(?:(?:(?:a|1) )?half|1 2th)\b(?! past)", "1/2"),
        (r"\ba quarter\b(?! (?:past|to))", "1/4"),
        (rf"{_N} (\d+)(ths?)(?![^ ])", _swap_fraction),
        (r"\b(\d+) and a (\d+)th\b", r"\1 1/\2"),
        (r"\b(\d+) and (\d+/\d+)", r"\1 \2"),
        (r"\b1/(10{2,})\b", r"\1th"),
        (r"(?<![^ ])(\d+) (1/2|1/4|3/4)(?![^ ])", lambda m: f"{m[1]} point {({'1/2': 5, '1/4': 25, '3/4': 75})[m[2]]}"),
        (r"(?<=\d)(/\d+| point \d+) (?:of )?an? ", r"\1 "),
        (r"\b(\d+) over (\d+)\b", r"\1/\2"),
        # times
        (r"\b(\d+) hours? (\d{1,2}) minutes?(?: and)? (\d{1,2}) seconds?\b", lambda m: f"{m[1]} {int(m[2]):02d} {int(m[3]):02d}"),
        (r"\bhalf past (\d+)\b", r"\1 30"),
        (r"\b(?:a )?(?:quarter|1/4) (?:past|after) (\d+)\b", r"\1 15"),
        (r"\b(?:a )?(?:quarter|1/4) to (\d+)\b", lambda m: f"{(int(m[1]) - 2) % 12 + 1} 45"),
        (r"\b(\d{1,2}) (?:minutes? )?past (\d+)\b", lambda m: f"{m[2]} {int(m[1]):02d}"),
        (r"\b(\d+) o'clock\b", r"\1"),
        # dates: month, day and year in this order
        (rf"\b(?:the )?(\d{{1,2}})(?:th)?(?: day)? (?:of )?{month}\b", r"\2 \1"),
        (rf"\b{month} (?:the )?(\d{{1,2}})th\b", r"\1 \2"),
        (rf"\b(\d{{4}}) {month} (\d{{1,2}})\b(?! \d)", r"\2 \3 \1"),
        # one row of digits from what is said in pieces
        (r"(?<=\d) (?=\d+(?:s|th)?(?![^ ]))", ""),
        (r"\b(\d+) (k|m|b|bn)(?![^ ]| \d)", lambda m: m[1] + "0" * {"k": 3, "m": 6, "b": 9, "bn": 9}[m[2]]),
        # money
        (rf"(?<=\d) us (?={money}\b)", " "),
        (rf"\b(\d+) ({money}) (?:and )?(\d{{1,2}}) ({cents})\b", _money),
        (rf"\b(\d+) (dollar|pound|euro) (\d\d)(?![^ ])(?! (?:{money}))", r"\1 point \3 \2"),
        (rf"\b0 point (\d)(\d?)0* ({money})\b", lambda m: f"{int(m[1] + (m[2] or '0'))} {_hundredth(m[3])}"),
        (rf"\b(\d+) point (\d*?)0+ (?={money}\b)", lambda m: f"{m[1]} point {m[2]} " if m[2] else f"{m[1]} "),
        (r"\b(\d+) by (?=\d)", r"\1 x "),
        (r"\b(\d+) times\b", r"\1 x"),
        (r"\b(\d+) foot (\d+) inch\b", r"\1 foot \2"),
        (rf"\b([\d]+(?: point \d+)?) ({money}|percent) to (?=\d+(?: point \d+)? \2\b)", r"\1 to "),
        (r"\b(\d+) (?:through|until|till) (?=\d)", r"\1 to "),
        (r"\b(\d+)ths\b", lambda m: ordinal(int(m[1])) + "s"),
        (r"\b(\d+)th\b", lambda m: m[1] + _ordinal_ending(m[1])),
        (_APART, ""),
        (r" +", " "),
    ]
    return tuple((re.compile(pattern), by) for pattern, by in wanted)


def _ordinal_ending(number: str) -> str:
    return "th" if number[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")


@lru_cache(maxsize=1)
def _address() -> re.Pattern[str]:
    return re.compile(rf" dot (?:{'|'.join(table('endings')['net'])})(?![^ ])")


@lru_cache(maxsize=64)
def _hundredth(currency: str) -> str:
    return next(entry[2] for entry in table("currencies").values() if entry[0].split()[-1] == currency)


def fold_values(words: Sequence[str]) -> str:
    """Words, numbers in words or not, to one line in which equal values are written equally."""
    line = " ".join(fold_numbers(words))
    line = _LETTERS.sub(_join_letters, line)
    if _address().search(line):
        # How the words of an address are parted cannot be heard: "enterprise services at" is "enterpriseservices@".
        line = re.sub(r"(?<=[a-z]) (?=[a-z])", "", line)
    if not any(c.isdigit() for c in line) and "half" not in line and "quarter" not in line:
        return line
    plurals = unit_plurals()
    line = re.sub(r"(?<=\d )([a-z]+(?: [a-z]+){0,2})", lambda m: " ".join(plurals.get(w, w) for w in m[1].split()), line)
    for pattern, by in _steps():
        line = pattern.sub(by, line)
    return line.strip()
