"""Speech synthesisers behind one protocol: see ``tts.base``."""

from workbench.tts.base import PartlySpokenError, SpeechRequest, SpokenWord, Synthesizer, speak_each

__all__ = ["PartlySpokenError", "SpeechRequest", "SpokenWord", "Synthesizer", "speak_each"]
