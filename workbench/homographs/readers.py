"""Models of readings by the file they lie in, whichever backend wrote it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from workbench.errors import ConfigError
from workbench.homographs.artefact import UNREADABLE
from workbench.homographs.encoder_model import KIND, EncoderReadingModel
from workbench.homographs.expected import ExpectedReader
from workbench.homographs.lexicon import Lexicon
from workbench.homographs.reading_model import ReadingModel


def load_reader(path: str | Path | None = None, *, words: Lexicon | None = None, device: str = "cpu") -> ExpectedReader:
    """The model in a file, whichever backend wrote it; by default the one that ships.

    Raises:
        ConfigError: the file cannot be read.
    """
    if path is not None and _kind(Path(path)) == KIND:
        return EncoderReadingModel.load(path, words=words, device=device)
    return ReadingModel.load(path, words=words)


def _kind(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as file:
            return json.loads(file.read("about.json")).get("kind")
    except UNREADABLE as error:
        raise ConfigError(f"model of readings cannot be read: {error}", where=path, mend="give the file that `workbench homographs train` wrote") from None
