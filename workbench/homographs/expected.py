"""Which reading a sentence asks for: what every backend takes and gives."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.homographs.occurrence import words_of

#: (sentence, start_byte, end_byte): half-open offsets into the UTF-8 bytes.
Span = tuple[str, int, int]
#: A reading less likely than this is not chosen.
THRESHOLD = 0.65


@dataclass(frozen=True, slots=True)
class Expected:
    """What a sentence says about one homograph in it.

    Attributes:
        word: lower case; empty where the span holds no word.
        readings: names of its readings in the lexicon; empty where the span holds no homograph.
        probabilities: calibrated, one for each reading, summing to one.
        chosen: the likeliest reading; None where the model abstains or could not judge.
        reason: why none was chosen, or what the choice does not rest on; empty where there is nothing to say.
    """

    word: str
    readings: tuple[str, ...]
    probabilities: tuple[float, ...]
    chosen: str | None
    reason: str = ""

    @property
    def probability(self) -> float:
        """Of the likeliest reading; 0 where the span could not be judged."""
        return max(self.probabilities, default=0.0)

    @property
    def likeliest(self) -> str | None:
        """The likeliest reading, chosen or not; None where the span could not be judged."""
        return self.readings[self.probabilities.index(self.probability)] if self.readings else None


class ExpectedReader(Protocol):
    """A model of readings in context."""

    def predict(self, items: Sequence[Span], *, threshold: float = THRESHOLD) -> list[Expected]: ...


def decide(word: str, readings: Sequence[str], probabilities: Sequence[float], *, threshold: float, note: str = "") -> Expected:
    """The likeliest reading, or none where it is less likely than ``threshold``."""
    best = max(range(len(readings)), key=probabilities.__getitem__)
    shares = tuple(round(float(p), 6) for p in probabilities)
    if shares[best] >= threshold:
        return Expected(word, tuple(readings), shares, readings[best], note)
    doubt = f"the likeliest reading, {readings[best]}, has probability {shares[best]:.2f}, below {threshold:.2f}"
    return Expected(word, tuple(readings), shares, None, f"{doubt}; {note}" if note else doubt)


def spans_in(text: str, words: Container[str]) -> list[Span]:
    """Every homograph of a text as a span of it, in order."""
    return [(text, start, end) for word, start, end in words_of(text) if word.lower() in words]
