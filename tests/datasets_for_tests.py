"""Datasets as a scan leaves them in a store, made without audio or engines: what was heard and measured is said outright."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from workbench.clips import Clip
from workbench.scan.codec import transcript_columns
from workbench.scan.stages import StagePlan
from workbench.scan.worker import AUDIO_FINGERPRINT, text_hash
from workbench.store import Member, RowKey, StageRecord, StageResult, Store
from workbench.stt.base import Transcript, Word

STAGES = (StagePlan("fast", "stt", "fast-engine", "f"), StagePlan("precision", "stt", "second-engine", "p"), StagePlan("signal", "judge", "signal", "s"),
          StagePlan("dnsmos", "judge", "dnsmos", "d"))  # fmt: skip


@dataclass(frozen=True)
class Scanned:
    """One clip and what came of it. ``fast`` and ``precision`` are what was heard (None: the text itself), ``audio`` names its samples: equal names are equal audio."""

    clip_id: str
    text: str = "the lamp stood on the table by the window"
    fast: str | None = None
    precision: str | None = None
    confidence: float = 0.99
    audio: str = ""
    speaker: str = "anna"
    category: str = ""
    signal: dict[str, float] = field(default_factory=dict)
    dnsmos: float | None = 3.5
    unreadable: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    audio_bytes: bytes | None = None

    def clip(self, dataset: str) -> Clip:
        place = "" if self.audio_bytes else f"/clips/{self.clip_id}"
        return Clip(self.clip_id, place, self.text, dataset, speaker=self.speaker, category=self.category, extra=self.extra, audio_bytes=self.audio_bytes)

    def measured(self) -> dict[str, Any]:
        usual = {"duration_sec": max(0.3, len(self.text) / 15), "sample_rate_hz": 24000, "bandwidth_hz": 11500.0, "loudness_lufs": -23.0, "rms_db": -25.0,
                 "peak_amplitude": 0.6, "clipping_pct": 0.0, "silence_pct": 10.0}  # fmt: skip
        return usual | self.signal


def transcript(said: str, confidence: float, engine: str) -> Transcript:
    words = (Word(word, i * 0.3, i * 0.3 + 0.25, confidence) for i, word in enumerate(said.split()))
    return Transcript(tuple(words), engine, "posterior")


def fill(store: Store, clips: Iterable[Scanned], *, scan_id: str, dataset: str = "data") -> list[Clip]:
    """Write the clips as a scan would. Returns them as the manifest had them."""
    made, records, members = [], [], []
    for position, scanned in enumerate(clips):
        clip = scanned.clip(dataset)
        name = f"unreadable-{scanned.clip_id}" if scanned.unreadable else hashlib.sha256((scanned.audio or scanned.clip_id).encode()).hexdigest()
        key = RowKey(name, dataset, text_hash(clip.text))
        records += _records(scanned, key, clip)
        members.append(Member(position, key, clip))
        made.append(clip)
        if len(members) >= 500:
            store.write(records, scan_id=scan_id, members=members)
            records, members = [], []
    store.write(records, scan_id=scan_id, members=members)
    return made


def _records(scanned: Scanned, key: RowKey, clip: Clip) -> list[StageRecord]:
    def record(stage: str, fingerprint: str, values: dict[str, Any], error: dict[str, Any] | None = None) -> StageRecord:
        return StageRecord(key, clip, stage, StageResult(fingerprint, values, 0.1, error))

    if scanned.unreadable:
        return [record("audio", AUDIO_FINGERPRINT, {}, {"type": "AudioError", "message": "zero bytes", "attempts": 1})]
    text = " ".join(word.strip(".,").lower() for word in scanned.text.split())
    found = [record("audio", AUDIO_FINGERPRINT, {"channels": 1}), record("signal", "s", scanned.measured())]
    for stage, fingerprint, said in (("fast", "f", scanned.fast), ("precision", "p", scanned.precision)):
        heard = transcript(text if said is None else said, scanned.confidence, f"{stage}-engine")
        found.append(record(stage, fingerprint, transcript_columns(stage, heard)))
    return found if scanned.dnsmos is None else [*found, record("dnsmos", "d", {"dnsmos_ovrl": scanned.dnsmos})]
