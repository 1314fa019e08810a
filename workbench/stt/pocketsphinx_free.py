"""Free decoding with CMU pocketsphinx and its bundled en-us model: the fast engine of the embedded default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from workbench.audio import Audio
from workbench.errors import EngineError, EngineUnavailableError
from workbench.stt.acoustic import load_model
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.stt.front_end import LoggingDecoder
from workbench.stt.listening import SAMPLE_RATE_HZ, moved, pieces, speech_samples
from workbench.stt.second_look import NEIGHBOURS, OTHER_WORD_NATS, TWICE_NATS, SecondLook

FRAME_SEC = 0.01
LICENCE_CODE = "BSD-2-Clause"
LICENCE_WEIGHTS = "BSD-2-Clause"
WEIGHTS = "en-us (PTM, bundled with the package)"
#: Decoder settings that differ from pocketsphinx's own: fewer active states per frame, faster at the same word error rate on the tuning
#: voices of ``benchmarks/planted_errors.py``.
SETTINGS: dict[str, object] = {"maxhmmpf": 8000}

#: Audio longer than this is decoded in pieces, cut where it is quietest.
PIECE_SEC = 30.0
_VARIANT = re.compile(r"\(\d+\)$")


def model_folder() -> Path:
    """Folder of the acoustic model inside pocketsphinx's bundled en-us model.

    Raises:
        EngineUnavailableError: the package or its model is missing.
    """
    from workbench.text import lexicon

    folder = lexicon.model_folder() / "en-us"
    if not (folder / "mdef").exists():
        mend = "pip install --force-reinstall pocketsphinx==5.1.1"
        raise EngineUnavailableError("pocketsphinx's en-us model is missing", where=folder, mend=mend)
    return folder


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

    def __init__(self, *, second_look: bool = True, piece_sec: float = PIECE_SEC, **settings: object) -> None:
        """
        Args:
            second_look: score every word once more by sound alone, against autocorrection by the language model (``second_look``).
            piece_sec: longer audio is decoded in pieces of at most this, so that memory stays bounded.
            settings: override pocketsphinx's decoder settings (``lw``, ``beam`` ...).
        """
        self.second_look, self.piece_sec, self.settings = second_look, piece_sec, {**SETTINGS, **settings}
        self._front_end = self._look = None

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: pocketsphinx or its model is missing.
        """
        if self._front_end is None:
            self._look = SecondLook(load_model(model_folder())) if self.second_look else None
            self._front_end = LoggingDecoder(**self.settings)

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """One transcript per request, in order. Audio in which no word can be (silent, under 0.1 s) gives an empty one.

        Raises:
            EngineError: the engine is not loaded.
        """
        if self._front_end is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        return [self._one(request.audio) for request in requests]

    def _one(self, audio: Audio) -> Transcript:
        samples = speech_samples(audio)
        words: list[Word] = []
        for start, piece in pieces(samples, most_sec=self.piece_sec) if len(samples) else ():
            features = self._front_end.hear(piece)
            heard = list(_words(self._front_end.decoder))
            heard = self._look.look(features, heard) if self._look else heard
            words += [moved(word, start / SAMPLE_RATE_HZ, audio.duration_sec) for word in heard]
        return Transcript(words=tuple(words), engine=self.name, confidence_method="lattice_posterior")

    def close(self) -> None:
        if self._front_end is not None:
            self._front_end.close()
        self._front_end = self._look = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        options = {"piece_sec": self.piece_sec, "second_look": [OTHER_WORD_NATS, TWICE_NATS, NEIGHBOURS] if self.second_look else None}
        own = {"engine": self.name, "version": version("pocketsphinx"), "weights": WEIGHTS, "sample_rate_hz": SAMPLE_RATE_HZ}
        return {**own, **self.settings, **options}


def _words(decoder) -> Iterator[Word]:
    """Words of the decoder's hypothesis, in seconds of its utterance."""
    if decoder.hyp() is None:
        return
    for segment in decoder.seg():
        parts = written(segment.word)
        if not parts:
            continue
        start = segment.start_frame * FRAME_SEC
        step = (segment.end_frame + 1 - segment.start_frame) * FRAME_SEC / len(parts)
        confidence = min(1.0, max(0.0, float(segment.prob)))
        for place, part in enumerate(parts):
            yield Word(part, start + place * step, start + (place + 1) * step, confidence)
