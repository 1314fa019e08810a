"""Which clips a comparison counts: each audio of a system and prompt once, systems with enough prompts, and a list of everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import Failure
from workbench.scan.results import ClipResult
from workbench.scan.system_clips import Entry


@dataclass(frozen=True, slots=True)
class Scored:
    """One clip of a comparison with its results. ``text_id`` names what is said: prompts of one text and category share it."""

    entry: Entry
    result: ClipResult
    text_id: str

    @property
    def system(self) -> str:
        return self.entry.system

    @property
    def usable(self) -> bool:
        """Whether words can be counted: the audio was read and heard."""
        return self.result.verdicts is not None

    @property
    def failure(self) -> Failure | None:
        """Why it is not usable."""
        if self.usable:
            return None
        return self.result.failures[0] if self.result.failures else Failure("fast", "NoResult", "left for another run")


@dataclass(frozen=True, slots=True)
class SameAudio:
    """Two systems that gave the very same samples for ``prompts`` of the ``shared`` prompts that both have."""

    a: str
    b: str
    prompts: int
    shared: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The clips that count, and what does not.

    Attributes:
        clips: of the systems that are compared, repeats left out; those that are not usable are among them.
        compared: systems in the order given.
        set_aside: system -> prompts, of systems with too few usable ones to be compared.
        all_failed: systems without any usable clip.
        repeats: system -> clips left out, because the system gave the same samples for the same prompt already.
        stuck: system -> clips whose samples the system gave for another prompt, too; they count.
        same_audio: systems that are partly or wholly one and the same.
        prompts: how many different texts there are.
    """

    clips: tuple[Scored, ...]
    compared: tuple[str, ...]
    set_aside: dict[str, int]
    all_failed: tuple[str, ...]
    repeats: dict[str, int]
    stuck: dict[str, int]
    same_audio: tuple[SameAudio, ...]
    prompts: int

    def of(self, system: str) -> list[Scored]:
        return [clip for clip in self.clips if clip.system == system]

    def failed(self, system: str) -> list[Scored]:
        """The clips of a system that are not usable."""
        return [clip for clip in self.of(system) if not clip.usable]


def count_clips(entries: Sequence[Entry], results: Sequence[ClipResult], *, systems: Sequence[str], prompts: int, least_prompts: float) -> Counted:
    """Sort the clips of a comparison.

    Args:
        entries, results: one result per entry, in the same order.
        systems: in the order of the report.
        prompts: how many prompts were asked for.
        least_prompts: share of them that a system must have usable clips of; one that has fewer would shrink the comparison of all others.
    """
    clips, repeats = _without_repeats(_scored(entries, results))
    usable = {system: {c.text_id for c in clips if c.system == system and c.usable} for system in systems}
    all_failed = tuple(system for system in systems if not usable[system])
    most = min(prompts, max(map(len, usable.values()), default=0))
    set_aside = {system: len(usable[system]) for system in systems if system not in all_failed and len(usable[system]) < least_prompts * most}
    compared = tuple(system for system in systems if system not in set_aside and system not in all_failed)
    return Counted(
        clips=tuple(clip for clip in clips if clip.system in compared),
        compared=compared,
        set_aside=set_aside,
        all_failed=all_failed,
        repeats=dict(repeats),
        stuck=_stuck(clips),
        same_audio=_same_audio(clips, systems),
        prompts=prompts,
    )


def _scored(entries: Sequence[Entry], results: Sequence[ClipResult]) -> list[Scored]:
    ids: dict[tuple[str, str], str] = {}
    found = []
    for entry, result in zip(entries, results, strict=True):
        text_id = ids.setdefault((entry.prompt.text, entry.prompt.category), entry.prompt.prompt_id)
        found.append(Scored(entry, result, text_id))
    return found


def _without_repeats(clips: Sequence[Scored]) -> tuple[list[Scored], Counter[str]]:
    """Each audio of a system and text once. What cannot be read has no audio to be equal."""
    seen: set[tuple[str, str, str]] = set()
    kept, repeats = [], Counter()
    for clip in clips:
        key = (clip.system, clip.text_id, clip.result.file_hash)
        if clip.usable and key in seen:
            repeats[clip.system] += 1
            continue
        seen.add(key)
        kept.append(clip)
    return kept, repeats


def _stuck(clips: Sequence[Scored]) -> dict[str, int]:
    texts: dict[tuple[str, str], set[str]] = {}
    for clip in clips:
        if clip.usable:
            texts.setdefault((clip.system, clip.result.file_hash), set()).add(clip.text_id)
    found: Counter[str] = Counter()
    for (system, _), said in texts.items():
        found[system] += len(said) if len(said) > 1 else 0
    return {system: count for system, count in found.items() if count}


def _same_audio(clips: Sequence[Scored], systems: Sequence[str]) -> tuple[SameAudio, ...]:
    heard: dict[str, dict[str, set[str]]] = {system: {} for system in systems}
    for clip in clips:
        if clip.usable:
            heard[clip.system].setdefault(clip.text_id, set()).add(clip.result.file_hash)
    found = []
    for place, a in enumerate(systems):
        for b in systems[place + 1 :]:
            shared = heard[a].keys() & heard[b].keys()
            same = sum(bool(heard[a][text] & heard[b][text]) for text in shared)
            found += [SameAudio(a, b, same, len(shared))] if same else []
    return tuple(found)
