"""The only place that opens audio: read, resample, mono, hash of the decoded samples, peak, loudness, encode for a report."""

from workbench.audio.base import (
    RMS_FLOOR_DB,
    SAMPLE_RATE_RANGE_HZ,
    Audio,
    content_hash,
    cut,
    peak_normalised,
    resample,
    rms_db,
)
from workbench.audio.loudness import integrated_lufs, loudness_normalised
from workbench.audio.reading import TRUNCATION_TOLERANCE_SEC, read
from workbench.audio.writing import encode_mp3, write_wav

__all__ = [
    "RMS_FLOOR_DB",
    "SAMPLE_RATE_RANGE_HZ",
    "TRUNCATION_TOLERANCE_SEC",
    "Audio",
    "content_hash",
    "cut",
    "encode_mp3",
    "integrated_lufs",
    "loudness_normalised",
    "peak_normalised",
    "read",
    "resample",
    "rms_db",
    "write_wav",
]
