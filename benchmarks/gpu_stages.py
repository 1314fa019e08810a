"""Speed of the production engines, stage by stage, through the workbench's own classes: RTFx (seconds of audio per second), memory, sameness of batches, out of memory.

On CUDA with random weights in the sizes of the published models, on a machine without CUDA with small ones on the CPU (the last line says which). Weights do not change
how long a network takes; how much a recogniser writes does, so Qwen3-ASR and Parakeet are made to write about 4.5 tokens a second of speech. Clips are noise with the
spectrum and rhythm of speech, at the model's own rate; a figure is the median of five calls and more after one that warms up (three, where a call takes seconds).

    python benchmarks/gpu_stages.py [--stages qwen3-asr nisqa] [--limit-sec 120]

Per stage: ``5s_x32`` and the like, one batch of so many clips, its limit on padded seconds lifted; ``delivered`` and ``delivered_24khz``, 128 clips of 3 to 7 s in one call
with the engine's own options, at its rate and at 24 kHz; ``words_x128`` (phones): spans of 0.6 s, so many in a batch; ``busy``: share of the time in which the GPU computes.
The checks are described in ``gpu_checks.py``, the stages of the CPU in ``cpu_stages.py``. Every stage has a process of its own: one that fails takes no other with it.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from engines import forget_peak, peak_mb
from full_size import PRODUCTION, WORD_SEC, options_of, pace, speech_like

from workbench import engines
from workbench.audio import Audio

#: What matters most comes first, in case time runs out.
FULL = [(5.0, 32), (5.0, 1), (5.0, 8), (5.0, 128), (20.0, 32), (20.0, 1), (5.0, 256), (20.0, 8), (20.0, 128)]
SMALL = [(1.5, 1), (1.5, 4)]
DELIVERED_CLIPS, DELIVERED_SEC = 128, 5.0
WORD_BATCHES = (32, 128, 512)
#: No batch is that long.
NO_LIMIT_SEC = 1e9
STAGE_LIMIT_SEC = 900.0
#: For the checks, whatever the speeds took.
CHECKS_SEC = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stages", nargs="+", choices=[*PRODUCTION, "cpu"], default=[*PRODUCTION, "cpu"])
    parser.add_argument("--limit-sec", type=float, default=STAGE_LIMIT_SEC, help="of each stage: what does not fit is left out, and said")
    parser.add_argument("--out", type=Path, help="folder for one JSON file per stage, written as figures come")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        run_stage(chosen.child, chosen.out, until=time.monotonic() + chosen.limit_sec)
        return
    with tempfile.TemporaryDirectory() as scratch:
        out = chosen.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        found = {stage: in_a_process(stage, out, chosen.limit_sec) for stage in chosen.stages}
    print(json.dumps(found))


def in_a_process(stage: str, out: Path, limit_sec: float) -> dict[str, Any]:
    """Figures of one stage, whatever became of its process."""
    print(f"== {stage}", flush=True)
    command = [sys.executable, __file__, "--child", stage, "--out", str(out), "--limit-sec", str(limit_sec)]
    try:
        code = subprocess.run(command, timeout=limit_sec + 2 * CHECKS_SEC, check=False).returncode
        fault = {} if code == 0 else {"error": f"exit code {code}"}
    except subprocess.TimeoutExpired:
        fault = {"error": f"no end after {limit_sec + 2 * CHECKS_SEC:.0f} s"}
    path = out / f"{stage}.json"
    return (json.loads(path.read_text()) if path.exists() else {}) | fault


class Figures:
    """Figures of one stage, printed and written as they come; a part that fails or is late is noted and the next one tried."""

    def __init__(self, stage: str, out: Path, *, until: float) -> None:
        self.stage, self.path, self.until, self.found = stage, out / f"{stage}.json", until, {}

    def note(self, name: str, part: Callable[[], Any], *, tell: Callable[[Any], Any] = lambda result: result) -> Any:
        """The part's result, None without one. What is noted is what ``tell`` makes of it."""
        if time.monotonic() > self.until:
            self.found.setdefault("left_out", []).append(name)
            return None
        started = time.monotonic()
        try:
            result = part()
            self.found[name] = tell(result)
        except Exception as error:  # noqa: BLE001  whatever a model throws on a machine it never ran on
            traceback.print_exc()
            self.found[name], result = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}, None
        print(f"{self.stage} {name} ({time.monotonic() - started:.1f} s): {self.found[name]}", flush=True)
        self.path.write_text(json.dumps(self.found))
        return result


def run_stage(stage: str, out: Path, *, until: float) -> None:
    figures = Figures(stage, out, until=until)
    if stage == "cpu":
        import cpu_stages

        for name, part in cpu_stages.parts().items():
            figures.note(name, part)
        return
    import torch
    from gpu_checks import CHECKS

    device = "cuda" if torch.cuda.is_available() else "cpu"
    full = device == "cuda"
    figures.note("machine", lambda: {"device": torch.cuda.get_device_name() if full else "cpu", "size": "published" if full else "small", "torch": torch.__version__})
    with tempfile.TemporaryDirectory() as scratch:
        options = figures.note("weights", lambda: options_of(stage, Path(scratch), full=full, device=device), tell=lambda _: "random")
        engine = figures.note("engine", lambda: loaded(stage, options, device), tell=lambda engine: told(engine.identity())) if options else None
        if engine is None:
            return
        speeds(figures, stage, engine, device=device, full=full)
        figures.until = max(figures.until, time.monotonic() + CHECKS_SEC)
        for name, check in CHECKS.items():
            figures.note(name, lambda check=check: check(stage, engine, options, device))


def loaded(stage: str, options: dict[str, Any], device: str, **more: Any) -> Any:
    engine = engines.create(stage, PRODUCTION[stage].kind, **options, **more)
    engine.load(device)
    pace(stage, engine)
    return engine


def told(identity: dict[str, Any]) -> dict[str, Any]:
    """What an engine's identity says of how it computes; the digests of random weights say nothing."""
    return {name: value for name, value in identity.items() if isinstance(value, str | int | float | None) and name not in ("weights", "revision", "sha256")}


def speeds(figures: Figures, stage: str, engine: Any, *, device: str, full: bool) -> None:
    rate_hz = PRODUCTION[stage].rate_hz
    count, sec = (DELIVERED_CLIPS, DELIVERED_SEC) if full else (4, 1.5)
    for name, rate in (("delivered", rate_hz), ("delivered_24khz", 24_000)):
        clips = [speech_like(sec * (0.6 + 0.8 * k / (count - 1)), seed=k, rate_hz=rate) for k in range(count)]
        figures.note(name, lambda clips=clips: timed(lambda: listen(stage, engine, clips), clips, device))
    for sec, batch in FULL if full else SMALL:
        lift_limits(stage, engine, batch)
        clips = [speech_like(sec, seed=k, rate_hz=rate_hz) for k in range(batch)]
        figures.note(f"{sec:g}s_x{batch}", lambda clips=clips: timed(lambda: listen(stage, engine, clips), clips, device))
        if full and (sec, batch) == FULL[0]:
            figures.note("busy", lambda clips=clips: busy_share(lambda: listen(stage, engine, clips)))
    for batch in (WORD_BATCHES if full else (4,)) if PRODUCTION[stage].kind == "phones" else ():
        lift_limits(stage, engine, batch)
        figures.note(f"words_x{batch}", lambda batch=batch: words_per_sec(engine, batch, device))


def timed(call: Callable[[], Any], clips: Sequence[Audio], device: str) -> dict[str, Any]:
    """Steady state: the first call, which warms up, is not counted."""
    call()
    forget_peak(device)
    wall_sec: list[float] = []
    while len(wall_sec) < 3 or (sum(wall_sec) < 8 and (len(wall_sec) < 5 or (sum(wall_sec) < 1 and len(wall_sec) < 20))):
        started = time.perf_counter()
        answers = call()
        wait_for(device)
        wall_sec.append(time.perf_counter() - started)
    took = statistics.median(wall_sec)
    found = {"rtfx": round(sum(clip.duration_sec for clip in clips) / took, 1), "ms": round(took * 1000, 1), "spread": round(max(wall_sec) / min(wall_sec), 2)}
    found |= {"calls": len(wall_sec), "peak_mb": round(peak_mb(device))} | ({"card_mb": card_mb()} if device != "cpu" else {})
    words = sum(len(answer.words) for answer in answers if hasattr(answer, "words"))
    return found | ({"words_per_audio_sec": round(words / sum(clip.duration_sec for clip in clips), 2)} if words else {})


def words_per_sec(engine: Any, batch: int, device: str) -> dict[str, Any]:
    """Spans of words end to end, in clips of 5 s: eight of each."""
    from workbench.phones import PhoneRequest

    per_clip = int(5.0 / WORD_SEC)
    clips = [speech_like(5.0, seed=k) for k in range(-(-batch // per_clip))]
    requests = [PhoneRequest(clip, WORD_SEC * k, WORD_SEC * (k + 1)) for clip in clips for k in range(per_clip)][:batch]
    found = timed(lambda: engine.posteriors(requests), clips, device)
    return {"words_per_sec": round(1000 * batch / found["ms"], 1)} | {key: found[key] for key in ("ms", "spread", "calls", "peak_mb")}


def busy_share(call: Callable[[], Any]) -> float:
    """Time of all kernels and copies over the time of the call without a profiler."""
    import torch

    started = time.perf_counter()
    call()
    wait_for("cuda")
    wall_sec = time.perf_counter() - started
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        call()
        wait_for("cuda")
    return round(sum(event.self_device_time_total for event in profile.key_averages()) / 1e6 / wall_sec, 3)


def listen(stage: str, engine: Any, clips: Sequence[Audio]) -> Sequence[Any]:
    from workbench.phones import PhoneRequest
    from workbench.stt.base import SttRequest

    if PRODUCTION[stage].kind == "judge":
        return engine.score(clips)
    if PRODUCTION[stage].kind == "phones":
        return engine.posteriors([PhoneRequest(clip) for clip in clips])
    return engine.transcribe([SttRequest(clip) for clip in clips])


def lift_limits(stage: str, engine: Any, batch: int) -> None:
    """Let a batch hold so many clips, however long they are."""
    engine.batch_size = batch
    if PRODUCTION[stage].kind != "judge":
        engine.batch_sec = NO_LIMIT_SEC
        return
    module = importlib.import_module(type(engine).__module__)
    module._MOST_BATCH_SEC = dict.fromkeys(("cpu", "cuda"), NO_LIMIT_SEC) if isinstance(module._MOST_BATCH_SEC, dict) else NO_LIMIT_SEC


def card_mb() -> int:
    """Memory of the card in use by whatever library, kept blocks included."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return round((total - free) / 2**20)


def wait_for(device: str) -> None:
    if device != "cpu":
        import torch

        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
