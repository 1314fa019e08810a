"""Numbers as English words."""

from __future__ import annotations

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_PREFIXES = "m b tr quadr quint sext sept oct non dec undec duodec tredec quattuordec quindec sexdec septendec octodec novemdec vigint"
SCALES = ["", "thousand", *(prefix + "illion" for prefix in _PREFIXES.split())]
_IRREGULAR = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}


def cardinal(number: int) -> str:
    """``1234`` -> "one thousand two hundred thirty four"; digit by digit beyond the named scales."""
    if number < 0:
        return "minus " + cardinal(-number)
    if number < 20:
        return SMALL[number]
    if number >= 1000 ** len(SCALES):
        return digits(str(number))
    groups: list[str] = []
    for scale in SCALES:
        number, group = divmod(number, 1000)
        if group:
            groups.append(f"{_below_thousand(group)} {scale}".strip())
        if not number:
            break
    return " ".join(reversed(groups))


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [SMALL[hundreds], "hundred"] if hundreds else []
    if 0 < rest < 20:
        words.append(SMALL[rest])
    elif rest:
        words += [TENS[rest // 10], *([SMALL[rest % 10]] if rest % 10 else [])]
    return " ".join(words)


def ordinal(number: int) -> str:
    """``23`` -> "twenty third"."""
    head, _, last = cardinal(number).rpartition(" ")
    return f"{head} {ordinal_word(last)}".strip()


def ordinal_word(word: str) -> str:
    """The ordinal of one number word: "twenty" -> "twentieth"."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    return word[:-1] + "ieth" if word.endswith("y") else word + "th"


def digits(text: str) -> str:
    """``"405"`` -> "four zero five"."""
    return " ".join(SMALL[int(d)] for d in text)


def whole(text: str) -> str:
    """An integer as written, commas allowed: digit by digit when it starts with a superfluous zero."""
    text = text.replace(",", "")
    if (len(text) > 1 and text[0] == "0") or len(text) > 3 * len(SCALES):
        return digits(text)
    return cardinal(int(text))


def decimal(text: str) -> str:
    """A number as written: ``"1,204.50"`` -> "one thousand two hundred four point five zero"."""
    head, point, tail = text.partition(".")
    if not point:
        return whole(head)
    return f"{whole(head) if head else 'zero'} point {digits(tail)}"


def year(number: int) -> str:
    """A year as it is said: 1994 "nineteen ninety four", 1506 "fifteen oh six", 2006 "two thousand six", 2012 "twenty twelve"."""
    century, rest = divmod(number, 100)
    if number < 1000 or number % 1000 < 10 or number > 9999:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def plural(words: str) -> str:
    """Plural of a number in words: "nineteen eighty" -> "nineteen eighties"."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")
