"""The model comparison phase in one call: systems x prompts x takes -> clips -> scan -> what the statistics allow to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from workbench.errors import ConfigError, unknown_name
from workbench.scan.commercial import refuse_non_commercial
from workbench.scan.compared import Compared, compare_clips
from workbench.scan.comparison_metrics import Objective
from workbench.scan.plan import HOW_THE_WORK_IS_DONE, ScanConfig, ScanParameters, used_engines
from workbench.scan.primary_scores import primary_scores
from workbench.scan.progress import print_line
from workbench.scan.reading import read_results
from workbench.scan.results import ClipResult
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.sources import dataset_hash
from workbench.scan.stages import fingerprint
from workbench.scan.system_clips import Gathered, gather_clips, options_of
from workbench.scan.systems import System, named, similarity_references, system_of
from workbench.store import Store
from workbench.text.prompts import Prompt, load_prompts
from workbench.verdicts.operating_point import SHIPPED

#: The judge that compares a clip with recordings of its speaker.
SIMILARITY_JUDGE = "speaker_similarity"
#: Parameters that say what is made of the results, or how the work is done: the same clips may be compared anew under others.
NO_PART_OF_THE_NAME = {
    "baseline", "weights", "level", "resamples", "least_prompts", "side_by_side", "regressions", "audio_budget_mb", "operating_point", "commercial",
    *HOW_THE_WORK_IS_DONE,
}  # fmt: skip


class ModelComparisonConfig(ScanParameters):
    """Parameters of ``notebooks/model_comparison.ipynb``; the notebook says what each means."""

    systems: tuple[System, ...] = (System(voice="flite/slt"), System(voice="espeak/en-us"))
    baseline: str = ""
    texts: str = "evaluation"
    text_limit: int = Field(0, ge=0)
    takes: int = Field(1, ge=1, le=100)
    speed: float = Field(1.0, ge=0.25, le=4.0)
    sensitive: bool = False
    missing_engines: Literal["stop", "skip"] = "stop"
    dataset: str = ""
    judges: tuple[str, ...] = ("signal", "flat_tops", "dnsmos")
    operating_point: Literal["shipped"] | float = "shipped"
    weights: dict[Objective, float] = Field(default_factory=dict)
    level: float = Field(0.95, gt=0.5, lt=1)
    resamples: int = Field(10_000, ge=1000, le=1_000_000)
    least_prompts: float = Field(0.5, ge=0, le=1)
    side_by_side: int = Field(6, ge=0)
    regressions: int = Field(2, ge=0)
    audio_budget_mb: float = Field(8.0, ge=0)
    speech_folder: str = "outputs/speech"

    @field_validator("systems", mode="before")
    @classmethod
    def _from_short_forms(cls, given: Any) -> Any:
        return [system_of(one) for one in given] if isinstance(given, (list, tuple)) else given

    @field_validator("systems")
    @classmethod
    def _at_least_one(cls, systems: tuple[System, ...]) -> tuple[System, ...]:
        if not systems:
            raise ValueError("is an empty list; name at least one system, for instance flite/slt")
        return systems

    @model_validator(mode="after")
    def _can_be_compared(self) -> ModelComparisonConfig:
        if self.mos_mode not in ("all", "none"):
            # Judges that hear only what passed would compare each system's better clips.
            raise ConfigError("a comparison judges every clip or none", where="mos_mode", got=self.mos_mode, expected="all or none")
        if any(not weight >= 0 for weight in self.weights.values()) or (self.weights and not any(self.weights.values())):
            raise ConfigError("weights that weigh nothing", where="weights", got=dict(self.weights), expected="0 or more each, one above 0")
        if self.weights.get(Objective.SIMILARITY) and not any(system.reference for system in self.systems):
            raise ConfigError("similarity is weighed, but no system has a reference", where="weights", mend="give a system a reference: recordings of its speaker")
        names = [system.name for system in named(self.systems)[0]]
        if self.baseline and self.baseline not in names:
            raise unknown_name("baseline", self.baseline, names, where="baseline: one of the systems")
        return self

    def scan_config(self) -> ScanConfig:
        listening = {self.fast, self.precision, *self.judges}
        speaking = {system.engine for system in self.systems}
        # An engine that only speaks is none of the scan's.
        options = {name: given for name, given in self.engine_options.items() if name in listening or name not in speaking}
        judges = self.judges
        if references := similarity_references(named(self.systems)[0]):
            judges = tuple(dict.fromkeys((*judges, SIMILARITY_JUDGE)))
            options[SIMILARITY_JUDGE] = {"references": references, **options.get(SIMILARITY_JUDGE, {})}
        return super().scan_config().model_copy(update={"engine_options": options, "judges": judges})


@dataclass(frozen=True)
class ModelComparison:
    """Everything a comparison report shows.

    Attributes:
        systems: under the names that the report uses.
        naming: a line for each system that was given twice or renamed.
        prompts: in the order of the set.
        results: of ``gathered.entries``, in their order.
    """

    systems: tuple[System, ...]
    naming: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    gathered: Gathered
    summary: ScanSummary
    results: tuple[ClipResult, ...]
    compared: Compared
    log_ratio_threshold: float
    dataset: str
    dataset_hash: str


def compare_models(config: ModelComparisonConfig, *, say: Callable[[str], None] = print_line) -> ModelComparison:
    """Run the whole phase. A second call with the same parameters finds everything in the store.

    Raises:
        WorkbenchError: of the family, before the work starts for what can be known then.
    """
    systems, naming = named(config.systems)
    for line in naming:
        say(line)
    if config.commercial:
        _refuse_non_commercial(config, systems)
    prompts = load_prompts(config.texts, limit=config.text_limit)
    dataset = config.dataset or Path(config.texts).stem
    gathered = gather_clips(
        systems,
        prompts,
        dataset=dataset,
        takes=config.takes,
        speed=config.speed,
        sensitive=config.sensitive,
        when_missing=config.missing_engines,
        engine_options=config.engine_options,
        folder=config.speech_folder,
        workers=config.workers,
        device=config.device,
        say=say,
    )
    clips = [entry.clip for entry in gathered.entries]
    threshold = SHIPPED.threshold if config.operating_point == "shipped" else float(config.operating_point)
    name = fingerprint(config=config.model_dump(mode="json", exclude=NO_PART_OF_THE_NAME))
    with Store.open(config.database, patience_sec=config.database_patience_sec) as store:
        summary = scan(clips, config.scan_config(), store, scan_id=f"models-{name}", label="hear and judge", total=len(clips), say=say)
        results = tuple(read_results(store, summary.scan_id, summary.stages, log_ratio_threshold=threshold, cascade=config.cascade(), seed=config.seed))
    compared = compare_clips(
        gathered.entries,
        results,
        systems=[source.system.name for source in gathered.sources],
        prompts=len(prompts),
        primaries=primary_scores(summary.stages) if config.mos_mode == "all" else {},
        precision=config.precision is not None,
        baseline=config.baseline,
        weights={objective.value: weight for objective, weight in config.weights.items()},
        least_prompts=config.least_prompts,
        resamples=config.resamples,
        level=config.level,
        seed=config.seed,
    )
    return ModelComparison(systems, naming, tuple(prompts), gathered, summary, results, compared, threshold, dataset, dataset_hash(results))


def _refuse_non_commercial(config: ModelComparisonConfig, systems: Sequence[System]) -> None:
    listening = config.scan_config()
    refuse_non_commercial(used_engines(listening), listening.engine_options)
    for system in systems:
        if system.voice:
            refuse_non_commercial([("tts", system.engine)], {system.engine: options_of(system, config.engine_options)})
