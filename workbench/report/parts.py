"""What the reports of several phases say in the same words: shares, intervals, yields."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.report.html import Column, Fragment, Interval, table
from workbench.scan import summaries
from workbench.scan.results import ClipResult
from workbench.stats import Estimate


def percent(value: float | None) -> str:
    """A share in words of a sentence."""
    return "unknown" if value is None else f"{100 * value:.1f}%"


def interval(estimate: Interval) -> str:
    """The interval of a share behind it in a sentence; nothing where there is none."""
    return "" if estimate.low is None else f" (95% interval {100 * estimate.low:.1f} to {100 * estimate.high:.1f}%)"


def plain(estimate: Estimate) -> dict[str, float | int | None]:
    """An estimate for ``metrics.json``."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def yields_table(results: Sequence[ClipResult], *, seed: int) -> Fragment:
    """What the strict, balanced and permissive bounds keep, by three readings of them."""
    columns = [
        Column("name", "threshold"),
        Column("wer_below", "WER below", fmt=".0%"),
        Column("confidence_above", "confidence above", fmt=".0%"),
        Column("by_verdicts", "kept, by verdicts", fmt=".0%", help="share of flagged words below the WER bound, after both recognisers"),
        Column("by_fast_wer", "kept, by fast WER", fmt=".0%", help="the fast engine alone, its own mistakes counted against the clip"),
        Column("by_fast_wer_and_confidence", "kept, by fast WER and confidence", fmt=".0%", help="both bounds on the fast engine"),
    ]
    methods = sorted({r.fast.confidence_method for r in results if r.fast})
    note = f"The confidence bounds were set for another recogniser's scale; here confidence is: {', '.join(methods) or 'unknown'}."
    return table(summaries.yields(results, seed=seed), columns, caption="Clips kept", note=note)
