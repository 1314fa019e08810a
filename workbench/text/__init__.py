"""Text: comparison normalisation, tokens, pronunciations, phone distance."""

from workbench.text.abbreviations import abbreviation_of
from workbench.text.compare import agree, comparable, same_value
from workbench.text.lexicon import known_word, pronunciations
from workbench.text.neighbours import neighbours
from workbench.text.normalise import check_reference, normalise, tokenise
from workbench.text.phones import phone_distance, sound_alike, word_distance
from workbench.text.tokens import Token
from workbench.text.words import is_filler, spelling_variants

__all__ = [
    "Token",
    "abbreviation_of",
    "agree",
    "check_reference",
    "comparable",
    "is_filler",
    "known_word",
    "neighbours",
    "normalise",
    "phone_distance",
    "pronunciations",
    "same_value",
    "sound_alike",
    "spelling_variants",
    "tokenise",
    "word_distance",
]
