"""What listeners for homographs take and give: every reading of one word weighed against the audio that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.audio import Audio
from workbench.errors import TextError
from workbench.homographs.base import Homograph, Kind
from workbench.homographs.occurrence import character_span


@dataclass(frozen=True, slots=True)
class Target:
    """One homograph in one sentence.

    Attributes:
        words: comparison words of the whole sentence (``text.tokenise``).
        at: index of the homograph among them.
    """

    words: tuple[str, ...]
    at: int
    homograph: Homograph


@dataclass(frozen=True, slots=True)
class SpokenRequest:
    """A clip that says a sentence, and the word to listen for."""

    audio: Audio
    target: Target


@dataclass(frozen=True, slots=True)
class Pair:
    """Two readings of a homograph, by index, and the measures that speak for the first (positive) or the second.

    ``distances``: how unlike the two readings and what was heard are, 0..1 (the reference rule's d); None from a listener that measures none.
    """

    first: int
    second: int
    kind: Kind
    measures: tuple[float, ...]
    distances: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a listener made of one request.

    Attributes:
        pairs: one per pair of readings; empty where ``fault`` says why nothing could be weighed.
        span_sec, window_sec: where the word lies in the clip, and what was listened to: the word with its neighbours.
        fit: how well the sentence explains the word's audio, nats per frame against the best phones of the sentence, about 0 where it is good; None unmeasured.
        fit_others: the same of the sentence's other words.
        fault: why the word cannot be weighed.
        stage: "" or what kind of fault: ``unscorable`` (the audio's) or ``error`` (the request's).
    """

    pairs: tuple[Pair, ...]
    span_sec: tuple[float, float] | None = None
    fit: float | None = None
    fault: str | None = None
    stage: str = ""
    window_sec: tuple[float, float] | None = None
    fit_others: float | None = None


class Listener(Protocol):
    """Weighs readings against audio: ``load``, one batch call, ``close``. ``measures`` names the columns of ``Pair.measures``."""

    name: str
    measures: tuple[str, ...]

    def load(self, device: str = "cpu") -> None: ...

    def hear(self, requests: Sequence[SpokenRequest]) -> list[Heard]: ...

    def close(self) -> None: ...

    def identity(self) -> dict[str, object]: ...


def target_at(sentence: str, start_byte: int, end_byte: int, known: Mapping[str, Homograph]) -> Target:
    """The homograph at a span of UTF-8 bytes, half-open.

    Raises:
        TextError: the span is outside the sentence or cuts a character, or holds no homograph that is known.
    """
    from workbench.text import tokenise

    start, end = character_span(sentence, start_byte, end_byte)
    word = sentence[start:end]
    if word.lower() not in known:
        raise TextError("no known homograph in the span", where=sentence, got=word, expected="the homograph alone", mend="check the offsets: they count bytes")
    tokens = tokenise(sentence)
    place = next((index for index, token in enumerate(tokens) if token.start <= start and end <= token.end), None)
    if place is None or tokens[place].text != word.lower():
        got = "no word" if place is None else tokens[place].text
        raise TextError("the span is not a word of its own", where=sentence, got=got, expected=word.lower())
    return Target(tuple(token.text for token in tokens), place, known[word.lower()])


def targets_in(sentence: str, known: Mapping[str, Homograph]) -> list[tuple[Target, tuple[int, int]]]:
    """Every known homograph that stands in the sentence as a word, with its span in UTF-8 bytes."""
    from workbench.text import tokenise

    tokens = tokenise(sentence)
    words = tuple(token.text for token in tokens)
    found = []
    for index, token in enumerate(tokens):
        written = sentence[token.start : token.end]
        if token.text in known and written.lower() == token.text:
            start = len(sentence[: token.start].encode())
            found.append((Target(words, index, known[token.text]), (start, start + len(written.encode()))))
    return found
