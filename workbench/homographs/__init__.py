"""Homographs: which reading a sentence asks for, and which one a voice spoke."""

from workbench.homographs.base import KINDS, Homograph, Kind, Reading, Variant, place_of
from workbench.homographs.contrast import Contrast, contrast, contrast_of
from workbench.homographs.expected import Expected, ExpectedReader, spans_in
from workbench.homographs.lexicon import Lexicon, lexicon
from workbench.homographs.readers import load_reader
from workbench.homographs.reading_model import ReadingModel

__all__ = [
    "KINDS",
    "Contrast",
    "Expected",
    "ExpectedReader",
    "Homograph",
    "Kind",
    "Lexicon",
    "Reading",
    "ReadingModel",
    "Variant",
    "contrast",
    "contrast_of",
    "lexicon",
    "load_reader",
    "place_of",
    "spans_in",
]
