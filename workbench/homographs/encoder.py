"""A frozen encoder of Hugging Face: the vector of a word in its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.batching import in_batches
from workbench.errors import ConfigError, TextError
from workbench.homographs.expected import Span
from workbench.homographs.occurrence import character_span, sentence_span
from workbench.stt.neural import cannot_load, check_device

if TYPE_CHECKING:
    import numpy as np

_NAME = "encoder"
#: Characters to either side of the word that the encoder sees at most.
_CONTEXT_CHARACTERS = 400
#: Some encoders keep their first positions for padding.
_POSITIONS_KEPT = 2


class FrozenEncoder:
    """Vectors of words in sentences.

    Args:
        folder: what ``AutoModel`` and ``AutoTokenizer`` load, from disk alone.
        batch_size: sentences in a batch at most; changes no result.
    """

    def __init__(self, folder: str | Path, *, batch_size: int = 32) -> None:
        self.folder, self.batch_size = Path(folder), batch_size
        self._model: Any = None
        self._tokenizer: Any = None

    def load(self, device: str = "cpu") -> None:
        """
        Raises:
            ConfigError: no such folder.
            EngineUnavailableError: no such device.
            EngineError: transformers cannot load it, or its tokenizer tells no offsets.
        """
        if self._model is not None:
            return
        if not self.folder.is_dir():
            raise ConfigError("no folder of an encoder", where=self.folder, mend="give the folder that save_pretrained wrote")
        check_device(_NAME, device)
        from transformers import AutoModel, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)
            tokenizer("word", return_offsets_mapping=True)
            model = AutoModel.from_pretrained(str(self.folder), local_files_only=True).to(device).eval()
        except Exception as error:  # noqa: BLE001 - whatever the folder makes transformers throw
            raise cannot_load(_NAME, self.folder, error) from error
        self._model, self._tokenizer = model, tokenizer

    def vectors(self, items: Sequence[Span]) -> np.ndarray:
        """Shape (N, 2 x hidden size), float32: the mean over the word's pieces in the last layer, and in the middle one.

        Raises:
            TextError: a span that is no word, or that the tokenizer has no piece for.
        """
        import numpy as np

        texts = [self._fitting(*item) for item in items]
        if not texts:
            return np.zeros((0, 2 * self._model.config.hidden_size), np.float32)
        return np.stack(in_batches(texts, self._encode, lengths=[float(len(text)) for text, _, _ in texts], most_items=self.batch_size))

    def close(self) -> None:
        """Free the model."""
        self._model = self._tokenizer = None

    def _fitting(self, sentence: str, start_byte: int, end_byte: int) -> tuple[str, int, int]:
        """The widest window around the word that the encoder takes whole; the narrowest is the word alone."""
        most = min(self._tokenizer.model_max_length, self._model.config.max_position_embeddings - _POSITIONS_KEPT)
        context = _CONTEXT_CHARACTERS
        window = _window(sentence, start_byte, end_byte, context)
        while context and len(self._tokenizer(window[0])["input_ids"]) > most:
            context //= 2
            window = _window(sentence, start_byte, end_byte, context)
        return window

    def _encode(self, batch: list[tuple[str, int, int]]) -> list[np.ndarray]:
        import torch

        encoded = self._tokenizer([text for text, _, _ in batch], return_offsets_mapping=True, return_tensors="pt", padding=True)
        offsets = encoded.pop("offset_mapping").tolist()
        parameter = next(self._model.parameters())
        with torch.inference_mode():
            layers = self._model(**encoded.to(parameter.device), output_hidden_states=True).hidden_states
        found = []
        for row, (text, start, end) in enumerate(batch):
            pieces = [k for k, (first, last) in enumerate(offsets[row]) if first < end and last > start]
            if not pieces:
                raise TextError("the encoder's tokenizer has no piece for the word", where=text, got=text[start:end])
            found.append(torch.cat([layer[row, pieces].float().mean(dim=0) for layer in (layers[-1], layers[len(layers) // 2])]).cpu().numpy())
        return found


def _window(sentence: str, start_byte: int, end_byte: int, context: int) -> tuple[str, int, int]:
    """The sentence, at most ``context`` characters to either side of the word, and the word's character offsets in it."""
    start, end = character_span(sentence, start_byte, end_byte)
    first, last = sentence_span(sentence, start, end)
    first, last = max(first, start - context), min(last, end + context)
    return sentence[first:last], start - first, end - first
