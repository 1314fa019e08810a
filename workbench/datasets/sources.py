"""Where a dataset of a comparison comes from: a manifest of any kind, or texts spoken by voices; on request with faults planted into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from workbench.clips import KINDS, Manifest, open_manifest
from workbench.config import Config
from workbench.datasets.planted import plant
from workbench.engines import Kind
from workbench.scan.command import name_of
from workbench.scan.plan import ScanConfig, ScanParameters
from workbench.scan.sources import Part, Source, without_speakers
from workbench.scan.speak import TextToSpeak, Voice, speak, usable_voices
from workbench.scan.stages import fingerprint
from workbench.text.prompts import load_prompts

#: A dataset with planted faults is a trial and is held in memory.
MOST_PLANTED_INTO = 5000


class DatasetSource(Config):
    """One dataset.

    Attributes:
        source: what ``open_manifest`` opens; with ``kind``, ``split`` and the column names where it needs to be told.
        texts, voices: in place of a source, a prompt set (or a file of texts) and the voices that speak it.
        text_limit, clip_limit: at most so many, spread over the whole; 0 takes all.
        planted: faults of each kind planted into copies of its clips, to see which of them the report finds; 0 for none.
    """

    source: str = ""
    kind: str = ""
    split: str = ""
    audio_column: str = ""
    text_column: str = ""
    speaker_column: str = ""
    texts: str = ""
    voices: tuple[str, ...] = ()
    text_limit: int = Field(0, ge=0)
    clip_limit: int = Field(0, ge=0)
    planted: int = Field(0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        return {"source": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.source) == bool(self.texts):
            raise ValueError("a dataset needs either source (clips that exist) or texts and voices (clips to be spoken)")
        if self.texts and not self.voices:
            raise ValueError("texts need voices to speak them")
        return self


class DatasetParameters(ScanParameters):
    """Parameters of a phase over several datasets; the notebook says what each means."""

    datasets: dict[str, DatasetSource] = Field(default_factory=dict)
    speed: float = Field(1.0, ge=0.25, le=4.0)
    sensitive: bool = False
    missing_engines: Literal["stop", "skip"] = "stop"
    speech_folder: str = "outputs/speech"

    def speaking_voices(self) -> tuple[str, ...]:
        """Every voice that any dataset is spoken with, as written."""
        return tuple(dict.fromkeys(voice for source in self.datasets.values() for voice in source.voices))

    def speaking_engines(self) -> list[tuple[Kind, str]]:
        return [("tts", Voice.parse(written).engine) for written in self.speaking_voices()]

    def scan_config(self) -> ScanConfig:
        return without_speakers(super().scan_config(), self.speaking_voices())


@dataclass(frozen=True)
class DatasetClips:
    """A dataset's clips, readable as often as need be.

    Attributes:
        scan_id: of its scan; for a whole manifest the one that ``workbench scan`` and ``workbench filter`` use.
        manifest: as ``workbench filter`` takes it; None for clips that were spoken here, or where only a part is taken.
    """

    name: str
    clips: Any
    source: Source
    scan_id: str
    manifest: Manifest | None = None


def open_dataset(name: str, parameters: DatasetParameters, *, say: Callable[[str], None]) -> DatasetClips:
    """The clips of one dataset, spoken now if they have to be, faults planted if they are asked for.

    Raises:
        WorkbenchError: of the family; the source, the voices or the texts are not what they should be.
    """
    asked = parameters.datasets[name]
    found = _spoken(name, asked, parameters, say) if asked.texts else _existing(name, asked)
    if not asked.planted:
        return found
    folder = Path(parameters.speech_folder) / "planted" / fingerprint(scan=found.scan_id, each=asked.planted, seed=parameters.seed)
    manifest, altered = plant(found.clips, folder=folder, dataset=name, each=asked.planted, seed=parameters.seed, most_clips=MOST_PLANTED_INTO)
    source = Source(name, f"{found.source.described}; {altered} of the {manifest.count()} clips have a planted fault", manifest.count(), found.source.speak_sec, found.source.left_out)
    return DatasetClips(name, manifest, source, f"{name}-{folder.name}", manifest)


def _existing(name: str, asked: DatasetSource) -> DatasetClips:
    columns = {column: getattr(asked, column) or None for column in ("audio_column", "text_column", "speaker_column")}
    manifest = open_manifest(asked.source, kind=asked.kind or None, dataset=name, split=asked.split or None, **columns)
    described = f"{KINDS[manifest.kind]}: {manifest.source}"
    # A dataset on a hub is not read twice only to be counted.
    total = None if manifest.kind == "hub" else manifest.count()
    limit = asked.clip_limit
    if not limit or (total is not None and limit >= total):
        return DatasetClips(name, manifest, Source(name, described, total, 0.0, ()), name_of(manifest), manifest)
    described = f"{described}, {limit:,} of {f'{total:,}' if total else 'its'} clips"
    return DatasetClips(name, Part(manifest, limit, of=total), Source(name, described, limit, 0.0, ()), f"{name_of(manifest)}-{limit}")


def _spoken(name: str, asked: DatasetSource, parameters: DatasetParameters, say: Callable[[str], None]) -> DatasetClips:
    prompts = load_prompts(asked.texts, limit=asked.text_limit)
    voices, left_out = usable_voices(asked.voices, when_missing=parameters.missing_engines, options=parameters.engine_options)
    for line in left_out:
        say(line)
    texts = [TextToSpeak.of(prompt, sensitive=parameters.sensitive) for prompt in prompts]
    how = {"speed": parameters.speed, "workers": parameters.workers, "options": parameters.engine_options, "device": parameters.device, "say": say}
    spoken = speak(texts, voices, folder=parameters.speech_folder, dataset=name, **how)
    clips = list(spoken.clips)
    if asked.clip_limit:
        clips = list(Part(clips, min(asked.clip_limit, len(clips)), of=len(clips)))
    described = f"{len(prompts)} texts of {asked.texts!r} in {len(voices)} {'voice' if len(voices) == 1 else 'voices'}"
    scan_id = f"{name}-{fingerprint(clips=[(clip.clip_id, clip.audio) for clip in clips])}"
    return DatasetClips(name, clips, Source(name, described, len(clips), spoken.sec, tuple(left_out)), scan_id)
