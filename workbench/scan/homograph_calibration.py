"""The homograph calibration phase in one call: controls of known truth spoken or read, both models measured on what they did not learn from, a calibration made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.config import Config
from workbench.errors import ConfigError
from workbench.homographs.adaptation import AdaptationPoint, adaptation_curve
from workbench.homographs.allowlist import Criteria
from workbench.homographs.decide import ReferenceRule
from workbench.homographs.drift import Drift, drift
from workbench.homographs.end_to_end import EndToEnd
from workbench.homographs.fitting import KnownTrial, Targets, Unit
from workbench.homographs.judging import Judged
from workbench.homographs.nested import Nested
from workbench.homographs.readers import load_reader
from workbench.homographs.trials import Trial, read_trials
from workbench.scan.homograph_commands import controls_in, provenance_of
from workbench.scan.homograph_text import TextFindings, end_to_end_by, shipped_sentences, text_findings
from workbench.scan.homographs import hear_trials, known_trials, make_listener
from workbench.scan.progress import print_line
from workbench.scan.speak import usable_voices

#: Parameters that decide which controls are spoken; others share the same files.
_MAKE_CONTROLS = ("voices", "british", "words", "sentences", "per_reading", "per_voice", "speeds", "verifier", "seed")
#: Fewer cannot be held out and calibrated without.
LEAST_VOICES = 3
_WHY_THREE = "one is judged by what the others teach, of whom again one sets the bounds on what the rest has learnt"


class HomographCalibrationConfig(Config):
    """Parameters of ``notebooks/homograph_calibration.ipynb``; the notebook says what each means."""

    trials: str = ""
    voices: tuple[str, ...] = ("flite/slt", "flite/rms", "espeak/en-us", "espeak/en-gb-scotland", "espeak/en-gb-x-rp")
    british: tuple[str, ...] = ("espeak/en-gb-scotland", "espeak/en-gb-x-rp")
    missing_engines: Literal["stop", "skip"] = "skip"
    words: tuple[str, ...] = ()
    sentences: str = ""
    per_reading: int = Field(1, ge=1)
    per_voice: int = Field(0, ge=0)
    speeds: tuple[float, ...] = (1.0,)
    verifier: str = ""
    text_data: str = ""
    text_model: str = ""
    listener: str = "pocketsphinx"
    engine_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    false_alarms: float = Field(0.02, gt=0, lt=0.5)
    missed: float = Field(0.05, gt=0, lt=0.5)
    precision: float = Field(0.8, ge=0, le=1)
    recall: float = Field(0.8, ge=0, le=1)
    ambiguous: float = Field(0.25, ge=0, le=1)
    least_trials: int = Field(3, ge=1)
    error_rates: tuple[float, ...] = (0.01, 0.05, 0.5)
    adaptation_utterances: tuple[int, ...] = (0, 1, 2, 4, 8)
    players: int = Field(40, ge=0)
    audio_budget_mb: float = Field(4.0, ge=0)
    controls_folder: str = "outputs/homographs"
    device: str = "cpu"
    workers: int = Field(2, ge=1, le=256)
    seed: int = 1

    @model_validator(mode="after")
    def _can_be_held_out(self) -> HomographCalibrationConfig:
        if not self.trials and len(set(self.voices)) < LEAST_VOICES:
            raise ValueError(f"{LEAST_VOICES} voices at least are needed: {_WHY_THREE}")
        if not self.speeds or any(not 0.25 <= speed <= 4 for speed in self.speeds):
            raise ValueError("speeds are factors of 0.25 to 4, one at least")
        if any(not 0 < rate < 1 for rate in self.error_rates):
            raise ValueError("error_rates are shares between 0 and 1")
        if any(count < 0 for count in self.adaptation_utterances):
            raise ValueError("adaptation_utterances are numbers of utterances, 0 or more")
        if self.verifier and self.verifier == self.listener:
            raise ValueError("verifier and listener are the same: what a listener is calibrated on cannot be checked by that listener")
        return self

    @property
    def targets(self) -> Targets:
        return Targets(self.false_alarms, self.missed)

    @property
    def criteria(self) -> Criteria:
        return Criteria(self.precision, self.recall, self.ambiguous, self.least_trials, self.least_trials)

    def controls_path(self) -> Path:
        """Where the controls lie that these parameters ask for."""
        given = self.model_dump(mode="json")
        asked = {**{name: given[name] for name in _MAKE_CONTROLS}, "options": self.speaking_options()}
        return Path(self.controls_folder, hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12])

    def speaking_options(self) -> dict[str, dict[str, Any]]:
        """Options of the engines that speak the controls, and of the one that checks them."""
        making = {voice.partition("/")[0] for voice in self.voices} | {self.verifier}
        return {name: given for name, given in self.engine_options.items() if name in making}


@dataclass(frozen=True, slots=True)
class TrialSource:
    """Where the trials come from.

    Attributes:
        planned: sentences that were to be spoken twice; 0 for a list of trials that was there.
        refused: why sentences were left out -> how many.
        left_out: voices that could not speak, a line each.
        unknown: rows of a list that do not tell what was said.
    """

    described: str
    planned: int = 0
    refused: dict[str, int] | None = None
    left_out: tuple[str, ...] = ()
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class HomographCalibration:
    """Everything that a report of a calibration shows.

    Attributes:
        trials: those of known truth, in the order of ``nested.trials``.
        held_out: engine, voice -> verdicts by calibrations that never heard it; a unit of which there is one only lacks.
        unadapted: as the first of ``held_out``, without adaptation to voices.
        reference: the same trials by the reference rule.
        why_no_end_to_end: why ``end_to_end`` is None.
    """

    source: TrialSource
    trials: tuple[Trial, ...]
    nested: Nested
    provenance: dict[str, Any]
    held_out: dict[Unit, list[Judged]]
    why_not_held_out: dict[Unit, str]
    unadapted: list[Judged]
    reference: list[Judged]
    adaptation: list[AdaptationPoint]
    drifts: list[Drift]
    text: TextFindings
    end_to_end: EndToEnd | None
    why_no_end_to_end: str

    @property
    def unit(self) -> Unit:
        """What is held out for the figures that are headlines: engines where there are two."""
        return "engine" if "engine" in self.held_out else "voice"

    @property
    def judged(self) -> list[Judged]:
        return self.held_out[self.unit]

    @property
    def known(self) -> Sequence[KnownTrial]:
        return self.nested.trials


def calibrate_homographs(config: HomographCalibrationConfig, *, say: Callable[[str], None] = print_line) -> HomographCalibration:
    """Speak or read the trials, hear them, and hold out every engine and voice in turn.

    Raises:
        ConfigError, ManifestError, UnknownNameError, EngineUnavailableError: no such file, word, voice or listener; too few trials to learn from.
    """
    listener = make_listener(config.listener, **config.engine_options.get(config.listener, {}))
    reader = load_reader(config.text_model or None, device=config.device)
    text = text_findings(reader, data=config.text_data, model=config.text_model)
    everything, folder, source = _trials_of(config, say)
    asked = hear_trials(
        everything, listener=config.listener, options=config.engine_options.get(config.listener), device=config.device, workers=config.workers,
        kept=folder / "heard.jsonl", say=say,
    )  # fmt: skip
    places, truth = known_trials(everything, asked)
    if not truth:
        raise ConfigError("no trial tells what was said", where=config.trials or "controls", expected="rows with `expected` and `spoken`", mend="see docs/homographs_audio.md")
    trials = tuple(everything[at] for at in places)
    nested = Nested(truth, listener=config.listener, measures=listener.measures, targets=config.targets, criteria=config.criteria)
    held_out, why_not = _held_out(nested)
    unit = next(iter(held_out))
    unadapted = nested.judged(unit, adapt=False)
    both, why_no_end = None, ""
    try:
        both = end_to_end_by(reader, nested, trials, seed=config.seed)
    except ConfigError as error:
        why_no_end = str(error)
    told = {**provenance_of(truth, trials), "listener": listener.identity()}
    return HomographCalibration(
        replace(source, unknown=len(everything) - len(trials)), trials, nested, told, held_out, why_not, unadapted, nested.judged(unit, rule=ReferenceRule()),
        adaptation_curve(truth, unadapted, [trial.sentence for trial in trials], counts=config.adaptation_utterances, seed=config.seed),
        drift(truth, held_out[unit]), text, both, why_no_end,
    )  # fmt: skip


def _trials_of(config: HomographCalibrationConfig, say: Callable[[str], None]) -> tuple[list[Trial], Path, TrialSource]:
    """The trials, the folder of what is kept of them, and where they come from."""
    if config.trials:
        path = Path(config.trials)
        return read_trials(path), path.parent, TrialSource(f"the list {path.name}")
    voices, left_out = usable_voices(config.voices, when_missing=config.missing_engines, options=config.engine_options)
    for line in left_out:
        say(line)
    if len(voices) < LEAST_VOICES:
        told = f"{len(voices)} voices are left; {'; '.join(left_out)}"
        raise ConfigError(f"too few voices: {_WHY_THREE}", where="voices", got=told, expected=f"{LEAST_VOICES} at least", mend="name other voices: workbench doctor")
    folder = config.controls_path()
    made = controls_in(
        folder, voices=[str(voice) for voice in voices], words=config.words, data=Path(config.sentences) if config.sentences else shipped_sentences(),
        sentences=config.per_reading, per_voice=config.per_voice or None, speeds=config.speeds, british=config.british, verifier=config.verifier or None,
        seed=config.seed, workers=config.workers, device=config.device, options=config.speaking_options(),
    )  # fmt: skip
    if not made.trials:
        told = "; ".join(f"{count} sentences: {why}" for why, count in made.left_out.items())
        raise ConfigError("no control could be kept", where=folder, got=told, expected="sentences of which both files say what their labels claim")
    planned = len(made.trials) // 2 + sum(made.left_out.values())
    sentences = Path(config.sentences).name if config.sentences else "the workbench's own sentences"
    return list(made.trials), folder, TrialSource(f"{planned} sentences of {sentences}, each said twice", planned, made.left_out, tuple(left_out))


def _held_out(nested: Nested) -> tuple[dict[Unit, list[Judged]], dict[Unit, str]]:
    """Verdicts by what is held out, and why there are none.

    Raises:
        ConfigError: nothing can be held out.
    """
    found: dict[Unit, list[Judged]] = {}
    why_not: dict[Unit, str] = {}
    for unit in ("engine", "voice"):
        try:
            found[unit] = nested.judged(unit)
        except ConfigError as error:
            why_not[unit] = str(error)
    if not found:
        expected = f"{LEAST_VOICES} voices, or two engines of two voices each: {_WHY_THREE}"
        raise ConfigError("neither an engine nor a voice can be held out", where="trials", got="; ".join(why_not.values()), expected=expected)
    return found, why_not

