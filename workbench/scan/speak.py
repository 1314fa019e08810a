"""Texts in, spoken clips out: the first step of a validation that starts from texts.

Audio is kept under a name made of everything it depends on, so the same text in the same voice is spoken once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import audio as audio_io
from workbench import engines
from workbench.clips import Clip
from workbench.errors import ConfigError, EngineUnavailableError, Failure
from workbench.scan.local import run_local
from workbench.scan.stages import fingerprint
from workbench.scan.progress import Progress, print_line
from workbench.text.prompts import Prompt
from workbench.tts.base import SaidAs, SpeechRequest, speak_each
from workbench.tts.privacy import refuse_sensitive
from workbench.tts.voices import resolve_voice

#: Engine -> its options.
Options = Mapping[str, Mapping[str, Any]]


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
    """One text on its way to a voice.

    ``reference`` is what the clip claims to say when that is not ``text`` (planted errors). A ``sensitive`` text is never handed
    to a cloud engine. ``extra`` goes to the clip's, spoken forms among it. ``take`` tells readings of one text apart, from 1. ``said_as`` forces the pronunciation of words.
    """

    text_id: str
    text: str
    category: str = ""
    reference: str | None = None
    sensitive: bool = False
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)
    take: int = 1
    said_as: tuple[SaidAs, ...] = ()

    @classmethod
    def of(cls, prompt: Prompt, *, sensitive: bool = False) -> TextToSpeak:
        """A prompt with all that it says of itself. ``sensitive`` makes it so whatever the prompt says."""
        return cls(prompt.prompt_id, prompt.text, prompt.category, sensitive=sensitive or prompt.sensitive, extra=prompt.extra)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What speaking came to; ``sec`` is the engines' own time, 0 for what was already there."""

    clips: tuple[Clip, ...]
    sec: float
    reused: int


def usable_voices(written: Sequence[str], *, when_missing: str, options: Options | None = None) -> tuple[list[Voice], list[str]]:
    """The voices whose engine is installed and has what it needs, aliases resolved, and a line for each that is not.

    Args:
        when_missing: ``stop`` raises for the first engine that is not installed, ``skip`` leaves its voices out and says so.

    Raises:
        UnknownNameError: no such engine or voice, whatever ``when_missing`` says.
        EngineUnavailableError: with ``stop``, or when nothing is left.
    """
    found = [usable_voice(voice, when_missing=when_missing, options=(options or {}).get(voice.engine)) for voice in dict.fromkeys(Voice.parse(w) for w in written)]
    voices, left_out = [voice for voice, _ in found if voice], [why_not for _, why_not in found if why_not]
    if not voices:
        raise EngineUnavailableError("no voice is left to speak with", where="voices", got="; ".join(left_out) or "an empty list", mend="workbench doctor")
    return list(dict.fromkeys(voices)), left_out


def usable_voice(voice: Voice, *, when_missing: str, options: Mapping[str, Any] | None = None) -> tuple[Voice | None, str]:
    """One voice, its alias resolved, or None and a line that says why it cannot speak. ``options`` are its engine's; raises as ``usable_voices`` does."""
    info = engines.info(voice.engine, "tts")
    if lacking := info.missing():
        if when_missing == "stop":
            engines.create(voice.engine, "tts")
        return None, f"{voice} left out: {', '.join(lacking)} is not installed (to mend: {info.install})"
    engine = engines.create(voice.engine, "tts", **(options or {}))
    aliases = engine.aliases() if hasattr(engine, "aliases") else None
    resolved = resolve_voice(voice.engine, voice.voice, engine.voices(), where="voices", aliases=aliases)
    if lacking := _unready(engine):
        if when_missing == "stop":
            raise lacking
        return None, f"{voice} left out: {lacking}"
    return Voice(voice.engine, resolved), ""


def _unready(engine: Any) -> EngineUnavailableError | None:
    """What an installed engine still lacks, weights or a key, for engines that can tell without loading."""
    try:
        getattr(engine, "check_ready", lambda: None)()
    except EngineUnavailableError as error:
        return error
    return None


@dataclass(frozen=True, slots=True)
class _Job:
    """One text in one voice, and the file that its audio goes to."""

    position: int
    voice: Voice
    text: TextToSpeak
    path: str
    speed: float

    @property
    def request(self) -> SpeechRequest:
        text = self.text
        return SpeechRequest(text.text, self.voice.voice, self.speed, sensitive=text.sensitive, take=text.take, said_as=text.said_as)


class _Speaker:
    """Worker of ``speak``; an engine gets all jobs of a batch that are its own in one call."""

    def __init__(self, *, options: Options, device: str) -> None:
        self._options, self._device = options, device
        self._engines: dict[str, Any] = {}

    def process(self, batch: Sequence[_Job]) -> list[tuple[int, float, Failure | None]]:
        by_engine: dict[str, list[_Job]] = {}
        for job in batch:
            by_engine.setdefault(job.voice.engine, []).append(job)
        return [outcome for name, jobs in by_engine.items() for outcome in self._together(name, jobs)]

    def _together(self, name: str, jobs: Sequence[_Job]) -> list[tuple[int, float, Failure | None]]:
        started = time.perf_counter()
        try:
            outcomes = speak_each(self._engine(name), [job.request for job in jobs])
        except Exception as error:  # noqa: BLE001 - an engine that cannot load costs its texts, not the run
            outcomes = [error] * len(jobs)
        failures = [_kept(outcome, job.path) for job, outcome in zip(jobs, outcomes, strict=True)]
        took = (time.perf_counter() - started) / len(jobs)
        return [(job.position, took, failure) for job, failure in zip(jobs, failures, strict=True)]

    def _engine(self, name: str) -> Any:
        if name not in self._engines:
            engine = engines.create(name, "tts", **self._options.get(name, {}))
            engine.load(engines.device_of(name, "tts", self._device))
            self._engines[name] = engine
        return self._engines[name]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()


def _kept(outcome: Any, path: str) -> Failure | None:
    """Write the audio; what came in its place, or writing it, as a failure."""
    if isinstance(outcome, Exception):
        return Failure.of("speak", outcome)
    try:
        audio_io.write_wav(outcome, path)
    except Exception as error:  # noqa: BLE001 - a text that cannot be kept is a row, not the end of the run
        return Failure.of("speak", error)
    return None


def speak(
    texts: Sequence[TextToSpeak],
    voices: Sequence[Voice],
    *,
    folder: str | Path,
    dataset: str,
    speed: float = 1.0,
    workers: int = 1,
    options: Options | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = print_line,
) -> Spoken:
    """Every text in every voice: clips in order of text, then voice. A text that could not be spoken is a clip with a fault.

    Raises:
        PrivacyError: a sensitive text and a cloud engine among the voices; before anything is spoken.
    """
    options = options or {}
    made = {voice.engine: engines.create(voice.engine, "tts", **options.get(voice.engine, {})) for voice in voices}
    jobs = _jobs(texts, voices, Path(folder), speed, {name: engine.identity() for name, engine in made.items()})
    for name, engine in made.items():
        if getattr(engine, "cloud", False) or engines.info(name, "tts").cloud:
            refuse_sensitive(name, [job.request for job in jobs if job.voice.engine == name])
    todo = [job for job in jobs if not Path(job.path).exists()]
    progress = Progress(f"speak {dataset}", total=len(jobs), say=say)
    progress.add(len(jobs) - len(todo))
    sec, failures = 0.0, {}
    size = max(4, 2 * max((getattr(engine, "concurrency", 1) for engine in made.values()), default=1))
    batches = [todo[start : start + size] for start in range(0, len(todo), size)]
    arguments = {"options": {name: dict(options.get(name, {})) for name in made}, "device": device}
    for outcome in run_local(batches, make_worker=_Speaker, arguments=arguments, workers=min(workers, max(1, len(todo) // 8)), on_death=_died):
        for position, took, failure in outcome:
            sec += took
            if failure:
                failures[position] = failure
        progress.add(len(outcome), computed=len(outcome), failed=sum(failure is not None for *_, failure in outcome))
    progress.finish()
    return Spoken(tuple(_clip(job, dataset, failures.get(job.position)) for job in jobs), sec, len(jobs) - len(todo))


def _jobs(
    texts: Sequence[TextToSpeak], voices: Sequence[Voice], folder: Path, speed: float, identities: Mapping[str, dict[str, object]]
) -> list[_Job]:
    jobs = []
    for text in texts:
        for voice in voices:
            # The first take's name is that of a text spoken once.
            further = {"take": text.take} if text.take > 1 else {}
            forced = {"said_as": [[one.start, one.end, *one.arpabet] for one in text.said_as]} if text.said_as else {}
            name = fingerprint(engine=identities[voice.engine], voice=voice.voice, speed=speed, text=text.text, **further, **forced)
            jobs.append(_Job(len(jobs), voice, text, str(folder / voice.engine / voice.voice / f"{name}.wav"), speed))
    return jobs


def _clip(job: _Job, dataset: str, failure: Failure | None) -> Clip:
    text = job.text
    return Clip(
        clip_id=f"{text.text_id}/{job.voice}" + (f"#{text.take}" if text.take > 1 else ""),
        audio=job.path,
        text=text.text if text.reference is None else text.reference,
        dataset=dataset,
        speaker=str(job.voice),
        category=text.category,
        fault=f"could not be spoken: {failure.type}: {failure.message}" if failure else None,
        extra=dict(text.extra),
    )


def _died(job: _Job) -> list[tuple[int, float, Failure | None]]:
    return [(job.position, 0.0, Failure("speak", "WorkerDied", "the worker process died on this text twice"))]
