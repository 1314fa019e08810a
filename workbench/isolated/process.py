"""One life of a worker process in another environment: start, calls with a time limit, the end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.isolated.child import wire

SERVE = Path(wire.__file__).with_name("serve.py")
#: What a child sees of our environment; nothing else crosses, so neither our packages nor anybody's keys do.
VARIABLES = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "PYTORCH_CUDA_ALLOC_CONF",
    "HF_HOME", "HF_HUB_CACHE", "TORCH_HOME", "WORKBENCH_WEIGHTS", "WORKBENCH_OFFLINE",
)  # fmt: skip
#: Nothing is downloaded behind the user's back.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LOG_BYTES, LOG_KEPT_BYTES = 1 << 20, 1 << 18
TAIL_LINES = 15
#: How often a waiting parent looks after the child's health and the size of what it printed.
_LOOK_SEC = 0.5
_PIPE_BYTES = 1 << 20


class ChildDied(Exception):
    """The child ended in the middle of a call; the message says how."""


class ChildHung(Exception):
    """The child did not answer in time."""


class ChildProcess:
    """A child and its two pipes. Not for two threads at once.

    Args:
        interpreter: Python of the other environment.
        log: file that takes what the child and its libraries print, kept under ``LOG_BYTES``.
        threads: threads of its numeric libraries, 0 for as many as they like.
        variables: names of further environment variables to pass on.
    """

    def __init__(self, interpreter: str | Path, *, log: Path, threads: int = 1, variables: Sequence[str] = ()) -> None:
        self.log, self._log, self._ended = log, log.open("a+b"), False
        command = [str(interpreter), "-I", "-u", str(SERVE), str(os.getpid())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=child_environment(threads=threads,
            variables=variables), bufsize=0, start_new_session=True,
        )  # fmt: skip
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._to, self._from):
            os.set_blocking(pipe, False)
            _enlarge(pipe)

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, name: str, args: dict[str, Any], *, timeout_sec: float) -> dict[str, Any]:
        """The child's reply: ``{"value": ...}`` or ``{"error": {"type", "message", "line"}}``.

        Raises:
            ChildDied, ChildHung: then this object is of no more use but for ``log_tail`` and ``kill``.
        """
        until = time.monotonic() + timeout_sec
        buffers = wire.encode({"call": name, "args": args})
        try:
            for buffer in buffers:
                self._write(memoryview(buffer), until)
            return wire.decode(lambda buffer: self._read_into(buffer, until))
        except (EOFError, BrokenPipeError, ConnectionResetError, wire.WireError) as error:
            raise ChildDied(self._how_it_ended(error)) from error

    def log_tail(self, *, lines: int = TAIL_LINES) -> str:
        """The last lines of what the child and its libraries printed."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - 16384))
        said = self._log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(line[:500] for line in said[-lines:])

    def close(self, *, grace_sec: float = 5.0) -> None:
        """Ask it to end, and end it where it does not."""
        if self._process.poll() is None:
            try:
                self.call("close", {}, timeout_sec=grace_sec)
                self._process.wait(grace_sec)
            except (ChildDied, ChildHung, subprocess.TimeoutExpired):
                pass
        self.kill()

    def kill(self) -> None:
        """End the child and whatever it started; safe to call twice."""
        if self._ended:
            return
        # Once only: later the number may be another's.
        self._ended = True
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            stream.close()
        if not self._log.closed and not os.fstat(self._log.fileno()).st_size:
            self.log.unlink(missing_ok=True)

    def forget(self) -> None:
        """Leave the child to another process: the one that started it before this one was forked off."""
        for stream in (self._process.stdin, self._process.stdout, self._log):
            stream.close()
        self._ended = True
        self._process.returncode = 0  # or its finaliser would warn of a child that is not ours

    def _write(self, buffer: memoryview, until: float) -> None:
        buffer = buffer.cast("B")
        while len(buffer):
            self._wait([], [self._to], until)
            try:
                buffer = buffer[os.write(self._to, buffer) :]
            except BlockingIOError:
                continue

    def _read_into(self, buffer: memoryview, until: float) -> None:
        while len(buffer):
            self._wait([self._from], [], until)
            try:
                count = os.readv(self._from, [buffer])
            except BlockingIOError:
                continue
            if not count:
                raise EOFError("it closed its pipe")
            buffer = buffer[count:]

    def _wait(self, readable: list[int], writable: list[int], until: float) -> None:
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise ChildHung
            poll = select.poll()
            for pipe in readable:
                poll.register(pipe, select.POLLIN)
            for pipe in writable:
                poll.register(pipe, select.POLLOUT)
            if poll.poll(min(left, _LOOK_SEC) * 1000):
                return
            self._trim_log()
            # A process that the child left behind may hold the pipe open: then its end shows only here.
            if self._process.poll() is not None:
                raise EOFError("it ended")

    def _trim_log(self) -> None:
        size = os.fstat(self._log.fileno()).st_size
        if size > LOG_BYTES:
            self._log.seek(size - LOG_KEPT_BYTES)
            kept = self._log.read(LOG_KEPT_BYTES)
            self._log.truncate(0)
            self._log.write(kept)
            self._log.flush()

    def _how_it_ended(self, error: Exception) -> str:
        if isinstance(error, wire.WireError):
            return f"it sent what is no message: {error}"
        try:
            code = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def child_environment(*, threads: int, variables: Sequence[str] = ()) -> dict[str, str]:
    """The environment variables of a child: a short list of ours, the number of threads, and no network for model hubs."""
    passed = {name: os.environ[name] for name in (*VARIABLES, *variables) if name in os.environ}
    limits = dict.fromkeys(THREADS, str(threads)) if threads else {}
    return passed | OFFLINE | limits


def _enlarge(pipe: int) -> None:
    import fcntl

    try:
        # Fewer turns of the scheduler per batch; the kernel may refuse an unprivileged user who has many pipes.
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (OSError, AttributeError):
        pass
