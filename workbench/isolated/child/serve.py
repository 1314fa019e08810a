"""The worker process of an isolated engine: reads requests from its standard input, answers on what was its standard output.

Run by path (``python -I serve.py PARENT_PID``) with the interpreter of the other environment.
"""

import collections
import importlib
import os
import queue
import select
import signal
import sys
import threading
import time
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)
import wire  # noqa: E402  found through the line above

# Behind the environment's own packages from here on, so that no file of ours hides one of theirs.
sys.path.remove(_HERE)
sys.path.append(_HERE)

#: What an engine's worker is given of a clip: ``samples`` (T,) float32 and their rate.
Clip = collections.namedtuple("Clip", "samples sample_rate_hz")
CALLS = ("load", "score", "transcribe", "speak", "voices", "identity")


def main(parent):
    """Serve until the parent closes the pipe, says close, or is gone."""
    _watch(parent)
    requests, replies = _private_pipes()
    inbox = queue.Queue()
    threading.Thread(target=_read_all, args=(requests, inbox), daemon=True).start()
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    engine = None
    while True:
        message = inbox.get()
        if message["call"] == "close":
            _close(engine)
            _send(replies, {"value": None})
            return
        try:
            if message["call"] == "start":
                engine, value = _start(**message["args"]), {"python": sys.version.split()[0]}
            else:
                value = _answer(engine, message["call"], message["args"])
            reply = wire.encode({"value": value})
        except BaseException as error:  # noqa: BLE001  whatever it is, the parent is owed an answer
            traceback.print_exc()
            reply = wire.encode({"error": _described(error)})
        sys.stderr.flush()
        sys.stdout.flush()
        _write(replies, reply)


def _watch(parent):
    # No thread of ours runs while a library holds Python's lock: a process beside us ends our group once the parent is gone, or we are.
    us = os.getpid()
    if os.fork():
        return
    try:
        os.close(1)
        hung_up = select.poll()
        hung_up.register(0, 0)
        while os.getppid() == us and not hung_up.poll(1000):
            os.kill(parent, 0)
    finally:
        if os.getpgrp() == us:
            os.killpg(us, signal.SIGKILL)
        os._exit(0)


def _private_pipes():
    # Libraries print: what they write to standard output, from Python or from C, goes to standard error, and what they read is empty.
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _read_all(requests, inbox):
    def read_into(buffer):
        while len(buffer):
            count = os.readv(requests, [buffer])
            if not count:
                raise EOFError
            buffer = buffer[count:]

    try:
        while True:
            inbox.put(wire.decode(read_into))
    except BaseException:  # noqa: BLE001  the parent is gone or speaks no longer: there is nobody to work for
        os._exit(0)


def _leave_with(parent):
    # Another process may hold the pipe open after the parent was killed; whose child we are cannot be held open.
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def _write(replies, buffers):
    for buffer in buffers:
        buffer = memoryview(buffer)
        while len(buffer):
            buffer = buffer[os.write(replies, buffer) :]


def _send(replies, value):
    _write(replies, wire.encode(value))


def _start(child, paths, options):
    sys.path.extend(path for path in paths if path not in sys.path)
    module, _, name = child.partition(":")
    return getattr(importlib.import_module(module), name)(**options)


def _answer(engine, call, args):
    if call not in CALLS:
        raise ValueError("unknown call {!r}".format(call))
    if call == "load":
        return engine.load(args["device"])
    if call in ("voices", "identity"):
        return getattr(engine, call)()
    items = [_item(item) for item in args["items"]]
    return [{"failure": _described(out)} if isinstance(out, Exception) else {"value": _plain(out)} for out in getattr(engine, call)(items)]


def _item(item):
    """A clip as ``Clip``, also where it is a field of a request."""
    if isinstance(item, dict) and set(item) == {"samples", "sample_rate_hz"}:
        return Clip(item["samples"], item["sample_rate_hz"])
    return {key: _item(value) for key, value in item.items()} if isinstance(item, dict) else item


def _plain(out):
    return {"samples": out.samples, "sample_rate_hz": out.sample_rate_hz} if isinstance(out, Clip) else out


def _described(error):
    where = traceback.extract_tb(error.__traceback__)
    line = "{}:{}".format(os.path.basename(where[-1].filename), where[-1].lineno) if where else ""
    return {"type": type(error).__name__, "message": str(error)[:2000] or repr(error)[:2000], "line": line}


def _close(engine):
    try:
        if engine is not None and hasattr(engine, "close"):
            engine.close()
    except Exception:  # noqa: BLE001  it ends anyway
        traceback.print_exc()


if __name__ == "__main__":
    main(int(sys.argv[1]))
    # Threads and atexit hooks of libraries have hung interpreters at their end; nothing of ours is left to save.
    sys.stderr.flush()
    os._exit(0)
