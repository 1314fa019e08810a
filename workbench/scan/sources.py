"""Where a phase's clips come from: texts spoken by voices, or clips that exist already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from workbench.clips import KINDS, Clip, open_manifest
from workbench.errors import EngineUnavailableError
from workbench.scan.plan import ScanConfig, ScanParameters
from workbench.scan.reference import forms_of
from workbench.scan.results import ClipResult
from workbench.scan.speak import TextToSpeak, Voice, speak, usable_voices
from workbench.text.prompts import load_prompts


class SourceParameters(ScanParameters):
    """Parameters of phases that speak texts or take clips, and scan them; the notebooks say what each means."""

    texts: str = "everyday"
    text_limit: int = Field(0, ge=0)
    voices: tuple[str, ...] = ("flite/slt", "espeak/en-us")
    speed: float = Field(1.0, ge=0.25, le=4.0)
    sensitive: bool = False
    missing_engines: Literal["stop", "skip"] = "stop"
    manifest: str = ""
    manifest_kind: str = ""
    dataset: str = ""
    clip_limit: int = Field(0, ge=0)
    speech_folder: str = "outputs/speech"

    def speaking_voices(self) -> tuple[str, ...]:
        """Every voice that the phase may speak with, as written."""
        return self.voices

    def scan_config(self) -> ScanConfig:
        return without_speakers(super().scan_config(), self.speaking_voices())


def without_speakers(config: ScanConfig, voices: Sequence[str]) -> ScanConfig:
    """The configuration without options of engines that only speak: they are none of the scan's."""
    speaking = {written.partition("/")[0] for written in voices}
    listening = {config.fast, config.precision, *config.judges}
    options = {name: given for name, given in config.engine_options.items() if name in listening or name not in speaking}
    return config.model_copy(update={"engine_options": options})


@dataclass(frozen=True, slots=True)
class Source:
    """What the clips of a phase are. ``left_out`` says which voices could not take part."""

    dataset: str
    described: str
    total: int | None
    speak_sec: float
    left_out: tuple[str, ...]


def clips_of(config: SourceParameters, say: Callable[[str], None]) -> tuple[Any, Source]:
    """The clips, spoken now if they have to be, in something that can be read as often as need be."""
    if config.manifest:
        manifest = open_manifest(config.manifest, kind=config.manifest_kind or None, dataset=config.dataset or None)
        described = f"{KINDS[manifest.kind]}: {manifest.source}"
        # A dataset on a hub is not read twice only to be counted.
        if manifest.kind == "hub":
            clips = Part(manifest, config.clip_limit, of=None) if config.clip_limit else manifest
            return clips, Source(manifest.dataset, described, config.clip_limit or None, 0.0, ())
        total = manifest.count()
        limit = min(config.clip_limit or total, total)
        clips = Part(manifest, limit, of=total) if limit < total else manifest
        return clips, Source(manifest.dataset, described, limit, 0.0, ())
    prompts = load_prompts(config.texts, limit=config.text_limit)
    voices, left_out = usable_voices(config.voices, when_missing=config.missing_engines, options=config.engine_options)
    for line in left_out:
        say(line)
    texts = [TextToSpeak.of(prompt, sensitive=config.sensitive) for prompt in prompts]
    dataset = config.dataset or Path(config.texts).stem
    spoken = speak(
        texts,
        voices,
        folder=config.speech_folder,
        dataset=dataset,
        speed=config.speed,
        workers=config.workers,
        options=config.engine_options,
        device=config.device,
        say=say,
    )
    described = f"{len(prompts)} texts of {config.texts!r} in {len(voices)} voices"
    return list(spoken.clips), Source(dataset, described, len(spoken.clips), spoken.sec, tuple(left_out))


class Part:
    """Some clips of a manifest: every n-th where their number is known, as a limit should not mean the first speaker only; else the first ones. Read as often as need be."""

    def __init__(self, manifest: Any, limit: int, *, of: int | None) -> None:
        self._manifest, self._limit, self._of = manifest, limit, of

    def __iter__(self) -> Iterator[Clip]:
        if self._of is None:
            yield from islice(self._manifest, self._limit)
            return
        wanted = (k * self._of // self._limit for k in range(self._limit))
        following = next(wanted)
        for index, clip in enumerate(self._manifest):
            if index == following:
                yield clip
                following = next(wanted, -1)


def some_voices(written: Sequence[str], config: SourceParameters) -> tuple[list[Voice], list[str]]:
    """Those of the voices that can speak, none if need be, and a line for each that cannot."""
    if not written:
        return [], []
    try:
        return usable_voices(written, when_missing=config.missing_engines, options=config.engine_options)
    except EngineUnavailableError as error:
        if config.missing_engines == "stop":
            raise
        return [], [str(error)]


def dataset_hash(results: Sequence[ClipResult]) -> str:
    """Names the clips of a run by their names, audio and texts."""
    digest = hashlib.sha256()
    for result in results:
        forms = forms_of(result.clip)
        told = (result.clip.clip_id, result.file_hash, result.clip.text, *([forms] if forms else []))
        digest.update(("\0".join(told) + "\n").encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
