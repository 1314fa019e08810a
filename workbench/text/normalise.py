"""Text as spoken words: the one place of normalisation, the same for reference texts and for what a recogniser wrote."""

from __future__ import annotations

import re
from functools import lru_cache

from workbench.errors import TextError
from workbench.text.abbreviations import DAYS, SMALL_ROMAN, net_pattern, say_address, say_dotted, say_roman, say_short, say_small_roman
from workbench.text.characters import fold_characters
from workbench.text.lexicon import is_code
from workbench.text.numbers import ordinal
from workbench.text.semiotics import number_rules, say_length, say_serial
from workbench.text.tables import month_names, table
from workbench.text.tokens import Token

#: The longest reference text that is accepted, in characters: about three hours of speech.
MAX_REFERENCE_CHARACTERS = 200_000
_MEND_EMPTY = "give the clip its text or leave it out"

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
#: A word with nothing but ordinary punctuation or space behind it.
_PLAIN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*(?=[ ,;!?)\":\n-]|\.(?:\s|$)|$)")
_STEP = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\S")
_SERIAL = re.compile(r"[A-Za-z]+\d+(?:\.\d+)+(?![\w])|(?=[A-Za-z]*\d)[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*")
_LENGTH = re.compile(r"(?:(?P<feet>\d+)'\s?)?(?P<inches>\d+(?:\.\d+)?)\"(?!\w)")
_FIXED_NUMBER = re.compile(r"(?:24/7|9/11)(?![\w/])")
_FIXED_PHRASE = re.compile(r"(?i:w/o|c/o|n/a|km/h|m/s|int'l|gov't|dep't)(?!\w)|(?i:w/)(?=\s|\w)")
_POWER = re.compile(r"\^(-)?(\d{1,9})\b")
_INEQUALITY = re.compile(r"(?<=\d )[<>](?= \d)")
_TO = re.compile(r"-(?=[\d$£€¥.])|(?<=\s)-\s+(?=[\d$£€¥])")
_MINUS = re.compile(r"-(?=\s?[\d.]*\d\s*=)")
_NUMBER_WORD = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion)"
)
_SPOKEN_RANGE = re.compile(rf"(?i)(?<=\S) - (?={_NUMBER_WORD}\b)")
_SYMBOL_STARTS = frozenset("$£€¥₩₹₽₿₺฿₱₪₫₦₴¢+-(.")


def tokenise(text: str) -> tuple[Token, ...]:
    """The words of ``text`` as spoken, each with its place in ``text``.

    Words are lower-case, keep inner apostrophes (don't), carry no other punctuation; hyphens and underscores part words; accents, curly
    quotes and compatibility forms are folded to what an English recogniser writes; emoji are dropped. Numbers, money, dates, times,
    measures, addresses and abbreviations are said in full, all their tokens sharing the span of the written form. Fillers and British
    or American spelling stay as they are.

    Returns:
        Tokens in the order of the text; empty only when the text holds nothing that is said. Never raises on any string.
    """
    folded, origin = fold_characters(text)
    return tuple(_Reader(text, folded, origin).read())


def normalise(text: str) -> str:
    """The words of ``tokenise`` joined by single spaces. ``normalise(normalise(x)) == normalise(x)``."""
    return " ".join([token.text for token in tokenise(text)])


def check_reference(text: str, *, where: object = None) -> None:
    """Refuse a reference text that no voice can speak.

    Raises:
        TextError: it is empty, holds no word (only punctuation or emoji), or is longer than ``MAX_REFERENCE_CHARACTERS``.
    """
    if len(text) > MAX_REFERENCE_CHARACTERS:
        raise TextError(
            "the text is too long for one clip", where=where, got=f"{len(text):,} characters",
            expected=f"at most {MAX_REFERENCE_CHARACTERS:,}", mend="split it into several clips",
        )
    if not text.strip():
        raise TextError(
            "the text is empty", where=where, got=repr(text[:80]), expected="at least one word", mend=_MEND_EMPTY
        )
    if not tokenise(text):
        raise TextError(
            "the text holds no word to say, only punctuation or symbols", where=where, got=repr(text[:80]),
            expected="at least one word or number", mend=_MEND_EMPTY,
        )


@lru_cache(maxsize=1)
def _trigger_words() -> tuple[frozenset[str], frozenset[str]]:
    """Words that may start more than themselves, in lower case.

    Returns:
        Those that do however they are written (abbreviations, months), and those that do only in capitals (codes of states, currencies).
    """
    any_case = {*table("always"), *table("stopped"), *table("numbered"), *table("streets"), *month_names(), *DAYS, *SMALL_ROMAN}
    heads = {key.partition(mark)[0].lower() for key in table("phrases") for mark in "/.'" if mark in key}
    any_case |= {head for head in heads if len(head) > 1}
    any_case |= {key for key in table("phrases") if key.replace("'", "").isalpha()} | {"rs"}
    capitals = {word.lower() for word in (*table("states"), *table("directions"), *table("currencies")) if word.isalpha()} | {"q"}
    return frozenset(any_case), frozenset(capitals)


def _needs_rules(word: str, capital_special: frozenset[str]) -> bool:
    return word.lower() in capital_special or (len(word) > 1 and word[0] in "IVXLC")


@lru_cache(maxsize=1)
def _currency_code() -> re.Pattern[str]:
    codes = "|".join(sorted((re.escape(code) for code in table("currencies") if code[0].isalpha()), key=len, reverse=True))
    return re.compile(rf"(?:{codes})\.?\s?[\d.]")


_FILE = re.compile(r"(?<![\w.@])[a-z][a-z0-9-]{2,62}\.(?P<ending>[a-z]{3,5})(?![\w'.@]|-\w)")


def _addresses(text: str) -> dict[int, int]:
    """Where addresses of the net and names of files start and end. A lower-case "end.the" is a missing space, "data.tfrec" a name."""
    found = {m.start(): m.end() for m in _FILE.finditer(text) if is_code(m["ending"])}
    return found | {m.start(): m.end() for m in net_pattern().finditer(text)}


class _Reader:
    """One pass over a folded text. Plain words take the short way; whatever may be more goes through the rules."""

    def __init__(self, raw: str, text: str, origin: list[int] | None) -> None:
        self.raw, self.text, self.origin = raw, text, origin
        self.tokens: list[Token] = []
        self.written: list[str] = []
        self.number_start = 0
        self.net_starts = _addresses(text) if "." in text or "://" in text else {}

    def read(self) -> list[Token]:
        text, position, step, plain = self.text, 0, _STEP.search, _PLAIN.match
        always_special, capital_special = _trigger_words()
        while m := step(text, position):
            start = m.start()
            if (m := plain(text, start)) and not (self.net_starts and start in self.net_starts):
                word = m[0]
                lower = word.lower()
                if lower not in always_special and not (word.isupper() and _needs_rules(word, capital_special)):
                    position = m.end()
                    self._emit(lower, start, position, "word")
                    self.written.append(word)
                    continue
            position = self._read_special(start)
        return self.tokens

    def _read_special(self, start: int) -> int:
        word = _STEP.match(self.text, start)[0]
        end = start + len(word)
        if start in self.net_starts:
            return self._say((say_address(self.text[start : self.net_starts[start]]), self.net_starts[start]), start, "symbol")
        first = word[0]
        if first == "-" and (dash := self._read_dash(start)):
            return dash
        starts_number = first.isdigit() or first in _SYMBOL_STARTS or first == "Q" or word.lower() in month_names()
        if starts_number or _currency_code().match(self.text, start):
            found = self._match_number(start)
            if found:
                return self._say(found, start, "number")
        return self._read_word(word, start, end) if _WORD.match(word) else self._read_symbol(word, start, end)

    def _match_number(self, start: int) -> tuple[str, int] | None:
        text = self.text
        if text[start] == "." and not (text[start + 1 : start + 2].isdigit() and text[start - 1 : start] != "."):
            return None
        if text[start].isdigit():
            if (m := _LENGTH.match(text, start)) and text.count('"', 0, start) % 2 == 0:
                return say_length(m), m.end()
            if m := _FIXED_NUMBER.match(text, start):
                return table("phrases")[m[0]][0], m.end()
        for pattern, say in number_rules():
            m = pattern.match(text, start)
            if m and (said := say(m)):
                return said, m.end()
        return None

    def _read_dash(self, start: int) -> int | None:
        """A hyphen between numbers is "to" (in an equation "minus"); at the start of one "minus"; otherwise it parts words."""
        before = self.text[max(0, start - 12) : start].rstrip(" ")[-1:]
        touching = start > 0 and not self.text[start - 1].isspace()
        # "b-c-1-5" is a row of letters and digits, no range.
        in_row = self.number_start > 1 and self.text[self.number_start - 1] == "-" and self.text[self.number_start - 2].isalpha()
        between = bool(self.tokens) and self.tokens[-1].kind == "number" and (before.isalnum() or before in ".%°") and not in_row
        if between and _MINUS.match(self.text, start):
            return self._say(("minus", start + 1), start, "number")
        m = _TO.match(self.text, start)
        if between and m and touching == (len(m[0]) == 1):
            return self._say(("to", start + 1), start, "number")
        if touching and (before.isalnum() or before in ")]"):
            return start + 1
        return None

    def _read_word(self, word: str, start: int, end: int) -> int:
        text = self.text
        if m := _FIXED_PHRASE.match(text, start):
            return self._say((table("phrases")[m[0].lower()][0], m.end()), start, "abbreviation")
        if text[end : end + 1] == "." and (found := say_dotted(text, start)):
            return self._say(found, start, "abbreviation")
        if word[0] in "IVXLC" and (found := say_roman(text, start, self.written)):
            return self._say(found, start, "number")
        if said := say_small_roman(word, self.written):
            return self._say((said, end), start, "number")
        if text[end : end + 1].isdigit() and (m := _SERIAL.match(text, start)):
            return self._say((say_serial(m[0]), m.end()), start, "number")
        if found := say_short(text, start, end, self.written):
            return self._say(found, start, "abbreviation")
        self._emit(word.lower(), start, end, "word")
        self.written.append(word)
        return end

    def _read_symbol(self, symbol: str, start: int, end: int) -> int:
        text = self.text
        if symbol == "^" and text[start + 1 : start + 2] in ("2", "3") and not text[start + 2 : start + 3].isdigit():
            return self._say(("squared" if text[start + 1] == "2" else "cubed", start + 2), start, "symbol")
        if symbol == "^" and (m := _POWER.match(text, start)):
            return self._say((f"to the {'minus ' if m[1] else ''}{ordinal(int(m[2]))}", m.end()), start, "symbol")
        if symbol in "<>" and _INEQUALITY.match(text, start):
            return self._say(("less than" if symbol == "<" else "greater than", end), start, "symbol")
        if symbol == "~" and text[end : end + 1].isdigit():
            return self._say(("approximately", end), start, "symbol")
        if symbol == "#" and text[end : end + 1].isdigit():
            return self._say(("number", end), start, "symbol")
        if symbol == "/" and (not (start and text[start - 1].isalnum()) or text.startswith(">", end)):
            return end
        said = table("symbols").get(symbol)
        return self._say((said, end), start, "symbol") if said else end

    def _say(self, said_and_end: tuple[str, int], start: int, kind: str) -> int:
        said, end = said_and_end
        words = said.split()
        if words[0] == "the" and self.tokens and self.tokens[-1].text == "the":
            del words[0]
        self.number_start = start
        always = table("always")
        for word in words:
            for full in always[word][0].split() if word in always else (word,):
                self._emit(full, start, end, kind)
        self.written.append(self.text[start:end])
        return end

    def _emit(self, word: str, start: int, end: int, kind: str) -> None:
        if self.origin is not None:
            start, end = self._raw_span(start, end)
        self.tokens.append(Token(word, start, end, self.raw[start:end], kind))

    def _raw_span(self, start: int, end: int) -> tuple[int, int]:
        start, end = self.origin[start], self.origin[end - 1] + 1
        if self.tokens:
            before = self.tokens[-1]
            # One raw character can hold several written forms ("¼"): they share its place instead of overlapping.
            if start < before.end and (start, end) != (before.start, before.end):
                return (before.end, end) if end > before.end else (before.start, before.end)
        return start, end


def normalise_spoken(text: str) -> str:
    """``normalise`` for comparing: a spaced hyphen before a number in words is "to", as the same hyphen between digits is."""
    return normalise(_SPOKEN_RANGE.sub(" to ", text) if " - " in text else text)
