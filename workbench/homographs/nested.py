"""Trials judged by calibrations that never heard their engine, or voice; each calibration is made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.homographs.allowlist import Criteria
from workbench.homographs.calibration import Calibration
from workbench.homographs.decide import Lists, Rule
from workbench.homographs.fitting import KnownTrial, Targets, Unit, calibrate, cross_judged
from workbench.homographs.judging import Asked, Judged


class Nested:
    """Trials of known truth with the calibrations made of parts of them.

    Args:
        trials: of two engines or voices at least.
        listener, measures: whose measures the trials hold.
        targets, criteria: see ``fitting.calibrate``.
    """

    def __init__(
        self, trials: Sequence[KnownTrial], *, listener: str, measures: Sequence[str], targets: Targets = Targets(), criteria: Criteria = Criteria()  # noqa: B008 - frozen
    ) -> None:
        self.trials = trials
        self._settings = {"listener": listener, "measures": measures, "targets": targets, "criteria": criteria}
        self._made: dict[frozenset[tuple[str, str]], Calibration] = {}

    def of(self, known: Sequence[KnownTrial]) -> Calibration:
        """The calibration that these trials teach: all of some voices', as one of the same voices is made once.

        Raises:
            ConfigError: they are too few, or of one voice.
        """
        voices = frozenset((trial.engine, trial.asked.voice) for trial in known)
        if voices not in self._made:
            self._made[voices] = calibrate(known, **self._settings)
        return self._made[voices]

    @property
    def whole(self) -> Calibration:
        """What all trials teach."""
        return self.of(self.trials)

    def without_engine(self, engine: str) -> Calibration:
        """What the trials of the other engines teach."""
        return self.of([trial for trial in self.trials if trial.engine != engine])

    def judged(
        self, by: Unit, *, lists: Lists | None = Lists(), asked: Sequence[Asked] | None = None, rule: Rule | None = None, adapt: bool = True  # noqa: B008 - frozen
    ) -> list[Judged]:
        """Every trial by a calibration without its engine or voice; see ``fitting.cross_judged``.

        Raises:
            ConfigError: there are no two of them, or the others are too few to learn from.
        """
        return cross_judged(self.trials, by=by, make=self.of, lists=lists, asked=asked, rule=rule, adapt=adapt)


def as_the_text_reads(trials: Sequence[KnownTrial], told: Sequence[tuple[int | None, float]]) -> list[Asked]:
    """The trials as somebody meets them who does not know what their sentences ask for: by what a text model tells, reading by index and its probability."""
    return [replace(trial.asked, expected=expected, probability=probability) for trial, (expected, probability) in zip(trials, told, strict=True)]
