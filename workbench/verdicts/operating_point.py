"""The threshold on the second opinion's log ratio: the curve over all of them, the rule that picks one, and the one that ships."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from workbench.errors import ConfigError
from workbench.stt.base import Transcript
from workbench.verdicts.base import ClipVerdicts
from workbench.verdicts.planted import PlantedText

#: Share of untouched words that may be flagged.
MOST_FALSE_ALARMS = 0.01
#: Thresholds tried, in nats.
THRESHOLDS = tuple(round(-6.0 + 0.25 * step, 2) for step in range(49))


@dataclass(frozen=True, slots=True)
class RocPoint:
    """What one threshold gives: counts, from which the rates follow. Words beside an error count as untouched."""

    threshold: float
    found: int
    errors: int
    false_alarms: int
    untouched: int

    @property
    def recall(self) -> float:
        return self.found / self.errors if self.errors else float("nan")

    @property
    def false_alarm(self) -> float:
        return self.false_alarms / self.untouched if self.untouched else float("nan")

    @property
    def shrunk_false_alarm(self) -> float:
        """One more false alarm than was counted: a rate of nought in few words is no promise."""
        return (self.false_alarms + 1) / (self.untouched + 1)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold in nats with the rule that chose it and where its figures come from."""

    threshold: float
    recall: float
    false_alarm: float
    errors: int
    untouched: int
    rule: str
    provenance: str = ""


def roc(
    planted: Sequence[PlantedText], fast: Sequence[Transcript], precision: Sequence[Transcript], *, thresholds: Iterable[float] = THRESHOLDS
) -> list[RocPoint]:
    """Recall and false alarms at every threshold, from evidence computed once.

    Args:
        planted, fast, precision: shape (N,), clip by clip; ``precision`` with evidence.
    """
    from workbench.verdicts.planted_score import count

    points = []
    for threshold in thresholds:
        verdicts = judged(planted, fast, precision, threshold=threshold)
        counts = [count(text, verdict) for text, verdict in zip(planted, verdicts, strict=True)]
        found = [one.found for one in counts if one.found is not None]
        false_alarms = sum(one.false_alarms + one.beside_flagged for one in counts)
        untouched = sum(one.untouched + one.beside for one in counts)
        points.append(RocPoint(threshold, sum(found), len(found), false_alarms, untouched))
    return points


def judged(
    planted: Sequence[PlantedText], fast: Sequence[Transcript], precision: Sequence[Transcript | None], *, threshold: float,
    judge: Callable[..., ClipVerdicts] | None = None,
) -> list[ClipVerdicts]:
    """Verdicts of planted clips at one threshold; ``precision`` None judges by the fast engine alone."""
    from workbench.stt.evidence import apply_threshold

    if judge is None:
        from workbench.verdicts import judge
    return [
        judge(" ".join(text.reference), first, None if second is None else apply_threshold(second, log_ratio_threshold=threshold))
        for text, first, second in zip(planted, fast, precision, strict=True)
    ]


def choose(points: Sequence[RocPoint], *, most_false_alarms: float = MOST_FALSE_ALARMS, provenance: str = "") -> OperatingPoint:
    """The point of highest recall among those whose shrunk false-alarm rate stays within bounds; of equals, the lowest threshold.

    Where none does, the point with the fewest false alarms.

    Raises:
        ConfigError: no points.
    """
    if not points:
        raise ConfigError("no points to choose an operating point from", where="planted errors", expected="at least one threshold")
    within = [point for point in points if point.shrunk_false_alarm <= most_false_alarms]
    if within:
        best = min(within, key=lambda point: (-point.found, point.threshold))
        rule = f"highest recall with (false alarms + 1) / (untouched words + 1) <= {most_false_alarms:g}, the lowest threshold of equals"
    else:
        best = min(points, key=lambda point: (point.false_alarms, point.threshold))
        rule = f"no threshold kept false alarms within {most_false_alarms:g}: the one with fewest"
    return OperatingPoint(best.threshold, best.recall, best.false_alarm, best.errors, best.untouched, rule, provenance)


#: The shipped default.
SHIPPED = OperatingPoint(
    threshold=0.5,
    recall=0.864,
    false_alarm=0.008,
    errors=544,
    untouched=7986,
    rule="highest recall with (false alarms + 1) / (untouched words + 1) <= 0.01, the lowest threshold of equals",
    provenance=(
        "flite voices kal16 and awb speaking the 80 texts of narrative_tune with four sets of planted errors "
        "(benchmarks/planted_errors.py --tune); figures are of the tuning set itself"
    ),
)
