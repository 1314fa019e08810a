"""Which listeners count: stated rules, applied to each listener alone and never to what they preferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from workbench.config import Config
from workbench.listening.base import NO_PREFERENCE, Rating, TrialKind
from workbench.listening.plan import Plan


class ExclusionRules(Config):
    """When a listener does not count.

    Attributes:
        least_checks_passed: share of the attention checks answered so far that must be passed.
        quick_share: an answer is too quick when it came before this share of the trial's sounds could have been heard once.
        most_quick: share of answers that may be too quick.
        constant_after: from so many answers of a kind on (checks not counted), all of them the same exclude; 0 never does. "No preference" may be constant: where
            systems sound alike, it is the right answer.
    """

    least_checks_passed: float = Field(0.75, ge=0, le=1)
    quick_share: float = Field(0.5, ge=0, le=1)
    most_quick: float = Field(0.2, ge=0, le=1)
    constant_after: int = Field(10, ge=0)

    def sentences(self) -> list[str]:
        """The rules in words, for a report."""
        told = [
            f"fewer than {self.least_checks_passed:.0%} of their attention checks were passed",
            f"more than {self.most_quick:.0%} of their answers came before {self.quick_share:.0%} of the sounds could have been heard once",
        ]
        return [*told, f"all of {self.constant_after} or more answers of a kind were the same (no preference apart)"] if self.constant_after else told


@dataclass(frozen=True, slots=True)
class Attention:
    """One listener under the rules. ``faults`` is empty for a listener who counts; ``asked`` is how many trials their test has."""

    listener: str
    answers: int
    asked: int
    checks: int
    checks_passed: int
    quick: int
    faults: tuple[str, ...]

    @property
    def counts(self) -> bool:
        return not self.faults


def attention(listener: str, ratings: Sequence[Rating], plan: Plan, rules: ExclusionRules, *, asked: int) -> Attention:
    """Apply the rules to one listener's answers."""
    checks = [rating for rating in ratings if rating.trial.check]
    passed = sum(rating.answer in rating.trial.accepted for rating in checks)
    quick = sum(rating.elapsed_sec < rules.quick_share * sounds_sec(rating, plan) for rating in ratings)
    faults = []
    if checks and passed < rules.least_checks_passed * len(checks):
        faults.append(f"passed {passed} of {len(checks)} attention checks")
    if ratings and quick > rules.most_quick * len(ratings):
        faults.append(f"{quick} of {len(ratings)} answers too quick")
    faults += _constant(ratings, rules)
    return Attention(listener, len(ratings), asked, len(checks), passed, quick, tuple(faults))


def sounds_sec(rating: Rating, plan: Plan) -> float:
    """Seconds that hearing all sounds of a trial once takes; a sound that stands in it twice (X, an identical pair) counts once."""
    return sum(plan.item[item].duration_sec for item in set(rating.trial.items))


def _constant(ratings: Sequence[Rating], rules: ExclusionRules) -> list[str]:
    found = []
    for kind in TrialKind:
        answers = Counter(rating.answer for rating in ratings if rating.trial.kind is kind and not rating.trial.check)
        if rules.constant_after and answers.total() >= rules.constant_after and len(answers) == 1 and NO_PREFERENCE not in answers:
            found.append(f"all {answers.total()} {kind.value.upper()} answers were {next(iter(answers))}")
    return found
