"""Weights of the engines in ``judges/``."""

from workbench.weights.base import WeightFile, Weights

SETS: tuple[Weights, ...] = ()
