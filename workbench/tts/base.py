"""What every speech synthesiser takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.audio import Audio


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One text to speak. ``speed`` is a factor, 1.0 is the voice's own pace."""

    text: str
    voice: str
    speed: float = 1.0


class Synthesizer(Protocol):
    """A text-to-speech engine: ``load``, one batch call, ``close``."""

    name: str
    cloud: bool

    def load(self, device: str = "cpu") -> None: ...

    def voices(self) -> tuple[str, ...]: ...

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]: ...

    def close(self) -> None: ...

    def identity(self) -> dict[str, object]: ...
