"""Sets of weights in a folder on the web: plain GET, continued by Range, hashed while it streams."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

from workbench import __version__
from workbench.errors import ConfigError, EngineError
from workbench.weights.base import Weights
from workbench.weights.remote import RemoteFile

BLOCK_BYTES = 1 << 20
TIMEOUT_SEC = 60.0
ATTEMPTS = 3
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def listing(found: Weights, commit: str | None) -> tuple[str, list[RemoteFile]]:
    """The revision and the files as the catalogue has them; a folder on the web has no listing of its own.

    Raises:
        ConfigError: the address is not https.
    """
    _refuse_plain(found.source, found)
    return commit or found.revision, [RemoteFile(file.path, file.size_bytes, file.sha256) for file in found.files]


def download(found: Weights, commit: str, files: list[RemoteFile], folder: Path) -> dict[str, str]:
    """The files into ``folder``, each under its name only once it is whole; gives the SHA-256 of each that came, by path.

    Raises:
        EngineError: a download broke off; calling again continues it.
    """
    lacking = [file for file in files if not (folder / file.path).is_file()]
    return {file.path: _Download(found, file, folder / file.path).run() for file in lacking}


class _Download:
    """One file: a part beside its place, and a note of the sender's mark (ETag or date), so that a part is continued with its own rest only."""

    def __init__(self, found: Weights, file: RemoteFile, target: Path) -> None:
        self.found, self.file, self.target = found, file, target
        self.url = f"{found.source.rstrip('/')}/{quote(file.path)}"
        self.part = target.with_name(f".{target.name}.part")
        self.mark = target.with_name(f".{target.name}.mark")

    def run(self) -> str:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                found = self._stream()
                break
            except urllib.error.HTTPError as error:
                if error.code == 416:
                    self._forget()
                elif error.code < 500:
                    raise self._failure(f"HTTP {error.code} {error.reason}") from error
                if attempt == ATTEMPTS:
                    raise self._failure(f"HTTP {error.code} {error.reason}") from error
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                if attempt == ATTEMPTS:
                    raise self._failure(f"{type(error).__name__}: {error}") from error
            except OSError as error:
                raise self._failure(f"{error.strerror or error}", mend="make room on the disk, then fetch again: it continues where it stopped") from error
        if self.file.sha256 and found != self.file.sha256:
            self._forget()
            raise EngineError("what came is not what the catalogue describes", where=self.url, got=f"sha256 {found}", expected=f"sha256 {self.file.sha256}")
        os.replace(self.part, self.target)
        self.mark.unlink(missing_ok=True)
        return found

    def _stream(self) -> str:
        """One GET from where the part ends to the file's end; gives the SHA-256 of the whole."""
        digest, begun = self._begun()
        headers = {"User-Agent": f"workbench/{__version__}"}
        mark = self.mark.read_text() if begun and self.mark.exists() else ""
        if begun:
            headers |= {"Range": f"bytes={begun}-"} | ({"If-Range": mark} if mark else {})
        with _opener(self.found).open(urllib.request.Request(self.url, headers=headers), timeout=TIMEOUT_SEC) as reply:
            if not (reply.status == 206 and (reply.headers.get("Content-Range") or "").startswith(f"bytes {begun}-")):
                digest, begun = hashlib.sha256(), 0
            self.mark.write_text(_mark(reply.headers))
            total = begun + int(reply.headers["Content-Length"]) if reply.headers.get("Content-Length") else None
            with self.part.open("r+b" if begun else "wb") as part:
                part.seek(begun)
                while block := reply.read(BLOCK_BYTES):
                    part.write(block)
                    # What is hashed must be what lies on the disk: a full disk shows here and not at close.
                    part.flush()
                    digest.update(block)
                came = part.tell()
                os.fsync(part.fileno())
        if total is not None and came != total:
            raise ConnectionError(f"the connection ended after {came:,} of {total:,} bytes")
        return digest.hexdigest()

    def _begun(self) -> tuple:
        """Hash and length of the part so far; nothing, where the rest could be of another file and no checksum would tell."""
        digest = hashlib.sha256()
        if not self.part.exists() or not (self.file.sha256 or (self.mark.exists() and self.mark.read_text())):
            return digest, 0
        with self.part.open("rb") as part:
            while block := part.read(BLOCK_BYTES):
                digest.update(block)
            return digest, part.tell()

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    def _failure(self, text: str, *, mend: str = "fetch again: it continues where it stopped") -> EngineError:
        return EngineError(f"weights {self.found.name!r} could not be fetched: {text}", where=self.url, mend=mend)


def _mark(headers) -> str:
    """What ``If-Range`` may say of a reply: a strong ETag, else its date (RFC 9110, 13.1.5)."""
    etag = headers.get("ETag") or ""
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified") or ""


def _opener(found: Weights) -> urllib.request.OpenerDirector:
    class Redirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):
            _refuse_plain(newurl, found)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return urllib.request.build_opener(Redirects)


def _refuse_plain(url: str, found: Weights) -> None:
    split = urlsplit(url)
    if split.scheme != "https" and not (split.scheme == "http" and split.hostname in _LOOPBACK):
        raise ConfigError(f"weights {found.name!r}: not a source", got=url, expected="hf:OWNER/NAME or an https:// address")
