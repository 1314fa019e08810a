"""Encoding: WAV files and the small MP3 of a report."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import numpy as np

from workbench.audio.base import Audio, resample
from workbench.errors import AudioError

_MP3_RATES_HZ = (16_000, 22_050, 24_000)


def encode_mp3(audio: Audio, *, sample_rate_hz: int | None = None, compression: float = 0.6) -> bytes:
    """A small mono MP3 of speech for a report, at the loudness and in the time of the source.

    Nothing is normalised: what is loud stays loud. MP3 cannot hold a peak above 1, so such samples are clipped here, as any player would.

    Args:
        sample_rate_hz: 16,000, 22,050 or 24,000; by default the source's own rate where it is one of these, else 24,000, or 16,000 for a
            narrower source.
        compression: 0 (best) to 0.95 (smallest) at variable bit rate; 0.6 gives speech 38 to 46 kbps, 5 to 6 kB per second.

    Raises:
        AudioError: the audio is empty, or the rate or compression is not offered.
    """
    import soundfile

    rate = sample_rate_hz or _mp3_rate(audio.sample_rate_hz)
    if rate not in _MP3_RATES_HZ or not 0 <= compression <= 0.95:
        raise AudioError("MP3 settings not offered", where=audio.path, got=f"{rate} Hz, compression {compression}",
                         expected=f"one of {', '.join(map(str, _MP3_RATES_HZ))} Hz, compression 0 to 0.95")
    if not len(audio.samples):
        raise AudioError("no samples to encode", where=audio.path, got="empty audio", expected="at least one sample")
    samples = np.clip(resample(audio, rate).samples, -1.0, 1.0)
    out = io.BytesIO()
    # Variable bit rate, because LAME's constant and average modes scale speech by 0.95 (-0.45 dB), and at 40 kbps constant a frame is too
    # small for the header that tells players the encoder's delay: words would light up 50 ms early.
    soundfile.write(out, samples, rate, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE", compression_level=compression)
    return out.getvalue()


def _mp3_rate(source_hz: int) -> int:
    if source_hz in _MP3_RATES_HZ:
        return source_hz
    return 24_000 if source_hz > 16_000 else 16_000


def write_wav(audio: Audio, path: str | os.PathLike[str]) -> None:
    """Write a mono WAV: 16-bit PCM, or 32-bit float when the peak is above 1. The file appears whole or not at all.

    16-bit values are samples * 32,768 rounded, the inverse of reading: what was read from 16-bit audio comes back with the same hash.

    Raises:
        AudioError: no samples, or the folder cannot be written to.
    """
    import soundfile

    target = Path(path)
    if not len(audio.samples):
        raise AudioError("no samples to write", where=str(target), got="empty audio", expected="at least one sample")
    loud = audio.peak > 1.0
    samples = audio.samples if loud else np.clip(np.rint(audio.samples * np.float32(32768)), -32768, 32767).astype(np.int16)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".part-", suffix=".wav", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                soundfile.write(stream, samples, audio.sample_rate_hz, format="WAV", subtype="FLOAT" if loud else "PCM_16")
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AudioError("audio cannot be written", where=str(target), got=str(error),
                         expected="a writable folder with free space", mend="choose another folder") from None
