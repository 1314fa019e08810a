"""Verdicts: what two recognisers heard, weighed word by word against the text."""

from workbench.verdicts.base import FLAGGED, SAID, AudioFacts, ClipVerdicts, EditCounts, Insertion, Verdict, WordVerdict
from workbench.verdicts.judging import judge

__all__ = ["FLAGGED", "SAID", "AudioFacts", "ClipVerdicts", "EditCounts", "Insertion", "Verdict", "WordVerdict", "judge"]
