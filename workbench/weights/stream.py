"""A file over HTTP: plain GET, continued by Range after a break (also of another process), hashed while it streams."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from workbench import __version__
from workbench.errors import EngineError
from workbench.weights.remote import without_secrets

BLOCK_BYTES = 1 << 20
TIMEOUT_SEC = 60.0
TOLD_EVERY_SEC = 15.0
ATTEMPTS = 3
AGAIN = "fetch again: it continues where it stopped"


class Download:
    """One file: a part beside its place, and a note of the sender's mark (ETag or date), so that a part is continued with its own rest.

    Args:
        url: of the file.
        target: its place; it appears there only once it is whole.
        weights: the set, for messages.
        sha256: what it must come to, where known.
        authorization: header for the first host; a redirect does not carry it on.
        mend_refused: what to do about HTTP 401 and 403.
        say: told now and then how far it is.
    """

    def __init__(
        self,
        url: str,
        target: Path,
        *,
        weights: str,
        sha256: str | None = None,
        authorization: str | None = None,
        mend_refused: str = "see the source's page",
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.url, self.target, self.weights, self.sha256 = url, target, weights, sha256
        self.authorization, self.mend_refused, self.say = authorization, mend_refused, say
        self.part = target.with_name(f".{target.name}.part")
        self.mark = target.with_name(f".{target.name}.mark")

    def run(self) -> str:
        """Bring it; gives its SHA-256.

        Raises:
            EngineError: it broke off (calling again continues it), or what came is not what was described.
        """
        self.target.parent.mkdir(parents=True, exist_ok=True)
        found = self._persist()
        if self.sha256 and found != self.sha256:
            self._forget()
            expected = f"sha256 {self.sha256}"
            raise EngineError("what came is not what was described", where=self.url, got=f"sha256 {found}", expected=expected, mend="fetch again")
        os.replace(self.part, self.target)
        self.mark.unlink(missing_ok=True)
        return found

    def _persist(self) -> str:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._stream()
            except urllib.error.HTTPError as error:
                if error.code in (401, 403):
                    raise self._failure(f"HTTP {error.code} {error.reason}", self.mend_refused) from None
                if error.code == 416:
                    self._forget()
                elif error.code < 500:
                    raise self._failure(f"HTTP {error.code} {error.reason}", "see the source's page") from None
                fault = f"HTTP {error.code} {error.reason}"
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                fault = f"{type(error).__name__}: {error}"
            except OSError as error:
                raise self._failure(error.strerror or str(error), "make room on the disk, then " + AGAIN) from error
        raise self._failure(f"{fault} ({attempt} attempts)", AGAIN)

    def _stream(self) -> str:
        """One GET from where the part ends to the file's end; gives the SHA-256 of the whole."""
        digest, begun = self._begun()
        if begun and digest.hexdigest() == self.sha256:
            return self.sha256
        request = urllib.request.Request(self.url, headers={"User-Agent": f"workbench/{__version__}"})
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        mark = self.mark.read_text() if begun and self.mark.exists() else ""
        if begun:
            request.add_header("Range", f"bytes={begun}-")
            if mark:
                request.add_header("If-Range", mark)
        with urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT_SEC) as reply:
            if not (reply.status == 206 and (reply.headers.get("Content-Range") or "").startswith(f"bytes {begun}-")):
                digest, begun = hashlib.sha256(), 0
            self.mark.write_text(_mark(reply.headers))
            total = begun + int(reply.headers["Content-Length"]) if reply.headers.get("Content-Length") else None
            with self.part.open("r+b" if begun else "wb") as part:
                part.seek(begun)
                told = time.monotonic()
                while block := reply.read1(BLOCK_BYTES):
                    part.write(block)
                    # What is hashed must be what lies on the disk: a full disk shows here and not at close.
                    part.flush()
                    digest.update(block)
                    if time.monotonic() - told > TOLD_EVERY_SEC:
                        told = time.monotonic()
                        self.say(f"{self.target.name}: {part.tell() / 1e6:,.0f}" + (f" of {total / 1e6:,.0f} MB" if total else " MB"))
                came = part.tell()
                os.fsync(part.fileno())
        if total is not None and came != total:
            raise ConnectionError(f"the connection ended after {came:,} of {total:,} bytes")
        return digest.hexdigest()

    def _begun(self) -> tuple:
        """Hash and length of the part so far; nothing, where the rest could be of another file and no checksum would tell."""
        digest = hashlib.sha256()
        if not self.part.exists() or not (self.sha256 or (self.mark.exists() and self.mark.read_text())):
            return digest, 0
        with self.part.open("rb") as part:
            while block := part.read(BLOCK_BYTES):
                digest.update(block)
            return digest, part.tell()

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    def _failure(self, text: str, mend: str) -> EngineError:
        return EngineError(f"weights {self.weights!r} could not be fetched: {without_secrets(text)}", where=self.url, mend=mend)


def _mark(headers) -> str:
    """What ``If-Range`` may say of a reply: a strong ETag, else its date (RFC 9110, 13.1.5)."""
    etag = headers.get("ETag") or ""
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified") or ""


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise EngineError("a redirect that leaves https", where=req.full_url, got=newurl, mend="see the source's page")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
