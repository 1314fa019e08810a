"""Speech recognisers: what each heard, when, and how sure it is."""

from workbench.stt.base import Evidence, SttRequest, Transcriber, Transcript, Word
from workbench.stt.evidence import apply_threshold

__all__ = ["Evidence", "SttRequest", "Transcriber", "Transcript", "Word", "apply_threshold"]
