"""The pairs of words that the language model of pocketsphinx has seen side by side, read from its own file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import EngineError
from workbench.text.lexicon import model_folder

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"Trie Language Model"
#: Probability and back-off weight of a pair, as codes of 16 bits each.
_CODE_BITS = 32
_CODE_TABLE_BYTES = 4 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Bigrams:
    """Pairs of neighbours.

    Attributes:
        words: the vocabulary.
        log_probabilities: of each word alone, nats.
        left, right: numbers of the words of each pair.
        information: pointwise mutual information of each pair, nats.
    """

    words: tuple[str, ...]
    log_probabilities: np.ndarray
    left: np.ndarray
    right: np.ndarray
    information: np.ndarray


def read_bigrams(path: Path | None = None) -> Bigrams:
    """The pairs of a trigram model in Sphinx's binary format, by default of the one that pocketsphinx ships; about ten seconds.

    (The library can look up a pair but not list them, and its own export breaks off.)

    Raises:
        EngineUnavailableError: pocketsphinx is not installed.
        EngineError: another format.
    """
    import numpy as np
    from pocketsphinx import Config, LogMath, NGramModel

    path = path or model_folder() / "en-us.lm.bin"
    words, left, right = read_pairs(path)
    math = LogMath()
    model = NGramModel(Config(hmm=None, lm=None, dict=None), math, str(path))
    single = np.array([math.log_to_ln(model.prob([word])) for word in words])
    following = np.array([math.log_to_ln(model.prob([words[b], words[a]])) for a, b in zip(left.tolist(), right.tolist(), strict=True)])
    return Bigrams(words, single, left, right, following - single[right])


def read_pairs(path: Path | None = None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Words, and each pair as the number of its first and of its second word.

    The file: magic, order, counts, code tables; one record per word with the place of its first pair; pairs as bit fields (first word, codes, place of its
    first triple), grouped by their second word; triples; the words, each ended by a zero byte.
    """
    import numpy as np

    path = path or model_folder() / "en-us.lm.bin"
    data = path.read_bytes()
    try:
        order, at = data[len(_MAGIC)], len(_MAGIC) + 1
        counts = struct.unpack_from(f"<{order}I", data, at)
        at += 4 * order + 4 + _CODE_TABLE_BYTES * (2 * (order - 2) + 1)
        singles = np.frombuffer(data, np.dtype([("probability", "<f4"), ("back_off", "<f4"), ("first", "<u4")]), counts[0] + 1, at)
        at += singles.nbytes
        word_bits = counts[0].bit_length()
        width = word_bits + _CODE_BITS + counts[2].bit_length()
        fields = np.frombuffer(data, np.uint8, _field_bytes(counts[1], width), at)
        at += fields.nbytes + _field_bytes(counts[2], word_bits + _CODE_BITS // 2)
        (length,) = struct.unpack_from("<I", data, at)
        words = tuple(word.decode("utf-8") for word in data[at + 4 : at + 4 + length].split(b"\0")[:-1])
    except (struct.error, ValueError, IndexError) as error:
        raise EngineError(f"not a language model of Sphinx: {error}", where=path) from None
    starts = singles["first"].astype(np.int64)
    if not data.startswith(_MAGIC) or order != 3 or len(words) != counts[0] or starts[-1] > counts[1] or (np.diff(starts) < 0).any():
        raise EngineError("not a trigram model in Sphinx's binary format", where=path, got=f"order {order}, counts {counts}")
    bit = np.arange(starts[-1], dtype=np.int64) * width
    window = sum(fields[(bit >> 3) + k].astype(np.int64) << (8 * k) for k in range(4))
    return words, (window >> (bit & 7)) & ((1 << word_bits) - 1), np.repeat(np.arange(counts[0]), np.diff(starts))


def _field_bytes(count: int, width: int) -> int:
    """Bytes of so many bit fields, with room for one more and for reading eight bytes at once."""
    return ((1 + count) * width + 7) // 8 + 8
