"""Speech synthesisers behind one protocol: see ``tts.base``."""

from workbench.tts.base import PartlySpokenError, SaidAs, SpeechRequest, SpokenWord, Synthesizer, speak_each

__all__ = ["PartlySpokenError", "SaidAs", "SpeechRequest", "SpokenWord", "Synthesizer", "speak_each"]
