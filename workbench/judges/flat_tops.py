"""Flat tops: neighbouring samples that stand at the clip's own extreme. Audio that was clipped keeps them when it is made quieter later."""

from __future__ import annotations


import numpy as np

from workbench.audio import Audio
from workbench.errors import AudioError
from workbench.judges.base import MeasuringJudge

REVISION = 1
#: So many neighbours make a run: the top of a loud tone holds one or two samples that are equal in 16 bits.
SHORTEST_RUN = 3
#: Samples within half a step of 16-bit audio of the extreme stand at it.
TOLERANCE = 2.0**-16
#: In quieter audio a step of 16 bits is so large beside the peak that unclipped waves have flat tops, too.
QUIETEST_PEAK = 0.05


def flat_top_runs(audio: Audio) -> tuple[int, int]:
    """How many runs of at least three neighbouring samples stand at the largest or at the smallest sample, and how many samples they hold.

    Lossy coding blurs flat tops, so none does not prove that the audio was never clipped; a steady tone under 100 Hz has them by nature.
    (0, 0) under a peak of 0.05.

    Raises:
        AudioError: no samples, or samples that are not finite.
    """
    samples = audio.samples
    if not len(samples):
        raise AudioError("empty audio has no tops", where=audio.path, got="0 samples", expected="at least 1")
    if not np.isfinite(samples).all():
        raise AudioError("samples that are not finite cannot be measured", where=audio.path, got="NaN or infinity", expected="finite samples")
    runs = [length for at_top in _at_extremes(samples) for length in _run_lengths(at_top) if length >= SHORTEST_RUN]
    return len(runs), int(sum(runs))


class FlatTopsJudge(MeasuringJudge):
    """``flat_top_runs`` as a judge: cheap, no model, no primary score."""

    name = "flat_tops"
    columns = ("flat_top_runs", "flat_top_pct")

    def measured(self, clip: Audio) -> dict[str, float]:
        runs, held = flat_top_runs(clip)
        return {"flat_top_runs": float(runs), "flat_top_pct": 100 * held / len(clip.samples)}

    def identity(self) -> dict[str, object]:
        """What a stored figure depends on."""
        return {"engine": self.name, "revision": REVISION}


def _at_extremes(samples: np.ndarray) -> list[np.ndarray]:
    """Where the samples stand at the top, and at the bottom, of those that are loud enough to tell."""
    high, low = float(samples.max()), float(samples.min())
    found = []
    if high >= QUIETEST_PEAK:
        found.append(samples >= np.float32(high - TOLERANCE))
    if -low >= QUIETEST_PEAK:
        found.append(samples <= np.float32(low + TOLERANCE))
    return found


def _run_lengths(flags: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return edges[1::2] - edges[::2]
