"""What 10^8 clips of 5 s take, on paper: the least that each network can cost, and GPU hours, machines and money from rates.

    python benchmarks/scaling.py [--clips 1e8] [--dollars-per-hour 0.22] [--rates '{"fast": 900, "precision": 60}']

First the operations that each production network needs for a second of speech, counted by PyTorch on the published sizes without computing them (NISQA, which has no
such size to speak of, computes for real), and the RTFx (seconds of audio per second) that a card could at most reach. Then the hours at the reference rates, and at
``--rates`` where ``gpu_stages.py`` measured some. Nothing here measures a GPU. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from full_size import TOKENS_PER_SEC, options_of, scoreq_network, speech_like

CLIP_SEC, WORDS_PER_SEC = 5.0, 3.3


@dataclass(frozen=True, slots=True)
class Card:
    """Rates by the vendor's datasheet, dense."""

    name: str
    bf16_tflops: float
    float32_tflops: float
    terabytes_per_sec: float


CARDS = (Card("RTX 4090", 165.2, 82.6, 1.008), Card("H100 SXM", 989.4, 66.9, 3.35))
#: RTFx of the field work on one RTX 4090: two as such, the others from their times for a clip of 21.5 s.
REFERENCE_RTFX = {"fast": 146.0, "precision": 8.0, "utmosv2": 21.5 / 2.298, "scoreq": 21.5 / 0.932, "nisqa": 21.5 / 0.288}
#: Share of the audio that a stage gets, by how the cascade is set.
SHARES = {
    "fast": {"all": 1.0},
    "precision": {"flagged 20%": 0.20, "flagged 25%": 0.25, "words 5%, together": 0.05, "words 5%, each alone": 0.20},
    "judges": {"all": 1.0, "passed 78% + control 5% of the rest": 0.78 + 0.05 * 0.22, "sample 10%": 0.10, "none": 0.0},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=float, default=1e8)
    parser.add_argument("--dollars-per-hour", type=float, default=0.22)
    parser.add_argument("--rates", type=json.loads, default={}, help="RTFx by stage, as JSON; they replace the reference's")
    chosen = parser.parse_args()
    needs = operations()
    for name, need in needs.items():
        print(f"{name}: {need['gflop_per_audio_sec']:.1f} GFLOP per second of audio; at most {need['most_rtfx']}", flush=True)
    spent = hours(chosen.clips, REFERENCE_RTFX | chosen.rates)
    for stage, of in spent.items():
        print(f"{stage}: " + "; ".join(f"{how} {count:,.0f} h, {count / 24:,.0f} cards for a day, {count * chosen.dollars_per_hour:,.0f} $" for how, count in of.items()))
    print(json.dumps({"clips": chosen.clips, "operations": needs, "gpu_hours": spent}))


def hours(clips: float, rtfx: dict[str, float]) -> dict[str, dict[str, int]]:
    """GPU hours of each stage by how the cascade is set."""
    audio_hours = clips * CLIP_SEC / 3600
    return {stage: {how: round(audio_hours * share / rate) for how, share in SHARES.get(stage, SHARES["judges"]).items()} for stage, rate in rtfx.items()}


def operations() -> dict[str, dict[str, Any]]:
    """GFLOP of each network for a second of a clip of 5 s; a multiplication and an addition are two."""
    counted = {"fast": (_parakeet(), "bf16"), "precision": (_qwen3_asr(), "bf16"), "wav2vec2-phoneme": (_wav2vec2(), "bf16")}
    counted |= {"scoreq": (2 * _scoreq(), "float32"), "nisqa": (_nisqa(), "float32"), "speaker_similarity": (_wavlm(), "float32")}
    return {
        name: {"gflop_per_audio_sec": round(flop / CLIP_SEC / 1e9, 2), "numbers": kind, "most_rtfx": {card.name: round(most(flop, kind, card)) for card in CARDS}}
        for name, (flop, kind) in counted.items()
    }


def most(flop: float, kind: str, card: Card) -> float:
    """RTFx if every unit of the card worked all the time."""
    return CLIP_SEC / (flop / 1e12) * (card.bf16_tflops if kind == "bf16" else card.float32_tflops)


def _count(call: Callable[[], Any]) -> float:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return float(counter.get_total_flops())


def _parakeet() -> float:
    """The encoder; both heads together are under a hundredth of it."""
    import torch
    from transformers import ParakeetEncoder, ParakeetEncoderConfig

    with torch.device("meta"):
        encoder = ParakeetEncoder(ParakeetEncoderConfig(num_hidden_layers=42, hidden_size=1024, num_attention_heads=8, intermediate_size=4096, num_mel_bins=80)).eval()
        return _count(lambda: encoder(torch.empty(1, int(100 * CLIP_SEC), 80)))


def _qwen3_asr() -> float:
    """Encoder, prompt, tokens one by one, and the aligner with its own encoder: 13 positions a second of audio, 15 around it, two time marks a word."""
    import torch
    from transformers import Qwen3Config, Qwen3Model
    from transformers.models.qwen3_asr.configuration_qwen3_asr import Qwen3ASREncoderConfig
    from transformers.models.qwen3_asr.modeling_qwen3_asr import Qwen3ASREncoder

    audio, tokens, words = int(13 * CLIP_SEC), TOKENS_PER_SEC * CLIP_SEC, WORDS_PER_SEC * CLIP_SEC
    sizes = {"num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "attn_implementation": "eager"}
    with torch.device("meta"):
        encoder = Qwen3ASREncoder(Qwen3ASREncoderConfig(output_dim=2048))
        writer = Qwen3Model(Qwen3Config(hidden_size=2048, intermediate_size=6144, **sizes)).eval()
        aligner = Qwen3Model(Qwen3Config(hidden_size=1024, intermediate_size=3072, **sizes)).eval()
        chunks = torch.empty(int(CLIP_SEC), 1, 128, 100)
        hearing = _count(lambda: encoder.conv2d3(encoder.conv2d2(encoder.conv2d1(chunks)))) + 2 * audio * sum(p.numel() for p in encoder.layers.parameters())
        prompt = _count(lambda: writer(inputs_embeds=torch.empty(1, audio + 15, 2048)))
        aligning = _count(lambda: aligner(inputs_embeds=torch.empty(1, int(audio + tokens + 2 * words), 1024)))
    # The embedding is the head as well: every parameter is used once for a token.
    return 2 * hearing + prompt + 2 * tokens * sum(p.numel() for p in writer.parameters()) + aligning


def _wav2vec2() -> float:
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    large = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096, "conv_bias": True}
    with torch.device("meta"):
        model = Wav2Vec2ForCTC(Wav2Vec2Config(vocab_size=392, feat_extract_norm="layer", do_stable_layer_norm=True, attn_implementation="eager", **large)).eval()
        return _count(lambda: model(torch.empty(1, int(16_000 * CLIP_SEC))))


def _scoreq() -> float:
    import torch

    with torch.device("meta"):
        network = scoreq_network()
        return _count(lambda: network(torch.empty(1, int(16_000 * CLIP_SEC))))


def _wavlm() -> float:
    import torch
    from transformers import WavLMConfig, WavLMForXVector

    with torch.device("meta"):
        model = WavLMForXVector(WavLMConfig(use_weighted_layer_sum=True)).eval()
        return _count(lambda: model(torch.empty(1, int(16_000 * CLIP_SEC))))


def _nisqa() -> float:
    """Both networks."""
    from workbench.judges.nisqa import NisqaJudge

    with tempfile.TemporaryDirectory() as folder:
        judge = NisqaJudge(**options_of("nisqa", Path(folder), full=True, device="cpu"))
        judge.load("cpu")
        return _count(lambda: judge.score([speech_like(CLIP_SEC, seed=0, rate_hz=48_000)]))


if __name__ == "__main__":
    main()
