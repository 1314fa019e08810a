"""Recordings of the speakers whom synthetic clips should sound like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath

from workbench.errors import AudioError, ConfigError

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus")
#: Name under which the one reference of all clips is kept.
EVERYONE = ""
_MEND = "give option reference (a recording or a folder of recordings), or references (speaker -> recording)"


def references_of(reference: str | None, references: Mapping[str, str] | str | None) -> dict[str, tuple[Path, ...]]:
    """Speaker -> recordings; a single entry under ``EVERYONE`` when all clips have the same target speaker.

    Args:
        reference: a recording, or a folder of recordings of one speaker.
        references: speaker -> such a path, or the path of a YAML or JSON file with that mapping (relative paths start at its folder).

    Raises:
        ConfigError: neither or both are given, or a path holds no recordings.
    """
    if (reference is None) == (references is None):
        got = "neither reference nor references" if reference is None else "both reference and references"
        raise ConfigError("speaker_similarity needs recordings of the target speaker", got=got, expected="one of the two", mend=_MEND)
    if reference is not None:
        return {EVERYONE: _recordings(Path(reference).expanduser())}
    mapping, base = (references, Path()) if isinstance(references, Mapping) else _mapping(Path(references).expanduser())
    return {str(speaker): _recordings(base / Path(str(path)).expanduser()) for speaker, path in mapping.items()}


def speaker_of(path: str | None, speakers: Mapping[str, object]) -> str:
    """Whose reference a clip is compared with: the speaker after whom the nearest folder above the clip, or the clip itself, is named.

    Raises:
        AudioError: none of the speakers is on the clip's path.
    """
    if EVERYONE in speakers:
        return EVERYONE
    found = PurePath(path or "")
    for part in (found.stem, *reversed(found.parts[:-1])):
        if part in speakers:
            return part
    expected = f"a folder named after one of {', '.join(list(speakers)[:5])}"
    raise AudioError("no reference recording for this clip's speaker", where=path, got=path or "audio without a path", expected=expected)


def _mapping(path: Path) -> tuple[Mapping[str, str], Path]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("the list of reference recordings cannot be read", where=path, got=str(error).splitlines()[0], mend=_MEND) from error
    if not isinstance(found, dict) or not found:
        raise ConfigError("the list of reference recordings is no mapping", where=path, got=type(found).__name__, expected="speaker: path")
    return found, path.parent


def _recordings(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        found = tuple(sorted(p for p in path.iterdir() if p.suffix.lower() in AUDIO_SUFFIXES))
    else:
        found = (path,) if path.is_file() else ()
    if not found:
        raise ConfigError("no reference recording there", got=path, expected="an audio file, or a folder of them", mend=_MEND)
    return found
