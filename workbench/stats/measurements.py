"""Measurements of systems on texts, and the tables that comparisons are made on: one value per system, text and metric, on the texts that every system has."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.errors import ConfigError


class Direction(StrEnum):
    """Which end of a metric is the good one."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric of one clip.

    ``value`` is the numerator and ``weight`` the denominator: errors and reference words for WER, the score and 1 for a judge. A metric of a system is
    sum(value) / sum(weight). ``text`` names what was to be said, the unit that is drawn at random; ``take`` tells clips of one text apart.
    """

    system: str
    text: str
    take: int
    metric: str
    value: float | None
    weight: float = 1.0
    category: str = ""


@dataclass(frozen=True)
class LeftOut:
    """What the comparison does not rest on, and why. All keys are (system, metric); an empty entry is absent.

    Attributes:
        lacking: texts that the system has no usable value for while another system has one: they are left out for every system.
        unused: texts that the system has a value for, left out because another system lacks them.
        missing: systems without any usable value of the metric (the judge failed or was not run): they take no part in it.
        not_finite: values that were None, NaN or infinite.
        duplicates: measurements of the same system, text, take and metric that came more than once with the same value: counted once.
        contradictions: the same, with another value: the take's value is the mean of its different values.
        unknown_metrics: measurements of metrics that were not asked for.
    """

    lacking: Mapping[tuple[str, str], tuple[str, ...]]
    unused: Mapping[tuple[str, str], tuple[str, ...]]
    missing: tuple[tuple[str, str], ...]
    not_finite: Mapping[tuple[str, str], int]
    duplicates: Mapping[tuple[str, str], int]
    contradictions: Mapping[tuple[str, str], int]
    unknown_metrics: Mapping[str, int]


@dataclass(frozen=True)
class Table:
    """One metric on the texts that all its systems have. ``values`` and ``weights`` have shape (systems, texts): means over the takes of a text."""

    metric: str
    systems: tuple[str, ...]
    texts: tuple[str, ...]
    values: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Tables:
    """All metrics, the systems in the order of a report, the category of each text, and what was left out."""

    systems: tuple[str, ...]
    tables: tuple[Table, ...]
    categories: Mapping[str, str]
    left_out: LeftOut


def tabulate(rows: Iterable[Measurement], metrics: Iterable[str]) -> Tables:
    """Sort measurements into one table per metric. The order of rows changes nothing.

    Takes of a text are averaged within the text, so a text weighs the same however often it was spoken.

    Raises:
        ConfigError: a weight is negative, or a text stands in two categories.
    """
    metrics = tuple(metrics)
    takes, categories, systems = defaultdict(list), {}, set()
    not_finite, unknown = Counter(), Counter()
    for row in rows:
        systems.add(row.system)
        if row.metric not in metrics:
            unknown[row.metric] += 1
            continue
        _note_category(categories, row)
        if row.value is None or not math.isfinite(row.value) or not math.isfinite(row.weight):
            not_finite[row.system, row.metric] += 1
            continue
        if row.weight < 0:
            raise ConfigError("a measurement has a negative weight", where=f"{row.system}, {row.text}, {row.metric}", got=row.weight, expected="0 or more")
        takes[row.system, row.metric, row.text, row.take].append((float(row.value), float(row.weight)))
    scored, duplicates, contradictions = _by_text(takes)
    order = tuple(sorted(systems))
    tables, lacking, unused = [], {}, {}
    for metric in metrics:
        own = {system: scored[system, metric] for system in order if (system, metric) in scored}
        every, common = (way(*map(set, own.values())) if own else set() for way in (set.union, set.intersection))
        lacking |= {(system, metric): tuple(sorted(every - texts.keys())) for system, texts in own.items()}
        unused |= {(system, metric): tuple(sorted(texts.keys() - common)) for system, texts in own.items()}
        tables.append(_table(metric, own, tuple(sorted(common))))
    missing = tuple((system, metric) for metric in metrics for system in order if (system, metric) not in scored)
    left_out = LeftOut(*map(_without_empty, (lacking, unused)), missing, *map(_without_empty, (not_finite, duplicates, contradictions)), dict(unknown))
    return Tables(order, tuple(tables), categories, left_out)


def _by_text(takes: Mapping[tuple, list[tuple[float, float]]]) -> tuple[dict[tuple[str, str], dict[str, tuple[float, float]]], Counter, Counter]:
    """(system, metric) -> text -> value and weight; then how many measurements came twice, and how many contradict another."""
    duplicates, contradictions = Counter(), Counter()
    means: dict[tuple[str, str], dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for (system, metric, text, _), found in takes.items():
        unlike = found if len(found) == 1 else set(found)
        duplicates[system, metric] += len(found) - len(unlike)
        contradictions[system, metric] += len(unlike) - 1
        means[system, metric][text].append(_mean(unlike))
    return {key: {text: _mean(own) for text, own in texts.items()} for key, texts in means.items()}, duplicates, contradictions


def _table(metric: str, scored: Mapping[str, Mapping[str, tuple[float, float]]], texts: tuple[str, ...]) -> Table:
    both = np.array([[own[text] for text in texts] for own in scored.values()]).reshape(len(scored), len(texts), 2)
    return Table(metric, tuple(scored), texts, np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1]))


def _mean(both: Collection[tuple[float, float]]) -> tuple[float, float]:
    """Means of values and of weights, whatever their order, to the last bit."""
    return tuple(math.fsum(side) / len(both) for side in zip(*both, strict=True)) if len(both) > 1 else next(iter(both))


def _note_category(categories: dict[str, str], row: Measurement) -> None:
    known = categories.setdefault(row.text, row.category)
    if row.category and known and row.category != known:
        raise ConfigError("a text stands in two categories", where=row.text, got=f"{known}, {row.category}", expected="one category per text")
    categories[row.text] = known or row.category


def _without_empty(found: Mapping) -> dict:
    return {key: value for key, value in found.items() if value}
