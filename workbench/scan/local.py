"""The local runner: worker processes on this machine, memory bounded by what is in flight, a dead worker survived."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

#: Batches handed to each worker ahead of time: enough to keep it busy, few enough to bound memory.
AHEAD = 2
_worker: Any = None


def _start(make_worker: Callable[..., Any], arguments: dict[str, Any]) -> None:
    global _worker
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _worker = make_worker(**arguments)


def _leave_with_parent() -> None:
    # A killed parent cannot tell its workers; without this they would wait for work for ever.
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _process(batch: Sequence[Any]) -> Any:
    return _worker.process(batch)


def run_local(
    batches: Iterable[list[Item]],
    *,
    make_worker: Callable[..., Any],
    arguments: dict[str, Any],
    workers: int,
    on_death: Callable[[Item], Outcome],
) -> Iterator[Outcome]:
    """Outcomes of ``make_worker(**arguments).process(batch)`` as they come.

    One worker runs in this process. With several, a worker that dies (out of memory, a crash inside a library) loses nothing: what was in flight is tried again one item
    at a time, and an item that kills a worker twice is handed to ``on_death``.
    """
    if workers == 1:
        worker = make_worker(**arguments)
        try:
            for batch in batches:
                yield worker.process(batch)
        finally:
            worker.close()
        return
    source = iter(batches)
    while True:
        stranded: list[list[Item]] = []
        yield from _one_pool(source, stranded, make_worker, arguments, workers)
        if not stranded:
            return
        for batch in stranded:
            for item in batch:
                yield _alone(item, make_worker, arguments, on_death)


def _one_pool(source: Iterator[list[Item]], stranded: list[list[Item]], make_worker: Callable, arguments: dict, workers: int) -> Iterator[Outcome]:
    """Run until the source is empty, or until a worker dies: then ``stranded`` holds what was in flight."""
    pool = _pool(workers, make_worker, arguments)
    flying: dict[Future, list[Item]] = {}
    try:
        exhausted = False
        while flying or not exhausted:
            while not exhausted and not stranded and len(flying) < workers * AHEAD:
                batch = next(source, None)
                if batch is None:
                    exhausted = True
                else:
                    try:
                        flying[pool.submit(_process, batch)] = batch
                    except BrokenProcessPool:
                        stranded.append(batch)
            if stranded and not flying:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                batch = flying.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    stranded.append(batch)
                else:
                    yield future.result()
            if stranded and not flying:
                return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(item: Item, make_worker: Callable, arguments: dict, on_death: Callable[[Item], Outcome]) -> Outcome:
    try:
        with _pool(1, make_worker, arguments) as pool:
            return pool.submit(_process, [item]).result()
    except BrokenProcessPool:
        return on_death(item)


def _pool(workers: int, make_worker: Callable, arguments: dict) -> ProcessPoolExecutor:
    # Spawned, not forked: a notebook's kernel has threads, and a fork would copy their locks. One thread per library, as the workers share the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(make_worker, arguments))
