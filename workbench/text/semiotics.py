"""Numbers and what stands with them - money, measures, dates, times, fractions, telephone numbers - said in words.

Each rule is a pattern and a function from its match to the words, or None where the match is something else after all.
The classes are those of Sproat et al., "Normalization of non-standard words", Computer Speech & Language 15 (2001).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from workbench.text.numbers import SMALL, cardinal, decimal, digits, ordinal, plural, whole, year
from workbench.text.tables import MONTHS, month_names, per, table, unit

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]

_INT = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_NUM = rf"(?:{_INT}(?:\.\d+)?|\.\d+)"
_YEAR = r"(?:\d{4})(?![\d%]|[.,:/]\d)"
_HALF_DAY = r"(?P<half>[aApP])\.?\s?[mM]\b(?:\.(?!\w*@))?"
_ZONE = r"(?:\s?(?P<zone>(?i:[ecmp]\.?[sd]?\.?t|g\.?m\.?t|u\.?t\.?c|c\.?e\.?t|b\.?s\.?t|i\.?s\.?t))\b\.?)?"
_SCALE = r"(?:[ -]?(?P<scale>hundred|thousand|[mbtr]+illion|(?:k|K|mln|mn|m|M|MM|bln|bn|b|B|tn|trn|T)\b))"


def _month_pattern() -> str:
    return rf"(?P<month>{'|'.join(sorted(month_names(), key=len, reverse=True))})\b\.?"


def _ambiguous_month(word: str) -> bool:
    """Lower-case "may", "march" and "mar" are more often words than months."""
    return word in ("may", "march", "mar", "dec", "sep")


def _year_words(text: str) -> str:
    if text[0] == "0":
        return digits(text).replace("zero", "oh")
    return year(int(text)) if len(text) == 4 else cardinal(int(text))


def _day_month_year(m: re.Match[str]) -> str | None:
    day, written = int(m["day"]), m["month"]
    if not 1 <= day <= 31 or (_ambiguous_month(written) and not (m["suffix"] or m["year"])):
        return None
    month = month_names()[written.lower()]
    return f"the {ordinal(day)} of {month}" + (f" {_year_words(m['year'])}" if m["year"] else "")


def _month_day_year(m: re.Match[str]) -> str | None:
    day, written = int(m["day"]), m["month"]
    if not 1 <= day <= 31 or (_ambiguous_month(written) and not (m["suffix"] or m["year"])):
        return None
    return f"{month_names()[written.lower()]} {ordinal(day)}" + (f" {_year_words(m['year'])}" if m["year"] else "")


def _month_year(m: re.Match[str]) -> str:
    return f"{month_names()[m['month'].lower()]} {year(int(m['year']))}"


def _numeric_date(m: re.Match[str]) -> str | None:
    months = MONTHS
    first, second = int(m["a"]), int(m["b"])
    if 1 <= first <= 12 and 1 <= second <= 31:
        return f"{months[first - 1]} {ordinal(second)} {_year_words(m['year'])}"
    if 1 <= second <= 12 and 1 <= first <= 31:
        return f"the {ordinal(first)} of {months[second - 1]} {_year_words(m['year'])}"
    return None


def _decade(m: re.Match[str]) -> str | None:
    number = int(m["number"])
    if number % 10 or (m["gap"] and number < 1000):
        return None
    return plural(year(number) if number >= 1000 else cardinal(number))


def _rounded(m: re.Match[str]) -> str:
    """ "100s of birds", "1,000s": hundreds, thousands."""
    return plural(cardinal(int(m["number"].replace(",", ""))).removeprefix("one "))


def _time(m: re.Match[str]) -> str | None:
    hour, minute, second = int(m["hour"]), int(m["minute"]), m["second"]
    if hour > 24 or minute > 59 or (second and int(second) > 59):
        return f"{cardinal(hour)} to {whole(m['minute'])}" if not second and not m["half"] else None
    if second:
        clock = f"{_counted(hour, 'hour')} {_counted(minute, 'minute')} and {_counted(int(second), 'second')}"
    elif minute:
        clock = f"{cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)}"
    elif m["half"]:
        clock = cardinal(hour)
    else:
        clock = f"{cardinal(hour)} o'clock" if hour <= 12 else f"{cardinal(hour)} hundred"
    return clock + _half_and_zone(m)


def _counted(count: int, noun: str) -> str:
    return f"{cardinal(count)} {noun}{'' if count == 1 else 's'}"


def _half_and_zone(m: re.Match[str]) -> str:
    half = f" {m['half'].lower()}m" if m["half"] else ""
    return half + (f" {m['zone'].replace('.', '').lower()}" if m["zone"] else "")


def _hour(m: re.Match[str]) -> str | None:
    hour, minute = int(m["hour"]), m["minute"]
    if hour > 24 or (minute and int(minute) > 59):
        return None
    minutes = f" {'oh ' if minute[0] == '0' else ''}{cardinal(int(minute))}" if minute and int(minute) else ""
    return cardinal(hour) + minutes + _half_and_zone(m)


def _scaled(number: str, scale: str | None) -> str:
    return f"{decimal(number)} {table('scales').get(scale, scale)}" if scale else decimal(number)


_ARTICLE = re.compile(r"(?:(?:^|[\s(\"])an?|(?:^|[.!?]\"? )An?) $")


def _describes(m: re.Match[str]) -> bool:
    """Whether an article in front makes the number describe what follows: "a $100 bill", "a 5 km walk"; "Plan A" has none."""
    return bool(_ARTICLE.search(m.string, max(0, m.start() - 6), m.start()))


def _money(m: re.Match[str]) -> str | None:
    one, many, cent, cents = table("currencies")[m["currency"]]
    number, scale = m["number"], m["scale"]
    period = f" {per(m['per'])}" if m["per"] and per(m["per"]) else ""
    head, _, tail = number.replace(",", "").partition(".")
    tail = tail[:2] + tail[2:].rstrip("0")
    if scale or len(tail) > 2 or not cent:
        single = (number == "1" and not scale) or _describes(m)
        return f"{_scaled(number, scale)} {one if single else many}{period}"
    whole_part, hundredths = int(head or 0), int(tail.ljust(2, "0"))
    parts = []
    if whole_part or not hundredths:
        parts.append(f"{whole(str(whole_part))} {one if whole_part == 1 or (not hundredths and _describes(m)) else many}")
    if hundredths:
        parts.append(f"{cardinal(hundredths)} {cent if hundredths == 1 else cents}")
    return " and ".join(parts) + period


def _money_range(m: re.Match[str]) -> str | None:
    return f"{decimal(m['first'])} to {_money(m)}"


def _fraction(m: re.Match[str]) -> str | None:
    above, below = int(m["above"]), int(m["below"])
    if below == 0 or max(above, below) > 10**9:
        return None
    part = {1: "over one", 2: "half", 4: "quarter"}.get(below) or ordinal(below)
    if above != 1 and below != 1:
        part = "halves" if below == 2 else part + "s"
    said = f"{cardinal(above)} {part}"
    if m["whole"]:
        said = f"{whole(m['whole'])} and {'a half' if (above, below) == (1, 2) else said}"
    measured = unit(m["unit"]) if m["unit"] else None
    if m["unit"] and not measured:
        return None
    return f"{said} {measured[1 if m['whole'] else 0]}" if measured else said


def _measure(m: re.Match[str]) -> str | None:
    written, gap, follows = m["unit"], m["gap"], m["follows"]
    found = unit(written)
    careful = table("careful")
    if found is None or (not gap and written in careful["apart"]):
        return None
    if gap == " " and written in careful["units"] and follows:
        return None
    number, last = m["number"], m["last"]
    said = f"{decimal(number)} to {decimal(last)}" if last else decimal(number)
    return f"{'minus ' if m['sign'] else ''}{said} {found[0] if (last or number) == '1' or _describes(m) else found[1]}"


def _per(m: re.Match[str]) -> str | None:
    said = per(m["per"])
    return f"{decimal(m['number'])} {said}" if said else None


def _ordinal(m: re.Match[str]) -> str:
    number, suffix = m["number"].replace(",", ""), m["suffix"].lower()
    usual = "th" if number[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    # "4th" written "4rd" is what the writer typed: the digits, then the letters.
    if suffix != usual and not (suffix == "nd" and usual == "nd"):
        return f"{whole(number)} {suffix}"
    return ordinal(int(number)) if len(number) < 60 else f"{digits(number)} {suffix}"


def _telephone(m: re.Match[str]) -> str:
    return " ".join("plus" if c == "+" else SMALL[int(c)] for c in m[0] if c == "+" or c.isdigit())


def _dotted(m: re.Match[str]) -> str:
    parts = m[0].split(".")
    return " dot ".join(digits(p) if len(parts) == 4 else whole(p) for p in parts)


def _hyphened(m: re.Match[str]) -> str:
    return " ".join(say_serial(part) for part in m[0].split("-"))


def say_serial(text: str) -> str:
    """Letters and digits in a row: "25d08a" -> "twenty five d zero eight a"."""
    runs = re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+", text)
    return " ".join((decimal(run) if run[0].isdecimal() else run.lower()) for run in runs)


def _plain(m: re.Match[str]) -> str:
    sign = "minus " if m["sign"] else ""
    number = m["number"]
    looks_like_year = len(number) == 4 and number.isdecimal() and (1100 <= int(number) <= 1999 or 2001 <= int(number) <= 2099)
    if m["scale"]:
        return f"{sign}{_scaled(number, m['scale'])}"
    return sign + (year(int(number)) if looks_like_year and not sign else decimal(number))


@lru_cache(maxsize=1)
def number_rules() -> tuple[Rule, ...]:
    """The rules in the order in which they are tried at a digit, a sign, a currency or a month."""
    month = _month_pattern()
    currency = "|".join(sorted(map(re.escape, table("currencies")), key=len, reverse=True))
    unit_ = r"(?:°\s?[CFKcf]?\b|°|%|‰|(?:sq|cu|fl) ?(?:ft|m|km|mi|in|oz)\b|(?:[^\W\d_]{1,5}(?:/[^\W\d_]{1,4})?)(?:\^[23]|[23])?(?![\w^]))"
    suffix = r"(?P<suffix>st|nd|rd|th|ST|ND|RD|TH)\b"
    fraction = r"(?<![/])(?:(?P<whole>\d+)[ -])?(?P<above>\d+)/(?P<below>\d+)(?:th|TH|rd|nd|st)?s?(?![\w/]|\.\d)"
    gap_year = rf"(?:(?:\s?,\s?|[ -])(?P<year>{_YEAR}))?"
    wanted: list[tuple[str, Callable]] = [
        (r"(?P<year>\d{4})([-/.])(?P<a>\d{1,2})\2(?P<b>\d{1,2})(?![\w-])", _numeric_date),
        (r"(?P<a>\d{1,2})([-/.])(?P<b>\d{1,2})\2(?P<year>\d{4}|\d{2})(?![\w-])", _numeric_date),
        (rf"(?P<day>\d{{1,2}})(?:{suffix})?[ -]?(?:of )?(?i:{month}){gap_year}", _day_month_year),
        (rf"(?i:{month})[ -](?P<day>\d{{1,2}})(?:{suffix}|(?![\d\w%:]|[.,:/]\d)){gap_year}", _month_day_year),
        (rf"(?i:{month}),?[ -](?P<year>{_YEAR})", _month_year),
        (r"(?P<quarter>[1-4])Q\s?'?(?P<year>\d{4}|\d{2})\b", _quarter),
        (r"Q(?P<quarter>[1-4])\s'?(?P<year>\d{4}|\d{2})\b", _quarter),
        (r"(?:\+?\d{1,3}[ .-]?)?(?:\(\d{3}\)[ -]?|\d{3}[-. ])\d{3}[-. ]\d{4}(?:-\d+)?(?![\w])", _telephone),
        (r"\+\d{1,3}(?:[ -]\d{2,5}){2,5}(?![\w-])", _telephone),
        (r"\d+(?:-\d+){2,}(?![\w-])", _telephone),
        (r"[2-9]\d{2}-\d{4}(?![\w-])", _telephone),
        (r"\d+(?:-[A-Za-z0-9]+){2,}(?=-*(?:\W|$))(?<=[A-Z0-9])", _hyphened),
        (r"\d+(?:\.\d+){2,}(?![\w])", _dotted),
        (rf"(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?(?!\d)(?:\s?{_HALF_DAY})?{_ZONE}", _time),
        (rf"(?P<hour>\d{{1,2}})(?:[.:](?P<minute>\d{{2}}))?\s?{_HALF_DAY}{_ZONE}", _hour),
        (rf"(?P<currency>{currency})\s?(?P<first>{_NUM})\s?-\s?(?P<number>{_NUM})(?![\d,.]*\d)(?:{_SCALE})?(?P<per>)", _money_range),
        (r"(?P<a>\d+):(?P<b>\d)(?![\d:])", lambda m: f"{whole(m['a'])} to {whole(m['b'])}"),
        (
            rf"(?P<currency>{currency})(?:\.(?=\s))?\s?(?P<number>{_NUM})(?!\d|/\d)(?:(?![.\d]){_SCALE})?(?:/(?P<per>[a-zA-Z]+|['\"]))?",
            _money,
        ),
        (rf"(?P<number>{_NUM})(?:{_SCALE})?\s?(?P<currency>{currency})(?![\w\d$])(?P<per>)", _money),
        (r"(?P<number>\d{4}|\d{2})(?P<gap>\s?)'?s\b", _decade),
        (r"(?P<number>[1-9]00(?:,?000)*|1(?:,?000)+)'?s\b", _rounded),
        (rf"(?P<number>{_INT})'(?P<tail>[a-zA-Z]+)", _possessive),
        (rf"{fraction}(?: {{1,2}}(?P<unit>{unit_})(?!\.?\s+[a-z]))?", _fraction),
        (rf"{fraction}(?P<unit>)", _fraction),
        (rf"(?P<number>{_NUM})/(?P<per>[a-zA-Z]+)\b", _per),
        (rf"(?P<sign>-)?(?P<number>{_NUM})(?:\s?-\s?(?P<last>{_NUM}))?(?P<gap>[ -]?)(?P<unit>{unit_})(?=(?P<follows>\s+\w)?)", _measure),
        (rf"(?P<number>{_INT})\s?{suffix}", _ordinal),
        (rf"(?P<sign>-)?(?P<number>{_NUM})(?P<scale>(?:M|mn|mln|B|bn|bln|tn|trn)\b)?", _plain),
    ]
    return tuple((re.compile(pattern), say) for pattern, say in wanted)


def say_length(m: re.Match[str]) -> str:
    """Feet and inches: 5'10" -> "five feet ten inches"."""
    feet = f"{whole(m['feet'])} {'foot' if m['feet'] == '1' else 'feet'} " if m["feet"] else ""
    return f"{feet}{decimal(m['inches'])} {'inch' if m['inches'] == '1' else 'inches'}"


def _possessive(m: re.Match[str]) -> str:
    return f"{whole(m['number'])}'{m['tail'].lower()}"


def _quarter(m: re.Match[str]) -> str:
    return f"the {ordinal(int(m['quarter']))} quarter of {_year_words(m['year'])}"
