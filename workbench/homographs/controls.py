"""Negative controls: the same sentence said with the reading it asks for and with another, so that what is right and wrong is known.

Here they are planned; ``scan.homograph_controls`` speaks them and checks what was spoken.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ConfigError, TextError
from workbench.homographs.base import Homograph, Variant, place_of
from workbench.homographs.data import read_items
from workbench.homographs.lexicon import Lexicon
from workbench.tts.base import SaidAs


_FULL = frozenset("AA AE AO AW AY EH EY OY".split())


@dataclass(frozen=True, slots=True)
class ControlText:
    """A sentence, where its homograph stands (UTF-8 bytes, half-open), and the reading that it asks for, by index."""

    sentence: str
    start_byte: int
    end_byte: int
    homograph: Homograph
    expected: int


@dataclass(frozen=True, slots=True)
class Control:
    """One sentence in one voice at one speed, to be said twice: as it asks, and as it does not.

    Attributes:
        wrong: index of the reading that is the error.
        variants: the pronunciations to say, right and wrong.
    """

    text: ControlText
    voice: str
    speed: float
    wrong: int
    variants: tuple[Variant, Variant]

    def said_as(self, *, right: bool) -> SaidAs:
        sentence = self.text.sentence.encode()
        start = len(sentence[: self.text.start_byte].decode())
        word = sentence[self.text.start_byte : self.text.end_byte].decode()
        return SaidAs(start, start + len(word), with_second_stress(self.variants[0 if right else 1].phones))


def with_second_stress(phones: Sequence[str]) -> tuple[str, ...]:
    """The phones with a second stress on every full vowel after the first one: British dictionaries leave it unmarked, and a synthesiser would swallow the vowel."""
    first = next((at for at, phone in enumerate(phones) if phone.endswith("1")), len(phones))
    return tuple(f"{phone[:-1]}2" if at > first and phone[-1] == "0" and phone[:-1] in _FULL else phone for at, phone in enumerate(phones))


def texts_of_lexicon(lexicon: Lexicon, words: Sequence[str] | None = None) -> list[ControlText]:
    """The lexicon's own examples, word by word.

    Raises:
        UnknownNameError: a word that is no homograph.
    """
    chosen = [lexicon.need(word) for word in words] if words else list(lexicon.values())
    return [
        ControlText(example, *place_of(example, homograph.word), homograph, index)
        for homograph in chosen
        for index, reading in enumerate(homograph)
        for example in reading.examples
    ]


def texts_of_data(path: str | Path, lexicon: Lexicon, words: Sequence[str] = (), *, most_words: int = 18) -> list[ControlText]:
    """Sentences of labelled data (``data.read_items``; of a folder its ``eval.tsv``): those of 4 to ``most_words`` words in which the word stands once.

    Raises:
        UnknownNameError: a word that is no homograph.
        ConfigError: no such data, or a row that does not fit.
    """
    found, chosen = [], {lexicon.need(word).word for word in words}
    for item in read_items(path, lexicon, part="eval"):
        if words and item.word not in chosen:
            continue
        homograph = lexicon[item.word]
        try:
            place = place_of(item.sentence, item.word)
        except TextError:
            continue
        if 4 <= len(item.sentence.split()) <= most_words:
            found.append(ControlText(item.sentence, *place, homograph, homograph.readings.index(homograph.reading(item.reading))))
    return found


def plan_controls(
    texts: Iterable[ControlText],
    voices: Sequence[str],
    *,
    speeds: Sequence[float] = (1.0,),
    sentences: int = 1,
    per_voice: int | None = None,
    british: Sequence[str] = (),
    seed: int = 0,
) -> list[Control]:
    """Controls in which every voice and speed says ``sentences`` sentences of every reading.

    Args:
        per_voice: sentences per voice and speed at most; voices then get different ones, words in turn.
        british: voices that say British pronunciations where the lexicon has them.

    Words whose readings cannot be confused (every other one is valid too) give none.

    Raises:
        ConfigError: nothing to say, nobody to say it, or counts below 1.
    """
    if not voices or not speeds or sentences < 1 or (per_voice is not None and per_voice < 1):
        got = f"{len(voices)} voices, {len(speeds)} speeds, {sentences} sentences, {per_voice} per voice"
        raise ConfigError("controls need a voice, a speed and a sentence", where="controls", got=got)
    by_reading: dict[tuple[str, int], list[ControlText]] = {}
    for text in texts:
        by_reading.setdefault((text.homograph.word, text.expected), []).append(text)
    if not by_reading:
        raise ConfigError("no sentence to make controls of", where="controls", mend="give a file of sentences, or words that the lexicon has examples for")
    planned = []
    for number, (voice, speed) in enumerate((voice, speed) for voice in voices for speed in speeds):
        order = random.Random(f"{seed} {voice}")
        # Every voice starts at another sentence of each reading: the same few in all voices would be fewer than they look.
        taken = [(key, found[(number // len(speeds) * sentences + k) % len(found)]) for key, found in by_reading.items() for k in range(min(sentences, len(found)))]
        order.shuffle(taken)
        region = "gb" if voice in british else "us"
        made = [control for _, text in taken if (control := _control(text, voice, speed, region, order))]
        planned += made[:per_voice]
    return planned


def _control(text: ControlText, voice: str, speed: float, region: str, order: random.Random) -> Control | None:
    readings = text.homograph.readings
    expected = readings[text.expected]
    others = [index for index, reading in enumerate(readings) if index != text.expected and reading.name not in expected.tolerates]
    if not others:
        return None
    wrong = order.choice(others)
    right_variant, wrong_variant = (order.choice(_usual(readings[index].of_region(region) or readings[index].variants)) for index in (text.expected, wrong))
    return Control(text, voice, speed, wrong, (right_variant, wrong_variant))


def _usual(variants: Sequence[Variant]) -> Sequence[Variant]:
    return [variant for variant in variants if variant.usual] or variants
