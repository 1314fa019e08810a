"""The scan's own overhead: clips of 1 s are read, decoded, hashed, looked up and stored for real (SQLite), by engines that do nothing.

``clips_per_sec_local``: one worker, batches of 64, one idle recogniser; the median of ``--rounds`` fresh scans of 10,000 clips. ``clips_per_sec_ray``: the same clips by
the Ray runner on this machine with two workers, the start of Ray and of its actors included and, as ``clips_per_sec_ray_flowing``, from the first to the last stored shard.
``speedup_2_workers``: wall of one worker over two, with an engine that takes 5 ms of processor time per clip. ``peak_mb_...``: the largest sum of proportional memory
(PSS) of the scanning process and its worker, sampled every 50 ms, for so many clips. ``resume_clips_per_sec``: the finished largest scan once more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
os.environ["WORKBENCH_ENGINE_MODULES"] = "idle_engines"
os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'benchmarks'}"

from idle_engines import TEXT

from workbench.audio import Audio, write_wav
from workbench.clips import open_manifest
from workbench.scan.plan import ScanConfig
from workbench.scan.scanning import ScanSummary, scan
from workbench.store import Store


def quiet(_line: str) -> None:
    pass


def write_clips(folder: Path, count: int) -> None:
    """Clips of 1 s that all differ, in sub-folders of 1,000."""
    noise = (0.05 * np.random.default_rng(1).standard_normal(16000)).astype(np.float32)
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03d}").mkdir(parents=True, exist_ok=True)
        samples = noise.copy()
        samples[:4] = [number % 256 / 512, number // 256 % 256 / 512, number // 65536 / 512, 0.1]
        write_wav(Audio(samples, 16000), folder / place_of(number))


def place_of(number: int) -> str:
    return f"{number // 1000:03d}/{number}.wav"


def manifest_of(folder: Path, count: int) -> Path:
    path = folder / f"{count}.jsonl"
    lines = (json.dumps({"audio_filepath": place_of(number), "text": TEXT, "duration": 1.0}) for number in range(count))
    path.write_text("\n".join(lines) + "\n")
    return path


def settings(**changed) -> ScanConfig:
    return ScanConfig(**({"fast": "idle", "precision": None, "judges": (), "workers": 1, "batch_clips": 64} | changed))


def once(folder: Path, count: int, database: Path, config: ScanConfig) -> ScanSummary:
    with Store.open(database) as store:
        summary = scan(open_manifest(manifest_of(folder, count)), config, store, scan_id="bench", say=quiet)
    if summary.clips != count or summary.failed:
        raise SystemExit(f"{summary.clips} of {count} clips came out, {summary.failed} failed")
    return summary


def local(folder: Path, count: int, rounds: int, work: Path) -> float:
    rates = []
    for number in range(rounds):
        rates.append(count / once(folder, count, work / f"local{number}.sqlite", settings()).wall_sec)
        print(f"local, one worker: {rates[-1]:,.0f} clips/s", flush=True)
    return statistics.median(rates)


def two_workers(folder: Path, count: int, rounds: int, work: Path) -> float:
    ratios = []
    for number in range(rounds):
        sec = {}
        for workers in (1, 2):
            busy = settings(workers=workers, batch_clips=16, engine_options={"idle": {"busy_ms": 5.0}})
            sec[workers] = once(folder, count, work / f"two{number}-{workers}.sqlite", busy).wall_sec
        ratios.append(sec[1] / sec[2])
        print(f"5 ms a clip: one worker {sec[1]:.1f} s, two {sec[2]:.1f} s", flush=True)
    return statistics.median(ratios)


def by_ray(folder: Path, count: int, work: Path) -> tuple[float, float]:
    """Clips per second of the whole call, and between the first and the last commit."""
    commits: list[tuple[float, int]] = []
    config = settings(runner="ray", ray_folder=str(work / "ray"), workers=2)
    with Store.open(work / "ray.sqlite") as store:
        write = store.write

        def noted(records, **rest):
            write(records, **rest)
            commits.append((time.perf_counter(), len(rest.get("members", ()))))

        store.write = noted
        summary = scan(open_manifest(manifest_of(folder, count)), config, store, scan_id="bench", say=quiet)
    if summary.clips != count or summary.failed:
        raise SystemExit(f"{summary.clips} of {count} clips came out of Ray, {summary.failed} failed")
    after_first = sum(clips for _, clips in commits[1:])
    flowing = after_first / (commits[-1][0] - commits[0][0]) if len(commits) > 1 else float("nan")
    print(f"Ray, two workers: {count / summary.wall_sec:,.0f} clips/s with its start, {flowing:,.0f} flowing", flush=True)
    return count / summary.wall_sec, flowing


def peak_mb(folder: Path, count: int, work: Path) -> tuple[float, float]:
    """Peak memory of a scan in a fresh process and its worker, and clips per second."""
    done = subprocess.run([sys.executable, __file__, "--memory", str(folder), str(count), str(work)], check=True, stdout=subprocess.PIPE, text=True)
    peak, rate = map(float, done.stdout.splitlines()[-1].split())
    print(f"{count:,} clips: peak {peak:.1f} MB, {rate:,.0f} clips/s", flush=True)
    return peak, rate


def scan_for_memory(folder: Path, count: int, work: Path) -> None:
    """Child of ``peak_mb``."""
    highest, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not ended.wait(0.05):
            total = 0
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                    continue
            highest = max(highest, total)

    watching = threading.Thread(target=watch)
    watching.start()
    summary = once(folder, count, work / f"memory{count}.sqlite", settings())
    ended.set()
    watching.join()
    print(highest / 1e6, count / summary.wall_sec)


def resume(folder: Path, count: int, work: Path, rounds: int) -> float:
    rates = []
    for _ in range(rounds):
        summary = once(folder, count, work / f"memory{count}.sqlite", settings())
        if summary.computed:
            raise SystemExit(f"the second run computed {summary.computed} clips")
        rates.append(count / summary.wall_sec)
        print(f"finished scan of {count:,} recognised: {rates[-1]:,.0f} clips/s", flush=True)
    return statistics.median(rates)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--clips", type=int, default=10_000, help="clips of the rates")
    options.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="scans of the memory figures; the last is the one recognised again")
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        folder, work = Path(name) / "clips", Path(name)
        write_clips(folder, max(asked.clips, *asked.sizes))
        figures = {"clips_per_sec_local": local(folder, asked.clips, asked.rounds, work)}
        figures["speedup_2_workers"] = two_workers(folder, asked.clips // 4, asked.rounds, work)
        figures["clips_per_sec_ray"], figures["clips_per_sec_ray_flowing"] = by_ray(folder, asked.clips, work)
        for size in asked.sizes:
            figures[f"peak_mb_{f'{size // 1000}k' if size >= 1000 else size}"], _ = peak_mb(folder, size, work)
        figures["resume_clips_per_sec"] = resume(folder, asked.sizes[-1], work, asked.rounds)
    print(json.dumps({name: round(value, 2 if "speedup" in name else 1) for name, value in figures.items()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        scan_for_memory(Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
