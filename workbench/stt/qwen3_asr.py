"""Qwen3-ASR through transformers, with Qwen3-ForcedAligner for the times: the precision engine of the gpu profile.

Recordings are cut where they are quietest, since the aligner was trained on short audio and a transcript's memory grows with its length. Decoding is greedy;
a word's confidence is the mean probability of its tokens. The processor's padding reaches into the last frames of shorter clips, so clips end in silence and their
padding is set to zero before the model hears them: a batch changes nothing.

Source: Qwen team, "Qwen3-ASR technical report" (2026).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.errors import ConfigError
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.stt.listening import SAMPLE_RATE_HZ, check_batch_options, heard, moved, not_loaded, spoken_words
from workbench.stt.neural import cannot_load, check_device, check_dtype, torch_dtype

WEIGHTS, ALIGNER = "qwen3-asr-1.7b", "qwen3-forced-aligner-0.6b"
#: Nobody says more tokens in a second; a longer output is a loop.
TOKENS_PER_SEC, TOKENS_AT_LEAST = 12, 32
_HOP, _HALF_WINDOW = 160, 200
_TEXT_MARK, _WORD_STARTS = "<asr_text>", ("\u0120", "\u010a")


class Qwen3AsrTranscriber:
    """Words of Qwen3-ASR with token confidences and aligned times.

    Args:
        weights: folder of a ``Qwen3ASRForConditionalGeneration`` with its processor; by default the fetched ``qwen3-asr-1.7b``.
        aligner: folder of a ``Qwen3ASRForTokenClassification``; by default the fetched ``qwen3-forced-aligner-0.6b``.
        align: False spreads the words of a piece evenly over it, by their letters: for text only, where the aligner's memory is wanted for something else. The
            fingerprint says so.
        language: name or code of the language spoken, None to let the model guess it piece by piece.
        piece_sec: longer audio is heard in pieces of at most this.
        batch_size, batch_sec: pieces, and padded seconds, in a batch at most; they change no result.
        dtype: by default bfloat16 on cuda and float32 on cpu.
    """

    name = "qwen3-asr"

    def __init__(
        self,
        *,
        weights: str | None = None,
        aligner: str | None = None,
        align: bool = True,
        language: str | None = "en",
        piece_sec: float = 60.0,
        batch_size: int = 16,
        batch_sec: float = 480.0,
        dtype: str | None = None,
    ) -> None:
        check_batch_options(self.name, piece_sec=piece_sec, batch_size=batch_size, batch_sec=batch_sec)
        if not 2.0 <= piece_sec <= 300.0:
            raise ConfigError("piece_sec of qwen3-asr is out of range", got=piece_sec, expected="2 to 300, the aligner's limit")
        check_dtype(self.name, dtype)
        self.weights, self.aligner, self.align, self.language = weights, aligner, align, language
        self.piece_sec, self.batch_size, self.batch_sec, self.dtype = piece_sec, batch_size, batch_sec, dtype
        self._model: Any = None
        self._aligner: Any = None

    def load(self, device: str = "cpu") -> None:
        """Load both models, or the first alone without ``align``.

        Raises:
            EngineUnavailableError: weights are not there, or there is no such device.
            EngineError: transformers cannot load them.
        """
        if self._model is not None:
            return
        from workbench.weights import resolve

        folder = resolve(WEIGHTS, local=self.weights)
        aligner = resolve(ALIGNER, local=self.aligner) if self.align else None
        check_device(self.name, device)
        _check_language(self.language, align=self.align)
        from transformers import Qwen3ASRForConditionalGeneration, Qwen3ASRForTokenClassification

        if aligner is not None:
            self._aligner = self._loaded(Qwen3ASRForTokenClassification, aligner, device)
        self._model = self._loaded(Qwen3ASRForConditionalGeneration, folder, device)

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """One transcript per request, in order. Audio in which no word can be (silent, under 0.1 s) gives an empty one.

        Raises:
            EngineError: the engine is not loaded.
            AudioError: samples that are not finite.
        """
        if self._model is None:
            raise not_loaded(self.name)
        clips = [request.audio for request in requests]
        parts = heard(clips, self._hear, piece_sec=self.piece_sec, most_items=self.batch_size, most_sec=self.batch_sec)
        found = []
        for audio, pieces in zip(clips, parts, strict=True):
            written = [moved(word, start_sec, audio.duration_sec) for start_sec, words in pieces for word in words]
            found.append(Transcript(tuple(spoken_words(written)), self.name, "token_probability_mean"))
        return found

    def close(self) -> None:
        """Free both models."""
        self._model = self._aligner = None

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        from workbench.weights import identity_of

        return {
            "engine": self.name,
            "version": f"transformers {version('transformers')}",
            **identity_of(WEIGHTS, local=self.weights),
            "times": identity_of(ALIGNER, local=self.aligner) if self.align else "spread evenly",
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "language": self.language,
            "decoding": f"greedy, at most {TOKENS_PER_SEC} tokens/s + {TOKENS_AT_LEAST}",
            "piece_sec": self.piece_sec,
            "dtype": self.dtype or "auto",
        }

    def _loaded(self, kind: Any, folder: Any, device: str) -> tuple[Any, Any]:
        """(model, processor) of one folder."""
        from transformers import Qwen3ASRProcessor

        from workbench.guard import assert_on

        try:
            model = kind.from_pretrained(str(folder), local_files_only=True, dtype=torch_dtype(self.dtype, device)).to(device).eval()
            processor = Qwen3ASRProcessor.from_pretrained(str(folder), local_files_only=True)
        except Exception as error:  # noqa: BLE001 - whatever the folder makes transformers throw
            raise cannot_load(self.name, folder, error) from error
        assert_on(model, device, engine=self.name)
        return model, processor

    def _hear(self, batch: list[np.ndarray]) -> list[list[Word]]:
        """Written words with times of each stretch of samples."""
        written = self._write(batch)
        spans = self._spans(batch, [[text for text, _ in words] for words in written])
        return [
            [Word(text, start, end, sure) for (text, sure), (start, end) in zip(words, times, strict=True)]
            for words, times in zip(written, spans, strict=True)
        ]

    def _write(self, batch: list[np.ndarray]) -> list[list[tuple[str, float]]]:
        """(written word, mean probability of its tokens) of each stretch."""
        import torch

        model, processor = self._model
        inputs = _quiet_ends(processor.apply_transcription_request(audio=_ending_in_silence(batch), language=self.language), model)
        most = [int(TOKENS_PER_SEC * len(samples) / SAMPLE_RATE_HZ) + TOKENS_AT_LEAST for samples in batch]
        chosen: list[Any] = []

        def note(_ids: Any, scores: Any) -> Any:
            # The greedy choice's probability; keeping all scores would take gigabytes.
            scores = scores.float()
            chosen.append((scores.max(dim=-1).values - scores.logsumexp(dim=-1)).exp())
            return scores

        with torch.inference_mode():
            ids = model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=max(most), logits_processor=[note])
        new = ids[:, inputs["input_ids"].shape[1] :].tolist()
        sure = torch.stack(chosen, dim=1).tolist()
        return [_written(i[:limit], c[:limit], processor.tokenizer, names_language=self.language is None) for i, c, limit in zip(new, sure, most, strict=True)]

    def _spans(self, batch: list[np.ndarray], texts: list[list[str]]) -> list[list[tuple[float, float]]]:
        """Start and end of each written word in seconds of its stretch."""
        ends = [len(samples) / SAMPLE_RATE_HZ for samples in batch]
        spans = [_spread(words, end) for words, end in zip(texts, ends, strict=True)]
        if self._aligner is None:
            return spans
        _, processor = self._aligner
        counts = [[len(processor.split_words_for_alignment(word)) for word in words] for words in texts]
        chosen = [k for k, count in enumerate(counts) if sum(count)]
        if chosen:
            aligned = self._aligned([batch[k] for k in chosen], [" ".join(texts[k]) for k in chosen])
            for k, items in zip(chosen, aligned, strict=True):
                # A language of its own tokenizer parts words otherwise; then the even spread stands.
                if len(items) == sum(counts[k]):
                    spans[k] = _joined(items, counts[k], ends[k])
        return spans

    def _aligned(self, batch: list[np.ndarray], texts: list[str]) -> list[list[tuple[float, float]]]:
        import torch

        model, processor = self._aligner
        inputs, words = processor.prepare_forced_aligner_inputs(audio=_ending_in_silence(batch), transcript=texts, language=self.language)
        inputs = _quiet_ends(inputs, model)
        with torch.inference_mode():
            logits = model(**inputs).logits
        found = processor.decode_forced_alignment(logits.float(), inputs["input_ids"], words, model.config.timestamp_token_id)
        return [[(item["start_time"], item["end_time"]) for item in items] for items in found]


def _check_language(language: str | None, *, align: bool) -> None:
    """
    Raises:
        ConfigError: a language that the model, or with ``align`` the aligner, does not know.
    """
    if language is None:
        return
    from transformers.models.qwen3_asr.processing_qwen3_asr import FORCED_ALIGNER_LANGUAGES, LANGUAGE_CODE_TO_NAME

    known = {form.lower(): name for code, name in LANGUAGE_CODE_TO_NAME.items() for form in (code, name)}
    name = known.get(language.lower())
    if name is None:
        raise ConfigError("language of qwen3-asr is unknown", got=language, expected=f"None or one of {', '.join(LANGUAGE_CODE_TO_NAME)}")
    needs = {"Japanese": "nagisa", "Korean": "soynlp"}.get(name)
    if align and (name not in FORCED_ALIGNER_LANGUAGES or (needs and importlib.util.find_spec(needs) is None)):
        lacking = f"needs the package {needs}" if name in FORCED_ALIGNER_LANGUAGES else "does not know it"
        raise ConfigError(f"no word times in this language: the aligner {lacking}", got=language, mend="option align=False spreads the words evenly")


def _ending_in_silence(batch: list[np.ndarray]) -> list[np.ndarray]:
    """Whole hops, the last half window silent: what follows in a batch cannot reach into a clip's last frame."""
    return [np.pad(samples, (0, -(-(len(samples) + _HALF_WINDOW) // _HOP) * _HOP - len(samples))) for samples in batch]


def _quiet_ends(inputs: Any, model: Any) -> dict[str, Any]:
    """Inputs on the model's device, features in its dtype and zero where there is only padding, as they are for a clip alone."""
    parameter = next(model.parameters())
    moved_inputs = {name: value.to(parameter.device) for name, value in inputs.items() if hasattr(value, "to")}
    features, mask = moved_inputs["input_features"], moved_inputs["input_features_mask"]
    moved_inputs["input_features"] = (features * mask[:, None, :].to(features.dtype)).to(parameter.dtype)
    return moved_inputs


def _written(ids: Sequence[int], sure: Sequence[float], tokenizer: Any, *, names_language: bool) -> list[tuple[str, float]]:
    """Words between white space, with the mean probability of their tokens; up to the end mark, after the mark of the text.

    A model that ``names_language`` writes it before the mark: what ends without the mark holds no words of the clip.
    """
    mark, special = tokenizer.convert_tokens_to_ids(_TEXT_MARK), set(tokenizer.all_special_ids)
    ids = list(ids)
    if names_language and mark not in ids:
        return []
    start = ids.index(mark) + 1 if mark in ids else 0
    groups: list[tuple[list[int], list[float]]] = []
    for token, probability in zip(ids[start:], sure[start:], strict=False):
        if token == tokenizer.eos_token_id:
            break
        piece = tokenizer.convert_ids_to_tokens(token)
        # The published head has more rows than the tokenizer has tokens.
        if token in special or piece is None:
            continue
        if not groups or piece.startswith(_WORD_STARTS):
            groups.append(([], []))
        groups[-1][0].append(token)
        groups[-1][1].append(probability)
    words = [(tokenizer.decode(tokens).strip(), sum(each) / len(each)) for tokens, each in groups]
    return [(part, probability) for text, probability in words for part in text.split()]


def _spread(words: Sequence[str], end_sec: float) -> list[tuple[float, float]]:
    """Words laid end to end, each as long as its letters are many."""
    letters = np.concatenate([[0], np.cumsum([len(word) for word in words])]) if words else np.zeros(1)
    edges = letters / max(letters[-1], 1) * end_sec
    return [(float(start), float(end)) for start, end in zip(edges[:-1], edges[1:], strict=True)]


def _joined(items: Sequence[tuple[float, float]], counts: Sequence[int], end_sec: float) -> list[tuple[float, float]]:
    """One span per written word from the aligner's items, ``counts`` of which belong to each; a word without any stands where the one before ends."""
    spans, at, latest = [], 0, 0.0
    for count in counts:
        own = items[at : at + count]
        at += count
        start = min(max(latest, own[0][0]), end_sec) if own else latest
        latest = min(max(start, own[-1][1]), end_sec) if own else latest
        spans.append((start, latest))
    return spans
