"""A dataset's clips on their way from the store to whatever counts them: some hundred at a time, each with its columns as arrays and its faults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from workbench.clips.rows import SeenIds
from workbench.datasets.columns import COUNTED_COLUMNS, SIGNAL_COLUMNS, judge_columns
from workbench.datasets.faults import Bounds, Fault, Usual, faults_of, of_family
from workbench.datasets.measures import Measures
from workbench.scan.results import ClipResult
from workbench.verdicts.base import Verdict

CHUNK_CLIPS = 250
_FAMILIES = ("text", "audio", "copy")


@dataclass(frozen=True)
class Chunk:
    """Some consecutive clips.

    Attributes:
        columns: name -> array of shape (clips,): float with NaN for unknown, bool, or text as objects; every column of ``columns.catalogue``.
        faults: of each clip.
    """

    results: tuple[ClipResult, ...]
    columns: dict[str, np.ndarray]
    faults: tuple[tuple[Fault, ...], ...]

    def __len__(self) -> int:
        return len(self.results)

    @property
    def sec(self) -> np.ndarray:
        """Seconds of audio, 0 where unknown."""
        return np.nan_to_num(self.columns["duration_sec"])

    @property
    def readable(self) -> np.ndarray:
        """Whether there is audio to keep."""
        return ~self.columns[Fault.UNREADABLE.value]


class ChunkMaker:
    """Makes chunks of one dataset's results, in order: a copy is known by the clips before it.

    Args:
        scores: score columns of judges without places in the results database.
    """

    def __init__(self, bounds: Bounds, usual: Usual, *, scores: Iterable[str] = ()) -> None:
        self._bounds, self._usual = bounds, usual
        self._scores = tuple(dict.fromkeys((*SIGNAL_COLUMNS, *judge_columns(), *scores)))
        self._audio, self._texts = SeenIds(), SeenIds()

    def chunks(self, results: Iterable[ClipResult]) -> Iterator[Chunk]:
        """All results, ``CHUNK_CLIPS`` at a time."""
        source = iter(results)
        while part := tuple(islice(source, CHUNK_CLIPS)):
            yield self.chunk(part)

    def chunk(self, results: Sequence[ClipResult]) -> Chunk:
        """The next results of the dataset."""
        measures = [Measures.of(result) for result in results]
        faults = tuple(self._faults(result, measured) for result, measured in zip(results, measures, strict=True))
        columns = {name: _numbers(result.scores.get(name) for result in results) for name in self._scores}
        columns |= {name: _numbers(getattr(measured, name) for measured in measures) for name in COUNTED_COLUMNS if not name.startswith("n_")}
        columns |= {f"n_{verdict.value}": _numbers(r.verdicts.count(verdict) if r.verdicts else None for r in results) for verdict in Verdict}
        columns |= {fault.value: np.array([fault in own for own in faults], bool) for fault in Fault}
        columns |= {f"{family}_fault": np.array([bool(of_family(own, family)) for own in faults], bool) for family in _FAMILIES}
        columns["failed"] = np.array([bool(result.failures) for result in results], bool)
        columns |= {name: np.array([getattr(result.clip, name) for result in results], object) for name in ("clip_id", "speaker", "category")}
        return Chunk(tuple(results), columns, faults)

    def _faults(self, result: ClipResult, measures: Measures) -> tuple[Fault, ...]:
        found = faults_of(result, measures, bounds=self._bounds, usual=self._usual)
        return found if Fault.UNREADABLE in found else (*found, *self._copies(result))

    def _copies(self, result: ClipResult) -> tuple[Fault, ...]:
        words = " ".join(token.text for token in result.tokens)
        new_audio = self._audio.add(result.file_hash)
        new_text = not words or self._texts.add(f"{result.clip.speaker}\0{words}")
        if not new_audio:
            return (Fault.SAME_AUDIO,)
        return () if new_text else (Fault.SAME_TEXT,)


def _numbers(values: Iterable[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)
