"""What scanning costs beside the engines, what a second worker brings, what a second run costs, and whether memory is flat.

Wall times come from the real embedded engines on freshly spoken clips; memory from clips of 1 s and engines that do nearly nothing, so that growth would show.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from workbench.audio import Audio, write_wav
from workbench.clips import Clip, open_manifest
from workbench.scan.plan import ScanConfig
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.speak import TextToSpeak, Voice, speak
from workbench.store import Store
from workbench.text.prompts import load_prompts

CLIPS = 28


def quiet(_line: str) -> None:
    pass


def timed(clips: list[Clip], database: Path, *, workers: int) -> ScanSummary:
    with Store.open(database) as store:
        return scan(clips, ScanConfig(workers=workers, batch_clips=2), store, scan_id="bench", say=quiet)


def wall_figures(folder: Path) -> dict[str, float]:
    """overhead: wall over (engines' own time + loading them) per worker, the larger of one and two workers."""
    texts = [TextToSpeak(p.prompt_id, p.text) for p in load_prompts("everyday", limit=CLIPS)]
    clips = list(speak(texts, [Voice("flite", "slt")], folder=folder / "speech", dataset="bench", say=quiet).clips)
    one = timed(clips, folder / "one.sqlite", workers=1)
    two = timed(clips, folder / "two.sqlite", workers=2)
    again = [timed(clips, folder / "two.sqlite", workers=2) for _ in range(3)]
    rerun_sec = statistics.median(summary.wall_sec for summary in again)
    if any(summary.computed for summary in again):
        raise SystemExit("the second run computed something")

    def overhead(summary: ScanSummary) -> float:
        return summary.wall_sec / ((sum(summary.engine_sec.values()) + summary.load_sec) / summary.workers)

    for summary in (one, two):
        own = ", ".join(f"{name} {sec:.1f} s" for name, sec in summary.engine_sec.items())
        print(f"{summary.workers} worker(s): {summary.wall_sec:.1f} s for {summary.audio_sec:.0f} s of audio; {own}, loading {summary.load_sec:.1f} s; overhead {overhead(summary):.3f}")
    return {
        "overhead": round(max(overhead(one), overhead(two)), 3),
        "overhead_1_worker": round(overhead(one), 3),
        "overhead_2_workers": round(overhead(two), 3),
        "speedup_2_workers": round(one.wall_sec / two.wall_sec, 2),
        "rerun_speedup": round(two.wall_sec / rerun_sec, 1),
        "rerun_sec": round(rerun_sec, 4),
    }


def peak_mb(folder: Path, clips: int) -> float:
    """Peak resident memory of the scanning process and of its largest worker together, in a fresh process."""
    done = subprocess.run([sys.executable, __file__, "--memory", str(folder), str(clips)], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def scan_for_memory(folder: Path, clips: int) -> None:
    """Child of ``peak_mb``: scan ``clips`` clips of 1 s with two workers and print the peak."""
    os.environ["WORKBENCH_ENGINE_MODULES"] = "tests.engines_for_tests"
    root = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPATH"] = root
    sys.path.insert(0, root)
    config = ScanConfig(fast="counting", precision=None, judges=("signal",), workers=2, batch_clips=8)
    started = time.perf_counter()
    with Store.open(folder / f"memory-{clips}.sqlite") as store:
        summary = scan(open_manifest(folder / f"clips-{clips}.jsonl"), config, store, scan_id="memory", say=quiet)
    if summary.clips != clips:
        raise SystemExit(f"{summary.clips} of {clips} clips came out")
    own, workers = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{clips / (time.perf_counter() - started):.0f} clips/s", file=sys.stderr)
    print(own + workers)


def memory_figures(folder: Path) -> dict[str, float]:
    noise = np.random.default_rng(1)
    for number in range(2000):
        write_wav(Audio((0.05 * noise.standard_normal(16000)).astype(np.float32), 16000), folder / f"{number}.wav")
    for clips in (200, 2000):
        with (folder / f"clips-{clips}.jsonl").open("w") as manifest:
            for number in range(clips):
                manifest.write(json.dumps({"audio_filepath": f"{number}.wav", "text": "some words to compare with", "duration": 1.0}) + "\n")
    found = {f"peak_mb_{clips}": round(peak_mb(folder, clips), 1) for clips in (200, 2000)}
    print(f"peak memory: {found}")
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        figures = wall_figures(Path(name)) | memory_figures(Path(name))
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        scan_for_memory(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
