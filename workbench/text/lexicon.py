"""The pronouncing lexicon: pocketsphinx's bundled CMU dictionary, searched in place."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import EngineUnavailableError


class Lexicon:
    """A CMU-format dictionary held as one block of bytes plus line offsets (4 MB, not 40), looked up by bisection.

    Args:
        path: a text file of ``word PH ON ES`` lines, further pronunciations as ``word(2)``.
    """

    def __init__(self, path: Path) -> None:
        lines = path.read_bytes().splitlines()
        # Sorted by word with the alternative's number last, so that all pronunciations of a word stand together.
        lines = sorted(line.replace(b" ", b"\t", 1) for line in lines if b" " in line)
        self._block = b"\n".join(lines) + b"\n"
        starts = array("L", [0])
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def _entry(self, index: int) -> bytes:
        return self._block[self._starts[index] : self._starts[index + 1] - 1]

    def _find(self, head: bytes) -> bytes | None:
        index = bisect_left(range(len(self)), head, key=self._entry)
        if index < len(self):
            entry = self._entry(index)
            if entry.startswith(head):
                return entry[len(head) :]
        return None

    def pronunciations(self, word: str) -> tuple[tuple[str, ...], ...]:
        """Every listed pronunciation of ``word`` (lower case), first the most usual; empty when unlisted."""
        found = []
        head = word.encode()
        phones = self._find(head + b"\t")
        while phones is not None:
            found.append(tuple(phones.decode().split()))
            phones = self._find(head + b"(%d)\t" % (len(found) + 1))
        return tuple(dict.fromkeys(found))

    def entries(self):
        """Yield (word, phones) of every line, alternatives under their bare word."""
        for line in self._block.decode().splitlines():
            word, _, phones = line.partition("\t")
            yield word.partition("(")[0], tuple(phones.split())


def model_folder() -> Path:
    """Folder of pocketsphinx's bundled en-us model.

    Raises:
        EngineUnavailableError: pocketsphinx is not installed.
    """
    spec = find_spec("pocketsphinx")
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailableError(
            "the pronouncing lexicon comes with pocketsphinx, which is not installed", mend="pip install pocketsphinx==5.1.1"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model" / "en-us"


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The shared lexicon, read at first use (about 0.2 s)."""
    return Lexicon(model_folder() / "cmudict-en-us.dict")


@lru_cache(maxsize=50_000)
def _listed(word: str) -> tuple[tuple[str, ...], ...]:
    book = lexicon()
    found = book.pronunciations(word)
    # Letters and initials stand in the dictionary with full stops: "b." is the letter, "a.m." the time that normalises to "am".
    if len(word) <= 4 and word.isalpha():
        found += tuple(p for p in book.pronunciations(".".join(word) + ".") if p not in found)
    return found


def known_word(word: str) -> bool:
    """Whether the lexicon lists ``word`` (any case)."""
    return bool(_listed(word.lower()))


@lru_cache(maxsize=50_000)
def pronunciations(word: str) -> tuple[tuple[str, ...], ...]:
    """ARPABET pronunciations of ``word`` without stress, the usual one first; by rule (``g2p``) for a word the lexicon lacks.

    Empty only for a word without a letter or digit.
    """
    word = word.lower()
    found = _listed(word)
    if found:
        return found
    from workbench.text.g2p import guess

    guessed = guess(word)
    return (guessed,) if guessed else ()


def is_code(word: str) -> bool:
    """Whether ``word`` is no ordinary word: unlisted, or listed as spelt letter by letter ("abc", "exe"); False without a lexicon."""
    from workbench.text.g2p import letter_names

    try:
        listed = _listed(word)
    except EngineUnavailableError:
        return False
    return not listed or letter_names(word) in listed
