"""Which prompts of a comparison are worth listening to: where systems differ most, a random sample, and where a system falls behind the baseline."""

from __future__ import annotations

import random
from dataclasses import dataclass

from workbench.scan.compared import Compared
from workbench.scan.comparison_metrics import WER, Metric, Objective
from workbench.stats import Direction


@dataclass(frozen=True, slots=True)
class Drop:
    """A prompt on which a system is worse than the baseline by ``size``, in the metric's unit."""

    system: str
    text_id: str
    metric: Metric
    baseline_value: float
    value: float

    @property
    def size(self) -> float:
        return abs(self.value - self.baseline_value)


def drops(compared: Compared, *, per_system: int) -> list[Drop]:
    """For each system but the baseline the prompts on which it falls furthest behind: so many by word error rate and so many by naturalness."""
    judge = compared.objectives.get(Objective.NATURALNESS)
    found = []
    for metric in (WER, *([judge] if judge else [])):
        for system in compared.systems:
            if system != compared.baseline:
                found += _worst(compared, metric, system)[:per_system]
    return found


def _worst(compared: Compared, metric: Metric, system: str) -> list[Drop]:
    own = []
    for text, by_system in compared.values.get(metric.name, {}).items():
        if system in by_system and compared.baseline in by_system:
            drop = Drop(system, text, metric, by_system[compared.baseline], by_system[system])
            worse = drop.value > drop.baseline_value if metric.direction is Direction.LOWER else drop.value < drop.baseline_value
            own += [drop] if worse else []
    return sorted(own, key=lambda drop: (-drop.size, drop.text_id))


def prompts_to_hear(compared: Compared, count: int, *, seed: int) -> tuple[list[str], list[str]]:
    """Text ids: those on which the systems' word error rates lie furthest apart, and a random sample of the rest, half and half, in the order of the prompts."""
    order = list(dict.fromkeys(clip.text_id for clip in compared.counted.clips))
    spread = {text: max(own.values()) - min(own.values()) for text, own in compared.values.get(WER.name, {}).items() if len(own) > 1}
    apart = sorted((text for text in spread if spread[text] > 0), key=lambda text: (-spread[text], order.index(text)))[: (count + 1) // 2]
    rest = [text for text in order if text not in apart]
    sample = random.Random(seed).sample(rest, min(count - len(apart), len(rest)))
    return sorted(apart, key=order.index), sorted(sample, key=order.index)
