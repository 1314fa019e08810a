"""One clip, and the one door from a clip to its audio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.errors import AudioError

if TYPE_CHECKING:
    from workbench.audio import Audio


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio with the text it should say.

    ``clip_id`` is unique within its manifest. ``audio`` is an absolute path; inline sources such as Hugging Face parquet have the encoded
    bytes in ``audio_bytes`` instead. ``text`` is the ground truth. ``fault`` is set when the source's row could not be turned into a usable
    clip (no text file, not UTF-8 ...): such a clip still travels, so that it is counted. ``extra`` holds what else the source knows;
    ``offset_sec`` and ``duration_sec`` in it say that the clip is a part of its file.
    """

    clip_id: str
    audio: str
    text: str
    dataset: str
    speaker: str = ""
    category: str = ""
    audio_bytes: bytes | None = None
    fault: str | None = None
    extra: dict[str, object] = field(default_factory=dict, hash=False)


def load_audio(clip: Clip) -> Audio:
    """Decode a clip's audio: its file, its bytes, or its part of a longer file.

    Raises:
        AudioError: names the clip; also when the clip carries a ``fault``.
    """
    from workbench import audio

    if clip.fault:
        raise AudioError(clip.fault, where=f"clip {clip.clip_id}")
    where = f"clip {clip.clip_id}" + (f" ({clip.audio})" if clip.audio else "")
    source = clip.audio if clip.audio_bytes is None else clip.audio_bytes
    if "offset_sec" not in clip.extra:
        return audio.read(source, where=where)
    start_sec, duration_sec = clip.extra["offset_sec"], clip.extra.get("duration_sec")
    return audio.read(source, where=where, start_sec=float(start_sec), duration_sec=None if duration_sec is None else float(duration_sec))
