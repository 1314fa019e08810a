"""The clips of each system of a comparison, one or more per prompt: spoken now, or found among clips that exist."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from workbench.clips import Clip, open_manifest
from workbench.errors import EngineUnavailableError
from workbench.scan.speak import TextToSpeak, Voice, speak, usable_voice
from workbench.scan.systems import System
from workbench.text import comparable
from workbench.text.prompts import Prompt

#: Ways to say a prompt that a clip's text is compared with; the ways multiply with every number in a text.
MOST_WAYS = 64
#: ``numbers-03#2``, ``numbers-03_take2``: a further take of a prompt.
_TAKE = re.compile(r"(?:#|[-_. ]take[-_ ]?)\d+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One clip of a comparison. ``take`` counts the clips of one system and prompt from 1."""

    system: str
    prompt: Prompt
    take: int
    clip: Clip


@dataclass(frozen=True, slots=True)
class SystemSource:
    """Where a system's clips come from.

    Attributes:
        unmatched: clips that say none of the prompts, and some of their ids.
        other_text: clips matched by id whose own text says something else than their prompt; they are held against the prompt.
    """

    system: System
    clips: int
    unmatched: int = 0
    examples: tuple[str, ...] = ()
    other_text: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """All clips, system by system. ``left_out`` has a line for each system that cannot take part."""

    entries: tuple[Entry, ...]
    sources: tuple[SystemSource, ...]
    left_out: tuple[str, ...]
    speak_sec: float


def gather_clips(
    systems: Sequence[System],
    prompts: Sequence[Prompt],
    *,
    dataset: str,
    takes: int,
    speed: float,
    sensitive: bool,
    when_missing: str,
    engine_options: Mapping[str, Mapping[str, Any]],
    folder: str,
    workers: int,
    device: str,
    say: Callable[[str], None],
) -> Gathered:
    """Every system's clips of the prompts. A prompt that a voice could not speak is a clip with a fault; one that a list of clips lacks is absent.

    Args:
        when_missing: ``stop`` raises for the first engine that is not installed, ``skip`` leaves its systems out.
        engine_options: by engine; a system's own options win.

    Raises:
        UnknownNameError, ManifestError: no such engine, voice or list of clips.
        EngineUnavailableError: with ``stop``, or when no system is left.
        PrivacyError: a sensitive prompt and a cloud engine.
    """
    voices, left_out = _voices([system for system in systems if system.voice], when_missing, engine_options)
    for line in left_out:
        say(line)
    texts = [replace(TextToSpeak.of(prompt, sensitive=sensitive), take=take) for prompt in prompts for take in range(1, takes + 1)]
    spoken: dict[str, Sequence[Clip]] = {}
    speak_sec = 0.0
    for members, options in _rounds(voices, engine_options):
        told = {"dataset": dataset, "speed": speed, "workers": workers, "options": options, "device": device, "say": say}
        done = speak(texts, list(dict.fromkeys(voice for _, voice in members)), folder=folder, **told)
        speak_sec += done.sec
        by_voice: dict[str, list[Clip]] = {}
        for clip in done.clips:
            by_voice.setdefault(clip.speaker, []).append(clip)
        spoken |= {system.name: by_voice[str(voice)] for system, voice in members}
    entries, sources = [], []
    for system in systems:
        if system.name in spoken:
            prompted = [(prompt, clip) for prompt, clip in zip(_repeated(prompts, takes), spoken[system.name], strict=True)]
            sources.append(SystemSource(system, len(prompted)))
        elif system.clips:
            prompted, source = _matched(system, prompts, dataset)
            sources.append(source)
        else:
            continue
        entries += _entries(system, prompted)
    if not sources:
        raise EngineUnavailableError("no system is left to compare", where="systems", got="; ".join(left_out) or "an empty list", mend="workbench doctor")
    return Gathered(tuple(entries), tuple(sources), tuple(left_out), speak_sec)


def _voices(systems: Sequence[System], when_missing: str, engine_options: Mapping[str, Mapping[str, Any]]) -> tuple[list[tuple[System, Voice]], list[str]]:
    voices, left_out = [], []
    for system in systems:
        options = options_of(system, engine_options)
        voice, why_not = usable_voice(Voice.parse(system.voice), when_missing=when_missing, options=options)
        if voice is None:
            left_out.append(why_not if system.name == system.voice else f"{system.name}: {why_not}")
        else:
            voices.append((system, voice))
    return voices, left_out


def options_of(system: System, engine_options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The options that a system's engine is made with."""
    return {**engine_options.get(system.engine, {}), **system.options}


def _rounds(
    voices: Sequence[tuple[System, Voice]], engine_options: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[list[tuple[System, Voice]], dict[str, dict[str, Any]]]]:
    """Systems that can be spoken in one go, with the options of their engines: an engine has one set of options at a time."""
    left = list(voices)
    while left:
        options: dict[str, dict[str, Any]] = {}
        now, later = [], []
        for system, voice in left:
            own = options_of(system, engine_options)
            (now if options.setdefault(voice.engine, own) == own else later).append((system, voice))
        yield now, options
        left = later


def _repeated(prompts: Sequence[Prompt], takes: int) -> list[Prompt]:
    return [prompt for prompt in prompts for _ in range(takes)]


def _entries(system: System, prompted: Sequence[tuple[Prompt, Clip]]) -> Iterator[Entry]:
    count: Counter[str] = Counter()
    for prompt, clip in prompted:
        count[prompt.prompt_id] += 1
        take = count[prompt.prompt_id]
        clip_id = f"{prompt.prompt_id}/{system.name}" + (f"#{take}" if take > 1 else "")
        yield Entry(system.name, prompt, take, replace(clip, clip_id=clip_id, speaker=system.name, category=prompt.category))


def _matched(system: System, prompts: Sequence[Prompt], dataset: str) -> tuple[list[tuple[Prompt, Clip]], SystemSource]:
    """A list's clips that say one of the prompts, in the order of the prompts, held against the prompt's text whatever their own is."""
    by_id = {prompt.prompt_id: prompt for prompt in prompts}
    by_text = _by_text(prompts)
    found: dict[str, list[Clip]] = {}
    unmatched, other_text, examples = 0, 0, []
    for clip in open_manifest(system.clips, kind=system.kind or None, dataset=dataset):
        if system.speaker and clip.speaker != system.speaker:
            continue
        said = by_text.get(comparable(clip.text)) if clip.text else None
        prompt = _prompt_by_id(clip, by_id) or said
        if prompt is None:
            unmatched += 1
            examples += [clip.clip_id] if len(examples) < 3 else []
            continue
        # Two prompts may have one text.
        other_text += bool(clip.text) and (said is None or said.text != prompt.text)
        found.setdefault(prompt.prompt_id, []).append(_held_against(prompt, clip))
    prompted = [(prompt, clip) for prompt in prompts for clip in found.get(prompt.prompt_id, ())]
    return prompted, SystemSource(system, len(prompted), unmatched, tuple(examples), other_text)


def _by_text(prompts: Sequence[Prompt]) -> dict[str, Prompt]:
    found: dict[str, Prompt] = {}
    for prompt in prompts:
        for way in (prompt.text, *islice(prompt.spoken.sentences(), MOST_WAYS)):
            found.setdefault(comparable(way), prompt)
    return found


def _prompt_by_id(clip: Clip, by_id: Mapping[str, Prompt]) -> Prompt | None:
    """The prompt whose id is the clip's id, its file's name without ending, or a folder above it."""
    path = PurePosixPath(clip.clip_id)
    for name in (clip.clip_id, path.name, path.stem, PurePosixPath(clip.audio).stem if clip.audio else "", *reversed(path.parts[:-1])):
        prompt = by_id.get(name) or by_id.get(_TAKE.sub("", name))
        if prompt is not None:
            return prompt
    return None


def _held_against(prompt: Prompt, clip: Clip) -> Clip:
    # Of a clip whose prompt is known no text is needed.
    fault = None if clip.audio and not clip.text else clip.fault
    return replace(clip, text=prompt.text, fault=fault, extra={**clip.extra, **prompt.extra})
