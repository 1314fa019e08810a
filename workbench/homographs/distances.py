"""The reference rule's measure: what a recogniser heard freely, and how unlike each reading it is.

Feature-weighted edit distance (the features and weights of panphon: Mortensen et al., COLING 2016; the table is that of ``text.phones``) of a pronunciation to the
best-fitting stretch of what was heard, as a recogniser's stretch of audio always holds something of the neighbouring words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.homographs.base import Reading
from workbench.text.phones import substitution_costs

#: Cost of a match that lies wholly at one edge of what was heard.
OFF_CENTRE = 0.1
#: A transition from phone to phone in the free decode, nats.
_CHANGE = -8.0


def reading_distance(reading: Reading, heard: Sequence[str]) -> float:
    """Least ``stretch_distance`` over the pronunciations of a reading."""
    return min(stretch_distance(variant.bare, heard) for variant in reading.variants)


def stretch_distance(phones: Sequence[str], heard: Sequence[str]) -> float:
    """How unlike ``phones`` is the best-fitting stretch of ``heard``, 0..1, with a penalty of up to ``OFF_CENTRE`` for a stretch off the centre.

    Both are ARPABET without stress; the distance is per phone of ``phones``; 1.0 when nothing was heard.
    """
    phones, heard = tuple(phones), tuple(heard)
    if not heard or not phones:
        return 1.0
    costs = substitution_costs()
    # Column by column of what was heard: (cost, where the stretch began).
    column = [(float(i), 0) for i in range(len(phones) + 1)]
    best = 1.0
    for j, sound in enumerate(heard, 1):
        row = [(0.0, j)]
        for i, phone in enumerate(phones, 1):
            change = 0.0 if phone == sound else costs.get((phone, sound), 1.0)
            step, longer, shorter = column[i - 1], column[i], row[i - 1]
            row.append(min((step[0] + change, step[1]), (longer[0] + 1, longer[1]), (shorter[0] + 1, shorter[1])))
        column = row
        cost, start = column[-1]
        centre = abs((start + j) / 2 - len(heard) / 2) / (len(heard) / 2)
        best = min(best, cost / len(phones) + OFF_CENTRE * centre)
    return min(1.0, best)


def free_phones(phones: np.ndarray, names: Sequence[str], *, speech: Sequence[str]) -> tuple[str, ...]:
    """The best sequence of phones through frames that any phone may follow any other in, a change costing ``_CHANGE`` nats.

    Args:
        phones: shape (T, P), nats of every phone.
        names: the P phones; those not in ``speech`` are heard and left out.
    """
    score, back = np.zeros(phones.shape[1]), []
    for frame in phones:
        change = score.max() + _CHANGE
        back.append(np.where(score >= change, np.arange(len(score)), score.argmax()))
        score = np.maximum(score, change) + frame
    at, path = int(score.argmax()), []
    for origin in reversed(back):
        path.append(at)
        at = int(origin[at])
    path.reverse()
    changes = [path[k] for k in range(len(path)) if k == 0 or path[k] != path[k - 1]]
    return tuple(names[k] for k in changes if names[k] in speech)
