"""Decoding: whole files or parts of them, in blocks, to mono."""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from workbench.audio.base import SAMPLE_RATE_RANGE_HZ, Audio
from workbench.errors import AudioError

#: A file whose data ends this much before its header says is refused as cut short. MP3 headers are exact to about one frame.
TRUNCATION_TOLERANCE_SEC = 0.1

_BLOCK_FRAMES = 1 << 18
#: Writers to a pipe cannot know the size and leave 0x7FFFF000, 0xFFFFFFFF and the like in the header.
_UNKNOWN_SIZE_BYTES = 0x7FFF_0000
_MEND = "write it again, for instance `ffmpeg -i in out.wav`"


def read(
    path_or_bytes: str | os.PathLike[str] | bytes, *, where: object = None, start_sec: float = 0.0, duration_sec: float | None = None
) -> Audio:
    """Decode a wav, flac, mp3, ogg or opus file, or its encoded bytes; the channels are averaged to mono.

    The file is read in blocks, so that memory peaks near the size of the mono result. A header without a length
    (written to a pipe) is fine.

    Args:
        path_or_bytes: a path, or the content of a file.
        where: how errors name the audio; the path by default.
        start_sec, duration_sec: read only this part of a longer file; a part that runs beyond the end stops there.

    Returns:
        Audio with samples (T,), T >= 1, at the source's own rate.

    Raises:
        AudioError: no such file, not a file, zero bytes, not audio, header or data cut short, no samples, NaN or infinite samples,
            a sample rate that is none, a part that starts after the end.
    """
    part = (start_sec, duration_sec)
    if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
        content, where = bytes(path_or_bytes), "bytes in memory" if where is None else where
        if not content:
            raise _empty(where)
        return _decode(io.BytesIO(content), len(content), path=None, where=where, part=part)
    path = os.fspath(path_or_bytes)
    where = path if where is None else where
    size_bytes = _checked_size(path, where)
    try:
        stream = open(path, "rb", buffering=0)  # unbuffered: libsndfile goes on reading from the same descriptor
    except OSError as error:
        raise AudioError("audio cannot be opened", where=where, got=error.strerror, expected="a readable audio file",
                         mend="check its permissions") from None
    with stream:
        return _decode(stream, size_bytes, path=path, where=where, part=part)


def _checked_size(path: str, where: object) -> int:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise AudioError(
            "audio file not found" if isinstance(error, FileNotFoundError) else "audio file cannot be reached",
            where=where, got=f"{path} ({getattr(error, 'strerror', None) or error})", expected="a readable file",
            mend="check the path; relative paths in a manifest start at the manifest's folder",
        ) from None
    if not Path(path).is_file():
        raise AudioError("audio path is not a file", where=where, got=path, expected="a wav, flac, mp3, ogg or opus file",
                         mend="name the file inside the folder")
    if status.st_size == 0:
        raise _empty(where)
    return status.st_size


def _empty(where: object) -> AudioError:
    return AudioError("audio file is empty", where=where, got="0 bytes", expected="encoded audio", mend="synthesise or copy it again")


def _decode(stream: BinaryIO, size_bytes: int, *, path: str | None, where: object, part: tuple[float, float | None]) -> Audio:
    import soundfile

    missing_bytes = _wav_shortfall_bytes(stream, size_bytes)
    stream.seek(0)
    head = stream.read(16)
    stream.seek(0)
    try:
        # By descriptor rather than by path: libsndfile would trust some extensions more than the content.
        with soundfile.SoundFile(stream if path is None else stream.fileno(), closefd=False) as sound:
            if missing_bytes:
                raise _truncated(where, f"{missing_bytes:,} bytes of sound missing at the end")
            return _read_blocks(sound, path=path, where=where, part=part)
    except (soundfile.LibsndfileError, OSError, ValueError) as error:
        raise AudioError(
            "audio cannot be decoded", where=where, got=f"{size_bytes:,} bytes that start with {head!r}: {_reason(error)}",
            expected="a whole wav, flac, mp3, ogg or opus file", mend=_MEND,
        ) from None


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.strip().rstrip(".") or "unknown format"


def _read_blocks(sound, *, path: str | None, where: object, part: tuple[float, float | None]) -> Audio:
    rate = sound.samplerate
    low, high = SAMPLE_RATE_RANGE_HZ
    if not low <= rate <= high:
        raise AudioError("sample rate is not one of audio", where=where, got=f"{rate} Hz", expected=f"{low} to {high} Hz", mend=_MEND)
    promised = sound.frames if 0 < sound.frames < 1 << 40 else None  # a FLAC written to a pipe does not know its length
    if promised is None:
        # After each block python-soundfile would seek to where it already is, which libsndfile refuses without a length.
        sound.seekable = lambda: False
    wanted = _seek_part(sound, part, promised, where=where)
    samples = np.empty(min(wanted or _BLOCK_FRAMES, 1 << 28), np.float32)
    filled = bad = 0
    first_bad = -1
    for block in _mono_blocks(sound, wanted, where=where):
        if filled + len(block) > len(samples):
            samples.resize(max(filled + len(block), 2 * len(samples)), refcheck=False)  # in place: no second copy alive beside it
        samples[filled : filled + len(block)] = block
        odd = ~np.isfinite(block)
        if odd.any():
            first_bad = first_bad if bad else filled + int(odd.argmax())
            bad += int(odd.sum())
        filled += len(block)
    if not filled:
        raise AudioError("audio holds no samples", where=where, got=f"a {sound.format} header without sound",
                         expected="at least one sample", mend="synthesise or copy it again")
    if bad:
        raise AudioError(
            "audio has samples that are not numbers", where=where,
            got=f"{bad:,} of {filled:,} samples NaN or infinite, the first at {first_bad / rate:.3f} s", expected="finite samples",
            mend="the model or writer that made it diverged: synthesise it again",
        )
    if promised and wanted - filled > TRUNCATION_TOLERANCE_SEC * rate:
        raise _truncated(where, f"{filled / rate:.2f} s of {wanted / rate:.2f} s")
    samples.resize(filled, refcheck=False)
    return Audio(samples, rate, sound.channels, path)


def _seek_part(sound, part: tuple[float, float | None], promised: int | None, *, where: object) -> int | None:
    """Go to where the part starts; gives the number of frames to read, None for all there is."""
    start_sec, duration_sec = part
    if not (math.isfinite(start_sec) and start_sec >= 0 and (duration_sec is None or duration_sec > 0)):
        got = f"start {start_sec} s, duration {duration_sec} s"
        raise AudioError("cannot read this part", where=where, got=got, expected="start >= 0, duration > 0")
    start = round(start_sec * sound.samplerate)
    wanted = None if duration_sec is None or math.isinf(duration_sec) else max(1, round(duration_sec * sound.samplerate))
    if promised is None:
        if start:
            raise AudioError("cannot read a part of audio of unknown length", where=where, got=f"start {start_sec} s", expected="start 0",
                             mend=_MEND)
        return wanted
    if start >= promised:
        raise AudioError("part starts after the audio ends", where=where, got=f"start {start_sec} s",
                         expected=f"within 0 to {promised / sound.samplerate:.3f} s", mend="check offset and duration in the manifest")
    if start:
        sound.seek(start)
    return min(promised - start, wanted or promised)


def _mono_blocks(sound, wanted: int | None, *, where: object) -> Iterator[np.ndarray]:
    import soundfile

    block_frames = max(1, _BLOCK_FRAMES // sound.channels)
    done = 0
    while wanted is None or done < wanted:
        ask = block_frames if wanted is None else min(block_frames, wanted - done)
        try:
            got = sound.read(ask, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            if not done:
                raise
            raise _truncated(where, f"decoding breaks off near {done / sound.samplerate:.2f} s: {_reason(error)}") from None
        if not len(got):
            return
        done += len(got)
        with np.errstate(invalid="ignore", over="ignore"):  # inf - inf in the mean is found and reported by the caller
            yield got[:, 0] if sound.channels == 1 else got.mean(axis=1, dtype=np.float32)


def _truncated(where: object, got: str) -> AudioError:
    return AudioError("audio file is cut short", where=where, got=got, expected="as much sound as the header says",
                      mend="copy or synthesise it again; scoring half a clip would blame its voice")


def _wav_shortfall_bytes(stream: BinaryIO, size_bytes: int) -> int:
    """Bytes that a RIFF header promises and the file lacks; 0 for whole files, streamed headers and other formats.

    libsndfile silently shortens such a file, so the header is read here (RIFF WAVE, IBM and Microsoft 1991).
    """
    form = stream.read(12)
    if len(form) < 12 or form[:4] not in (b"RIFF", b"RIFX") or form[8:] != b"WAVE":
        return 0
    order = "<" if form[:4] == b"RIFF" else ">"
    bytes_per_sec = 0
    while len(header := stream.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", header)
        if name == b"data":
            missing = stream.tell() + length - size_bytes
            tolerated = TRUNCATION_TOLERANCE_SEC * bytes_per_sec
            return missing if missing > tolerated and length < _UNKNOWN_SIZE_BYTES else 0
        body = stream.read(12) if name == b"fmt " else b""
        if len(body) == 12:
            bytes_per_sec = struct.unpack(f"{order}8xI", body)[0]
        stream.seek(length + length % 2 - len(body), io.SEEK_CUR)
    return 0
