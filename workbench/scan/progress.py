"""Progress of long work as plain lines: every N items or 30 seconds, fit for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def print_line(text: str) -> None:
    """Print at once: a batch run's log is read while it grows."""
    print(text, file=sys.stdout, flush=True)


class Progress:
    """Counts items and says so now and then."""

    def __init__(self, label: str, *, total: int | None, every: int = 50, every_sec: float = 30.0, say: Callable[[str], None] = print_line) -> None:
        self.label, self.total, self.every, self.every_sec, self.say = label, total, every, every_sec, say
        self.done = self.failed = self.computed = 0
        self.audio_sec = 0.0
        self._started = self._said_at = time.monotonic()
        self._said_done = 0

    def add(self, count: int, *, failed: int = 0, computed: int = 0, audio_sec: float = 0.0) -> None:
        self.done += count
        self.failed += failed
        self.computed += computed
        self.audio_sec += audio_sec
        now = time.monotonic()
        if self.done - self._said_done >= self.every or now - self._said_at >= self.every_sec:
            self._said_at, self._said_done = now, self.done
            self.say(self._line(now))

    def _line(self, now: float) -> str:
        elapsed = max(now - self._started, 1e-9)
        of_total = f"/{self.total} ({100 * self.done / self.total:.0f}%)" if self.total else ""
        line = f"{self.label}: {self.done}{of_total} clips, {elapsed:.0f} s"
        if self.audio_sec:
            line += f", {self.audio_sec / elapsed:.1f}x realtime"
        if self.total and self.done and self.done < self.total:
            line += f", {elapsed / self.done * (self.total - self.done):.0f} s to go"
        return line + (f", {self.failed} with failures" if self.failed else "")

    def finish(self) -> None:
        self.say(f"{self._line(time.monotonic())}; computed {self.computed}, found in store {self.done - self.computed}")
