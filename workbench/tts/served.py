"""What the engines share that speak through a server: checks before any byte leaves, slots, threads, one outcome per request."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from workbench.audio import Audio
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, TextError, WorkbenchError
from workbench.offline import is_offline
from workbench.tts.base import SpeechRequest, SpokenWord, all_spoken
from workbench.tts.calls import Answer, Patience, key_auth, post
from workbench.tts.keys import Secret, hidden_in_logs
from workbench.tts.privacy import is_own, refuse_sensitive
from workbench.tts.programs import check_speed, check_text, refuse_phonemes, refuse_said_as
from workbench.tts.slots import Slots, server_of
from workbench.tts.voices import resolve_voice, voices_of


class ServedSynthesizer(ABC):
    """Base of the HTTP engines. A subclass says where to post what, and reads the answer.

    Args:
        base_urls: addresses of servers with the same voices.
        each: requests that one of them bears at once, over all processes of this user.
        patience: time limit, attempts, waits.
        trusted_hosts: host names that count as the user's own beside loopback.
    """

    name = "served"
    longest_text: int | None = None
    speeds = (0.25, 4.0)

    def __init__(self, *, base_urls: Sequence[str], each: int, patience: Patience, trusted_hosts: Sequence[str] = ()) -> None:
        self.base_urls = tuple(_checked_url(self.name, url) for url in base_urls)
        if not self.base_urls or len({server_of(url) for url in self.base_urls}) < len(self.base_urls):
            raise ConfigError(
                "base URLs must name different servers", where=self.name, got=", ".join(self.base_urls) or "none", expected="one per instance"
            )
        _check_patience(self.name, patience, each)
        self.patience, self.concurrency, self.trusted_hosts = patience, each * len(self.base_urls), tuple(trusted_hosts)
        self._slots = Slots(self.base_urls, each=each)
        self._client: Any = None
        self._key: Secret | None = None
        self._auth: Any = None

    @property
    def cloud(self) -> bool:
        """Whether any of the servers is not the user's own."""
        return not self._own()

    def _own(self) -> bool:
        return all(is_own(url, self.trusted_hosts) for url in self.base_urls)

    # What a subclass fills in.

    @abstractmethod
    def voices(self) -> tuple[str, ...]:
        """Names of voices."""

    def aliases(self) -> dict[str, str]:
        return voices_of(self.name).aliases

    @abstractmethod
    def _find_key(self) -> tuple[Secret | None, str, str]:
        """The key, the header it travels in, and what stands before it there."""

    @abstractmethod
    def _call(self, request: SpeechRequest) -> tuple[str, dict[str, Any]]:
        """Path and JSON body."""

    @abstractmethod
    def _read(self, answer: Answer) -> tuple[Audio, tuple[SpokenWord, ...]]:
        """Audio and, where the server tells them, the times of its words."""

    # What they share.

    def check_ready(self) -> None:
        """
        Raises:
            EngineUnavailableError: no key, or WORKBENCH_OFFLINE and a server elsewhere.
        """
        self._refuse_offline()
        self._find_key()

    def _refuse_offline(self) -> None:
        if not self._own() and is_offline(hubs=False):
            raise EngineUnavailableError(f"offline: {self.name} speaks through a server elsewhere", where=", ".join(self.base_urls), mend="unset WORKBENCH_OFFLINE")

    def load(self, device: str = "cpu") -> None:
        """Find the key and open the client; nothing is sent. The device is the server's matter.

        Raises:
            EngineUnavailableError: no key.
        """
        import httpx

        self._refuse_offline()
        self._key, header, prefix = self._find_key()
        self._auth = key_auth(self._key, header, prefix)
        # A proxy of the environment would carry texts meant for a machine of the user's own to somebody else's.
        self._client = httpx.Client(
            follow_redirects=False, trust_env=not self._own(), limits=httpx.Limits(max_connections=self.concurrency)
        )

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]:
        """One audio per request, in order, at most ``concurrency`` at a time.

        Raises:
            PrivacyError: a cloud engine and a sensitive request; before anything is sent.
            UnknownNameError, TextError, EngineError: of a lone request.
            PartlySpokenError: of a batch, after all of it was tried.
        """
        return all_spoken(self.name, [spoken if isinstance(spoken, Exception) else spoken[0] for spoken in self._outcomes(requests)])

    def _outcomes(self, requests: Sequence[SpeechRequest]) -> list[tuple[Audio, tuple[SpokenWord, ...]] | Exception]:
        if self.cloud:
            refuse_sensitive(self.name, requests)
        if self._client is None:
            raise EngineError(f"{self.name} is not loaded", mend="call load() first")
        if not requests:
            return []
        threads = min(self.concurrency, len(requests))
        with hidden_in_logs(self._key), ThreadPoolExecutor(threads, thread_name_prefix=self.name) as pool:
            return list(pool.map(self._outcome, requests))

    def _outcome(self, request: SpeechRequest) -> tuple[Audio, tuple[SpokenWord, ...]] | Exception:
        try:
            path, body = self._call(self._checked(request))
            answer = post(self._client, self._slots, path, body, engine=self.name, auth=self._auth, key=self._key, patience=self.patience)
            return self._read(answer)
        except WorkbenchError as error:
            return self._without_key(error)
        except Exception as error:  # noqa: BLE001 - one request's fault; the others are still owed their audio
            return self._without_key(EngineError(f"speaking failed: {type(error).__name__}: {error}", where=self.name))

    def _without_key(self, error: WorkbenchError) -> WorkbenchError:
        """The error without the key, where a server's answer brought it in, and without frames, whose variables hold that answer."""
        if self._key is None or self._key.redacted(str(error)) == str(error):
            return error.with_traceback(None)
        parts = (error.what, error.where, error.got, error.expected, error.mend)
        what, where, got, expected, mend = (part if part is None else self._key.redacted(str(part)) for part in parts)
        return type(error)(what, where=where, got=got, expected=expected, mend=mend)

    def _checked(self, request: SpeechRequest) -> SpeechRequest:
        voice = resolve_voice(self.name, request.voice, self.voices(), aliases=self.aliases())
        refuse_phonemes(self.name, request)
        refuse_said_as(self.name, request)
        check_speed(self.name, request.speed, slowest=self.speeds[0], fastest=self.speeds[1])
        check_text(self.name, request.text)
        if self.longest_text is not None and len(request.text) > self.longest_text:
            raise TextError(
                "text is too long", where=self.name, got=f"{len(request.text):,} characters", expected=f"at most {self.longest_text:,}", mend="split it at sentences"
            )
        return replace(request, voice=voice)

    def close(self) -> None:
        """Close connections and forget the key."""
        if self._client is not None:
            self._client.close()
        self._client = self._key = self._auth = None


def _checked_url(engine: str, url: str) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("not the address of a server", where=engine, got=url, expected="http(s)://host[:port]/path")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Addresses are written to identities and errors; the one that came is not repeated.
        raise ConfigError(
            "an address must hold no user, password or query", where=engine, got=f"one at {parts.hostname}", expected="a key in the environment"
        )
    return url.rstrip("/")


def _check_patience(engine: str, patience: Patience, each: int) -> None:
    numbers = (patience.timeout_sec, patience.first_wait_sec, patience.longest_wait_sec)
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or patience.timeout_sec == 0:
        raise ConfigError("time limits must be finite and not negative", where=engine, got=numbers)
    if patience.attempts < 1 or each < 1:
        raise ConfigError(
            "attempts and concurrency must be 1 or more", where=engine, got=f"attempts {patience.attempts}, concurrency {each}"
        )


def names(engine: str, option: str, value: Sequence[str]) -> tuple[str, ...]:
    """A list of names from an option.

    Raises:
        ConfigError: a lone string, or something that is no text.
    """
    if isinstance(value, str) or not all(isinstance(one, str) and one for one in value):
        raise ConfigError(f"{option} must be a list of names", where=engine, got=value)
    return tuple(value)
