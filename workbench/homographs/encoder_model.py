"""Readings by a frozen encoder of Hugging Face: a logistic regression for each word over the encoder's vector of the word in its sentence.

The encoder is any folder that ``AutoModel`` loads; none comes with the workbench. The same interface as ``ReadingModel``.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError, TextError
from workbench.homographs.artefact import UNREADABLE, add_entry
from workbench.homographs.data import LabelledItem
from workbench.homographs.encoder import FrozenEncoder
from workbench.homographs.expected import THRESHOLD, Expected, Span, decide
from workbench.homographs.lexicon import Lexicon, lexicon
from workbench.homographs.occurrence import occurrence
from workbench.whole_files import write_whole

if TYPE_CHECKING:
    import numpy as np

KIND = "encoder"


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The regression of one word: ``weights`` shape (readings, features), ``bias`` shape (readings,); logits of a softmax."""

    readings: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray


class EncoderReadingModel:
    """Which reading a sentence asks for, by an encoder.

    Args:
        encoder: loaded, or loaded at the first prediction.
        heads: by word.
        scale: by what logits are multiplied to be calibrated.
        words: the homographs.
    """

    def __init__(
        self,
        encoder: FrozenEncoder,
        heads: dict[str, Head],
        *,
        scale: float,
        words: Lexicon | None = None,
        device: str = "cpu",
        provenance: dict[str, Any] | None = None,
    ) -> None:
        self.encoder, self.heads, self.scale, self.device = encoder, heads, scale, device
        self.words = words if words is not None else lexicon()
        self.provenance = provenance or {}

    def predict(self, items: Sequence[Span], *, threshold: float = THRESHOLD) -> list[Expected]:
        """As ``ReadingModel.predict``; a word without a head is not judged."""
        answers: list[Expected | None] = [self._without_encoder(item) for item in items]
        wanted = [k for k, answer in enumerate(answers) if answer is None]
        self.encoder.load(self.device)
        for k, vector in zip(wanted, self.encoder.vectors([items[k] for k in wanted]), strict=True):
            word = occurrence(*items[k]).word
            answers[k] = decide(word, [reading.name for reading in self.words[word]], self._probabilities(word, vector), threshold=threshold)
        return [answer for answer in answers if answer is not None]

    def _without_encoder(self, item: Span) -> Expected | None:
        """The answer where no vector is needed."""
        try:
            word = occurrence(*item).word
        except TextError as error:
            return Expected("", (), (), None, str(error))
        if word not in self.words:
            return Expected(word, (), (), None, f"no homograph that the lexicon knows: {word}")
        if word not in self.heads or not set(self.heads[word].readings) <= {reading.name for reading in self.words[word]}:
            return Expected(word, (), (), None, f"the model was not trained on {word}")
        return None

    def _probabilities(self, word: str, vector: np.ndarray) -> list[float]:
        import numpy as np

        head = self.heads[word]
        logits = self.scale * (head.weights @ vector + head.bias)
        shares = np.exp(logits - logits.max())
        found = dict(zip(head.readings, (shares / shares.sum()).tolist(), strict=True))
        return [found.get(reading.name, 0.0) for reading in self.words[word]]

    def save(self, path: Path) -> int:
        """Write the heads and where the encoder lies; the same model gives the same bytes. Returns the size in bytes."""
        import numpy as np

        about = {
            "kind": KIND,
            "encoder": str(self.encoder.folder.resolve()),
            "scale": self.scale,
            "readings": {word: head.readings for word, head in self.heads.items()},
            "provenance": self.provenance,
        }
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as file:
            add_entry(file, "about.json", json.dumps(about, ensure_ascii=False, indent=1).encode())
            for word, head in self.heads.items():
                buffer = io.BytesIO()
                np.save(buffer, np.c_[head.weights, head.bias].astype(np.float16), allow_pickle=False)
                add_entry(file, f"{word}.npy", buffer.getvalue())
        write_whole(path, whole.getvalue())
        return path.stat().st_size

    @classmethod
    def load(cls, path: str | Path, *, encoder: str | Path | None = None, words: Lexicon | None = None, device: str = "cpu") -> EncoderReadingModel:
        """The model in a file that ``save`` wrote.

        Args:
            encoder: folder of the encoder, where it is no longer where it was.

        Raises:
            ConfigError: the file cannot be read.
        """
        import numpy as np

        try:
            with zipfile.ZipFile(path) as file:
                about = json.loads(file.read("about.json"))
                heads = {}
                for word, readings in about["readings"].items():
                    both = np.load(io.BytesIO(file.read(f"{word}.npy")), allow_pickle=False).astype(np.float32)
                    heads[word] = Head(tuple(readings), both[:, :-1], both[:, -1])
            return cls(FrozenEncoder(encoder or about["encoder"]), heads, scale=about["scale"], words=words, device=device, provenance=about["provenance"])
        except UNREADABLE as error:
            raise ConfigError(f"model of readings cannot be read: {error}", where=path) from None


def train_encoder_model(
    items: Sequence[LabelledItem],
    encoder: str | Path,
    *,
    words: Lexicon | None = None,
    device: str = "cpu",
    c: float = 1.0,
    folds: int = 5,
    seed: int = 0,
    provenance: dict[str, Any] | None = None,
) -> EncoderReadingModel:
    """Fit the heads; the scale comes from answers to items that a fit did not see.

    Args:
        c: inverse strength of the regularisation.
        folds, seed: of the cross-validation.
        provenance: of the data, kept in the file.

    Raises:
        ConfigError, EngineError: see ``FrozenEncoder.load``.
    """
    from workbench.homographs.calibrating import fitted_scale, folds_of

    words = words if words is not None else lexicon()
    frozen = FrozenEncoder(encoder)
    frozen.load(device)
    vectors = frozen.vectors([(item.sentence, item.start_byte, item.end_byte) for item in items])
    logits = []
    for kept, held in folds_of(items, count=folds, seed=seed):
        heads = _fit_heads(items, vectors, kept, c, words)
        for k in held:
            head = heads.get(items[k].word)
            if head is not None and items[k].reading in head.readings:
                scores = head.weights @ vectors[k] + head.bias
                right = head.readings.index(items[k].reading)
                logits.append(float(scores[right] - max(score for at, score in enumerate(scores) if at != right)))
    heads = _fit_heads(items, vectors, range(len(items)), c, words)
    return EncoderReadingModel(frozen, heads, scale=fitted_scale(logits), words=words, device=device, provenance=provenance)


def _fit_heads(items: Sequence[LabelledItem], vectors: np.ndarray, chosen: Sequence[int], c: float, words: Lexicon) -> dict[str, Head]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows: dict[str, list[int]] = {}
    for k in chosen:
        rows.setdefault(items[k].word, []).append(k)
    heads = {}
    for word, numbers in rows.items():
        answers = [items[k].reading for k in numbers]
        readings = tuple(sorted(set(answers)))
        if len(readings) == 1:
            # One reading was seen: it is as sure as its number allows (Laplace's rule of succession), the others share the rest.
            every = tuple(reading.name for reading in words[word])
            bias = [math.log(len(numbers) + 1) if name == readings[0] else 0.0 for name in every]
            heads[word] = Head(every, np.zeros((len(every), vectors.shape[1]), np.float32), np.array(bias, np.float32))
            continue
        model = LogisticRegression(C=c, max_iter=1000).fit(vectors[numbers], answers)
        weights, bias = model.coef_, model.intercept_
        if len(readings) == 2:
            weights, bias = np.r_[-weights, weights] / 2, np.r_[-bias, bias] / 2
        heads[word] = Head(readings, weights.astype(np.float32), bias.astype(np.float32))
    return heads
