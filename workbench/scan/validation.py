"""The validation phase in one call: clips (spoken from texts, or existing ones) -> scan -> results, and the planted trial beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.scan.commercial import refuse_non_commercial
from workbench.scan.plan import HOW_THE_WORK_IS_DONE, used_engines
from workbench.scan.planted_trial import PlantedParameters, PlantedTrial, planted_trial
from workbench.scan.progress import print_line
from workbench.scan.reading import read_results
from workbench.scan.results import ClipResult
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.sources import Source, clips_of, dataset_hash
from workbench.scan.stages import StagePlan, fingerprint
from workbench.store import Store
from workbench.verdicts.operating_point import SHIPPED

if TYPE_CHECKING:
    from workbench.scan.homograph_review import HomographReview

#: Parameters under which a scan's results may be taken up again: they say how the work is done, or are applied when results are read.
NO_PART_OF_THE_NAME = {"operating_point", "commercial", "homographs", "homograph_calibration", "homographs_kept", *HOW_THE_WORK_IS_DONE}


class ValidationConfig(PlantedParameters):
    """Parameters of ``notebooks/validation.ipynb``; the notebook says what each means."""

    operating_point: Literal["shipped", "tuned"] | float = "shipped"
    homographs: str = ""
    homograph_calibration: str = ""
    homographs_kept: str = "outputs/homographs.jsonl"
    worst_clips: int = Field(10, ge=0)
    sample_clips: int = Field(10, ge=0)
    audio_budget_mb: float = Field(8.0, ge=0)


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything a validation report shows."""

    source: Source
    summary: ScanSummary
    results: tuple[ClipResult, ...]
    log_ratio_threshold: float
    operating_point: str
    planted: PlantedTrial | None
    dataset_hash: str
    homographs: HomographReview | None = None

    @property
    def stages(self) -> tuple[StagePlan, ...]:
        return self.summary.stages


def validate(config: ValidationConfig, *, say: Callable[[str], None] = print_line) -> Validation:
    """Run the whole phase. A second call with the same parameters finds everything in the store.

    Raises:
        WorkbenchError: of the family, before the work starts for what can be known then.
    """
    if config.commercial:
        refuse_non_commercial([*config.speaking_engines(), *used_engines(config.scan_config())], config.engine_options)
    with Store.open(config.database, patience_sec=config.database_patience_sec) as store:
        clips, source = clips_of(config, say)
        name = fingerprint(config=config.model_dump(mode="json", exclude=NO_PART_OF_THE_NAME))
        summary = scan(clips, config.scan_config(), store, scan_id=f"validation-{name}", label="hear and judge", total=source.total, say=say)
        planted = planted_trial(config, store, scan_id=f"planted-{name}", say=say)
        threshold, said = _operating_point(config, planted)
        results = tuple(read_results(store, summary.scan_id, summary.stages, log_ratio_threshold=threshold, cascade=config.cascade(), seed=config.seed))
    return Validation(source, summary, results, threshold, said, planted, dataset_hash(results), _homographs(config, results, say))


def _homographs(config: ValidationConfig, results: Sequence[ClipResult], say: Callable[[str], None]) -> HomographReview | None:
    if not config.homographs:
        return None
    from workbench.scan.homograph_review import review_homographs

    return review_homographs(
        results,
        listener=config.homographs,
        calibration=config.homograph_calibration,
        kept=config.homographs_kept,
        workers=config.workers,
        device=config.device,
        say=say,
    )


def _operating_point(config: ValidationConfig, planted: PlantedTrial | None) -> tuple[float, str]:
    if isinstance(config.operating_point, float | int):
        return float(config.operating_point), "given as a parameter"
    if config.operating_point == "tuned" and planted is not None and planted.tuned is not None:
        return planted.tuned.threshold, f"tuned in this run: {planted.tuned.rule}"
    return SHIPPED.threshold, f"shipped: {SHIPPED.provenance}"
