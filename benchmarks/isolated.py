"""What the border of an isolated engine costs, and how samples cross it best: python benchmarks/isolated.py

The child only counts samples, so what is measured is the way there and back. ``proxy_ms`` is a judge's whole ``score`` of 16 clips;
``pipe_ms`` and ``shared_memory_ms`` carry the same samples by either way and look at every sample's page over there. The interpreter is
the one that runs this. Last line: one JSON object.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CHILD = """
import numpy as np
from multiprocessing import resource_tracker, shared_memory

class Counting:
    def load(self, device):
        pass

    def score(self, clips):
        return [self.one(clip) for clip in clips]

    def one(self, clip):
        if isinstance(clip, dict):
            memory = shared_memory.SharedMemory(clip["name"])
            # The parent removes it; this process's own tracker would do so a second time.
            resource_tracker.unregister(memory._name, "shared_memory")
            samples = np.ndarray((clip["count"],), np.float32, memory.buf)
            touched = float(samples[::1024].sum())
            del samples
            memory.close()
            return {"count": touched}
        return {"count": float(clip.samples[::1024].sum())}
"""
ENVIRONMENTS: list = []


def main() -> None:
    from workbench.audio import Audio
    from workbench.isolated import EnvironmentSpec, IsolatedJudge

    class Counting(IsolatedJudge):
        name, columns, environment = "counting", ("count",), "counting"

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "counting_child.py").write_text(CHILD)
        ENVIRONMENTS.append(EnvironmentSpec("counting", (), "counting_child:Counting", (folder,)))
        judge = Counting(python=sys.executable)
        started = time.perf_counter()
        judge.load()
        found = {"start_ms": 1e3 * (time.perf_counter() - started)}
        for seconds in (5, 10):
            clips = [Audio(np.random.default_rng(k).standard_normal(16000 * seconds).astype(np.float32), 16000) for k in range(16)]
            found[f"proxy_ms_16x{seconds}s"] = _median_ms(lambda: judge.score(clips))
            pipe = [{"samples": clip.samples, "sample_rate_hz": 16000} for clip in clips]
            found[f"pipe_ms_16x{seconds}s"] = _median_ms(lambda: judge._ask("score", pipe))
            found[f"shared_memory_ms_16x{seconds}s"] = _median_ms(lambda: _shared(judge, clips))
        found["proxy_ms_1x5s"] = _median_ms(lambda: judge.score(clips[:1]))
        judge.close()
    print(json.dumps({name: round(value, 2) for name, value in found.items()}))


def _shared(judge, clips) -> None:
    """One segment per clip, made and removed per batch, as a protocol without state would."""
    memories = [shared_memory.SharedMemory(create=True, size=clip.samples.nbytes) for clip in clips]
    try:
        for memory, clip in zip(memories, clips, strict=True):
            np.ndarray(clip.samples.shape, np.float32, memory.buf)[:] = clip.samples
        judge._ask("score", [{"name": m.name, "count": len(c.samples)} for m, c in zip(memories, clips, strict=True)])
    finally:
        for memory in memories:
            memory.close()
            memory.unlink()


def _median_ms(work, *, times: int = 41) -> float:
    work()
    took = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return 1e3 * statistics.median(took)


if __name__ == "__main__":
    # The registry finds the environment by module: this file is one.
    sys.path.insert(0, str(Path(__file__).parent))
    os.environ["WORKBENCH_ENGINE_MODULES"] = "isolated"
    import isolated

    isolated.main()
