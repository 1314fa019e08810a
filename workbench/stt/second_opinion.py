"""The second opinion of the embedded default: the text's own words weighed against what the free decode heard.

It decodes against a grammar grown from the text: the reference, with what the free decode heard as the alternative wherever the two
differ. The acoustic model is pocketsphinx's, the language
model plays no part, so the errors that a language model makes (restoring a dropped word, preferring the likelier one) are not shared
between the two opinions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.audio import Audio
from workbench.errors import EngineError
from workbench.stt.acoustic import load_model
from workbench.stt.base import Evidence, SttRequest, Transcript, Word
from workbench.stt.front_end import SAMPLE_RATE_HZ, LoggingDecoder
from workbench.stt.listening import pieces, speech_samples
from workbench.stt.opinion_model import LOG_RATIO_LIMIT, MODEL_NAME, log_odds
from workbench.stt.pocketsphinx_free import PIECE_SEC, WEIGHTS, model_folder
from workbench.stt.weigh import Weighed, Weigher

class SecondOpinionTranscriber:
    """Weighs the reference wherever the first transcript differs from it; needs ``reference`` and ``first`` in every request."""

    name = "pocketsphinx-grammar"

    def __init__(self) -> None:
        self._front_end = self._weigher = None

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: pocketsphinx or its model is missing.
        """
        if self._front_end is not None:
            return
        self._weigher = Weigher(load_model(model_folder()))
        self._front_end = LoggingDecoder(lm=None)
        # Some search must be set, though none is run.
        self._front_end.decoder.set_align_text("a")

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """One transcript per request, in order: the reference's words with their times, and the evidence wherever the first transcript
        differs.

        Raises:
            EngineError: not loaded, or a request without a first transcript.
        """
        if self._front_end is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        return [self._one(request) for request in requests]

    def weigh(self, request: SttRequest) -> list[Weighed]:
        """What is measured about every slot in which the first transcript differs from the reference, before it is condensed into log
        ratios."""
        if request.first is None:
            mend = "run the fast engine first and pass its transcript as SttRequest.first"
            raise EngineError("no first transcript to weigh", where=self.name, mend=mend)
        return self._weigher.weigh(self._features(speech_samples(request.audio)), request.reference, request.first.words)

    def align(self, audio: Audio, words: Sequence[str]) -> list[tuple[float, float]]:
        """Forced alignment: start and end of each word in seconds, for audio of at most half a minute that says these words.

        Raises:
            EngineError: not loaded, or the words do not fit into the audio.
        """
        if self._front_end is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        return self._weigher.align(self._features(speech_samples(audio)), words)

    def _one(self, request: SttRequest) -> Transcript:
        weighed = self.weigh(request)
        evidence = tuple(
            Evidence(one.slot.start, one.slot.end, -LOG_RATIO_LIMIT if one.measures is None else log_odds(one.measures), one.heard)
            for one in weighed
        )
        return Transcript(
            words=tuple(_timed(request, weighed)),
            engine=self.name,
            confidence_method="none",
            evidence=evidence,
        )

    def _features(self, samples: np.ndarray) -> np.ndarray:
        """Shape (3, T, 13); every piece of a long recording with its own mean, as the free decode hears it."""
        parts = [self._front_end.hear(piece, search=False) for _, piece in pieces(samples, most_sec=PIECE_SEC)] if len(samples) else []
        return np.concatenate(parts, axis=1) if parts else np.zeros((3, 0, 13), dtype=np.float32)

    def close(self) -> None:
        if self._front_end is not None:
            self._front_end.close()
        self._front_end = self._weigher = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        own = {"engine": self.name, "version": version("pocketsphinx"), "weights": WEIGHTS, "sample_rate_hz": SAMPLE_RATE_HZ}
        return {**own, "opinion_model": MODEL_NAME}


def _timed(request: SttRequest, weighed: Sequence[Weighed]) -> list[Word]:
    """The reference's words: times of the first transcript where the two agree, aligned ones elsewhere, and evenly shared gaps where no
    place was found."""
    from workbench.stt.differences import agreements

    spans: list[tuple[float, float] | None] = [None] * len(request.reference)
    heard = request.first.words
    for index, heard_index in agreements(request.reference, [word.text for word in heard]):
        spans[index] = heard[heard_index].start_sec, heard[heard_index].end_sec
    for one in weighed:
        if one.slot.end > one.slot.start and one.span_sec is not None:
            start, count = one.slot.start, one.slot.end - one.slot.start
            step = (one.span_sec[1] - one.span_sec[0]) / count
            spans[start : one.slot.end] = [(one.span_sec[0] + k * step, one.span_sec[0] + (k + 1) * step) for k in range(count)]
    return [Word(text, *span) for text, span in zip(request.reference, _filled(spans, request.audio.duration_sec), strict=True)]


def _filled(spans: list[tuple[float, float] | None], duration_sec: float) -> list[tuple[float, float]]:
    """Spans in order of time within the clip; runs without one share the gap between their neighbours."""
    out: list[tuple[float, float]] = []
    at = 0.0
    for index, span in enumerate(spans):
        if span is None:
            following = next((k for k in range(index, len(spans)) if spans[k] is not None), len(spans))
            until = spans[following][0] if following < len(spans) else duration_sec
            span = at, at + max(0.0, until - at) / (following - index)
        start = min(max(span[0], at), duration_sec)
        end = min(max(span[1], start), duration_sec)
        out.append((round(start, 4), round(end, 4)))
        at = end
    return out
