"""One worker process, seen from its runner, and what runs inside it."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from workbench.scan.calls import PipeGate

#: A worker that has nothing more to do may take so long to close its engines.
CLOSE_SEC = 20.0


@dataclass(frozen=True, slots=True)
class Order:
    """A batch to compute, and what earlier tries of it came to; sent while the one before is still being computed, so that it can be read meanwhile."""

    batch: Any
    earlier: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says to a call."""

    call: Any


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker is made and waits for its first batch."""


@dataclass(frozen=True, slots=True)
class Done:
    """A batch is done."""

    outcome: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """``process`` raised, or the worker could not be made: the run cannot go on."""

    error: Exception
    traceback: str


class Member:
    """A worker process and the pipe to it. It leads a process group of its own, so that ending it ends the programs that its engines run."""

    def __init__(self, make_worker: Callable[..., Any], arguments: dict[str, Any], *, gated: bool) -> None:
        # Spawned, not forked: a notebook's kernel has threads, and a fork would copy their locks.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make_worker, arguments, gated))
        self._process.start()
        theirs.close()

    @property
    def sentinel(self) -> int:
        return self._process.sentinel

    def send(self, message: Any) -> bool:
        """Whether the worker was there to take it; it always listens, so this never blocks for long."""
        try:
            self.pipe.send(message)
        except OSError:
            return False
        return True

    def poll(self) -> bool:
        return self.pipe.poll()

    def receive(self) -> Any:
        """The next message; raises ``EOFError`` or ``OSError`` when the worker is dead and has said all."""
        if not self.pipe.poll() and not self._process.is_alive() and not self.pipe.poll():
            raise EOFError
        return self.pipe.recv()

    def close(self) -> None:
        """Let an idle worker close its engines and leave; one that does not is ended."""
        self.send(None)
        self._process.join(CLOSE_SEC)
        self.kill()

    def kill(self) -> int | None:
        """End the process and its group at once; its exit code."""
        if self._process.pid is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (AttributeError, ProcessLookupError, PermissionError):
                self._process.kill()
        self._process.join()
        self.pipe.close()
        return self._process.exitcode


def _serve(pipe: Connection, make_worker: Callable[..., Any], arguments: dict[str, Any], gated: bool) -> None:
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    inbox = _Inbox(pipe)
    try:
        worker = make_worker(**arguments, **({"gate": PipeGate(pipe, inbox.answers)} if gated else {}))
        inbox.start(getattr(worker, "open", None))
        pipe.send(Ready())
        while (task := inbox.next_task()) is not None:
            batch, earlier = task
            pipe.send(Done(worker.process(batch, earlier) if gated else worker.process(batch)))
        worker.close()
    except Exception as error:  # noqa: BLE001 - raised again where the run is
        # Without a runner at the other end there is nobody left to tell.
        with contextlib.suppress(OSError):
            pipe.send(Failed(sendable(error), "".join(traceback.format_exception(error))))


class _Inbox:
    """What the runner sends: answers for the gate, and batches, of which the next is opened while one is computed."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.answers: SimpleQueue[Any] = SimpleQueue()
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._opened: SimpleQueue[tuple[Any, Any, Exception | None] | None] = SimpleQueue()

    def start(self, opener: Callable[[Any], Any] | None) -> None:
        for target in (self._listen, partial(self._open, opener)):
            threading.Thread(target=target, daemon=True).start()

    def next_task(self) -> tuple[Any, Any] | None:
        """The next batch, opened, with what earlier tries of it came to; None when there is no more."""
        if (task := self._opened.get()) is None:
            return None
        batch, earlier, error = task
        if error is not None:
            raise error
        return batch, earlier

    def _listen(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                message = None
            except Exception as error:  # noqa: BLE001 - a batch that cannot be read back is the run's end, not this thread's
                self._opened.put((None, None, error))
                return
            if isinstance(message, Answer):
                self.answers.put(message.call)
                continue
            self._orders.put(message)
            if message is None:
                return

    def _open(self, opener: Callable[[Any], Any] | None) -> None:
        while (order := self._orders.get()) is not None:
            batch, error = order.batch, None
            if opener is not None:
                try:
                    batch = opener(batch)
                except Exception as raised:  # noqa: BLE001 - raised again where the batch is due
                    error = raised
            self._opened.put((batch, order.earlier, error))
        self._opened.put(None)


def sendable(error: Exception) -> Exception:
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - an error that cannot cross the border still has to be told
        return RuntimeError(f"{type(error).__name__}: {error}")


def _leave_with_parent() -> None:
    # A killed parent cannot tell its workers; without this they would wait for work for ever.
    parent = parent_process()
    if parent is not None:
        parent.join()
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)
