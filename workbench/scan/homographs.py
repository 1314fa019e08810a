"""Homographs of a list of trials: heard by workers, judged together, written beside the list."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import audio as audio_io
from workbench.audio import Audio, content_hash
from workbench.clips import Clip, load_audio
from workbench.errors import TextError, WorkbenchError, unknown_name
from workbench.homographs.base import Homograph
from workbench.homographs.expected import ExpectedReader
from workbench.homographs.fitting import KnownTrial
from workbench.homographs.judging import Asked, Judged
from workbench.homographs.keeping import add_heard, read_heard
from workbench.homographs.lexicon import lexicon
from workbench.homographs.spoken import Heard, Listener, Target, SpokenRequest, target_at
from workbench.homographs.trials import Trial
from workbench.scan.local import run_local
from workbench.scan.progress import Progress, print_line
from workbench.scan.stages import fingerprint
from workbench.whole_files import write_whole

#: Trials that a worker gets at once.
_BATCH = 16
COLUMNS = ("audio", "word", "voice", "expected", "probability", "verdict", "reason", "heard", "score", "start_sec", "end_sec", "fit")
#: (sentence, target) -> index of the reading that the sentence asks for, None where it leaves it open, and how probable that is.
Expect = Callable[[str, Target], tuple[int | None, float]]


def make_listener(name: str, **options: Any) -> Listener:
    """``pocketsphinx``, or any phone recogniser of the registry.

    Raises:
        UnknownNameError: neither.
    """
    from workbench.engines import known

    if name == "pocketsphinx":
        from workbench.homographs.pocketsphinx_listener import PocketsphinxListener

        return PocketsphinxListener(**options)
    recognisers = [info.name for info in known("phones")]
    if name not in recognisers:
        raise unknown_name("listener", name, ["pocketsphinx", *recognisers])
    from workbench.homographs.phoneme_listener import PhonemeListener

    return PhonemeListener(engine=name, **options)


@dataclass(frozen=True, slots=True)
class _Job:
    position: int
    trial: Trial
    target: Target
    clip: Clip | None = None

    def read(self) -> Audio:
        return audio_io.read(self.trial.audio) if self.clip is None else load_audio(self.clip)


class _Worker:
    """Hears trials; what cannot be read or heard is a fault of its row."""

    def __init__(self, *, listener: str, options: Mapping[str, Any], device: str, kept: str | None) -> None:
        self._listener = make_listener(listener, **options)
        self._listener.load(device)
        self._identity = self._listener.identity()
        self._known = read_heard(Path(kept)) if kept else {}

    def process(self, batch: Sequence[_Job]) -> list[tuple[int, str, Heard, bool]]:
        """(position, key, what was heard, whether it was new)."""
        found: list[tuple[int, str, Heard, bool]] = []
        todo: list[tuple[_Job, str, SpokenRequest]] = []
        for job in batch:
            try:
                audio = job.read()
            except WorkbenchError as error:
                found.append((job.position, "", Heard((), fault=f"the clip cannot be read: {error.what}", stage="error"), False))
                continue
            key = self._key(content_hash(audio), job.target)
            earlier = self._known.get(key)
            if earlier is not None and earlier.stage != "error":
                found.append((job.position, key, _of_kinds(earlier, job.target.homograph), False))
            else:
                todo.append((job, key, SpokenRequest(audio, job.target)))
        # What failed is tried again by the next run.
        return found + [
            (job.position, key, heard, heard.stage != "error") for (job, key, _), heard in zip(todo, self._hear([request for *_, request in todo]), strict=True)
        ]

    def _hear(self, requests: list[SpokenRequest]) -> list[Heard]:
        try:
            return self._listener.hear(requests)
        except WorkbenchError as error:
            if len(requests) == 1:
                return [Heard((), fault=f"the listener failed: {error.what}", stage="error")]
            return [self._hear([request])[0] for request in requests]

    def _key(self, audio_hash: str, target: Target) -> str:
        readings = [[variant.phones for variant in reading.variants] for reading in target.homograph]
        return fingerprint(listener=self._identity, audio=audio_hash, words=target.words, at=target.at, readings=readings)

    def close(self) -> None:
        self._listener.close()


def _of_kinds(heard: Heard, homograph: Homograph) -> Heard:
    """What was heard earlier, its contrasts named as the lexicon names them now."""
    from workbench.homographs.pocketsphinx_listener import contrast_kind

    return replace(heard, pairs=tuple(replace(pair, kind=contrast_kind(homograph, pair.first, pair.second)) for pair in heard.pairs))


def hear_trials(
    trials: Sequence[Trial],
    *,
    clips: Sequence[Clip] | None = None,
    known: Mapping[str, Homograph] | None = None,
    listener: str = "pocketsphinx",
    options: Mapping[str, Any] | None = None,
    device: str = "cpu",
    workers: int = 1,
    reader: ExpectedReader | None = None,
    kept: str | Path | None = None,
    say: Callable[[str], None] = print_line,
) -> list[Asked]:
    """One per trial, in order, ready to be judged; every fault of a row is in its ``heard``.

    Args:
        clips: the trials' clips, where their audio is a part of a file or came along with a list; by default each trial's file.
        known: homographs by word; by default the lexicon's.
        reader: says which reading a sentence asks for where the trial does not.
        kept: file of what was heard before, which what is heard now is added to.

    Raises:
        UnknownNameError: no such listener.
        EngineUnavailableError: it lacks something.
    """
    known = lexicon() if known is None else known
    make_listener(listener, **(options or {}))
    asked = [_asked(trial, known, reader) for trial in trials]
    jobs = [_Job(at, trial, asked[at].target, clips[at] if clips else None) for at, trial in enumerate(trials) if asked[at].fault is None]
    heard = {at: Heard((), fault=one.fault, stage="error") for at, one in enumerate(asked) if one.fault is not None}
    progress = Progress("homographs", total=len(trials), say=say)
    progress.add(len(heard), computed=len(heard), failed=len(heard))
    batches = [jobs[start : start + _BATCH] for start in range(0, len(jobs), _BATCH)]
    arguments = {"listener": listener, "options": dict(options or {}), "device": device, "kept": str(kept) if kept else None}
    for outcome in run_local(batches, make_worker=_Worker, arguments=arguments, workers=max(1, min(workers, len(batches))), on_death=_died):
        heard |= {position: one for position, _, one, _ in outcome}
        new = [(key, one) for _, key, one, is_new in outcome if is_new]
        if kept and new:
            add_heard(Path(kept), new)
        failed = sum(one.stage == "error" for _, _, one, _ in outcome)
        progress.add(len(outcome), computed=len(new) + failed, failed=failed)
    progress.finish()
    return [one.with_heard(heard[at]) for at, one in enumerate(asked)]


@dataclass(frozen=True, slots=True)
class _Unheard:
    """A trial before anybody listened: its word and the reading asked for, or why it cannot be judged."""

    trial: Trial
    target: Target | None = None
    expected: int | None = None
    probability: float = 1.0
    fault: str | None = None

    def with_heard(self, heard: Heard) -> Asked:
        homograph = self.target.homograph if self.target else None
        return Asked(homograph.word if homograph else "", homograph, self.expected, heard, self.probability, self.trial.speaker)


def _asked(trial: Trial, known: Mapping[str, Homograph], reader: ExpectedReader | None) -> _Unheard:
    try:
        target = target_at(trial.sentence, trial.start_byte, trial.end_byte, known)
    except TextError as error:
        return _Unheard(trial, fault=str(error))
    if not trial.audio:
        return _Unheard(trial, target, fault="the row names no audio")
    if not trial.expected:
        told = reader.predict([(trial.sentence, trial.start_byte, trial.end_byte)], threshold=0.0)[0] if reader else None
        likeliest = told and told.likeliest
        return _Unheard(trial, target, index_of(target.homograph, likeliest) if likeliest else None, told.probability if told else 0.0)
    expected = index_of(target.homograph, trial.expected)
    if expected is None:
        names = ", ".join(reading.name for reading in target.homograph)
        return _Unheard(trial, target, fault=f"no reading {trial.expected!r} of {target.homograph.word}: {names}")
    return _Unheard(trial, target, expected)


def index_of(homograph: Homograph, name: str) -> int | None:
    """Of the reading with that name or data label, None where there is none."""
    return next((index for index, reading in enumerate(homograph) if name == reading.name or name in reading.labels), None)


def known_trials(trials: Sequence[Trial], asked: Sequence[Asked]) -> tuple[list[int], list[KnownTrial]]:
    """The trials whose truth the list tells, and their positions in it."""
    places, found = [], []
    for at, (trial, one) in enumerate(zip(trials, asked, strict=True)):
        spoken = index_of(one.homograph, trial.spoken) if one.homograph is not None and trial.spoken else None
        if spoken is not None and one.expected is not None:
            places.append(at)
            found.append(KnownTrial(one, spoken, trial.engine))
    return places, found


def _died(job: _Job) -> list[tuple[int, str, Heard, bool]]:
    return [(job.position, "", Heard((), fault="the worker process died on this clip twice", stage="error"), False)]


def write_verdicts(path: str | Path, trials: Sequence[Trial], judged: Sequence[Judged]) -> None:
    """One row per trial, in order: ``COLUMNS``, tab-separated."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for trial, one in zip(trials, judged, strict=True):
        evidence, (start, end) = one.evidence, one.span_sec or (None, None)
        row = (
            trial.audio, evidence.word, evidence.voice, evidence.expected, evidence.probability, one.verdict, one.reason, one.spoken, evidence.score,
            start, end, one.fit,
        )  # fmt: skip
        writer.writerow(["" if value is None else f"{value:.4g}" if isinstance(value, float) else value for value in row])
    write_whole(Path(path), text.getvalue())
