"""How verdicts did on trials of known truth, as shares whose intervals know that trials of one word are not independent, and as the detection theory of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.homographs.decide import HomographVerdict
from workbench.homographs.fitting import Judgement
from workbench.stats import Estimate, area_under_roc, clustered_proportion, d_prime, precision_at


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares over trials, with 95% intervals over words.

    Attributes:
        right, wrong, words: how many trials said what they should and what they should not, and of how many words.
        two_way: the score's sign tells right from wrong; a trial that could not be weighed is a miss.
        recall: wrong trials called suspect.
        false_alarm: right trials called suspect.
        missed: wrong trials called correct.
        decided: trials called correct or suspect.
        d_prime: of the score's sign, over trials.
        area: how often a wrong trial's score is more suspicious than a right one's; None where one of them is lacking.
    """

    right: int
    wrong: int
    words: int
    two_way: Estimate
    recall: Estimate
    false_alarm: Estimate
    missed: Estimate
    decided: Estimate
    d_prime: Estimate
    area: float | None


def shares(chosen: Sequence[Judgement], *, of_one_word: bool = False) -> Shares:
    """The shares over these trials; those that have no trial to count on are empty.

    Args:
        of_one_word: there are no other words to draw, so the trials count one by one.
    """

    def share(part: Sequence[Judgement], outcomes: Sequence[bool]) -> Estimate:
        return clustered_proportion(outcomes, range(len(part)) if of_one_word else [trial.asked.word for trial, _ in part])

    right, wrong = ([pair for pair in chosen if pair[0].wrong is which] for which in (False, True))
    scored = [(one.evidence.score, trial.wrong) for trial, one in chosen if one.evidence.score is not None]
    return Shares(
        right=len(right),
        wrong=len(wrong),
        words=len({trial.asked.word for trial, _ in chosen}),
        two_way=share(chosen, [one.evidence.score is not None and (one.evidence.score < 0) is trial.wrong for trial, one in chosen]),
        recall=share(wrong, _called(wrong, HomographVerdict.SUSPECT)),
        false_alarm=share(right, _called(right, HomographVerdict.SUSPECT)),
        missed=share(wrong, _called(wrong, HomographVerdict.CORRECT)),
        decided=share(chosen, _called(chosen, HomographVerdict.SUSPECT, HomographVerdict.CORRECT)),
        d_prime=d_prime(
            sum(score < 0 for score, is_wrong in scored if is_wrong), sum(is_wrong for _, is_wrong in scored),
            sum(score < 0 for score, is_wrong in scored if not is_wrong), sum(not is_wrong for _, is_wrong in scored),
        ),
        area=area_under_roc([-score for score, _ in scored], [is_wrong for _, is_wrong in scored]),
    )  # fmt: skip


def precision(chosen: Sequence[Judgement], rate: float, *, seed: int) -> Estimate:
    """Share of true errors among the suspects where a share ``rate`` of what is judged is an error."""
    right, wrong = ([pair for pair in chosen if pair[0].wrong is which] for which in (False, True))
    parts = [(_called(part, HomographVerdict.SUSPECT), [trial.asked.word for trial, _ in part]) for part in (wrong, right)]
    return precision_at(rate, *parts[0], *parts[1], seed=seed)


def roc(chosen: Sequence[Judgement]) -> list[tuple[float, float]]:
    """(share of right trials flagged, share of wrong trials flagged) over all bounds on the score, ascending; empty without one of them."""
    from sklearn.metrics import roc_curve

    scored = [(-one.evidence.score, trial.wrong) for trial, one in chosen if one.evidence.score is not None]
    if len({is_wrong for _, is_wrong in scored}) < 2:
        return []
    alarms, hits, _ = roc_curve([is_wrong for _, is_wrong in scored], [score for score, _ in scored])
    return [(float(alarm), float(hit)) for alarm, hit in zip(alarms, hits, strict=True)]


def _called(chosen: Sequence[Judgement], *verdicts: HomographVerdict) -> list[bool]:
    return [one.verdict in verdicts for _, one in chosen]

