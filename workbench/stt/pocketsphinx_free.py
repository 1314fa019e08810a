"""Free decoding with CMU pocketsphinx and its bundled en-us model: the fast engine of the embedded default."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from workbench.audio import Audio, resample
from workbench.errors import EngineError, EngineUnavailableError
from workbench.stt.base import SttRequest, Transcript, Word

SAMPLE_RATE_HZ = 16_000
FRAME_SEC = 0.01
LICENCE_CODE = "BSD-2-Clause"
LICENCE_WEIGHTS = "BSD-2-Clause"
WEIGHTS = "en-us (PTM, bundled with the package)"
#: Decoder settings that differ from pocketsphinx's own: fewer active states per frame, faster at the same word error rate on the tuning voices of ``benchmarks/planted_errors.py``.
SETTINGS: dict[str, object] = {"maxhmmpf": 8000}

#: Audio longer than this is decoded in pieces, cut where it is quietest.
_PIECE_SEC, _PIECE_LEAST_SEC = 30.0, 15.0
#: The model's windows need some frames to work with; anything shorter cannot hold a word.
_SHORTEST_SEC = 0.1
#: Below this peak there is nothing but rounding noise of 16-bit samples.
_SILENT_PEAK = 3 / 32768
_VARIANT = re.compile(r"\(\d+\)$")


def open_decoder(**settings: object):
    """A quiet pocketsphinx decoder.

    Raises:
        EngineUnavailableError: the package is not installed.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError:
        raise EngineUnavailableError("pocketsphinx is not installed", expected="the package pocketsphinx", mend="pip install pocketsphinx==5.1.1") from None
    return Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL", **settings)


def feed(decoder, samples: np.ndarray, *, search: bool = True) -> None:
    """One utterance of 16 kHz samples (T,), independent of every utterance before it."""
    # The noise estimate lives as long as the stream and would make results depend on the batch; the whole utterance at once takes the mean of its own cepstra.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        decoder.start_stream()
    decoder.start_utt()
    decoder.process_raw((np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes(), no_search=not search, full_utt=True)
    decoder.end_utt()


def speech_samples(audio: Audio) -> np.ndarray:
    """Samples at 16 kHz within -1..1, float32; empty where no word can be: too short or silent."""
    if audio.duration_sec < _SHORTEST_SEC or audio.peak < _SILENT_PEAK:
        return np.zeros(0, dtype=np.float32)
    samples = resample(audio, SAMPLE_RATE_HZ).samples
    return samples / audio.peak if audio.peak > 1.0 else samples


def pieces(samples: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of at most 30 s with their first sample's index, cut in the quietest 0.2 s of the second half of each."""
    most, least, quiet = (int(sec * SAMPLE_RATE_HZ) for sec in (_PIECE_SEC, _PIECE_LEAST_SEC, 0.2))
    start, hop = 0, int(FRAME_SEC * SAMPLE_RATE_HZ)
    while len(samples) - start > most:
        search = samples[start + least : start + most]
        power = (search[: len(search) // hop * hop].reshape(-1, hop).astype(np.float64) ** 2).sum(axis=1)
        window = np.convolve(power, np.ones(quiet // hop), mode="valid")
        cut = start + least + int(window.argmin()) * hop + quiet // 2
        yield start, samples[start:cut]
        start = cut
    yield start, samples[start:]


@lru_cache(maxsize=50_000)
def written(word: str) -> tuple[str, ...]:
    """A dictionary entry as comparison words: ``the(2)`` is "the"; pauses and noises are nothing."""
    from workbench.text import normalise

    if word[0] in "<[+":
        return ()
    return tuple(normalise(_VARIANT.sub("", word)).split())


class PocketsphinxTranscriber:
    """Free decode with word times and posterior confidences; English, 16 kHz (anything else is resampled)."""

    name = "pocketsphinx"

    def __init__(self, **settings: object) -> None:
        """``settings`` override pocketsphinx's decoder settings (``lw``, ``beam`` ...)."""
        self.settings = {**SETTINGS, **settings}
        self._decoder = None

    def load(self, device: str = "cpu") -> None:
        if self._decoder is None:
            self._decoder = open_decoder(**self.settings)

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """One transcript per request, in order. Audio in which no word can be (silent, under 0.1 s) gives an empty one.

        Raises:
            EngineError: the engine is not loaded.
        """
        if self._decoder is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        return [self._one(request.audio) for request in requests]

    def _one(self, audio: Audio) -> Transcript:
        samples = speech_samples(audio)
        words: list[Word] = []
        for start, piece in pieces(samples) if len(samples) else ():
            feed(self._decoder, piece)
            words.extend(_words(self._decoder, offset_sec=start / SAMPLE_RATE_HZ, end_sec=audio.duration_sec))
        return Transcript(words=tuple(words), engine=self.name, confidence_method="lattice_posterior")

    def close(self) -> None:
        self._decoder = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        return {"engine": self.name, "version": version("pocketsphinx"), "weights": WEIGHTS, "sample_rate_hz": SAMPLE_RATE_HZ, **self.settings}


def _words(decoder, *, offset_sec: float, end_sec: float) -> Iterator[Word]:
    if decoder.hyp() is None:
        return
    for segment in decoder.seg():
        parts = written(segment.word)
        if not parts:
            continue
        start = offset_sec + segment.start_frame * FRAME_SEC
        step = (segment.end_frame + 1 - segment.start_frame) * FRAME_SEC / len(parts)
        confidence = min(1.0, max(0.0, float(segment.prob)))
        for place, part in enumerate(parts):
            yield Word(part, round(min(start + place * step, end_sec), 4), round(min(start + (place + 1) * step, end_sec), 4), confidence)
