"""How likely a sequence of symbols is under the posteriors of a CTC network (Graves et al., ICML 2006): the sum over all its alignments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def ctc_log_likelihood(log_probs: np.ndarray, labels: Sequence[int], *, blank: int) -> float:
    """log p(labels | frames), nats; -inf where there are fewer frames than the labels need.

    Args:
        log_probs: shape (T, S), nats.
        labels: symbols without blanks; empty asks for blanks alone.
    """
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    # A blank between may be left out unless it parts two of the same symbol.
    skips = np.zeros(len(states), dtype=bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    emission = log_probs[:, states].astype(np.float64)
    forward = np.full(len(states), -np.inf)
    forward[:2] = emission[0, :2] if len(emission) else -np.inf
    with np.errstate(invalid="ignore"):
        for frame in emission[1:]:
            step = np.concatenate([[-np.inf], forward[:-1]])
            skip = np.where(skips, np.concatenate([[-np.inf, -np.inf], forward[:-2]])[: len(states)], -np.inf)
            forward = np.logaddexp(np.logaddexp(forward, step), skip) + frame
    return float(np.logaddexp.reduce(forward[-2:])) if len(emission) else -np.inf
