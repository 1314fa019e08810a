"""The linear model of readings: what it makes of a word in its sentence, in well under a millisecond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import TextError
from workbench.homographs.artefact import Artefact, load
from workbench.homographs.base import Homograph, Reading, stamp
from workbench.homographs.expected import THRESHOLD, Expected, Span, decide
from workbench.homographs.features import (
    GRAMMAR_BITS,
    OWN_BITS,
    Context,
    bucket,
    cue_hits,
    grammar_features,
    hashed,
    own_grammar_features,
    sense_features,
)
from workbench.homographs.lexicon import Lexicon, lexicon
from workbench.homographs.occurrence import Occurrence, occurrence

if TYPE_CHECKING:
    import numpy as np

#: What one cue is worth, in logits, for a word that training did not know.
_CUE_WORTH = 1.5
#: The verb score as a feature of words that the subject tells apart.
_VERB_SCALE, _VERB_LIMIT = 0.25, 1.5


class ReadingModel:
    """Which reading a sentence asks for.

    Args:
        artefact: weights and classes.
        words: the homographs; by default the workbench's and the user's own.
    """

    def __init__(self, artefact: Artefact, words: Lexicon | None = None) -> None:
        self.artefact = artefact
        self.words = words if words is not None else lexicon()

    @classmethod
    def load(cls, path: str | Path | None = None, *, words: Lexicon | None = None) -> ReadingModel:
        """The model in a file that ``workbench homographs train`` wrote; by default the one that comes with the workbench.

        Raises:
            ConfigError: a file that cannot be read.
        """
        file = str(path or files("workbench.homographs").joinpath("reading_model.zip"))
        return cls(_loaded(file, stamp(file)), words)

    def predict(self, items: Sequence[Span], *, threshold: float = THRESHOLD) -> list[Expected]:
        """One answer for each (sentence, start_byte, end_byte), in order. What cannot be judged has no reading and says why; nothing is raised for it.

        Args:
            threshold: a reading less likely than this is not chosen.
        """
        return [self._expected(*item, threshold) for item in items]

    def _expected(self, sentence: str, start_byte: int, end_byte: int, threshold: float) -> Expected:
        try:
            found = occurrence(sentence, start_byte, end_byte)
        except TextError as error:
            return Expected("", (), (), None, str(error))
        homograph = self.words.get(found.word)
        if homograph is None:
            return Expected(found.word, (), (), None, f"no homograph that the lexicon knows: {found.word}")
        probabilities, note = self.probabilities(homograph, found)
        return decide(homograph.word, [reading.name for reading in homograph], probabilities, threshold=threshold, note=note)

    def probabilities(self, homograph: Homograph, found: Occurrence) -> tuple[list[float], str]:
        """Calibrated probability of each reading in the lexicon's order, and what they do not rest on."""
        context = Context(found, self.artefact.classes)
        verb = verb_score(context, self.artefact.grammar)
        names = [reading.name for reading in homograph]
        decisions = self.artefact.decisions.get(homograph.word, ())
        # The readings that training knew must be all that the lexicon has: one question says nothing of a third.
        if len(decisions) != (1 if len(names) == 2 else len(names)) or not all(decision.reading in names for decision in decisions):
            return _unseen(homograph, context, self.artefact.scales["unseen"] * (verb + self.artefact.verb_bias))
        scale = self.artefact.scales["grammar" if decisions[0].by_grammar else "sense"]
        shares = {d.reading: _sigmoid(scale * self._logit(d, homograph, context, verb)) for d in decisions}
        if len(names) == 2:
            (asked, share), *_ = shares.items()
            return [share if name == asked else 1 - share for name in names], ""
        total = sum(shares.get(name, 0.0) for name in names)
        return [shares.get(name, 0.0) / total for name in names], ""

    def _logit(self, decision, homograph: Homograph, context: Context, verb: float) -> float:
        features = own_features(context, homograph, by_grammar=decision.by_grammar)
        own = total(hashed(features, own_prefix(decision.word, decision.reading), OWN_BITS), self.artefact.own)
        return decision.bias + own + (verb if decision.by_grammar else decision.verb_weight * verb_feature(verb))


@lru_cache(maxsize=4)
def _loaded(path: str, _stamp: tuple[int, ...] | None) -> Artefact:
    return load(Path(path))


def own_prefix(word: str, reading: str) -> str:
    """What a word's own features begin with."""
    return f"{word} {reading} "


def own_features(context: Context, homograph: Homograph, *, by_grammar: bool) -> list[tuple[str, float]]:
    """The features that a word has weights of its own for."""
    return own_grammar_features(context) if by_grammar else sense_features(context, homograph)


def verb_score(context: Context, grammar: np.ndarray) -> float:
    """How much the place asks for a verb, in logits."""
    return float(grammar[[bucket(name, GRAMMAR_BITS) for name in grammar_features(context)]].sum())


def verb_feature(verb: float) -> float:
    """The verb score as one feature among others."""
    return max(-_VERB_LIMIT, min(_VERB_LIMIT, _VERB_SCALE * verb))


def total(places: list[tuple[int, float]], weights: np.ndarray) -> float:
    """Sum of weight times value."""
    return float(sum(weights[[place for place, _ in places]] * [value for _, value in places]))


def verb_side(homograph: Homograph) -> Reading | None:
    """The one reading that is a verb, where grammar alone can tell; else None."""
    verbs = [reading for reading in homograph if reading.pos[0] == "verb"]
    return verbs[0] if homograph.told_by == "grammar" and len(homograph.readings) == 2 and len(verbs) == 1 else None


def _unseen(homograph: Homograph, context: Context, verb_logit: float) -> tuple[list[float], str]:
    """Probabilities for a word without weights of its own: whether the place asks for a verb, and the lexicon's cues."""
    hits = cue_hits(context, homograph)
    asked = verb_side(homograph)
    logits = [_CUE_WORTH * hits[reading.name] + (verb_logit if reading is asked else 0.0) for reading in homograph]
    top = max(logits)
    shares = [math.exp(logit - top) for logit in logits]
    known = " and ".join(name for name, is_there in (("grammar", asked is not None), ("cues", any(hits.values()))) if is_there) or "nothing"
    return [share / sum(shares) for share in shares], f"the model was not trained on {homograph.word}: judged by {known} alone"


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, logit))))
