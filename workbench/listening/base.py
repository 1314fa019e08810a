"""What a listening test is made of: sounds without a name, trials, and the answers they may have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TrialKind(StrEnum):
    """What a listener is asked.

    MOS: one clip, rated 1 to 5 (absolute category rating, ITU-T P.800). AB: two clips of one text, which is better. ABX: which of A and B is X.
    """

    MOS = "mos"
    AB = "ab"
    ABX = "abx"


class Check(StrEnum):
    """A trial whose answer is known. INSTRUCTED says aloud which answer to give, DEGRADED holds a ruined copy of a clip, IDENTICAL the same clip twice."""

    INSTRUCTED = "instructed"
    DEGRADED = "degraded"
    IDENTICAL = "identical"


NO_PREFERENCE = "none"
#: Every answer that a ratings file may hold, by kind of trial, in the order in which they are offered.
ANSWERS: dict[TrialKind, tuple[str, ...]] = {
    TrialKind.MOS: ("1", "2", "3", "4", "5"),
    TrialKind.AB: ("A", "B", NO_PREFERENCE),
    TrialKind.ABX: ("A", "B"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One sound of a test.

    ``item_id`` names its file and tells nothing. ``audio_hash`` is that of the samples as they are played. ``system`` and ``clip_id`` are the key that
    listeners must not see; a sound made for attention checks has the system ``""``, and ``check`` says what was done to it.
    """

    item_id: str
    system: str
    text: str
    clip_id: str
    audio_hash: str
    duration_sec: float
    check: str = ""
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One question to one listener.

    Attributes:
        position: 1, 2, 3 ... within the listener's test.
        items: item ids in the order in which they are heard: one (MOS), A and B (AB), A, B and X (ABX).
        check: a ``Check`` if the answer is known, else empty; ``accepted`` are the answers that pass it. For ABX ``accepted`` is always the right one.
        token: a digest of all this and of the plan, so that a rating can never be read as the answer to another question.
    """

    position: int
    kind: TrialKind
    items: tuple[str, ...]
    token: str
    check: str = ""
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """One answer. ``elapsed_sec`` is the time from showing the trial to its answer, ``rated_at`` ISO 8601 in UTC, ``source`` who wrote it."""

    listener: str
    trial: Trial
    answer: str
    elapsed_sec: float
    rated_at: str
    source: str = "notebook"
