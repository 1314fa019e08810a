"""Sets of weights in a folder on the web."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from workbench.errors import ConfigError
from workbench.weights.base import Weights
from workbench.weights.remote import RemoteFile
from workbench.weights.stream import Download

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def listing(found: Weights, commit: str | None) -> tuple[str, list[RemoteFile]]:
    """The revision and the files as the catalogue has them; a folder on the web has no listing of its own.

    Raises:
        ConfigError: the address is not https.
    """
    split = urlsplit(found.source)
    if split.scheme != "https" and not (split.scheme == "http" and split.hostname in _LOOPBACK):
        raise ConfigError(f"weights {found.name!r}: not a source", got=found.source, expected="hf:OWNER/NAME or an https:// address")
    return commit or found.revision, [RemoteFile(file.path, file.size_bytes, file.sha256) for file in found.files]


def download(found: Weights, commit: str, files: list[RemoteFile], folder: Path, *, say: Callable[[str], None]) -> dict[str, str]:
    """The files into ``folder``, each under its name only once it is whole; gives the SHA-256 of each that came, by path.

    Raises:
        EngineError: a download broke off; calling again continues it.
    """
    lacking = [file for file in files if not (folder / file.path).is_file()]
    streamed = {}
    for file in lacking:
        url = f"{found.source.rstrip('/')}/{quote(file.path)}"
        streamed[file.path] = Download(url, folder / file.path, weights=found.name, sha256=file.sha256, say=say).run()
    return streamed
