"""A class for every usual word of English, learnt from which words stand beside it: a part of speech, and a subject.

The neighbours are the bigrams of the language model that pocketsphinx ships. Words are points by the singular vectors of their positive pointwise mutual
information with left and right neighbours (Levy, Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014); a logistic regression
on some 470 words of ``word_seeds.toml`` gives the part of speech, k-means the subject.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zlib import crc32

from workbench.homographs.bigrams import Bigrams, read_bigrams

if TYPE_CHECKING:
    import numpy as np

#: Classes by part of speech: verb, noun, plural, adjective, verb with -s, past, -ing, adverb, name, word of grammar.
PARTS = "VNPAZDGRMF"
DIMENSIONS = 100
SUBJECTS = 256
#: A part of speech less likely than this is written in lower case: a hint, no more.
_SURE = 0.5
#: Nats. More information than this is no word's, and what is above the limit counts as the limit.
_MOST_INFORMATION, _INFORMATION_LIMIT = 25.0, 8.0


@dataclass(frozen=True, slots=True, eq=False)
class WordClasses:
    """Classes by hash of the word.

    Attributes:
        table: CRC-32 of a word -> part of speech, a letter of ``PARTS`` (lower case where unsure), and subject, 0 .. ``SUBJECTS`` - 1.
    """

    table: dict[int, tuple[str, int]]

    def of(self, word: str) -> tuple[str, int] | None:
        """Part of speech and subject of a word in lower case; None for a rare one."""
        return self.table.get(crc32(word.encode("utf-8", "replace")))


@lru_cache(maxsize=1)
def seeds() -> dict[str, tuple[str, ...]]:
    """``word_seeds.toml``: words by class."""
    table = tomllib.loads(files("workbench.homographs").joinpath("word_seeds.toml").read_text(encoding="utf-8"))
    return {name: tuple(words) for name, words in table.items()}


def learn_word_classes(*, count: int, seed: int = 0, say: Callable[[str], None] = lambda line: None) -> tuple[WordClasses, dict[str, tuple[str, float]]]:
    """Learn the classes of the ``count`` most usual words; about a minute.

    Returns:
        The classes, and for every word of the language model its part of speech with its probability.

    Raises:
        EngineUnavailableError: pocketsphinx is not installed.
    """
    import numpy as np

    say("reading the language model's pairs of words")
    found = read_bigrams()
    words = found.words
    say(f"placing {len(words):,} words by {len(found.left):,} pairs of neighbours")
    points = points_of(found)
    parts = _parts_of_speech(words, points)
    usual = np.argsort(-found.log_probabilities, kind="stable")[:count]
    say(f"sorting {len(usual):,} words into {SUBJECTS} subjects")
    subjects = _subjects(points[usual], seed)
    table = {}
    for place, number in enumerate(usual):
        part, probability = parts[words[number]]
        table.setdefault(crc32(words[number].encode()), (part if probability > _SURE else part.lower(), int(subjects[place])))
    return WordClasses(table), parts


def points_of(found: Bigrams) -> np.ndarray:
    """Unit vectors, shape (words, DIMENSIONS), float32."""
    import numpy as np
    import scipy.sparse as sparse
    from scipy.sparse.linalg import svds

    count, information = len(found.words), found.information
    # A sentence's start has next to no probability of its own, and so boundless information with whatever follows.
    useful = (information > 0) & (information < _MOST_INFORMATION)
    follows = sparse.csr_matrix((information[useful].clip(0, _INFORMATION_LIMIT), (found.left[useful], found.right[useful])), shape=(count, count))
    matrix = sparse.hstack([follows, follows.T]).tocsr().astype(np.float32)
    start = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    vectors, strengths, _ = svds(matrix, k=DIMENSIONS, v0=start)
    points = vectors * np.sqrt(strengths)
    return (points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6)).astype(np.float32)


def _parts_of_speech(words: Sequence[str], points: np.ndarray) -> dict[str, tuple[str, float]]:
    from sklearn.linear_model import LogisticRegression

    number = {word: i for i, word in enumerate(words)}
    known = [(number[word], part) for part in PARTS for word in seeds()[part] if word in number]
    model = LogisticRegression(C=30, max_iter=500).fit(points[[i for i, _ in known]], [part for _, part in known])
    probabilities = model.predict_proba(points)
    best = probabilities.argmax(axis=1)
    return {word: (str(model.classes_[k]), float(probabilities[i, k])) for i, (word, k) in enumerate(zip(words, best, strict=True))}


def _subjects(points: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.cluster import MiniBatchKMeans

    return MiniBatchKMeans(SUBJECTS, random_state=seed, n_init=3, batch_size=4096).fit_predict(points)
