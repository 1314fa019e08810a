"""The dataset comparison in one call: every dataset scanned by the same engines, profiled in one pass, and set side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from pydantic import Field, field_validator

from workbench import engines
from workbench.datasets.chunks import Chunk, ChunkMaker
from workbench.datasets.claims import Claim, claims_of
from workbench.datasets.columns import kinds
from workbench.datasets.coverage import distinct_at
from workbench.datasets.faults import Bounds
from workbench.datasets.profile import Collector, Profile
from workbench.datasets.reading import Reading
from workbench.datasets.rows import RowWriter
from workbench.datasets.rules import STANDARD, Rule, parse_all
from workbench.datasets.sources import DatasetClips, DatasetParameters, open_dataset
from workbench.errors import ConfigError, unknown_name
from workbench.scan.commercial import refuse_non_commercial
from workbench.scan.plan import plan_stages, used_engines
from workbench.scan.progress import print_line
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.stages import StagePlan
from workbench.stats.independent import Gap, Sample, gaps
from workbench.store import Store
from workbench.verdicts.operating_point import SHIPPED

#: Where a clip's word error rate is called high, as R7 counts them.
HIGH_WER = 0.05
METRICS = ("mean WER", "clips without an error", "clips above 5% WER", "confidence")


class DatasetComparisonConfig(DatasetParameters):
    """Parameters of ``notebooks/dataset_comparison.ipynb``; the notebook says what each means."""

    keep: dict[str, str] = Field(default_factory=dict)
    headline_rule: str = "balanced"
    bounds: Bounds = Bounds()
    operating_point: float = SHIPPED.threshold
    worst_clips: int = Field(8, ge=0)
    sample_clips: int = Field(4, ge=0)
    audio_budget_mb: float = Field(8.0, ge=0)

    @field_validator("judges")
    @classmethod
    def _measured(cls, judges: tuple[str, ...]) -> tuple[str, ...]:
        if "signal" not in judges:
            raise ValueError("the judge 'signal' measures length, loudness, clipping and bandwidth, without which datasets are not compared: add it")
        return judges

    def rules(self) -> tuple[Rule, ...]:
        """The standard rules and the own ones, each read and checked.

        Raises:
            ConfigError, UnknownNameError: see ``rules.parse``.
        """
        named = {**STANDARD, **self.keep}
        if self.headline_rule not in named:
            raise unknown_name("rule", self.headline_rule, named, where="headline_rule")
        return parse_all(named, columns=kinds(self.score_columns()))

    def score_columns(self) -> tuple[str, ...]:
        """The columns that the judges of the scan fill."""
        made = (engines.create(judge, "judge", **self.engine_options.get(judge, {})) for judge in self.judges)
        return tuple(dict.fromkeys(column for judge in made for column in judge.columns))


@dataclass(frozen=True)
class Compared:
    """One dataset as it was compared."""

    clips: DatasetClips
    summary: ScanSummary
    profile: Profile

    @property
    def name(self) -> str:
        return self.clips.name


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two datasets have in common: texts (normalised), audio, and the share of a's running words that b's texts hold, and the other way round."""

    a: str
    b: str
    texts: int
    audio: int
    words_of_a_in_b: float | None
    words_of_b_in_a: float | None


@dataclass(frozen=True)
class DatasetComparison:
    """Everything that the report shows.

    Attributes:
        primaries: judge -> its column, of every judge with an opinion that scored any clip.
        lacking: metric -> datasets without any value of it where another has one; they are not compared on it.
        distinct: different words to expect in ``equal_words`` running words of each dataset.
    """

    datasets: tuple[Compared, ...]
    stages: tuple[StagePlan, ...]
    primaries: Mapping[str, str]
    overlaps: tuple[Overlap, ...]
    gaps: tuple[Gap, ...]
    claims: tuple[Claim, ...]
    lacking: Mapping[str, tuple[str, ...]]
    equal_words: int
    distinct: Mapping[str, float | None]
    dataset_hash: str

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return tuple(dataset.profile for dataset in self.datasets)


def compare_datasets(config: DatasetComparisonConfig, *, rows: Path | None = None, say: Callable[[str], None] = print_line) -> DatasetComparison:
    """Run the whole phase. A second call with the same parameters finds everything in the store.

    Args:
        rows: a Parquet file to write, a row per clip.

    Raises:
        WorkbenchError: of the family, before the work starts for what can be known then.
    """
    rules, stages = config.rules(), plan_stages(config.scan_config())
    if not config.datasets:
        raise ConfigError("no dataset to look at", where="datasets", got="none", expected="name: source, for instance {mine: path/to/folder}", mend="name some, or --profile demo")
    if config.commercial:
        refuse_non_commercial([*config.speaking_engines(), *used_engines(config.scan_config())], config.engine_options)
    with Store.open(config.database, patience_sec=config.database_patience_sec) as store:
        opened = [open_dataset(name, config, say=say) for name in config.datasets]
        scanned = [(dataset, scan(dataset.clips, config.scan_config(), store, scan_id=dataset.scan_id, label=f"hear and judge {dataset.name}",
                                  total=dataset.source.total, say=say)) for dataset in opened]  # fmt: skip
        with RowWriter.maybe(rows, scores=config.score_columns()) as writer:
            compared = tuple(Compared(dataset, summary, _profile(dataset, config, rules, stages, store, writer)) for dataset, summary in scanned)
    return _side_by_side(compared, stages)


def _profile(dataset: DatasetClips, config: DatasetComparisonConfig, rules: tuple[Rule, ...], stages: tuple[StagePlan, ...], store: Store, writer: RowWriter) -> Profile:
    reading = Reading(store, dataset.scan_id, stages, config.operating_point, config.cascade(), config.seed)
    usual = reading.usual()
    collector = Collector(dataset.name, rules, usual, config.seed, worst=config.worst_clips, sampled=config.sample_clips)
    for chunk in _chunks(reading, ChunkMaker(config.bounds, usual, scores=config.score_columns())):
        collector.add(chunk)
        writer.write(chunk)
    return collector.profile()


def _chunks(reading: Reading, maker: ChunkMaker) -> Iterator[Chunk]:
    return maker.chunks(reading.results())


def _side_by_side(compared: tuple[Compared, ...], stages: tuple[StagePlan, ...]) -> DatasetComparison:
    profiles = tuple(dataset.profile for dataset in compared)
    primaries = _primaries(stages, profiles)
    overlaps = tuple(_overlap(a, b) for a, b in combinations(profiles, 2))
    samples = _samples(profiles, primaries)
    found = tuple(gaps(samples))
    words = [profile.coverage.words for profile in profiles if profile.coverage.words]
    equal = min(words, default=0)
    digest = hashlib.sha256("\n".join(f"{profile.name}\0{profile.hash}" for profile in profiles).encode())
    return DatasetComparison(
        datasets=compared,
        stages=stages,
        primaries=primaries,
        overlaps=overlaps,
        gaps=found,
        claims=claims_of(found, {frozenset((o.a, o.b)): o.texts for o in overlaps}),
        lacking=_lacking(samples, profiles),
        equal_words=equal,
        distinct={profile.name: distinct_at(profile.vocabulary, equal) for profile in profiles},
        dataset_hash=digest.hexdigest(),
    )


def _primaries(stages: tuple[StagePlan, ...], profiles: tuple[Profile, ...]) -> dict[str, str]:
    judges = {stage.engine: engines.create(stage.engine, "judge", **dict(stage.options)).primary for stage in stages if stage.kind == "judge"}
    return {judge: column for judge, column in judges.items() if column and any(column in profile.numbers for profile in profiles)}


def _samples(profiles: tuple[Profile, ...], primaries: Mapping[str, str]) -> dict[str, dict[str, Sample]]:
    found: dict[str, dict[str, Sample]] = {metric: {} for metric in (*METRICS, *primaries)}
    for profile in profiles:
        wer = profile.numbers["wer_fast"]
        known = np.isfinite(wer)
        found["mean WER"][profile.name] = profile.sample("wer_fast")
        found["clips without an error"][profile.name] = profile.share(np.where(known, wer == 0, np.nan))
        found["clips above 5% WER"][profile.name] = profile.share(np.where(known, wer > HIGH_WER, np.nan))
        found["confidence"][profile.name] = profile.sample("confidence")
        for judge, column in primaries.items():
            if column in profile.numbers:
                found[judge][profile.name] = profile.sample(column)
    return found


def _lacking(samples: Mapping[str, Mapping[str, Sample]], profiles: tuple[Profile, ...]) -> dict[str, tuple[str, ...]]:
    found = {}
    for metric, own in samples.items():
        without = tuple(profile.name for profile in profiles if profile.name not in own or not len(own[profile.name].known().values))
        if without and len(without) < len(profiles):
            found[metric] = without
    return found


def _overlap(a: Profile, b: Profile) -> Overlap:
    def words_in(own: Profile, other: Profile) -> float | None:
        shared = sum(count for word, count in own.vocabulary.items() if word in other.vocabulary)
        return shared / own.coverage.words if own.coverage.words else None

    texts, audio = (len(np.intersect1d(first, second)) for first, second in ((a.texts[_said(a)], b.texts[_said(b)]), (a.audio[a.audio > 0], b.audio[b.audio > 0])))
    return Overlap(a.name, b.name, texts, audio, words_in(a, b), words_in(b, a))


def _said(profile: Profile) -> np.ndarray:
    return profile.numbers["words"] > 0
