"""Speaker similarity: how much a clip sounds like recordings of its target speaker, the cosine between speaker embeddings.

Source of the embedding: Chen et al., "WavLM: large-scale self-supervised pre-training for full stack speech processing" (2022), with the
x-vector head that Microsoft publishes (``microsoft/wavlm-base-plus-sv``), run by transformers' ``WavLMForXVector``. Its model card takes two
recordings with a cosine of 0.86 and more for one speaker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.batching import in_batches
from workbench.errors import AudioError, ConfigError, EngineError, Failure, WorkbenchError
from workbench.judges.base import Scores
from workbench.judges.preparing import checked_loudness, prepared
from workbench.judges.speaker_references import references_of, speaker_of
from workbench.weights import identity_of, resolve

if TYPE_CHECKING:
    from workbench.judges.speaker_network import Embedder

SAMPLE_RATE_HZ = 16000
#: The x-vector's statistics need at least two frames, 0.33 s; of less than half a second nobody can tell a speaker.
SHORTEST_SEC = 0.5
#: Attention grows with the square of a part's length.
LONGEST_SEC = 20.0
WEIGHTS = "wavlm-base-plus-sv"
DTYPES = ("float32", "bfloat16", "float16")
REVISION = 1
# Padded length of a batch. A CPU is busy with one clip already, and larger maps only leave its caches.
_MOST_BATCH_SEC = {"cpu": 16.0, "cuda": 160.0}


class SpeakerSimilarityJudge:
    """One score, ``speaker_similarity_cosine``, from -1 to 1.

    Args:
        reference: a recording of the target speaker, or a folder of recordings, whose embeddings are averaged.
        references: instead, for several speakers: speaker -> such a path, or a YAML file with that mapping. A clip's speaker is the nearest
            folder on its path that is so named.
        weights: a folder in the format of ``save_pretrained``; by default the set ``wavlm-base-plus-sv`` in the cache of weights.
        batch_size: clips of like length computed together; it changes no score by more than 1e-4 (in float32).
        dtype: float32 by default on every device, since half precision moves a cosine in the third decimal, also between batch sizes.
        loudness_lufs: judge a copy of clip and reference at this loudness; None takes them as they are.

    A clip longer than 20 s is cut into equal parts, whose embeddings are averaged by duration; a note says so. A clip peaking above 1.0 is
    judged on a copy normalised to 0.99. A clip that is empty, under 0.5 s, silent, not finite, or of a speaker without a reference gets a
    failure in place of a score.

    Raises:
        ConfigError: no reference, or an option is out of range.
    """

    name = "speaker_similarity"
    columns = ("speaker_similarity_cosine",)
    primary = "speaker_similarity_cosine"

    def __init__(
        self, *, reference: str | None = None, references: Mapping[str, str] | str | None = None, weights: str | None = None,
        batch_size: int = 16, dtype: str = "float32", loudness_lufs: float | None = None,
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError("batch_size of speaker_similarity must be a whole number", got=batch_size, expected="1 or more")
        if dtype not in DTYPES:
            raise ConfigError("dtype of speaker_similarity is not known", got=dtype, expected=" or ".join(DTYPES))
        self.recordings = references_of(reference, references)
        self.weights, self.batch_size, self.dtype = weights, batch_size, dtype
        self.loudness_lufs = checked_loudness(loudness_lufs, engine=self.name)
        self._embedder: Embedder | None = None
        self._targets: dict[str, np.ndarray] = {}

    def load(self, device: str = "cpu") -> None:
        """Load the network and embed the references.

        Raises:
            EngineUnavailableError: weights are missing.
            AudioError: a reference recording cannot be read or judged.
            EngineError: the weights are of another model, or the network is not on ``device``.
        """
        from workbench.judges.speaker_network import Embedder

        self._embedder = Embedder(resolve(WEIGHTS, local=self.weights), device=device, dtype=self.dtype, engine=self.name)
        try:
            self._targets = {speaker: self._target(paths) for speaker, paths in self.recordings.items()}
        except Exception:
            self.close()
            raise

    def score(self, clips: Sequence[Audio]) -> list[Scores]:
        """One ``Scores`` per clip, in order; what cannot be judged comes back as a failure, never as an exception.

        Raises:
            EngineError: the judge was not loaded.
        """
        if self._embedder is None:
            raise EngineError("speaker_similarity is not loaded", mend="call load() first")
        ready = [self._ready(clip) for clip in clips]
        whole = [found for found in ready if not isinstance(found, Failure)]
        embeddings = iter(self._embedded([samples for _, samples, _ in whole]))
        results = []
        for found in ready:
            if isinstance(found, Failure):
                results.append(Scores({}, failure=found))
                continue
            speaker, samples, notes = found
            embedding, parts = next(embeddings)
            if parts > 1:
                notes += (f"mean embedding of {parts} parts of {len(samples) / SAMPLE_RATE_HZ / parts:.1f} s",)
            results.append(self._compared(embedding, self._targets[speaker], notes))
        return results

    def close(self) -> None:
        """Free the network."""
        self._embedder, self._targets = None, {}

    def identity(self) -> dict[str, object]:
        """What a stored score depends on, the content of the references included; needs no weights to be present."""
        return {
            "engine": self.name,
            "weights": identity_of(WEIGHTS, local=self.weights),
            "references": {speaker: [_sha256(path) for path in paths] for speaker, paths in self.recordings.items()},
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "longest_sec": LONGEST_SEC,
            "loudness_lufs": self.loudness_lufs,
            "dtype": self.dtype,
            "revision": REVISION,
        }

    def _prepared(self, clip: Audio) -> tuple[np.ndarray, tuple[str, ...]]:
        return prepared(clip, sample_rate_hz=SAMPLE_RATE_HZ, shortest_sec=SHORTEST_SEC, loudness_lufs=self.loudness_lufs)

    def _ready(self, clip: Audio) -> tuple[str, np.ndarray, tuple[str, ...]] | Failure:
        try:
            return speaker_of(clip.path, self._targets), *self._prepared(clip)
        except Exception as error:  # noqa: BLE001  one clip's fault is data; the rest of the batch is still owed its scores
            return Failure.of(self.name, error)

    def _target(self, paths: Sequence) -> np.ndarray:
        samples = [self._prepared(audio_room.read(path))[0] for path in paths]
        mean = np.mean([embedding for embedding, _ in self._embedded(samples)], axis=0)
        if not np.isfinite(mean).all():
            raise AudioError("a reference recording has no embedding", where=paths[0], got="not finite", mend="give a longer recording")
        return _unit(mean)

    def _embedded(self, waves: Sequence[np.ndarray]) -> list[tuple[np.ndarray, int]]:
        """Unit embedding of each wave and of how many parts it is the mean."""
        parts = [(index, part) for index, wave in enumerate(waves) for part in _parts(wave)]
        embeddings = in_batches(
            [part for _, part in parts], self._embedder, lengths=[len(part) / SAMPLE_RATE_HZ for _, part in parts],
            most_items=self.batch_size, most_length=_MOST_BATCH_SEC.get(self._embedder.device.partition(":")[0]),
        )
        found = []
        for index in range(len(waves)):
            own = [(_unit(embedding), len(part)) for (owner, part), embedding in zip(parts, embeddings, strict=True) if owner == index]
            found.append((_unit(np.average([e for e, _ in own], axis=0, weights=[n for _, n in own])), len(own)))
        return found

    def _compared(self, embedding: np.ndarray, target: np.ndarray, notes: tuple[str, ...]) -> Scores:
        cosine = float(np.clip(embedding @ target, -1.0, 1.0))
        if np.isfinite(cosine):
            return Scores({self.columns[0]: cosine}, notes)
        error: WorkbenchError = EngineError("the network gave no embedding", where=self.name, got="not finite")
        return Scores({}, notes, Failure.of(self.name, error))


def _parts(wave: np.ndarray) -> list[np.ndarray]:
    return np.array_split(wave, max(1, -(-len(wave) // int(LONGEST_SEC * SAMPLE_RATE_HZ))))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"
