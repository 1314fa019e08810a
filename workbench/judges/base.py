"""What every quality judge takes and gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.audio import Audio
from workbench.errors import AudioError, Failure


@dataclass(frozen=True, slots=True)
class Scores:
    """One judge's scores of one clip.

    ``values`` maps column names (``dnsmos_ovrl``, ``rms_db``) to floats; ``notes`` says what was done to the audio first; ``failure`` is set when the judge could not score this clip.
    """

    values: dict[str, float]
    notes: tuple[str, ...] = ()
    failure: Failure | None = None


class Judge(Protocol):
    """A judge: ``load``, one batch call, ``close``. ``columns`` names what it fills; ``primary`` is the one the composite takes."""

    name: str
    columns: tuple[str, ...]
    primary: str | None

    def load(self, device: str = "cpu") -> None: ...

    def score(self, clips: Sequence[Audio]) -> list[Scores]: ...

    def close(self) -> None: ...

    def identity(self) -> dict[str, object]: ...


class MeasuringJudge(ABC):
    """A judge that measures samples clip by clip: no model, no primary score, done on the CPU whatever the device."""

    name: str
    columns: tuple[str, ...]
    primary = None

    @abstractmethod
    def measured(self, clip: Audio) -> dict[str, float]:
        """Values by column; raises ``AudioError`` for what cannot be measured."""

    def load(self, device: str = "cpu") -> None:
        """Nothing to load."""

    def score(self, clips: Sequence[Audio]) -> list[Scores]:
        """One ``Scores`` per clip, in order; what cannot be measured comes back as a failure."""
        return [self._one(clip) for clip in clips]

    def _one(self, clip: Audio) -> Scores:
        try:
            return Scores(self.measured(clip))
        except AudioError as error:
            return Scores({}, failure=Failure.of(self.name, error))

    def close(self) -> None:
        """Nothing to free."""
