"""Texts in, spoken clips out: the first step of a validation that starts from texts.

Audio is kept under a name made of everything it depends on, so the same text in the same voice is spoken once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench import audio as audio_io
from workbench import engines
from workbench.clips import Clip
from workbench.errors import ConfigError, EngineUnavailableError, Failure, unknown_name
from workbench.scan.local import run_local
from workbench.scan.plan import fingerprint
from workbench.scan.progress import Progress, print_line
from workbench.tts.base import SpeechRequest


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice as parameters write it, ``engine/voice``."""

    engine: str
    voice: str

    @classmethod
    def parse(cls, written: str) -> Voice:
        engine, slash, voice = written.partition("/")
        if not slash or not engine or not voice:
            raise ConfigError("not a voice", where="voices", got=written, expected="engine/voice, for instance flite/slt")
        return cls(engine, voice)

    def __str__(self) -> str:
        return f"{self.engine}/{self.voice}"


@dataclass(frozen=True, slots=True)
class TextToSpeak:
    """One text on its way to a voice. ``reference`` is what the clip claims to say when that is not ``text`` (planted errors)."""

    text_id: str
    text: str
    category: str = ""
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What speaking came to; ``sec`` is the engines' own time, 0 for what was already there."""

    clips: tuple[Clip, ...]
    sec: float
    reused: int


def usable_voices(written: Sequence[str], *, when_missing: str) -> tuple[list[Voice], list[str]]:
    """The voices whose engine is installed, and a line for each that is not.

    Args:
        when_missing: ``stop`` raises for the first engine that is not installed, ``skip`` leaves its voices out and says so.

    Raises:
        UnknownNameError: no such engine or voice, whatever ``when_missing`` says.
        EngineUnavailableError: with ``stop``, or when nothing is left.
    """
    voices, left_out = [], []
    for voice in dict.fromkeys(Voice.parse(w) for w in written):
        info = engines.info(voice.engine, "tts")
        if lacking := info.missing():
            if when_missing == "stop":
                engines.create(voice.engine, "tts")
            left_out.append(f"{voice} left out: {', '.join(lacking)} is not installed (to mend: {info.install})")
            continue
        engine = engines.create(voice.engine, "tts")
        if voice.voice not in engine.voices():
            raise unknown_name(f"{voice.engine} voice", voice.voice, engine.voices(), where="voices")
        voices.append(voice)
    if not voices:
        raise EngineUnavailableError("no voice is left to speak with", where="voices", got="; ".join(left_out) or "an empty list", mend="workbench doctor")
    return voices, left_out


class _Speaker:
    """Worker of ``speak``: one batch is a list of (voice, text, file)."""

    def __init__(self) -> None:
        self._engines: dict[str, object] = {}

    def process(self, batch: Sequence[tuple[int, Voice, TextToSpeak, str, float]]) -> list[tuple[int, float, Failure | None]]:
        return [self._one(*job) for job in batch]

    def _one(self, position: int, voice: Voice, text: TextToSpeak, path: str, speed: float) -> tuple[int, float, Failure | None]:
        started = time.perf_counter()
        try:
            if voice.engine not in self._engines:
                engine = engines.create(voice.engine, "tts")
                engine.load("cpu")
                self._engines[voice.engine] = engine
            (spoken,) = self._engines[voice.engine].speak([SpeechRequest(text.text, voice.voice, speed)])
            audio_io.write_wav(spoken, path)
        except Exception as error:  # noqa: BLE001 - a text that cannot be spoken is a row, not the end of the run
            return position, time.perf_counter() - started, Failure.of("speak", error)
        return position, time.perf_counter() - started, None

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()


def speak(
    texts: Sequence[TextToSpeak],
    voices: Sequence[Voice],
    *,
    folder: str | Path,
    dataset: str,
    speed: float = 1.0,
    workers: int = 1,
    say: Callable[[str], None] = print_line,
) -> Spoken:
    """Every text in every voice: clips in order of text, then voice. A text that could not be spoken is a clip with a fault."""
    jobs = list(_jobs(texts, voices, Path(folder), speed))
    todo = [job for job in jobs if not Path(job[3]).exists()]
    progress = Progress(f"speak {dataset}", total=len(jobs), say=say)
    progress.add(len(jobs) - len(todo))
    sec, failures = 0.0, {}
    batches = [todo[start : start + 4] for start in range(0, len(todo), 4)]
    for outcome in run_local(batches, make_worker=_Speaker, arguments={}, workers=min(workers, max(1, len(todo) // 8)), on_death=_died):
        for position, took, failure in outcome:
            sec += took
            if failure:
                failures[position] = failure
        progress.add(len(outcome), computed=len(outcome), failed=sum(failure is not None for *_, failure in outcome))
    progress.finish()
    return Spoken(tuple(_clip(job, dataset, failures.get(job[0])) for job in jobs), sec, len(jobs) - len(todo))


def _jobs(texts: Sequence[TextToSpeak], voices: Sequence[Voice], folder: Path, speed: float) -> Iterator[tuple[int, Voice, TextToSpeak, str, float]]:
    identities = {voice.engine: engines.create(voice.engine, "tts").identity() for voice in voices}
    position = 0
    for text in texts:
        for voice in voices:
            name = fingerprint(engine=identities[voice.engine], voice=voice.voice, speed=speed, text=text.text)
            yield position, voice, text, str(folder / voice.engine / voice.voice / f"{name}.wav"), speed
            position += 1


def _clip(job: tuple[int, Voice, TextToSpeak, str, float], dataset: str, failure: Failure | None) -> Clip:
    _, voice, text, path, _ = job
    return Clip(
        clip_id=f"{text.text_id}/{voice}",
        audio=path,
        text=text.text if text.reference is None else text.reference,
        dataset=dataset,
        speaker=str(voice),
        category=text.category,
        fault=f"could not be spoken: {failure.type}: {failure.message}" if failure else None,
    )


def _died(job: tuple) -> list[tuple[int, float, Failure | None]]:
    return [(job[0], 0.0, Failure("speak", "WorkerDied", "the worker process died on this text twice"))]
