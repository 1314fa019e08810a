"""The one place for statistics: intervals that know which clips share a text, comparisons that admit ties, and sentences that claim no more."""

from workbench.stats.agreement import cohen_kappa, krippendorff_alpha
from workbench.stats.claims import Claim, claims, remarks
from workbench.stats.comparison import Comparison, Rank, compare
from workbench.stats.correlation import Correlations, correlations
from workbench.stats.detection import area_under_roc, clustered_proportion, d_prime, precision_at
from workbench.stats.intervals import Estimate, mean_estimate, proportion, ratio_estimate
from workbench.stats.measurements import Direction, LeftOut, Measurement
from workbench.stats.objectives import Front, Scaling, Weighted, pareto_front, points_of, weighted
from workbench.stats.pairs import Outcome, Pair
from workbench.stats.power import fewest_texts, smallest_resolvable, texts_to_settle

__all__ = [
    "Claim", "Comparison", "Correlations", "Direction", "Estimate", "Front", "LeftOut", "Measurement", "Outcome", "Pair", "Rank", "Scaling",
    "Weighted", "area_under_roc", "claims", "clustered_proportion", "cohen_kappa", "compare", "correlations", "d_prime", "fewest_texts",
    "krippendorff_alpha", "mean_estimate", "pareto_front", "points_of", "precision_at", "proportion", "ratio_estimate", "remarks",
    "smallest_resolvable", "texts_to_settle", "weighted",
]  # fmt: skip
