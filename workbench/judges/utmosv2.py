"""UTMOSv2: naturalness of synthetic speech as a mean opinion score, in an environment of its own.

Source: Baba, Nakata, Saito, Saruwatari, "The T05 system for the VoiceMOS Challenge 2024: transfer learning from deep image classifier to
naturalness MOS prediction of high-quality synthetic speech" (IEEE SLT 2024). What runs over there is ``isolated/child/utmosv2_judge.py``.
"""

from __future__ import annotations

from typing import Any

from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.errors import ConfigError
from workbench.isolated import IsolatedJudge
from workbench.judges.preparing import NORMALISED_PEAK, checked_loudness, prepared
from workbench.weights import identity_of, resolve
from workbench.weights.sets.isolated import UTMOSV2_FOLDS

SHORTEST_SEC = 0.1
#: The package's search for silent stretches counts every sample under this as silent, and fails where nothing is left.
SILENT_UNDER = 0.1
#: Listening tests that a score may imitate; the package's default, of the authors' own laboratory, is what its users compare.
DATASETS = (
    "sarulab", "bvcc", "somos", "blizzard2008", "blizzard2009", "blizzard2010-EH1", "blizzard2010-EH2", "blizzard2010-ES1",
    "blizzard2010-ES3", "blizzard2011",
)  # fmt: skip
DTYPES = ("auto", "float32", "float16")
REVISION = 1


class Utmosv2Judge(IsolatedJudge):
    """Scores about 1 to 5 in the column ``utmosv2_mos``, each equal to the package's ``predict`` for that clip alone with numpy's
    generator seeded before it.

    The network listens to stretches of 3 s and 1.4 s drawn at random. Here each clip is drawn from the same seed, so its score depends
    neither on the batch nor on the run. ``repetitions`` averages over several draws, at as many times the cost.

    Args:
        weights: path of a checkpoint (``fold0_s42_best_model.pth``); by default the set ``utmosv2-foldN`` of ``fold`` in the cache of
        weights.
        fold: which of the five published checkpoints.
        seed, repetitions: of the random stretches.
        remove_silent_section: leave out silence longer than 0.3 s first. The package's option of that name takes no effect in version
            1.3.1 (``predict`` takes it back before the clips are read), so that False is what its users get.
        dataset: the listening test whose scale the score imitates.
        dtype: ``auto`` is float16 autocast on CUDA, as in the package, and float32 on the CPU.
        loudness_lufs: judge a copy at this loudness; None judges the clip as it is. Only the search for silence depends on the level.
        options: of ``IsolatedEngine``: python, timeout_sec, load_timeout_sec, threads.

    A clip that is empty, under 0.1 s, silent or not finite gets a failure. With ``remove_silent_section``, a clip that stays under the
    level that the search takes for silence is judged on a copy normalised to a peak of 0.99, which a note says.

    Raises:
        ConfigError: an option is out of range.
    """

    name, columns, primary = "utmosv2", ("utmosv2_mos",), "utmosv2_mos"
    environment = "utmosv2"
    sample_rate_hz = 16000
    takes = {
        "fold": 0,
        "seed": 1,
        "repetitions": 1,
        "remove_silent_section": False,
        "dataset": "sarulab",
        "dtype": "auto",
        "loudness_lufs": None,
    }

    def __init__(self, *, weights: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._local = weights
        chosen = self.options
        checked_loudness(chosen["loudness_lufs"], engine=self.name)
        for label, low, high in (("fold", 0, UTMOSV2_FOLDS - 1), ("seed", 0, 2**32 - 1), ("repetitions", 1, 1000)):
            if isinstance(chosen[label], bool) or not isinstance(chosen[label], int) or not low <= chosen[label] <= high:
                raise ConfigError(f"{label} of utmosv2 must be a whole number", got=chosen[label], expected=f"{low} to {high}")
        for label, known in (("dataset", DATASETS), ("dtype", DTYPES), ("remove_silent_section", (True, False))):
            if chosen[label] not in known:
                raise ConfigError(f"{label} of utmosv2 is not known", got=chosen[label], expected=f"one of {', '.join(map(str, known))}")

    def load(self, device: str = "cpu") -> None:
        """Start the worker and load the checkpoint there; raises as ``IsolatedEngine.load``, and EngineUnavailableError where the
        checkpoint is missing."""
        self._device_kind = device
        # A draw is 25 MB of spectrograms and takes seconds on one core: a call must stay well within its time limit.
        self.most_clips = max(1, (4 if device == "cpu" else 16) // self.options["repetitions"])
        super().load(device)

    def child_options(self) -> dict[str, Any]:
        """What the worker's constructor takes: the checkpoint's path and the precision in place of ``fold`` and ``auto``."""
        passed = {name: self.options[name] for name in ("seed", "repetitions", "remove_silent_section", "dataset")}
        return passed | {"weights": str(resolve(self._set, local=self._local).absolute()), "dtype": self._dtype(self._device_kind)}

    def identity(self) -> dict[str, object]:
        """What a stored score depends on; works before ``load`` and without the weights."""
        known = super().identity() | identity_of(self._set, local=self._local)
        return known | {"sample_rate_hz": self.sample_rate_hz, "revision_of_code": REVISION}

    def prepare(self, clip: Audio) -> tuple[Audio, tuple[str, ...]]:
        """
        Raises:
            AudioError: the clip is empty, too short, silent or not finite.
        """
        samples, notes = prepared(
            clip, sample_rate_hz=self.sample_rate_hz, shortest_sec=SHORTEST_SEC, loudness_lufs=self.options["loudness_lufs"]
        )
        ready = Audio(samples, self.sample_rate_hz, path=clip.path)
        if self.options["remove_silent_section"] and ready.samples.max() < SILENT_UNDER:
            notes += (
                f"peak {ready.peak:.3f}, which the search for silence takes for silence: judged on a copy normalised to {NORMALISED_PEAK}",
            )
            ready = audio_room.peak_normalised(ready, peak=NORMALISED_PEAK)
        return ready, notes

    @property
    def _set(self) -> str:
        return f"utmosv2-fold{self.options['fold']}"

    def _dtype(self, device: str) -> str:
        if self.options["dtype"] != "auto":
            return self.options["dtype"]
        return "float16" if device.startswith("cuda") else "float32"
