"""A scan's results for a comparison or a filter: under the fingerprints of a plan, or as the database holds them, where no plan is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.datasets.faults import Usual
from workbench.datasets.measures import characters_of, speaking_rate
from workbench.errors import StoreError
from workbench.scan.cascade import Cascade
from workbench.scan.reading import read_results, result_of
from workbench.scan.results import ClipResult
from workbench.scan.stages import StagePlan
from workbench.store import Store, StoredRow
from workbench.store.schema import STAGE_COLUMNS
from workbench.text import tokenise

#: With fewer clips than this a median of their speaking rates says little.
LEAST_RATES = 10
_STAGES = tuple(stage for stage in STAGE_COLUMNS if stage != "audio")


@dataclass(frozen=True)
class Reading:
    """How the results of a scan are read.

    Attributes:
        stages: as the scan planned them; None takes what the database's columns hold, if that is of one make throughout.
        log_ratio_threshold: operating point of a precision engine that weighs the reference.
        cascade, seed: of the scan, with ``stages``: what another scan computed beyond its choices is left out.
    """

    store: Store
    scan_id: str
    stages: tuple[StagePlan, ...] | None
    log_ratio_threshold: float
    cascade: Cascade | None = None
    seed: int = 1

    def results(self) -> Iterator[ClipResult]:
        """The results in the order of the scan's clips, streamed.

        Raises:
            StoreError: without ``stages``, results of several engines or settings in one stage.
        """
        if self.stages is not None:
            threshold = self.log_ratio_threshold
            yield from read_results(self.store, self.scan_id, self.stages, log_ratio_threshold=threshold, cascade=self.cascade, seed=self.seed)
            return
        prints: dict[str, str] = {}
        for members in self.store.members(self.scan_id):
            rows = self.store.read((member.key for member in members), stages=_STAGES)
            for member in members:
                stages = self._as_stored(rows[member.key], prints)
                yield result_of(member, rows[member.key], stages, log_ratio_threshold=self.log_ratio_threshold)

    def _as_stored(self, row: StoredRow, prints: dict[str, str]) -> Sequence[StagePlan]:
        stages = []
        for name in _STAGES:
            if (found := row.columns[f"{name}_fingerprint"]) is None:
                continue
            if prints.setdefault(name, found) != found:
                raise StoreError(
                    "results of different engines or settings in one scan",
                    where=f"scan {self.scan_id}, stage {name}",
                    got=f"fingerprints {prints[name]} and {found}",
                    expected="one for all clips",
                    mend="name the scan's parameters, in a file (-p) or as NAME=VALUE: results under those are taken",
                )
            stages.append(StagePlan(name, "stt" if name in ("fast", "precision") else "judge", name, found))
        return stages

    def usual(self) -> Usual:
        """What the clips are measured by; a pass over their lengths and texts alone."""
        rates = []
        for members in self.store.members(self.scan_id):
            rows = self.store.read((member.key for member in members), stages=("signal",))
            for member in members:
                values = self._signal(rows[member.key])
                characters = characters_of([token.text for token in tokenise(member.clip.text)])
                rates.append(speaking_rate(characters, values.get("duration_sec"), values.get("silence_pct")))
        known = [rate for rate in rates if rate is not None]
        return Usual(float(np.median(known)) if len(known) >= LEAST_RATES else None)

    def _signal(self, row: StoredRow) -> dict[str, float]:
        if self.stages is None:
            return {name: value for name in ("duration_sec", "silence_pct") if (value := row.columns[name]) is not None}
        fingerprint = next((stage.fingerprint for stage in self.stages if stage.name == "signal"), "")
        found = row.stage("signal", fingerprint)
        return {} if found is None or found.error else found.values
