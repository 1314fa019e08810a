"""What must hold of an engine wherever it runs, checked by ``gpu_stages.py``; this file is no benchmark of its own.

``alone_and_together``: eight clips of different length heard alone and within a batch of 32, by the engine's default numbers, in float32 and in float32 with TF32 forbidden
in convolutions. ``cpu_and_cuda``: two clips by the CPU and by the GPU, float32. ``out_of_memory``: far more clips in one batch than fit; the batch is halved until they do.
Differences are the largest of any score, log-probability (of those above -10) or confidence; ``texts_equal`` is the share of clips with the same words or phones. What
Parakeet writes is given (``full_size.pace``), so there the confidences are the check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from full_size import PRODUCTION, pace, speech_like

from workbench import batching
from workbench.audio import Audio

ALONE, TOGETHER = 8, 32
_LEAST_LOG_PROB = -10.0
#: Clips of 20 s in the batch that is too large, and what the GPU may use beyond what it holds before.
TOO_MANY, TOO_LONG_SEC, ROOM_BYTES = 256, 20.0, 4 * 2**30


def alone_and_together(stage: str, engine: Any, options: dict[str, Any], device: str) -> dict[str, Any]:
    import torch
    from gpu_stages import loaded

    clips = _clips(stage, TOGETHER if device != "cpu" else 4)
    found = {"default": _compared(stage, engine, clips)}
    if device == "cpu" or PRODUCTION[stage].kind == "judge":
        return found
    engine.close()
    torch.cuda.empty_cache()
    exact = loaded(stage, options, f"{device}:0", dtype="float32")
    found["float32"] = _compared(stage, exact, clips)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        found["float32_no_tf32"] = _compared(stage, exact, clips)
    exact.close()
    torch.cuda.empty_cache()
    engine.load(device)
    pace(stage, engine)
    return found


def cpu_and_cuda(stage: str, engine: Any, options: dict[str, Any], device: str) -> dict[str, Any] | str:
    import torch
    from gpu_stages import listen, loaded

    if device == "cpu" or stage == "qwen3-asr":
        return "left out"
    more = {} if PRODUCTION[stage].kind == "judge" else {"dtype": "float32"}
    clips, answers = _clips(stage, 2), {}
    torch.set_num_threads(8)
    for place in ("cpu", device):
        one = loaded(stage, options, place, **more)
        answers[place] = listen(stage, one, clips)
        one.close()
    return _differences(answers["cpu"], answers[device])


def out_of_memory(stage: str, engine: Any, options: dict[str, Any], device: str) -> dict[str, Any] | str:
    """A limit set through torch stands in for a small card; ONNX Runtime keeps memory of its own and is not limited by it."""
    import torch
    from gpu_stages import lift_limits, listen

    if device == "cpu" or stage == "scoreq":
        return "left out"
    torch.cuda.empty_cache()
    before, total = torch.cuda.memory_allocated(), torch.cuda.mem_get_info()[1]
    clips = [speech_like(TOO_LONG_SEC, seed=k, rate_hz=PRODUCTION[stage].rate_hz) for k in range(8)] * (TOO_MANY // 8)
    lift_limits(stage, engine, TOO_MANY)
    torch.cuda.set_per_process_memory_fraction(min(1.0, (before + ROOM_BYTES) / total))
    try:
        with _counted_halvings() as halved:
            answers = listen(stage, engine, clips)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    lift_limits(stage, engine, 4)
    few = listen(stage, engine, clips[:4])
    torch.cuda.empty_cache()
    kept_mb = (torch.cuda.memory_allocated() - before) / 2**20
    return {"halved": halved[0], "answers": len(answers), "kept_mb": round(kept_mb)} | _differences(answers[:4], few)


CHECKS: dict[str, Callable[..., Any]] = {"alone_and_together": alone_and_together, "cpu_and_cuda": cpu_and_cuda, "out_of_memory": out_of_memory}


@contextmanager
def _counted_halvings() -> Iterator[list[int]]:
    free, count = batching._free_cached, [0]

    def counted() -> None:
        count[0] += 1
        free()

    batching._free_cached = counted
    try:
        yield count
    finally:
        batching._free_cached = free


def _clips(stage: str, count: int) -> list[Audio]:
    """From 3 to 6 s: all have padding beside the longest."""
    return [speech_like(3.0 + 3.0 * (k * 7 % 32) / 32, seed=100 + k, rate_hz=PRODUCTION[stage].rate_hz) for k in range(count)]


def _compared(stage: str, engine: Any, clips: Sequence[Audio]) -> dict[str, Any]:
    from gpu_stages import lift_limits, listen

    count = min(ALONE, len(clips) // 2)
    lift_limits(stage, engine, len(clips))
    together = listen(stage, engine, clips)[:count]
    alone = [listen(stage, engine, [clip])[0] for clip in clips[:count]]
    return _differences(alone, together)


def _differences(one: Sequence[Any], other: Sequence[Any]) -> dict[str, Any]:
    if hasattr(one[0], "log_probs"):
        pairs = [(np.maximum(a.log_probs, _LEAST_LOG_PROB), np.maximum(b.log_probs, _LEAST_LOG_PROB)) for a, b in zip(one, other, strict=True)]
        same = [[p[0] for p in a.phones] == [p[0] for p in b.phones] for a, b in zip(one, other, strict=True)]
        return {"texts_equal": sum(same) / len(same), "most": _most(float(np.abs(a - b).max()) if a.shape == b.shape else math.inf for a, b in pairs)}
    if hasattr(one[0], "words"):
        same = [[w.text for w in a.words] == [w.text for w in b.words] for a, b in zip(one, other, strict=True)]
        paired = [(v, w) for a, b, equal in zip(one, other, same, strict=True) if equal for v, w in zip(a.words, b.words, strict=True)]
        moved = _most(abs(v.start_sec - w.start_sec) for v, w in paired)
        sure = _most(abs((v.confidence or 0) - (w.confidence or 0)) for v, w in paired)
        return {"texts_equal": sum(same) / len(same), "most": sure, "most_moved_sec": moved, "words": len(paired)}
    if any(score.failure for score in (*one, *other)):
        raise SystemExit(f"a clip was not judged: {next(score.failure for score in (*one, *other) if score.failure)}")
    return {"most": _most(abs(a.values[name] - b.values[name]) for a, b in zip(one, other, strict=True) for name in a.values)}


def _most(values: Any) -> float:
    return float(f"{max(values, default=0.0):.2g}")
