"""The sets of weights, one file per room that loads them; data only."""
