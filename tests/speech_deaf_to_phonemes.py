"""Third-party voices that do not say what they are told to: one ignores forced pronunciations, one tells no transcription."""

from __future__ import annotations

from dataclasses import replace

from workbench.engines import EngineInfo
from workbench.tts.espeak import EspeakSynthesizer


class DeafSynthesizer(EspeakSynthesizer):
    """Says every text as it would on its own, whatever the request forces."""

    name = "deaf"

    def speak(self, requests):
        return super().speak([replace(request, said_as=()) for request in requests])


class TaciturnSynthesizer(EspeakSynthesizer):
    """Says what it is told to and confirms nothing."""

    name = "taciturn"
    confirms = None


ENGINES = [
    EngineInfo(cls.name, "tts", f"tests.speech_deaf_to_phonemes:{cls.__name__}", "a voice for tests", licence_code="Apache-2.0", licence_weights="none")
    for cls in (DeafSynthesizer, TaciturnSynthesizer)
]
