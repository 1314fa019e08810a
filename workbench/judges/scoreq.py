"""SCOREQ: mean opinion score of synthetic and of natural speech without a reference recording.

Source: Ragano, Skoglund, Hines, "SCOREQ: speech quality assessment with contrastive regression" (NeurIPS 2024). The networks are the ONNX
graphs that its authors publish (Zenodo record 15739280): a wav2vec 2.0 encoder, the mean over time and a linear layer, from samples
(batch, T) at 16 kHz to (batch, 1), T a multiple of 320. ``synthetic`` was adapted to the VoiceMOS 2022 ratings of TTS and voice conversion,
``natural`` to simulated telephone conditions.

Padding changes a score: the encoder normalises over time and the mean takes in what was padded. So every clip is padded by zeros to its own
next multiple of 320 samples, as its authors do, and only clips that then have the same length share a batch; the others run side by side. On
one core that is about as quick as the graph by itself: the graph is the whole of the work.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from workbench.audio import Audio
from workbench.batching import in_batches
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, Failure
from workbench.judges.base import Scores
from workbench.judges.preparing import checked_loudness, prepared
from workbench.weights import identity_of, resolve

SAMPLE_RATE_HZ = 16000
SHORTEST_SEC = 0.1
#: The longest segments on which the networks were evaluated.
LONGEST_SEC = 15.0
PAD_MULTIPLE_SAMPLES = 320
FILES = {"synthetic": "adapt_nr_synthetic.onnx", "natural": "adapt_nr_telephone.onnx"}
COLUMNS = {"synthetic": "scoreq_synthetic", "natural": "scoreq_natural"}
SCORES = {"both": ("synthetic", "natural"), "synthetic": ("synthetic",), "natural": ("natural",)}
REVISION = 1
# Rows of a batch times their length: the encoder's first map holds 512 channels at 3.2 kHz, 6.5 MB per second and row.
_MOST_BATCH_SEC = 60.0
_SAME = 1e-4
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class ScoreqJudge:
    """Scores of about 1 to 5 equal to those of the published graphs run one clip at a time, within 1e-6.

    Args:
        scores: ``both``, ``synthetic`` (primary wherever it is asked for) or ``natural``.
        weights: a folder with the graphs under their published names, or one graph when one score is asked for; by default the set
            ``scoreq`` in the cache of weights.
        batch_size: clips of equal length computed in one call; it changes no score.
        threads: clips computed side by side on a CPU, each on one thread; 1 suits a scan with several workers, 0 takes all cores.
        loudness_lufs: judge a copy at this loudness; None judges the clip as it is.

    A clip longer than 15 s is cut into equal parts of at most 15 s; its score is their mean and a note says so. A clip peaking above 1.0 is
    judged on a copy normalised to 0.99, which a note says. A clip that is empty, under 0.1 s, silent or not finite gets a failure in place
    of scores.

    Raises:
        ConfigError: an option is out of range.
    """

    name = "scoreq"

    def __init__(
        self, *, scores: str = "both", weights: str | None = None, batch_size: int = 16, threads: int = 1, loudness_lufs: float | None = None
    ) -> None:
        if scores not in SCORES:
            raise ConfigError("scores of scoreq are not known", got=scores, expected=" or ".join(SCORES))
        for option, value, least in (("batch_size", batch_size, 1), ("threads", threads, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"{option} of scoreq must be a whole number", got=value, expected=f"{least} or more")
        self.scores, self.weights, self.batch_size, self.threads = scores, weights, batch_size, threads
        self.loudness_lufs = checked_loudness(loudness_lufs, engine=self.name)
        self.columns = tuple(COLUMNS[kind] for kind in SCORES[scores])
        self.primary = self.columns[0]
        self._graphs: dict[str, _Graph] = {}

    def load(self, device: str = "cpu") -> None:
        """Start one session per graph, some seconds.

        Raises:
            EngineUnavailableError: weights or the runtime for ``device`` are missing.
            EngineError: a file is not such a graph, or its session is not on ``device``.
        """
        from workbench.guard import assert_on

        place = resolve("scoreq", local=self.weights)
        graphs = {kind: _Graph(self._file(place, kind), device) for kind in SCORES[self.scores]}
        for graph in graphs.values():
            assert_on(graph.session, device, engine=self.name)
        self._graphs = graphs
        # The sessions hold one thread each; a graphics card is one worker.
        self._workers = 1 if device != "cpu" else self.threads or os.cpu_count() or 1

    def score(self, clips: Sequence[Audio]) -> list[Scores]:
        """One ``Scores`` per clip, in order; what cannot be judged comes back as a failure, never as an exception.

        Raises:
            EngineError: the judge was not loaded, or a graph failed.
        """
        if not self._graphs:
            raise EngineError("scoreq is not loaded", mend="call load() first")
        ready = [self._prepared(clip) for clip in clips]
        parts = [(index, part) for index, found in enumerate(ready) if not isinstance(found, Failure) for part in _parts(found[0])]
        by_column = {COLUMNS[kind]: self._raw(graph, [part for _, part in parts]) for kind, graph in self._graphs.items()}
        results = []
        for index, found in enumerate(ready):
            if isinstance(found, Failure):
                results.append(Scores({}, failure=found))
                continue
            own = [position for position, (owner, _) in enumerate(parts) if owner == index]
            lengths = [len(parts[position][1]) for position in own]
            values = {column: float(np.average([raw[p] for p in own], weights=lengths)) for column, raw in by_column.items()}
            note = (f"mean over {len(own)} parts of {np.mean(lengths) / SAMPLE_RATE_HZ:.1f} s",) if len(own) > 1 else ()
            results.append(Scores(values, found[1] + note))
        return results

    def close(self) -> None:
        """Free the sessions."""
        self._graphs = {}

    def identity(self) -> dict[str, object]:
        """What a stored score depends on; needs no weights to be present."""
        return {
            "engine": self.name,
            "weights": identity_of("scoreq", local=self.weights),
            "scores": self.scores,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "longest_sec": LONGEST_SEC,
            "loudness_lufs": self.loudness_lufs,
            "dtype": "float32",
            "revision": REVISION,
        }

    def _file(self, place: Path, kind: str) -> Path:
        if place.is_file() and len(SCORES[self.scores]) == 1:
            return place
        path = place / FILES[kind]
        if not path.is_file():
            raise EngineUnavailableError(
                f"the {kind} graph of scoreq is not there", where=place, expected=FILES[kind], mend="workbench weights fetch scoreq"
            )
        return path

    def _prepared(self, clip: Audio) -> tuple[np.ndarray, tuple[str, ...]] | Failure:
        try:
            return prepared(clip, sample_rate_hz=SAMPLE_RATE_HZ, shortest_sec=SHORTEST_SEC, loudness_lufs=self.loudness_lufs)
        except Exception as error:  # noqa: BLE001  one clip's fault is data; the rest of the batch is still owed its scores
            return Failure.of(self.name, error)

    def _raw(self, graph: _Graph, waves: Sequence[np.ndarray]) -> list[float]:
        """One score per wave, in order."""
        padded = [np.pad(wave, (0, -len(wave) % PAD_MULTIPLE_SAMPLES)) for wave in waves]
        scores = [0.0] * len(padded)

        def run(group: list[int]) -> None:
            lengths = [len(padded[i]) / SAMPLE_RATE_HZ for i in group]
            rows = [padded[i] for i in group]
            found = in_batches(rows, graph.scores, lengths=lengths, most_items=self.batch_size, most_length=_MOST_BATCH_SEC)
            for i, score in zip(group, found, strict=True):
                scores[i] = score

        groups = _equal_lengths(padded, most=-(-len(padded) // self._workers) if graph.takes_batches else 1)
        if self._workers == 1:
            for group in groups:
                run(group)
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                list(pool.map(run, groups))
        return scores


def _equal_lengths(waves: Sequence[np.ndarray], *, most: int) -> list[list[int]]:
    """Indices of waves of one length, at most ``most`` together; the longest first, so that no worker starts the longest last."""
    by_length: dict[int, list[int]] = {}
    for index, wave in enumerate(waves):
        by_length.setdefault(len(wave), []).append(index)
    return [group[k : k + most] for _, group in sorted(by_length.items(), reverse=True) for k in range(0, len(group), most)]


def _parts(wave: np.ndarray) -> list[np.ndarray]:
    return np.array_split(wave, max(1, -(-len(wave) // int(LONGEST_SEC * SAMPLE_RATE_HZ))))


class _Graph:
    """A session and whether its batch axis may be used."""

    def __init__(self, path: Path, device: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise EngineUnavailableError("onnxruntime is not installed", mend="pip install onnxruntime==1.32.0") from error
        provider = _PROVIDERS.get(device.partition(":")[0])
        if provider not in onnxruntime.get_available_providers():
            mend = "pip install onnxruntime-gpu==1.31.1 in place of onnxruntime, or give it device cpu"
            raise EngineUnavailableError("scoreq cannot run on this device here", got=device, expected=f"a runtime with {provider}", mend=mend)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        where = {}
        if provider == _PROVIDERS["cuda"]:
            onnxruntime.preload_dlls()  # torch's own CUDA libraries, also where torch is not imported yet
            # TF32 moves a score in the third decimal; the exhaustive search, the default, runs again for every new length and may choose otherwise each time.
            where = {"device_id": device.partition(":")[2] or "0", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
        try:
            self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=[(provider, where)])
        except Exception as error:  # noqa: BLE001  onnxruntime has an exception class per fault, none public
            raise EngineError("not an ONNX graph", where=path, got=str(error).splitlines()[0], expected="a SCOREQ graph") from error
        inputs = self.session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 2:
            raise EngineError("not a SCOREQ graph", where=path, got=[i.shape for i in inputs], expected="one input (batch, samples)")
        self._input, self._path = inputs[0].name, path
        self.takes_batches = not isinstance(inputs[0].shape[0], int) and self._rows_are_independent()

    def scores(self, waves: Sequence[np.ndarray]) -> list[float]:
        """One score per wave; all of the same length."""
        found = np.asarray(self.session.run(None, {self._input: np.stack(waves)})[0]).reshape(len(waves), -1)
        if found.shape[1] != 1 or not np.isfinite(found).all():
            raise EngineError("a SCOREQ graph gave no scores", where=self._path, got=found[:4].tolist(), expected="one number per clip")
        return found[:, 0].tolist()

    def _rows_are_independent(self) -> bool:
        """An exported graph may declare a batch axis and yet mix its rows or refuse them: two different clips together, then each alone."""
        noise = np.random.default_rng(0).standard_normal((2, 25 * PAD_MULTIPLE_SAMPLES), np.float32) * np.float32([[0.05], [0.2]])
        try:
            together = self.scores(list(noise))
        except Exception:  # noqa: BLE001  whatever it refuses them with
            return False
        return bool(np.allclose(together, [self.scores([row])[0] for row in noise], rtol=0, atol=_SAME))
