"""The one place for statistics: intervals that know which clips share a text, comparisons that admit ties, and sentences that claim no more."""

from workbench.stats.claims import Claim, claims
from workbench.stats.comparison import Comparison, Outcome, Pair, Rank, compare
from workbench.stats.intervals import Estimate, mean_estimate, proportion, ratio_estimate
from workbench.stats.measurements import Direction, LeftOut, Measurement

__all__ = [
    "Claim", "Comparison", "Direction", "Estimate", "LeftOut", "Measurement", "Outcome", "Pair", "Rank",
    "claims", "compare", "mean_estimate", "proportion", "ratio_estimate",
]  # fmt: skip
