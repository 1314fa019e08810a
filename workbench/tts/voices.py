"""Voices and aliases per backend, and what to say to a voice that a backend does not have. The data is ``voices.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from workbench.errors import UnknownNameError, unknown_name


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One voice. ``language`` is a BCP 47 tag, ``multi`` where the backend speaks every language in it; ``gender`` is female or male."""

    name: str
    language: str
    gender: str


@dataclass(frozen=True, slots=True)
class VoiceSet:
    """The voices of one backend and the short names that stand for some of them."""

    voices: tuple[VoiceInfo, ...]
    aliases: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(voice.name for voice in self.voices)

    def info(self, voice: str) -> VoiceInfo | None:
        return next((one for one in self.voices if one.name == voice), None)


#: Backends that speak with the voices of another one.
SPEAKS_LIKE = {"openai-speech": "kokoro-server"}


@cache
def voice_sets() -> dict[str, VoiceSet]:
    """Backend -> voices, from ``voices.toml``."""
    data = tomllib.loads(files("workbench.tts").joinpath("voices.toml").read_text(encoding="utf-8"))
    languages, genders = data["language_letters"], data["gender_letters"]
    found = {}
    for backend, table in data["backends"].items():
        voices = []
        for prefix, names in table.get("by_rule", {}).items():
            voices += [VoiceInfo(f"{prefix}_{name}", languages[prefix[0]], genders[prefix[1]]) for name in names]
        for language, by_gender in table.get("listed", {}).items():
            voices += [VoiceInfo(name, language, gender) for gender, names in by_gender.items() for name in names]
        if parent := table.get("includes"):
            voices = [*found[parent].voices, *voices]
        found[backend] = VoiceSet(tuple(voices), {**(found[parent].aliases if parent else {}), **table.get("aliases", {})})
    return found


def voices_of(backend: str) -> VoiceSet:
    """The catalogue of a backend; an empty one for backends that list their voices themselves."""
    return voice_sets().get(SPEAKS_LIKE.get(backend, backend), VoiceSet((), {}))


def resolve_voice(backend: str, voice: str, voices: Collection[str], *, where: object = None, aliases: dict[str, str] | None = None) -> str:
    """The voice that a name or alias stands for.

    Args:
        voices: what the backend has now.
        aliases: the backend's own by default.

    Raises:
        UnknownNameError: nothing answers to the name; says whose voice it is where another backend has it, and the nearest
            or the right ones.
    """
    if voice in voices:
        return voice
    aliases = voices_of(backend).aliases if aliases is None else aliases
    meant = aliases.get(voice)
    if meant in voices:
        return meant
    if owners := _owners(voice, backend, voices):
        stem = voice.rpartition("_")[2].casefold()
        close = [name for name in sorted(voices) if name.rpartition("_")[2].casefold() == stem]
        short = [f"{alias} ({name})" for alias, name in aliases.items() if name in voices]
        mend = f"use a voice of {backend}: {', '.join(dict.fromkeys([*close, *(short or sorted(voices)[:8])]))}"
        what = f"{voice!r} is no voice of {backend}, it belongs to {' and '.join(owners)}"
        raise UnknownNameError(what, where=where or "voices", expected=f"one of {', '.join(sorted(voices))}", mend=mend)
    raise unknown_name(f"{backend} voice", voice, {*voices, *(alias for alias, name in aliases.items() if name in voices)}, where=where)


def _owners(voice: str, backend: str, voices: Collection[str]) -> list[str]:
    """Backends that know the name, as a voice or as an alias that this backend lacks."""
    found = [other for other, known in voice_sets().items() if voice in known.names or voice in known.aliases]
    spoken_of = {"kokoro-server": "openai-speech (a Kokoro server)", "openai": "openai-speech (OpenAI's own models)"}
    own = SPEAKS_LIKE.get(backend, backend)
    if "kokoro" in found and "kokoro-server" in found:
        found.remove("kokoro-server")
    return [spoken_of.get(other, other) for other in found if other != own]
