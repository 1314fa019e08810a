"""Bytes of a speech server as audio, by what they are and not by what their header calls them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

import numpy as np

from workbench import audio as audio_io
from workbench.audio import SAMPLE_RATE_RANGE_HZ, Audio
from workbench.errors import AudioError, EngineError
from workbench.tts.calls import Answer, shown
from workbench.tts.keys import Secret

_CONTAINERS = (b"RIFF", b"RIFX", b"fLaC", b"OggS", b"ID3")
FORMATS = ("wav", "pcm", "mp3", "flac")


def audio_of(body: bytes, *, engine: str, expected: str, content_type: str = "", pcm_rate_hz: int, key: Secret | None = None) -> Audio:
    """Decode speech.

    Args:
        expected: ``wav``, ``pcm`` (16 bit, little-endian, mono), ``mp3`` or ``flac``; a container that is another than asked for
            is decoded as what it is.
        content_type: only its ``rate`` is read, and only for raw samples, which have no header of their own.
        pcm_rate_hz: rate of raw samples whose content type names none.
        key: hidden in messages.

    Raises:
        EngineError: nothing, a page or a message instead of audio, audio cut short, no finite samples; says what came.
    """
    if not body:
        raise EngineError("server sent an empty answer", where=engine, got="0 bytes", expected=f"{expected} audio")
    contained = body.startswith(_CONTAINERS) or (expected != "pcm" and body[0] == 0xFF and len(body) > 1 and body[1] & 0xE0 == 0xE0)
    if not contained and (expected != "pcm" or _is_text(body)):
        kind = f" called {content_type.split(';')[0]!r}" if content_type else ""
        raise EngineError(
            f"server sent something that is not audio{kind}", where=engine, got=shown(body, key), expected=f"{expected} audio"
        )
    if not contained:
        return _pcm(body, engine=engine, rate_hz=_rate_of(content_type) or pcm_rate_hz)
    try:
        spoken = audio_io.read(body, where=engine)
    except AudioError as error:
        raise EngineError(
            f"server sent audio that cannot be used: {error.what}", where=engine, got=error.got, expected=f"whole {expected} audio"
        ) from None
    return Audio(spoken.samples, spoken.sample_rate_hz, spoken.channels)


def _is_text(body: bytes) -> bool:
    """Whether bytes are a page or a message: samples of speech soon hold a byte that no text has."""
    head = body[:512]
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)


def _pcm(body: bytes, *, engine: str, rate_hz: int) -> Audio:
    low, high = SAMPLE_RATE_RANGE_HZ
    if not low <= rate_hz <= high:
        raise EngineError("sample rate is not one of audio", where=engine, got=f"{rate_hz} Hz", expected=f"{low} to {high} Hz")
    if len(body) % 2:
        raise EngineError("raw samples are cut short", where=engine, got=f"{len(body):,} bytes", expected="two bytes a sample")
    return Audio(np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768), rate_hz)


def _rate_of(content_type: str) -> int | None:
    found = re.search(r"\brate=(\d{1,7})\b", content_type)
    return int(found[1]) if found else None


def json_of(answer: Answer, *, engine: str, key: Secret | None = None) -> dict[str, Any]:
    """
    Raises:
        EngineError: the answer is no JSON object; says what came.
    """
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise EngineError(
            "server sent no JSON object", where=engine, got=shown(answer.body, key), expected="a JSON object with audio in it"
        )
    return value


def bytes_of(encoded: object, *, engine: str, key: Secret | None = None) -> bytes:
    """
    Raises:
        EngineError: not base64.
    """
    try:
        return base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError):
        raise EngineError(
            "audio in the answer is not base64", where=engine, got=shown(str(encoded).encode(), key), expected="base64"
        ) from None
