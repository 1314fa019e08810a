"""Rates of the stages that stay on the CPU: opening clips, signal metrics, DNSMOS; on one core, and on all at once with one process each.

    python benchmarks/cpu_stages.py [--workers 0]

``open_flac``, ``open_wav``: decode a file of 24 kHz and 16 bits, hash its samples, resample them to 16 kHz. Rates are clips of 5 s per second; ``rtfx`` is five times that.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from full_size import speech_like

from workbench.audio import content_hash, read, resample, write_wav

CLIP_SEC, CLIPS = 5.0, 16
LEAST_SEC = 2.0
STAGES = ("open_flac", "open_wav", "signal", "dnsmos")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=0, help="processes at once; 0 for one per core")
    print(json.dumps({name: part() for name, part in parts(parser.parse_args().workers).items()}))


def parts(workers: int = 0) -> dict[str, Callable[[], dict[str, Any]]]:
    return {stage: partial(rates, stage, workers or os.cpu_count() or 1) for stage in STAGES}


def rates(stage: str, workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        places = write_clips(Path(folder), stage)
        alone = together(stage, places, 1)
        found = {"clips_per_sec_1_core": round(alone, 2), "rtfx_1_core": round(alone * CLIP_SEC, 1)}
        if workers > 1:
            rate = together(stage, places, workers)
            found |= {f"clips_per_sec_{workers}_cores": round(rate, 2), f"rtfx_{workers}_cores": round(rate * CLIP_SEC, 1)}
        return found | ({"file_kb": round(sum(os.path.getsize(place) for place in places) / len(places) / 1000)} if stage.startswith("open") else {})


def together(stage: str, places: list[str], workers: int) -> float:
    """Clips per second of so many processes that start measuring at the same time."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(workers), context.SimpleQueue()
    processes = [context.Process(target=work, args=(stage, places, ready, results)) for _ in range(workers)]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(found)


def work(stage: str, places: list[str], ready: Any, results: Any) -> None:
    call = caller(stage)
    call(places[0])
    ready.wait(120)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < LEAST_SEC:
        call(places[done % len(places)])
        done += 1
    results.put(done / (time.perf_counter() - started))


def caller(stage: str) -> Callable[[str], Any]:
    if stage.startswith("open"):
        return opened
    from workbench import engines

    judge = engines.create(stage, "judge")
    judge.load("cpu")
    rate_hz = 16_000 if stage == "dnsmos" else 24_000
    clips = {str(k): speech_like(CLIP_SEC, seed=k, rate_hz=rate_hz) for k in range(CLIPS)}
    return lambda place: judge.score([clips[place]])


def opened(place: str) -> str:
    audio = read(place)
    resample(audio, 16_000)
    return content_hash(audio)


def write_clips(folder: Path, stage: str) -> list[str]:
    """Places of clips; just their numbers where no file is opened."""
    if not stage.startswith("open"):
        return [str(k) for k in range(CLIPS)]
    import soundfile

    ending = stage.removeprefix("open_")
    for k in range(CLIPS):
        clip = speech_like(CLIP_SEC, seed=k, rate_hz=24_000)
        if ending == "wav":
            write_wav(clip, folder / f"{k}.wav")
        else:
            soundfile.write(folder / f"{k}.flac", clip.samples, clip.sample_rate_hz, subtype="PCM_16")
    return [str(folder / f"{k}.{ending}") for k in range(CLIPS)]


if __name__ == "__main__":
    main()
