"""Thirteen signal metrics of a clip, without a model, at the audio's own rate and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

import numpy as np

from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.errors import AudioError
from workbench.judges.bandwidth import BandLevels
from workbench.judges.base import MeasuringJudge

LICENCE_CODE = "Apache-2.0"
LICENCE_WEIGHTS = "none"
REVISION = 2
FLOOR_DB = -120.0
#: Loudness of audio that has none: the standard's own absolute gate.
FLOOR_LUFS = -70.0
FRAME_SEC = 0.02
CLIPPED_AT = 0.999
SILENT_BELOW_DB = -60.0
SILENT_BELOW_LOUDEST_DB = 40.0
ROLLOFF_SHARE = 0.85
_BLOCK_SAMPLES = 1 << 19


@dataclass(frozen=True, slots=True)
class SignalMetrics:
    """All finite (but for ``bandwidth_hz``, which may be None) for any finite audio of at least one sample. Levels in dB are relative to 1.0 and never under -120.

    A "frame" is 20 ms of consecutive samples without overlap (a shorter rest at the end is a frame too), its level the RMS of its samples.

    Attributes:
        duration_sec: samples / rate.
        sample_rate_hz: the audio's own rate.
        peak_amplitude: largest absolute sample; above 1.0 when the source is.
        rms_db: level of all samples together.
        clipping_pct: share of samples at or beyond 0.999, in percent.
        silence_pct: share of frames under -60 dB or more than 40 dB under the loudest frame, in percent.
        energy_std: standard deviation (population) of the frames' RMS, as amplitude.
        dynamic_range_db: 95th minus 5th percentile of the frames' levels in dB.
        zero_crossing_rate: share of neighbouring samples of which one is negative and the other is not, 0 to 1.
        spectral_centroid_hz: mean frequency, weighted by power, of the clip's mean power spectrum; 0 for digital silence.
        spectral_rolloff_hz: lowest frequency at or under which 85% of that power lies; 0 for digital silence.
            The spectrum is Welch's: half-overlapping Hann windows of the power of two that is at least 32 ms; silent parts weigh nothing.
        bandwidth_hz: highest frequency with sound, see ``bandwidth.BandLevels``; None where too little sound tells.
        loudness_lufs: gated loudness (ITU-R BS.1770); -70 for audio without one.
    """

    duration_sec: float
    sample_rate_hz: float
    peak_amplitude: float
    rms_db: float
    clipping_pct: float
    silence_pct: float
    energy_std: float
    dynamic_range_db: float
    zero_crossing_rate: float
    spectral_centroid_hz: float
    spectral_rolloff_hz: float
    bandwidth_hz: float | None
    loudness_lufs: float


def measure(audio: Audio) -> SignalMetrics:
    """The thirteen metrics of one clip.

    Raises:
        AudioError: no samples, or samples that are not finite.
    """
    samples = audio.samples
    if not len(samples):
        raise AudioError("empty audio has no signal to measure", where=audio.path, got="0 samples", expected="at least 1")
    if not all(np.isfinite(block).all() for block in _blocks(samples, _BLOCK_SAMPLES)):
        raise AudioError(
            "samples that are not finite cannot be measured", where=audio.path, got="NaN or infinity", expected="finite samples"
        )
    rms = _frame_rms(samples, max(1, round(FRAME_SEC * audio.sample_rate_hz)))
    levels_db = _db(rms)
    silent = (levels_db < SILENT_BELOW_DB) | (levels_db < levels_db.max() - SILENT_BELOW_LOUDEST_DB)
    low_db, high_db = np.percentile(levels_db, [5, 95])
    centroid_hz, rolloff_hz, bandwidth_hz = _spectral_shape(samples, audio.sample_rate_hz, audio.peak)
    return SignalMetrics(
        duration_sec=audio.duration_sec,
        sample_rate_hz=float(audio.sample_rate_hz),
        peak_amplitude=audio.peak,
        rms_db=audio_room.rms_db(audio),
        clipping_pct=100 * _clipped(samples) / len(samples),
        silence_pct=100 * float(silent.mean()),
        energy_std=float(rms.std()),
        dynamic_range_db=float(high_db - low_db),
        zero_crossing_rate=_crossings(samples) / max(1, len(samples) - 1),
        spectral_centroid_hz=centroid_hz,
        spectral_rolloff_hz=rolloff_hz,
        bandwidth_hz=bandwidth_hz,
        loudness_lufs=max(FLOOR_LUFS, audio_room.integrated_lufs(audio)),
    )


class SignalJudge(MeasuringJudge):
    """``measure`` as a judge: cheap, no model, no primary score."""

    name = "signal"
    columns = tuple(f.name for f in fields(SignalMetrics))

    def measured(self, clip: Audio) -> dict[str, float]:
        return {name: value for name, value in asdict(measure(clip)).items() if value is not None}

    def identity(self) -> dict[str, object]:
        """What a stored metric depends on."""
        return {"engine": self.name, "revision": REVISION, "sample_rate_hz": None}


def _blocks(samples: np.ndarray, size: int, *, overlap: int = 0) -> Iterator[np.ndarray]:
    """Consecutive blocks; each but the first begins ``overlap`` samples before the last one ended."""
    for start in range(0, max(1, len(samples) - overlap), size):
        yield samples[start : start + size + overlap]


def _db(amplitude: np.ndarray) -> np.ndarray:
    return 20 * np.log10(np.maximum(amplitude, 10 ** (FLOOR_DB / 20)))


def _frame_rms(samples: np.ndarray, frame: int) -> np.ndarray:
    """RMS of each frame, float64; the last may be shorter."""
    per_block = max(1, _BLOCK_SAMPLES // frame) * frame
    powers = []
    for block in _blocks(samples, per_block):
        squares = np.square(block, dtype=np.float64)
        sums = np.add.reduceat(squares, np.arange(0, len(block), frame))
        counts = np.full(len(sums), frame)
        counts[-1] = len(block) - frame * (len(sums) - 1)
        powers.append(sums / counts)
    return np.sqrt(np.concatenate(powers))


def _clipped(samples: np.ndarray) -> int:
    return sum(int(np.count_nonzero(np.abs(block) >= CLIPPED_AT)) for block in _blocks(samples, _BLOCK_SAMPLES))


def _crossings(samples: np.ndarray) -> int:
    count = 0
    for block in _blocks(samples, _BLOCK_SAMPLES, overlap=1):
        negative = block < 0
        count += int(np.count_nonzero(negative[1:] != negative[:-1]))
    return count


def _spectral_shape(samples: np.ndarray, sample_rate_hz: int, peak: float) -> tuple[float, float, float | None]:
    """Centroid and rolloff in Hz of the mean power spectrum, and the bandwidth."""
    if peak == 0.0:
        return 0.0, 0.0, None
    window_samples = max(16, 1 << int(np.ceil(np.log2(0.032 * sample_rate_hz))))
    levels, power = BandLevels(sample_rate_hz, window_samples), np.zeros(window_samples // 2 + 1)
    for spectra in _power_spectra(samples, window_samples, peak):
        power += spectra.sum(axis=0, dtype=np.float64)
        levels.add(spectra)
    hz = np.fft.rfftfreq(window_samples, 1 / sample_rate_hz)
    running = np.cumsum(power)
    reached = np.searchsorted(running, ROLLOFF_SHARE * running[-1])
    return float(power @ hz / running[-1]), float(hz[min(reached, len(hz) - 1)]), levels.bandwidth_hz()


def _power_spectra(samples: np.ndarray, window_samples: int, peak: float) -> Iterator[np.ndarray]:
    """Power spectra of half-overlapping windows, block by block, each (windows, window / 2 + 1), float32."""
    from scipy import fft

    step = window_samples // 2
    # Half a sample off the usual Hann window: no weight is zero, so that a clip of one sample has a spectrum as well.
    window = np.sin(np.pi * (np.arange(window_samples) + 0.5) / window_samples).astype(np.float32) ** 2
    for block in _blocks(samples, _BLOCK_SAMPLES // step * step, overlap=step):
        missing = -(len(block) - window_samples) % step if len(block) > window_samples else window_samples - len(block)
        # Divided by the peak: the shape stays, and neither very loud nor very faint audio leaves the range of float32.
        scaled = np.pad((block / np.float64(peak)).astype(np.float32), (0, missing))
        frames = np.lib.stride_tricks.sliding_window_view(scaled, window_samples)[::step]
        spectrum = fft.rfft(frames * window, axis=1)
        yield np.square(spectrum.real) + np.square(spectrum.imag)
