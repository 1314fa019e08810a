"""wav2vec 2.0 with a CTC head over espeak's phones: which phones a stretch of a clip holds.

Source: Xu, Baevski, Auli, "Simple and effective zero-shot cross-lingual phoneme recognition" (Interspeech 2022). The symbols are read from the model's
``vocab.json``, so neither the package phonemizer nor espeak is needed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from workbench.audio import resample
from workbench.batching import in_batches
from workbench.errors import AudioError, ConfigError, EngineError
from workbench.phones.base import PhonePosteriors, PhoneRequest
from workbench.stt.neural import cannot_load, check_device, check_dtype, torch_dtype

WEIGHTS = "wav2vec2-lv-60-espeak-cv-ft"
SAMPLE_RATE_HZ = 16_000
#: The least that the network can hear; a shorter window is filled up with silence.
_LEAST_SAMPLES = 1_600
_SILENT_PEAK = 3 / 32768
_BLANK = "<pad>"


@dataclass(frozen=True, slots=True)
class _Window:
    """Samples that are heard, and the frames of them that are told of."""

    samples: np.ndarray
    start_frame: int
    first: int
    last: int


class Wav2Vec2PhonemeRecogniser:
    """Phone posteriors of spans of clips.

    Args:
        weights: folder of a ``Wav2Vec2ForCTC`` with a phone ``vocab.json``; by default the fetched ``wav2vec2-lv-60-espeak-cv-ft``.
        context_sec: how much of the clip before and after the span is heard as well; only the span's frames are told of.
        most_sec: longest span.
        batch_size, batch_sec: spans, and padded seconds, in a batch at most; they change no result.
        dtype: by default bfloat16 on cuda and float32 on cpu.
    """

    name = "wav2vec2-phoneme"

    def __init__(
        self,
        *,
        weights: str | None = None,
        context_sec: float = 1.0,
        most_sec: float = 60.0,
        batch_size: int = 16,
        batch_sec: float = 160.0,
        dtype: str | None = None,
    ) -> None:
        for option, value in {"context_sec": context_sec, "most_sec": most_sec, "batch_size": batch_size, "batch_sec": batch_sec}.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0 or (value == 0 and option != "context_sec"):
                raise ConfigError(f"{option} of {self.name} is out of range", got=value, expected="a number above 0")
        check_dtype(self.name, dtype)
        self.weights, self.context_sec, self.most_sec, self.dtype = weights, context_sec, most_sec, dtype
        self.batch_size, self.batch_sec = batch_size, batch_sec
        self._model: Any = None
        self._symbols: tuple[str, ...] = ()
        self._normalise = True

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            EngineUnavailableError: the weights are not there, or there is no such device.
            EngineError: transformers cannot load them.
        """
        if self._model is not None:
            return
        from workbench.guard import assert_on
        from workbench.weights import resolve

        folder = resolve(WEIGHTS, local=self.weights)
        check_device(self.name, device)
        from transformers import Wav2Vec2ForCTC

        try:
            symbols = _symbols(folder)
            model = Wav2Vec2ForCTC.from_pretrained(str(folder), local_files_only=True, dtype=torch_dtype(self.dtype, device)).to(device).eval()
            settings = folder / "preprocessor_config.json"
            self._normalise = json.loads(settings.read_text()).get("do_normalize", True) if settings.exists() else True
        except Exception as error:  # noqa: BLE001 - whatever the folder makes transformers throw
            raise cannot_load(self.name, folder, error) from error
        # A head may be padded beyond its symbols, never short of them.
        if model.config.vocab_size < len(symbols):
            raise EngineError("vocabulary and model do not fit together", where=folder, got=f"{len(symbols)} symbols", expected=f"at most {model.config.vocab_size}")
        assert_on(model, device, engine=self.name)
        self._model, self._symbols = model, symbols

    def posteriors(self, requests: Sequence[PhoneRequest]) -> list[PhonePosteriors]:
        """Posteriors of each span, in order. A span of a silent stretch holds the blank alone.

        Raises:
            EngineError: the engine is not loaded.
            AudioError: a span is outside its clip, reversed or too long, or has samples that are not finite.
        """
        if self._model is None:
            raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
        windows = [self._window(request) for request in requests]
        lengths = [len(window.samples) / SAMPLE_RATE_HZ for window in windows]
        return in_batches(windows, self._hear, lengths=lengths, most_items=self.batch_size, most_length=self.batch_sec)

    def close(self) -> None:
        """Free the model."""
        self._model = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        from workbench.weights import identity_of

        return {
            "engine": self.name,
            "version": f"transformers {version('transformers')}",
            **identity_of(WEIGHTS, local=self.weights),
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "context_sec": self.context_sec,
            "dtype": self.dtype or "auto",
        }

    @property
    def _hop(self) -> int:
        return math.prod(self._model.config.conv_stride)

    def _window(self, request: PhoneRequest) -> _Window:
        """The span with its context, cut at whole frames, so that a frame lies at the same time whatever the span."""
        audio = request.audio
        end_sec = audio.duration_sec if request.end_sec is None else min(request.end_sec, audio.duration_sec)
        if not 0 <= request.start_sec < end_sec or not math.isfinite(end_sec):
            got = f"{request.start_sec} to {request.end_sec} s"
            raise AudioError("no such span in the clip", where=audio.path, got=got, expected=f"0 <= start < end within {audio.duration_sec:.3f} s")
        if end_sec - request.start_sec > self.most_sec:
            got = f"{end_sec - request.start_sec:.1f} s"
            raise AudioError("span too long for a phone recogniser", where=audio.path, got=got, expected=f"at most {self.most_sec} s (option most_sec)")
        if not np.isfinite(audio.peak):
            raise AudioError("samples that are not finite cannot be heard", where=audio.path, got="NaN or infinity", expected="finite samples")
        samples, hop = resample(audio, SAMPLE_RATE_HZ).samples, self._hop
        first, last = (math.floor(sec * SAMPLE_RATE_HZ / hop + 1e-6) for sec in (request.start_sec, end_sec))
        last, context = max(last, first + 1), math.ceil(self.context_sec * SAMPLE_RATE_HZ / hop)
        start = max(0, first - context)
        heard = samples[start * hop : (last + context) * hop]
        return _Window(np.pad(heard, (0, max(0, _LEAST_SAMPLES - len(heard)))), start, first - start, last - start)

    def _hear(self, batch: list[_Window]) -> list[PhonePosteriors]:
        import torch

        model = self._model
        parameter = next(model.parameters())
        signals = [torch.from_numpy(np.ascontiguousarray(self._level(window.samples), np.float32)) for window in batch]
        # The model whose feature encoder norms over time cannot be told what is padding: such clips run one at a time.
        groups = [list(range(len(batch)))] if model.config.feat_extract_norm == "layer" else [[k] for k in range(len(batch))]
        found: dict[int, np.ndarray] = {}
        with torch.inference_mode():
            for group in groups:
                lengths = torch.tensor([len(signals[k]) for k in group])
                padded = torch.nn.utils.rnn.pad_sequence([signals[k] for k in group], batch_first=True)
                mask = (torch.arange(padded.shape[1])[None] < lengths[:, None]).long()
                logits = model(padded.to(parameter.device, parameter.dtype), attention_mask=mask.to(parameter.device)).logits
                log_probs = logits[..., : len(self._symbols)].float().log_softmax(dim=-1).cpu().numpy()
                frames = model._get_feat_extract_output_lengths(lengths).tolist()
                found |= {k: log_probs[row, :count] for row, (k, count) in enumerate(zip(group, frames, strict=True))}
        return [self._told(window, found[k]) for k, window in enumerate(batch)]

    def _level(self, samples: np.ndarray) -> np.ndarray:
        """Zero mean and unit variance, where the model was trained so."""
        if not self._normalise or np.abs(samples).max() < _SILENT_PEAK:
            return samples
        centred = samples.astype(np.float64) - samples.mean(dtype=np.float64)
        return centred / np.sqrt(centred.var() + 1e-7)

    def _told(self, window: _Window, log_probs: np.ndarray) -> PhonePosteriors:
        blank = self._symbols.index(_BLANK)
        if np.abs(window.samples).max() < _SILENT_PEAK:
            log_probs = np.full_like(log_probs, -np.inf)
            log_probs[:, blank] = 0.0
        # The network's field of view is wider than its hop: the last frame or two of a clip are not there.
        last = min(window.last, len(log_probs))
        told = np.ascontiguousarray(log_probs[min(window.first, last - 1) : last], dtype=np.float32)
        frame_sec = self._hop / SAMPLE_RATE_HZ
        start_sec = (window.start_frame + min(window.first, last - 1)) * frame_sec
        return PhonePosteriors(told, self._symbols, blank, frame_sec, start_sec, best_path(told, self._symbols, blank, frame_sec=frame_sec, start_sec=start_sec))


def best_path(
    log_probs: np.ndarray, symbols: Sequence[str], blank: int, *, frame_sec: float, start_sec: float = 0.0
) -> tuple[tuple[str, float, float, float], ...]:
    """The likeliest symbol of every frame, repeats as one and blanks left out.

    Args:
        log_probs: shape (T, S), nats.

    Returns:
        (symbol, start_sec, end_sec, probability): the mean posterior over its frames. Signs that are no phones (``<unk>``, ``|``) are left out.
    """
    path, at = [], 0
    for symbol, run in groupby(log_probs.argmax(axis=1).tolist()):
        start, at = at, at + len(list(run))
        name = symbols[symbol]
        if symbol != blank and name != "|" and not (name.startswith("<") and name.endswith(">")):
            probability = float(np.exp(log_probs[start:at, symbol].astype(np.float64)).mean())
            path.append((name, round(start_sec + start * frame_sec, 4), round(start_sec + at * frame_sec, 4), min(1.0, probability)))
    return tuple(path)


def _symbols(folder: Path) -> tuple[str, ...]:
    """The symbols in order of the model's outputs.

    Raises:
        EngineError: the vocabulary has gaps or no blank.
    """
    numbers: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    ordered = sorted(numbers, key=numbers.__getitem__)
    if [numbers[symbol] for symbol in ordered] != list(range(len(ordered))) or _BLANK not in numbers:
        raise EngineError("not a vocabulary of a CTC model", where=folder / "vocab.json", expected=f"numbers from 0 without gaps, {_BLANK} among the symbols")
    return tuple(ordered)
