"""Which column of a judge is its opinion, and a clip's value in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench import engines
from workbench.scan.results import ClipResult
from workbench.scan.stages import StagePlan

SIMILARITY = "speaker_similarity_cosine"
#: Primary scores that are no opinion on a scale of 1 to 5.
NO_OPINION = frozenset({SIMILARITY})


def primary_scores(stages: Sequence[StagePlan]) -> dict[str, str]:
    """Judge -> the column the composite takes, of every judge that has one."""
    judges = [stage for stage in stages if stage.kind == "judge"]
    primaries = {stage.engine: engines.create(stage.engine, "judge", **dict(stage.options)).primary for stage in judges}
    return {judge: column for judge, column in primaries.items() if column}


def score_of(result: ClipResult, column: str) -> float | None:
    """A finite score, or None: a score that is not finite is none."""
    value = result.scores.get(column)
    return value if value is not None and math.isfinite(value) else None
