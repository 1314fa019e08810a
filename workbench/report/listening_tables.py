"""Tables of a listening test's report: pairs, judges, calibrations, listeners, what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.listening.base import TrialKind
from workbench.listening.calibration import Calibration, Refusal
from workbench.listening.exclusion import Attention
from workbench.listening.judged import JudgeAgreement
from workbench.listening.opinions import PairOpinion, SystemOpinion
from workbench.listening.plan import Plan
from workbench.listening.ratings import Refused
from workbench.report.html import Column, Fragment, prose, table
from workbench.report.parts import p_value
from workbench.report.players import score_title

_KINDS = {
    TrialKind.MOS: ("Differences of mean opinion", "difference", "+.2f", "first minus second, on the scale of 1 to 5"),
    TrialKind.AB: ("Preferences", "prefers the first", ".0%", "share that prefers the first; no preference counts half"),
    TrialKind.ABX: ("Heard apart", "right", ".0%", "share of right answers; guessing gives 50%"),
}
#: Only where anyone is excluded.
_BY_ALL = Column("all", "by all listeners", fmt=".2f", help="nobody excluded")
_KIND_NAMES = {TrialKind.MOS: "rate one clip, 1 to 5", TrialKind.AB: "which of two is better", TrialKind.ABX: "which of two is X"}


def opinions_table(counted: Sequence[SystemOpinion], everyone: Sequence[SystemOpinion]) -> Fragment:
    """Mean opinions, both ways, with how often each answer was given. A system that only excluded listeners rated stands last."""
    by_all, own = {one.system: one for one in everyone}, {one.system: one for one in counted}
    rows = [
        {"system": system, "mos": one.mos if one else None, "all": by_all[system].mos, "ratings": one.ratings if one else 0, "listeners": one.listeners if one else 0,
         "texts": one.texts if one else 0, "given": " · ".join(map(str, one.given)) if one else None}
        for system in dict.fromkeys((*own, *by_all)) for one in [own.get(system)]
    ]  # fmt: skip
    columns = [
        Column("system", "system"),
        Column("mos", "mean opinion", fmt=".2f", help="of the listeners who count"),
        *([_BY_ALL] if list(counted) != list(everyone) else []),
        Column("ratings", "ratings", fmt=",d"),
        Column("listeners", "listeners", fmt=",d"),
        Column("texts", "texts", fmt=",d"),
        Column("given", "1 · 2 · 3 · 4 · 5", help="how often each answer was given"),
    ]
    note = "In brackets: 95% intervals over listeners and texts, both taken as drawn at random; none under three of either."
    return table(rows, columns, caption="Mean opinion per system", note=note)


def pairs_table(counted: Sequence[PairOpinion], everyone: Sequence[PairOpinion]) -> Fragment | None:
    """The pairs of one kind with what may be said of them; None where there are none."""
    if not counted:
        return None
    kind = counted[0].kind
    caption, title, fmt, help_text = _KINDS[kind]
    by_all = {(one.first, one.second): one for one in everyone}
    rows = [
        {"first": one.first, "second": one.second, "value": one.value, "counts": " · ".join(map(str, one.counts)), "p": one.p_holm, "said": said_of(one),
         "all": by_all[one.first, one.second].value}
        for one in counted
    ]  # fmt: skip
    counts = {TrialKind.MOS: "ratings of each", TrialKind.AB: "first · neither · second", TrialKind.ABX: "right · wrong"}[kind]
    test = "exact binomial test against guessing" if kind is TrialKind.ABX else "sign-flip tests over listeners and over texts, the larger"
    columns = [
        Column("first", "first"),
        Column("second", "second"),
        Column("value", title, fmt=fmt, help=help_text),
        Column("counts", counts),
        Column("p", "p (Holm)", fmt=p_value, help=f"{test}; corrected over the pairs"),
        Column("said", "what it says"),
        *([replace(_BY_ALL, fmt=fmt)] if list(counted) != list(everyone) else []),
    ]
    return table(rows, columns, caption=caption)


def _signed(value: float) -> str:
    # Adding 0 makes a rounded -0 a 0.
    return f"{round(value, 2) + 0:+.2f}"


def said_of(one: PairOpinion) -> str:
    """What the data allow to say of a pair."""
    if one.p_value is None:
        return "not tested: no listener, or no text, has both"
    if not one.decidable:
        return "too few listeners or texts to say"
    if one.kind is TrialKind.ABX:
        return "told apart" if one.better else "not shown to be told apart"
    verb = "rated higher" if one.kind is TrialKind.MOS else "preferred"
    return f"{one.better} {verb}" if one.better else "cannot be told apart"


def judges_table(agreements: Sequence[JudgeAgreement], nulls: frozenset[str]) -> Fragment:
    """Judges by how they go with listeners, and beside them what should know nothing."""
    rows = [
        {"judge": score_title(one.column) + (" (no judge)" if one.column in nulls else ""), "pearson": one.pearson, "spearman": one.spearman, "within": one.within, "by_system": one.by_system,
         "clips": one.clips}
        for one in agreements
    ]  # fmt: skip
    columns = [
        Column("judge", "score"),
        Column("pearson", "clips, r", fmt=".2f", help="Pearson's correlation of the score with the clip's mean opinion"),
        Column("spearman", "clips, rank", fmt=".2f", help="Spearman's"),
        Column("within", "within systems, r", fmt=".2f", help="each system's mean taken off both: does it tell clips of one system apart?"),
        Column("by_system", "systems, r", fmt=".2f", help="over the systems' means; the interval is over listeners and texts, not over systems, of which there are few"),
        Column("clips", "clips", fmt=",d"),
    ]
    note = "Brackets: 95% over listeners and texts. Length, level and word errors are shown beside the judges: a judge that does not beat them says nothing of its own."
    return table(rows, columns, caption="Judges against listeners", note=note)


def calibrations_table(fitted: Sequence[Calibration], noise: float | None) -> Fragment:
    """Maps with their errors on texts that they were not fitted to."""
    columns = [
        Column("column", "judge", fmt=score_title),
        Column("kind", "map"),
        Column("rmse_before", "error before", fmt=".2f", help="root mean square, the score taken as the opinion"),
        Column("rmse_after", "error after", fmt=".2f", help="each clip predicted by a map that never saw its text"),
        Column("rmse_constant", "of the mean", fmt=".2f", help="error of saying the mean opinion for every clip"),
        Column("bias_before", "bias before", fmt=_signed, help="mean predicted minus said"),
        Column("bias_after", "bias after", fmt=_signed),
        Column("clips", "clips", fmt=",d"),
        Column("texts", "texts", fmt=",d"),
    ]
    note = f"The mean opinions themselves have a standard error of about {noise:.2f}: of what is left after a map, so much may be theirs." if noise else ""
    return table(fitted, columns, caption="Calibration per judge", note=note)


def refusals(refused: Sequence[Refusal]) -> Fragment | None:
    """Judges that got no map, and why."""
    if not refused:
        return None
    return table(refused, [Column("column", "judge", fmt=score_title), Column("why", "why there is no map")], caption="Not calibrated")


def listeners_table(attention: Sequence[Attention]) -> Fragment:
    rows = [
        {"listener": one.listener, "answers": f"{one.answers} of {one.asked}", "checks": f"{one.checks_passed} of {one.checks}" if one.checks else "none yet", "quick": one.quick,
         "counts": "yes" if one.counts else "no: " + "; ".join(one.faults)}
        for one in attention
    ]  # fmt: skip
    columns = [Column("listener", "listener"), Column("answers", "answers"), Column("checks", "checks passed"), Column("quick", "too quick", fmt=",d"), Column("counts", "counts")]
    return table(rows, columns, caption="Listeners")


def refused_table(refused: Sequence[Refused]) -> Fragment:
    if not refused:
        return prose("Every line of every ratings file holds.")
    rows = [{"file": one.file, "line": str(one.line) if one.line else "the file", "why": one.why} for one in refused]
    return table(rows, [Column("file", "file"), Column("line", "line"), Column("why", "why it is not used")], caption="Lines that are not used")


def plan_table(plan: Plan) -> Fragment:
    """What one listener is asked, by kind."""
    trials = plan.trials(0)
    rows = []
    for kind in TrialKind:
        own = [trial for trial in trials if trial.kind is kind]
        checks = [trial.check for trial in own if trial.check]
        if own:
            sec = sum(plan.item[item].duration_sec for trial in own for item in trial.items)
            rows.append({"kind": f"{kind.value.upper()}: {_KIND_NAMES[kind]}", "trials": len(own) - len(checks), "checks": len(checks), "minutes": sec / 60, "cycle": cycle_of(plan, kind)})
    columns = [
        Column("kind", "kind"),
        Column("trials", "trials", fmt=",d"),
        Column("checks", "attention checks", fmt=",d", help="trials whose answer is known: a clip that says which answer to give, a ruined copy, the same clip twice"),
        Column("minutes", "sound", "min", ".1f", help="each sound heard once"),
        Column("cycle", "listeners for balance", fmt=",d", help="with so many listeners, or a multiple of it, every text that was heard was heard equally often with every system (with every pair, either way round), give or take one"),
    ]
    return table(rows, columns, caption="What one listener is asked")


def cycle_of(plan: Plan, kind: TrialKind) -> int:
    """Listeners until a design is balanced; see ``listening.design``."""
    return len(plan.systems) if kind is TrialKind.MOS else len(plan.pairs) * (2 if kind is TrialKind.AB else 4)
