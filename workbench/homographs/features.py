"""What a linear model sees of a word in its sentence: names of features, and how they become places in a table of weights.

Two kinds. Grammar: which classes of words stand where; it says how likely a verb is in that place, whatever the word. Sense: which words stand near, of which
subjects, and which of the lexicon's cues.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

from workbench.homographs.base import Homograph
from workbench.homographs.occurrence import Occurrence
from workbench.homographs.word_classes import WordClasses, seeds

#: Words as far as this to either side take part by their place.
_NEAR = 4
#: The search for a verb, a modal or a conjunction ends after so many words.
_FAR = 12
_CLAUSE_END = frozenset(".;:()?!")
_LANDMARKS = frozenset(
    "is was are were has had have will would can could may might must should to do does did be been D Z V that which who when if and or , not".split()
)
_FINITE = frozenset("is was are were has had have will would can could may might must should does did D Z".split())
#: Bits of the table of grammar weights, shared by all words, and of that of the words' own weights.
GRAMMAR_BITS, OWN_BITS = 20, 22
Features = list[tuple[str, float]]


def bucket(feature: str, bits: int) -> int:
    """Place of a feature in a table of 2 ** bits weights."""
    return crc32(feature.encode("utf-8", "replace")) & ((1 << bits) - 1)


@lru_cache(maxsize=1)
def _grammar_words() -> frozenset[str]:
    return frozenset(seeds()["itself"])


class Context:
    """The neighbours of a word, nearest first, lower case, with the class of each.

    Args:
        occurrence: the word in its sentence.
        classes: classes of usual words.
    """

    def __init__(self, occurrence: Occurrence, classes: WordClasses) -> None:
        self.occurrence = occurrence
        self.left, self.right = [_plain(token) for token in occurrence.left], [_plain(token) for token in occurrence.right]
        self._classes = classes
        self.left_tags = [self._tag(token, word) for token, word in zip(occurrence.left, self.left, strict=True)]
        self.right_tags = [self._tag(token, word) for token, word in zip(occurrence.right, self.right, strict=True)]

    def _tag(self, token: str, word: str) -> str:
        first = token[0]
        if not first.isalpha():
            return "0" if first.isdigit() else token if token in ",.;:()?!$%&" else "#"
        if word in _grammar_words():
            return word
        if first.isupper() and len(token) > 1:
            return "M"
        found = self._classes.of(word)
        return found[0] if found else _guess(word)

    def subject(self, word: str) -> int | None:
        """Number of the subject that a word belongs to; None for a rare word."""
        found = self._classes.of(word)
        return found[1] if found else None


def _plain(token: str) -> str:
    return token.lower().replace("’", "'")


def _guess(word: str) -> str:
    """The class of a rare word by its ending, as a hint."""
    for ending, tag in (("ing", "g"), ("ed", "d"), ("ly", "r"), ("ss", "n"), ("s", "p")):
        if word.endswith(ending):
            return tag
    return "a" if word.endswith(("ous", "ful", "ive", "able", "ible", "al", "ic", "ish", "less")) else "n"


def _shape(token: str) -> str:
    return "A" if token.isupper() and len(token) > 1 else "Aa" if token[0].isupper() else "a"


def _ending(word: str) -> str:
    return word if not word[0].isalpha() else word[-3:] if len(word) > 4 else "=" + word


def grammar_features(context: Context) -> list[str]:
    """Which words and classes of words stand where around the word; never the word itself."""
    pad = ["<>"] * _NEAR
    w1, w2, w3, w4 = (context.left[:_NEAR] + pad)[:_NEAR]
    x1, x2, x3, x4 = (context.right[:_NEAR] + pad)[:_NEAR]
    g1, g2, g3, g4 = (context.left_tags[:_NEAR] + pad)[:_NEAR]
    h1, h2, h3, h4 = (context.right_tags[:_NEAR] + pad)[:_NEAR]
    e1, e2, f1, f2 = _ending(w1), _ending(w2), _ending(x1), _ending(x2)
    left_verb, right_verb = (any(tag in _FINITE for tag in tags) for tags in (context.left_tags, context.right_tags))
    main = f"{left_verb:d}{right_verb:d}"
    found = [
        f"g1 {g1}", f"g2 {g2}", f"g3 {g3}", f"g4 {g4}", f"h1 {h1}", f"h2 {h2}", f"h3 {h3}", f"h4 {h4}",
        f"w1 {w1}", f"w2 {w2}", f"w3 {w3}", f"x1 {x1}", f"x2 {x2}", f"x3 {x3}", f"e1 {e1}", f"e2 {e2}", f"f1 {f1}", f"f2 {f2}",
        f"g21 {g2} {g1}", f"h12 {h1} {h2}", f"gh {g1} {h1}", f"g321 {g3} {g2} {g1}", f"h123 {h1} {h2} {h3}", f"g21h {g2} {g1} {h1}", f"gh12 {g1} {h1} {h2}",
        f"g4321 {g4} {g3} {g2} {g1}", f"g21h12 {g2} {g1} {h1} {h2}", f"w1h1 {w1} {h1}", f"g1x1 {g1} {x1}", f"w2g1 {w2} {g1}", f"g2w1 {g2} {w1}",
        f"w21 {w2} {w1}", f"w1x1 {w1} {x1}", f"x12 {x1} {x2}", f"x1h2 {x1} {h2}", f"e1h1 {e1} {h1}", f"g1f1 {g1} {f1}", f"e21 {e2} {e1}",
        "L " + " ".join(_landmarks(context.left_tags)), "R " + " ".join(_landmarks(context.right_tags)),
        f"main {main}", f"main {main} {g1}", f"main {main} {h1}", f"T {_shape(context.occurrence.written)} {context.occurrence.is_first:d}",
    ]  # fmt: skip
    return [*found, *context.occurrence.marks]


def _landmarks(tags: Sequence[str], most: int = 2) -> list[str]:
    """The first words of the clause that say where its verb is."""
    found = []
    for tag in tags[:_FAR]:
        if tag in _CLAUSE_END:
            break
        if tag in _LANDMARKS:
            found.append(tag)
            if len(found) == most:
                break
    return found


def own_grammar_features(context: Context) -> Features:
    """What a word of the grammar kind may weigh for itself: its nearest neighbours, and what its sentence is about."""
    return [*_near_features(context), *_bag_features(context)]


def sense_features(context: Context, homograph: Homograph) -> Features:
    """What tells senses apart: neighbours by place, what the sentence is about, names, cues of the lexicon."""
    pad = ["<>"] * 3
    w1, w2, w3 = (context.left[:3] + pad)[:3]
    x1, x2, x3 = (context.right[:3] + pad)[:3]
    names = [f"w3 {w3}", f"x3 {x3}", f"w1x1 {w1} {x1}", f"w21 {w2} {w1}", f"x12 {x1} {x2}"]
    names.append(f"T {_shape(context.occurrence.written)} {context.occurrence.is_first:d}")
    capitals = {f"B {word}": 0.25 for _, word, token in _words_by_distance(context) if token[0].isupper()}
    return [*_near_features(context), *((name, 1.0) for name in names), *_bag_features(context), *capitals.items(), *_cue_features(context, homograph)]


def _near_features(context: Context) -> Features:
    pad = ["<>"] * 2
    w1, w2 = (context.left[:2] + pad)[:2]
    x1, x2 = (context.right[:2] + pad)[:2]
    g1, g2 = (context.left_tags[:2] + pad)[:2]
    h1, h2 = (context.right_tags[:2] + pad)[:2]
    near = [f"g1 {g1}", f"h1 {h1}", f"w1 {w1}", f"x1 {x1}", f"w2 {w2}", f"x2 {x2}", f"g2 {g2}", f"h2 {h2}"]
    near += [f"g21 {g2} {g1}", f"h12 {h1} {h2}", f"gh {g1} {h1}", f"f1 {_ending(x1)}"]
    near += [f"T {_shape(context.occurrence.written)}", "always", *context.occurrence.marks]
    return [(name, 1.0) for name in near]


def _bag_features(context: Context) -> Features:
    """Words of the sentence, their stems and subjects, near ones counting more."""
    found: dict[str, float] = {}
    for distance, word, _ in _words_by_distance(context):
        value = 0.5 if distance <= 5 else 0.35 if distance <= _FAR else 0.25
        subject = context.subject(word)
        for name in (f"b {word}", f"m {_stem(word)}", *(() if subject is None else (f"c {subject}",))):
            found[name] = max(value, found.get(name, 0.0))
    return list(found.items())


def _words_by_distance(context: Context) -> list[tuple[int, str, str]]:
    """Words that mean something, as (distance, word, as written)."""
    sides = ((context.left, context.occurrence.left), (context.right, context.occurrence.right))
    every = [(k, word, token) for words, tokens in sides for k, (word, token) in enumerate(zip(words, tokens, strict=True), 1)]
    return [(k, word, token) for k, word, token in every if word[0].isalpha() and word not in _grammar_words()]


def _cue_features(context: Context, homograph: Homograph) -> Features:
    return [(f"cue {name}", 1.5 * min(2.5, hits)) for name, hits in cue_hits(context, homograph).items() if hits]


def cue_hits(context: Context, homograph: Homograph) -> dict[str, float]:
    """How many words that point to each reading stand around, near ones counting more."""
    hits = {reading.name: 0.0 for reading in homograph}
    cues = {reading.name: _cues(reading.cues) for reading in homograph if reading.cues}
    for side in (context.left, context.right) if cues else ():
        for distance, word in enumerate(side, 1):
            for name, words in cues.items():
                if word in words:
                    hits[name] += 1.0 if distance <= 3 else 0.6
    return hits


@lru_cache(maxsize=2048)
def _cues(cues: tuple[str, ...]) -> frozenset[str]:
    return frozenset(cues)


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    for ending in ("'s", "ings", "ing", "ers", "er", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def hashed(features: Features, prefix: str, bits: int) -> list[tuple[int, float]]:
    """Features as (place, value)."""
    return [(bucket(prefix + name, bits), value) for name, value in features]
