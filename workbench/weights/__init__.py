"""Weights of the production engines: what they are, under which licence, where they lie, and whether they are whole."""

from workbench.weights.base import WeightFile, Weights
from workbench.weights.catalogue import CATALOGUE, of_engine, weights
from workbench.weights.identity import identity_of
from workbench.weights.places import cache_folder, resolve

__all__ = ["CATALOGUE", "WeightFile", "Weights", "cache_folder", "identity_of", "of_engine", "resolve", "weights"]
