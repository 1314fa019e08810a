"""Keys of cloud services: from the environment or a file of the user's, and never out again in writing."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from workbench.errors import ConfigError, EngineUnavailableError

FILE_NAME = "secrets.toml"
_TALKATIVE = ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")


class Secret:
    """A key. Printing, formatting and pickling never show it; ``reveal`` is for the line that puts it into a request."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def redacted(self, text: str) -> str:
        """``text`` without the key, for what a server may have echoed."""
        return text.replace(self._value, "***")

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self):
        raise TypeError("a key is never written anywhere")


class _Hiding(logging.Filter):
    """Takes a key out of what a library logs: at its most talkative httpcore writes a server's headers, which may echo it."""

    def __init__(self, key: Secret) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        hidden = self._key.redacted(said)
        if hidden != said:
            record.msg, record.args = hidden, ()
        return True


@contextmanager
def hidden_in_logs(key: Secret | None) -> Iterator[None]:
    """While the block runs, the HTTP library's loggers write ``***`` for the key."""
    hiding = _Hiding(key) if key is not None else None
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    for logger in loggers if hiding else ():
        logger.addFilter(hiding)
    try:
        yield
    finally:
        for logger in loggers if hiding else ():
            logger.removeFilter(hiding)


def find_key(name: str) -> Secret | None:
    """The key of that name: the environment first, then ``secrets.toml`` in the project, then in the user's configuration folder.

    Raises:
        ConfigError: a file that others may read, that is not TOML or holds no text under the name; a key that no HTTP header can carry.
    """
    if value := os.environ.get(name, "").strip():
        return _checked(value, f"environment variable {name}", name)
    for path in _files():
        if path.is_file():
            value = _read(path).get(name)
            if value is not None:
                if not isinstance(value, str):
                    raise ConfigError("a key must be text", where=f"{path}, {name}", got=type(value).__name__, expected=f'{name} = "..."')
                return _checked(value.strip(), f"{path}, {name}", name)
    return None


def need_key(name: str, *, engine: str) -> Secret:
    """
    Raises:
        EngineUnavailableError: there is none; says where it may be put.
    """
    found = find_key(name)
    if found is None:
        home = Path(platformdirs.user_config_dir("workbench")) / FILE_NAME
        file = f'{name} = "..." to {FILE_NAME} in the project (git ignores it) or to {home}, with chmod 600'
        mend = f"set the environment variable {name}, or write {file}"
        raise EngineUnavailableError(f"{engine} needs a key", where=engine, got=f"no {name}", mend=mend)
    return found


def _files() -> Iterator[Path]:
    """The nearest ``secrets.toml`` between here and the project's root, then the user's own."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        yield folder / FILE_NAME
        if (folder / ".git").exists() or (folder / "pyproject.toml").exists():
            break
    yield Path(platformdirs.user_config_dir("workbench")) / FILE_NAME


def _read(path: Path) -> dict[str, object]:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        mode = f"mode {path.stat().st_mode & 0o777:o}"
        raise ConfigError("a file of keys that others may read", where=path, got=mode, expected="mode 600", mend=f"chmod 600 {path}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The parser's own message may quote the line, and the line is the key.
        raise ConfigError("a file of keys that is not TOML", where=path, expected='lines like GEMINI_API_KEY = "..."') from None


def _checked(value: str, where: str, name: str) -> Secret:
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"{name} holds no key", where=where, got=f"{len(value)} characters", expected="printable ASCII without spaces")
    return Secret(value)
