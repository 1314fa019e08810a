"""DNSMOS beside its reference, the package ``speechmos``, in one process on the same clips.

For every clip reference and judge take turns; a speed-up is the median over the turns of reference time / our time. Both sides get the
same onnxruntime threads: first what the reference takes by default (all cores), then one. Short clips: per length the median over the
turns, then the median over the lengths.

    python benchmarks/dnsmos.py [--turns 3]

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from workbench import audio as audio_room  # noqa: E402
from workbench.audio import Audio  # noqa: E402
from workbench.judges.dnsmos import SAMPLE_RATE_HZ, DnsmosJudge  # noqa: E402
from workbench.judges.dnsmos_networks import weights_folder  # noqa: E402

TEXT = (
    "The old harbour lay quiet under a thin grey sky, and nobody had opened the market yet. A boy with two baskets came down the hill, "
    "counting his steps aloud. When he reached the water he stopped, looked back at the row of narrow houses, and began to sing something "
    "slow that his grandmother had taught him. By noon the boats would return, and there would be noise enough for the whole week."
)
SHORT_SEC = (2.13, 2.61, 3.37, 4.73, 5.21, 6.14, 7.33, 8.87)
LONG_SEC = 20.0
COLUMNS = {"dnsmos_sig": "sig_mos", "dnsmos_bak": "bak_mos", "dnsmos_ovrl": "ovrl_mos", "dnsmos_p808": "p808_mos"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3, help="turns per clip")
    turns = parser.parse_args().turns
    sources = speech()
    print("clips:", ", ".join(sources))
    long_clips = [fitted(samples, LONG_SEC, seed=i) for i, samples in enumerate(sources.values())]
    short_clips = [fitted(list(sources.values())[i % len(sources)], sec, seed=i) for i, sec in enumerate(SHORT_SEC)]
    result: dict[str, object] = {}
    differences: list[float] = []
    for threads, suffix in ((0, ""), (1, "_1_thread")):
        result |= {name + suffix: value for name, value in side_by_side(threads, long_clips, short_clips, turns, differences).items()}
        print(f"threads={threads or 'default'}: {result}", flush=True)
    result["max_abs_diff"] = max(differences)
    print(json.dumps({key: result[key] for key in ("speedup_20s", "speedup_short", "max_abs_diff")} | result))


def side_by_side(
    threads: int, long_clips: list[np.ndarray], short_clips: list[np.ndarray], turns: int, differences: list[float]
) -> dict[str, object]:
    """Reference and judge with the same threads: speed-ups by wall clock and by CPU time, which other work on the machine disturbs less."""
    reference, judge, every = make_reference(threads), DnsmosJudge(threads=threads), DnsmosJudge(threads=threads, all_hops=True)
    judge.load()
    every.load()
    long = [turn for clip in long_clips for turn in compare(reference, judge, clip, turns, differences)]
    short = {sec: compare(reference, judge, clip, turns, differences) for sec, clip in zip(SHORT_SEC, short_clips, strict=True)}
    per_length = {f"{sec:g}": round(statistics.median(t.wall_ratio for t in taken), 2) for sec, taken in short.items()}
    all_hops = [timed(every.score, [Audio(long_clips[0], SAMPLE_RATE_HZ)])[0].wall_sec for _ in range(turns)]
    return {
        "speedup_20s": round(statistics.median(t.wall_ratio for t in long), 2),
        "speedup_20s_by_cpu_time": round(statistics.median(t.cpu_ratio for t in long), 2),
        "speedup_short": round(statistics.median(per_length.values()), 2),
        "speedup_short_by_cpu_time": round(statistics.median(statistics.median(t.cpu_ratio for t in taken) for taken in short.values()), 2),
        "speedup_short_per_length": per_length,
        "reference_sec_per_20s_clip": round(statistics.median(t.theirs.wall_sec for t in long), 3),
        "sec_per_20s_clip": round(statistics.median(t.ours.wall_sec for t in long), 3),
        "sec_per_20s_clip_all_hops": round(statistics.median(all_hops), 3),
    }


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call took."""

    wall_sec: float
    cpu_sec: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Both sides on one clip, one right after the other."""

    theirs: Cost
    ours: Cost

    @property
    def wall_ratio(self) -> float:
        return self.theirs.wall_sec / self.ours.wall_sec

    @property
    def cpu_ratio(self) -> float:
        return self.theirs.cpu_sec / self.ours.cpu_sec


def compare(reference, judge: DnsmosJudge, clip: np.ndarray, turns: int, differences: list[float]) -> list[Turn]:
    """Take turns on one clip; who goes first alternates."""
    taken = []
    for turn in range(turns):
        if turn % 2:
            our_cost, ours = timed(judge.score, [Audio(clip, SAMPLE_RATE_HZ)])
        their_cost, theirs = timed(reference, clip, SAMPLE_RATE_HZ, False)
        if not turn % 2:
            our_cost, ours = timed(judge.score, [Audio(clip, SAMPLE_RATE_HZ)])
        taken.append(Turn(their_cost, our_cost))
        differences.append(max(abs(float(theirs[name]) - ours[0].values[column]) for column, name in COLUMNS.items()))
    return taken


def timed(call, *arguments):
    """Cost and result of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call(*arguments)
    return Cost(time.perf_counter() - wall, time.process_time() - cpu), result


def make_reference(threads: int):
    """speechmos' own object; with ``threads`` its two sessions are made again with that many threads, otherwise it is as it comes."""
    import onnxruntime
    from speechmos import dnsmos

    paths = [str(weights_folder() / name) for name in ("sig_bak_ovr.onnx", "model_v8.onnx")]
    reference = dnsmos.DNSMOS(*paths)
    if threads:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        reference.onnx_sess, reference.p808_onnx_sess = (onnxruntime.InferenceSession(path, options) for path in paths)
    reference(fitted(np.ones(1, np.float32) * 0.1, 10.0, seed=0), SAMPLE_RATE_HZ, False)  # librosa compiles at its first call
    return reference


def speech() -> dict[str, np.ndarray]:
    """Name -> 16 kHz speech: flite where it is installed, two recordings of ../shared/data where those are, else a synthetic voice."""
    found: dict[str, np.ndarray] = {}
    if shutil.which("flite"):
        with tempfile.TemporaryDirectory() as folder:
            for voice in ("slt", "rms"):
                path = Path(folder) / f"{voice}.wav"
                subprocess.run(["flite", "-voice", voice, "-t", TEXT, "-o", str(path)], check=True, timeout=60)
                found[f"flite {voice}"] = audio_room.read(str(path)).samples
    clips = Path(__file__).resolve().parents[2] / "shared" / "data" / "clips"
    for pattern in ("kokoro*/*.mp3", "ljspeech/*"):
        for path in sorted(p for p in clips.glob(pattern) if p.suffix in {".mp3", ".flac", ".wav"})[:1]:
            found[path.name] = audio_room.resample(audio_room.read(str(path)), SAMPLE_RATE_HZ).samples
    return found or {"synthetic voice": synthetic_voice(LONG_SEC)}


def synthetic_voice(seconds: float) -> np.ndarray:
    """A gliding pulse train in syllables, with a little noise."""
    t = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * t)) / SAMPLE_RATE_HZ
    voice = sum(np.sin(k * pitch) / k for k in range(1, 25)) * np.clip(np.sin(2 * np.pi * 2.3 * t), 0, 1)
    return (0.15 * voice + 0.003 * np.random.default_rng(0).standard_normal(len(t))).astype(np.float32)


def fitted(samples: np.ndarray, seconds: float, *, seed: int) -> np.ndarray:
    """Exactly ``seconds`` of a recording, repeated where it is shorter, with a peak of at most 0.99."""
    count = int(seconds * SAMPLE_RATE_HZ)
    start = int(np.random.default_rng(seed).integers(0, max(1, len(samples) - count)))
    cut = np.resize(samples[start:], count)
    return np.ascontiguousarray(cut * min(1.0, 0.99 / max(np.abs(cut).max(), 1e-9)), np.float32)


if __name__ == "__main__":
    main()
