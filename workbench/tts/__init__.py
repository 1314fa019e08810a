"""Speech synthesisers behind one protocol: see ``tts.base``."""

from workbench.tts.base import SpeechRequest, Synthesizer

__all__ = ["SpeechRequest", "Synthesizer"]
