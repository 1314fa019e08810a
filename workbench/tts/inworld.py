"""Inworld's text-to-speech over REST (``POST /tts/v1/voice``), with word times. A cloud engine.

Interface: Inworld API reference, "Synthesize speech".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.audio import Audio
from workbench.tts.answers import audio_of, bytes_of, json_of
from workbench.tts.base import SpeechRequest, SpokenWord
from workbench.tts.calls import Answer, Patience
from workbench.tts.keys import Secret, need_key
from workbench.tts.served import ServedSynthesizer, names
from workbench.tts.voices import voices_of

DEFAULT_URL = "https://api.inworld.ai"


class InworldSynthesizer(ServedSynthesizer):
    """A client of Inworld's service; 16-bit audio at the rate asked for.

    Args:
        model: the service's name of what speaks.
        base_url: another door to the same API; the engine stays a cloud engine whatever the address.
        sample_rate_hz: asked for; the rate of the audio is read from the answer.
        concurrency: requests at once.
        extra_voices: names beyond the catalogue, for instance cloned ones.
        timeout_sec, attempts, first_wait_sec, longest_wait_sec: see ``calls.Patience``.
    """

    name = "inworld"
    cloud = True
    speeds = (0.5, 1.5)
    longest_text = 2000

    def __init__(
        self,
        *,
        model: str = "inworld-tts-2",
        base_url: str = DEFAULT_URL,
        sample_rate_hz: int = 24000,
        concurrency: int = 2,
        extra_voices: Sequence[str] = (),
        timeout_sec: float = 120.0,
        attempts: int = 4,
        first_wait_sec: float = 1.0,
        longest_wait_sec: float = 60.0,
    ) -> None:
        super().__init__(
            base_urls=(base_url,), each=concurrency, patience=Patience(timeout_sec, attempts, first_wait_sec, longest_wait_sec)
        )
        self.model, self.sample_rate_hz = model, sample_rate_hz
        self._voices = voices_of(self.name).names + names(self.name, "extra_voices", extra_voices)

    def voices(self) -> tuple[str, ...]:
        return self._voices

    def speak_timed(self, requests: Sequence[SpeechRequest]) -> list[tuple[Audio, tuple[SpokenWord, ...]] | Exception]:
        """Per request its audio with the times of its words, or the error it failed with.

        Raises:
            PrivacyError: a sensitive request; before anything is sent.
        """
        return self._outcomes(requests)

    def _find_key(self) -> tuple[Secret | None, str, str]:
        return need_key("INWORLD_API_KEY", engine=self.name), "Authorization", "Basic "

    def _call(self, request: SpeechRequest) -> tuple[str, dict[str, Any]]:
        sound = {"audioEncoding": "LINEAR16", "sampleRateHertz": self.sample_rate_hz, "speakingRate": request.speed}
        return "/tts/v1/voice", {"text": request.text, "voiceId": request.voice, "modelId": self.model, "audioConfig": sound, "timestampType": "WORD"}

    def _read(self, answer: Answer) -> tuple[Audio, tuple[SpokenWord, ...]]:
        value = json_of(answer, engine=self.name, key=self._key)
        body = bytes_of(value.get("audioContent"), engine=self.name, key=self._key)
        return audio_of(body, engine=self.name, expected="wav", pcm_rate_hz=self.sample_rate_hz, key=self._key), _words(value)

    def identity(self) -> dict[str, object]:
        """What the audio depends on; the service promises no equal samples for equal texts."""
        return {"engine": self.name, "model": self.model, "sample_rate_hz": self.sample_rate_hz, "code": 1}


def _words(value: dict[str, Any]) -> tuple[SpokenWord, ...]:
    """Times of the words; none when the answer carries none, or not one start and end for every word."""
    info = value.get("timestampInfo")
    alignment = info.get("wordAlignment") if isinstance(info, dict) else None
    if not isinstance(alignment, dict):
        return ()
    try:
        times = zip(*(alignment[name] for name in ("words", "wordStartTimeSeconds", "wordEndTimeSeconds")), strict=True)
        return tuple(SpokenWord(str(word), float(start), float(end)) for word, start, end in times)
    except (KeyError, TypeError, ValueError):
        return ()
