"""What keeps a confidential text at home: the rule for whose machine an address is, and the refusal."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from workbench.errors import PrivacyError
from workbench.tts.base import SpeechRequest


def is_own(url: str, trusted_hosts: Collection[str] = ()) -> bool:
    """Whether an address is the user's own: this machine by loopback, or a host that the user named as trusted.

    An address inside a private network is not trusted by itself: it may be a neighbour's. Names are compared whole, without
    regard to case.
    """
    host = (urlsplit(url).hostname or "").lower()
    if host in {trusted.lower().strip("[]") for trusted in trusted_hosts}:
        return True
    if host == "localhost":
        return _all_loopback(host)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _all_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(address[4][0]).is_loopback for address in found)


def refuse_sensitive(engine: str, requests: Sequence[SpeechRequest]) -> None:
    """Called by every cloud engine first of all, with the whole batch.

    Raises:
        PrivacyError: at least one request is sensitive; the message never quotes its text.
    """
    count = sum(request.sensitive for request in requests)
    if count:
        raise PrivacyError(
            f"{engine} is a cloud engine and never gets a sensitive text",
            where=engine,
            got=f"{count} sensitive of {len(requests)} requests; none was sent",
            mend="use an engine on this machine (kokoro, flite, espeak, or openai-speech at a loopback address or a trusted host)",
        )
