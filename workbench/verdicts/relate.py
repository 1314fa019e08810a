"""How what one engine heard relates to the reference words it stands for."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from workbench.text import (
    Token,
    abbreviation_of,
    is_filler,
    known_word,
    phone_distance,
    pronunciations,
    same_value,
    sound_alike,
    spelling_variants,
    word_distance,
)
from workbench.text.phones import merged
from workbench.verdicts.align import NUMBER_WORDS
from workbench.verdicts.pairing import full_forms

#: A filler heard for a word, or a word heard for a filler, is the filler when at most this far apart ("a" and "uh").
FILLER_NEAR = 0.2
#: Sounds farther apart than this are not worth the question whether they are pronounced alike.
_ALIKE_AT_MOST = 0.3
#: Spellings of one word may differ this far by sound ("aluminium" and "aluminum" do).
_SPELLING_NEAR, _SPELLING_NEAR_SHORT, _SHORT_LETTERS = 0.4, 0.15, 5
#: Spellings of one word differ by at most this many letters.
_SPELLING_LETTERS = 4
#: More letters than this on one side are compared by letters: comparing sounds takes time in the product of the lengths.
_MAX_LETTERS = 240


class Relation(StrEnum):
    """What one engine heard, seen from the reference words."""

    RIGHT = "right"  # as written, or the same value said otherwise
    ABBREVIATION = "abbreviation"
    COMPOUND = "compound"
    SPACING = "spacing"  # the text lacks a space or has one too many
    SPELLING = "spelling"
    FILLER = "filler"
    TYPO = "typo"  # heard a known word one slip away from an unknown reference word
    SOUND = "sound"  # other letters, same sound
    NOTHING = "nothing"
    OTHER = "other"
    ABSENT = "absent"  # the engine did not run


def relate(reference: tuple[str, ...], heard: tuple[str, ...]) -> tuple[Relation, float | None]:
    """Relation of heard words to reference words, and their phone distance (None where nothing had to be compared).

    The first that holds, in this order: as written; nothing; abbreviation; compound or faulty spacing; the same value; filler; spelling;
    typo; same sound; other.
    """
    if len(reference) == 1 == len(heard):
        return relate_word(reference[0], heard[0])
    if not heard:
        return (Relation.FILLER if all(map(is_filler, reference)) else Relation.NOTHING), 1.0
    return _relate_group(reference, heard)


@lru_cache(maxsize=200_000)
def relate_word(reference: str, heard: str) -> tuple[Relation, float | None]:
    """``relate`` for one word heard as one word."""
    if reference == heard:
        return Relation.RIGHT, None
    distance = distance_of((reference,), (heard,))
    if (heard,) in full_forms(reference) or (reference,) in full_forms(heard):
        return Relation.ABBREVIATION, distance
    if (reference in NUMBER_WORDS or heard in NUMBER_WORDS or not heard.isalpha()) and same_value((reference,), (heard,)):
        return Relation.RIGHT, None
    fillers = is_filler(reference) + is_filler(heard)
    if fillers == 2 or (fillers and distance <= FILLER_NEAR):
        return Relation.FILLER, distance
    near = _SPELLING_NEAR if min(len(reference), len(heard)) > _SHORT_LETTERS else _SPELLING_NEAR_SHORT
    if distance <= near and _spelt_otherwise(reference, heard):
        return Relation.SPELLING, distance
    if is_slip(reference, heard):
        return Relation.TYPO, distance
    if distance <= _ALIKE_AT_MOST and not _sounds(reference).isdisjoint(_sounds(heard)):
        return Relation.SOUND, distance
    return Relation.OTHER, distance


@lru_cache(maxsize=100_000)
def _sounds(word: str) -> frozenset[tuple[str, ...]]:
    """What ``text.sound_alike`` compares, kept per word."""
    return frozenset(map(merged, pronunciations(word)))


@lru_cache(maxsize=50_000)
def _relate_group(reference: tuple[str, ...], heard: tuple[str, ...]) -> tuple[Relation, float | None]:
    if reference == heard:
        return Relation.RIGHT, None
    distance = distance_of(reference, heard)
    if (len(reference) == 1 and heard in full_forms(reference[0])) or (len(heard) == 1 and reference in full_forms(heard[0])):
        return Relation.ABBREVIATION, distance
    if _letters(reference) == _letters(heard):
        return _compound_or_spacing(reference, heard), distance
    if same_value(reference, heard):
        return Relation.RIGHT, None
    if all(map(is_filler, reference)) and all(map(is_filler, heard)):
        return Relation.FILLER, distance
    if distance <= _ALIKE_AT_MOST and sound_alike(reference, heard):
        # "all right" and "alright": one sound, one letter less.
        near = len(reference) != len(heard) and OSA.distance(_letters(reference), _letters(heard)) <= 1
        return Relation.COMPOUND if near else Relation.SOUND, distance
    return Relation.OTHER, distance


def distance_of(words_a: tuple[str, ...], words_b: tuple[str, ...]) -> float:
    """``text.word_distance``, or the share of differing letters for stretches too long to compare by sound."""
    if len(words_a) == 1 == len(words_b):
        return _distance_of_words(words_a[0], words_b[0])
    return _distance_of_groups(words_a, words_b)


@lru_cache(maxsize=50_000)
def _distance_of_groups(words_a: tuple[str, ...], words_b: tuple[str, ...]) -> float:
    if sum(map(len, words_a)) > _MAX_LETTERS or sum(map(len, words_b)) > _MAX_LETTERS:
        return Levenshtein.normalized_distance(" ".join(words_a), " ".join(words_b))
    return word_distance(words_a, words_b)


@lru_cache(maxsize=200_000)
def _distance_of_words(a: str, b: str) -> float:
    readings_a, readings_b = pronunciations(a), pronunciations(b)
    if len(a) + len(b) > _MAX_LETTERS or not readings_a or not readings_b:
        return _distance_of_groups((a,), (b,))
    # Phone costs are a metric, so a common beginning and end never need another partner: most mishearings share both, and what is left
    # is short and often seen before.
    best = 1.0
    for x in readings_a:
        for y in readings_b:
            start, longer, shorter = 0, max(len(x), len(y)), min(len(x), len(y))
            if longer - shorter >= best * longer:
                continue
            while start < shorter and x[start] == y[start]:
                start += 1
            end = 0
            while end < shorter - start and x[-1 - end] == y[-1 - end]:
                end += 1
            rest_x, rest_y = x[start : len(x) - end], y[start : len(y) - end]
            best = min(best, phone_distance(rest_x, rest_y) * max(len(rest_x), len(rest_y)) / longer)
    return best


def relate_in_context(relation: Relation, tokens: tuple[Token, ...], heard: tuple[str, ...], *, first: bool) -> Relation:
    """``relate``'s answer corrected by what only the text knows: how a word was written.

    An abbreviation in the text is also matched by its letters as spelt and by its other full forms. A capital inside the text marks a
    name, and a name that the lexicon lacks is no typo and lacks no space.

    Args:
        first: the tokens open the text, where a capital means nothing.
    """
    head = tokens[0]
    if head.kind == "abbreviation" and relation not in (Relation.RIGHT, Relation.NOTHING) and head.start == tokens[-1].start:
        letters = "".join(c for c in head.written.casefold() if c.isalnum())
        if "".join(heard) == letters or heard in map(tuple, abbreviation_of(head.written)):
            return Relation.ABBREVIATION
    named = head.written[:1].isupper() and not head.written.isupper() and not first
    if relation is Relation.SPACING and (named or head.kind != "word"):
        return Relation.COMPOUND
    if relation is Relation.TYPO and named:
        return Relation.SOUND if sound_alike((head.text,), heard) else Relation.OTHER
    return relation


def is_slip(unknown: str, known: str) -> bool:
    """Whether ``unknown`` (missing from the lexicon) is a slip of the keyboard for the lexicon's word ``known``.

    One letter wrong, missing, doubled or swapped with its neighbour; two in words of five letters or more (Levenshtein).
    """
    if not unknown.isalpha() or known_word(unknown) or not known_word(known) or len(known) < 2:
        return False
    if OSA.distance(unknown, known) <= 1:
        return len(unknown) > 2
    return min(len(unknown), len(known)) >= 5 and Levenshtein.distance(unknown, known) <= 2


def _spelt_otherwise(a: str, b: str) -> bool:
    return Levenshtein.distance(a, b, score_cutoff=_SPELLING_LETTERS) <= _SPELLING_LETTERS and spelling_variants(a, b)


def _compound_or_spacing(reference: tuple[str, ...], heard: tuple[str, ...]) -> Relation:
    """The same letters, other spaces: the text's fault when only what was heard consists of words of the lexicon; "k g b" spells "kgb"."""
    if all(len(word) == 1 for word in max(reference, heard, key=len)):
        return Relation.ABBREVIATION
    return Relation.SPACING if all(map(known_word, heard)) and not all(map(known_word, reference)) else Relation.COMPOUND


def _letters(words: tuple[str, ...]) -> str:
    return "".join(words).replace("'", "")
