"""From measures to one number and from the number to a verdict: what trials with known truth taught, as a small file that ships.

A pair of readings gets one score, log odds that the first was spoken: a linear model per kind of contrast, without an intercept (no reading is the likelier one
beforehand). Scores of one voice and kind are then moved so that those of sentences that ask for the first reading and those that ask for the second lie evenly around
nought: a recogniser's bias against a voice goes, whatever was spoken.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import ConfigError
from workbench.homographs.allowlist import WordEvidence
from workbench.homographs.decide import CalibratedRule, Lists
from workbench.homographs.spoken import Pair

#: Trials per class of a voice and kind at which half of its bias is believed: n / (n + this).
ADAPTATION = 3.0
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything that turns a listener's measures into verdicts.

    Attributes:
        listener, measures: whose measures these weights are for, by name and column.
        weights: kind -> one weight per measure.
        bounds: see ``CalibratedRule``.
        least_probability: of the reading that the text expects.
        words: word -> counts of its trials.
        allowed, denied: see ``Lists``.
        provenance: engines, voices, counts, licence: where it comes from.
    """

    listener: str
    measures: tuple[str, ...]
    weights: Mapping[str, tuple[float, ...]]
    bounds: Mapping[str, tuple[float, float]]
    least_probability: float = 0.9
    words: Mapping[str, WordEvidence] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> CalibratedRule:
        return CalibratedRule(self.bounds, self.least_probability)

    @property
    def lists(self) -> Lists:
        return Lists(self.allowed, self.denied)

    def score(self, pair: Pair) -> float | None:
        """Log odds that the first reading of the pair was spoken; None for a kind that no trial taught."""
        weights = self.weights.get(pair.kind)
        return None if weights is None else float(np.dot(weights, pair.measures))

    def to_json(self) -> str:
        """One line per entry, so that two calibrations can be compared by eye."""
        table = {
            "format": FORMAT, "listener": self.listener, "measures": list(self.measures), "least_probability": self.least_probability,
            "weights": {kind: [round(weight, 4) for weight in weights] for kind, weights in sorted(self.weights.items())},
            "bounds": {kind: [round(bound, 4) for bound in bounds] for kind, bounds in sorted(self.bounds.items())},
            "words": {word: list(asdict(seen).values()) for word, seen in sorted(self.words.items())},
            "allowed": sorted(self.allowed), "denied": {voice: sorted(words) for voice, words in sorted(self.denied.items())},
            "provenance": dict(self.provenance),
        }  # fmt: skip
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in table.items()) + "\n}\n"

    @classmethod
    def from_json(cls, text: str, *, where: object) -> Calibration:
        """
        Raises:
            ConfigError: not such a file, or weights that do not fit its measures.
        """
        try:
            table = json.loads(text)
            made = cls(
                listener=table["listener"],
                measures=tuple(table["measures"]),
                weights={kind: tuple(map(float, weights)) for kind, weights in table["weights"].items()},
                bounds={kind: (float(low), float(high)) for kind, (low, high) in table["bounds"].items()},
                least_probability=float(table["least_probability"]),
                words={word: WordEvidence(*counts) for word, counts in table["words"].items()},
                allowed=frozenset(table["allowed"]),
                denied={voice: frozenset(words) for voice, words in table["denied"].items()},
                provenance=table["provenance"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"not a calibration of homographs: {type(error).__name__}: {error}", where=where, mend="workbench homographs calibrate writes one") from None
        if table.get("format") != FORMAT or any(len(weights) != len(made.measures) for weights in made.weights.values()):
            raise ConfigError("a calibration of another format", where=where, got=table.get("format"), expected=FORMAT)
        return made


def _lines(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f" {json.dumps(key, ensure_ascii=False)}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items()) + "\n}"
    return json.dumps(value, ensure_ascii=False)


def read_calibration(path: str | Path) -> Calibration:
    """
    Raises:
        ConfigError: no such file, or none of this kind.
    """
    try:
        return Calibration.from_json(Path(path).read_text(encoding="utf-8"), where=path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"calibration cannot be read: {error}", where=path) from None


@lru_cache(maxsize=4)
def shipped(listener: str) -> Calibration:
    """The calibration that comes with the workbench.

    Raises:
        ConfigError: none ships for this listener.
    """
    file = files("workbench.homographs").joinpath("calibrations", f"{listener}.json")
    if not file.is_file():
        raise ConfigError("no calibration ships for this listener", where="homographs", got=listener, mend="make one: workbench homographs controls, then calibrate")
    return Calibration.from_json(file.read_text(encoding="utf-8"), where=file.name)


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one pair of readings before adaptation, and which of the two the sentence asks for."""

    voice: str
    kind: str
    expects_first: bool
    score: float


def voice_shifts(rows: Iterable[Scored], *, strength: float = ADAPTATION) -> dict[tuple[str, str], float]:
    """(voice, kind) -> what to take from its scores: the midpoint of the two classes' means, shrunk by n / (n + ``strength``) for the n of the smaller class.

    Needs no truth, only what the sentences ask for. A voice without a name is no voice and is not adapted to.
    """
    sums: dict[tuple[str, str], list[list[float]]] = defaultdict(lambda: [[], []])
    for row in rows:
        if row.voice:
            sums[row.voice, row.kind][row.expects_first].append(row.score)
    shifts = {}
    for key, (second, first) in sums.items():
        count = min(len(first), len(second))
        if count:
            shifts[key] = (float(np.mean(first)) + float(np.mean(second))) / 2 * count / (count + strength)
    return shifts


def adapted(rows: Sequence[Scored], shifts: Mapping[tuple[str, str], float]) -> list[float]:
    """Scores with their voice's shift taken away; a voice never heard keeps its scores."""
    return [row.score - shifts.get((row.voice, row.kind), 0.0) for row in rows]
