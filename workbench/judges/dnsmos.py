"""DNSMOS: non-intrusive mean opinion scores of signal, background and overall quality (P.835) and of overall quality (P.808).

Source: Reddy, Gopal, Cutler, "DNSMOS P.835: a non-intrusive perceptual objective speech quality metric to evaluate noise suppressors"
(ICASSP 2022). Weights and the definition of a score are those of the package ``speechmos``; what differs is only how often the same thing
is computed (see ``dnsmos_hops``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.audio import Audio
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, Failure
from workbench.judges.base import Scores
from workbench.judges.preparing import checked_loudness, prepared

if TYPE_CHECKING:
    from workbench.judges.dnsmos_networks import Networks

LICENCE_CODE = "MIT"
LICENCE_WEIGHTS = "MIT"
SAMPLE_RATE_HZ = 16000
SHORTEST_SEC = 0.1
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
        loudness_lufs: judge a copy at this loudness; None judges the clip as it is, like the reference.
        threads: threads within the networks; 1 suits a scan with several workers, 0 takes all cores. It changes no score.

    A clip peaking above 1.0 is judged on a copy normalised to 0.99, which a note says. Clips under 9.01 s are repeated as in the reference.
    A clip that is empty, under 0.1 s, silent (peak under half a 16-bit step; the reference would rate it) or not finite gets a failure in
    place of scores.
    """

    name = "dnsmos"
    columns = ("dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "dnsmos_p808")
    primary = "dnsmos_ovrl"

    def __init__(self, *, all_hops: bool = False, loudness_lufs: float | None = None, threads: int = 1) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise ConfigError("threads of dnsmos must be a whole number", got=threads, expected="0 (all cores) or more")
        self.all_hops, self.threads = all_hops, threads
        self.loudness_lufs = checked_loudness(loudness_lufs, engine=self.name)
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

        identity = {
            "engine": self.name,
            "version": f"speechmos {package_version()}",
            "weights_sha256": weights_sha256(),
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "all_hops": self.all_hops,
            "revision": REVISION,
        }
        # Only where it was asked for: scores of clips as they are keep the fingerprint under which they are stored.
        return identity if self.loudness_lufs is None else identity | {"loudness_lufs": self.loudness_lufs}

    def _one(self, clip: Audio) -> Scores:
        try:
            ready, notes = prepared(
                clip, sample_rate_hz=SAMPLE_RATE_HZ, shortest_sec=SHORTEST_SEC, loudness_lufs=self.loudness_lufs
            )
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
