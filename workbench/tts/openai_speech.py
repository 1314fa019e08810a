"""Any server with OpenAI's speech interface (``POST /v1/audio/speech``), by default a Kokoro server on this machine.

Interface: OpenAI API reference, "Create speech". Default port: Kokoro-FastAPI's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from workbench.audio import Audio
from workbench.errors import ConfigError
from workbench.tts.answers import FORMATS, audio_of
from workbench.tts.base import SpeechRequest, SpokenWord
from workbench.tts.calls import Answer, Patience
from workbench.tts.keys import Secret, need_key
from workbench.tts.privacy import is_own
from workbench.tts.served import ServedSynthesizer, names
from workbench.tts.voices import voice_sets, voices_of

DEFAULT_URL = "http://localhost:8880/v1"
OPENAI_HOST = "api.openai.com"
PCM_RATE_HZ = 24000


class OpenAISpeechSynthesizer(ServedSynthesizer):
    """A client of one or several servers with the same voices.

    Args:
        base_urls: one per instance, up to and with ``/v1``.
        model: the server's name of what speaks.
        response_format: ``wav``, ``pcm``, ``mp3`` or ``flac``.
        voices: ``kokoro``, ``openai``, or a list of the server's own.
        concurrency: requests that one instance bears at once; a Kokoro server bears one.
        trusted_hosts: hosts that count as the user's own beside loopback; any other makes this a cloud engine, which gets no
            sensitive text.
        cloud: True where an own address only passes texts on to somebody else's.
        key_name: environment variable (or entry in ``secrets.toml``) of the key; none is sent by default but to OpenAI itself.
        extra: further fields of the request body, as the server documents them.
        revision: what the servers run; stands in the identity in place of their addresses, so that audio outlives a move.
        timeout_sec, attempts, first_wait_sec, longest_wait_sec: see ``calls.Patience``.
    """

    name = "openai-speech"

    def __init__(
        self,
        *,
        base_urls: Sequence[str] = (DEFAULT_URL,),
        model: str = "kokoro",
        response_format: str = "wav",
        voices: str | Sequence[str] = "kokoro",
        concurrency: int = 1,
        trusted_hosts: Sequence[str] = (),
        cloud: bool = False,
        key_name: str = "",
        extra: Mapping[str, Any] | None = None,
        revision: str = "",
        timeout_sec: float = 300.0,
        attempts: int = 4,
        first_wait_sec: float = 0.5,
        longest_wait_sec: float = 60.0,
    ) -> None:
        patience = Patience(timeout_sec, attempts, first_wait_sec, longest_wait_sec)
        base_urls, trusted_hosts = names(self.name, "base_urls", base_urls), names(self.name, "trusted_hosts", trusted_hosts)
        super().__init__(base_urls=base_urls, each=concurrency, patience=patience, trusted_hosts=trusted_hosts)
        if response_format not in FORMATS:
            raise ConfigError("unknown response format", where=self.name, got=response_format, expected=f"one of {', '.join(FORMATS)}")
        known = {"kokoro": voices_of(self.name), "openai": voice_sets()["openai"]}
        if isinstance(voices, str) and voices not in known:
            raise ConfigError("unknown set of voices", where=self.name, got=voices, expected="kokoro, openai or a list of names")
        self._set = known.get(voices) if isinstance(voices, str) else None
        self._voices = self._set.names if self._set else names(self.name, "voices", voices)
        self.model, self.response_format, self.revision, self.extra = model, response_format, revision, dict(extra or {})
        self._passes_on = cloud
        self.key_name = key_name or ("OPENAI_API_KEY" if all(urlsplit(url).hostname == OPENAI_HOST for url in self.base_urls) else "")

    @property
    def cloud(self) -> bool:
        return self._passes_on or super().cloud

    def voices(self) -> tuple[str, ...]:
        return self._voices

    def aliases(self) -> dict[str, str]:
        return self._set.aliases if self._set else {}

    def _find_key(self) -> tuple[Secret | None, str, str]:
        if self.key_name and any(urlsplit(url).scheme == "http" and not is_own(url, self.trusted_hosts) for url in self.base_urls):
            raise ConfigError(
                "a key never travels unencrypted", where=self.name, got="an http address that is not the user's own", expected="https"
            )
        return need_key(self.key_name, engine=self.name) if self.key_name else None, "Authorization", "Bearer "

    def _call(self, request: SpeechRequest) -> tuple[str, dict[str, Any]]:
        body = {"model": self.model, "input": request.text, "voice": request.voice, "speed": request.speed}
        body["response_format"] = self.response_format
        return "/audio/speech", self.extra | body

    def _read(self, answer: Answer) -> tuple[Audio, tuple[SpokenWord, ...]]:
        return audio_of(
            answer.body, engine=self.name, expected=self.response_format, content_type=answer.content_type, pcm_rate_hz=PCM_RATE_HZ, key=self._key
        ), ()

    def identity(self) -> dict[str, object]:
        """What the audio depends on, as far as it can be known from here."""
        served_by = {"revision": self.revision} if self.revision else {"servers": sorted(self.base_urls)}
        return {"engine": self.name, "model": self.model, "response_format": self.response_format, "extra": self.extra, "code": 1, **served_by}
