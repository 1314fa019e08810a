"""The listening test's answer in one sentence, no bolder than its data, and its figures for ``metrics.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from workbench.listening.base import TrialKind
from workbench.listening.judged import JudgeAgreement
from workbench.listening.opinions import PairOpinion, SystemOpinion
from workbench.listening.study import ListeningConfig, Study
from workbench.report.comparison_text import counted
from workbench.report.html import Tone
from workbench.report.players import score_title
from workbench.stats import Estimate

if TYPE_CHECKING:
    from workbench.report.listening import ListeningReport


@dataclass(frozen=True, slots=True)
class Told:
    """The sentence of the verdict line, its tone, and the word for the tone."""

    sentence: str
    tone: Tone
    label: str

    @classmethod
    def of(cls, study: Study, config: ListeningConfig, opinions: Sequence[SystemOpinion], pairs: Sequence[PairOpinion], best: JudgeAgreement | None) -> Told:
        """What may be said; simulated listeners are named as such before anything else."""
        plan = study.prepared.plan
        if config.collect:
            return cls("This session collects ratings; results are kept back, so that no listener is told what others heard.", "mixed", "Collecting ratings")
        if not study.attention:
            refused = f" {counted(len(study.refused), 'line')} of ratings files {'does' if len(study.refused) == 1 else 'do'} not hold." if study.refused else ""
            waiting = f"No ratings yet: {len(plan.systems)} systems with {len(plan.texts)} texts wait for listeners"
            return cls(f"{waiting}; with collect = True, this notebook in JupyterLab asks them.{refused}", "mixed", "Waiting for listeners")
        counting = [one for one in study.attention if one.counts]
        told = _who(study, len(counting), config.simulated_judge)
        if not counting:
            return cls(f"{told} Nobody counts, so nothing is said.", "bad", "Nothing decided")
        told += "".join(f" {sentence}" for sentence in (_opinions(opinions), _pairs(pairs), _judge(best)) if sentence)
        if study.simulated:
            return cls(told, "mixed", "No evidence")
        settled = [bool(pair.better) for pair in pairs]
        if pairs and all(settled):
            return cls(told, "good", "Decided")
        return cls(told, "good" if any(settled) else "mixed", "Decided in part" if any(settled) else "Nothing decided")

    def metrics(self, report: ListeningReport) -> dict[str, Any]:
        """The content of ``metrics.json``."""
        study = report.study
        return {
            "headline": self.sentence,
            "simulated": study.simulated,
            "plan": report.plan.plan_id,
            "listeners": len(study.attention) if report.everyone else 0,
            "listeners_counted": len({rating.listener for rating in report.counted}),
            "answers": len(report.everyone),
            "refused_lines": len(study.refused),
            "systems": [asdict(one) for one in report.opinions[0]],
            "pairs": [asdict(pair) for kind in TrialKind for pair in report.pairs(kind)[0]],
            "judges": [asdict(one) for one in report.agreements] if report.counted else [],
            "calibrations": [{"column": one.column, "kind": one.kind, "rmse_before": one.rmse_before, "rmse_after": one.rmse_after} for one in report.calibrations],
            "not_calibrated": {one.column: one.why for one in report.refusals},
        }


def _who(study: Study, counting: int, judge: str) -> str:
    excluded = len(study.attention) - counting
    left = f", {excluded} of whom {'is' if excluded == 1 else 'are'} excluded by the stated rules" if excluded else ""
    if study.simulated:
        model = f"a stated model around the judge's score {score_title(judge)}"
        return f"SIMULATED LISTENERS, NO EVIDENCE: {len(study.attention)} listeners{left} were drawn from {model}; nobody heard anything."
    return f"{len(study.attention)} listener{'s' if len(study.attention) > 1 else ''}{left} gave {len(study.all_ratings):,} answers."


def _opinions(opinions: Sequence[SystemOpinion]) -> str:
    return f"Mean opinion: {', '.join(f'{one.system} {value_of(one.mos)}' for one in opinions)}." if opinions else ""


def _pairs(pairs: Sequence[PairOpinion]) -> str:
    names = {TrialKind.MOS: "rated differently", TrialKind.AB: "one preferred", TrialKind.ABX: "heard apart"}
    told = []
    for kind, name in names.items():
        own = [pair for pair in pairs if pair.kind is kind]
        if own:
            undecidable = sum(not pair.decidable for pair in own)
            told.append(f"{name} {sum(bool(pair.better) for pair in own)} of {len(own)}" + (f" ({undecidable} with too little to say)" if undecidable else ""))
    return f"Pairs of systems: {', '.join(told)}." if told else ""


def _judge(best: JudgeAgreement | None) -> str:
    return f"Closest judge: {score_title(best.column)}, r = {value_of(best.pearson)} over {best.clips} clips." if best else ""


def value_of(estimate: Estimate) -> str:
    """A value with its interval behind it, where there is one."""
    return f"{estimate.value:.2f}" + ("" if estimate.low is None else f" [{estimate.low:.2f}, {estimate.high:.2f}]")
