"""Which hops of a clip DNSMOS scores, and their raw scores with everything that overlapping hops share computed once.

A hop is 9.01 s and hops start one second apart, which is 100 frames and 50 pooled rows, so neighbours share 89% of the trunk's output. They differ only where
a hop's own zero padding reaches in through four 3x3 convolutions: four frames at either end, which are computed anew from eight frames each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from workbench.judges import mel
from workbench.judges.dnsmos_networks import FRAME_SAMPLES, FRAME_STEP_SAMPLES, HOP_FRAMES, Networks

SAMPLE_RATE_HZ = 16000
HOP_SEC = 9.01
HOP_SAMPLES = int(HOP_SEC * SAMPLE_RATE_HZ)
FRAMES_PER_SEC = SAMPLE_RATE_HZ // FRAME_STEP_SAMPLES
_REACH_FRAMES = 4  # how far padding reaches: one frame per 3x3 convolution of the trunk
_STRIP_FRAMES = 2 * _REACH_FRAMES
_CHUNK_POOLED_ROWS = 200  # 4 s at a time: the trunk's largest map stays at 33 MB however long the clip
_CHUNK_MEL_FRAMES = 1000
_DYNAMIC_RANGE_DB = 80.0


def scored_hops(sample_count: int, *, all_hops: bool = False) -> list[int]:
    """Start seconds of the hops to score.

    The reference cuts each hop at ``int((start + 9.01) * 16000)``; in binary floating point that is one sample short for starts 7 to 23 and 119 to 122, and
    what is short is skipped (microsoft/DNS-Challenge issue 130). ``all_hops`` scores those too.
    """
    starts = range(int(math.floor(sample_count / SAMPLE_RATE_HZ) - HOP_SEC) + 1)
    return [s for s in starts if all_hops or int((s + HOP_SEC) * SAMPLE_RATE_HZ) - s * SAMPLE_RATE_HZ >= HOP_SAMPLES]


def repeated(samples: np.ndarray) -> np.ndarray:
    """The clip doubled until it fills one hop, as the reference does; ``samples`` itself when it is long enough and when it is empty."""
    if not len(samples):
        return samples
    doublings = max(0, math.ceil(math.log2(HOP_SAMPLES / len(samples))))
    return np.tile(samples, 2**doublings) if doublings else samples


def period_rows(clip_samples: int, total_samples: int) -> int | None:
    """After how many pooled rows the trunk's output repeats; None when the clip does not repeat in step with the frames."""
    step = 2 * FRAME_STEP_SAMPLES
    period = math.lcm(clip_samples, step)
    return period // step if period < total_samples else None


def raw_scores(networks: Networks, samples: np.ndarray, starts: Sequence[int], *, period: int | None = None) -> np.ndarray:
    """Raw outputs of both networks for each hop.

    Args:
        networks: from ``load_networks``.
        samples: shape (T,), float32, 16 kHz, at least one hop long.
        starts: ascending start seconds of hops that lie within ``samples``.
        period: from ``period_rows``, for a clip that was repeated.

    Returns:
        shape (len(starts), 4), float32: signal, background, overall, P.808, before any polynomial.
    """
    scores = []
    for group in _contiguous(starts):
        first, end = group[0] * FRAMES_PER_SEC, group[-1] * FRAMES_PER_SEC + HOP_FRAMES
        pooled = _pooled_rows(networks, samples, first, end, period)
        decibels = SlidingRows(lambda a, b: _mel_db(networks, samples, a, b), first + 1, end - 1, chunk=_CHUNK_MEL_FRAMES, axis=0)
        for start in group:
            frame = start * FRAMES_PER_SEC
            primary = _run(networks.head, _hop_map(networks, samples, frame, pooled)[None])
            p808 = _run(networks.p808, _hop_mel(networks, samples, frame, decibels)[None])
            scores.append(np.concatenate([primary[0], p808[0]]))
    return np.stack(scores)


def _contiguous(starts: Sequence[int]) -> Iterator[list[int]]:
    """Runs of hops that overlap; between two runs there is audio that no hop reads."""
    group: list[int] = []
    for start in starts:
        if group and start - group[-1] >= HOP_SEC:
            yield group
            group = []
        group.append(start)
    if group:
        yield group


class SlidingRows:
    """Rows of a long map, computed in chunks when first asked for and forgotten once passed.

    Args:
        compute: rows ``first`` to ``end`` (half open) of the map.
        first, end: the rows that will be asked for at all.
        chunk: most rows computed at a time.
        axis: which axis of the computed arrays counts the rows.
    """

    def __init__(self, compute: Callable[[int, int], np.ndarray], first: int, end: int, *, chunk: int, axis: int) -> None:
        self._compute, self._chunk, self._axis = compute, chunk, axis
        self._first, self._next, self._end = first, first, end
        self._rows: np.ndarray | None = None

    def take(self, first: int, end: int) -> np.ndarray:
        """Rows ``first`` to ``end``; calls must not go backwards."""
        parts = [] if self._rows is None else [self._slice(self._rows, first - self._first)]
        while self._next < end:
            last = min(self._next + self._chunk, self._end)
            parts.append(self._slice(self._compute(self._next, last), max(0, first - self._next)))
            self._next = last
        self._rows, self._first = np.concatenate(parts, axis=self._axis), first
        return self._slice(self._rows, 0, end - first)

    def _slice(self, rows: np.ndarray, first: int, end: int | None = None) -> np.ndarray:
        return rows[(slice(None),) * self._axis + (slice(first, end),)]


class PeriodicRows:
    """Rows of a map that repeats: one period is computed, the rest is looked up."""

    def __init__(self, rows: np.ndarray, first: int) -> None:
        self._rows, self._offset = rows, first

    def take(self, first: int, end: int) -> np.ndarray:
        """Rows ``first`` to ``end``."""
        return self._rows[:, (np.arange(first, end) - self._offset) % self._rows.shape[1]]


def _pooled_rows(networks: Networks, samples: np.ndarray, first: int, end: int, period: int | None) -> SlidingRows | PeriodicRows:
    """The trunk's output over frames ``first`` to ``end`` but for what padding reaches; rows count pairs of frames of the whole clip."""
    reach = _REACH_FRAMES // 2
    rows = SlidingRows(lambda a, b: _interior(networks, samples, a, b), first // 2 + reach, end // 2 - reach, chunk=_CHUNK_POOLED_ROWS, axis=1)
    if period is None or period >= (end - first) // 2 - 2 * reach:
        return rows
    return PeriodicRows(rows.take(first // 2 + reach, first // 2 + reach + period), first // 2 + reach)


def _interior(networks: Networks, samples: np.ndarray, first: int, end: int) -> np.ndarray:
    """Pooled rows ``first`` to ``end`` as if the audio had no ends, (32, rows, 80)."""
    pooled = _run(networks.trunk, _frames(samples, 2 * first - _REACH_FRAMES, 2 * end + _REACH_FRAMES)[None])
    return pooled[0, :, _REACH_FRAMES // 2 : -_REACH_FRAMES // 2]


def _hop_map(networks: Networks, samples: np.ndarray, frame: int, rows: SlidingRows | PeriodicRows) -> np.ndarray:
    """The trunk's output for the hop that begins at ``frame``, (32, 450, 80): shared rows between the hop's own ends."""
    end, reach = frame + HOP_FRAMES, _REACH_FRAMES // 2
    strips = np.stack([_frames(samples, frame, frame + _STRIP_FRAMES), _frames(samples, end - _STRIP_FRAMES, end)])
    left, right = _run(networks.trunk, strips)
    return np.concatenate([left[:, :reach], rows.take(frame // 2 + reach, end // 2 - reach), right[:, reach:]], axis=1)


def _frames(samples: np.ndarray, first: int, end: int) -> np.ndarray:
    """Analysis frames ``first`` to ``end``, (end - first, 320)."""
    span = samples[first * FRAME_STEP_SAMPLES : (end - 1) * FRAME_STEP_SAMPLES + FRAME_SAMPLES]
    return np.lib.stride_tricks.sliding_window_view(span, FRAME_SAMPLES)[::FRAME_STEP_SAMPLES]


def _mel_db(networks: Networks, samples: np.ndarray, first: int, end: int) -> np.ndarray:
    """Mel power in dB of frames ``first`` to ``end``, centred on samples 160 * frame, (end - first, 120)."""
    span = samples[(first - 1) * mel.HOP_SAMPLES : (end - 2) * mel.HOP_SAMPLES + mel.FRAME_SAMPLES]
    return _run(networks.mel_db, mel.frame_power(mel.frames_of(span)))


def _hop_mel(networks: Networks, samples: np.ndarray, frame: int, rows: SlidingRows) -> np.ndarray:
    """What P.808 sees of the hop that begins at ``frame``, (900, 120): dB below the hop's loudest cell, at most 80, scaled as in training."""
    begin, end = frame * mel.HOP_SAMPLES, (frame + HOP_FRAMES) * mel.HOP_SAMPLES
    outside = np.zeros(mel.HOP_SAMPLES, np.float32)
    first = np.concatenate([outside, samples[begin : begin + mel.HOP_SAMPLES + 1]])
    last = np.concatenate([samples[end - 2 * mel.HOP_SAMPLES : end], outside[:1]])
    ends = _run(networks.mel_db, mel.frame_power(np.stack([first, last])))
    decibels = np.concatenate([ends[:1], rows.take(frame + 1, frame + HOP_FRAMES - 1), ends[1:]])
    decibels -= decibels.max()
    return (np.maximum(decibels, -_DYNAMIC_RANGE_DB) + 40) / 40


def _run(session, value: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(value, np.float32)})[0]
