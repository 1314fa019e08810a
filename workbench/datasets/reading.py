"""A scan's results for a comparison or a filter: under the fingerprints of a plan, or as the database holds them, where no plan is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.clips import Clip
from workbench.datasets.faults import Usual
from workbench.datasets.measures import characters_of, speaking_rate
from workbench.errors import StoreError
from workbench.scan.cascade import Cascade
from workbench.scan.reading import read_results, result_of
from workbench.scan.reference import forms_of
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
        makes = _Makes()
        for members in self.store.members(self.scan_id):
            rows = self.store.read((member.key for member in members), stages=_STAGES)
            for member in members:
                stages = self._as_stored(member.clip, rows[member.key], makes)
                yield result_of(member, rows[member.key], stages, log_ratio_threshold=self.log_ratio_threshold)

    def _as_stored(self, clip: Clip, row: StoredRow, makes: _Makes) -> Sequence[StagePlan]:
        stages = []
        for name in _STAGES:
            if (found := row.columns[f"{name}_fingerprint"]) is None:
                continue
            stage = StagePlan(name, "stt" if name in ("fast", "precision") else "judge", name, found)
            if foreign := makes.foreign(stage, clip):
                raise StoreError(
                    "results of different engines or settings in one scan",
                    where=f"scan {self.scan_id}, stage {name}",
                    got=f"fingerprints {makes.known[name]} and {foreign}",
                    expected="one for all clips",
                    mend="name the scan's parameters, in a file (-p) or as NAME=VALUE: results under those are taken",
                )
            stages.append(stage)
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


class _Makes:
    """The fingerprint of each stage, by which a result of another engine or other settings is known.

    A precision engine that reads the text has fingerprints of its own for clips that may be said in several ways. They follow from that of a clip that may not; until
    there is one they are believed, and the first of them is then looked at once more.
    """

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self._believed: list[tuple[StagePlan, Clip]] = []

    def foreign(self, stage: StagePlan, clip: Clip) -> str:
        """The fingerprint that is of another make than those before it; empty where there is none."""
        asked = [(stage, clip)]
        if stage.name == "precision":
            if stage.name not in self.known and forms_of(clip):
                self._believed = self._believed or asked
                return ""
            asked, self._believed = [*asked, *self._believed], []
        known = self.known.setdefault(stage.name, stage.fingerprint)
        fits = ((one, replace(one, fingerprint=known, reads_text=one.name == "precision").fingerprint_of(of)) for one, of in asked)
        return next((one.fingerprint for one, derived in fits if one.fingerprint not in (known, derived)), "")
