"""What the texts of a dataset hold: words, and the phones in which they are said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.text.g2p import guess_all
from workbench.text.lexicon import known_word, pronunciations
from workbench.text.phones import PHONES

_GUESSED_AT_ONCE = 1000


@dataclass(frozen=True)
class Coverage:
    """Counts over all words of a dataset's texts, normalised as they are said.

    Attributes:
        words: running words.
        distinct: different words.
        once: words that occur once.
        unlisted: running words that the pronouncing lexicon lacks (names, other languages, faults of the text).
        phones: running phones of the words' first pronunciations (ARPABET, by rule for unlisted words), every phone of ``PHONES`` in order.
        diphones: different pairs of neighbouring phones within words.
    """

    words: int
    distinct: int
    once: int
    unlisted: int
    phones: Mapping[str, int]
    diphones: int

    @property
    def phones_covered(self) -> int:
        return sum(count > 0 for count in self.phones.values())

    @property
    def rarest(self) -> tuple[str, ...]:
        """The three rarest phones, the rarest first."""
        return tuple(sorted(self.phones, key=lambda phone: (self.phones[phone], phone))[:3])


def coverage(vocabulary: Mapping[str, int]) -> Coverage:
    """Count a vocabulary: word -> how often it occurs."""
    unlisted = [word for word in vocabulary if not known_word(word)]
    for start in range(0, len(unlisted), _GUESSED_AT_ONCE):
        guess_all(unlisted[start : start + _GUESSED_AT_ONCE])
    phones: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    for word, count in vocabulary.items():
        said = next(iter(pronunciations(word)), ())
        for phone in said:
            phones[phone] += count
        pairs.update(zip(said, said[1:], strict=False))
    return Coverage(
        words=sum(vocabulary.values()),
        distinct=len(vocabulary),
        once=sum(count == 1 for count in vocabulary.values()),
        unlisted=sum(vocabulary[word] for word in unlisted),
        phones={phone: phones[phone] for phone in PHONES},
        diphones=len(pairs),
    )


def distinct_at(vocabulary: Mapping[str, int], words: int) -> float | None:
    """Different words to expect among so many running words drawn without replacement, so that vocabularies of datasets of different sizes compare.

    Hurlbert's rarefaction (1971): the sum over words of 1 - C(N - n_i, words) / C(N, words). None where the dataset holds fewer.
    """
    counts = np.fromiter(vocabulary.values(), float, len(vocabulary))
    total = counts.sum()
    if words > total or words < 1:
        return None
    from scipy.special import gammaln

    with np.errstate(invalid="ignore"):
        log_missed = gammaln(total - counts + 1) - gammaln(total - counts - words + 1) - gammaln(total + 1) + gammaln(total - words + 1)
    missed = np.where(total - counts >= words, np.exp(log_missed), 0.0)
    return float((1 - missed).sum())
