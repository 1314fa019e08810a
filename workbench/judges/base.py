"""What every quality judge takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.audio import Audio
from workbench.errors import Failure


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
