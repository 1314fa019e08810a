"""Speed and memory of the recognisers around real models, per engine and batch size: RTFx (seconds of audio per second) and peak memory.

By default tiny models with random weights on the CPU, which shows what our own code and the libraries cost around a model; no word of it is about quality. With ``--full-size``
the published architectures with random weights on the GPU (about 10 GB of disk for the weights written on the way). Every engine runs in a process of its own.

    python benchmarks/engines.py [--full-size] [--engines parakeet qwen3-asr] [--clips 16]

The last line is one JSON object: {engine: {batch size: {"rtfx", "peak_mb"}}}.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

BATCH_SIZES = (1, 4, 16)
ENGINES = ("parakeet", "qwen3-asr", "whisper", "wav2vec2-phoneme")
CHILD_LIMIT_SEC = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full-size", action="store_true", help="published architectures with random weights on cuda")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(measured(chosen.child, full_size=chosen.full_size, clips=chosen.clips)))
        return
    result = {}
    for name in chosen.engines:
        command = [sys.executable, __file__, "--child", name, "--clips", str(chosen.clips), *(["--full-size"] if chosen.full_size else [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_LIMIT_SEC, check=False)
        result[name] = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"error": done.stderr.strip().splitlines()[-1:]}
        print(name, result[name], flush=True)
    print(json.dumps({"device": "cuda" if chosen.full_size else "cpu", "size": "full" if chosen.full_size else "tiny", **result}))


def measured(name: str, *, full_size: bool, clips: int) -> dict[str, dict[str, float]]:
    """RTFx and peak memory of one engine at each batch size; the first call, which warms caches up, is not counted."""
    from tests.tiny_models.clips import noise
    from workbench import engines

    device, kind = "cuda" if full_size else "cpu", "phones" if name == "wav2vec2-phoneme" else "stt"
    audio = [noise(2.0 + 0.5 * (k % 8), seed=k) for k in range(clips)]
    with tempfile.TemporaryDirectory() as folder:
        weights = built(name, Path(folder), full_size=full_size)
        sizes = (1,) if name == "whisper" else BATCH_SIZES
        found = {}
        for size in sizes:
            engine = engines.create(name, kind, **weights, **({} if name == "whisper" else {"batch_size": size}))
            engine.load(device)
            listen(engine, audio[:1])
            forget_peak(device)
            started = time.perf_counter()
            listen(engine, audio)
            took = time.perf_counter() - started
            found[str(size)] = {"rtfx": round(sum(clip.duration_sec for clip in audio) / took, 1), "peak_mb": round(peak_mb(device))}
            engine.close()
    return found


def built(name: str, folder: Path, *, full_size: bool) -> dict[str, str]:
    """Random weights of one engine, and the options that point to them."""
    from tests.tiny_models import parakeet, qwen3_asr, wav2vec2, whisper

    if name == "parakeet":
        return {"weights": str(parakeet.build_tiny_parakeet(folder, full_size=full_size))}
    if name == "qwen3-asr":
        asr, aligner = (qwen3_asr.build_tiny_qwen3_asr, qwen3_asr.build_tiny_forced_aligner)
        return {"weights": str(asr(folder / "asr", full_size=full_size)), "aligner": str(aligner(folder / "aligner", full_size=full_size))}
    if name == "whisper":
        return {"weights": str(whisper.build_tiny_whisper(folder, full_size=full_size))}
    return {"weights": str(wav2vec2.build_tiny_wav2vec2_phoneme(folder, full_size=full_size))}


def listen(engine, clips) -> None:
    from workbench.phones import PhoneRequest
    from workbench.stt.base import SttRequest

    if hasattr(engine, "posteriors"):
        engine.posteriors([PhoneRequest(clip) for clip in clips])
    else:
        engine.transcribe([SttRequest(clip) for clip in clips])


def forget_peak(device: str) -> None:
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb(device: str) -> float:
    """Most memory since ``forget_peak``: of the GPU as torch counts it, else of the process with all its libraries."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / 2**20
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
