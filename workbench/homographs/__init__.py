"""Homographs: which reading a sentence asks for, and which one a voice spoke."""

from workbench.homographs.base import KINDS, Homograph, Kind, Reading, Variant, place_of
from workbench.homographs.contrast import Contrast, contrast, contrast_of
from workbench.homographs.lexicon import Lexicon, lexicon

__all__ = ["KINDS", "Contrast", "Homograph", "Kind", "Lexicon", "Reading", "Variant", "contrast", "contrast_of", "lexicon", "place_of"]
