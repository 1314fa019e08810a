"""Engines that work in another environment, seen from ours: the same protocols, a worker process behind them."""

from __future__ import annotations

import itertools
import math
import os
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, WorkbenchError
from workbench.isolated.child.wire import WireError
from workbench.isolated.process import ChildDied, ChildHung, ChildProcess
from workbench.isolated.spec import EnvironmentSpec, environment, environments_folder

#: Logs of earlier children that are kept per engine.
LOGS_KEPT = 20
_count = itertools.count()


class OutOfMemoryError(EngineError):
    """The other side ran out of memory: ``workbench.batching`` knows the name and halves the batch."""


class IsolatedEngine:
    """What the three kinds share: the child's life, its options and its identity.

    A subclass states ``name`` and ``environment`` (the name of an ``EnvironmentSpec``), and in ``takes`` its options with their defaults;
    they go to the child's constructor and into the identity.

    Args:
        python: an interpreter of the user's own in place of the installed environment.
        timeout_sec: a call that takes longer is ended with its child; the batch fails and the next call starts a new child.
        load_timeout_sec: the same for starting and loading.
        threads: threads of the child's numeric libraries, 0 for as many as they like.
        options: those named in ``takes``.
    """

    name = ""
    environment = ""
    takes: dict[str, Any] = {}

    def __init__(
        self, *, python: str | None = None, timeout_sec: float = 600.0, load_timeout_sec: float = 900.0, threads: int = 1, **options: Any
    ) -> None:
        if unknown := sorted(set(options) - set(self.takes)):
            raise ConfigError(
                f"{self.name} does not take {', '.join(unknown)}", expected=f"options among {', '.join(sorted(self.takes)) or 'none'}"
            )
        for label, value in (("timeout_sec", timeout_sec), ("load_timeout_sec", load_timeout_sec)):
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ConfigError(f"{label} of {self.name} must be a positive number of seconds", got=value)
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise ConfigError(f"threads of {self.name} must be a whole number", got=threads, expected="0 (as many as they like) or more")
        self.python, self.timeout_sec, self.load_timeout_sec, self.threads = python, timeout_sec, load_timeout_sec, threads
        self.options = {**self.takes, **options}
        self._device: str | None = None
        self._child: ChildProcess | None = None
        self._pid, self._said = 0, ""
        self._lock = threading.Lock()

    def load(self, device: str = "cpu") -> None:
        """Start the child and let it load.

        Raises:
            EngineUnavailableError: the environment is not installed; names the command that does it.
            EngineError: the child cannot load; carries the type, the message and the last lines it printed.
        """
        with self._lock:
            if self._device not in (None, device):
                self._drop()
            self._device = device
            try:
                self._twice(lambda child: None, what="load")
            except BaseException:
                self._device = None
                raise

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._device = None
            child, self._child = self._child, None
            if child is not None and self._pid == os.getpid():
                child.close()

    def identity(self) -> dict[str, object]:
        """What a stored result depends on; starts nothing."""
        spec = self._spec()
        where = f"python {self.python}" if self.python else spec.fingerprint()
        return {"engine": self.name, "environment": f"{spec.name} {where}", "child": spec.child_sha256(), **self.options}

    @property
    def child_pid(self) -> int | None:
        """Process number of the running child."""
        return self._child.pid if self._child is not None else None

    def child_options(self) -> dict[str, Any]:
        """Options as the child's constructor gets them; a subclass may resolve paths here."""
        return self.options

    def _spec(self) -> EnvironmentSpec:
        return environment(self.environment)

    def _ask(self, call: str, items: Sequence[Any]) -> list[dict[str, Any]]:
        """One batch: per item ``{"value": ...}`` or ``{"failure": {"type", "message"}}``."""
        if not items:
            return []
        replies = self._request(call, {"items": list(items)})
        if not isinstance(replies, list) or len(replies) != len(items):
            got = len(replies) if isinstance(replies, list) else type(replies).__name__
            raise EngineError("the child's batch call lost items", where=self.name, got=got, expected=len(items))
        return replies

    def _request(self, call: str, args: dict[str, Any]) -> Any:
        with self._lock:
            if self._device is None:
                raise EngineError("engine is not loaded", where=self.name, mend="call load() first")
            return self._twice(lambda child: self._value(child, child.call(call, args, timeout_sec=self.timeout_sec)), what=call)

    def _twice(self, work: Any, *, what: str) -> Any:
        """``work`` on a living child; after a death once more on a new one. A hang is not tried again: it would hang again, for as long."""
        for last in (False, True):
            child = None
            try:
                child = self._living()
                return work(child)
            except ChildHung:
                self._drop()
                limit = self.load_timeout_sec if child is None else self.timeout_sec
                raise EngineError(
                    f"{self.name} did not answer within {limit:g} s",
                    where=what,
                    got=self._said,
                    mend="give it a longer timeout_sec or smaller batches",
                ) from None
            except ChildDied as death:
                self._drop()
                if last:
                    raise EngineError(
                        f"the worker process of {self.name} died twice on the same call: {death}", where=what, got=self._said
                    ) from None
            except WireError as error:
                raise EngineError(f"a request of {self.name} cannot cross: {error}", where=what) from error
            except WorkbenchError:
                raise
            except BaseException:
                # An interrupt, no memory for the answer: the answer, or its rest, would come in place of the next one.
                self._drop()
                raise
        raise AssertionError("unreachable")

    def _living(self) -> ChildProcess:
        if self._child is not None and self._pid != os.getpid():
            self._child.forget()  # we were forked off: the child belongs to the other process
            self._child = None
        if self._child is None:
            spec = self._spec()
            self._said = ""
            interpreter = self._interpreter(spec)
            try:
                self._child = ChildProcess(interpreter, log=_new_log(self.name), threads=self.threads, variables=spec.variables)
            except OSError as error:
                raise EngineUnavailableError(f"the interpreter of {self.name} does not start: {error}", where=interpreter) from error
            self._pid = os.getpid()
            weakref.finalize(self._child, _end, self._child._process, os.getpid())
            try:
                start = {"child": spec.child, "paths": [str(path) for path in spec.paths], "options": self.child_options()}
                for call, args in (("start", start), ("load", {"device": self._device})):
                    self._value(self._child, self._child.call(call, args, timeout_sec=self.load_timeout_sec))
            except BaseException:
                # Whatever it was: a child that was not started whole must not be taken for a living one.
                self._drop()
                raise
        return self._child

    def _interpreter(self, spec: EnvironmentSpec) -> str:
        if self.python:
            return self.python
        if not spec.is_installed():
            mend = f"workbench engines install {spec.name}"
            raise EngineUnavailableError(
                f"{self.name} runs in the environment {spec.name!r}, which is not installed", where=spec.folder(), mend=mend
            )
        return str(spec.interpreter())

    def _value(self, child: ChildProcess, reply: dict[str, Any]) -> Any:
        if "error" in reply:
            raise their_error(reply["error"], engine=self.name, said=child.log_tail())
        return reply["value"]

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            self._said = child.log_tail() or "it printed nothing"


def their_error(told: dict[str, str], *, engine: str, said: str = "") -> WorkbenchError:
    """An error of the other side as one of our family, with its type and message."""
    name = told["type"]
    family = getattr(errors, name, None)
    if isinstance(family, type) and issubclass(family, WorkbenchError):
        kind: type[WorkbenchError] = family
    elif name in ("MemoryError", "OutOfMemoryError") or (name == "RuntimeError" and "out of memory" in told["message"].lower()):
        kind = OutOfMemoryError
    else:
        kind = EngineError
    return kind(
        f"{name} in the other environment: {told['message']}",
        where=" ".join(filter(None, (engine, told.get("line")))),
        got=said[-300:] or None,
    )


def _new_log(engine: str) -> Path:
    """A new file for what a child prints; the oldest of the same engine go."""
    folder = environments_folder() / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob(f"{engine}-*.log"), key=lambda path: path.stat().st_mtime)[:-LOGS_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    return folder / f"{engine}-{os.getpid()}-{next(_count)}.log"


def _end(process: Any, owner: int) -> None:
    if os.getpid() == owner and process.poll() is None:
        process.kill()
