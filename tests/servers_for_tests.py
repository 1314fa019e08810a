"""A web server on loopback: a hub that answers as its documented API says, and a plain folder of files with Range."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class FileServer:
    """What the server holds and what befalls it; a test changes it while it runs.

    Attributes:
        files: path -> content, of the newest commit.
        large: paths that the hub keeps as large files, served from elsewhere after a redirect.
        commits: commit -> files at that commit, for the hub.
        stop_after: path -> bytes after which the first answers hang up; used up one by one.
        gate: where set, an answer stops half-way until the event is set.
        token: where set, the hub refuses whoever does not bear it, and repeats in its refusal what it was sent.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    head: str = ""
    stop_after: dict[str, list[int]] = field(default_factory=dict)
    gate: threading.Event | None = None
    halfway: threading.Event = field(default_factory=threading.Event)
    ranges: bool = True
    token: str = ""
    connections: int = 0
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    authorised: list[str | None] = field(default_factory=list)
    url: str = ""
    elsewhere: str = ""

    def commit(self, number: int, files: dict[str, bytes]) -> str:
        """Make ``files`` the newest commit of the repository."""
        self.head = hashlib.sha1(b"commit %d" % number).hexdigest()
        self.commits[self.head] = dict(files)
        return self.head

    def got(self, path: str) -> list[str | None]:
        """The Range of every GET of that path."""
        return [asked for method, url, asked in self.requests if method == "GET" and urlsplit(url).path.endswith(path)]


@contextmanager
def serving(server: FileServer):
    """The server on a free port of loopback while the block runs."""

    class Http(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self):
            server.connections += 1
            return super().get_request()

        def handle_error(self, request, client_address):
            pass  # a client that was killed is part of the tests

    handler = type("Handler", (_Handler,), {"held": server})
    # Large files come from another host, as a hub's do: no token may follow there.
    both = [Http(("127.0.0.1", 0), handler) for _ in range(2)]
    server.url, server.elsewhere = (f"http://127.0.0.1:{http.server_address[1]}" for http in both)
    for http in both:
        threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        if server.gate:
            server.gate.set()
        for http in both:
            http.shutdown()
            http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: FileServer

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.held.requests.append((self.command, self.path, self.headers.get("Range")))
        self.held.authorised.append(self.headers.get("Authorization"))
        path = unquote(urlsplit(self.path).path)
        if self.held.token and not path.startswith("/cdn/") and self.headers.get("Authorization") != f"Bearer {self.held.token}":
            said = f"refused, you sent {self.headers.get('Authorization')}"
            return self._send(403, json.dumps({"error": said}).encode(), body, {"X-Error-Message": said})
        parts = path.strip("/").split("/")
        if parts[0] == "api":
            return self._api(parts, body)
        if parts[0] == "cdn":
            return self._file(self.held.commits[parts[1]]["/".join(parts[2:])], "/".join(parts[2:]), body, {})
        if len(parts) > 4 and parts[2] == "resolve":
            return self._resolve(parts[3], "/".join(parts[4:]), body)
        name = path.removeprefix("/folder/")
        if name not in self.held.files:
            return self._send(404, b"no such file", body)
        content = self.held.files[name]
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        return self._file(content, name, body, {"ETag": etag, "Last-Modified": formatdate(0, usegmt=True)})

    def _api(self, parts: list[str], body: bool) -> None:
        # /api/models/OWNER/NAME/(revision|tree)/REVISION
        if len(parts) < 6 or parts[1] != "models":
            return self._send(404, b"{}", body)
        commit = self.held.head if parts[5] == "main" else parts[5]
        if commit not in self.held.commits:
            return self._send(404, b'{"error": "Invalid rev id"}', body, {"X-Error-Code": "RevisionNotFound"})
        files = self.held.commits[commit]
        if parts[4] == "tree":
            told = [
                {"type": "file", "path": name, "size": len(c), "oid": git_oid(c)} | ({"lfs": self._lfs(c)} if name in self.held.large else {})
                for name, c in files.items()
            ]
        else:
            siblings = [
                {"rfilename": name, "size": len(c), "blobId": git_oid(c)}
                | ({"lfs": {"sha256": self._lfs(c)["oid"], "size": len(c), "pointerSize": 134}} if name in self.held.large else {})
                for name, c in files.items()
            ]
            name = "/".join(parts[2:4])
            told = {"id": name, "modelId": name, "sha": commit, "private": False, "tags": [], "downloads": 0, "siblings": siblings}
        return self._send(200, json.dumps(told).encode(), body, {"Content-Type": "application/json"})

    @staticmethod
    def _lfs(content: bytes) -> dict:
        return {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}

    def _resolve(self, revision: str, name: str, body: bool) -> None:
        commit = self.held.head if revision == "main" else revision
        content = self.held.commits.get(commit, {}).get(name)
        if content is None:
            return self._send(404, b"", body, {"X-Error-Code": "EntryNotFound"})
        facts = {"X-Repo-Commit": commit}
        if name not in self.held.large:
            return self._file(content, name, body, facts | {"ETag": f'"{git_oid(content)}"'})
        facts |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"'}
        facts |= {"Location": f"{self.held.elsewhere}/cdn/{commit}/{name}"}
        return self._send(302, b"", body, facts)

    def _file(self, content: bytes, name: str, body: bool, headers: dict[str, str]) -> None:
        asked, start = self.headers.get("Range") if self.held.ranges else None, 0
        if asked and self.headers.get("If-Range") in (None, headers.get("ETag"), headers.get("Last-Modified")):
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            if start >= len(content):
                return self._send(416, b"", body, {"Content-Range": f"bytes */{len(content)}"})
            headers = headers | {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        rest = content[start:]
        if not body:
            return self._send(200, rest, False, headers)
        stops = self.held.stop_after.get(name)
        if not stops and not self.held.gate:
            return self._send(206 if start else 200, rest, True, headers)
        self._head(206 if start else 200, len(rest), headers)
        cut = stops.pop(0) if stops else len(rest) // 2
        self.wfile.write(rest[:cut])
        self.wfile.flush()
        if self.held.gate and not stops:
            self.held.halfway.set()
            self.held.gate.wait(30)
            self.wfile.write(rest[cut:])
        else:
            self.close_connection = True
        return None

    def _send(self, status: int, content: bytes, body: bool, headers: dict[str, str] | None = None) -> None:
        self._head(status, len(content), headers or {})
        if body:
            self.wfile.write(content)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(length), "Accept-Ranges": "bytes"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
