"""Weights of the engines in ``phones/``."""

from workbench.weights.base import WeightFile, Weights

SETS: tuple[Weights, ...] = ()
