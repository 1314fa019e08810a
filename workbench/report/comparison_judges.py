"""What a comparison report says of its judges: their scores beside length and loudness, how they go together, and whether length or loudness would choose alike."""

from __future__ import annotations

from workbench.report import comparison_figures as figures
from workbench.report.comparison_sections import ranked
from workbench.report.comparison_text import listed
from workbench.report.html import Column, Fragment, bullets, fold, prose, table
from workbench.scan.compared import Compared
from workbench.scan.comparison_metrics import NULLS, Objective, judge_title
from workbench.scan.null_predictors import MOSTLY, NULL_WORDS, Prediction
from workbench.stats import Direction, Estimate


def judges(compared: Compared) -> list[Fragment]:
    """Every judge with how far it can be used, beside length and loudness."""
    own = [metric for metric in compared.metrics if metric.objective is Objective.NATURALNESS]
    if not own:
        return [prose("No judge gave an opinion.")]
    rows = [
        {"system": system, **{m.name: ranked(compared, system, m) for m in own}, **{name: compared.nulls[system, name] for name in NULLS}}
        for system in compared.systems
    ]
    columns = [
        Column("system", "system"),
        *(Column(m.name, m.title, fmt=".2f", help=m.help) for m in own),
        Column("duration_sec", "length", "s", ".1f", help="mean length of a clip: no judge of quality, to hold the judges against"),
        Column("rms_db", "loudness", "dB", ".1f", help="mean root mean square level: the same"),
    ]
    scored = "; ".join(f"{judge_title(use.judge)} scored {use.scored} of {use.clips} clips" for use in compared.uses if use.opinion)
    trust = "trust a difference that several of them see" if len(own) > 1 else "only one is at work here, and no other confirms it"
    note = f"{scored}. Judges drift outside what they were trained on: {trust}."
    return [table(rows, columns, caption="Judges beside length and loudness", note=note)]


def correlations(compared: Compared) -> list[Fragment]:
    """How judges go together, over all clips and within systems."""
    titles = {metric.name: metric.title for metric in compared.metrics} | {name: title for name, title in NULLS.items()}
    over = (
        "Pearson's r over all clips; intervals draw whole prompts, not systems. Strong between two judges: they say the same. Strong with length or loudness:"
        " a meter would say the same, or a few systems happen to differ in both; see within systems."
    )
    within = "The same with each system's mean taken off: what is left of it inside a system."
    inside = figures.correlation_matrix(compared.correlations_within, titles, caption=within)
    return [figures.correlation_matrix(compared.correlations, titles, caption=over), fold("Within systems", inside)]


def null_predictors(compared: Compared) -> list[Fragment]:
    """Do length or loudness alone choose as a judge does? A sentence per judge, and the table it rests on."""
    targets = compared.predictions.targets
    found = compared.predictions.found
    predictors = list(dict.fromkeys(predictor for _, predictor in found if predictor not in NULLS))
    if len(compared.systems) < 2 or not targets:
        return [prose("With one system there are no two clips to choose between.")]
    titles = {metric.name: metric.title for metric in compared.metrics} | NULLS
    labels = {metric.name: metric.label for metric in compared.metrics}
    rows = [
        {"target": _preferred(compared, target, labels), "pairs": max((found[target, p].pairs for p in (*predictors, *NULLS) if (target, p) in found), default=0),
         **{p: found[target, p].agreement if (target, p) in found else None for p in (*predictors, *NULLS)}}
        for target in targets
    ]  # fmt: skip
    columns = [
        Column("target", "picking the clip that"),
        Column("pairs", "pairs", fmt=",d", help="two systems on one prompt that the measure tells apart"),
        *(Column(p, f"by {titles[p]}", fmt=".0%") for p in (*predictors, *NULLS)),
    ]
    note = "Share of the pairs in which the column chooses as the row does; 50% is a coin. Length and loudness may choose either way and are shown at their better one."
    note += f" Intervals draw prompts, not systems: all pairs are of these {len(compared.systems)} systems, so length or loudness may go with a judge by chance."
    return [bullets(_null_sentences(compared, labels)), table(rows, columns, caption="Choosing between two systems' clips of one prompt", note=note)]


def _null_sentences(compared: Compared, labels: dict[str, str]) -> list[str]:
    """Each judge as a predictor of words said, then length and loudness as predictors of each judge. How judges predict each other stands in the table."""
    told, found = [], compared.predictions.found
    for target in compared.predictions.targets:
        nulls = [found[target, name] for name in NULLS if found[target, name].agreement.value is not None]
        if not nulls:
            continue
        if compared.metric(target).objective is Objective.NATURALNESS:
            chosen = listed([f"{NULL_WORDS[n.predictor][n.more_is_better]} one in {_share(n.agreement)} of cases{_coin(n.agreement)}" for n in nulls])
            told.append(f"Of two clips {labels[target]} prefers {chosen}.")
            continue
        judges = [p for (t, _), p in found.items() if t == target and p.predictor not in NULLS and p.agreement.value is not None]
        told += [_beside(judge, nulls, labels, compared) for judge in judges]
    return told


def _beside(judge: Prediction, nulls: list[Prediction], labels: dict[str, str], compared: Compared) -> str:
    chosen = listed([f"taking {NULL_WORDS[n.predictor][n.more_is_better]} one does in {_share(n.agreement)}" for n in nulls])
    beaten = [NULLS[n.predictor] for n in nulls if judge.beats(n.predictor)]
    better = [NULLS[n.predictor] for n in nulls if (gain := judge.gain[n.predictor]).high is not None and gain.high < 0]
    alike = [NULLS[n.predictor] for n in nulls if NULLS[n.predictor] not in (*beaten, *better)]
    verdicts = [
        *([f"it says more than {listed(beaten)}"] if beaten else []),
        *([f"it cannot be told from {listed(alike)} here"] if alike else []),
        *([f"{listed(better)} alone predicts better"] if better else []),
    ]
    said = f"{labels[judge.predictor]} picks the clip that {_preferred(compared, judge.target, labels)} in {_share(judge.agreement)} of pairs"
    return f"{said}, {chosen}: {'; '.join(verdicts)}."


def _preferred(compared: Compared, target: str, labels: dict[str, str]) -> str:
    return f"has fewer {labels[target]}" if compared.metric(target).direction is Direction.LOWER else f"{labels[target]} prefers"


def _share(estimate: Estimate) -> str:
    bounds = "" if estimate.low is None else f" [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"
    return f"{estimate.value:.0%}{bounds}"


def _coin(estimate: Estimate) -> str:
    if estimate.low is None:
        return ""
    return " (its choice may be one by that alone)" if estimate.low > MOSTLY else "" if estimate.low > 0.5 else " (which cannot be told from a coin)"
