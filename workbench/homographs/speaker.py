"""Fitting a clip's features to the acoustic model: the voice's own spectrum taken away before anything is weighed.

A scale and an offset per dimension that make the aligned words likeliest (constrained maximum likelihood regression with a diagonal matrix: Digalakis et al. 1995, Gales 1998), drawn towards
no change where the clip is short. The word in question takes no part, so that no reading of it is favoured.
"""

from __future__ import annotations

import numpy as np

from workbench.stt.acoustic import FrameScores

#: Frames of evidence that "no change" counts for.
_PRIOR_FRAMES = 10.0
_SCALES = (0.4, 2.5)


def fitted(features: np.ndarray, scores: FrameScores, senones: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Features moved and scaled, shape (3, T, 13).

    Args:
        features: shape (3, T, 13), what ``scores`` was made of.
        senones: shape (T,), the state that explains each frame.
        frames: indices of the frames to learn from.
    """
    out = np.empty_like(features)
    for stream, values in enumerate(features):
        precision, pull = _expected(scores, senones, frames, stream)
        scale, offset = _best(values[frames].astype(np.float64), precision, pull)
        trust = len(frames) / (len(frames) + _PRIOR_FRAMES)
        out[stream] = values * (1 + trust * (np.clip(scale, *_SCALES) - 1)) + trust * offset
    return out


def _expected(scores: FrameScores, senones: np.ndarray, frames: np.ndarray, stream: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each frame's state: mean precision, and mean of mean times precision, over its Gaussians as they explain the frame; shape (N, 13) each."""
    model = scores.model
    matrix, _ = model.gaussians[stream]
    precision, pull = np.empty((len(frames), 13)), np.empty((len(frames), 13))
    books = model.codebook_of[senones[frames]]
    for book in np.unique(books):
        chosen = np.flatnonzero(books == book)
        share = scores.densities(int(book), stream)[frames[chosen]] * model.weights[stream][:, senones[frames[chosen]]].T
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-30)
        precision[chosen] = share @ (-2.0 * matrix[book, :13].T)
        pull[chosen] = share @ matrix[book, 13:].T
    return precision, pull


def _best(values: np.ndarray, precision: np.ndarray, pull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset per dimension that maximise the sum of log |scale| + log N(scale x + offset)."""
    g11, g12, g22 = ((precision * part).sum(axis=0) for part in (values * values, values, 1.0))
    k1, k2 = (pull * values).sum(axis=0), pull.sum(axis=0)
    curve, slope = g11 - g12 * g12 / g22, k1 - k2 * g12 / g22
    scale = (slope + np.sqrt(slope * slope + 4 * curve * len(values))) / np.maximum(2 * curve, 1e-9)
    return scale, (k2 - scale * g12) / g22
