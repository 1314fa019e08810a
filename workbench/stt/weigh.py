"""The audio's case for and against a reference: what is measured wherever a transcript differs from it.

For every slot in which the free decode heard something else, the reference and the hearing are scored as chains of triphones over one
window (the agreeing word before to the agreeing
word after). Slots of one region are weighed together: each keeps the best score over all ways to fill the others (max-marginals over a
confusion network), so that one wrong word does not drag its
neighbours along.
Beside the likelihood ratio stands the goodness of pronunciation (Witt and Young, 2000: a phone's likelihood against the best phone's),
read against the same voice's agreeing words,
because a recogniser's misfit to a voice looks like an error of every word in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import EngineError
from workbench.stt.acoustic import FRAMES_PER_SEC, AcousticModel, FrameScores
from workbench.stt.base import Word
from workbench.stt.chains import ChainScorer, Network, Path, sounds_of
from workbench.stt.differences import Region, Slot, regions

_MOST_BETWEEN = 1
#: Longer regions are weighed in parts of this many slots.
_MOST_SLOTS = 8
#: Beyond this the audio says something else altogether, and nothing is gained from weighing its words.
_MOST_FRAMES = 2_000
#: Audio of agreeing words that sets a voice's level.
_LEVEL_FRAMES, _MOST_LEVEL_WORDS = 1_500, 30

#: Names of the columns of ``Weighed.measures``.
MEASURES = (
    "llr", "llr_per_frame", "misfit", "gop", "gop_least", "heard_gop", "heard_gop_least", "confidence",
    "distance", "deleted", "inserted", "slots", "log_frames", "phones", "clip_share", "beside", "lead", "echo",
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


@dataclass(frozen=True, slots=True)
class _Part:
    """Slots weighed together, and whether agreeing words stand on either side."""

    slots: tuple[Slot, ...]
    opens: bool
    closes: bool


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
        found = _joined([region for region in regions(reference, texts) if not _sound_alike(region, reference, texts)])
        if not found:
            return []
        level = self._level(features, heard, found)
        share = sum(slot.end > slot.start for region in found for slot in region.slots) / max(len(reference), 1)
        return [one for region in found for part in _parts(region) for one in self._part(features, reference, heard, part, level, share)]

    def align(self, features: np.ndarray, words: Sequence[str]) -> list[tuple[float, float]]:
        """Start and end of every word, in seconds.

        Raises:
            EngineError: the words do not fit.
        """
        sounds = sounds_of(words)
        path = self._chains.best(FrameScores(self._model, features), [[[sounds]]], align=True)[0].path if features.shape[1] else None
        if path is None or len(sounds) != len(words):
            got = f"{len(words)} words in {features.shape[1] / FRAMES_PER_SEC:.2f} s"
            raise EngineError("words do not fit the audio", where="alignment", got=got, expected="audio that says these words")
        return [(start / FRAMES_PER_SEC, end / FRAMES_PER_SEC) for start, end in (path.span(word) for word in range(len(words)))]

    def _part(
        self, features: np.ndarray, reference: Sequence[str], heard: Sequence[Word], part: _Part, level: _Goodness, share: float
    ) -> list[Weighed]:
        own = [tuple(heard[slot.heard_start : slot.heard_end]) for slot in part.slots]
        given = [list(reference[slot.start : slot.end]) for slot in part.slots]
        first, last, left, right = _window(part, reference, heard, features.shape[1])
        if not 3 <= last - first <= _MOST_FRAMES:
            slots = zip(part.slots, given, own, strict=True)
            return [Weighed(slot, words, None, None) for slot, said, words in slots if not _agrees(said, words)]
        places = [
            [sounds_of(words)] + ([] if _agrees(words, other) else [sounds_of([w.text for w in other])])
            for words, other in zip(given, own, strict=True)
        ]
        # Network 2 k asks for the reference in slot k, network 2 k + 1 for what was heard; the other slots are free.
        networks: list[Network] = []
        for number in range(len(places)):
            for choice in (0, 1):
                free = [[place[min(choice, len(place) - 1)]] if at == number else place for at, place in enumerate(places)]
                networks.append([[sounds_of(left)], *free, [sounds_of(right)]])
        window = FrameScores(self._model, features[:, first:last])
        chains = self._chains.best(window, networks, align=True)
        loop = window.of(self._phone_states).max(axis=1)
        ratios = [chains[2 * number].score - chains[2 * number + 1].score for number in range(len(places))]
        out = []
        for number, slot in enumerate(part.slots):
            if _agrees(given[number], own[number]):
                continue
            neighbours = [at for at in (number - 1, number + 1) if 0 <= at < len(ratios) and not _agrees(given[at], own[at])]
            beside = min((ratios[at] for at in neighbours), default=0.0)
            (said_place, said_chain), (other_place, other_chain) = (
                (_numbers(networks[2 * number + choice], number + 1), chains[2 * number + choice]) for choice in (0, 1)
            )
            said, other = _goodness(said_chain.path, loop, said_place), _goodness(other_chain.path, loop, other_place)
            echo = _echoes(slot, reference, own[number])
            measures = _measures(ratios[number], beside, said, other, level, given[number], own[number], part, share, echo)
            out.append(Weighed(slot, own[number], measures, _span(said_chain.path, said_place, first)))
        return out

    def _level(self, features: np.ndarray, heard: Sequence[Word], found: Sequence[Region]) -> _Goodness:
        """Goodness of the words on which transcript and reference agree: how well this voice fits the model at its best."""
        bounds = [0, *(edge for region in found for edge in (region.heard_start, region.heard_end)), len(heard)]
        done, means, leasts = 0, [], []
        for start, end in zip(bounds[::2], bounds[1::2], strict=True):
            if start == end or done > _LEVEL_FRAMES:
                continue
            end = min(end, start + _MOST_LEVEL_WORDS)
            first, last = (_frame(sec, features.shape[1]) for sec in (heard[start].start_sec, heard[end - 1].end_sec))
            if not 3 <= last - first <= _MOST_FRAMES:
                continue
            window = FrameScores(self._model, features[:, first:last])
            words = [sound for word in heard[start:end] for sound in sounds_of([word.text])]
            path = self._chains.best(window, [[[words]]], align=True)[0].path
            if path is None:
                continue
            loop = window.of(self._phone_states).max(axis=1)
            each = [_goodness(path, loop, (word, word + 1)) for word in range(len(words))]
            means += [goodness.mean for goodness in each]
            leasts += [goodness.least for goodness in each]
            done += last - first
        return _Goodness(float(np.mean(means)), float(np.mean(leasts)), done, 0) if means else _Goodness(0.0, -5.0, 0, 0)


def _frame(sec: float, frames: int) -> int:
    return frames if sec == math.inf else min(round(sec * FRAMES_PER_SEC), frames)


def _sound_alike(region: Region, reference: Sequence[str], heard: Sequence[str]) -> bool:
    from workbench.text import sound_alike

    return sound_alike(tuple(reference[region.start : region.end]), tuple(heard[region.heard_start : region.heard_end]))


def _agrees(given: list[str], own: tuple[Word, ...]) -> bool:
    return given == [word.text for word in own]


def _echoes(slot: Slot, reference: Sequence[str], own: tuple[Word, ...]) -> bool:
    """Whether what was heard are words that stand beside this place: said twice, or in the wrong order, as synthesisers do and recognisers
    rarely imagine."""
    around = {*reference[max(0, slot.start - 2) : slot.start], *reference[slot.end : slot.end + 2]}
    return bool(own) and around.issuperset(word.text for word in own)


def _joined(found: list[Region]) -> list[Region]:
    """Regions with no more than ``_MOST_BETWEEN`` agreeing words between them as one: a short word may agree by chance, at the wrong place
    in time."""
    joined: list[Region] = []
    for region in found:
        last = joined[-1] if joined else None
        between = region.start - last.end if last else 0
        if last and between <= _MOST_BETWEEN and between == region.heard_start - last.heard_end:
            agreeing = (Slot(last.end + k, last.end + k + 1, last.heard_end + k, last.heard_end + k + 1) for k in range(between))
            joined[-1] = Region((*last.slots, *agreeing, *region.slots))
        else:
            joined.append(region)
    return joined


def _parts(region: Region) -> list[_Part]:
    count = len(region.slots)
    return [
        _Part(region.slots[at : at + _MOST_SLOTS], opens=at == 0, closes=at + _MOST_SLOTS >= count) for at in range(0, count, _MOST_SLOTS)
    ]


def _window(part: _Part, reference: Sequence[str], heard: Sequence[Word], frames: int) -> tuple[int, int, list[str], list[str]]:
    """First frame, frame after the last, and the agreeing words at either end: the region's neighbours, where it has any and the part
    reaches to them."""
    start, end = part.slots[0], part.slots[-1]
    left = [reference[start.start - 1]] if part.opens and start.start and start.heard_start else []
    right = [reference[end.end]] if part.closes and end.end < len(reference) and end.heard_end < len(heard) else []
    first = heard[start.heard_start - 1] if start.heard_start else None
    first_sec = 0.0 if first is None else first.start_sec if left else first.end_sec
    if right:
        last_sec = heard[end.heard_end].end_sec
    else:
        last_sec = math.inf if end.heard_end == len(heard) else heard[end.heard_end].start_sec
    return _frame(first_sec, frames), _frame(last_sec, frames), left, right


def _numbers(network: Network, place: int) -> tuple[int, int]:
    """Half-open range of the numbers of the words in the first alternative of a place."""
    before = sum(len(words) for slot in network[:place] for words in slot)
    return before, before + len(network[place][0])


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
    llr: float,
    beside: float,
    said: _Goodness | None,
    other: _Goodness | None,
    level: _Goodness,
    given: list[str],
    own: tuple[Word, ...],
    part: _Part,
    share: float,
    echo: bool,
) -> tuple[float, ...] | None:
    """The columns of ``MEASURES``, squeezed into a range in which a linear model can add them."""
    from workbench.text import word_distance

    if math.isnan(llr) or math.isnan(beside):
        return None
    frames = max(said.frames if said else 0, other.frames if other else 0, 3)
    clip = np.clip
    taken = [word.text for word in own]
    known = [word.confidence for word in own if word.confidence is not None]
    values = (
        math.asinh(clip(llr, -2_000, 500) / 20),
        clip(llr / frames, -50, 50) / 5,
        math.asinh((said.mean - level.mean) * said.frames / 30) if said else 0.0,
        clip(said.mean - level.mean, -40, 20) / 5 if said else 0.0,
        clip(said.least - level.least, -40, 20) / 10 if said else 0.0,
        clip(other.mean - level.mean, -40, 20) / 5 if other else 0.0,
        clip(other.least - level.least, -40, 20) / 10 if other else 0.0,
        sum(known) / len(known) if known else 0.5,
        word_distance(given, taken) if given and taken else 0.0,
        float(bool(given) and not taken),
        float(not given),
        min(len(part.slots), 5) / 3,
        math.log(frames / 20),
        said.phones / 5 if said else 0.0,
        min(share, 1.0),
        # A fault beside this place explains what was heard here, the more so the stronger it is.
        math.asinh(clip(beside, -2_000, 0) / 20),
        math.asinh(clip(llr, -2_000, 0) / 20) - math.asinh(clip(beside, -2_000, 0) / 20) if beside < 0 else 0.0,
        float(echo),
    )
    return tuple(float(value) for value in values)
