"""Everything a comparison knows of one dataset, gathered in one pass over its results: numbers per clip as arrays, counts, and the few clips that a reader will hear."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.datasets.chunks import Chunk
from workbench.datasets.coverage import Coverage, coverage
from workbench.datasets.faults import Family, Fault, Usual, of_family
from workbench.datasets.keeping import RuleCount
from workbench.datasets.planted import MARK, Planted
from workbench.datasets.rules import Rule
from workbench.scan.results import ClipResult
from workbench.stats.independent import Sample

#: Numbers that are kept of every clip, beside the scores of judges that any clip has.
KEPT = (
    "duration_sec", "sample_rate_hz", "bandwidth_hz", "bandwidth_share", "loudness_lufs", "peak_amplitude", "clipping_pct", "silence_pct", "words", "characters",
    "chars_per_sec", "wer_fast", "wer_precision", "audio_error_rate", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """A clip that the report plays, and why."""

    result: ClipResult
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class PlantedClip:
    """A planted fault and what was found on its clip."""

    clip_id: str
    kind: Planted
    faults: tuple[Fault, ...]

    @property
    def found(self) -> bool:
        """Whether it was found as what it is."""
        return bool(self.kind.shows_as.intersection(self.faults))


@dataclass(frozen=True)
class Profile:
    """One dataset.

    Attributes:
        numbers: column -> array of shape (clips,), NaN for unknown.
        texts: hash of each clip's normalised text: equal ones are one text.
        audio: hash of each clip's samples, 0 where unreadable.
        speakers: clips by speaker; "" where the source names none.
        faults: clips by fault. ``with_fault``: clips with any fault of a family, "any" for clips with any at all.
        rules: what each rule keeps; ``kept`` says it clip by clip.
        failures: (stage, type) -> clips, and an example.
        planted: what came of planted faults; ``untouched`` are the other clips of a dataset with planted ones, ``accused`` those of them with a fault, by family.
        hash: names the clips by their names, audio and texts.
    """

    name: str
    clips: int
    numbers: Mapping[str, np.ndarray]
    texts: np.ndarray
    audio: np.ndarray
    speakers: Mapping[str, int]
    vocabulary: Mapping[str, int]
    coverage: Coverage
    faults: Mapping[Fault, int]
    with_fault: Mapping[str, int]
    rules: tuple[RuleCount, ...]
    kept: Mapping[str, np.ndarray]
    failed: int
    failures: Mapping[tuple[str, str], tuple[int, str]]
    stage_sec: Mapping[str, tuple[int, float, float]]
    heard: Mapping[str, tuple[Heard, ...]]
    planted: tuple[PlantedClip, ...]
    untouched: int
    accused: Mapping[str, int]
    accused_clips: tuple[Heard, ...]
    confidence_methods: tuple[str, ...]
    usual: Usual
    hash: str

    @property
    def hours(self) -> float:
        return float(np.nansum(self.numbers["duration_sec"])) / 3600

    def sample(self, column: str) -> Sample:
        """A column as statistics take it."""
        return Sample(self.numbers[column], self.texts)

    def share(self, flags: np.ndarray) -> Sample:
        """Yes and no per clip as statistics take it; NaN for unknown."""
        return Sample(np.asarray(flags, float), self.texts, share=True)

    def known(self, column: str) -> np.ndarray:
        """The values of a column without the unknown ones."""
        values = self.numbers[column]
        return values[np.isfinite(values)]


@dataclass
class Collector:
    """Takes a dataset's chunks, and gives its profile.

    Args:
        rules: whose yields to count.
        worst: clips to hear of each family of faults; ``sampled`` at random from all.
    """

    name: str
    rules: Sequence[Rule]
    usual: Usual
    seed: int
    worst: int = 10
    sampled: int = 10
    clips: int = 0
    _columns: dict[str, list[np.ndarray]] = field(default_factory=dict)
    _texts: list[np.ndarray] = field(default_factory=list)
    _audio: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._counts = tuple(RuleCount.of([rule]) for rule in self.rules)
        self._kept: list[list[np.ndarray]] = [[] for _ in self._counts]
        self._speakers, self._vocabulary, self._faults, self._with_fault = Counter(), Counter(), Counter(), Counter()
        self._failed, self._failures, self._stages = 0, {}, {}
        self._worst: dict[Family, list] = {"text": [], "audio": []}
        self._sample: list[Heard] = []
        self._chance = random.Random(self.seed)
        self._planted: list[PlantedClip] = []
        self._untouched, self._accused, self._accused_clips = 0, Counter(), []
        self._methods: dict[str, None] = {}
        self._digest = hashlib.sha256()

    def add(self, chunk: Chunk) -> None:
        """Take the next clips."""
        for count, kept in zip(self._counts, self._kept, strict=True):
            kept.append(count.add(chunk))
        for name in (*KEPT, *(name for name, values in chunk.columns.items() if values.dtype.kind == "f" and name not in KEPT and not name.startswith("n_"))):
            self._columns.setdefault(name, []).append(chunk.columns[name])
        self._texts.append(np.array([_hash64(" ".join(token.text for token in result.tokens)) for result in chunk.results], np.uint64))
        self._audio.append(np.array([_audio64(result) for result in chunk.results], np.uint64))
        for result, faults in zip(chunk.results, chunk.faults, strict=True):
            self._one(result, faults)

    def _one(self, result: ClipResult, faults: tuple[Fault, ...]) -> None:
        clip = result.clip
        self._speakers[clip.speaker] += 1
        self._vocabulary.update(token.text for token in result.tokens)
        self._faults.update(faults)
        families = {fault.family for fault in faults}
        self._with_fault.update([*families, *(["any"] if families else [])])
        self._failed += bool(result.failures)
        for failure in result.failures:
            count, example = self._failures.get((failure.stage, failure.type), (0, f"{clip.clip_id}: {failure.message}"))
            self._failures[failure.stage, failure.type] = (count + 1, example)
        for stage, sec in result.stage_sec.items():
            clips, spent, audio = self._stages.get(stage, (0, 0.0, 0.0))
            self._stages[stage] = (clips + 1, spent + sec, audio + (result.duration_sec or 0.0))
        if result.fast:
            self._methods.setdefault(result.fast.confidence_method)
        self._digest.update(f"{clip.clip_id}\0{result.file_hash}\0{clip.text}\n".encode("utf-8", "surrogatepass"))
        self._remember(Heard(result, faults))
        self._weigh_planted(result, faults, families)
        self.clips += 1

    def _remember(self, heard: Heard) -> None:
        for family, best in self._worst.items():
            if (own := of_family(heard.faults, family)) and self.worst:
                entry = (_badness(heard.result, own), -self.clips, heard)
                heapq.heappush(best, entry) if len(best) < self.worst else heapq.heappushpop(best, entry)
        # Algorithm R (Vitter 1985): every clip has the same chance, however many come.
        if len(self._sample) < self.sampled:
            self._sample.append(heard)
        elif self.sampled and (place := self._chance.randrange(self.clips + 1)) < self.sampled:
            self._sample[place] = heard

    def _weigh_planted(self, result: ClipResult, faults: tuple[Fault, ...], families: set[str]) -> None:
        kind = result.clip.extra.get(MARK)
        if kind in tuple(Planted):
            self._planted.append(PlantedClip(result.clip.clip_id, Planted(kind), faults))
            return
        self._untouched += 1
        self._accused.update([*families, *(["any"] if families else [])])
        if faults and len(self._accused_clips) < self.worst:
            self._accused_clips.append(Heard(result, faults))

    def profile(self) -> Profile:
        """What was gathered."""
        numbers = {name: np.concatenate(parts) for name, parts in self._columns.items()} if self.clips else {name: np.zeros(0) for name in KEPT}
        empty = np.zeros(0, np.uint64)
        trial = bool(self._planted)
        return Profile(
            name=self.name,
            clips=self.clips,
            numbers={name: values for name, values in numbers.items() if name in KEPT or np.isfinite(values).any()},
            texts=np.concatenate(self._texts) if self._texts else empty,
            audio=np.concatenate(self._audio) if self._audio else empty,
            speakers=dict(self._speakers),
            vocabulary=self._vocabulary,
            coverage=coverage(self._vocabulary),
            faults={fault: self._faults[fault] for fault in Fault},
            with_fault={family: self._with_fault[family] for family in ("text", "audio", "copy", "any")},
            rules=self._counts,
            kept={count.name: np.concatenate(kept) if kept else np.zeros(0, bool) for count, kept in zip(self._counts, self._kept, strict=True)},
            failed=self._failed,
            failures=self._failures,
            stage_sec=self._stages,
            heard={**{family: tuple(entry[2] for entry in sorted(best, reverse=True)) for family, best in self._worst.items()}, "sample": tuple(self._sample)},
            planted=tuple(self._planted),
            untouched=self._untouched if trial else 0,
            accused=dict(self._accused) if trial else {},
            accused_clips=tuple(self._accused_clips) if trial else (),
            confidence_methods=tuple(self._methods),
            usual=self.usual,
            hash=self._digest.hexdigest(),
        )


def _badness(result: ClipResult, faults: Sequence[Fault]) -> tuple[float, ...]:
    verdicts = result.verdicts
    errors = verdicts.edits.errors / len(verdicts.words) if verdicts and verdicts.words else 0.0
    return (float(len(faults)), errors, verdicts.fast_edits.wer if verdicts else 0.0)


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _audio64(result: ClipResult) -> int:
    return 0 if result.file_hash.startswith("unreadable") else int(result.file_hash[:16], 16)
