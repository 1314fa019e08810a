"""The one place for statistics: intervals that know which clips share a text."""

from workbench.stats.intervals import Estimate, mean_estimate, proportion, ratio_estimate

__all__ = ["Estimate", "mean_estimate", "proportion", "ratio_estimate"]
