"""Weights of the engines in ``tts/``."""

from workbench.weights.base import WeightFile, Weights

SETS: tuple[Weights, ...] = ()
