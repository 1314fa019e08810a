"""From clips with results to everything that a comparison may say. Pure: no engine, no database, no audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.scan.comparison_metrics import COMPOSITE, NULLS, JudgeUse, Metric, Objective, judge_uses, judges_of_composite, measurements, metrics_of, values_by_text
from workbench.scan.counted import Counted, count_clips
from workbench.scan.null_predictors import Predictions, predictions
from workbench.scan.results import ClipResult
from workbench.scan.system_clips import Entry
from workbench.stats import (
    Claim, Comparison, Correlations, Direction, Estimate, Front, Weighted, claims, compare, correlations, mean_estimate, pareto_front, points_of, weighted,
)  # fmt: skip

UNIT = "prompts"


@dataclass(frozen=True)
class Compared:
    """What the clips of a comparison come to.

    Attributes:
        baseline: the system that all others are held against; empty where none is left to compare.
        baseline_said: a line where it is not the one that was asked for.
        composite_of: the judges that the fair composite is taken over; fewer than two make none.
        values: metric (null predictors too) -> text -> system -> its value there.
        nulls: system and null predictor -> its mean.
        correlations, correlations_within: over all clips, and of what varies between the clips of a system.
        objectives: what stands for each objective on the Pareto front.
        points: system -> objective -> value, more is better: shares that should be low are taken from 1.
        unmeasured: objectives that were given a weight and that nothing measured; they are no part of ``weighted``, which is None where nothing else has one.
    """

    counted: Counted
    metrics: tuple[Metric, ...]
    uses: tuple[JudgeUse, ...]
    composite_of: tuple[str, ...]
    comparison: Comparison
    baseline: str
    baseline_said: str
    values: Mapping[str, Mapping[str, Mapping[str, float]]]
    nulls: Mapping[tuple[str, str], Estimate]
    correlations: Correlations
    correlations_within: Correlations
    predictions: Predictions
    objectives: Mapping[Objective, Metric]
    points: Mapping[str, Mapping[str, float | None]]
    front: Front | None
    weighted: Weighted | None
    unmeasured: tuple[str, ...] = ()

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems compared, in the order given."""
        return self.counted.compared

    def metric(self, name: str) -> Metric:
        return next(metric for metric in self.metrics if metric.name == name)

    def claims(self, metric: str | None = None) -> list[Claim]:
        """Every pair as a sentence."""
        labels = {metric.name: metric.label for metric in self.metrics}
        return claims(self.comparison, metric=metric, labels=labels, percent=[m.name for m in self.metrics if m.percent], unit=UNIT)


def compare_clips(
    entries: Sequence[Entry],
    results: Sequence[ClipResult],
    *,
    systems: Sequence[str],
    prompts: int,
    primaries: Mapping[str, str],
    precision: bool,
    baseline: str = "",
    weights: Mapping[str, float] | None = None,
    least_prompts: float = 0.5,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 1,
) -> Compared:
    """Compare systems on the clips that count.

    Args:
        entries, results: one result per entry, in the same order.
        systems: in the order of the report.
        prompts: how many were asked for.
        primaries: judge -> the column of its opinion.
        precision: a second recogniser listened.
        baseline: a system; by default the first that is compared.
        weights: objective -> its weight in the one number; None or empty makes none.
        least_prompts: share of the prompts that a system must have to be compared.
    """
    counted = count_clips(entries, results, systems=systems, prompts=prompts, least_prompts=least_prompts)
    uses = judge_uses(counted, dict(primaries))
    shared = judges_of_composite(uses, counted.compared)
    metrics = metrics_of(counted, uses, shared, precision=precision)
    rows = measurements(counted, metrics, shared, dict(primaries))
    chosen, said = _baseline(baseline, counted)
    directions = {metric.name: metric.direction for metric in metrics}
    comparison = compare(rows, directions, baseline=chosen or None, resamples=resamples, level=level, seed=seed)
    objectives = _objectives(metrics, shared)
    points = {s: {o.value: _good(m, point[m.name]) for o, m in objectives.items()} for s, point in points_of(comparison).items()}
    goods = {objective.value: Direction.HIGHER for objective in objectives}
    asked = {name: weight for name, weight in (weights or {}).items() if weight}
    weighing = {name: weight for name, weight in asked.items() if name in goods}
    together = [*(m.name for m in metrics if m.column or m is objectives.get(Objective.INTELLIGIBILITY)), *NULLS]
    return Compared(
        counted=counted,
        metrics=metrics,
        uses=uses,
        composite_of=shared,
        comparison=comparison,
        baseline=chosen,
        baseline_said=said,
        values=values_by_text(rows),
        nulls={(s, n): _mean(rows, s, n, seed) for s in counted.compared for n in NULLS},
        correlations=correlations(rows, together, level=level, seed=seed),
        correlations_within=correlations(rows, together, within_systems=True, level=level, seed=seed),
        predictions=predictions(rows, metrics, seed=seed),
        objectives=objectives,
        points=points,
        front=pareto_front(points, goods) if points else None,
        weighted=weighted(points, weighing, goods) if weighing and points else None,
        unmeasured=tuple(name for name in asked if name not in goods),
    )


def _baseline(asked: str, counted: Counted) -> tuple[str, str]:
    first = counted.compared[0] if counted.compared else ""
    if not asked or asked in counted.compared:
        return asked or first, ""
    return first, f"The baseline {asked} is not among the systems compared" + (f"; {first} stands in for it." if first else ".")


def _objectives(metrics: Sequence[Metric], shared: Sequence[str]) -> dict[Objective, Metric]:
    """The first metric of each objective: flagged words before raw WER, the composite before single judges, one that could be part of it before one that could not."""
    found: dict[Objective, Metric] = {}
    for metric in metrics:
        before = found.setdefault(metric.objective, metric)
        if metric.name in shared and before.name not in (COMPOSITE, *shared):
            found[metric.objective] = metric
    return found


def _good(metric: Metric, value: float | None) -> float | None:
    return value if value is None or metric.direction is Direction.HIGHER else 1 - value


def _mean(rows: Sequence, system: str, name: str, seed: int) -> Estimate:
    own = [row for row in rows if row.system == system and row.metric == name]
    return mean_estimate([row.value for row in own], [row.text for row in own], seed=seed)
