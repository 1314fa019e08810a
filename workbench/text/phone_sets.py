"""One mapping between the ways to write English phones: ARPABET as CMU's dictionary has it, IPA, and eSpeak NG's symbols, those of wav2vec2-espeak.

ARPABET with stress ("AH0", "IY1") is the common ground. IPA of any English goes into it (``from_ipa``: British ɒ is AA, əʊ is OW), and it goes into American IPA
(``to_ipa``) or into eSpeak NG's American symbols (``espeak_symbols``). The tables stand in ``sounds.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib.resources import files
from unicodedata import normalize

from workbench.errors import TextError
from workbench.text.phones import PHONES

VOWELS = frozenset(p for p in PHONES if p[0] in "AEIOU")
_MARKS = {"ˈ": 1, "'": 1, "ˌ": 2}
_ARPABET = re.compile(r"([A-Z]{1,2})([012]?)")


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("workbench.text").joinpath("sounds.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def sounds_of(name: str) -> tuple[dict[str, str], re.Pattern[str]]:
    """One table of ``sounds.toml`` and the pattern that finds its keys, the longest first."""
    table = _tables()[name]
    # The ə before ʊ belongs to it: "radio" ends in əʊ, not in iə.
    patterns = (re.escape(key) + ("(?!ʊ)" if len(key) > 1 and key.endswith("ə") else "") for key in sorted(table, key=len, reverse=True))
    return table, re.compile("|".join(patterns))


def bare(phones: Sequence[str]) -> tuple[str, ...]:
    """ARPABET phones without their stress: ("AH0", "B") -> ("AH", "B")."""
    return tuple(phone.rstrip("012") for phone in phones)


def parse_arpabet(text: str) -> tuple[str, ...]:
    """Phones of a string such as "R IY1 D"; a vowel without a digit is unstressed.

    Raises:
        TextError: a symbol that is no ARPABET phone, a consonant with stress, or nothing.
    """
    phones = []
    for symbol in text.split():
        found = _ARPABET.fullmatch(symbol)
        if found is None or found[1] not in PHONES or (found[2] and found[1] not in VOWELS):
            raise TextError("not an ARPABET phone", where=text, got=symbol, expected="CMU's phones, vowels with their stress: R IY1 D")
        phones.append(found[1] + (found[2] or "0") if found[1] in VOWELS else found[1])
    if not phones:
        raise TextError("a pronunciation without a phone", got=text)
    return tuple(phones)


def from_ipa(ipa: str | Sequence[str], *, stress: bool = False) -> tuple[str, ...]:
    """English IPA, a string or one symbol after the other, as ARPABET phones.

    Args:
        stress: vowels carry a digit; a mark (ˈ ˌ) belongs to the next vowel, wherever before it the mark stands.

    Returns:
        The phones; signs that are none (length alone, dots, what no English has) are dropped. See ``unknown_symbols``.
    """
    table, piece = sounds_of("ipa")
    pieces = re.compile(f"[{''.join(_MARKS)}]|{piece.pattern}")
    phones, pending = [], 0
    for part in [ipa] if isinstance(ipa, str) else ipa:
        for found in pieces.findall(normalize("NFC", part)):
            if found in _MARKS:
                pending = _MARKS[found]
                continue
            for phone in table[found].split():
                if phone in VOWELS and stress:
                    # ʌ is no weak vowel: unmarked it bears the second stress, else it could not be told from ə.
                    phones.append(f"{phone}{pending or (2 if found == 'ʌ' else 0)}")
                    pending = 0
                else:
                    phones.append(phone)
    return tuple(phones)


def unknown_symbols(ipa: str) -> tuple[str, ...]:
    """The signs of an IPA string that ``from_ipa`` would drop, without stress, length and dots."""
    return tuple(sign for sign in sounds_of("ipa")[1].sub("", normalize("NFC", ipa)) if sign not in "ˈ'ˌːˑ. \u0361")


def to_ipa(phones: Sequence[str]) -> tuple[str, ...]:
    """ARPABET phones as American IPA, one symbol for each, stress marks before the vowels that bear them: ("R", "EH1", "D") -> ("ɹ", "ˈɛ", "d").

    Raises:
        TextError: a phone that is none.
    """
    table = _tables()["arpabet"]
    symbols = []
    for phone in phones:
        name, digit = (phone[:-1], phone[-1]) if phone[-1:].isdigit() else (phone, "")
        if name not in table:
            raise TextError("not an ARPABET phone", got=phone, expected=f"one of {' '.join(PHONES)}")
        symbols.append({"1": "ˈ", "2": "ˌ"}.get(digit, "") + (table.get(f"{name}0", table[name]) if digit == "0" else table[name]))
    return tuple(symbols)


def spelt_ipa(phones: Sequence[str]) -> str:
    """The same as one string, stress marks before the syllable as dictionaries write them: "ˈɹɛkɚd".

    A dot keeps apart what would read as one sound (T SH, CH).
    """
    symbols = [symbol.lstrip("ˈˌ") for symbol in to_ipa(phones)]
    marks = {_onset(phones, at): "ˈ" if phone.endswith("1") else "ˌ" for at, phone in enumerate(phones) if phone[-1] in "12"}
    text = ""
    for at, symbol in enumerate(symbols):
        mark = marks.get(at, "")
        apart = at and not mark and from_ipa(symbols[at - 1] + symbol) != bare(phones[at - 1 : at + 1])
        text += mark + ("." if apart else "") + symbol
    return text


#: What a syllable of English may begin with besides one consonant.
_ONSETS = frozenset(
    tuple(onset.split())
    for onset in (
        "P R,P L,P Y,B R,B L,B Y,T R,T W,D R,D W,K R,K L,K W,K Y,G R,G L,G W,F R,F L,F Y,TH R,TH W,SH R,S P,S T,S K,S F,S M,S N,S L,S W,M Y,V Y,HH Y,N Y,"
        "S P R,S P L,S P Y,S T R,S K R,S K W,S K Y"
    ).split(",")
)


def _onset(phones: Sequence[str], vowel: int) -> int:
    """Index at which the syllable of a vowel begins: as many consonants as a syllable may begin with."""
    names = bare(phones)
    start = vowel
    while start > 0 and names[start - 1] not in VOWELS:
        cluster = tuple(names[start - 1 : vowel])
        if (len(cluster) == 1 and cluster != ("NG",)) or cluster in _ONSETS:
            start -= 1
        else:
            break
    return start


def espeak_symbols(phones: Sequence[str], *, known: Collection[str] | None = None) -> tuple[str, ...]:
    """ARPABET phones as eSpeak NG writes American English, without stress: ("K", "AA1", "R", "D") -> ("k", "ɑːɹ", "d").

    Args:
        known: symbols that a recogniser has; two phones in one symbol (ɑːɹ, əl) are written apart where it lacks the symbol.
    """
    return tuple(symbol.lstrip("ˈˌ") for symbol in _merged(to_ipa(phones), known))


def _merged(symbols: Sequence[str], known: Collection[str] | None) -> list[str]:
    joined = _tables()["espeak"]
    out: list[str] = []
    for symbol in symbols:
        pair = f"{out[-1]} {symbol}".replace("ˈ", "").replace("ˌ", "") if out else ""
        if pair in joined and (known is None or joined[pair] in known):
            out[-1] = joined[pair]
        else:
            out.append(symbol)
    return out


@lru_cache(maxsize=None)
def symbols_for(phone: str) -> tuple[str, ...]:
    """All IPA symbols that stand for one ARPABET phone (stress is ignored), the usual one first: "T" -> ("t", "ɾ", "ʔ").

    Raises:
        TextError: a phone that is none.
    """
    (name,) = bare([phone])
    usual = to_ipa([phone if phone[-1:].isdigit() else name])[0].lstrip("ˈˌ")
    return tuple(dict.fromkeys([usual, *(symbol for symbol, sounds in sounds_of("ipa")[0].items() if sounds == name)]))


#: Signs of eSpeak NG and of dictionaries that panphon spells otherwise.
_FOR_PANPHON = str.maketrans({"ɚ": "ə˞", "ɝ": "ɜ˞", "ᵻ": "ɨ", "g": "ɡ", "ʧ": "t͡ʃ", "ʤ": "d͡ʒ"})


def for_panphon(symbol: str) -> str:
    """An IPA symbol in the signs whose features panphon knows: ɚ with a hook, affricates tied."""
    return re.sub("t(?=ʃ)", "t͡", re.sub("d(?=ʒ)", "d͡", symbol.translate(_FOR_PANPHON)))
