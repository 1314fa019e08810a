"""Where the words of a sentence lie in its clip: forced alignment in which a homograph may take any of its readings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.audio import Audio
from workbench.homographs.base import Homograph
from workbench.homographs.speaker import fitted
from workbench.homographs.spoken import Heard, Target, SpokenRequest
from workbench.stt.acoustic import AcousticModel, FrameScores, load_model
from workbench.stt.chains import ChainScorer, Path, Pronunciations, sounds_of
from workbench.stt.front_end import LoggingDecoder
from workbench.stt.listening import speech_samples
from workbench.stt.pocketsphinx_free import model_folder

#: Longer clips must be cut at sentences first.
LONGEST_SEC = 60.0
#: How much of a neighbouring word is weighed along, and how much of the pause where there is none.
_BESIDE_FRAMES, _PAUSE_FRAMES = 80, 30
#: The mean over a sentence needs no more frames than one in this many.
_MISFIT_EVERY = 4
#: Fewer frames of other words teach nothing about a voice.
_LEAST_FRAMES = 30
#: How often the features are fitted, each time to what explains them best by then.
_PASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A clip with the frames of its words, 100 frames per second.

    Attributes:
        samples: 16 kHz.
        features: shape (3, T, 13).
        scores: how well each state of the acoustic model explains each frame.
        path: where the best path was at each frame; words are numbered as in the sentence.
        misfit: nats of the path against the best phone of the sentence, about 0 where it fits, at every ``_MISFIT_EVERY``-th frame.
    """

    samples: np.ndarray
    features: np.ndarray
    scores: FrameScores
    path: Path
    misfit: np.ndarray

    def fit_of_others(self, at: int) -> float:
        """Mean misfit of all words but one (of the clip where it is alone), nats per frame."""
        word = self.path.word[::_MISFIT_EVERY]
        others = (word >= 0) & (word != at)
        return float((self.misfit[others] if others.any() else self.misfit).mean())

    def fitted(self, at: int, first: int, last: int) -> FrameScores:
        """Scores of the frames ``first:last`` with the features fitted to the model by all words but ``at``; as they are where those are too few."""
        frames = np.flatnonzero((self.path.word >= 0) & (self.path.word != at))
        if len(frames) < _LEAST_FRAMES:
            return self.scores.window(first, last)
        features, scores = self.features, self.scores
        for _ in range(_PASSES):
            features = fitted(features, scores, self.path.senone, frames)
            scores = FrameScores(scores.model, features)
        # Anew for the window alone: it asks for every phone, the fit only for those of the sentence.
        return FrameScores(self.scores.model, features[:, first:last])

    def window(self, at: int, words: int) -> tuple[int, int]:
        """Frames from the start of the word before ``at`` to the end of the word after it, half-open."""
        own = self.path.span(at)
        first = max(self.path.span(at - 1)[0], own[0] - _BESIDE_FRAMES) if at else max(0, own[0] - _PAUSE_FRAMES)
        last = min(self.path.span(at + 1)[1], own[1] + _BESIDE_FRAMES) if at + 1 < words else min(self.scores.frames, own[1] + _PAUSE_FRAMES)
        return first, last


class Aligner:
    """Aligns by pocketsphinx's acoustic model without pruning: a path is found wherever the audio is long enough.

    Raises:
        EngineUnavailableError: pocketsphinx or its model is missing.
    """

    def __init__(self) -> None:
        self.model: AcousticModel = load_model(model_folder())
        self.chains = ChainScorer(self.model)
        self._front_end = LoggingDecoder(lm=None)
        # Some search must be set, though none is run.
        self._front_end.decoder.set_align_text("a")

    def align(self, audio: Audio, target: Target) -> Aligned | Heard:
        """The alignment, or why there is none.

        Raises:
            AudioError: samples that are not finite.
        """
        samples = speech_samples(audio)
        if not len(samples):
            return Heard((), fault="the clip is silent, or shorter than a word", stage="unscorable")
        features = self._front_end.hear(samples, search=False)
        scores = FrameScores(self.model, features)
        words = [sounds(word, target.homograph if word == target.homograph.word else None) for word in target.words]
        path = self.chains.best(scores, [[[words]]], align=True)[0].path if scores.frames else None
        if path is None:
            return Heard((), fault="the sentence does not fit into the clip", stage="unscorable")
        best = scores.of(self._states(words), every=_MISFIT_EVERY).max(axis=1)
        return Aligned(samples, features, scores, path, path.log_likelihood[::_MISFIT_EVERY] - best)

    def _states(self, words: list[Pronunciations]) -> np.ndarray:
        """Of the phones of a sentence and the pause, without context; their densities are there from the alignment."""
        phones = {phone for word in words for variant in word for phone in variant} | {"SIL"}
        return np.unique(self.model.state_sequence[sorted(self.model.phone_index[phone] for phone in phones)])

    def close(self) -> None:
        self._front_end.close()


def sounds(word: str, homograph: Homograph | None = None) -> Pronunciations:
    """The pronunciations of a word, for a homograph those of all its readings."""
    if homograph is None:
        return sounds_of([word])[0]
    return tuple(dict.fromkeys(variant.bare for reading in homograph for variant in reading.variants))


def fault_of(request: SpokenRequest) -> Heard | None:
    """Why a request cannot even be aligned."""
    target = request.target
    if any(not reading.variants for reading in target.homograph):
        return Heard((), fault="a reading of the word has no pronunciation", stage="error")
    silent = [word for word in target.words if word != target.homograph.word and not sounds_of([word])]
    if silent:
        return Heard((), fault=f"no pronunciation for {', '.join(silent)}", stage="error")
    if request.audio.duration_sec > LONGEST_SEC:
        return Heard((), fault=f"the clip is longer than {LONGEST_SEC:g} s: cut it at sentences", stage="unscorable")
    return None
