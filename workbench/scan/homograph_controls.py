"""Negative controls spoken and checked: only what provably says what its label claims is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import audio as audio_io
from workbench import engines
from workbench.audio import Audio, content_hash
from workbench.clips import Clip
from workbench.errors import ConfigError, WorkbenchError
from workbench.homographs.controls import Control
from workbench.homographs.distances import reading_distance
from workbench.homographs.trials import Trial, write_trials
from workbench.phones.base import PhoneRequest
from workbench.scan.progress import print_line
from workbench.scan.speak import Options, TextToSpeak, Voice, speak, usable_voice
from workbench.text.phone_sets import from_ipa
from workbench.tts.base import SpeechRequest
from workbench.whole_files import write_whole

#: By how much what a recogniser heard must be nearer to the label than to its twin.
_LEAST_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Controls:
    """Checked controls: two trials per sentence, and why sentences were left out, with their number."""

    trials: tuple[Trial, ...]
    left_out: dict[str, int]


def make_controls(
    planned: Sequence[Control],
    *,
    folder: str | Path,
    workers: int = 1,
    options: Options | None = None,
    device: str = "cpu",
    verifier: str | None = None,
    verifier_options: dict[str, Any] | None = None,
    say: Callable[[str], None] = print_line,
) -> Controls:
    """Speak every control twice and keep the sentences of which both files say what they claim; write ``trials.tsv`` and ``controls.json`` into ``folder``.

    A file is checked without the listener that it shall calibrate: the two files of a sentence must differ as sound (an engine that does not heed the
    pronunciation gives the same twice), and the engine's own transcription must hold the phones that were forced. An engine that tells none is checked by ``verifier``,
    a phone recogniser of the registry; without one its files are left out.

    Raises:
        ConfigError, UnknownNameError, EngineUnavailableError: no folder can be made there; no such engine or voice; an engine that lacks something.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"no folder for controls: {error}", where=folder) from None
    for voice in dict.fromkeys(control.voice for control in planned):
        usable_voice(Voice.parse(voice), when_missing="stop", options=(options or {}).get(Voice.parse(voice).engine))
    spoken = _spoken(planned, folder / "audio", workers, options or {}, device, say)
    check = _Check(options or {}, verifier, verifier_options or {}, device)
    trials, left_out = [], Counter()
    try:
        # Engines tell their transcriptions in processes of their own; a recogniser hears one clip at a time.
        with ThreadPoolExecutor(1 if verifier else max(1, workers)) as pool:
            reasons = list(pool.map(lambda control: check.reason_against(control, spoken[id(control)]), planned))
        for control, reason in zip(planned, reasons, strict=True):
            files = spoken[id(control)]
            if reason:
                left_out[reason] += 1
                continue
            trials += [_trial(control, file.audio, right) for file, right in zip(files, (True, False), strict=True)]
    finally:
        check.close()
    for reason, count in left_out.items():
        say(f"left out: {count} of {len(planned)} sentences: {reason}")
    write_trials(folder / "trials.tsv", trials)
    told = {"sentences": len(planned), "kept": len(trials) // 2, "left_out": dict(left_out), "voices": sorted({c.voice for c in planned}), "engines": check.identities()}
    write_whole(folder / "controls.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return Controls(tuple(trials), dict(left_out))


def _spoken(planned: Sequence[Control], folder: Path, workers: int, options: Options, device: str, say: Callable[[str], None]) -> dict[int, tuple[Clip, Clip]]:
    """Control, by identity -> its clips, right and wrong."""
    groups: dict[tuple[str, float], list[Control]] = {}
    for control in planned:
        groups.setdefault((control.voice, control.speed), []).append(control)
    found: dict[int, tuple[Clip, Clip]] = {}
    for (voice, speed), controls in groups.items():
        texts = [
            TextToSpeak(f"{number}-{right}", control.text.sentence, said_as=(control.said_as(right=right),))
            for number, control in enumerate(controls)
            for right in (True, False)
        ]
        clips = speak(texts, [Voice.parse(voice)], folder=folder, dataset=f"controls in {voice}", speed=speed, workers=workers, options=options, device=device, say=say).clips
        found |= {id(control): (right, wrong) for control, right, wrong in zip(controls, clips[::2], clips[1::2], strict=True)}
    return found


def _trial(control: Control, audio: str, right: bool) -> Trial:
    readings, voice = control.text.homograph.readings, Voice.parse(control.voice)
    said = readings[control.text.expected if right else control.wrong].name
    text = control.text
    # The speed is part of a voice's name: what is adapted to is how somebody sounds.
    name = voice.voice if control.speed == 1.0 else f"{voice.voice} x{control.speed:g}"
    return Trial(audio, readings[text.expected].name, text.sentence, text.start_byte, text.end_byte, said, name, voice.engine)


class _Check:
    """Says what speaks against a control's files."""

    def __init__(self, options: Options, verifier: str | None, verifier_options: dict[str, Any], device: str) -> None:
        self._options, self._device = options, device
        self._engines: dict[str, Any] = {}
        self._recogniser = engines.create(verifier, "phones", **verifier_options) if verifier else None
        if self._recogniser is not None:
            self._recogniser.load(engines.device_of(verifier, "phones", device))

    def reason_against(self, control: Control, files: tuple[Clip, Clip]) -> str | None:
        if fault := next((file.fault for file in files if file.fault), None):
            return fault
        try:
            sounds = [audio_io.read(file.audio) for file in files]
        except WorkbenchError as error:
            return f"cannot be read: {error.what}"
        if content_hash(sounds[0]) == content_hash(sounds[1]):
            return "both readings sound the same: the engine does not heed the pronunciation"
        confirmed = [self._confirmed(control, right) for right in (True, False)]
        if False in confirmed:
            return "the engine's own transcription holds another pronunciation"
        if None in confirmed and self._recogniser is None:
            return "the engine tells no transcription and no recogniser was given to check it"
        if None in confirmed and not all(self._heard(control, sound, right) for sound, right in zip(sounds, (True, False), strict=True)):
            return "the recogniser hears another reading"
        return None

    def _confirmed(self, control: Control, right: bool) -> bool | None:
        voice = Voice.parse(control.voice)
        if voice.engine not in self._engines:
            self._engines[voice.engine] = engines.create(voice.engine, "tts", **self._options.get(voice.engine, {}))
        confirms = getattr(self._engines[voice.engine], "confirms", None)
        request = SpeechRequest(control.text.sentence, voice.voice, control.speed, said_as=(control.said_as(right=right),))
        return confirms(request) if confirms else None

    def _heard(self, control: Control, sound: Audio, right: bool) -> bool:
        """Whether what the recogniser hears anywhere in the clip is nearer to the label than to its twin."""
        told = self._recogniser.posteriors([PhoneRequest(sound)])[0]
        heard = from_ipa([symbol for symbol, *_ in told.phones])
        readings = control.text.homograph.readings
        label, twin = readings[control.text.expected], readings[control.wrong]
        label, twin = (label, twin) if right else (twin, label)
        return reading_distance(label, heard) <= reading_distance(twin, heard) - _LEAST_MARGIN

    def identities(self) -> dict[str, object]:
        return {name: engine.identity() for name, engine in self._engines.items()}

    def close(self) -> None:
        if self._recogniser is not None:
            self._recogniser.close()
