"""The listener over a phone recogniser: CTC likelihoods and distances to what was heard freely, beside what the embedded listener measures.

The words are found by the embedded listener; the recogniser hears the word with its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench import engines
from workbench.errors import EngineError
from workbench.homographs.base import Reading
from workbench.homographs.ctc import ctc_log_likelihood
from workbench.homographs.distances import reading_distance
from workbench.homographs.pocketsphinx_listener import PocketsphinxListener
from workbench.homographs.spoken import Heard, Target, Pair, SpokenRequest
from workbench.phones.base import PhonePosteriors, PhoneRequest
from workbench.text import pronunciations
from workbench.text.phone_sets import espeak_symbols, from_ipa

#: Names of the columns that come after the embedded listener's.
CTC_MEASURES = ("ctc_ratio", "ctc_ratio_per_frame", "distance")
CODE = 1


class PhonemeListener:
    """Weighs readings by the posteriors of a phone recogniser of the registry.

    Args:
        engine, options: of the recogniser.
    """

    def __init__(self, *, engine: str = "wav2vec2-phoneme", **options: Any) -> None:
        self.name = engine
        self._recogniser = engines.create(engine, "phones", **options)
        self._embedded = PocketsphinxListener()
        self.measures = (*self._embedded.measures, *CTC_MEASURES)
        self._loaded = False

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: the recogniser's weights, or pocketsphinx, are missing.
        """
        self._recogniser.load(engines.device_of(self.name, "phones", device))
        self._embedded.load()
        self._loaded = True

    def hear(self, requests: Sequence[SpokenRequest]) -> list[Heard]:
        """One result per request, in order; the recogniser gets all windows in one call.

        Raises:
            EngineError: the engine is not loaded.
            AudioError: a clip has samples that are not finite.
        """
        if not self._loaded:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        found = self._embedded.hear(requests)
        places = [at for at, heard in enumerate(found) if heard.fault is None]
        windows = [PhoneRequest(requests[at].audio, *found[at].window_sec) for at in places]
        for at, told in zip(places, self._recogniser.posteriors(windows), strict=True):
            found[at] = _with_ctc(found[at], requests[at].target, told)
        return found

    def close(self) -> None:
        """Free the recogniser and the aligner."""
        self._recogniser.close()
        self._embedded.close()
        self._loaded = False

    def identity(self) -> dict[str, object]:
        return {"listener": self.name, "recogniser": self._recogniser.identity(), "aligner": self._embedded.identity(), "code": CODE}


def _with_ctc(heard: Heard, target: Target, told: PhonePosteriors) -> Heard:
    """The pairs with the recogniser's columns, and with its distances in place of the embedded ones."""
    number = {symbol: index for index, symbol in enumerate(told.symbols)}
    at, words = target.at, target.words
    before, after = (_phones(words[k]) if 0 <= k < len(words) else () for k in (at - 1, at + 1))
    scores = [_likelihood(reading, before, after, told, number) for reading in target.homograph]
    freely = _heard_in(told, heard.span_sec)
    distances = [reading_distance(reading, freely) for reading in target.homograph]
    frames = max(3.0, (heard.span_sec[1] - heard.span_sec[0]) / told.frame_sec)
    pairs = tuple(_pair(pair, scores, distances, frames) for pair in heard.pairs)
    if any(pair is None for pair in pairs):
        return Heard((), heard.span_sec, heard.fit, "the recogniser has no symbols for this word, or too few frames", "unscorable", heard.window_sec)
    return replace(heard, pairs=pairs)


def _pair(pair: Pair, scores: Sequence[float], distances: Sequence[float], frames: float) -> Pair | None:
    ratio = scores[pair.first] - scores[pair.second]
    if not math.isfinite(ratio):
        return None
    own = distances[pair.first], distances[pair.second]
    columns = math.asinh(ratio / 5), float(np.clip(ratio / frames, -5, 5)), (own[1] - own[0]) * 5
    return replace(pair, measures=(*pair.measures, *columns), distances=own)


def _likelihood(reading: Reading, before: Sequence[str], after: Sequence[str], told: PhonePosteriors, number: dict[str, int]) -> float:
    """Of the likeliest pronunciation between its neighbours; symbols that the recogniser lacks are left out of a neighbour, never of the word."""
    scores = []
    for phones in dict.fromkeys(variant.phones for variant in reading.variants):
        symbols = espeak_symbols(phones, known=number)
        if all(symbol in number for symbol in symbols):
            beside = [[number[s] for s in espeak_symbols(part, known=number) if s in number] for part in (before, after)]
            scores.append(ctc_log_likelihood(told.log_probs, [*beside[0], *(number[s] for s in symbols), *beside[1]], blank=told.blank))
    return max(scores, default=-math.inf)


def _phones(word: str) -> tuple[str, ...]:
    return next(iter(pronunciations(word)), ())


def _heard_in(told: PhonePosteriors, span_sec: tuple[float, float]) -> tuple[str, ...]:
    """The recogniser's own phones within a span, as ARPABET."""
    inside = [symbol for symbol, start, end, _ in told.phones if start < span_sec[1] and end > span_sec[0]]
    return from_ipa(inside)
