"""Gemini's native speech output over REST (``models/MODEL:generateContent``). A cloud engine, whose free tier trains on what it is sent.

Interface: Gemini API, "Speech generation".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.audio import Audio
from workbench.errors import EngineError
from workbench.tts.answers import audio_of, bytes_of, json_of
from workbench.tts.base import SpeechRequest, SpokenWord
from workbench.tts.calls import Answer, Patience
from workbench.tts.keys import Secret, need_key
from workbench.tts.served import ServedSynthesizer, names
from workbench.tts.voices import voices_of

DEFAULT_URL = "https://generativelanguage.googleapis.com"
PCM_RATE_HZ = 24000


class GeminiSynthesizer(ServedSynthesizer):
    """A client of the Gemini API: thirty voices, each in every language it knows; 24 kHz.

    The service has no control of speed, so any speed but 1.0 is refused.

    Args:
        model: a model with speech output.
        base_url: another door to the same API; the engine stays a cloud engine whatever the address.
        concurrency: requests at once.
        extra_voices: names beyond the catalogue.
        timeout_sec, attempts, first_wait_sec, longest_wait_sec: see ``calls.Patience``.
    """

    name = "gemini"
    cloud = True
    speeds = (1.0, 1.0)

    def __init__(
        self,
        *,
        model: str = "gemini-2.5-flash-preview-tts",
        base_url: str = DEFAULT_URL,
        concurrency: int = 2,
        extra_voices: Sequence[str] = (),
        timeout_sec: float = 180.0,
        attempts: int = 4,
        first_wait_sec: float = 1.0,
        longest_wait_sec: float = 60.0,
    ) -> None:
        super().__init__(
            base_urls=(base_url,), each=concurrency, patience=Patience(timeout_sec, attempts, first_wait_sec, longest_wait_sec)
        )
        self.model, self._voices = model, voices_of(self.name).names + names(self.name, "extra_voices", extra_voices)

    def voices(self) -> tuple[str, ...]:
        return self._voices

    def _find_key(self) -> tuple[Secret | None, str, str]:
        return need_key("GEMINI_API_KEY", engine=self.name), "x-goog-api-key", ""

    def _call(self, request: SpeechRequest) -> tuple[str, dict[str, Any]]:
        voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": request.voice}}}
        generation = {"responseModalities": ["AUDIO"], "speechConfig": voice}
        body = {"contents": [{"parts": [{"text": request.text}]}], "generationConfig": generation}
        return f"/v1beta/models/{self.model}:generateContent", body

    def _read(self, answer: Answer) -> tuple[Audio, tuple[SpokenWord, ...]]:
        value = json_of(answer, engine=self.name, key=self._key)
        parts, finish = _parts(value)
        if finish not in ("", "STOP", "FINISH_REASON_UNSPECIFIED"):
            raise EngineError("speech was cut short or refused", where=self.name, got=f"finishReason {finish}", expected="STOP")
        data = [part["inlineData"] for part in parts if isinstance(part, dict) and isinstance(part.get("inlineData"), dict)]
        if not data:
            raise EngineError(
                "answer holds no audio", where=self.name, got=_reason(value), expected="inlineData with audio/L16", mend="a model with speech output"
            )
        body = b"".join(bytes_of(one.get("data"), engine=self.name, key=self._key) for one in data)
        kind = str(data[0].get("mimeType", ""))
        return audio_of(
            body, engine=self.name, expected="wav" if "wav" in kind else "pcm", content_type=kind, pcm_rate_hz=PCM_RATE_HZ, key=self._key
        ), ()

    def identity(self) -> dict[str, object]:
        """What the audio depends on; the service promises no equal samples for equal texts."""
        return {"engine": self.name, "model": self.model, "sample_rate_hz": PCM_RATE_HZ, "code": 1}


def _parts(value: dict[str, Any]) -> tuple[list[Any], str]:
    candidates = value.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict) else {}
    content = first.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return parts if isinstance(parts, list) else [], str(first.get("finishReason") or "")


def _reason(value: dict[str, Any]) -> str:
    feedback = value.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        return f"the text was blocked: {feedback['blockReason']}"
    return f"an object with {', '.join(sorted(map(str, value))) or 'nothing'}"
