"""What the dataset comparison says of every two datasets: sentences first, then every comparison as a table."""

from __future__ import annotations

from workbench.datasets.claims import PERCENT
from workbench.datasets.comparison import DatasetComparison
from workbench.report.dataset_figures import sentences
from workbench.report.html import Column, fold, prose, showing, table
from workbench.report.parts import p_value
from workbench.scan.comparison_metrics import judge_title
from workbench.stats.independent import Gap

#: Sentences on the page; the table under them has every comparison.
MOST_SENTENCES = 12


def differences(comparison: DatasetComparison) -> list[object]:
    """What may be said of two datasets, and every comparison as a table."""
    claims = comparison.claims
    lacking = [f"{name} has no value of {judge_title(metric)} and is not compared on it." for metric, names in comparison.lacking.items() for name in names]
    if not claims:
        return [sentences(lacking) if lacking else prose("There is no other dataset to compare with.")]
    told = sorted(claims, key=lambda claim: claim.gap.higher is None)[:MOST_SENTENCES]
    rows = [
        {"metric": judge_title(g.metric), "a": g.a, "b": g.b, "difference": _difference(g), "p": g.p_holm, "effect": g.effect_size, "needed": None if g.higher else g.texts_needed,
         "said": f"higher in {g.higher}" if g.higher else g.reason or "cannot be told apart"}
        for g in comparison.gaps
    ]  # fmt: skip
    columns = [
        Column("metric", "metric"),
        Column("a", "a"),
        Column("b", "b"),
        Column("difference", "a minus b", help="shares and error rates in percentage points"),
        Column("p", "p (Holm)", fmt=p_value),
        Column("effect", "effect size", fmt="+.2f", help="difference over the standard deviation of texts"),
        Column("needed", "texts to settle it", fmt=",d", help="in each of the two, for a difference of the size observed"),
        Column("said", "outcome"),
    ]
    note = "Unpaired, over texts: Welch's or Hall's intervals, whichever is wider, and score intervals for shares; p-values after Holm's correction over all rows."
    rest = [showing(len(told), len(claims))] if len(told) < len(claims) else []
    return [sentences([*(claim.sentence for claim in told), *lacking]), *rest, fold("Every comparison", table(rows, columns, note=note))]


def _difference(gap: Gap) -> str | None:
    """With its interval, in the unit in which the sentences tell it."""
    d, factor, spec = gap.difference, *((100, "+.1f") if gap.metric in PERCENT else (1, "+.3f" if gap.metric == "confidence" else "+.2f"))
    if d.value is None:
        return None
    bounds = "" if d.low is None else f" [{factor * d.low:{spec}}, {factor * d.high:{spec}}]"
    return f"{factor * d.value:{spec}}{bounds}{' points' if gap.metric in PERCENT else ''}"
