"""The kinds of isolated engine: what each sends across and how it reads the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.audio import Audio, resample
from workbench.batching import in_batches
from workbench.errors import EngineError, Failure, WorkbenchError
from workbench.isolated.proxy import IsolatedEngine
from workbench.judges.base import Scores
from workbench.stt.base import SttRequest, Transcript, Word
from workbench.tts.base import SpeechRequest


class IsolatedJudge(IsolatedEngine):
    """A ``Judge`` whose child has ``score(clips)``: per clip a dict of column to number, or an exception object for a clip that it cannot
    score.

    ``sample_rate_hz`` is the rate the child is given, None for each clip's own. ``prepare`` may refuse a clip (``AudioError``) before it
    is sent.
    """

    columns: tuple[str, ...] = ()
    primary: str | None = None
    sample_rate_hz: int | None = None
    #: Clips and padded seconds of audio that cross at once.
    most_clips, most_sec = 16, 1800.0

    def prepare(self, clip: Audio) -> tuple[Audio, tuple[str, ...]]:
        """The clip as the child hears it, and notes on what was done to it.

        Raises:
            AudioError: it cannot be judged.
        """
        return (resample(clip, self.sample_rate_hz) if self.sample_rate_hz else clip), ()

    def score(self, clips: Sequence[Audio]) -> list[Scores]:
        """One ``Scores`` per clip, in order; what cannot be judged comes back as a failure.

        Raises:
            EngineError: not loaded; the child died twice, hung, or raised for the batch as a whole.
        """
        found: list[Scores | None] = [None] * len(clips)
        ready: list[tuple[int, Audio, tuple[str, ...]]] = []
        for index, clip in enumerate(clips):
            try:
                ready.append((index, *self.prepare(clip)))
            except WorkbenchError as error:
                found[index] = Scores({}, failure=Failure.of(self.name, error))
        scored = in_batches(
            ready,
            self._scores,
            lengths=[audio.duration_sec for _, audio, _ in ready],
            most_items=self.most_clips,
            most_length=self.most_sec,
        )
        for (index, _, _), scores in zip(ready, scored, strict=True):
            found[index] = scores
        return found  # type: ignore[return-value]

    def _scores(self, batch: list[tuple[int, Audio, tuple[str, ...]]]) -> list[Scores]:
        replies = self._ask("score", [clip_message(audio) for _, audio, _ in batch])
        return [self._one(reply, notes) for reply, (_, _, notes) in zip(replies, batch, strict=True)]

    def _one(self, reply: dict[str, Any], notes: tuple[str, ...]) -> Scores:
        if "failure" in reply:
            return Scores({}, notes, Failure(self.name, reply["failure"]["type"], reply["failure"]["message"]))
        values = reply["value"]
        try:
            numbers = {name: float(values[name]) for name in self.columns}
        except (KeyError, TypeError, ValueError):
            raise EngineError(
                "the child gave other scores than the engine declares", where=self.name, got=values, expected=", ".join(self.columns)
            ) from None
        if wrong := [name for name, value in numbers.items() if not math.isfinite(value)]:
            return Scores({}, notes, Failure(self.name, "EngineError", f"not a finite number: {', '.join(wrong)}"))
        return Scores(numbers, notes)


class IsolatedTranscriber(IsolatedEngine):
    """A ``Transcriber`` whose child has ``transcribe(requests)``: each request a dict of ``audio``, ``reference`` and ``first``, each
    answer a dict of ``words`` (lists of text, start_sec, end_sec, confidence or None) and ``confidence_method``."""

    sample_rate_hz: int | None = None

    def transcribe(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """One transcript per request, in order. Empty, silent or not finite audio holds no word and does not cross.

        Raises:
            EngineError: not loaded; the child died twice, hung or raised; the first clip that it could not hear.
        """
        worth = [index for index, request in enumerate(requests) if _may_hold_words(request.audio)]
        found = [Transcript((), self.name, "none")] * len(requests)
        for index, reply in zip(worth, self._ask("transcribe", [self._message(requests[index]) for index in worth]), strict=True):
            found[index] = self._transcript(reply)
        return found

    def _message(self, request: SttRequest) -> dict[str, Any]:
        audio = resample(request.audio, self.sample_rate_hz) if self.sample_rate_hz else request.audio
        first = [[w.text, w.start_sec, w.end_sec, w.confidence] for w in request.first.words] if request.first else None
        return {"audio": clip_message(audio), "reference": list(request.reference), "first": first}

    def _transcript(self, reply: dict[str, Any]) -> Transcript:
        value = _value(reply, engine=self.name)
        try:
            words = tuple(Word(str(t), float(s), float(e), None if c is None else float(c)) for t, s, e, c in value["words"])
            return Transcript(words, self.name, str(value["confidence_method"]))
        except (KeyError, TypeError, ValueError):
            raise EngineError(
                "the child gave no transcript",
                where=self.name,
                got=value,
                expected="words of [text, start_sec, end_sec, confidence], confidence_method",
            ) from None


class IsolatedSynthesizer(IsolatedEngine):
    """A ``Synthesizer`` whose child has ``speak(requests)``: each request a dict of ``text``, ``voice``, ``speed`` and ``take``, each answer
    ``(samples, sample_rate_hz)`` as a dict of these two; and ``voices()``, unless the class lists them in ``known_voices``."""

    cloud = False
    known_voices: tuple[str, ...] = ()

    def voices(self) -> tuple[str, ...]:
        """
        Raises:
            EngineError: the class lists none and the engine is not loaded.
        """
        return self.known_voices or tuple(self._request("voices", {}))

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]:
        """One audio per request, in order.

        Raises:
            EngineError: not loaded; the child died twice, hung or raised; what it gave is no audio.
        """
        asked = [{"text": r.text, "voice": r.voice, "speed": r.speed, "take": r.take} for r in requests]
        return [self._audio(_value(reply, engine=self.name)) for reply in self._ask("speak", asked)]

    def _audio(self, value: Any) -> Audio:
        samples = value.get("samples") if isinstance(value, dict) else None
        if not isinstance(samples, np.ndarray) or samples.ndim != 1 or not np.isfinite(samples).all():
            raise EngineError(
                "the child gave no audio", where=self.name, got=type(value).__name__, expected="samples (T,), finite, and sample_rate_hz"
            )
        return Audio(samples.astype(np.float32, copy=False), int(value["sample_rate_hz"]))


def clip_message(audio: Audio) -> dict[str, Any]:
    """A clip as it crosses: float32 samples, whatever they are, and their rate."""
    return {"samples": np.asarray(audio.samples, np.float32), "sample_rate_hz": int(audio.sample_rate_hz)}


def _may_hold_words(audio: Audio) -> bool:
    return audio.duration_sec >= 0.1 and bool(np.isfinite(audio.samples).all()) and audio.peak > 0


def _value(reply: dict[str, Any], *, engine: str) -> Any:
    if "failure" in reply:
        told = reply["failure"]
        raise EngineError(f"{told['type']} in the other environment: {told['message']}", where=engine)
    return reply["value"]
