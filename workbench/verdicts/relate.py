"""How what one engine heard relates to the reference words it stands for."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from workbench.text import Token, abbreviation_of, is_filler, known_word, same_value, sound_alike, spelling_variants, word_distance
from workbench.verdicts.align import is_number_word

#: A filler heard for a word, or a word heard for a filler, is the filler when at most this far apart ("a" and "uh").
FILLER_NEAR = 0.2
#: Sounds farther apart than this are not worth the question whether they are pronounced alike.
_ALIKE_AT_MOST = 0.4
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


@lru_cache(maxsize=200_000)
def relate(reference: tuple[str, ...], heard: tuple[str, ...]) -> tuple[Relation, float | None]:
    """Relation of heard words to reference words, and their phone distance (None where nothing had to be compared).

    The first that holds, in this order: as written; filler; nothing; the same value; abbreviation; compound or faulty spacing; spelling; typo; same sound; other.
    """
    if reference == heard:
        return Relation.RIGHT, None
    ref_fillers = all(map(is_filler, reference))
    if not heard:
        return (Relation.FILLER if ref_fillers else Relation.NOTHING), 1.0
    single = len(reference) == 1 == len(heard)
    if (not single or is_number_word(reference[0]) or is_number_word(heard[0]) or not heard[0].isalpha()) and same_value(reference, heard):
        return Relation.RIGHT, None
    distance = distance_of(reference, heard)
    if (ref_fillers and all(map(is_filler, heard))) or ((ref_fillers or all(map(is_filler, heard))) and distance <= FILLER_NEAR):
        return Relation.FILLER, distance
    if _abbreviates(reference, heard) or _abbreviates(heard, reference):
        return Relation.ABBREVIATION, distance
    if not single:
        joined = _joined(reference, heard, distance)
        if joined:
            return joined, distance
    elif _spelt_otherwise(reference[0], heard[0]):
        return Relation.SPELLING, distance
    elif is_slip(reference[0], heard[0]):
        return Relation.TYPO, distance
    if distance <= _ALIKE_AT_MOST and sound_alike(reference, heard):
        return Relation.SOUND, distance
    return Relation.OTHER, distance


@lru_cache(maxsize=200_000)
def distance_of(words_a: tuple[str, ...], words_b: tuple[str, ...]) -> float:
    """``word_distance``, or the share of differing letters for stretches too long to compare by sound."""
    if sum(map(len, words_a)) > _MAX_LETTERS or sum(map(len, words_b)) > _MAX_LETTERS:
        return Levenshtein.normalized_distance(" ".join(words_a), " ".join(words_b))
    return word_distance(words_a, words_b)


def relate_in_context(relation: Relation, tokens: tuple[Token, ...], heard: tuple[str, ...], *, first: bool) -> Relation:
    """``relate``'s answer corrected by what only the text knows: how a word was written.

    An abbreviation in the text is also matched by its letters as spelt and by its other full forms. A capital inside the text marks a name, and a name that
    the lexicon lacks is no typo and lacks no space.

    Args:
        first: the tokens open the text, where a capital means nothing.
    """
    head = tokens[0]
    if relation is Relation.OTHER or relation is Relation.SOUND:
        if head.kind == "abbreviation" and head.start == tokens[-1].start:
            letters = "".join(c for c in head.written.casefold() if c.isalnum())
            if "".join(heard) == letters or heard in map(tuple, abbreviation_of(head.written)):
                return Relation.ABBREVIATION
    elif relation is Relation.TYPO or relation is Relation.SPACING:
        named = head.written[:1].isupper() and not head.written.isupper() and not first
        if named and relation is Relation.SPACING:
            return Relation.COMPOUND
        if named:
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


def _abbreviates(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    return len(short) == 1 and full in map(tuple, abbreviation_of(short[0]))


def _spelt_otherwise(a: str, b: str) -> bool:
    return Levenshtein.distance(a, b, score_cutoff=_SPELLING_LETTERS) <= _SPELLING_LETTERS and spelling_variants(a, b)


def _joined(reference: tuple[str, ...], heard: tuple[str, ...], distance: float) -> Relation | None:
    ref_joined, heard_joined = (_letters(words) for words in (reference, heard))
    if ref_joined != heard_joined:
        # "all right" and "alright": one sound, one letter less.
        near = len(reference) != len(heard) and OSA.distance(ref_joined, heard_joined) <= 1 and distance <= _ALIKE_AT_MOST
        return Relation.COMPOUND if near and sound_alike(reference, heard) else None
    one_to_many = len(reference) == 1 and not known_word(reference[0]) and all(map(known_word, heard))
    many_to_one = len(heard) == 1 and known_word(heard[0]) and not all(map(known_word, reference))
    return Relation.SPACING if one_to_many or many_to_one else Relation.COMPOUND


def _letters(words: tuple[str, ...]) -> str:
    return "".join(words).replace("'", "")
