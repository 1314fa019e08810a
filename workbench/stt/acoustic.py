"""The acoustic model that pocketsphinx ships, read with numpy: how well each HMM state (senone) explains each frame.

pocketsphinx tells only what its search kept. Weighing the words of a text against what was heard needs the likelihood of *given* words, in
milliseconds and without
pruning, so the model's own files are read here (formats: CMU Sphinx-3 parameter files, ``bin_mdef`` and ``sendump``) and the phonetically
tied mixtures are evaluated in full.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

FRAMES_PER_SEC = 100
#: A mixture weight is stored as one byte v and means exp(-v * 1024 * ln 1.0001).
_WEIGHT_STEP_NATS = 1024 * np.log(1.0001)
_VARIANCE_FLOOR = 1e-4
_WORD_POSITIONS = {"internal": 0, "begin": 1, "end": 2, "single": 3}


@dataclass(frozen=True, eq=False)
class AcousticModel:
    """Phones, triphones, tied states, Gaussians and transitions of one model.

    Attributes:
        phones: names of the P context-independent phones.
        triphones: shape (4, P, P, P), index of the triphone at (word position, base, left, right), -1 where the model has none.
        state_sequence: shape (n_phones, 3), senones of each (tri)phone.
        transition_of: shape (n_phones,), row of ``transitions`` for each (tri)phone.
        transitions: shape (n, 3, 4), log probabilities.
        codebook_of: shape (S,), the codebook (= phone) of each senone.
        gaussians: per stream matrices (P, 26, 128) over [x * x, x] and constants (P, 128).
        weights: shape (3, 128, S), mixture weights.
    """

    phones: tuple[str, ...]
    triphones: np.ndarray
    state_sequence: np.ndarray
    transition_of: np.ndarray
    transitions: np.ndarray
    codebook_of: np.ndarray
    gaussians: tuple[tuple[np.ndarray, np.ndarray], ...]
    weights: np.ndarray

    @cached_property
    def phone_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.phones)}

    @cached_property
    def senones_of_codebook(self) -> tuple[np.ndarray, ...]:
        return tuple(np.flatnonzero(self.codebook_of == book) for book in range(len(self.phones)))

    @cached_property
    def codebook_weights(self) -> tuple[np.ndarray, ...]:
        """Per codebook: (3, 128, senones of the codebook)."""
        return tuple(np.ascontiguousarray(self.weights[:, :, senones]) for senones in self.senones_of_codebook)

    @cached_property
    def place_in_codebook(self) -> np.ndarray:
        place = np.zeros(len(self.codebook_of), dtype=np.int64)
        for senones in self.senones_of_codebook:
            place[senones] = np.arange(len(senones))
        return place

    def phone_id(self, base: int, left: int, right: int, *, position: str) -> int:
        """The triphone nearest to the one asked for: the same place in the word, then any place, then the phone without context."""
        asked = _WORD_POSITIONS[position]
        for place in (asked, *(p for p in range(4) if p != asked)):
            found = self.triphones[place, base, left, right]
            if found >= 0:
                return int(found)
        return base


def load_model(folder: Path) -> AcousticModel:
    """Read ``mdef``, ``means``, ``variances``, ``sendump`` and ``transition_matrices`` of a phonetically tied three-stream model."""
    phones, triphones, state_sequence, transition_of, codebook_of = _read_mdef((folder / "mdef").read_bytes())
    means = _read_gaussian((folder / "means").read_bytes())
    variances = _read_gaussian((folder / "variances").read_bytes())
    return AcousticModel(
        phones=phones,
        triphones=triphones,
        state_sequence=state_sequence,
        transition_of=transition_of,
        transitions=_read_transitions((folder / "transition_matrices").read_bytes()),
        codebook_of=codebook_of,
        gaussians=tuple(_linear_form(means[:, stream], variances[:, stream]) for stream in range(means.shape[1])),
        weights=_read_weights(
            (folder / "sendump").read_bytes(), streams=means.shape[1], densities=means.shape[2], senones=len(codebook_of)
        ),
    )


def _read_mdef(content: bytes):
    header_length = struct.unpack_from("<i", content, 8)[0]
    at = 12 + header_length
    n_ci, n_phone, n_state, _, n_senone, _, n_sequence, _, n_tree, _ = struct.unpack_from("<10i", content, at)
    names_at = at + 40
    names, end = [], names_at
    for _ in range(n_ci):
        stop = content.index(b"\0", end)
        names.append(content[end:stop].decode("ascii"))
        end = stop + 1
    end = names_at + ((end - names_at + 3) & ~3) + 8 * n_tree
    entries = np.frombuffer(content, dtype=np.dtype([("ssid", "<i4"), ("tmat", "<i4"), ("ctx", "u1", 4)]), count=n_phone, offset=end)
    end += 12 * n_phone + 4
    sequences = np.frombuffer(content, dtype="<u2", count=n_sequence * n_state, offset=end).reshape(n_sequence, n_state).astype(np.int64)
    triphones = np.full((4, n_ci, n_ci, n_ci), -1, dtype=np.int32)
    place, base, left, right = (entries["ctx"][n_ci:, k] for k in range(4))
    triphones[place, base, left, right] = np.arange(n_ci, n_phone)
    state_sequence = sequences[entries["ssid"]]
    codebook_of = np.zeros(n_senone, dtype=np.int64)
    codebook_of[state_sequence[n_ci:].ravel()] = np.repeat(base, n_state)
    codebook_of[state_sequence[:n_ci].ravel()] = np.repeat(np.arange(n_ci), n_state)
    return tuple(names), triphones, state_sequence, entries["tmat"].astype(np.int64), codebook_of


def _body(content: bytes) -> int:
    """Offset of the first number after a Sphinx-3 text header and its byte-order mark."""
    return content.index(b"endhdr\n") + len(b"endhdr\n") + 4


def _read_gaussian(content: bytes) -> np.ndarray:
    """Shape (codebooks, streams, densities, 13)."""
    at = _body(content)
    books, streams, densities = struct.unpack_from("<3i", content, at)
    lengths = struct.unpack_from(f"<{streams}i", content, at + 12)
    values = np.frombuffer(content, dtype="<f4", offset=at + 12 + 4 * streams + 4, count=books * densities * sum(lengths))
    return values.reshape(books, streams, densities, lengths[0])


def _read_transitions(content: bytes) -> np.ndarray:
    at = _body(content)
    count, rows, columns = struct.unpack_from("<3i", content, at)
    values = np.frombuffer(content, dtype="<f4", offset=at + 16, count=count * rows * columns)
    values = values.reshape(count, rows, columns).astype(np.float64)
    with np.errstate(divide="ignore"):
        return np.log(values / values.sum(axis=2, keepdims=True))


def _read_weights(content: bytes, *, streams: int, densities: int, senones: int) -> np.ndarray:
    # The text header's length varies; the table is the rest of the file.
    table = np.frombuffer(content, dtype=np.uint8, offset=len(content) - streams * densities * senones)
    return np.exp(-_WEIGHT_STEP_NATS * table.reshape(streams, densities, senones)).astype(np.float32)


def _linear_form(means: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log N(x; m, v) as [x * x, x] @ matrix + constant."""
    precision = 1.0 / np.maximum(variances.astype(np.float64), _VARIANCE_FLOOR)
    matrix = np.concatenate([-0.5 * precision, means * precision], axis=2).transpose(0, 2, 1)
    constant = -0.5 * (np.log(2 * np.pi / precision) + means * means * precision).sum(axis=2)
    return np.ascontiguousarray(matrix, dtype=np.float32), constant.astype(np.float32)


def features(cepstra: np.ndarray) -> np.ndarray:
    """Cepstra (T, 13) with the mean taken away, their slopes and curvatures: shape (3, T, 13) (the model's ``1s_c_d_dd``)."""
    audible = cepstra[cepstra[:, 0] >= 0]
    level = cepstra - (audible if len(audible) else cepstra).mean(axis=0)
    wide = np.pad(level, ((3, 3), (0, 0)), mode="edge")
    count = len(level)

    def at(shift: int) -> np.ndarray:
        return wide[3 + shift : 3 + shift + count]

    return np.stack([level, at(2) - at(-2), (at(3) - at(-1)) - (at(1) - at(-3))]).astype(np.float32)


class FrameScores:
    """log p(frame | senone) of one stretch of audio, codebook by codebook as they are asked for."""

    def __init__(self, model: AcousticModel, window: np.ndarray) -> None:
        """``window``: features of shape (3, T, 13)."""
        self.model, self.frames = model, window.shape[1]
        self._inputs = [np.concatenate([stream * stream, stream], axis=1) for stream in window]
        self._parent: tuple[FrameScores, slice] | None = None
        self._books: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def window(self, first: int, last: int) -> FrameScores:
        """Frames ``first:last`` of the same audio; densities are computed once for all windows."""
        part = FrameScores(self.model, np.zeros((0, last - first, 0), dtype=np.float32))
        part.frames, part._parent = last - first, (self, slice(first, last))
        return part

    def of(self, senones: np.ndarray, *, every: int = 1) -> np.ndarray:
        """Shape (T, len(senones)), float32, nats; with ``every`` of one frame in so many."""
        result = np.zeros((len(range(0, self.frames, every)), len(senones)), dtype=np.float32)
        books = self.model.codebook_of[senones]
        for book in np.unique(books):
            chosen = np.flatnonzero(books == book)
            columns = self.model.place_in_codebook[senones[chosen]]
            for stream, (density, peak) in enumerate(self._book(int(book))):
                mixed = density[::every] @ self.model.codebook_weights[book][stream][:, columns]
                result[:, chosen] += np.log(np.maximum(mixed, 1e-30)) + peak[::every]
        return result

    def densities(self, book: int, stream: int) -> np.ndarray:
        """Shape (T, 128): how well each Gaussian of a codebook explains each frame, over the best of them."""
        return self._book(book)[stream][0]

    def _book(self, book: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per stream: densities (T, 128) over their largest, and the log of that (T, 1)."""
        if book not in self._books and self._parent is not None:
            whole, frames = self._parent
            self._books[book] = [(density[frames], peak[frames]) for density, peak in whole._book(book)]
        if book not in self._books:
            streams = []
            for inputs, (matrix, constant) in zip(self._inputs, self.model.gaussians, strict=True):
                log_density = inputs @ matrix[book] + constant[book]
                peak = log_density.max(axis=1, keepdims=True)
                streams.append((np.exp(log_density - peak), peak))
            self._books[book] = streams
        return self._books[book]
