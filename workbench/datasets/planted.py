"""Planted faults: copies of clips with one known fault each, so that a report can say how much of what is wrong it finds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import numpy as np

from workbench import audio as audio_io
from workbench.audio import Audio
from workbench.clips import Clip, Manifest, load_audio, open_manifest
from workbench.datasets.faults import Fault
from workbench.datasets.writing import writing
from workbench.errors import AudioError, ConfigError, TextError
from workbench.text import known_word
from workbench.text.spoken import SPOKEN_FORMS, ways_to_say

#: The extra field in which a planted clip carries its kind.
MARK = "planted"
MANIFEST = "planted.jsonl"
_LONG, _SHORT, _CUT, _CLIPPED_SHARE = 2.2, 0.4, 0.6, 0.02
#: Words that a typo goes into: long enough to be known in spite of it.
_TYPO_LETTERS = 6


class Planted(StrEnum):
    """What was done to a copy of a clip."""

    TYPO = "typo"
    JOINED_WORDS = "joined_words"
    OTHER_TEXT = "other_text"
    LONG_TEXT = "long_text"
    SHORT_TEXT = "short_text"
    LOW_PASSED = "low_passed"
    CLIPPED = "clipped"
    CUT = "cut"
    SILENCED = "silenced"
    SAME_AUDIO = "same_audio"
    SAME_TEXT = "same_text"

    @property
    def shows_as(self) -> frozenset[Fault]:
        """The faults that a clip so treated has."""
        return _SHOWS_AS[self]

    @property
    def told(self) -> str:
        return _TOLD[self]


_SHOWS_AS = MappingProxyType({
    Planted.TYPO: frozenset({Fault.TYPO}),
    Planted.JOINED_WORDS: frozenset({Fault.SPACING}),
    Planted.OTHER_TEXT: frozenset({Fault.OTHER_WORDS}),
    Planted.LONG_TEXT: frozenset({Fault.TEXT_TOO_LONG}),
    Planted.SHORT_TEXT: frozenset({Fault.TEXT_TOO_SHORT}),
    Planted.LOW_PASSED: frozenset({Fault.LOW_CEILING}),
    Planted.CLIPPED: frozenset({Fault.CLIPPED}),
    Planted.CUT: frozenset({Fault.CUT_OFF, Fault.WORDS_WRONG}),
    Planted.SILENCED: frozenset({Fault.SILENT}),
    Planted.SAME_AUDIO: frozenset({Fault.SAME_AUDIO}),
    Planted.SAME_TEXT: frozenset({Fault.SAME_TEXT}),
})  # fmt: skip
_TOLD = MappingProxyType({
    Planted.TYPO: "two letters of a long word exchanged in the text",
    Planted.JOINED_WORDS: "the blank between two words of the text removed",
    Planted.OTHER_TEXT: "the text of another clip",
    Planted.LONG_TEXT: "another clip's text behind its own",
    Planted.SHORT_TEXT: "only the first words of the text",
    Planted.LOW_PASSED: "brought to half its rate and back",
    Planted.CLIPPED: "amplified until it clips",
    Planted.CUT: "the last 40% of the audio cut away",
    Planted.SILENCED: "the audio replaced by silence",
    Planted.SAME_AUDIO: "the same file listed a second time",
    Planted.SAME_TEXT: "the same text again, in audio of another level",
})  # fmt: skip
#: Kinds that add a clip and leave the original as it is.
ADDING = frozenset({Planted.SAME_AUDIO, Planted.SAME_TEXT})


@dataclass(frozen=True, slots=True)
class Task:
    """A clip and what is done to it; ``other`` is the clip whose text it gets, if any."""

    kind: Planted
    clip: Clip
    other: Clip


def plant(clips: Iterable[Clip], *, folder: Path, dataset: str, each: int, seed: int, most_clips: int) -> tuple[Manifest, int]:
    """A manifest in which some of the clips are faulty copies, and how many; every other clip stands in it as it was. Only the copies' audio is written.

    Args:
        folder: for the copies and the manifest; what is there already is kept.
        each: faults of each kind, every one in another clip.

    Raises:
        ConfigError: too few clips to leave half of them untouched, or more than ``most_clips``.
    """
    found = list(islice(clips, most_clips + 1))
    if len(found) > most_clips:
        raise ConfigError("too many clips to plant faults into", where=f"dataset {dataset}", got=f"more than {most_clips:,}", mend="give clip_limit")
    usable = [clip for clip in found if not clip.fault and len(clip.text.split()) > 3]
    if (needed := each * len(Planted)) > len(usable) // 2:
        raise ConfigError(
            "too few clips to plant faults into", where=f"dataset {dataset}", got=f"{len(usable)} usable clips for {each} faults of {len(Planted)} kinds",
            expected=f"at least {2 * needed}, so that half of them stay as they are", mend="plant fewer, or take more clips",
        )  # fmt: skip
    tasks = {task.clip.clip_id: task for task in _tasks(usable, each, random.Random(seed))}
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder / MANIFEST) as writer:
        for clip in found:
            for row in _rows(clip, tasks.get(clip.clip_id), folder):
                writer.write(row)
    return open_manifest(folder / MANIFEST, dataset=dataset), len(tasks)


def _tasks(clips: Sequence[Clip], each: int, chance: random.Random) -> Iterator[Task]:
    chosen = iter(chance.sample(range(len(clips)), len(clips)))
    for kind in Planted:
        for _ in range(each):
            place = next(chosen)
            # A text that stands further down would make a copy of its own clip, which nothing was done to.
            before = clips[:place] or clips
            others = [candidate for candidate in chance.sample(before, min(20, len(before))) if candidate.text.split() != clips[place].text.split()]
            yield Task(kind, clips[place], others[0] if others else clips[place])


def _rows(clip: Clip, task: Task | None, folder: Path) -> Iterator[Clip]:
    if clip.audio_bytes is not None and not clip.fault:
        clip = _stored(clip, load_audio(clip), folder, "as-it-was")
    if task is None or task.kind in ADDING:
        yield clip
    if task is not None:
        try:
            yield _faulty(clip, task, folder)
        except AudioError:
            # What cannot be read has its own fault already.
            yield from () if task.kind in ADDING else (clip,)


def _faulty(clip: Clip, task: Task, folder: Path) -> Clip:
    kind, marked = task.kind, replace(clip, extra={**clip.extra, MARK: task.kind.value})
    if kind in _ON_TEXT:
        text = _ON_TEXT[kind](clip.text, task.other.text)
        return replace(marked, text=text, extra=_fitting(marked.extra, text))
    if kind is Planted.SAME_AUDIO:
        return replace(marked, clip_id=f"{clip.clip_id}-again")
    altered = _stored(marked, _ON_AUDIO[kind](load_audio(clip)), folder, kind.value)
    return replace(altered, clip_id=f"{clip.clip_id}-again") if kind is Planted.SAME_TEXT else altered


def _fitting(extra: Mapping[str, object], text: str) -> dict[str, object]:
    """What else is known of a clip, without spoken forms that do not fit its new text: they would be a fault of their own."""
    try:
        ways_to_say(text, str(extra.get(SPOKEN_FORMS) or ""))
    except TextError:
        return {name: value for name, value in extra.items() if name != SPOKEN_FORMS}
    return dict(extra)


def _stored(clip: Clip, audio: Audio, folder: Path, purpose: str) -> Clip:
    """The clip with this audio in a file of its own."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in clip.clip_id)[-80:]
    # Two clips may come to one such name, and the same clip to other audio: what is in the file is in its name.
    path = folder / f"{purpose}-{name}-{audio_io.content_hash(audio)[:8]}.wav"
    if not path.exists():
        audio_io.write_wav(audio, path)
    extra = {name: value for name, value in clip.extra.items() if name not in ("offset_sec", "duration_sec")}
    return replace(clip, audio=str(path.resolve()), audio_bytes=None, extra=extra)


def _with_typo(text: str, _other: str) -> str:
    words = text.split()
    for index in sorted(range(len(words)), key=lambda index: -len(words[index])):
        word = words[index]
        for at in range(1, len(word) - 2):
            wrong = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            if word.isalpha() and len(word) >= _TYPO_LETTERS and wrong != word and not known_word(wrong):
                return " ".join([*words[:index], wrong, *words[index + 1 :]])
    return " ".join([*words[:-1], f"{words[-1]}x"])


def _joined(text: str, _other: str) -> str:
    words = text.split()
    places = [at for at in range(1, len(words) - 1) if words[at].isalpha() and words[at + 1].isalpha() and not known_word(words[at] + words[at + 1])]
    at = places[len(places) // 2] if places else 0
    return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])


def _longer(text: str, other: str) -> str:
    longer = f"{text} {other}"
    while len(longer) < _LONG * len(text):
        longer = f"{longer} {other}"
    return longer


def _shorter(text: str, _other: str) -> str:
    words = text.split()
    return " ".join(words[: max(1, round(_SHORT * len(words)))])


def _low_passed(audio: Audio) -> Audio:
    half = max(audio_io.SAMPLE_RATE_RANGE_HZ[0], audio.sample_rate_hz // 2)
    return audio_io.resample(audio_io.resample(audio, half), audio.sample_rate_hz)


def _clipped(audio: Audio) -> Audio:
    loud = float(np.quantile(np.abs(audio.samples), 1 - _CLIPPED_SHARE))
    if not loud:
        raise AudioError("silent audio cannot be clipped", where=audio.path)
    return replace(audio, samples=np.clip(audio.samples / np.float32(loud), -1, 1))


def _cut(audio: Audio) -> Audio:
    return audio_io.cut(audio, 0.0, _CUT * audio.duration_sec)


_ON_TEXT = MappingProxyType({
    Planted.TYPO: _with_typo,
    Planted.JOINED_WORDS: _joined,
    Planted.OTHER_TEXT: lambda _text, other: other,
    Planted.LONG_TEXT: _longer,
    Planted.SHORT_TEXT: _shorter,
})  # fmt: skip
_ON_AUDIO = MappingProxyType({
    Planted.LOW_PASSED: _low_passed,
    Planted.CLIPPED: _clipped,
    Planted.CUT: _cut,
    Planted.SILENCED: lambda audio: replace(audio, samples=np.zeros_like(audio.samples)),
    Planted.SAME_TEXT: lambda audio: replace(audio, samples=audio.samples * np.float32(0.7)),
})  # fmt: skip
