"""DNSMOS: non-intrusive mean opinion scores of signal, background and overall quality (P.835) and of overall quality (P.808).

Source: Reddy, Gopal, Cutler, "DNSMOS P.835: a non-intrusive perceptual objective speech quality metric to evaluate noise suppressors"
(ICASSP 2022). Weights and the definition of a score are those of the package ``speechmos``; what differs is only how often the same thing
is computed (see ``dnsmos_hops``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError, Failure
from workbench.judges.base import Scores

if TYPE_CHECKING:
    from workbench.judges.dnsmos_networks import Networks

LICENCE_CODE = "MIT"
LICENCE_WEIGHTS = "MIT"
SAMPLE_RATE_HZ = 16000
SHORTEST_SEC = 0.1
# Half a step of 16-bit audio: a file with nothing above it is digital silence.
SILENCE_PEAK = 2.0**-16
REVISION = 1
# Polynomials, highest power first, that map raw outputs of the primary network to opinion scores (published with the weights).
_POLYNOMIALS = {
    "dnsmos_sig": (-0.08397278, 1.22083953, 0.0052439),
    "dnsmos_bak": (-0.13166888, 1.60915514, -0.39604546),
    "dnsmos_ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


class DnsmosJudge:
    """Scores 1 to 5 equal to ``speechmos.dnsmos.run`` within 1e-5, each clip by itself, so that batches never change a score.

    Args:
        all_hops: score every 9.01 s hop, also those that the reference skips through a rounding slip (see ``dnsmos_hops.scored_hops``).
        threads: threads within the networks; 1 suits a scan with several workers, 0 takes all cores. It changes no score.

    A clip peaking above 1.0 is judged on a copy normalised to 0.99, which a note says. Clips under 9.01 s are repeated as in the reference.
    A clip that is empty, under 0.1 s, silent (peak under half a 16-bit step; the reference would rate it) or not finite gets a failure in
    place of scores.
    """

    name = "dnsmos"
    columns = ("dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "dnsmos_p808")
    primary = "dnsmos_ovrl"

    def __init__(self, *, all_hops: bool = False, threads: int = 1) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise ConfigError("threads of dnsmos must be a whole number", got=threads, expected="0 (all cores) or more")
        self.all_hops, self.threads = all_hops, threads
        self._networks: Networks | None = None

    def load(self, device: str = "cpu") -> None:
        """Cut the networks and start their sessions, about half a second.

        Raises:
            EngineUnavailableError: package or weights are missing, or the device is not the CPU.
        """
        if device != "cpu":
            raise EngineUnavailableError("dnsmos runs on the CPU", got=device, expected="cpu", mend="give it device cpu")
        if self._networks is None:
            from workbench.judges.dnsmos_networks import load_networks

            self._networks = load_networks(threads=self.threads)

    def score(self, clips: Sequence[Audio]) -> list[Scores]:
        """One ``Scores`` per clip, in order; what cannot be judged comes back as a failure, never as an exception.

        Raises:
            EngineError: the judge was not loaded.
        """
        if self._networks is None:
            raise EngineError("dnsmos is not loaded", mend="call load() first")
        return [self._one(clip) for clip in clips]

    def close(self) -> None:
        """Free the sessions."""
        self._networks = None

    def identity(self) -> dict[str, object]:
        """What a stored score depends on.

        Raises:
            EngineUnavailableError: the weights are not installed.
        """
        from workbench.judges.dnsmos_networks import package_version, weights_sha256

        return {
            "engine": self.name,
            "version": f"speechmos {package_version()}",
            "weights_sha256": weights_sha256(),
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "all_hops": self.all_hops,
            "revision": REVISION,
        }

    def _one(self, clip: Audio) -> Scores:
        try:
            ready, notes = prepared(clip)
            return Scores(self._values(ready), notes)
        except Exception as error:  # noqa: BLE001  one clip's fault is data; the rest of the batch is still owed its scores
            return Scores({}, failure=Failure.of(self.name, error))

    def _values(self, samples: np.ndarray) -> dict[str, float]:
        from workbench.judges.dnsmos_hops import period_rows, raw_scores, repeated, scored_hops

        filled = repeated(samples)
        starts = scored_hops(len(filled), all_hops=self.all_hops)
        raw = raw_scores(self._networks, filled, starts, period=period_rows(len(samples), len(filled))).astype(np.float64)
        values = {name: np.polyval(p, raw[:, i]) for i, (name, p) in enumerate(_POLYNOMIALS.items())}
        return {name: float(value.mean()) for name, value in (values | {"dnsmos_p808": raw[:, 3]}).items()}


def prepared(clip: Audio) -> tuple[np.ndarray, tuple[str, ...]]:
    """What the networks hear of a clip: float32 samples at 16 kHz with a peak of at most 1.0, and notes on what was done for it.

    Raises:
        AudioError: the clip is empty, too short, silent or not finite.
    """
    if not np.isfinite(clip.samples).all():
        raise AudioError("samples that are not finite cannot be judged", where=clip.path, got="NaN or infinity", expected="finite samples")
    if clip.duration_sec < SHORTEST_SEC:
        raise AudioError("too short to judge", where=clip.path, got=f"{clip.duration_sec:.4g} s", expected=f"at least {SHORTEST_SEC} s")
    if clip.peak < SILENCE_PEAK:
        expected = f"a peak of at least {SILENCE_PEAK:.3g}"
        raise AudioError("silent: there is nothing to judge", where=clip.path, got=f"peak {clip.peak:.3g}", expected=expected)
    notes: tuple[str, ...] = ()
    if clip.peak > 1.0:
        notes = (f"peak {clip.peak:.2f}: judged on a copy normalised to 0.99",)
        clip = audio_room.peak_normalised(clip, peak=0.99)
    clip = audio_room.resample(clip, SAMPLE_RATE_HZ)
    if clip.peak > 1.0:
        notes += (f"peak {clip.peak:.3f} after resampling to 16 kHz: judged on a copy normalised to 0.99",)
        clip = audio_room.peak_normalised(clip, peak=0.99)
    return np.ascontiguousarray(clip.samples, np.float32), notes
