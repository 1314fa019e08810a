"""Training of the linear model of readings.

One logistic regression serves all words that their part of speech tells apart: weights of grammar shared by all, small ones of each word's own. It also learns from
the other words of the sentences that are plainly verbs, nouns or adjectives. Words that only the subject tells apart have a small regression each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.homographs.artefact import Artefact, Decision
from workbench.homographs.base import Homograph, place_of
from workbench.homographs.data import LabelledItem
from workbench.homographs.design import design, plain_words, sense_matrix
from workbench.homographs.features import Context
from workbench.homographs.lexicon import Lexicon
from workbench.homographs.occurrence import occurrence
from workbench.homographs.reading_model import own_features, own_prefix, verb_feature, verb_score, verb_side
from workbench.homographs.word_classes import WordClasses

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How the model is trained; chosen by cross-validation on the training part of the Wikipedia data.

    Attributes:
        grammar_c, sense_c: inverse strength of the regularisation.
        own_share: how easily a word's own weights grow beside those of grammar.
        plain_weight: weight of a plainly verbal or nominal word beside that of a labelled item.
        plain_sure: least probability of a plain word's part of speech.
        balance: exponent by which the rarer reading of a word counts more.
        example_weight: weight of the lexicon's own examples.
        grammar_weights, own_weights: how many weights are kept, the largest.
        usual_words: how many words have a class.
        folds: of the cross-validation that calibrates.
        seed: of everything random.
    """

    grammar_c: float = 1.0
    sense_c: float = 3.0
    own_share: float = 3.0
    plain_weight: float = 0.1
    plain_sure: float = 0.8
    balance: float = 0.5
    example_weight: float = 1.0
    grammar_weights: int = 100_000
    own_weights: int = 150_000
    usual_words: int = 16_000
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One item as training sees it."""

    word: str
    reading: str
    context: Context
    weight: float
    is_own: bool


class Trainer:
    """Fits weights to some of the examples; what all fits share is computed once.

    Args:
        items: labelled data.
        words: the lexicon; its examples join every fit.
        classes: classes of usual words.
        parts: parts of speech with probabilities, for plain words.
    """

    def __init__(self, items: Sequence[LabelledItem], words: Lexicon, classes: WordClasses, parts: dict[str, tuple[str, float]], options: TrainingOptions) -> None:
        self.words, self.classes, self.options = words, classes, options
        labelled = [Example(item.word, item.reading, Context(item.occurrence, classes), 1.0, False) for item in items]
        seen = {item.word for item in items}
        own = [
            Example(word.word, reading.name, Context(occurrence(text, *place_of(text, word.word)), classes), options.example_weight, True)
            for word in words.values()
            if word.word in seen
            for reading in word
            for text in reading.examples
        ]
        self.examples = [*labelled, *own]
        self.item_count = len(labelled)
        self.grammar_rows = [i for i, e in enumerate(self.examples) if verb_side(words[e.word]) is not None]
        plain = plain_words(items, words, parts, sure=options.plain_sure)
        contexts = [self.examples[i].context for i in self.grammar_rows]
        prefixes = [own_prefix(self.examples[i].word, verb_side(words[self.examples[i].word]).name) for i in self.grammar_rows]
        self.design = design(contexts, prefixes, [Context(found, classes) for found, _ in plain], own_share=options.own_share)
        self.plain_is_verb = [is_verb for _, is_verb in plain]

    def fit(self, chosen: Sequence[int], *, leave_out: Collection[str] = ()) -> Artefact:
        """Weights fitted to the labelled items of these numbers and to the lexicon's examples, but for those of the words to leave out."""
        taken = {*chosen, *(i for i in range(self.item_count, len(self.examples)) if self.examples[i].word not in leave_out)}
        counts = Counter((e.word, e.reading) for i in sorted(taken) if i < self.item_count for e in [self.examples[i]])
        grammar, own, bias = self._fit_grammar(taken, counts)
        decisions = {}
        for word in sorted({self.examples[i].word for i in chosen}):
            asked = verb_side(self.words[word])
            decisions[word] = (Decision(word, asked.name, True, bias, 0.0),) if asked else self._fit_senses(self.words[word], taken, counts, grammar, own)
        return Artefact(self.classes, grammar, own, decisions, {"grammar": 1.0, "sense": 1.0, "unseen": 1.0}, {})

    def _weight(self, example: Example, counts: Counter) -> float:
        """Rare readings count more; the lexicon's examples count as told."""
        if example.is_own:
            return example.weight
        total = sum(counts[example.word, reading.name] for reading in self.words[example.word])
        return (total / (2 * counts[example.word, example.reading])) ** self.options.balance

    def _fit_grammar(self, taken: set[int], counts: Counter) -> tuple[np.ndarray, np.ndarray, float]:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        rows = [k for k, i in enumerate(self.grammar_rows) if i in taken]
        examples = [self.examples[self.grammar_rows[k]] for k in rows]
        is_verb = [e.reading == verb_side(self.words[e.word]).name for e in examples] + self.plain_is_verb
        if len(set(is_verb)) < 2:
            # Sentences of words that only the subject tells apart, and no plain word in them: nothing to learn of grammar.
            return *self.design.tables(np.zeros(self.design.labelled.shape[1], np.float32)), _usual(is_verb)
        weights = [self._weight(e, counts) for e in examples] + [self.options.plain_weight] * len(self.plain_is_verb)
        matrix = self.design.rows(rows)
        model = LogisticRegression(C=self.options.grammar_c, solver="liblinear", random_state=self.options.seed)
        model.fit(matrix, np.array(is_verb), sample_weight=np.array(weights))
        return *self.design.tables(model.coef_[0]), float(model.intercept_[0])

    def _fit_senses(self, word: Homograph, taken: set[int], counts: Counter, grammar: np.ndarray, own: np.ndarray) -> tuple[Decision, ...]:
        examples = [self.examples[i] for i in sorted(taken) if self.examples[i].word == word.word]
        readings = [reading.name for reading in word]
        asked = readings[:1] if len(readings) == 2 else readings
        features = [own_features(e.context, word, by_grammar=False) for e in examples]
        verbs = [verb_feature(verb_score(e.context, grammar)) for e in examples]
        weights = [self._weight(e, counts) for e in examples]
        found = []
        for reading in asked:
            answers = [e.reading == reading for e in examples]
            matrix, places = sense_matrix(features, verbs, own_prefix(word.word, reading))
            bias, verb_weight, weights_found = _small_regression(matrix, answers, weights, self.options)
            own[places] = weights_found
            found.append(Decision(word.word, reading, False, bias, verb_weight))
        return tuple(found)


def _small_regression(matrix, answers: Sequence[bool], weights: Sequence[float], options: TrainingOptions) -> tuple[float, float, np.ndarray]:
    """Bias, weight of the first column and weights of the others. With one answer only there is nothing to learn but that it is usual."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    if len(set(answers)) < 2:
        return _usual(answers), 0.0, np.zeros(matrix.shape[1] - 1)
    model = LogisticRegression(C=options.sense_c, solver="liblinear", random_state=options.seed).fit(matrix, np.array(answers), sample_weight=np.array(weights))
    return float(model.intercept_[0]), float(model.coef_[0][0]), model.coef_[0][1:]


def _usual(answers: Sequence[bool]) -> float:
    """The bias where there is one answer only: it is usual; 0 where there is none."""
    return 0.0 if not answers else 4.0 if answers[0] else -4.0


def kept(table: np.ndarray, count: int) -> np.ndarray:
    """The table with all but its ``count`` largest weights at zero."""
    import numpy as np

    if np.count_nonzero(table) <= count:
        return table
    least = np.partition(np.abs(table), len(table) - count)[len(table) - count]
    return np.where(np.abs(table) >= least, table, 0)
