"""Batches of clips of like length, halved when memory runs out: what every engine around a real model needs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from workbench.errors import EngineError

T = TypeVar("T")
R = TypeVar("R")


def length_buckets(lengths: Sequence[float], *, most_items: int, most_length: float | None = None) -> list[list[int]]:
    """Indices grouped so that clips of like length share a batch and little is padding.

    Args:
        lengths: of each clip, in any unit.
        most_items: clips in a batch at most.
        most_length: padded length of a batch (its longest clip times its clips) at most; one clip alone may exceed it.

    Returns:
        Batches of indices into ``lengths``, longest first, so that memory runs out at the start or not at all.

    Raises:
        EngineError: ``most_items`` is less than 1.
    """
    if most_items < 1:
        raise EngineError("no batch can hold a clip", where="batching", got=most_items, expected="1 or more clips in a batch")
    buckets: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda k: (-lengths[k], k)):
        last = buckets[-1] if buckets else None
        if last and len(last) < most_items and (most_length is None or lengths[last[0]] * (len(last) + 1) <= most_length):
            last.append(index)
        else:
            buckets.append([index])
    return buckets


def in_batches(
    items: Sequence[T],
    call: Callable[[list[T]], Sequence[R]],
    *,
    lengths: Sequence[float],
    most_items: int,
    most_length: float | None = None,
    halved: Callable[[int], None] | None = None,
) -> list[R]:
    """``call`` over length-bucketed batches; results in the order of ``items``.

    A batch that runs out of memory is tried again in two halves; the size that fitted holds for what follows.

    Args:
        call: gives one result per item of its batch.
        halved: told the new batch size each time one did not fit.

    Raises:
        EngineError: ``call`` gave another number of results than it got items, or there is not one length per item.
        Exception: what ``call`` raised; out of memory only when a single clip does not fit.
    """
    if len(lengths) != len(items):
        raise EngineError("not one length per clip", where="batching", got=len(lengths), expected=len(items))
    results: list[R | None] = [None] * len(items)
    waiting = length_buckets(lengths, most_items=most_items, most_length=most_length)[::-1]
    fits = most_items
    while waiting:
        bucket = waiting.pop()
        if len(bucket) > fits:
            waiting.append(bucket[fits:])
            bucket = bucket[:fits]
        out, ran_out = (), False
        try:
            out = call([items[index] for index in bucket])
        except Exception as error:
            if len(bucket) == 1 or not is_out_of_memory(error):
                raise
            ran_out = True
        if ran_out:
            # Only here, outside the handler, is the error gone and with it every tensor that its traceback held.
            fits = len(bucket) // 2
            _free_cached()
            if halved is not None:
                halved(fits)
            waiting.append(bucket)
            continue
        if len(out) != len(bucket):
            raise EngineError("batch call lost clips", where="batching", got=len(out), expected=len(bucket))
        for index, result in zip(bucket, out, strict=True):
            results[index] = result
    return results


#: What runtimes write when they ran out of memory but raise no error type of its own (torch before 1.13, CTranslate2, ONNX Runtime, cuDNN, cuBLAS).
_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate memory",
    "bad allocation",
    "std::bad_alloc",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out: Python's, torch's on any device, CTranslate2's or ONNX Runtime's, also as the cause of another one."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, MemoryError) or type(current).__name__ == "OutOfMemoryError":
            return True
        text = str(current).lower()
        if _is_runtime_fault(current) and any(mark in text for mark in _OUT_OF_MEMORY):
            return True
        current = current.__cause__
    return False


def _is_runtime_fault(error: BaseException) -> bool:
    # ONNX Runtime's errors are plain exceptions; a text that only speaks of memory (a transcript in a ValueError) must not halve a batch.
    return isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime.")


def _free_cached() -> None:
    """Give back what the failed batch held: its tensors hang in reference cycles of the traceback, and torch keeps freed blocks for itself."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
