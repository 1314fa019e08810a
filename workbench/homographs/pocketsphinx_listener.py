"""The embedded listener: every pronunciation of every reading as a chain of triphones over the word and its neighbours, and what prosody adds.

The acoustic model is pocketsphinx's, read by ``stt.acoustic``; the chains are those of ``stt.chains``. Measures are taken as first reading minus
second, so that they speak for the first where they are positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from workbench.audio import Audio
from workbench.errors import EngineError
from workbench.homographs.base import Homograph, Reading
from workbench.homographs.contrast import contrast_of
from workbench.homographs.segments import MEASURES, Spoken, measure
from workbench.homographs.spoken import Heard, Occurrence, Pair, SpokenRequest
from workbench.stt.acoustic import FRAMES_PER_SEC, FrameScores, load_model
from workbench.stt.chains import ChainScorer, Path, sounds_of
from workbench.stt.front_end import LoggingDecoder
from workbench.stt.listening import SAMPLE_RATE_HZ, speech_samples
from workbench.stt.pocketsphinx_free import WEIGHTS, model_folder

#: Longer clips must be cut at sentences first.
LONGEST_SEC = 60.0
#: How much of a neighbouring word is weighed along.
_BESIDE_FRAMES = 80
#: Below this, in nats per frame, the audio is not the sentence.
LEAST_FIT = -14.0
#: Phones of a word that are all as short as a phone can be were squeezed in: the word is cut off or not there.
_SQUEEZED = 3.2
CODE = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Aligned:
    """A clip with the frames of its words."""

    samples: np.ndarray
    scores: FrameScores
    path: Path
    fit: np.ndarray


class PocketsphinxListener:
    """Weighs readings by pocketsphinx's acoustic model; English, any sample rate, clips of up to a minute."""

    name = "pocketsphinx"
    measures = MEASURES

    def __init__(self) -> None:
        self._front_end = self._chains = self._model = None

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: pocketsphinx or its model is missing.
        """
        if self._front_end is not None:
            return
        self._model = load_model(model_folder())
        self._chains = ChainScorer(self._model)
        self._phone_states = self._model.state_sequence[: len(self._model.phones)]
        self._front_end = LoggingDecoder(lm=None)
        # Some search must be set, though none is run.
        self._front_end.decoder.set_align_text("a")

    def hear(self, requests: Sequence[SpokenRequest]) -> list[Heard]:
        """One result per request, in order; words of one clip share its alignment where they follow each other.

        Raises:
            EngineError: the engine is not loaded.
            AudioError: a clip has samples that are not finite.
        """
        if self._front_end is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        found, last, aligned = [], None, None
        for request in requests:
            if fault := _fault_of(request):
                found.append(fault)
                continue
            key = (id(request.audio), request.occurrence.words)
            if key != last:
                last, aligned = key, self._align(request.audio, request.occurrence)
            found.append(aligned if isinstance(aligned, Heard) else self._weigh(aligned, request.occurrence))
        return found

    def _align(self, audio: Audio, occurrence: Occurrence) -> _Aligned | Heard:
        """Forced alignment of the whole sentence; homographs in it may take any of their readings."""
        samples = speech_samples(audio)
        if not len(samples):
            return Heard((), fault="the clip is silent, or shorter than a word", stage="unscorable")
        features = self._front_end.hear(samples, search=False)
        scores = FrameScores(self._model, features)
        words = [_sounds(word, occurrence.homograph if at == occurrence.at else None) for at, word in enumerate(occurrence.words)]
        path = self._chains.best(scores, [[[words]]], align=True)[0].path if features.shape[1] else None
        if path is None:
            return Heard((), fault="the sentence does not fit into the clip", stage="unscorable")
        return _Aligned(samples, scores, path, np.zeros(0))

    def _weigh(self, aligned: _Aligned, occurrence: Occurrence) -> Heard:
        at, words, homograph = occurrence.at, occurrence.words, occurrence.homograph
        own = aligned.path.span(at)
        first = max(aligned.path.span(at - 1)[0], own[0] - _BESIDE_FRAMES) if at else max(0, own[0] - 30)
        last = min(aligned.path.span(at + 1)[1], own[1] + _BESIDE_FRAMES) if at + 1 < len(words) else min(aligned.scores.frames, own[1] + 30)
        span_sec = own[0] / FRAMES_PER_SEC, own[1] / FRAMES_PER_SEC
        window = aligned.scores.window(first, last)
        before, after = ([[_sounds(words[k], None)]] if 0 <= k < len(words) else None for k in (at - 1, at + 1))
        variants = [(number, variant.bare) for number, reading in enumerate(homograph) for variant in reading.variants]
        variants = list(dict.fromkeys(variants))
        networks = [[slot for slot in (before, [[(phones,)]], after) if slot] for _, phones in variants]
        chains = self._chains.best(window, networks, align=True)
        place = int(before is not None)
        phones = self._phone_scores(window)
        best: list[Spoken | None] = []
        for number, reading in enumerate(homograph):
            of = [(chain, bare) for (which, bare), chain in zip(variants, chains, strict=True) if which == number and chain.path is not None]
            if not of:
                best.append(None)
                continue
            chain, bare = max(of, key=lambda pair: pair[0].score)
            best.append(Spoken.of(chain.score, chain.path, place, _with_stress(reading, bare)))
        if any(one is None for one in best):
            return Heard((), span_sec, fault="the word is cut off or too short to be weighed", stage="unscorable")
        top = max(best, key=lambda one: one.score)
        fit = float((top.log_likelihood - phones.max(axis=1)).mean())
        if fault := _not_there(top, fit):
            return Heard((), span_sec, fit, fault=fault, stage="unscorable")
        from workbench.homographs.prosody import prosody

        sound = prosody(aligned.samples, first=first, last=last)
        index = self._model.phone_index
        pairs = tuple(
            Pair(a, b, contrast_kind(homograph, a, b), measure(best[a], best[b], phones=phones, index=index, sound=sound))
            for a, b in combinations(range(len(best)), 2)
        )
        return Heard(pairs, span_sec, fit)

    def _phone_scores(self, window: FrameScores) -> np.ndarray:
        """Shape (T, P): nats of the best state of every phone without context."""
        states = self._phone_states
        return window.of(states.ravel()).reshape(window.frames, *states.shape).max(axis=2)

    def close(self) -> None:
        if self._front_end is not None:
            self._front_end.close()
        self._front_end = self._chains = self._model = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        return {"listener": self.name, "version": version("pocketsphinx"), "weights": WEIGHTS, "sample_rate_hz": SAMPLE_RATE_HZ, "code": CODE}


def contrast_kind(homograph: Homograph, a: int, b: int):
    """The kind of the contrast of two readings: the lexicon's word for the first two, computed for others."""
    return homograph.kind if (a, b) == (0, 1) else contrast_of(homograph.readings[a], homograph.readings[b]).kind


def _fault_of(request: SpokenRequest) -> Heard | None:
    occurrence = request.occurrence
    if any(not reading.variants for reading in occurrence.homograph):
        return Heard((), fault="a reading of the word has no pronunciation", stage="error")
    silent = [word for word in occurrence.words if not sounds_of([word])]
    if silent:
        return Heard((), fault=f"no pronunciation for {', '.join(silent)}", stage="error")
    if request.audio.duration_sec > LONGEST_SEC:
        return Heard((), fault=f"the clip is longer than {LONGEST_SEC:g} s: cut it at sentences", stage="unscorable")
    return None


def _sounds(word: str, homograph: Homograph | None):
    if homograph is None:
        return sounds_of([word])[0]
    return tuple(dict.fromkeys(variant.bare for reading in homograph for variant in reading.variants))


def _with_stress(reading: Reading, bare: tuple[str, ...]) -> tuple[str, ...]:
    return next(variant.phones for variant in reading.variants if variant.bare == bare)


def _not_there(best: Spoken, fit: float) -> str | None:
    if fit < LEAST_FIT:
        return "the audio around the word is not what the sentence says"
    if best.frames / len(best.phones) < _SQUEEZED:
        return "the word is cut off or not spoken"
    return None
