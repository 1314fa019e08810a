"""The audio's case for and against a reference: what is measured wherever a transcript differs from it.

For every slot in which the free decode heard something else, the reference and the hearing are scored as chains of triphones over one window (the agreeing word before to the agreeing
word after). Slots of one region are weighed together: each keeps the best score over all ways to fill the others (max-marginals), so that one wrong word does not drag its neighbours along.
Beside the likelihood ratio stands the goodness of pronunciation (Witt and Young, 2000: a phone's likelihood against the best phone's), read against the same voice's agreeing words,
because a recogniser's misfit to a voice looks like an error of every word in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.stt.acoustic import FRAMES_PER_SEC, AcousticModel, FrameScores
from workbench.stt.base import Word
from workbench.stt.chains import ChainScorer, Path, Pronunciations
from workbench.stt.differences import Region, Slot, regions

#: Regions of up to this many slots are weighed over all combinations of their slots; longer ones one slot at a time.
_MOST_COMBINED = 4
#: Beyond these the audio says something else altogether, and nothing is gained from weighing its words.
_MOST_FRAMES, _MOST_WORDS = 2_000, 40
#: Audio of agreeing words that sets a voice's level.
_LEVEL_FRAMES = 1_500

#: Names of the columns of ``Weighed.measures``.
MEASURES = (
    "llr", "llr_per_frame", "region_llr", "gop", "gop_least", "heard_gop", "heard_gop_least", "confidence",
    "region_distance", "distance", "deleted", "inserted", "slots", "log_frames", "phones", "clip_share",
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One slot with what was measured about it; ``measures`` is None where nothing could be (no audio for it, or too much of it)."""

    slot: Slot
    heard: tuple[Word, ...]
    measures: tuple[float, ...] | None
    #: Where the reference words of the slot lie, in seconds, if they fit.
    span_sec: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Goodness:
    """Goodness of pronunciation of some words: nats per frame, mean and least over their phones."""

    mean: float
    least: float
    frames: int
    phones: int


class Weigher:
    """Measures slots against one acoustic model; keeps no state between clips."""

    def __init__(self, model: AcousticModel) -> None:
        self._model, self._chains = model, ChainScorer(model)
        self._phone_states = np.unique(model.state_sequence[: len(model.phones)].ravel())

    def weigh(self, features: np.ndarray, reference: Sequence[str], heard: Sequence[Word]) -> list[Weighed]:
        """All slots in which ``heard`` differs from ``reference`` by sound, in order.

        Args:
            features: shape (3, T, 13), 100 frames per second.
        """
        texts = [word.text for word in heard]
        found = [region for region in regions(reference, texts) if not _sound_alike(region, reference, texts)]
        if not found:
            return []
        level = self._level(features, heard, found)
        share = sum(len(region.slots) for region in found) / max(len(reference), 1)
        return [weighed for region in found for weighed in self._region(features, reference, heard, region, level, share)]

    def _region(
        self, features: np.ndarray, reference: Sequence[str], heard: Sequence[Word], region: Region, level: _Goodness, share: float
    ) -> list[Weighed]:
        frames = features.shape[1]
        has_left, has_right = region.start > 0 and region.heard_start > 0, region.end < len(reference) and region.heard_end < len(heard)
        first = _frame(heard[region.heard_start - 1].start_sec, frames) if has_left else 0
        last = _frame(heard[region.heard_end].end_sec, frames) if has_right else frames
        words = max(region.end - region.start, region.heard_end - region.heard_start)
        left = [reference[region.start - 1]] if has_left else []
        right = [reference[region.end]] if has_right else []
        if not 3 <= last - first <= _MOST_FRAMES or words > _MOST_WORDS:
            return [Weighed(slot, tuple(heard[slot.heard_start : slot.heard_end]), None, None) for slot in region.slots]
        window = FrameScores(self._model, features[:, first:last])
        masks = _masks(len(region.slots))
        fillings = [_fill(region, mask, reference, heard, left, right) for mask in masks]
        scores = np.array([chain.score for chain in self._chains.best(window, [_sounds(words) for words, _ in fillings])])
        extremes = [fillings[0], fillings[-1]]
        aligned = self._chains.best(window, [_sounds(words) for words, _ in extremes], align=True)
        loop = window.of(self._phone_states).max(axis=1)
        region_llr = aligned[1].score - aligned[0].score
        chosen = np.array(masks, dtype=bool)
        out = []
        for number, slot in enumerate(region.slots):
            said = _goodness(aligned[1].path, loop, extremes[1][1][number])
            other = _goodness(aligned[0].path, loop, extremes[0][1][number])
            llr = scores[chosen[:, number]].max() - scores[~chosen[:, number]].max()
            own = tuple(heard[slot.heard_start : slot.heard_end])
            measures = _measures(llr, region_llr, said, other, level, own, slot, region, reference, heard, share)
            out.append(Weighed(slot, own, measures, _span(aligned[1].path, extremes[1][1][number], first)))
        return out

    def _level(self, features: np.ndarray, heard: Sequence[Word], found: Sequence[Region]) -> _Goodness:
        """Goodness of the words on which transcript and reference agree: how well this voice fits the model at its best."""
        bounds = [0, *(edge for region in found for edge in (region.heard_start, region.heard_end)), len(heard)]
        done, means, leasts = 0, [], []
        for start, end in zip(bounds[::2], bounds[1::2], strict=True):
            if start == end or done > _LEVEL_FRAMES:
                continue
            end = min(end, start + _MOST_WORDS)
            first, last = (_frame(sec, features.shape[1]) for sec in (heard[start].start_sec, heard[end - 1].end_sec))
            if not 3 <= last - first <= _MOST_FRAMES:
                continue
            window = FrameScores(self._model, features[:, first:last])
            path = self._chains.best(window, [_sounds([word.text for word in heard[start:end]])], align=True)[0].path
            if path is None:
                continue
            loop = window.of(self._phone_states).max(axis=1)
            each = [_goodness(path, loop, (word, word + 1)) for word in range(end - start)]
            means += [goodness.mean for goodness in each]
            leasts += [goodness.least for goodness in each]
            done += last - first
        return _Goodness(float(np.mean(means)), float(np.mean(leasts)), done, 0) if means else _Goodness(0.0, -5.0, 0, 0)


def _frame(sec: float, frames: int) -> int:
    return min(round(sec * FRAMES_PER_SEC), frames)


def _sound_alike(region: Region, reference: Sequence[str], heard: Sequence[str]) -> bool:
    from workbench.text import sound_alike

    return sound_alike(tuple(reference[region.start : region.end]), tuple(heard[region.heard_start : region.heard_end]))


@lru_cache(maxsize=20_000)
def _sound(word: str) -> Pronunciations:
    from workbench.text import pronunciations

    return tuple(tuple(variant) for variant in pronunciations(word) if variant)


def _sounds(words: Sequence[str]) -> list[Pronunciations]:
    return [sound for word in words if (sound := _sound(word))]


def _masks(count: int) -> list[tuple[int, ...]]:
    """Ways to fill slots (1 = as the reference has it); the first is all heard, the last all reference."""
    if count <= _MOST_COMBINED:
        return list(itertools.product((0, 1), repeat=count))
    one = [tuple(int(slot == chosen) for slot in range(count)) for chosen in range(count)]
    return [(0,) * count, *one, *(tuple(1 - bit for bit in mask) for mask in one), (1,) * count]


def _fill(region: Region, mask: Sequence[int], reference: Sequence[str], heard: Sequence[Word], left: list[str], right: list[str]):
    """The words of one filling, and per slot the half-open range of its words among them."""
    words, places = list(left), []
    for slot, use_reference in zip(region.slots, mask, strict=True):
        filling = reference[slot.start : slot.end] if use_reference else [word.text for word in heard[slot.heard_start : slot.heard_end]]
        filling = [word for word in filling if _sound(word)]
        places.append((len(words), len(words) + len(filling)))
        words += filling
    return words + right, places


def _goodness(path: Path | None, loop: np.ndarray, place: tuple[int, int]) -> _Goodness | None:
    if path is None:
        return None
    inside = (path.word >= place[0]) & (path.word < place[1])
    if not inside.any():
        return None
    _, segment = np.unique(path.segment[inside], return_inverse=True)
    means = np.bincount(segment, weights=(path.log_likelihood - loop)[inside]) / np.bincount(segment)
    return _Goodness(float(means.mean()), float(means.min()), int(inside.sum()), len(means))


def _span(path: Path | None, place: tuple[int, int], first: int) -> tuple[float, float] | None:
    if path is None or place[0] == place[1]:
        return None
    start, _ = path.span(place[0])
    _, end = path.span(place[1] - 1)
    return (first + start) / FRAMES_PER_SEC, (first + end) / FRAMES_PER_SEC


def _measures(
    llr: float, region_llr: float, said: _Goodness | None, other: _Goodness | None, level: _Goodness, own: tuple[Word, ...], slot: Slot, region: Region,
    reference: Sequence[str], heard: Sequence[Word], share: float,
) -> tuple[float, ...] | None:
    """The columns of ``MEASURES``, squeezed into a range in which a linear model can add them."""
    from workbench.text import word_distance

    if math.isnan(llr) or math.isnan(region_llr):
        return None
    frames = max(said.frames if said else 0, other.frames if other else 0, 3)
    clip = np.clip
    taken, given = [word.text for word in own], list(reference[slot.start : slot.end])
    known = [word.confidence for word in own if word.confidence is not None]
    all_heard = [word.text for word in heard[region.heard_start : region.heard_end]]
    values = (
        math.asinh(clip(llr, -2_000, 500) / 20),
        clip(llr / frames, -50, 50) / 5,
        math.asinh(clip(region_llr, -3_000, 1_000) / 30),
        clip(said.mean - level.mean, -40, 20) / 5 if said else 0.0,
        clip(said.least - level.least, -40, 20) / 10 if said else 0.0,
        clip(other.mean - level.mean, -40, 20) / 5 if other else 0.0,
        clip(other.least - level.least, -40, 20) / 10 if other else 0.0,
        sum(known) / len(known) if known else 0.5,
        word_distance(list(reference[region.start : region.end]), all_heard),
        word_distance(given, taken) if given and taken else 0.0,
        float(bool(given) and not taken),
        float(not given),
        min(len(region.slots), 5) / 3,
        math.log(frames / 20),
        said.phones / 5 if said else 0.0,
        min(share, 1.0),
    )
    return tuple(float(value) for value in values)
