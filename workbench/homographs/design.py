"""Design matrices of the training: features of many contexts as sparse rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import TextError
from workbench.homographs.data import LabelledItem
from workbench.homographs.features import GRAMMAR_BITS, OWN_BITS, Context, Features, bucket, grammar_features, hashed, own_grammar_features
from workbench.homographs.lexicon import Lexicon
from workbench.homographs.occurrence import Occurrence, occurrence, words_of

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sparse

#: Parts of speech that are plainly a verb's form, or plainly none: base form and -s; noun, plural, adjective.
_VERBAL, _NOMINAL = "VZ", "NPA"


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Rows of the words that grammar tells apart, then of plain words.

    Attributes:
        labelled: shape (N, grammar places + own places); the last columns are the words' own.
        plain: shape (M, the same).
        grammar_places, own_places: place in the table of weights of each column.
        own_share: value of an own feature, by which its weight is multiplied in the end.
    """

    labelled: sparse.csr_matrix
    plain: sparse.csr_matrix
    grammar_places: np.ndarray
    own_places: np.ndarray
    own_share: float

    def rows(self, numbers: Sequence[int]) -> sparse.csr_matrix:
        """Some labelled rows and all plain ones, with the 32-bit indices that liblinear asks for."""
        import numpy as np
        import scipy.sparse as sparse

        matrix = sparse.vstack([self.labelled[list(numbers)], self.plain]).tocsr()
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
        return matrix

    def tables(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights by column as the two tables by place."""
        import numpy as np

        grammar, own = np.zeros(1 << GRAMMAR_BITS, np.float32), np.zeros(1 << OWN_BITS, np.float32)
        split = len(self.grammar_places)
        grammar[self.grammar_places] = weights[:split]
        own[self.own_places] = weights[split:] * self.own_share
        return grammar, own


def design(contexts: Sequence[Context], prefixes: Sequence[str], plain: Sequence[Context], *, own_share: float) -> Design:
    """The rows of labelled contexts, whose own features begin with their prefix, and of plain ones."""
    import numpy as np
    import scipy.sparse as sparse

    def places(context: Context) -> list[tuple[int, float]]:
        return [(bucket(name, GRAMMAR_BITS), 1.0) for name in grammar_features(context)]

    shared = [places(context) for context in (*contexts, *plain)]
    own = [hashed(own_grammar_features(c), prefix, OWN_BITS) for c, prefix in zip(contexts, prefixes, strict=True)]
    grammar_matrix, grammar_places = _matrix(shared)
    own_matrix, own_places = _matrix(own)
    nothing = sparse.csr_matrix((len(plain), own_matrix.shape[1]), dtype=np.float32)
    labelled = sparse.hstack([grammar_matrix[: len(contexts)], own_share * own_matrix]).tocsr()
    return Design(labelled, sparse.hstack([grammar_matrix[len(contexts) :], nothing]).tocsr(), grammar_places, own_places, own_share)


def sense_matrix(features: Sequence[Features], verbs: Sequence[float], prefix: str) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Rows of one word's contexts, the verb score first; and the places of the other columns."""
    import numpy as np
    import scipy.sparse as sparse

    matrix, places = _matrix([hashed(found, prefix, OWN_BITS) for found in features])
    whole = sparse.hstack([sparse.csr_matrix(np.array(verbs, np.float32)[:, None]), matrix]).tocsr()
    whole.indices, whole.indptr = whole.indices.astype(np.int32), whole.indptr.astype(np.int32)
    return whole, places


def _matrix(rows: Sequence[Sequence[tuple[int, float]]]) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Rows of (place, value) as a sparse matrix over the places that occur."""
    import numpy as np
    import scipy.sparse as sparse

    used = np.array([place for row in rows for place, _ in row], np.int64)
    values = np.array([value for row in rows for _, value in row], np.float32)
    places, columns = np.unique(used, return_inverse=True)
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    return sparse.csr_matrix((values, columns.astype(np.int32), starts), shape=(len(rows), len(places))), places


def plain_words(items: Sequence[LabelledItem], words: Lexicon, parts: dict[str, tuple[str, float]], *, sure: float) -> list[tuple[Occurrence, bool]]:
    """The other words of the sentences that are plainly verbal (True) or nominal (False), with their neighbours."""
    found = []
    for item in items:
        for word, start, end in words_of(item.sentence):
            part, probability = parts.get(word, ("F", 0.0))
            if start == item.start_byte or probability < sure or part not in _VERBAL + _NOMINAL or word in words or len(word) < 2:
                continue
            try:
                found.append((occurrence(item.sentence, start, end), part in _VERBAL))
            except TextError:
                continue
    return found
