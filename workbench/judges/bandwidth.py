"""The effective bandwidth of speech: up to which frequency a recording holds anything, whatever its sample rate promises.

Upsampled, coded and sharply filtered speech ends at a ceiling under half its sample rate. A threshold on the mean spectrum, as it is often used, takes the natural fall of
speech towards high frequencies for such a ceiling. Here a ceiling is a fall that is sharp and never made up, in the spectrum of each band's loudest moments (a single
fricative shows that a band is open).
"""

from __future__ import annotations

import math

import numpy as np

#: Width of the bands that levels are taken in.
BAND_HZ = 125.0
#: Level of a band: what this share of the sounding frames reach or pass in it, and at least so many frames, so that a single click does not open a band.
LOUDEST_SHARE = 0.02
LEAST_LOUDEST = 3
#: Frames within this of the loudest one are sounding.
SOUNDING_DB = 40.0
#: With less sound than this, nothing is said: a single vowel has no high frequencies either.
LEAST_SOUND_SEC = 0.7
#: A ceiling: from the mean level of ``BELOW_BANDS`` to everything that is more than ``EDGE_BANDS`` above them, the level falls by ``FALL_DB``. Resampling and codecs leave falls
#: of 27 to 90 dB, filters of less than about 50 dB an octave smaller ones. Two of 1,325 pieces of one and two seconds of open speech were given a ceiling, and
#: every ceiling in their low-passed copies was found (benchmarks/datasets.py).
FALL_DB = 25.0
BELOW_BANDS = 4
EDGE_BANDS = 3
#: Whatever lies so far under the loudest band is nothing, with a sharp edge or without.
NOTHING_BELOW_DB = 80.0
_LEVELS_DB = (-200, 20)


class BandLevels:
    """Levels of the bands over the frames of a clip, as counts per dB, so that memory does not grow with the clip.

    Args:
        sample_rate_hz: of the clip.
        window_samples: length of the frames' spectra, which overlap by half.
    """

    def __init__(self, sample_rate_hz: int, window_samples: int) -> None:
        self._nyquist_hz = sample_rate_hz / 2
        self._hop_sec = window_samples / 2 / sample_rate_hz
        # Power that a sine at full scale has in its bin, with a Hann window.
        self._full_scale = window_samples**2 / 16
        bins = window_samples // 2 + 1
        bands = max(1, min(bins, round(self._nyquist_hz / BAND_HZ)))
        self._starts = np.round(np.arange(bands) * (bins - 1) / bands).astype(int)
        low, high = _LEVELS_DB
        self._counts = np.zeros((bands, high - low), dtype=np.int64)
        self._frames_db: list[np.ndarray] = []

    def add(self, power: np.ndarray) -> None:
        """Take further frames: power spectra, shape (frames, window_samples / 2 + 1), of samples scaled to a peak of 1."""
        low, high = _LEVELS_DB
        in_bands = np.add.reduceat(power, self._starts, axis=1, dtype=np.float64) / self._full_scale
        levels_db = np.clip(np.floor(_db(in_bands)), low, high - 1).astype(int) - low
        flat = levels_db + (high - low) * np.arange(len(self._starts))
        self._counts += np.bincount(flat.ravel(), minlength=self._counts.size).reshape(self._counts.shape)
        self._frames_db.append(_db(in_bands.sum(axis=1)))

    def bandwidth_hz(self) -> float | None:
        """Highest frequency with sound: the ceiling if there is one, else half the sample rate, or where the level sinks 80 dB under the loudest band.

        None for silence, and for less than 0.7 s of sound.
        """
        frames_db = np.concatenate(self._frames_db) if self._frames_db else np.zeros(0)
        if not len(frames_db) or frames_db.max() <= _LEVELS_DB[0]:
            return None
        sounding = int((frames_db > frames_db.max() - SOUNDING_DB).sum())
        if sounding * self._hop_sec < LEAST_SOUND_SEC:
            return None
        levels_db = self._loudest_db(max(LEAST_LOUDEST, math.ceil(LOUDEST_SHARE * sounding)))
        open_bands = np.flatnonzero(levels_db > levels_db.max() - NOTHING_BELOW_DB)
        last = min(int(open_bands[-1]), _ceiling(levels_db))
        return self._nyquist_hz * (last + 1) / len(levels_db)

    def _loudest_db(self, frames: int) -> np.ndarray:
        """Per band, the level that so many frames reach."""
        reached = np.cumsum(self._counts[:, ::-1], axis=1) >= frames
        return _LEVELS_DB[1] - 1 - reached.argmax(axis=1).astype(float)


def _ceiling(levels_db: np.ndarray) -> int:
    """The last band under a ceiling; the last of all where there is none."""
    last = len(levels_db) - 1
    loudest_from = np.maximum.accumulate(levels_db[::-1])[::-1]
    falls = [levels_db[max(0, edge - BELOW_BANDS) : edge].mean() - loudest_from[edge + EDGE_BANDS] for edge in range(1, last + 1 - EDGE_BANDS)]
    if not falls or max(falls) < FALL_DB:
        return last
    edge = int(np.argmax(falls)) + 1
    below_db, above_db = levels_db[max(0, edge - BELOW_BANDS) : edge].mean(), loudest_from[edge + EDGE_BANDS]
    around = levels_db[: edge + EDGE_BANDS]
    return int(np.flatnonzero(around >= (below_db + above_db) / 2)[-1])


def _db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 10 ** (_LEVELS_DB[0] / 10)))
