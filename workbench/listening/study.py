"""The listening phase in one call: clips with their scores -> a test's folder -> the ratings that lie in it -> listeners who count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from workbench import engines
from workbench.clips import Clip
from workbench.config import Config, DatabasePlace
from workbench.errors import ConfigError, EngineUnavailableError, ListeningError
from workbench.listening.base import Rating
from workbench.listening.calibration import CalibrationRules
from workbench.listening.checks import instructions
from workbench.listening.exclusion import Attention, ExclusionRules, attention
from workbench.listening.plan import PlanRules
from workbench.listening.preparing import Prepared, opened, prepare, system_of
from workbench.listening.ratings import Refused, read_all_ratings
from workbench.listening.scored_clips import ScoredClip, judge_columns, of_results, read_scored_clips
from workbench.listening.session import RATINGS
from workbench.listening.simulated import simulate
from workbench.scan.progress import print_line
from workbench.scan.sources import clips_of
from workbench.scan.stages import StagePlan
from workbench.scan.validation import ValidationConfig, validate
from workbench.whole_files import write_whole

SCORES_FILE = "scores.json"


class ListeningConfig(Config):
    """Parameters of ``notebooks/listening_test.ipynb``; the notebook says what each means."""

    test_folder: str = "outputs/listening/test"
    collect: bool = False
    results: str = ""
    texts: str = ""
    text_limit: int = Field(0, ge=0)
    voices: tuple[str, ...] = ()
    manifest: str = ""
    manifest_kind: str = ""
    missing_engines: str = Field("stop", pattern="^(stop|skip)$")
    fast: str = "pocketsphinx"
    judges: tuple[str, ...] = ("signal", "dnsmos")
    engine_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    commercial: bool = False
    sensitive: bool = False
    device: str = "cpu"
    workers: int = Field(2, ge=1, le=256)
    most_texts: int = Field(0, ge=0)
    mos_trials: int = Field(20, ge=0, le=2000)
    ab_trials: int = Field(10, ge=0, le=2000)
    abx_trials: int = Field(0, ge=0, le=2000)
    no_preference: bool = True
    baseline: str = ""
    checks_every: int = Field(10, ge=0)
    instruction_voice: str = ""
    loudness_lufs: float | None = Field(None, ge=-60, le=0)
    least_checks_passed: float = Field(0.75, ge=0, le=1)
    quick_share: float = Field(0.5, ge=0, le=1)
    most_quick: float = Field(0.2, ge=0, le=1)
    constant_after: int = Field(10, ge=0)
    least_clips: int = Field(30, ge=5)
    least_texts: int = Field(10, ge=2)
    least_ratings_per_clip: float = Field(3.0, ge=1)
    folds: int = Field(5, ge=2, le=50)
    simulated_listeners: int = Field(0, ge=0, le=1000)
    simulated_judge: str = "dnsmos_ovrl"
    gallery_clips: int = Field(6, ge=0)
    audio_budget_mb: float = Field(4.0, ge=0)
    resamples: int = Field(500, ge=100, le=10_000)
    seed: int = 1
    database: DatabasePlace = "outputs/workbench.sqlite"
    speech_folder: str = "outputs/speech"

    def _part(self, cls: type[Config]) -> Any:
        return cls(**{name: getattr(self, name) for name in cls.model_fields})

    def plan_rules(self) -> PlanRules:
        return self._part(PlanRules)

    def exclusion_rules(self) -> ExclusionRules:
        return self._part(ExclusionRules)

    def calibration_rules(self) -> CalibrationRules:
        return self._part(CalibrationRules)

    def validation_config(self) -> ValidationConfig:
        """The scan that scores the clips: one recogniser and the judges."""
        names = ("texts", "text_limit", "voices", "manifest", "manifest_kind", "missing_engines", "fast", "judges", "engine_options", "commercial", "sensitive",
                 "device", "workers", "seed", "database", "speech_folder")  # fmt: skip
        return ValidationConfig(**{name: getattr(self, name) for name in names}, precision=None)


@dataclass(frozen=True)
class Study:
    """A listening test with what is known of it.

    Attributes:
        scores: of each sound by column.
        ratings: by listener, in order of name; ``refused`` are lines of their files that do not hold.
        attention: every listener under the exclusion rules.
        described: where the clips come from, in words; ``stages`` are the engines that scored them in this run.
        remarks: what could not be had, such as a voice for spoken checks.
    """

    prepared: Prepared
    scores: Mapping[str, Mapping[str, float]]
    ratings: Mapping[str, tuple[Rating, ...]]
    attention: tuple[Attention, ...]
    refused: tuple[Refused, ...]
    simulated: bool
    described: str
    stages: tuple[StagePlan, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def all_ratings(self) -> list[Rating]:
        return [rating for own in self.ratings.values() for rating in own]

    @cached_property
    def counted(self) -> list[Rating]:
        """The answers of the listeners who count."""
        kept = {one.listener for one in self.attention if one.counts}
        return [rating for listener, own in self.ratings.items() if listener in kept for rating in own]

    @cached_property
    def judges(self) -> list[str]:
        """Columns of the scores that are opinions. An engine of this run without a primary score has none."""
        used = [engines.create(stage.engine, "judge", **dict(stage.options)) for stage in self.stages if stage.kind == "judge"]
        measured = {column for engine in used if engine.primary is None for column in engine.columns}
        return [column for column in judge_columns(self.scores.values()) if column not in measured]

    @cached_property
    def ratings_hash(self) -> str:
        digest = hashlib.sha256(self.prepared.plan.plan_id.encode())
        for rating in self.all_ratings:
            digest.update(f"{rating.listener}\0{rating.trial.token}\0{rating.answer}\0{rating.elapsed_sec}\n".encode())
        return digest.hexdigest()


def open_study(config: ListeningConfig, *, say: Callable[[str], None] = print_line) -> Study:
    """Prepare or open the test and read the ratings that lie in its folder.

    With ``results``, ``manifest`` or ``texts`` the test is made of those clips; with none of them the test that lies in ``test_folder`` is taken as it is.

    Raises:
        WorkbenchError: of the family; see ``prepare`` and ``opened``.
    """
    sources = [name for name in ("results", "manifest", "texts") if getattr(config, name)]
    if len(sources) > 1:
        raise ConfigError("clips from several sources", where=" and ".join(sources), expected="one of results, manifest, texts, or none of them")
    remarks: list[str] = []
    if not sources:
        prepared, scores, described, stages = opened(config.test_folder), _load_scores(Path(config.test_folder)), "the test as it lies in its folder", ()
    else:
        scored, described, stages, left_out = _scored(config, say)
        remarks += left_out
        prepared, scores = _prepared(config, scored, remarks, say)
    files = read_all_ratings(prepared.folder / RATINGS, prepared.plan)
    answers = {one.listener: (one.slot, one.ratings) for one in files if one.slot is not None}
    if config.simulated_listeners:
        if answers or any(one.refused for one in files):
            got = f"{len(files)} ratings files in {prepared.folder / RATINGS}"
            raise ConfigError("people rated this test", where="simulated_listeners", got=got, expected="0, or a test_folder without ratings")
        answers = simulate(prepared.plan, scores, config.simulated_judge, listeners=config.simulated_listeners, seed=config.seed)
    rules, plan = config.exclusion_rules(), prepared.plan
    attentive = tuple(attention(listener, own, plan, rules, asked=len(plan.trials(slot))) for listener, (slot, own) in answers.items() if own)
    return Study(
        prepared=prepared,
        scores=scores,
        ratings={listener: own for listener, (_, own) in answers.items() if own},
        attention=attentive,
        refused=tuple(fault for one in files for fault in (*one.refused, *([_torn(one.listener)] if one.torn else []))),
        simulated=bool(config.simulated_listeners),
        described=described,
        stages=stages,
        remarks=tuple(remarks),
    )


def _torn(listener: str) -> Refused:
    return Refused(f"{listener}.csv", 0, "the last line was cut off while it was written; the answer is asked again when the listener goes on")


def _scored(config: ListeningConfig, say: Callable[[str], None]) -> tuple[list[ScoredClip], str, tuple[StagePlan, ...], tuple[str, ...]]:
    """Clips with scores, where they come from, the stages that scored them here, and voices that could not take part."""
    if config.results:
        return read_scored_clips(config.results), f"results in {config.results}", (), ()
    if not config.judges:
        clips, source = clips_of(config.validation_config(), say)
        return [ScoredClip(clip, {}) for clip in clips], source.described, (), source.left_out
    found = validate(config.validation_config(), say=say)
    return of_results(found.results), found.source.described, found.stages, found.source.left_out


def _prepared(config: ListeningConfig, scored: Sequence[ScoredClip], remarks: list[str], say: Callable[[str], None]) -> tuple[Prepared, dict[str, dict[str, float]]]:
    prepared = prepare(
        [one.clip for one in scored], config.plan_rules(), folder=config.test_folder, most_texts=config.most_texts, instructions=_instructions(config, remarks, say)
    )
    of_clip: dict[tuple[str, str, str], dict[str, float]] = {}
    for one in scored:
        # A database may hold a clip again under the same name, as another version spoke it: the first that can be played is the one that is.
        if not one.clip.fault:
            of_clip.setdefault((system_of(one.clip), one.clip.clip_id, one.clip.text.strip()), dict(one.scores))
    scores = {item.item_id: of_clip.get((item.system, item.clip_id, item.text), {}) for item in prepared.plan.items if not item.check}
    _save_scores(prepared.folder, prepared.plan.plan_id, scores)
    return prepared, scores


def _instructions(config: ListeningConfig, remarks: list[str], say: Callable[[str], None]) -> list[tuple[Clip, str]]:
    if not (config.instruction_voice and config.checks_every and config.mos_trials):
        return []
    try:
        return instructions(config.instruction_voice, folder=config.speech_folder, options={}, say=say)
    except EngineUnavailableError as error:
        if config.missing_engines == "stop":
            raise
        remarks.append(f"No spoken attention checks: {error}")
        return []


def _save_scores(folder: Path, plan_id: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    write_whole(folder / SCORES_FILE, json.dumps({"plan": plan_id, "scores": scores}, indent=1, sort_keys=True) + "\n")


def _load_scores(folder: Path) -> dict[str, dict[str, float]]:
    """Scores of the sounds as they were when the test was made; a test without the file has none."""
    path = folder / SCORES_FILE
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {str(item): {str(name): float(value) for name, value in own.items()} for item, own in told["scores"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ListeningError(f"the scores cannot be read: {error}", where=path, mend="name the clips' source once more, or delete the file") from None
