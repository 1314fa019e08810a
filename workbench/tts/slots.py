"""Who may call a server now: one slot per request that it bears at once, held across threads and processes.

A Kokoro server computes one request at a time and breaks on two. Worker processes know nothing of each other, so a slot is a lock file.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from workbench.errors import EngineError

POLL_SEC = 0.01


@dataclass(frozen=True, slots=True)
class Slot:
    """Place number ``index`` at the server behind ``url``."""

    url: str
    index: int

    @property
    def file(self) -> Path:
        return lock_folder() / f"{hashlib.sha256(f'{server_of(self.url)}#{self.index}'.encode()).hexdigest()[:24]}.lock"


def server_of(url: str) -> str:
    """Host and port: the same server under any of its spellings."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "loopback" if host in ("localhost", "127.0.0.1", "::1") else host
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def lock_folder() -> Path:
    """A folder of this user's for lock files."""
    folder = platformdirs.user_cache_path("workbench") / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Slots:
    """The slots of one engine, handed out in turn."""

    def __init__(self, urls: Sequence[str], *, each: int = 1) -> None:
        self._slots = [Slot(url, index) for index in range(each) for url in urls]
        self._turn, self._lock = 0, threading.Lock()

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slot.url for slot in self._slots))

    def __len__(self) -> int:
        return len(self._slots)

    @contextmanager
    def one(self, *, engine: str, wait_sec: float, avoid: Collection[str] = ()) -> Iterator[Slot]:
        """A slot for as long as the block runs.

        Args:
            avoid: servers to leave out (they have failed), unless that leaves none.

        Raises:
            EngineError: none became free in time.
        """
        from filelock import FileLock, Timeout

        deadline = time.monotonic() + wait_sec
        while True:
            for slot in self._in_turn(avoid):
                if _rests(slot):
                    continue
                lock = FileLock(slot.file, timeout=0, thread_local=False)
                try:
                    lock.acquire()
                except Timeout:
                    continue
                try:
                    yield slot
                finally:
                    lock.release()
                return
            if time.monotonic() > deadline:
                raise EngineError(
                    "no server became free", where=engine, got=f"{wait_sec:g} s of waiting for {len(self._slots)} slots", mend="more instances, or a longer time-out"
                )
            time.sleep(POLL_SEC)

    def rest(self, slot: Slot, sec: float) -> None:
        """Leave a server alone for a while: it may still be at work on a request that we gave up."""
        slot.file.with_suffix(".rest").write_text(f"{time.time() + sec}")

    def _in_turn(self, avoid: Collection[str]) -> list[Slot]:
        with self._lock:
            self._turn += 1
            turn = self._turn % len(self._slots)
        turned = self._slots[turn:] + self._slots[:turn]
        return [slot for slot in turned if slot.url not in avoid] or turned


def _rests(slot: Slot) -> bool:
    path = slot.file.with_suffix(".rest")
    with suppress(OSError, ValueError):
        if float(path.read_text()) > time.time():
            return True
        path.unlink(missing_ok=True)
    return False
