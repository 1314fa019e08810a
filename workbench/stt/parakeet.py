"""NVIDIA Parakeet: a FastConformer encoder with two heads, CTC and TDT, through NeMo. The fast engine of the gpu profile.

The encoder runs once per batch. The CTC head gives the words, their times and confidences; the TDT head transcribes the same encoding, and the share of
words on which the heads differ comes with the transcript: a further sign of a doubtful clip, in another currency than confidence, so no
confidence is changed by it.

Sources: Rekesh et al., "Fast Conformer with linearly scalable attention for efficient speech recognition" (ASRU 2023); Xu et al., "Efficient sequence
transduction by jointly predicting tokens and durations" (ICML 2023); Laptev, Ginsburg, "Fast entropy-based methods of word-level
confidence estimation for end-to-end automatic speech recognition" (SLT 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from workbench.errors import ConfigError
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.stt.listening import SAMPLE_RATE_HZ, check_batch_options, heard, moved, not_loaded, spoken_words
from workbench.stt.neural import cannot_load, check_device, check_dtype, the_file, torch_dtype

WEIGHTS = "parakeet-tdt_ctc-1.1b"
#: Encoder frames (80 ms each) that a frame attends to on either side in long recordings.
LOCAL_CONTEXT = (128, 128)
#: Longest stretch heard at once, by local attention.
PIECE_SEC = 1_800.0
#: Option to NeMo's measure and its alpha.
_CONFIDENCES = {"max_prob": ("max_prob", 1.0), "entropy": ("entropy_tsallis_exp", 0.33)}
#: Begins a SentencePiece token that begins a word.
_WORD_START = "\u2581"


class ParakeetTranscriber:
    """CTC words with times and confidence, and the disagreement between the CTC and the TDT head.

    Args:
        weights: path of a ``.nemo`` file of a hybrid TDT-CTC (or RNNT-CTC) model; by default the fetched ``parakeet-tdt_ctc-1.1b``.
        confidence: how a token's posteriors become a number: ``max_prob``, linear in the largest posterior, or ``entropy`` (Tsallis,
            exponentially normalised). A word takes the least of the frames of its tokens.
        compare_heads: transcribe with the TDT head as well.
        local_attention_above_sec: longer clips are heard with attention limited to about 10 s on either side, so that memory grows with
            their length and not its square. It depends on the clip alone, never on its batch.
        batch_size, batch_sec: clips, and padded seconds of audio, in a batch at most; they change no result.
        dtype: of the encoder; by default bfloat16 on cuda and float32 on cpu. Features and heads stay in float32.
    """

    name = "parakeet"

    def __init__(
        self,
        *,
        weights: str | None = None,
        confidence: str = "max_prob",
        compare_heads: bool = True,
        local_attention_above_sec: float = 180.0,
        batch_size: int = 16,
        batch_sec: float = 480.0,
        dtype: str | None = None,
    ) -> None:
        if confidence not in _CONFIDENCES:
            raise ConfigError("confidence of parakeet is unknown", got=confidence, expected=f"one of {', '.join(_CONFIDENCES)}")
        check_batch_options(self.name, batch_size=batch_size, batch_sec=batch_sec, local_attention_above_sec=local_attention_above_sec)
        check_dtype(self.name, dtype)
        self.weights, self.confidence, self.compare_heads, self.dtype = weights, confidence, compare_heads, dtype
        self.local_attention_above_sec, self.batch_size, self.batch_sec = local_attention_above_sec, batch_size, batch_sec
        self._model = None
        self._attention: tuple[str, list[int]] = ("", [])

    def load(self, device: str = "cpu") -> None:
        """Restore the model, about 10 s for NeMo itself.

        Raises:
            EngineUnavailableError: the weights are not there, or there is no such device.
            EngineError: NeMo cannot restore them, or they are not of a hybrid model.
        """
        if self._model is not None:
            return
        from workbench.guard import assert_on
        from workbench.weights import resolve

        path = the_file(resolve(WEIGHTS, local=self.weights), ".nemo")
        check_device(self.name, device)
        from nemo.collections.asr.models import EncDecHybridRNNTCTCBPEModel
        from nemo.utils import logging

        with logging.temp_verbosity(logging.ERROR):
            try:
                model = EncDecHybridRNNTCTCBPEModel.restore_from(str(path), map_location=device)
            except Exception as error:  # noqa: BLE001 - whatever the archive makes NeMo throw
                raise cannot_load(self.name, path, error) from error
            self._prepare(model, device)
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
        found: list[Transcript | None] = [None] * len(requests)
        is_long = [request.audio.duration_sec > self.local_attention_above_sec for request in requests]
        for local in (False, True):
            chosen = [number for number, long in enumerate(is_long) if long == local]
            if not chosen:
                continue
            self._attend(local=local)
            clips = [requests[number].audio for number in chosen]
            results = heard(clips, self._hear, piece_sec=PIECE_SEC, most_items=self.batch_size, most_sec=self.batch_sec)
            for number, audio, parts in zip(chosen, clips, results, strict=True):
                found[number] = self._transcript(parts, audio.duration_sec)
        return found

    def close(self) -> None:
        """Free the model."""
        self._model = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        from workbench.weights import identity_of

        return {
            "engine": self.name,
            "version": f"nemo {version('nemo-toolkit')}",
            **identity_of(WEIGHTS, local=self.weights),
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "decoding": "ctc greedy" + (", tdt greedy beside it" if self.compare_heads else ""),
            "confidence": self._method,
            "local_attention": [self.local_attention_above_sec, *LOCAL_CONTEXT, PIECE_SEC],
            "dtype": self.dtype or "auto",
        }

    @property
    def _method(self) -> str:
        return f"ctc_{self.confidence}_min"

    def _prepare(self, model: Any, device: str) -> None:
        """Evaluation mode without chance, the encoder's dtype."""
        model.eval()
        model.preprocessor.featurizer.dither = 0.0
        model.preprocessor.featurizer.pad_to = 0
        model.encoder.to(torch_dtype(self.dtype, device))
        self._attention = (model.encoder.self_attention_model, list(model.encoder.att_context_size))

    def _attend(self, *, local: bool) -> None:
        """Switch the encoder's attention; a model that was trained with local attention keeps its own."""
        kind, context = ("rel_pos_local_attn", list(LOCAL_CONTEXT)) if local else self._attention
        encoder = self._model.encoder
        if self._attention[0] == "rel_pos" and encoder.self_attention_model != kind:
            parameter = next(encoder.parameters())
            has_bias = encoder.layers[0].self_attn.linear_q.bias is not None
            self._model.change_attention_model(kind, context, update_config=False)
            if not has_bias:
                # NeMo 3.0.0 gives the new attention layers biases even where the model was trained without: random ones, for none are loaded.
                for layer in encoder.layers:
                    for linear in (layer.self_attn.linear_q, layer.self_attn.linear_k, layer.self_attn.linear_v, layer.self_attn.linear_out):
                        linear.bias = None
            encoder.to(device=parameter.device, dtype=parameter.dtype)
            encoder.eval()

    def _hear(self, batch: list[np.ndarray]) -> list[tuple[list[Word], str]]:
        """Written words by the CTC head, and the TDT head's text, of each stretch of samples."""
        import torch

        model = self._model
        device = next(model.parameters()).device
        lengths = torch.tensor([len(samples) for samples in batch])
        signal = torch.zeros(len(batch), int(lengths.max()))
        for row, samples in zip(signal, batch, strict=True):
            row[: len(samples)] = torch.from_numpy(samples)
        with torch.inference_mode():
            features, frames = model.preprocessor(input_signal=signal.to(device), length=lengths.to(device))
            features = features.to(next(model.encoder.parameters()).dtype)
            encoded, frames = model.encoder(audio_signal=features, length=frames)
            encoded = encoded.float()
            log_probs = model.ctc_decoder(encoder_output=encoded)
            ids, sure = log_probs.argmax(dim=-1).tolist(), self._measure(log_probs).tolist()
            tdt = [""] * len(batch)
            if self.compare_heads:
                found = model.decoding.rnnt_decoder_predictions_tensor(encoder_output=encoded, encoded_lengths=frames, return_hypotheses=True)
                tdt = [hypothesis.text for hypothesis in found]
        common = {
            "blank": log_probs.shape[-1] - 1,
            "tokenizer": model.tokenizer,
            "frame_sec": model.encoder.subsampling_factor * float(model.cfg.preprocessor.window_stride),
        }
        counts = frames.tolist()
        return [(_words(i[:count], c[:count], **common), text) for i, c, count, text in zip(ids, sure, counts, tdt, strict=True)]

    def _measure(self, log_probs: Any) -> Any:
        """Confidence of each frame, shape (B, T), by NeMo's own measures."""
        from nemo.collections.asr.parts.utils.asr_confidence_utils import get_confidence_measure_bank

        measure, alpha = _CONFIDENCES[self.confidence]
        return get_confidence_measure_bank()[measure](log_probs, log_probs.shape[-1], alpha)

    def _transcript(self, parts: Sequence[tuple[float, tuple[list[Word], str]]], end_sec: float) -> Transcript:
        words = spoken_words([moved(word, start_sec, end_sec) for start_sec, (written, _) in parts for word in written])
        differ = None
        if self.compare_heads:
            from workbench.text import normalise

            differ = disagreement([word.text for word in words], normalise(" ".join(text for _, (_, text) in parts)).split())
        return Transcript(tuple(words), self.name, self._method, head_disagreement=differ)


def disagreement(one: Sequence[str], other: Sequence[str]) -> float:
    """Word edits between two transcripts over the words of the longer, 0..1; 0.0 when both are empty."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(one, other))


def _words(ids: Sequence[int], sure: Sequence[float], *, blank: int, tokenizer: Any, frame_sec: float) -> list[Word]:
    """Written words of the best CTC path, from the first to the last frame of their tokens.

    NeMo's own lists of words and of word confidences differ in length where a token is unknown or a word mark stands alone, so tokens are
    grouped here.

    Args:
        ids, sure: token and confidence of each frame.
    """
    words: list[tuple[list[int], int, int, float]] = []
    at = 0
    for token, run in groupby(ids):
        start, at = at, at + len(list(run))
        if token == blank:
            continue
        least = min(sure[start:at])
        if words and not tokenizer.ids_to_tokens([token])[0].startswith(_WORD_START):
            tokens, first, _, lowest = words[-1]
            words[-1] = ([*tokens, token], first, at, min(lowest, least))
        else:
            words.append(([token], start, at, least))
    return [Word(tokenizer.ids_to_text(tokens), start * frame_sec, end * frame_sec, lowest) for tokens, start, end, lowest in words]
