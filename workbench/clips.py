"""``Clip`` and ``Manifest``: every source of clips in, one stream of clips out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio with the text it should say.

    ``clip_id`` is unique within its manifest. ``audio`` is an absolute path, or (inline sources such as Hugging Face parquet) encoded bytes in ``audio_bytes``.
    ``text`` is the ground truth; ``fault`` is set when the source's row could not be turned into a usable clip (no text file, not UTF-8 ...): such a clip still travels, so that it is counted.
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
