"""Whisper through faster-whisper (CTranslate2): distil-large-v3 by default, with word times.

One clip at a time: the library batches only windows of one recording, and its windows of 30 s bound the memory of any length. Decoding is greedy at temperature 0
with nothing carried from window to window, so that a result depends on neither chance nor what was heard before.

Source: Radford et al., "Robust speech recognition via large-scale weak supervision" (ICML 2023); Gandhi, von Platen, Rush, "Distil-Whisper" (2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.errors import ConfigError, EngineUnavailableError
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.stt.listening import SAMPLE_RATE_HZ, moved, not_loaded, speech_samples, spoken_words
from workbench.stt.neural import cannot_load, check_dtype

WEIGHTS = "faster-distil-whisper-large-v3"
COMPUTE_TYPES = ("bfloat16", "float16", "float32", "int8", "int8_float16", "int8_bfloat16")
#: Without its own tokenizer file the library would go and fetch one.
_NEEDED = ("config.json", "model.bin", "tokenizer.json")


class WhisperTranscriber:
    """Words with times, and the probabilities of their tokens as confidence.

    Args:
        weights: folder of a Whisper model in CTranslate2's format; by default the fetched ``faster-distil-whisper-large-v3``.
        language: code of the language spoken, None to let the model guess it clip by clip.
        beam_size: 1 is greedy.
        no_speech_threshold: a window whose no-speech probability is above it, and whose words are unlikely, is taken as silent.
        threads: of the CPU, 0 for the library's choice.
        dtype: by default bfloat16 on cuda and float32 on cpu.
    """

    name = "whisper"

    def __init__(
        self,
        *,
        weights: str | None = None,
        language: str | None = "en",
        beam_size: int = 5,
        no_speech_threshold: float = 0.6,
        threads: int = 0,
        dtype: str | None = None,
    ) -> None:
        if isinstance(beam_size, bool) or not isinstance(beam_size, int) or beam_size < 1:
            raise ConfigError("beam_size of whisper must be a whole number", got=beam_size, expected="1 or more")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise ConfigError("threads of whisper must be a whole number", got=threads, expected="0 or more")
        if not isinstance(no_speech_threshold, int | float) or not 0 <= no_speech_threshold <= 1:
            raise ConfigError("no_speech_threshold of whisper is out of range", got=no_speech_threshold, expected="0 to 1")
        check_dtype(self.name, dtype, COMPUTE_TYPES)
        self.weights, self.language, self.beam_size, self.no_speech_threshold = weights, language, beam_size, no_speech_threshold
        self.threads, self.dtype = threads, dtype
        self._model: Any = None

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: the weights are not there or not whole.
            EngineError: CTranslate2 cannot load them, or there is no such device.
        """
        if self._model is not None:
            return
        from workbench.guard import assert_on
        from workbench.weights import resolve

        folder = resolve(WEIGHTS, local=self.weights)
        missing = [name for name in _NEEDED if not (folder / name).is_file()]
        if missing:
            raise EngineUnavailableError("weights are not whole", where=folder, got=f"missing: {', '.join(missing)}", mend="workbench weights fetch " + WEIGHTS)
        from faster_whisper import WhisperModel

        kind, _, index = device.partition(":")
        compute_type = self.dtype or ("bfloat16" if kind == "cuda" else "float32")
        try:
            model = WhisperModel(
                str(folder), device=kind, device_index=int(index or 0), compute_type=compute_type, cpu_threads=self.threads, local_files_only=True
            )
        except Exception as error:  # noqa: BLE001 - whatever the folder makes the library throw
            raise cannot_load(self.name, folder, error) from error
        if self.language is not None and self.language not in model.supported_languages:
            known = ", ".join(sorted(model.supported_languages))
            raise ConfigError("language is none of this model's", where=folder, got=self.language, expected=f"None or one of {known}")
        assert_on(model, device, engine=self.name)
        self._model = model

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """One transcript per request, in order. Audio in which no word can be (silent, under 0.1 s) gives an empty one.

        Raises:
            EngineError: the engine is not loaded.
            AudioError: samples that are not finite.
        """
        if self._model is None:
            raise not_loaded(self.name)
        heard = [(speech_samples(request.audio), request.audio.duration_sec) for request in requests]
        return [Transcript(tuple(self._words(samples, end_sec)), self.name, "whisper_token_probability") for samples, end_sec in heard]

    def close(self) -> None:
        """Free the model."""
        self._model = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        from workbench.weights import identity_of

        return {
            "engine": self.name,
            "version": f"faster-whisper {version('faster-whisper')}, ctranslate2 {version('ctranslate2')}",
            **identity_of(WEIGHTS, local=self.weights),
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "language": self.language,
            "beam_size": self.beam_size,
            "no_speech_threshold": self.no_speech_threshold,
            "temperature": 0.0,
            "dtype": self.dtype or "auto",
        }

    def _words(self, samples: np.ndarray, end_sec: float) -> list[Word]:
        if not len(samples):
            return []
        segments, _ = self._model.transcribe(
            samples,
            language=self.language,
            beam_size=self.beam_size,
            temperature=0.0,
            no_speech_threshold=self.no_speech_threshold,
            condition_on_previous_text=False,
            vad_filter=False,
            word_timestamps=True,
        )
        written = [word for segment in segments for word in segment.words or ()]
        # Times of one window may run into the next by a rounding; a word never starts before the one it follows.
        words, latest = [], 0.0
        for word in written:
            latest = max(latest, float(word.start))
            probability = float(word.probability)
            sure = probability if math.isfinite(probability) else None
            words.append(moved(Word(word.word.strip(), latest, max(latest, float(word.end)), sure), 0.0, end_sec))
        return spoken_words(words)
