"""Every judge beside its reference, in one process, on the same weights and clips.

    python benchmarks/judges.py [--turns 3] [--threads 1] [--only nisqa] [--full]

Per judge: ``speedup_batch1`` and ``speedup_batch16``, the reference's time over ours for sixteen short clips scored one by one and in one
call (medians over turns in which both sides alternate; also by processor time); ``max_abs_diff``, ours against the reference;
``batch_diff``, our batch of 16 against our batches of 1. The references score clip by clip, as that is all they offer for clips of
different length: torchmetrics (nisqa), onnxruntime on the graph itself (scoreq), transformers' ``WavLMForXVector`` (speaker_similarity),
speechmos (dnsmos).

Both sides get the same number of threads (``--threads``, default 1: steadier on a shared machine; 0 takes all cores). Weights are random
where none can be had: NISQA in its published architecture and size, SCOREQ and WavLM small, unless ``--full`` asks for WavLM in the size of
the published base model. DNSMOS has its own weights and a benchmark of its own (``dnsmos.py``). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))
from dnsmos import speech  # noqa: E402
from tests.tiny_models.judges import save_nisqa, save_scoreq, save_wavlm  # noqa: E402
from workbench import audio as audio_room  # noqa: E402
from workbench.audio import Audio  # noqa: E402

SHORT_SEC = tuple(1.5 + 0.21 * k for k in range(16))
#: Eight lengths, each twice: what a batch of equal lengths gains shows only where there are any.
SCOREQ_SEC = tuple(1.5 + 0.42 * (k // 2) for k in range(16))
DNSMOS_SEC = (1.5, 3.3, 5.1, 7.7)


@dataclass(frozen=True, slots=True)
class Contest:
    """``reference`` and ``score`` give one row of numbers per clip."""

    clips: Sequence[Audio]
    reference: Callable[[Audio], Sequence[float]]
    score: Callable[[Sequence[Audio]], Sequence[Sequence[float]]]


def main() -> None:
    makers = {"nisqa": nisqa, "scoreq": scoreq, "speaker_similarity": speaker_similarity, "dnsmos": dnsmos}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=list(makers))
    parser.add_argument("--full", action="store_true", help="WavLM in the size of the published base model")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    sources = [audio_room.resample(Audio(samples, 16000), 48000).samples for samples in speech().values()]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in makers.items():
            if options.only in (None, name):
                results[name] = measured(make(Path(folder), sources, options), turns=options.turns)
                print(f"{name}: {results[name]}", flush=True)
    print(json.dumps(results))


def measured(contest: Contest, *, turns: int) -> dict[str, float]:
    sides = {
        "reference": lambda: [contest.reference(clip) for clip in contest.clips],
        "one by one": lambda: [contest.score([clip])[0] for clip in contest.clips],
        "together": lambda: contest.score(contest.clips),
    }
    found = {name: np.array(side()) for name, side in sides.items()}  # the first call of each, which warms up
    ratios: dict[str, list[np.ndarray]] = {"one by one": [], "together": []}
    for turn in range(turns):
        took = {name: timed(sides[name]) for name in (list(sides) if turn % 2 else list(sides)[::-1])}
        for name, taken in ratios.items():
            taken.append(took["reference"] / took[name])
    (wall_1, cpu_1), (wall_16, cpu_16) = (np.median(taken, axis=0).round(2).tolist() for taken in ratios.values())
    return {
        "speedup_batch1": wall_1,
        "speedup_batch16": wall_16,
        "speedup_batch1_by_cpu_time": cpu_1,
        "speedup_batch16_by_cpu_time": cpu_16,
        "max_abs_diff": float(np.abs(found["together"] - found["reference"]).max()),
        "batch_diff": float(np.abs(found["together"] - found["one by one"]).max()),
    }


def timed(call: Callable[[], object]) -> np.ndarray:
    """Seconds by the clock and of processor time, which other work on the machine disturbs less."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return np.array([time.perf_counter() - wall, time.process_time() - cpu])


def cut(sources: Sequence[np.ndarray], seconds: Sequence[float], rate_hz: int) -> list[Audio]:
    """Stretches of the recordings at a judge's own rate, so that neither side resamples."""
    clips = []
    for k, sec in enumerate(seconds):
        source = sources[k % len(sources)]
        start = int(np.random.default_rng(k).integers(0, max(1, len(source) - int(sec * 48000))))
        found = audio_room.resample(Audio(np.resize(source[start:], int(sec * 48000)), 48000), rate_hz)
        clips.append(audio_room.peak_normalised(found, peak=0.9))
    return clips


def scorer(judge) -> Callable[[Sequence[Audio]], list[list[float]]]:
    judge.load()
    return lambda clips: [[scores.values[column] for column in judge.columns] for scores in judge.score(clips)]


def nisqa(folder: Path, sources: Sequence[np.ndarray], options: argparse.Namespace) -> Contest:
    os.environ["HOME"] = str(folder)  # where the reference looks for its weights
    weights = save_nisqa(folder / ".torchmetrics" / "NISQA" / "nisqa.tar")
    import torch
    from torchmetrics.functional.audio.nisqa import non_intrusive_speech_quality_assessment as reference

    from workbench.judges.nisqa import NisqaJudge

    score = scorer(NisqaJudge(scores="quality", weights=str(weights)))
    return Contest(cut(sources, SHORT_SEC, 48000), lambda clip: reference(torch.from_numpy(clip.samples), 48000).tolist(), score)


def scoreq(folder: Path, sources: Sequence[np.ndarray], options: argparse.Namespace) -> Contest:
    import onnxruntime

    from workbench.judges.scoreq import ScoreqJudge

    path = save_scoreq(folder / "scoreq.onnx", layers=6, channels=128)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads  # 0 is the runtime's default: all cores
    session = onnxruntime.InferenceSession(str(path), settings)

    def reference(clip: Audio) -> list[float]:
        padded = np.pad(clip.samples, (0, -len(clip.samples) % 320))
        return session.run(None, {"audio_input": padded[None]})[0][0].tolist()

    return Contest(cut(sources, SCOREQ_SEC, 16000), reference, scorer(ScoreqJudge(scores="synthetic", weights=str(path), threads=options.threads)))


def speaker_similarity(folder: Path, sources: Sequence[np.ndarray], options: argparse.Namespace) -> Contest:
    import torch
    from transformers import WavLMForXVector

    from workbench.judges.speaker_similarity import SpeakerSimilarityJudge

    weights = save_wavlm(folder / "wavlm", hidden=64, layers=4, full=options.full)
    clips = cut(sources, SHORT_SEC, 16000)
    audio_room.write_wav(clips[-1], folder / "target.wav")
    model = WavLMForXVector.from_pretrained(weights).eval()

    @torch.inference_mode()
    def embedding(clip: Audio) -> torch.Tensor:
        return model(torch.from_numpy(clip.samples)[None]).embeddings[0]

    target = embedding(audio_room.read(folder / "target.wav"))
    judge = SpeakerSimilarityJudge(reference=str(folder / "target.wav"), weights=str(weights))
    return Contest(clips, lambda clip: [float(torch.cosine_similarity(embedding(clip), target, dim=0))], scorer(judge))


def dnsmos(folder: Path, sources: Sequence[np.ndarray], options: argparse.Namespace) -> Contest:
    from dnsmos import COLUMNS, make_reference

    from workbench.judges.dnsmos import DnsmosJudge

    reference = make_reference(options.threads)
    judge = DnsmosJudge(threads=options.threads)

    def theirs(clip: Audio) -> list[float]:
        found = reference(clip.samples, 16000, False)
        return [float(found[COLUMNS[column]]) for column in judge.columns]

    return Contest(cut(sources, DNSMOS_SEC, 16000), theirs, scorer(judge))


if __name__ == "__main__":
    main()
