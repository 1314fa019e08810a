"""What every speech synthesiser takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.audio import Audio
from workbench.errors import EngineError, PrivacyError


@dataclass(frozen=True, slots=True)
class SaidAs:
    """A stretch of a text, half-open in characters, and the ARPABET phones to say it with, vowels with their stress: ``L IH1 V``."""

    start: int
    end: int
    arpabet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One text to speak.

    Attributes:
        speed: a factor, 1.0 is the voice's own pace.
        sensitive: confidential; an engine that sends texts to somebody else's machine refuses it with ``PrivacyError``.
        phonemes: what to say instead of ``text``, in the phone set of the engine; an engine that takes none refuses the request.
        take: which reading of the same text, from 1; an engine that draws at random draws anew for each, others give the same audio again.
        said_as: words of the text whose pronunciation is forced, in order; an engine that cannot refuses the request.
    """

    text: str
    voice: str
    speed: float = 1.0
    sensitive: bool = False
    phonemes: str | None = None
    take: int = 1
    said_as: tuple[SaidAs, ...] = ()


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the text and when it is said, in seconds from the start of the audio."""

    text: str
    start_sec: float
    end_sec: float


class Synthesizer(Protocol):
    """A text-to-speech engine: ``load``, one batch call, ``close``.

    ``cloud`` is whether texts leave for a machine that is not the user's own; it may depend on the engine's options.

    ``speak`` gives one audio per request, in order. An engine whose requests fail apart (a server's) speaks the whole batch before it
    raises ``PartlySpokenError``, which carries what did succeed; ``speak_each`` turns any engine's answer into one outcome per request.
    """

    name: str
    cloud: bool

    def load(self, device: str = "cpu") -> None: ...

    def voices(self) -> tuple[str, ...]: ...

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]: ...

    def close(self) -> None: ...

    def identity(self) -> dict[str, object]: ...


class PartlySpokenError(EngineError):
    """Some requests of a batch failed.

    Attributes:
        outcomes: per request, in order, its audio or the error it failed with.
    """

    outcomes: tuple[Audio | Exception, ...] = ()

    @classmethod
    def of(cls, engine: str, outcomes: Sequence[Audio | Exception]) -> PartlySpokenError:
        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        told = cls(f"{len(errors)} of {len(outcomes)} requests failed, the first with: {errors[0]}", where=engine)
        told.outcomes = tuple(outcomes)
        return told

    def __reduce__(self):
        return (_rebuilt, (self.what, self.where, self.outcomes))


def _rebuilt(what: str, where: object, outcomes: tuple[Audio | Exception, ...]) -> PartlySpokenError:
    told = PartlySpokenError(what, where=where)
    told.outcomes = outcomes
    return told


def all_spoken(engine: str, outcomes: Sequence[Audio | Exception]) -> list[Audio]:
    """The audios, when every request succeeded.

    Raises:
        Exception: the error of a lone request.
        PartlySpokenError: for a batch.
    """
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if errors and len(outcomes) == 1:
        raise errors[0]
    if errors:
        raise PartlySpokenError.of(engine, outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Audio)]


def speak_each(engine: Synthesizer, requests: Sequence[SpeechRequest]) -> list[Audio | Exception]:
    """One outcome per request, so that one bad text costs only itself.

    Nothing that was spoken is asked for twice, unless an engine that tells no outcomes fails on a batch: then each request is tried alone.
    """
    try:
        return list(engine.speak(requests))
    except PartlySpokenError as error:
        return list(error.outcomes)
    except PrivacyError as error:
        # The batch was refused as a whole. Trying its requests alone would send some of a text that was marked as one.
        return [error] * len(requests)
    except Exception as error:  # noqa: BLE001 - a text that cannot be spoken is a row, not the end of the run
        if len(requests) == 1:
            return [error]
        return [speak_each(engine, [request])[0] for request in requests]
