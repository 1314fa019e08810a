"""The embedded listener: every pronunciation of every reading as a chain of triphones over the word and its neighbours, and what prosody adds.

The acoustic model is pocketsphinx's, read by ``stt.acoustic``; the chains are those of ``stt.chains``. Measures are taken as first reading minus
second, so that they speak for the first where they are positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from workbench.errors import EngineError
from workbench.homographs.aligning import Aligned, Aligner, fault_of, sounds
from workbench.homographs.base import Homograph, Kind, Reading
from workbench.homographs.contrast import contrast_of
from workbench.homographs.distances import free_phones, reading_distance
from workbench.homographs.prosody import prosody
from workbench.homographs.segments import MEASURES, Spoken, measure
from workbench.homographs.spoken import Heard, Target, Pair, SpokenRequest
from workbench.stt.acoustic import FRAMES_PER_SEC, FrameScores
from workbench.stt.listening import SAMPLE_RATE_HZ
from workbench.stt.pocketsphinx_free import WEIGHTS
from workbench.text.phones import PHONES

#: Below this, in nats per frame, the clip is not the sentence.
LEAST_FIT = -9.0
#: (frames per phone, least fit in nats per frame once the clip's features are fitted to the model): a word with fewer frames than that and a worse fit was laid over
#: something else. A phone takes three frames at least; a squeezed word must fit better to be believed.
_LEAST_WORD_FITS = ((3.2, -6.5), (4.5, -9.0), (float("inf"), -11.0))
CODE = 2


class PocketsphinxListener:
    """Weighs readings by pocketsphinx's acoustic model; English, any sample rate, clips of up to a minute."""

    name = "pocketsphinx"
    measures = MEASURES

    def __init__(self) -> None:
        self._aligner: Aligner | None = None

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: pocketsphinx or its model is missing.
        """
        if self._aligner is None:
            self._aligner = Aligner()
            self._phone_states = self._aligner.model.state_sequence[: len(self._aligner.model.phones)]

    def hear(self, requests: Sequence[SpokenRequest]) -> list[Heard]:
        """One result per request, in order; words of one clip share its alignment where they follow each other.

        Raises:
            EngineError: the engine is not loaded.
            AudioError: a clip has samples that are not finite.
        """
        if self._aligner is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        found, last, aligned = [], None, None
        for request in requests:
            if fault := fault_of(request):
                found.append(fault)
                continue
            key = (id(request.audio), request.target.words, request.target.homograph.word)
            if key != last:
                last, aligned = key, self._aligner.align(request.audio, request.target)
            found.append(aligned if isinstance(aligned, Heard) else self._weigh(aligned, request.target))
        return found

    def _weigh(self, aligned: Aligned, target: Target) -> Heard:
        start, end = aligned.path.span(target.at)
        span_sec = start / FRAMES_PER_SEC, end / FRAMES_PER_SEC
        first, last = aligned.window(target.at, len(target.words))
        window = aligned.fitted(target.at, first, last)
        best = self._best(window, target)
        if None in best:
            return Heard((), span_sec, fault="the word is cut off or too short to be weighed", stage="unscorable")
        phones = self._phone_scores(window)
        fit, others = max(best, key=lambda one: one.score).fit(phones), aligned.fit_of_others(target.at)
        shortest = min(len(phones) for phones in sounds(target.homograph.word, target.homograph))
        if fault := _not_there(fit, others, (end - start) / shortest):
            return Heard((), span_sec, fit, fault=fault, stage="unscorable", fit_others=others)
        sound = prosody(aligned.samples, first=first, last=last)
        model = self._aligner.model
        heard = free_phones(phones[start - first : end - first], model.phones, speech=PHONES)
        distances = [reading_distance(reading, heard) for reading in target.homograph]
        pairs = tuple(
            Pair(
                a, b, contrast_kind(target.homograph, a, b),
                measure(best[a], best[b], phones=phones, index=model.phone_index, sound=sound), (distances[a], distances[b]),
            )
            for a, b in combinations(range(len(best)), 2)
        )  # fmt: skip
        return Heard(pairs, span_sec, fit, window_sec=(first / FRAMES_PER_SEC, last / FRAMES_PER_SEC), fit_others=others)

    def _best(self, window: FrameScores, target: Target) -> list[Spoken | None]:
        """The likeliest pronunciation of each reading between the neighbouring words; None where none fits into the window."""
        at, words, homograph = target.at, target.words, target.homograph
        before, after = ([[[sounds(words[k])]]] if 0 <= k < len(words) else [] for k in (at - 1, at + 1))
        variants = list(dict.fromkeys((number, variant.bare) for number, reading in enumerate(homograph) for variant in reading.variants))
        chains = self._aligner.chains.best(window, [[*before, [[(phones,)]], *after] for _, phones in variants], align=True)
        best: list[Spoken | None] = []
        for number, reading in enumerate(homograph):
            fitting = [(chain, phones) for (of, phones), chain in zip(variants, chains, strict=True) if of == number and chain.path is not None]
            chain, phones = max(fitting, key=lambda pair: pair[0].score, default=(None, ()))
            best.append(Spoken.of(chain.score, chain.path, len(before), _with_stress(reading, phones)) if chain else None)
        return best

    def _phone_scores(self, window: FrameScores) -> np.ndarray:
        """Shape (T, P): nats of the best state of every phone without context."""
        states = self._phone_states
        return window.of(states.ravel()).reshape(window.frames, *states.shape).max(axis=2)

    def close(self) -> None:
        if self._aligner is not None:
            self._aligner.close()
        self._aligner = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        return {"listener": self.name, "version": version("pocketsphinx"), "weights": WEIGHTS, "sample_rate_hz": SAMPLE_RATE_HZ, "code": CODE}


def contrast_kind(homograph: Homograph, a: int, b: int) -> Kind:
    """The kind of the contrast of two readings: the lexicon's word for the first two, computed for others."""
    return homograph.kind if (a, b) == (0, 1) else contrast_of(homograph.readings[a], homograph.readings[b]).kind


def _with_stress(reading: Reading, phones: tuple[str, ...]) -> tuple[str, ...]:
    return next(variant.phones for variant in reading.variants if variant.bare == phones)


def _not_there(fit: float, others: float, frames_per_phone: float) -> str | None:
    if others < LEAST_FIT:
        return "the clip is not what the sentence says"
    if any(frames_per_phone < frames and fit < least for frames, least in _LEAST_WORD_FITS):
        return "the word is cut off or not spoken"
    return None
