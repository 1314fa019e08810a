"""The validation phase in one call: clips (spoken from texts, or existing ones) -> scan -> results, and the planted trial beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from workbench.clips import KINDS, Clip, open_manifest
from workbench.engines import Kind
from workbench.scan.commercial import refuse_non_commercial
from workbench.scan.plan import HOW_THE_WORK_IS_DONE, ScanConfig, ScanParameters, used_engines
from workbench.scan.planted_trial import PlantedTrial, run_trial
from workbench.scan.progress import print_line
from workbench.scan.reading import dataset_hash, read_results
from workbench.scan.results import ClipResult
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.speak import TextToSpeak, Voice, speak, usable_voices
from workbench.scan.stages import StagePlan, fingerprint
from workbench.store import Store
from workbench.text.prompts import load_prompts
from workbench.verdicts.operating_point import SHIPPED


#: Parameters under which a scan's results may be taken up again: they say how the work is done, or are applied when results are read.
NO_PART_OF_THE_NAME = {"operating_point", "commercial", *HOW_THE_WORK_IS_DONE}


class ValidationConfig(ScanParameters):
    """Parameters of ``notebooks/validation.ipynb``; the notebook says what each means."""

    texts: str = "everyday"
    text_limit: int = Field(0, ge=0)
    voices: tuple[str, ...] = ("flite/slt", "espeak/en-us")
    speed: float = Field(1.0, ge=0.25, le=4.0)
    sensitive: bool = False
    missing_engines: Literal["stop", "skip"] = "stop"
    manifest: str = ""
    manifest_kind: str = ""
    dataset: str = ""
    clip_limit: int = Field(0, ge=0)
    operating_point: Literal["shipped", "tuned"] | float = "shipped"
    planted_texts: int = Field(0, ge=0)
    planted_tune_voices: tuple[str, ...] = ()
    planted_test_voices: tuple[str, ...] = ()
    worst_clips: int = Field(10, ge=0)
    sample_clips: int = Field(10, ge=0)
    audio_budget_mb: float = Field(8.0, ge=0)
    speech_folder: str = "outputs/speech"

    def scan_config(self) -> ScanConfig:
        # An engine that only speaks is none of the scan's.
        speaking = {written.partition("/")[0] for written in (*self.voices, *self.planted_tune_voices, *self.planted_test_voices)}
        listening = {self.fast, self.precision, *self.judges}
        options = {name: given for name, given in self.engine_options.items() if name in listening or name not in speaking}
        return super().scan_config().model_copy(update={"engine_options": options})


@dataclass(frozen=True, slots=True)
class Source:
    """Where the clips of a validation come from. ``left_out`` says which voices could not take part."""

    dataset: str
    described: str
    total: int | None
    speak_sec: float
    left_out: tuple[str, ...]


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

    @property
    def stages(self) -> tuple[StagePlan, ...]:
        return self.summary.stages


def validate(config: ValidationConfig, *, say: Callable[[str], None] = print_line) -> Validation:
    """Run the whole phase. A second call with the same parameters finds everything in the store.

    Raises:
        WorkbenchError: of the family, before the work starts for what can be known then.
    """
    if config.commercial:
        refuse_non_commercial([*_speaking(config), *used_engines(config.scan_config())], config.engine_options)
    with Store.open(config.database, patience_sec=config.database_patience_sec) as store:
        clips, source = _clips(config, say)
        name = fingerprint(config=config.model_dump(mode="json", exclude=NO_PART_OF_THE_NAME))
        summary = scan(clips, config.scan_config(), store, scan_id=f"validation-{name}", label="hear and judge", total=source.total, say=say)
        planted = _planted(config, store, name, say)
        threshold, said = _operating_point(config, planted)
        results = tuple(read_results(store, summary.scan_id, summary.stages, log_ratio_threshold=threshold, cascade=config.cascade(), seed=config.seed))
    return Validation(source, summary, results, threshold, said, planted, dataset_hash(results))


def _speaking(config: ValidationConfig) -> list[tuple[Kind, str]]:
    voices = [*config.planted_tune_voices, *config.planted_test_voices] if config.planted_texts and config.precision else []
    if not config.manifest:
        voices = [*config.voices, *voices]
    return [("tts", Voice.parse(written).engine) for written in voices]


def _clips(config: ValidationConfig, say: Callable[[str], None]) -> tuple[Any, Source]:
    if config.manifest:
        manifest = open_manifest(config.manifest, kind=config.manifest_kind or None, dataset=config.dataset or None)
        described = f"{KINDS[manifest.kind]}: {manifest.source}"
        # A dataset on a hub is not read twice only to be counted.
        if manifest.kind == "hub":
            clips = _Part(manifest, config.clip_limit, of=None) if config.clip_limit else manifest
            return clips, Source(manifest.dataset, described, config.clip_limit or None, 0.0, ())
        total = manifest.count()
        limit = min(config.clip_limit or total, total)
        clips = _Part(manifest, limit, of=total) if limit < total else manifest
        return clips, Source(manifest.dataset, described, limit, 0.0, ())
    prompts = load_prompts(config.texts, limit=config.text_limit)
    voices, left_out = usable_voices(config.voices, when_missing=config.missing_engines, options=config.engine_options)
    for line in left_out:
        say(line)
    texts = [TextToSpeak.of(prompt, sensitive=config.sensitive) for prompt in prompts]
    dataset = config.dataset or Path(config.texts).stem
    spoken = speak(
        texts,
        voices,
        folder=config.speech_folder,
        dataset=dataset,
        speed=config.speed,
        workers=config.workers,
        options=config.engine_options,
        device=config.device,
        say=say,
    )
    described = f"{len(prompts)} texts of {config.texts!r} in {len(voices)} voices"
    return list(spoken.clips), Source(dataset, described, len(spoken.clips), spoken.sec, tuple(left_out))


class _Part:
    """Some clips of a manifest: every n-th where their number is known, as a limit should not mean the first speaker only; else the first ones. Read as often as need be."""

    def __init__(self, manifest: Any, limit: int, *, of: int | None) -> None:
        self._manifest, self._limit, self._of = manifest, limit, of

    def __iter__(self) -> Iterator[Clip]:
        if self._of is None:
            yield from islice(self._manifest, self._limit)
            return
        wanted = (k * self._of // self._limit for k in range(self._limit))
        following = next(wanted)
        for index, clip in enumerate(self._manifest):
            if index == following:
                yield clip
                following = next(wanted, -1)


def _planted(config: ValidationConfig, store: Store, name: str, say: Callable[[str], None]) -> PlantedTrial | None:
    if not config.planted_texts or not config.precision:
        return None
    tune, left_out = _some_voices(config.planted_tune_voices, config)
    test, more = _some_voices(config.planted_test_voices, config)
    for line in dict.fromkeys(left_out + more):
        say(f"planted errors: {line}")
    if not test:
        return None
    return run_trial(
        store,
        config.scan_config(),
        scan_id=f"planted-{name}",
        texts_per_voice=config.planted_texts,
        tune_voices=tune,
        test_voices=test,
        speech_folder=config.speech_folder,
        seed=config.seed,
        speech_options=config.engine_options,
        say=say,
    )


def _some_voices(written: Sequence[str], config: ValidationConfig) -> tuple[list, list[str]]:
    from workbench.errors import EngineUnavailableError

    if not written:
        return [], []
    try:
        return usable_voices(written, when_missing=config.missing_engines, options=config.engine_options)
    except EngineUnavailableError as error:
        if config.missing_engines == "stop":
            raise
        return [], [str(error)]


def _operating_point(config: ValidationConfig, planted: PlantedTrial | None) -> tuple[float, str]:
    if isinstance(config.operating_point, float | int):
        return float(config.operating_point), "given as a parameter"
    if config.operating_point == "tuned" and planted is not None and planted.tuned is not None:
        return planted.tuned.threshold, f"tuned in this run: {planted.tuned.rule}"
    return SHIPPED.threshold, f"shipped: {SHIPPED.provenance}"
