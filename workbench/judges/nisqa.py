"""NISQA: speech quality in five dimensions (v2.0), and the naturalness of synthetic speech (TTS v1.0), both without a reference recording.

Sources and definition: see ``nisqa_network`` and ``nisqa_mels``. On the same weights the five dimensions equal those of torchmetrics'
``non_intrusive_speech_quality_assessment`` within 1e-3; measured differences are under 1e-5.

The scores depend on the sample rate: a 20 ms window holds more samples at a higher rate, and so every band is louder. The published
networks never resample; full-band speech, on which v2.0 was trained, comes at 48 kHz. So every clip is brought to 48 kHz, whatever its own
rate, and the rate is part of the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.audio import Audio
from workbench.batching import in_batches
from workbench.errors import ConfigError, EngineError, Failure
from workbench.judges.base import Scores
from workbench.judges.preparing import checked_loudness, prepared
from workbench.weights import identity_of, resolve

if TYPE_CHECKING:
    from workbench.judges.nisqa_mels import MelSettings
    from workbench.judges.nisqa_network import Network

SAMPLE_RATE_HZ = 48000
#: Fifteen frames, one segment; the reference refuses less, too.
SHORTEST_SEC = 0.14
QUALITY_COLUMNS = ("nisqa_mos", "nisqa_noisiness", "nisqa_discontinuity", "nisqa_coloration", "nisqa_loudness")
TTS_COLUMN = "nisqa_tts"
#: What ``scores`` may be -> which weights it takes.
SETS = {"both": ("nisqa", "nisqa-tts"), "quality": ("nisqa",), "tts": ("nisqa-tts",)}
REVISION = 1
# The padded length of a batch: 16 clips of 15 s; memory stays under a gigabyte.
_MOST_BATCH_SEC = 240.0


class NisqaJudge:
    """Scores 1 to 5 by NISQA v2.0 (five columns) and NISQA-TTS (``nisqa_tts``, the primary score where it is asked for).

    Args:
        scores: ``both``, ``quality`` (v2.0 only; then ``nisqa_mos`` is primary) or ``tts``.
        weights: path of ``nisqa.tar``; by default the set ``nisqa`` in the cache of weights.
        tts_weights: path of ``nisqa_tts.tar``; by default the set ``nisqa-tts``.
        batch_size: clips, or parts of long clips, computed together; it changes no score.
        loudness_lufs: judge a copy at this loudness; None judges the clip as it is, like the reference. It flattens ``nisqa_loudness``.

    A clip longer than the network takes (52 s for v2.0, 60 s for TTS) is cut into equal parts; the score is their mean, weighted by
    duration, and a note says so. A clip peaking above 1.0 is judged on a copy normalised to 0.99, which a note says. A clip that is empty,
    under 0.14 s, silent or not finite gets a failure in place of scores.

    The networks have 0.2 M parameters and compute in float32 on every device: lower precision saves nothing and costs the second decimal.

    Raises:
        ConfigError: an option is out of range.
    """

    name = "nisqa"

    def __init__(
        self, *, scores: str = "both", weights: str | None = None, tts_weights: str | None = None, batch_size: int = 16,
        loudness_lufs: float | None = None,
    ) -> None:
        if scores not in SETS:
            raise ConfigError("scores of nisqa are not known", got=scores, expected=" or ".join(SETS))
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError("batch_size of nisqa must be a whole number", got=batch_size, expected="1 or more")
        self.scores, self.batch_size = scores, batch_size
        self.loudness_lufs = checked_loudness(loudness_lufs, engine=self.name)
        self.columns = (QUALITY_COLUMNS if "nisqa" in SETS[scores] else ()) + ((TTS_COLUMN,) if "nisqa-tts" in SETS[scores] else ())
        self.primary = TTS_COLUMN if TTS_COLUMN in self.columns else "nisqa_mos"
        self._local = {"nisqa": weights, "nisqa-tts": tts_weights}
        self._device = "cpu"
        self._models: dict[str, tuple[MelSettings, Network]] = {}

    def load(self, device: str = "cpu") -> None:
        """Read the weights, well under a second.

        Raises:
            EngineUnavailableError: weights are missing; says where and how to fetch them.
            EngineError: a file holds something else than the expected NISQA weights, or the networks are not on ``device``.
        """
        from workbench.guard import assert_on

        models = {name: _loaded(name, resolve(name, local=self._local[name]), device) for name in SETS[self.scores]}
        for _, network in models.values():
            assert_on(network, device, engine=self.name)
        self._device, self._models = device, models

    def score(self, clips: Sequence[Audio]) -> list[Scores]:
        """One ``Scores`` per clip, in order; what cannot be judged comes back as a failure, never as an exception.

        Raises:
            EngineError: the judge was not loaded.
        """
        if not self._models:
            raise EngineError("nisqa is not loaded", mend="call load() first")
        ready = [self._prepared(clip) for clip in clips]
        waves = {index: found[0] for index, found in enumerate(ready) if not isinstance(found, Failure)}
        values: dict[int, dict[str, float]] = {index: {} for index in waves}
        notes: dict[int, tuple[str, ...]] = {index: ready[index][1] for index in waves}
        for name in SETS[self.scores]:
            columns = QUALITY_COLUMNS if name == "nisqa" else (TTS_COLUMN,)
            for index, (scores, parts) in self._by_network(name, waves).items():
                values[index] |= dict(zip(columns, map(float, scores), strict=True))
                if parts > 1:
                    notes[index] += (f"{columns[0]}: mean over {parts} parts of {len(waves[index]) / SAMPLE_RATE_HZ / parts:.1f} s",)
        return [Scores({}, failure=found) if isinstance(found, Failure) else Scores(values[i], notes[i]) for i, found in enumerate(ready)]

    def close(self) -> None:
        """Free the networks."""
        self._models = {}

    def identity(self) -> dict[str, object]:
        """What a stored score depends on; needs no weights to be present."""
        return {
            "engine": self.name,
            "weights": [identity_of(name, local=self._local[name]) for name in SETS[self.scores]],
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "loudness_lufs": self.loudness_lufs,
            "dtype": "float32",
            "revision": REVISION,
        }

    def _prepared(self, clip: Audio) -> tuple[np.ndarray, tuple[str, ...]] | Failure:
        try:
            return prepared(clip, sample_rate_hz=SAMPLE_RATE_HZ, shortest_sec=SHORTEST_SEC, loudness_lufs=self.loudness_lufs)
        except Exception as error:  # noqa: BLE001  one clip's fault is data; the rest of the batch is still owed its scores
            return Failure.of(self.name, error)

    def _by_network(self, name: str, waves: dict[int, np.ndarray]) -> dict[int, tuple[np.ndarray, int]]:
        """Index of a clip -> its scores by one network, and over how many parts they are the mean."""
        settings = self._models[name][0]
        parts = [(index, part) for index, wave in waves.items() for part in _parts(wave, settings)]
        scores = in_batches(
            [part for _, part in parts],
            lambda batch: self._computed(name, batch),
            lengths=[len(part) / SAMPLE_RATE_HZ for _, part in parts],
            most_items=self.batch_size,
            most_length=_MOST_BATCH_SEC,
        )
        found: dict[int, tuple[np.ndarray, int]] = {}
        for index in waves:
            own = [(score, len(part)) for (owner, part), score in zip(parts, scores, strict=True) if owner == index]
            found[index] = (np.average([s for s, _ in own], axis=0, weights=[n for _, n in own]), len(own))
        return found

    def _computed(self, name: str, waves: list[np.ndarray]) -> list[np.ndarray]:
        import torch

        from workbench.judges.nisqa_mels import mels_of

        settings, network = self._models[name]
        # Reduced precision of convolutions, cuDNN's default, would move a score in the third decimal.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            mels = mels_of(waves, settings, sample_rate_hz=SAMPLE_RATE_HZ, device=self._device)
            return list(network(mels).double().cpu().numpy())


def _parts(wave: np.ndarray, settings: MelSettings) -> list[np.ndarray]:
    """A clip in as few equal parts as the network takes; the clip itself when it is short enough."""
    segments = settings.segment_count(len(wave), SAMPLE_RATE_HZ)
    return np.array_split(wave, max(1, -(-segments // settings.most_segments)))


def _loaded(name: str, path: Path, device: str) -> tuple[MelSettings, Network]:
    import torch

    from workbench.judges.nisqa_mels import MelSettings
    from workbench.judges.nisqa_network import Network

    expected = f"{'nisqa.tar' if name == 'nisqa' else 'nisqa_tts.tar'} of gabrielmittag/NISQA"
    try:
        checkpoint: Any = torch.load(path, map_location="cpu", weights_only=True)
        args, state = checkpoint["args"], checkpoint["model_state_dict"]
    except Exception as error:  # noqa: BLE001  torch raises whatever its unpickler meets
        raise EngineError("not a NISQA checkpoint", where=path, got=str(error).splitlines()[0], expected=expected) from error
    network = Network(args, state, where=path)
    if network.outputs != (len(QUALITY_COLUMNS) if name == "nisqa" else 1):
        raise EngineError("NISQA weights of another kind", where=path, got=f"{network.outputs} scores per clip", expected=expected)
    return MelSettings.of(args, where=path), network.to(device)
