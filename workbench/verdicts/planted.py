"""Planted errors: clips whose audio deliberately differs from their text, so that the truth about every word is known.

The validator is itself validated on them: how many planted errors does it flag (recall), and how many untouched words (false alarms)?
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from workbench.errors import TextError
from workbench.verdicts.decide import WEAK_FORMS


class Kind(StrEnum):
    """What was done to the speech of a clip; the text stays as it was."""

    CLEAN = "clean"  # nothing
    REPLACED_NEIGHBOUR = "replaced_neighbour"  # a word spoken as one that sounds close
    REPLACED_UNRELATED = "replaced_unrelated"  # a word spoken as one that does not
    DROPPED = "dropped"  # a word left out
    DOUBLED = "doubled"  # a word said twice
    SWAPPED = "swapped"  # two neighbours in the wrong order
    TAIL_CUT = "tail_cut"  # the audio ends before the text does


ERROR_KINDS = tuple(kind for kind in Kind if kind is not Kind.CLEAN)
#: A planted word is common enough that a reader would say it as meant: its unigram probability, in nats, is at least this.
COMMON_NATS = -13.0
#: Phone distance of a replacement: close, or not at all.
NEIGHBOUR_RANGE, UNRELATED_LEAST = (0.03, 0.35), 0.6


@dataclass(frozen=True, slots=True)
class PlantedText:
    """A reference and what is spoken instead.

    Attributes:
        reference: the words of the text.
        spoken: the words that the synthesiser says.
        text: those words as the synthesiser is given them, with the punctuation of the original.
        touched: indices of reference words that the audio does not hold as written.
        gaps: places between reference words (0 = before the first) where a flagged insertion also counts as found.
        keep: for a cut tail, how many words of the audio are kept; the samples after them are cut away.
    """

    text_id: str
    kind: Kind
    reference: tuple[str, ...]
    spoken: tuple[str, ...]
    touched: tuple[int, ...]
    gaps: tuple[int, ...] = ()
    keep: int | None = None
    text: str = ""


def plant(texts: Sequence[tuple[str, str]], *, kinds: Sequence[Kind] = ERROR_KINDS, seed: int, clean_share: float = 0.2,
          common: Callable[[str], bool] | None = None) -> list[PlantedText]:
    """One planted text per (text_id, text): at most one error each, kinds in equal numbers, a share left clean.

    Args:
        kinds: the errors to plant.
        seed: the same seed plants the same errors.
        clean_share: share of the texts that stay as they are.
        common: whether a word may be spoken as a replacement; by default its frequency in the recogniser's language model decides.

    Raises:
        TextError: a text has fewer than four words.
    """
    chance = random.Random(seed)
    common = common or common_words()
    order = list(range(len(texts)))
    chance.shuffle(order)
    clean = set(order[: round(clean_share * len(texts))])
    turn, planted = 0, []
    pool = sorted({word for _, text in texts for word in _words(text) if len(word) > 3})
    for index, (text_id, text) in enumerate(texts):
        words = _words(text)
        if len(words) < 4:
            raise TextError("too few words to plant an error in", where=text_id, got=text, expected="at least four words")
        if index in clean:
            planted.append(PlantedText(text_id, Kind.CLEAN, words, words, (), text=text))
            continue
        for attempt in range(len(kinds)):
            found = _PLANTERS[kinds[(turn + attempt) % len(kinds)]](text_id, words, chance, common, pool)
            if found is not None:
                break
        turn += 1
        found = found or PlantedText(text_id, Kind.CLEAN, words, words, ())
        planted.append(replace(found, text=_as_text(found, text)))
    return planted


def common_words() -> Callable[[str], bool]:
    """Whether a word is in common use, by the unigram probability of the language model that pocketsphinx ships."""
    from pocketsphinx import Config, LogMath, NGramModel, get_model_path

    model = NGramModel(Config(lm=None), LogMath(), str(get_model_path("en-us/en-us.lm.bin")))
    return lambda word: model.prob([word]) * 1e-4 > COMMON_NATS


def _words(text: str) -> tuple[str, ...]:
    from workbench.text import tokenise

    return tuple(token.text for token in tokenise(text))


def _as_text(planted: PlantedText, text: str) -> str:
    """The spoken words in the dress of the original: what follows a word (comma, space) stays in its place."""
    from workbench.text import tokenise

    tokens = tokenise(text)
    if planted.spoken == planted.reference:
        return text
    if len({token.start for token in tokens}) < len(tokens):
        return " ".join(planted.spoken) + "."
    ends = [token.start for token in tokens[1:]] + [len(text)]
    tails = [text[token.end : end] or " " for token, end in zip(tokens, ends, strict=True)]
    written = [text[token.start : token.end] for token in tokens]
    place = planted.touched[0]
    match planted.kind:
        case Kind.DROPPED:
            if place and tails[place].strip():
                tails[place - 1] = tails[place]
            del written[place], tails[place]
        case Kind.DOUBLED:
            written[place] = f"{written[place]} {planted.reference[place]}"
        case Kind.SWAPPED:
            written[place : place + 2] = written[place + 1], written[place]
        case _:
            written[place] = planted.spoken[place]
    return text[: tokens[0].start] + "".join(word + tail for word, tail in zip(written, tails, strict=True))


def _tellable(reference: Sequence[str], spoken: Sequence[str]) -> bool:
    from workbench.text import sound_alike

    return tuple(reference) != tuple(spoken) and not sound_alike(list(reference), list(spoken))


def _shuffled(words: Sequence[str], chance: random.Random) -> list[int]:
    places = list(range(len(words)))
    chance.shuffle(places)
    return places


def _around(words: Sequence[str], spoken: Sequence[str], start: int, end: int) -> bool:
    """Whether the change within ``start:end`` can be heard, its neighbours included (``a pair`` / ``appear``)."""
    grown = len(spoken) - len(words)
    low, high = max(0, start - 1), min(len(words), end + 1)
    return _tellable(words[low:high], spoken[low : high + grown])


def _replaced_neighbour(text_id, words, chance, common, pool):
    from workbench.text import neighbours, pronunciations, word_distance

    for place in _shuffled(words, chance):
        # Unstressed function words are reduced in speech: "and" said as "end" is not an error that anyone could hear.
        if words[place] in WEAK_FORMS or len(pronunciations(words[place])[0]) < 3:
            continue
        low, high = NEIGHBOUR_RANGE
        near = [w for w in neighbours(words[place], count=24) if common(w) and low <= word_distance([words[place]], [w]) <= high]
        near = [w for w in near if _around(words, (*words[:place], w, *words[place + 1 :]), place, place + 1)][:4]
        if near:
            spoken = (*words[:place], chance.choice(near), *words[place + 1 :])
            return PlantedText(text_id, Kind.REPLACED_NEIGHBOUR, words, spoken, (place,))
    return None


def _replaced_unrelated(text_id, words, chance, common, pool):
    from workbench.text import word_distance

    for place in _shuffled(words, chance):
        for other in chance.sample(pool, min(40, len(pool))):
            if other not in words and common(other) and word_distance([words[place]], [other]) >= UNRELATED_LEAST:
                return PlantedText(text_id, Kind.REPLACED_UNRELATED, words, (*words[:place], other, *words[place + 1 :]), (place,))
    return None


def _dropped(text_id, words, chance, common, pool):
    for place in _shuffled(words, chance):
        spoken = (*words[:place], *words[place + 1 :])
        if words[place] not in words[max(0, place - 1) : place] + words[place + 1 : place + 2] and _around(words, spoken, place, place + 1):
            return PlantedText(text_id, Kind.DROPPED, words, spoken, (place,))
    return None


def _doubled(text_id, words, chance, common, pool):
    place = chance.randrange(len(words))
    return PlantedText(text_id, Kind.DOUBLED, words, (*words[: place + 1], *words[place:]), (place,), gaps=(place, place + 1))


def _swapped(text_id, words, chance, common, pool):
    for place in _shuffled(words[:-1], chance):
        spoken = (*words[:place], words[place + 1], words[place], *words[place + 2 :])
        if _around(words, spoken, place, place + 2):
            return PlantedText(text_id, Kind.SWAPPED, words, spoken, (place, place + 1), gaps=(place, place + 1, place + 2))
    return None


def _tail_cut(text_id, words, chance, common, pool):
    keep = len(words) - chance.randint(1, min(4, len(words) - 2))
    return PlantedText(text_id, Kind.TAIL_CUT, words, words, tuple(range(keep, len(words))), keep=keep)


_PLANTERS = {
    Kind.REPLACED_NEIGHBOUR: _replaced_neighbour,
    Kind.REPLACED_UNRELATED: _replaced_unrelated,
    Kind.DROPPED: _dropped,
    Kind.DOUBLED: _doubled,
    Kind.SWAPPED: _swapped,
    Kind.TAIL_CUT: _tail_cut,
}
