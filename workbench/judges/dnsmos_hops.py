"""Which hops of a clip DNSMOS scores, and their raw scores with everything that overlapping hops share computed once.

A hop is 9.01 s and hops start one second apart, so neighbours share 89% of what the first five convolutions compute. They differ only
where a hop's own zero padding reaches in: four frames at either end of the trunk, two rows at either end of the neck, which are computed
anew from a few rows each.
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
_REACH_FRAMES = 4  # how far padding reaches through the trunk: one frame per 3x3 convolution
_STRIP_FRAMES = 2 * _REACH_FRAMES
_EDGE_ROWS = 2  # rows at either end of a hop that are its own, after the trunk and after the neck alike
_EDGE_CONTEXT_ROWS = 6  # rows of the trunk from which the neck's two are computed
# 4 s of audio at a time: the trunk's largest map stays at 33 MB however long the clip.
_CHUNK_TRUNK_ROWS, _CHUNK_NECK_ROWS, _CHUNK_MEL_FRAMES = 200, 100, 1000
_HOPS_AT_ONCE = 4
_DYNAMIC_RANGE_DB = 80.0


def scored_hops(sample_count: int, *, all_hops: bool = False) -> list[int]:
    """Start seconds of the hops to score.

    The reference cuts each hop at ``int((start + 9.01) * 16000)``; in binary floating point that is one sample short for starts 7 to 23 and
    119 to 122, and what is short is skipped (microsoft/DNS-Challenge issue 130). ``all_hops`` scores those too.
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
        shared = _Shared(networks, samples, group[0] * FRAMES_PER_SEC, group[-1] * FRAMES_PER_SEC + HOP_FRAMES, period)
        for first in range(0, len(group), _HOPS_AT_ONCE):
            frames = [start * FRAMES_PER_SEC for start in group[first : first + _HOPS_AT_ONCE]]
            primary = _run(networks.head, shared.hop_maps(frames))
            p808 = _run(networks.p808, np.stack([shared.hop_mel(frame) for frame in frames]))
            scores.append(np.concatenate([primary, p808], axis=1))
            shared.forget(frames[-1] + FRAMES_PER_SEC)
    return np.concatenate(scores)


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
    """Rows of a long map, computed in chunks when first asked for and kept until forgotten.

    Args:
        compute: rows ``first`` to ``end`` (half open) of the map.
        first, end: the rows that will be asked for at all.
        chunk: most rows computed at a time.
        axis: which axis of the computed arrays counts the rows.
    """

    def __init__(self, compute: Callable[[int, int], np.ndarray], first: int, end: int, *, chunk: int, axis: int) -> None:
        self._compute, self._chunk, self._axis, self._end = compute, chunk, axis, end
        self._first = self._next = first
        self._rows: np.ndarray | None = None

    def take(self, first: int, end: int) -> np.ndarray:
        """Rows ``first`` to ``end``, none of them forgotten yet."""
        parts = [] if self._rows is None else [self._rows]
        while self._next < end:
            last = min(self._next + self._chunk, self._end)
            parts.append(self._compute(self._next, last))
            self._next = last
        self._rows = np.concatenate(parts, axis=self._axis) if len(parts) > 1 else parts[0]
        return self._from(first - self._first, end - self._first)

    def forget(self, before: int) -> None:
        """Let go of the rows under ``before``."""
        if self._rows is not None and self._first < before < self._next:
            self._rows, self._first = self._from(before - self._first, None).copy(), before

    def _from(self, first: int, end: int | None) -> np.ndarray:
        return self._rows[(slice(None),) * self._axis + (slice(first, end),)]


class PeriodicRows:
    """Rows of a map that repeats, from one period of them: ``rows`` (C, period, W), the first of which is row ``first``."""

    def __init__(self, rows: np.ndarray, first: int) -> None:
        self._rows, self._offset = rows, first

    def take(self, first: int, end: int) -> np.ndarray:
        """Rows ``first`` to ``end``."""
        return self._rows[:, (np.arange(first, end) - self._offset) % self._rows.shape[1]]

    def forget(self, before: int) -> None:
        """Nothing to let go: one period is all there is."""


class _Shared:
    """What the hops between frames ``first`` and ``end`` of one clip share, and each hop's own ends added to it.

    Rows are numbered from the start of the clip: two frames to a row of the trunk, four to a row of the neck.
    """

    def __init__(self, networks: Networks, samples: np.ndarray, first: int, end: int, period: int | None) -> None:
        self._networks, self._samples = networks, samples
        begin, stop = first // 2 + _EDGE_ROWS, end // 2 - _EDGE_ROWS
        self._trunk: SlidingRows | PeriodicRows = SlidingRows(self._trunk_rows, begin, stop, chunk=_CHUNK_TRUNK_ROWS, axis=1)
        if period is not None and period < stop - begin:
            self._trunk = PeriodicRows(self._trunk.take(begin, begin + period), begin)
        self._neck = SlidingRows(self._neck_rows, first // 4 + _EDGE_ROWS, end // 4 - _EDGE_ROWS, chunk=_CHUNK_NECK_ROWS, axis=1)
        self._mel = SlidingRows(self._mel_db, first + 1, end - 1, chunk=_CHUNK_MEL_FRAMES, axis=0)

    def forget(self, frame: int) -> None:
        """No hop that begins before ``frame`` will be asked for again."""
        self._trunk.forget(frame // 2)
        self._neck.forget(frame // 4)
        self._mel.forget(frame)

    def hop_maps(self, frames: Sequence[int]) -> np.ndarray:
        """The neck's output for the hops that begin at ``frames``, (B, 32, 225, 40)."""
        lefts, rights = self._neck_ends(frames)
        spans = [(frame // 4, (frame + HOP_FRAMES) // 4) for frame in frames]
        inner = [self._neck.take(first + _EDGE_ROWS, end - _EDGE_ROWS) for first, end in spans]
        return np.stack([np.concatenate(parts, axis=1) for parts in zip(lefts, inner, rights, strict=True)])

    def _neck_ends(self, frames: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The neck's first and last two rows of each hop, (B, 32, 2, 40) each: where the hop's zero padding is felt."""
        count = len(frames)
        ends = [frame + HOP_FRAMES for frame in frames]
        spans = [(f, f + _STRIP_FRAMES) for f in frames] + [(e - _STRIP_FRAMES, e) for e in ends]
        strips = _run(self._networks.trunk, np.stack([_frames(self._samples, *span) for span in spans]))
        first = [np.concatenate([s[:, :_EDGE_ROWS], self._beside(f // 2 + _EDGE_ROWS)], axis=1) for s, f in zip(strips, frames)]
        tails = zip(strips[count:], ends)
        last = [np.concatenate([self._beside(e // 2 - _EDGE_CONTEXT_ROWS), s[:, _EDGE_ROWS:]], axis=1) for s, e in tails]
        neck = _run(self._networks.neck, np.stack(first + last))
        return neck[:count, :, :_EDGE_ROWS], neck[count:, :, -_EDGE_ROWS:]

    def _beside(self, first: int) -> np.ndarray:
        """The shared rows of the trunk that lie next to a hop's own two and complete the context of an end of the neck."""
        return self._trunk.take(first, first + _EDGE_CONTEXT_ROWS - _EDGE_ROWS)

    def _trunk_rows(self, first: int, end: int) -> np.ndarray:
        """Rows ``first`` to ``end`` of the trunk as if the audio had no ends, (32, rows, 80)."""
        rows = _run(self._networks.trunk, _frames(self._samples, 2 * first - _REACH_FRAMES, 2 * end + _REACH_FRAMES)[None])
        return rows[0, :, _EDGE_ROWS:-_EDGE_ROWS]

    def _neck_rows(self, first: int, end: int) -> np.ndarray:
        """Rows ``first`` to ``end`` of the neck as if the audio had no ends, (32, rows, 40)."""
        return _run(self._networks.neck, self._trunk.take(2 * first - 2, 2 * end + 2)[None])[0, :, 1:-1]

    def hop_mel(self, frame: int) -> np.ndarray:
        """What P.808 sees of the hop that begins at ``frame``, (900, 120): dB under its loudest cell, at most 80, scaled as in training."""
        begin, end = frame * mel.HOP_SAMPLES, (frame + HOP_FRAMES) * mel.HOP_SAMPLES
        outside = np.zeros(mel.HOP_SAMPLES, np.float32)
        first = np.concatenate([outside, self._samples[begin : begin + mel.HOP_SAMPLES + 1]])
        last = np.concatenate([self._samples[end - 2 * mel.HOP_SAMPLES : end], outside[:1]])
        ends = _run(self._networks.mel_db, mel.frame_power(np.stack([first, last])))
        decibels = np.concatenate([ends[:1], self._mel.take(frame + 1, frame + HOP_FRAMES - 1), ends[1:]])
        decibels -= decibels.max()
        return (np.maximum(decibels, -_DYNAMIC_RANGE_DB) + 40) / 40

    def _mel_db(self, first: int, end: int) -> np.ndarray:
        """Mel power in dB of frames ``first`` to ``end``, each centred on sample 160 * frame, (end - first, 120)."""
        span = self._samples[(first - 1) * mel.HOP_SAMPLES : (end - 2) * mel.HOP_SAMPLES + mel.FRAME_SAMPLES]
        return _run(self._networks.mel_db, mel.frame_power(mel.frames_of(span)))


def _frames(samples: np.ndarray, first: int, end: int) -> np.ndarray:
    """Analysis frames ``first`` to ``end``, (end - first, 320)."""
    span = samples[first * FRAME_STEP_SAMPLES : (end - 1) * FRAME_STEP_SAMPLES + FRAME_SAMPLES]
    return np.lib.stride_tricks.sliding_window_view(span, FRAME_SAMPLES)[::FRAME_STEP_SAMPLES]


def _run(session, value: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(value, np.float32)})[0]
