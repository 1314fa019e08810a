"""One request to a speech server: time limits, retries that wait as told, nothing followed elsewhere, no key in any message."""

from __future__ import annotations

import email.utils
import random
import time
from dataclasses import dataclass
from typing import Any

from workbench.errors import EngineError
from workbench.tts.keys import Secret
from workbench.tts.slots import Slots

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
LARGEST_ANSWER_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a request is tried.

    Attributes:
        timeout_sec: of one attempt, from its start to its last byte.
        attempts: in all.
        first_wait_sec: before the second attempt; doubled before each further one, and up to a quarter longer by chance,
            so that clients part.
        longest_wait_sec: between two attempts. A server that asks for more (Retry-After) is not asked again.
    """

    timeout_sec: float = 120.0
    attempts: int = 4
    first_wait_sec: float = 0.5
    longest_wait_sec: float = 60.0

    def wait_sec(self, attempt: int) -> float:
        return min(self.longest_wait_sec, self.first_wait_sec * 2 ** (attempt - 1) * random.uniform(1, 1.25))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent with status 200."""

    body: bytes
    content_type: str


class _Refused(Exception):
    """An attempt that failed; ``wait_sec`` is what the server asked for."""

    def __init__(self, told: str, again: bool, *, wait_sec: float | None = None, timed_out: bool = False) -> None:
        super().__init__(told)
        self.told, self.again, self.wait_sec, self.timed_out = told, again, wait_sec, timed_out


def key_auth(key: Secret | None, header: str, prefix: str = "") -> Any:
    """The key as an httpx ``Auth``: it enters the request when that is sent and stands in no dict of headers before."""
    import httpx

    class KeyAuth(httpx.Auth):
        def auth_flow(self, request):
            if key is not None:
                request.headers[header] = prefix + key.reveal()
            yield request

    return KeyAuth()


def post(
    client: Any, slots: Slots, path: str, body: dict[str, Any], *, engine: str, auth: Any, key: Secret | None, patience: Patience
) -> Answer:
    """Send JSON, get bytes.

    A time-out is not tried again, as the server may still be at work on the request (and bill it); its slot rests for as long once more.
    Connection faults and the statuses 408, 429 and 5xx are.

    Raises:
        EngineError: what the server said in the end, without the key.
    """
    failed: list[str] = []
    for attempt in range(1, patience.attempts + 1):
        with slots.one(engine=engine, wait_sec=patience.timeout_sec * 10, avoid=failed) as slot:
            try:
                return _attempt(client, slot.url + path, body, auth=auth, key=key, timeout_sec=patience.timeout_sec)
            except _Refused as refused:
                failure = refused
                failed.append(slot.url)
                if refused.timed_out:
                    slots.rest(slot, patience.timeout_sec)
        wait_sec = patience.wait_sec(attempt)
        if failure.wait_sec is not None:
            wait_sec = max(wait_sec, failure.wait_sec)
        if set(failed) >= set(slots.urls):
            failed = failed[-1:]
        if not failure.again or attempt == patience.attempts or wait_sec > patience.longest_wait_sec:
            break
        time.sleep(wait_sec)
    asked = f", asks to wait {failure.wait_sec:.0f} s" if failure.wait_sec else ""
    raise EngineError(
        f"server gave no speech: {failure.told}{asked}", where=f"{engine} at {failed[-1]}", got=f"{attempt} attempts" if attempt > 1 else None
    )


def _attempt(client: Any, url: str, body: dict[str, Any], *, auth: Any, key: Secret | None, timeout_sec: float) -> Answer:
    import httpx

    deadline = time.monotonic() + timeout_sec
    try:
        limits = httpx.Timeout(timeout_sec, connect=min(10.0, timeout_sec))
        with client.stream("POST", url, json=body, auth=auth, timeout=limits) as response:
            received = bytearray()
            for block in response.iter_bytes():
                received += block
                if time.monotonic() > deadline:
                    raise _Refused(f"not finished after {timeout_sec:g} s, {len(received):,} bytes had come", False, timed_out=True)
                if len(received) > LARGEST_ANSWER_BYTES:
                    raise _Refused(f"more than {LARGEST_ANSWER_BYTES >> 20} MiB", False)
    except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise _Refused(f"no connection: {type(error).__name__}", True) from None
    except httpx.TimeoutException:
        raise _Refused(f"no answer within {timeout_sec:g} s", False, timed_out=True) from None
    except httpx.RequestError as error:
        said = str(error) if key is None else key.redacted(str(error))
        raise _Refused(f"connection failed: {type(error).__name__}: {said}", True) from None
    if response.status_code == 200:
        return Answer(bytes(received), response.headers.get("content-type", ""))
    if response.is_redirect:
        raise _Refused(
            f"status {response.status_code}, a redirect, which is not followed: a text goes to the address given and to no other", False
        )
    again = response.status_code in RETRIED
    raise _Refused(
        f"status {response.status_code}: {shown(bytes(received), key)}", again, wait_sec=_retry_after_sec(response.headers.get("retry-after"))
    )


def shown(body: bytes, key: Secret | None) -> str:
    """The start of an answer for an error message, without the key: a server may echo what it was sent."""
    if not body:
        return "empty body"
    # Hidden before the text is cut, which might leave the first half of a key.
    text = body[:4096].decode("utf-8", "replace")
    text = (text if key is None else key.redacted(text))[:200]
    return repr(text) + (f" … ({len(body):,} bytes)" if len(body) > 200 else "")


def _retry_after_sec(value: str | None) -> float | None:
    """Seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3); None when it has neither."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
