"""The systems of a comparison: a voice, clips that exist already, or a checkpoint, as parameters write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from workbench import engines
from workbench.config import Config
from workbench.errors import ConfigError, unknown_name


class System(Config):
    """One system of a comparison, either a voice or clips.

    Attributes:
        name: in tables and figures; by default the voice as written, or the name of the folder or list of clips.
        voice: ``engine/voice``.
        options: of that engine. A checkpoint is an engine with its weights: ``{weights: path}``.
        clips: a folder or list of clips, see ``docs/manifests.md``; each is matched to a prompt by its id or by its text.
        kind: of that list, where its path misleads.
        speaker: take only this speaker's clips of the list.
        reference: a recording, or a folder of recordings, of the speaker that it should sound like.
    """

    name: str = ""
    voice: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    clips: str = ""
    kind: str = ""
    speaker: str = ""
    reference: str = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> System:
        if bool(self.voice) == bool(self.clips):
            raise ConfigError("a system is either a voice or clips", where="systems", got=self.shown, expected="one of voice: engine/voice, and clips: path")
        if self.voice and (self.kind or self.speaker):
            raise ConfigError("kind and speaker choose among clips", where="systems", got=self.shown, mend="leave them out, or name clips")
        if self.clips and self.options:
            raise ConfigError("options belong to an engine", where="systems", got=self.shown, mend="leave them out, or name a voice")
        if self.voice and not all(self.voice.partition("/")):
            raise ConfigError("not a voice", where="systems", got=self.voice, expected="engine/voice, for instance flite/slt")
        return self

    @property
    def engine(self) -> str:
        """The engine that speaks; empty where the clips exist already."""
        return self.voice.partition("/")[0]

    @property
    def shown(self) -> str:
        """The system in a sentence: what its parameters say, without defaults."""
        return ", ".join(f"{name}: {value}" for name, value in self.model_dump().items() if value) or "nothing"


def system_of(written: Any) -> Any:
    """A system from its short form: ``engine/voice`` where there is such an engine, else the path of clips. Anything but text passes unchanged.

    Raises:
        UnknownNameError: neither an engine's voice nor a path that exists.
    """
    if not isinstance(written, str):
        return written
    engine, slash, _ = written.partition("/")
    known = [info.name for info in engines.known("tts")]
    if slash and engine in known:
        return System(voice=written)
    if written.startswith("hf:") or Path(written).expanduser().exists():
        return System(clips=written)
    raise unknown_name("system", written, [f"{name}/..." for name in known], where="systems: neither a voice nor a path that exists")


def named(systems: Sequence[System]) -> tuple[tuple[System, ...], tuple[str, ...]]:
    """The systems with names of their own, and a line for each that was given twice or had to be renamed.

    The same system twice is taken once; another one under a name that is taken gets a number: ``mine (2)``.
    """
    found: dict[str, System] = {}
    asked: list[tuple[str, System]] = []
    said: list[str] = []
    for system in systems:
        name = system.name or system.voice or _name_of_clips(system)
        if (name, _unnamed(system)) in asked:
            said.append(f"{name} was given twice and is compared once")
            continue
        asked.append((name, _unnamed(system)))
        taken, number = name, 2
        while taken in found:
            taken, number = f"{name} ({number})", number + 1
        if taken != name:
            said.append(f"Two systems are called {name}: the one with {_unnamed(system).shown} is called {taken} here")
        found[taken] = system.model_copy(update={"name": taken})
    return tuple(found.values()), tuple(said)


def _unnamed(system: System) -> System:
    return system.model_copy(update={"name": ""})


def _name_of_clips(system: System) -> str:
    path = system.clips.removeprefix("hf:").rstrip("/")
    name = path.partition(":")[0] if system.clips.startswith("hf:") else Path(path).expanduser().resolve().name
    name = name.removesuffix(Path(name).suffix) if Path(path).is_file() else name
    return f"{name}/{system.speaker}" if system.speaker else name


def similarity_references(systems: Sequence[System]) -> dict[str, str]:
    """What the judge of speaker similarity takes as ``references``: the folder that a system's audio lies in -> recordings.

    Raises:
        ConfigError: two systems whose audio lies in folders of one name are to sound like different speakers.
    """
    found: dict[str, tuple[str, str]] = {}
    for system in systems:
        if not system.reference:
            continue
        folder = system.voice.partition("/")[2] or Path(system.clips).expanduser().resolve().name
        reference = str(Path(system.reference).expanduser().resolve())
        before, owner = found.setdefault(folder, (reference, system.name))
        if before != reference:
            raise ConfigError(
                f"{owner} and {system.name} have different references, but the audio of both lies in folders called {folder}",
                where="systems", mend="rename one folder, or compare them in two runs",
            )  # fmt: skip
    return {folder: reference for folder, (reference, _) in found.items()}
