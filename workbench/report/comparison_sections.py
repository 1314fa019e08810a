"""Sections of a comparison report: claims, categories, objectives, signal. Those on judges are in ``comparison_judges``."""

from __future__ import annotations

from collections import Counter

from workbench.report import comparison_figures as figures
from workbench.report.comparison_text import counted, listed, place, supported
from workbench.report.html import Column, Fragment, Ranked, bullets, fold, prose, table
from workbench.report.parts import p_value
from workbench.scan.compared import Compared
from workbench.scan.comparison_metrics import Metric, Objective, is_sane, signal_columns, signal_faults
from workbench.scan.primary_scores import score_of
from workbench.stats import Outcome, Pair

#: With fewer prompts than this in every category, a cell of a heat map is no finding.
FEW_IN_CATEGORY = 30
#: A note of a judge that scored a copy brought to full scale, see ``judges.preparing``.
NORMALISED_NOTE = "judged on a copy normalised"


def shown(metric: Metric) -> figures.Shown:
    """A metric as figures show it."""
    percent = (100.0, 1, "%") if metric.percent else (1.0, 2, "")
    return figures.Shown(metric.name, metric.title, metric.direction, *percent)


def fmt(metric: Metric) -> str:
    return ".1%" if metric.percent else ".2f"


def ranked(compared: Compared, system: str, metric: Metric) -> Ranked:
    """A system's estimate with its place; without one where nothing is compared."""
    estimate = compared.comparison.estimates[system, metric.name]
    ranks = compared.comparison.ranks(metric.name)
    own = next((rank for rank in ranks if rank.system == system), None)
    return Ranked(estimate.value, estimate.low, estimate.high, place(own, ranks) if own and len(ranks) > 1 else "")


def claims(compared: Compared) -> list[Fragment]:
    """Every claim as a sentence: first those on the objectives that the baseline takes part in, the others folded."""
    every = compared.claims()
    if not every:
        return [prose("With one system there is nothing to claim.")]
    alike = {metric.name: metric for metric in compared.metrics if _all_alike(compared, metric)}
    main = [metric.name for metric in compared.objectives.values() if metric.name not in alike]
    decidable = [claim for claim in every if claim.pair.outcome is not Outcome.UNDECIDABLE] or every
    first = [claim.sentence for claim in decidable if claim.metric in main and compared.baseline in (claim.pair.a, claim.pair.b)]
    common = {name: compared.comparison.estimates[compared.systems[0], name].value for name in alike}
    first += [f"All systems are alike on {metric.label}: {format(common[name], fmt(metric))}." for name, metric in alike.items()]
    rest = [claim.sentence for claim in every if claim.sentence not in first and claim.metric not in alike]
    pieces = [bullets(first)]
    if rest:
        pieces.append(fold(f"{counted(len(rest), 'further claim')}: other pairs, other metrics", bullets(rest)))
    return [*pieces, fold("All pairs as a table", _pairs(compared))]


def _all_alike(compared: Compared, metric: Metric) -> bool:
    """Whether no prompt tells any two systems apart."""
    own = [by_system for by_system in compared.values.get(metric.name, {}).values() if len(by_system) > 1]
    every = {compared.comparison.estimates[system, metric.name].value for system in compared.systems}
    return len(every) == 1 and None not in every and all(len(set(by_system.values())) == 1 for by_system in own)


def _pairs(compared: Compared) -> Fragment:
    rows = [_pair_row(compared, pair) for pair in compared.comparison.pairs]
    columns = [
        Column("metric", "metric"),
        Column("a", "a"),
        Column("b", "b"),
        Column("difference", "a − b", help="shares in percentage points; with its paired interval: prompts are resampled, the same ones for both systems"),
        Column("p_value", "p", fmt=p_value, help="paired permutation test, two-sided"),
        Column("p_holm", "p, Holm", fmt=p_value, help="corrected over all pairs and metrics"),
        Column("effect_size", "d_z", fmt="+.2f", help="mean difference over the standard deviation of the prompts' differences"),
        Column("resolvable", "resolvable", help="in the unit of a − b: the smallest true difference that so many prompts show in 80% of cases, at the strictest step of Holm's correction"),
        Column("texts_needed", "prompts needed", fmt=",d", help="of a tie: prompts that would settle the observed difference, were it the true one"),
        Column("outcome", "outcome"),
    ]
    note = (
        f"{compared.comparison.level:.0%} intervals of single pairs from {compared.comparison.resamples:,} resamples of prompts; {compared.comparison.comparisons} comparisons."
        f" A pair is settled where its interval excludes 0 and p, Holm is at most {1 - compared.comparison.level:.2g}; else it is a tie, which does not prove the two equal."
    )
    return table(rows, columns, caption="All pairs", note=note)


def _pair_row(compared: Compared, pair: Pair) -> dict[str, object]:
    metric = compared.metric(pair.metric)
    spec = "+.1f" if metric.percent else "+.2f"
    scale, d = (100 if metric.percent else 1), pair.difference
    bounds = "" if d.low is None else f" [{scale * d.low:{spec}}, {scale * d.high:{spec}}]"
    return {
        "metric": metric.title, "a": pair.a, "b": pair.b,
        "difference": None if d.value is None else f"{scale * d.value:{spec}}{bounds}",
        "p_value": pair.p_value, "p_holm": pair.p_holm, "effect_size": pair.effect_size,
        "resolvable": None if pair.resolvable is None else f"{scale * pair.resolvable:{spec[1:]}}",
        "texts_needed": None if pair.better else pair.texts_needed,
        "outcome": pair.reason or (f"{pair.better} better" if pair.better else "tie"),
    }  # fmt: skip


def categories(compared: Compared) -> list[Fragment]:
    """Heat maps of words said and of naturalness by category."""
    found = compared.comparison.by_category
    pieces = []
    for objective in (Objective.INTELLIGIBILITY, Objective.NATURALNESS):
        metric = compared.objectives.get(objective)
        if metric is None:
            continue
        own = {(system, category): estimate for (system, name, category), estimate in found.items() if name == metric.name}
        present = {category for _, category in own}
        names = [name for name in dict.fromkeys(clip.entry.prompt.category for clip in compared.counted.clips) if name in present]
        counts = {category: max(e.n for (_, c), e in own.items() if c == category) for category in names}
        caption = f"{shown(metric).axis} over the n prompts of a category; darker is worse."
        if max(counts.values(), default=0) < FEW_IN_CATEGORY:
            caption += " With so few prompts a cell is a hint where to listen, not a finding."
        pieces.append(figures.heat_map({key: e.value for key, e in own.items()}, compared.systems, names, shown(metric), counts=counts, caption=caption))
    return pieces or [prose("The prompts have no categories.")]


def objectives(compared: Compared) -> list[Fragment]:
    """The Pareto front, and one number only where its weighting is stated."""
    front = compared.front
    if front is None or len(compared.systems) < 2:
        return [prose("With one system there is no front.")]
    rows = [
        {"system": s, **{m.name: compared.comparison.estimates[s, m.name] for m in compared.objectives.values()}, "place": _place_on_front(compared, s),
         "number": compared.weighted.scores.get(s) if compared.weighted else None}
        for s in compared.systems
    ]  # fmt: skip
    columns = [
        Column("system", "system"),
        *(Column(m.name, f"{o.value}: {m.title}", fmt=fmt(m)) for o, m in compared.objectives.items()),
        Column("place", "Pareto front"),
        *([Column("number", "weighted", fmt="+.2f", help=compared.weighted.statement)] if compared.weighted else []),
    ]
    missing = [o.value for o in Objective if o not in compared.objectives]
    note = "On the front: no other system is at least as good on every objective and better on one. It is drawn from the estimates; what the data support stands beside it."
    note += f" Not measured: {listed(missing)}." if missing else ""
    weighing = "There is no one number: give weights (a parameter) to have one, with its weighting stated."
    if compared.weighted:
        weighing = f"One number, weighted: {compared.weighted.statement}. It has no interval: systems whose numbers are close are not ranked by it."
    return [table(rows, columns, caption="Objectives", note=note), *_front_figure(compared), prose(weighing)]


def _place_on_front(compared: Compared, system: str) -> str:
    front = compared.front
    if system in front.incomplete:
        return f"cannot be placed: no {listed(front.incomplete[system])}"
    if system in front.on:
        return "on it"
    told = []
    for other in front.off[system]:
        steps = supported(compared, other, system)
        told.append(f"{other} ({'supported on ' + listed(steps) if steps else 'by the estimates alone'})")
    return f"behind {listed(told)}"


def _front_figure(compared: Compared) -> list[Fragment]:
    x, y = (compared.objectives.get(o) for o in (Objective.INTELLIGIBILITY, Objective.NATURALNESS))
    if x is None or y is None:
        return []
    estimates = compared.comparison.estimates
    points = [figures.Point(s, estimates[s, x.name], estimates[s, y.name], s in compared.front.on) for s in compared.systems]
    caption = "Up and to the right is better. Full marks are on the front of all objectives, not only of these two."
    return [figures.pareto(points, shown(x), shown(y), caption=caption)]


def signal(compared: Compared) -> list[Fragment]:
    """Clipping and other faults of the signal: found, counted, and what the judges heard instead."""
    measured = signal_columns(compared.counted)
    if "peak_amplitude" not in measured:
        return [prose("The signal was not measured: no clip has a peak, which the judge `signal` gives.")]
    rows = [_signal_row(compared, system, measured) for system in compared.systems]
    columns = [
        Column("system", "system"),
        Column("clips", "clips", fmt=",d"),
        Column("over", "peak above 1", help="clips whose samples leave full scale; a player or a 16-bit file would clip them"),
        Column("peak", "largest peak", fmt=".2f"),
        Column("flat", "flat tops", help="clips with several runs of neighbouring samples at the clip's own extreme: clipped before, however quiet now"),
        Column("copy", "judged on a copy", help="clips that judges scored on a copy normalised to a peak of 0.99, as a peak above 1 would break their scores"),
        Column("silent", "mostly or nearly silent"),
        Column("structure", "repeated, cut off or added to", help="or without a word; these faults count against words said"),
        Column("any", "sane signal", fmt=".0%", help="clips without a fault of the signal, of those that were measured in full"),
    ]  # fmt: skip
    clipping = [_clipping_sentence(row) for row in rows if row["over"] or row["flat"]]
    none = "No clipping was found." if "flat_top_runs" in measured else "No peak above full scale was found; flat tops were not looked for."
    return [table(rows, columns, caption="Clips with a fault of the signal"), bullets(clipping or [none])]


def _clipping_sentence(row: dict) -> str:
    told = [f"{row['over'] / row['clips']:.0%} of its clips peak above full scale, up to {row['peak']:.2f}"] if row["over"] else []
    told += [f"{row['flat'] / row['clips']:.0%} have flat tops"] if row["flat"] else []
    copies = f"; {row['copy']} were judged on a normalised copy, so the judges say nothing of how the clipping of a player would sound" if row["copy"] else ""
    return f"{row['system']}: {listed(told)}{copies}."


def _signal_row(compared: Compared, system: str, measured: tuple[str, ...]) -> dict[str, object]:
    own = [clip.result for clip in compared.counted.of(system) if clip.usable]
    sane = [found for result in own if (found := is_sane(result, measured)) is not None]
    faults = Counter(fault for result in own for fault in signal_faults(result))
    peaks = [peak for result in own if (peak := score_of(result, "peak_amplitude")) is not None]
    tops = any(score_of(result, "flat_top_runs") is not None for result in own)
    structure = sum(bool(set(result.verdicts.flags) - {"near_silent"}) for result in own)
    return {
        "system": system, "clips": len(own), "over": faults["peak above 1"] if peaks else None, "peak": max(peaks, default=None),
        "flat": faults["flat tops"] if tops else None,
        "copy": sum(any(NORMALISED_NOTE in note for note in result.notes) for result in own),
        "silent": sum(bool({"mostly silence", "near silence"} & set(signal_faults(result))) for result in own) if peaks else None, "structure": structure,
        "any": sum(sane) / len(sane) if sane else None,
    }  # fmt: skip
