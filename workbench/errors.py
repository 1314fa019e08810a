"""The error family: every error says what, where, what it got, what it expected and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class WorkbenchError(Exception):
    """Base of all errors that a user can mend.

    Args:
        what: one clause that names the fault.
        where: file, clip, parameter or stage in which it was found.
        got: the offending value, shortened for display.
        expected: what would have been accepted.
        mend: what to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        got: object = None,
        expected: object = None,
        mend: str | None = None,
    ) -> None:
        self.what, self.where, self.got, self.expected, self.mend = what, where, got, expected, mend
        super().__init__(self._text())

    def _text(self) -> str:
        parts = [self.what]
        if self.where is not None:
            parts.append(f"where: {_short(self.where)}")
        if self.got is not None:
            parts.append(f"got: {_short(self.got)}")
        if self.expected is not None:
            parts.append(f"expected: {_short(self.expected)}")
        if self.mend:
            parts.append(f"to mend: {self.mend}")
        return "; ".join(parts)

    def __reduce__(self):
        # Errors cross process borders (workers); keyword-only fields would be lost by the default.
        return (_rebuild, (type(self), self.what, self.where, self.got, self.expected, self.mend))


def _rebuild(cls, what, where, got, expected, mend):
    return cls(what, where=where, got=got, expected=expected, mend=mend)


def _short(value: object, limit: int = 300) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


class ConfigError(WorkbenchError):
    """A parameter is unknown, of the wrong type or out of range."""


class UnknownNameError(WorkbenchError):
    """A name (engine, voice, parameter, profile) that nothing answers to."""


class AudioError(WorkbenchError):
    """Audio that cannot be read or cannot be judged."""


class TextError(WorkbenchError):
    """Text that cannot be spoken or compared."""


class ManifestError(WorkbenchError):
    """A list of clips that cannot be read."""


class EngineError(WorkbenchError):
    """An engine failed on its input."""


class EngineUnavailableError(EngineError):
    """An engine's program, package or weights are not installed."""


class EngineTimeoutError(EngineError):
    """An engine gave no answer in the time that its batch was allowed."""


class PrivacyError(WorkbenchError):
    """Confidential material was about to leave this machine."""


class StoreError(WorkbenchError):
    """The results database refused."""


class ListeningError(WorkbenchError):
    """A listening test, or a listener's ratings, that cannot be used."""


class RunError(WorkbenchError):
    """A notebook run did not finish."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A fault as data in a row: the stage it struck, the error's type and its message."""

    stage: str
    type: str
    message: str

    @classmethod
    def of(cls, stage: str, error: BaseException) -> Failure:
        return cls(stage, type(error).__name__, str(error) or repr(error))


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """The known names closest in spelling to ``name``, best first; empty when none is close."""
    known = list(known)
    by_folded = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=count, cutoff=0.5)
    return [by_folded[k] for k in close]


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: object = None) -> UnknownNameError:
    """The error for a name that does not exist, with the nearest that do."""
    known = sorted(known)
    close = nearest(name, known)
    mend = f"did you mean {' or '.join(close)}?" if close else None
    return UnknownNameError(
        f"unknown {kind} {name!r}", where=where, expected=f"one of {', '.join(known)}", mend=mend
    )
