"""Weights of the engines in ``stt/``."""

from workbench.weights.base import WeightFile, Weights

SETS: tuple[Weights, ...] = ()
