"""Real HTTP servers on loopback that keep the documented interfaces of speech services, and can misbehave as real ones do."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

RATE_HZ = 24000


def tone(sec: float = 0.3, rate_hz: int = RATE_HZ) -> np.ndarray:
    """16-bit samples of a tone."""
    return (8000 * np.sin(2 * np.pi * 220 * np.arange(int(sec * rate_hz)) / rate_hz)).astype("<i2")


def wav_bytes(samples: np.ndarray, rate_hz: int = RATE_HZ) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples.tobytes())
    return content.getvalue()


class Reply:
    """What a server answers: status, headers, body; ``cut`` closes the connection after that many bytes of the promised body; ``sec`` is how long
    it computes, ``drip_sec`` the pause after each of a hundred parts of the body."""

    def __init__(self, body: bytes = b"", status: int = 200, kind: str = "audio/wav", *, headers: dict[str, str] | None = None, cut: int | None = None, sec: float = 0.0, drip_sec: float = 0.0) -> None:
        self.body, self.status, self.kind, self.headers, self.cut, self.sec, self.drip_sec = body, status, kind, headers or {}, cut, sec, drip_sec


class Served:
    """A running server: its address and what it saw. ``answer(path, body, headers)`` gives a ``Reply`` per request."""

    def __init__(self, answer: Callable[[str, dict, dict], Reply]) -> None:
        self.answer = answer
        self.seen: list[tuple[str, dict, dict]] = []
        self.at_work = self.most_at_work = 0
        self._lock = threading.Lock()
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with served._lock:
                    served.at_work += 1
                    served.most_at_work = max(served.most_at_work, served.at_work)
                    served.seen.append((self.path, body, {k.lower(): v for k, v in self.headers.items()}))
                    overlaps = served.at_work > 1
                reply = served.answer(self.path, body, {"overlaps": overlaps, **{k.lower(): v for k, v in self.headers.items()}})
                time.sleep(reply.sec)
                with served._lock:
                    served.at_work -= 1
                try:
                    self.send_response(reply.status)
                    self.send_header("content-type", reply.kind)
                    self.send_header("content-length", str(len(reply.body)))
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    body = reply.body if reply.cut is None else reply.body[: reply.cut]
                    part = max(1, len(body) // 100) if reply.drip_sec else len(body) or 1
                    for start in range(0, len(body), part):
                        self.wfile.write(body[start : start + part])
                        self.wfile.flush()
                        time.sleep(reply.drip_sec)
                except OSError:
                    self.close_connection = True
                if reply.cut is not None:
                    self.close_connection = True

            def log_message(self, *_arguments) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(answer: Callable[[str, dict, dict], Reply]) -> Iterator[Served]:
    server = Served(answer)
    try:
        yield server
    finally:
        server.close()


def openai_answer(path: str, body: dict, _headers: dict) -> Reply:
    """``POST /v1/audio/speech``: a tone that is the longer the more text, in the format asked for."""
    import soundfile

    assert path == "/v1/audio/speech" and {"model", "input", "voice"} <= set(body), (path, body)
    samples = tone(0.2 + 0.01 * len(body["input"]) / body.get("speed", 1.0))
    form = body.get("response_format", "mp3")
    if form == "pcm":
        return Reply(samples.tobytes(), kind="audio/pcm")
    content = io.BytesIO()
    soundfile.write(content, samples, RATE_HZ, format=form.upper())
    return Reply(content.getvalue(), kind=f"audio/{form}")


def gemini_answer(path: str, body: dict, headers: dict) -> Reply:
    """``models/MODEL:generateContent`` with audio out."""
    if not headers.get("x-goog-api-key"):
        return Reply(b'{"error": {"code": 403, "message": "no key"}}', 403, "application/json")
    voice = body["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"]
    assert path.startswith("/v1beta/models/") and path.endswith(":generateContent") and body["generationConfig"]["responseModalities"] == ["AUDIO"] and voice
    data = base64.b64encode(tone().tobytes()).decode()
    parts = [{"inlineData": {"mimeType": f"audio/L16;codec=pcm;rate={RATE_HZ}", "data": data}}]
    return Reply(json.dumps({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]}).encode(), kind="application/json")


def inworld_answer(path: str, body: dict, headers: dict) -> Reply:
    """``POST /tts/v1/voice``: base64 wav and the times of the words."""
    if not headers.get("authorization", "").startswith("Basic "):
        return Reply(b'{"code": 16, "message": "Unauthenticated"}', 401, "application/json")
    assert path == "/tts/v1/voice" and {"text", "voiceId", "modelId", "audioConfig"} <= set(body)
    words = body["text"].split()
    rate_hz = body["audioConfig"]["sampleRateHertz"]
    sound = wav_bytes(tone(0.1 * len(words) / body["audioConfig"].get("speakingRate", 1.0), rate_hz), rate_hz)
    times = {"words": words, "wordStartTimeSeconds": [0.1 * k for k in range(len(words))], "wordEndTimeSeconds": [0.1 * (k + 1) for k in range(len(words))]}
    info = {"wordAlignment": times} if body.get("timestampType") == "WORD" else None
    return Reply(json.dumps({"audioContent": base64.b64encode(sound).decode(), "timestampInfo": info}).encode(), kind="application/json")


class CountingSocket:
    """A plain TCP server that counts connections and bytes: what reaches the wire at all, whatever the protocol."""

    def __init__(self) -> None:
        self.connections = self.bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(0.5)
                try:
                    while got := connection.recv(65536):
                        self.bytes += len(got)
                except OSError:
                    pass

    def close(self) -> None:
        self._listener.close()
