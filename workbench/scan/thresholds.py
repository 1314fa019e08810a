"""The thresholds phase in one call: clips and planted errors heard by both engines, then every cascade on trial weighed on what was heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from workbench.errors import ConfigError
from workbench.scan.cascade import Cascade
from workbench.scan.commercial import refuse_non_commercial
from workbench.scan.plan import HOW_THE_WORK_IS_DONE, ScanConfig, used_engines
from workbench.scan.planted_trial import PlantedParameters, PlantedTrial, TrialClips, planted_trial
from workbench.scan.progress import print_line
from workbench.scan.reading import read_results, transcripts
from workbench.scan.results import ClipResult
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.sources import Source, clips_of, dataset_hash
from workbench.scan.stages import fingerprint
from workbench.scan.trade_off import Candidate, Catcher, Heard, cheapest, cost
from workbench.store import Store
from workbench.stt.base import Transcript

#: Where the clips' own confidences are cut, as shares of the clips below: engines' confidences do not compare.
CONFIDENCE_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75)
#: Parameters that say how the work is done, or what is shown of it.
NO_PART_OF_THE_NAME = {"commercial", "keep_recall", "flag_wers", "flag_confidences", "word_confidences", *Cascade.model_fields, *HOW_THE_WORK_IS_DONE}


class ThresholdsConfig(PlantedParameters):
    """Parameters of ``notebooks/thresholds.ipynb``; the notebook says what each means."""

    judges: tuple[str, ...] = ("signal",)
    keep_recall: float = Field(0.95, gt=0, le=1)
    flag_wers: tuple[float, ...] = (0.0, 0.02, 0.05, 0.10, 0.20)
    flag_confidences: tuple[float, ...] = ()
    word_confidences: tuple[float, ...] = (0.0, 0.9)

    def scan_config(self) -> ScanConfig:
        # How long a clip is comes from the signal metrics.
        return super().scan_config().model_copy(update={"judges": tuple(dict.fromkeys(("signal", *self.judges)))})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Everything a thresholds report shows.

    Attributes:
        results: the clips under study, heard in whole by both engines.
        candidates: every cascade on trial; ``present`` is the one of the parameters, ``everything`` hears all, ``proposed`` is the cheapest that keeps the stated recall
            (None where nothing was planted, or nothing that was is found by hearing everything).
        trial: the planted errors.
    """

    source: Source
    summary: ScanSummary
    results: tuple[ClipResult, ...]
    trial: PlantedTrial | None
    candidates: tuple[Candidate, ...]
    present: Candidate
    everything: Candidate
    proposed: Candidate | None
    dataset_hash: str


def weigh_thresholds(config: ThresholdsConfig, *, say: Callable[[str], None] = print_line) -> Thresholds:
    """Run the whole phase. A second call with the same parameters finds everything in the store; other bounds compute nothing, but for new ``word_confidences``.

    Raises:
        WorkbenchError: of the family, before the work starts for what can be known then.
    """
    if not config.precision:
        raise ConfigError("thresholds weigh what a precision engine costs against what it catches", where="precision", got=config.precision, mend="name one")
    if config.commercial:
        refuse_non_commercial([*config.speaking_engines(), *used_engines(config.scan_config())], config.engine_options)
    with Store.open(config.database, patience_sec=config.database_patience_sec) as store:
        clips, source = clips_of(config, say)
        name = fingerprint(config=config.model_dump(mode="json", exclude=NO_PART_OF_THE_NAME))
        heard_whole = config.scan_config().model_copy(update={"cascade": Cascade(mos_mode=config.mos_mode)})
        summary = scan(clips, heard_whole, store, scan_id=f"thresholds-{name}", label="hear", total=source.total, say=say)
        results = _read(store, summary, Cascade(mos_mode=config.mos_mode), config)
        trial = planted_trial(config, store, scan_id=f"planted-{name}", say=say)
        by_word = {
            cascade: _ByWord(store, config, cascade, f"{name}-{fingerprint(cascade=cascade.model_dump())[:6]}", clips, trial, say)
            for cascade in _cascades_by_word(config)
        }
    return _weighed(config, source, summary, results, trial, by_word)


class _ByWord:
    """What one cascade by word heard, of the clips under study and of the planted ones. It is listened to for real: audio cut at other places is heard otherwise."""

    def __init__(self, store, config: ThresholdsConfig, cascade: Cascade, name: str, clips, trial: PlantedTrial | None, say) -> None:
        label = f"by word below {cascade.word_confidence:g}"
        listening = _listening_only(config).model_copy(update={"cascade": cascade})
        summary = scan(clips, listening, store, scan_id=f"words-{name}", label=label, say=say)
        self.results = _read(store, summary, cascade, config)
        self.test = self._planted(store, listening, trial.test, f"words-test-{name}", label, say) if trial else []
        self.tune = self._planted(store, listening, trial.tune, f"words-tune-{name}", label, say) if trial and trial.tune else []

    @staticmethod
    def _planted(store, listening: ScanConfig, part: TrialClips, scan_id: str, label: str, say) -> list[Transcript | None]:
        summary = scan(list(part.clips), listening, store, scan_id=scan_id, label=f"planted errors {label}", total=len(part.clips), say=say)
        return [second for _, _, second in transcripts(store, scan_id, summary.stages)]


def _listening_only(config: ThresholdsConfig) -> ScanConfig:
    options = {name: given for name, given in config.engine_options.items() if name in (config.fast, config.precision)}
    return config.scan_config().model_copy(update={"judges": ("signal",), "engine_options": options})


def _read(store: Store, summary: ScanSummary, cascade: Cascade, config: ThresholdsConfig) -> tuple[ClipResult, ...]:
    threshold = config.log_ratio_threshold
    return tuple(read_results(store, summary.scan_id, summary.stages, log_ratio_threshold=threshold, cascade=cascade, seed=config.seed, save_verdicts=False))


def _cascades_by_word(config: ThresholdsConfig) -> list[Cascade]:
    present = config.cascade()
    asked = [*config.word_confidences, *([present.word_confidence] if present.escalate == "words" else [])]
    return [present.model_copy(update={"escalate": "words", "word_confidence": sure}) for sure in dict.fromkeys(asked)]


def _cascades(config: ThresholdsConfig, results: Sequence[ClipResult]) -> dict[str, Cascade]:
    """Every cascade on trial, by name; the one of the parameters comes first."""
    present = config.cascade()
    confidences = list(config.flag_confidences) or _quantiles(results)
    flagged = [
        present.model_copy(update={"escalate": "flagged", "flag_wer": wer, "flag_confidence": sure})
        for wer in dict.fromkeys(config.flag_wers)
        for sure in dict.fromkeys([0.0, *confidences])
    ]
    everything = present.model_copy(update={"escalate": "all"})
    return {name_of(cascade): cascade for cascade in dict.fromkeys([present, *flagged, *_cascades_by_word(config), everything])}


def _quantiles(results: Sequence[ClipResult]) -> list[float]:
    known = [r.verdicts.confidence for r in results if r.verdicts is not None and r.verdicts.confidence is not None]
    return [round(float(cut), 3) for cut in np.quantile(known, CONFIDENCE_QUANTILES)] if known else []


def name_of(cascade: Cascade) -> str:
    """A cascade in a few words; no two on trial have the same."""
    if cascade.escalate == "all":
        return "hear everything"
    if cascade.escalate == "words":
        return f"words: in doubt, or confidence < {cascade.word_confidence:g}" if cascade.word_confidence else "words: heard otherwise"
    return f"clips: WER > {100 * cascade.flag_wer:g}%" + (f", or confidence < {cascade.flag_confidence:g}" if cascade.flag_confidence else "")


def _weighed(config, source, summary, results, trial: PlantedTrial | None, by_word: dict[Cascade, _ByWord]) -> Thresholds:
    told = {"threshold": config.log_ratio_threshold, "seed": config.seed}
    test = _catcher(trial.test, {cascade: own.test for cascade, own in by_word.items()}, **told) if trial else None
    tune = _catcher(trial.tune, {cascade: own.tune for cascade, own in by_word.items()}, **told) if trial and trial.tune else None
    candidates = [
        Candidate(
            name,
            cascade,
            cost(by_word[cascade].results if cascade.escalate == "words" else results, cascade, seed=config.seed),
            tune.catch(cascade) if tune else None,
            test.catch(cascade) if test else None,
        )
        for name, cascade in _cascades(config, results).items()
    ]
    everything = next(candidate for candidate in candidates if candidate.cascade.escalate == "all")
    # Of errors that not even hearing everything finds there is no share to keep.
    tried = everything.tune or everything.test
    proposed = cheapest(candidates, keep=config.keep_recall) if tried and tried.kept.value is not None else None
    return Thresholds(source, summary, results, trial, tuple(candidates), candidates[0], everything, proposed, dataset_hash(results))


def _catcher(part: TrialClips, by_word: dict[Cascade, Sequence[Transcript | None]], *, threshold: float, seed: int) -> Catcher:
    return Catcher(Heard(part.planted, part.fast, part.precision, by_word), threshold=threshold, seed=seed)
