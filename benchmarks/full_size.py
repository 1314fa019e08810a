"""The production engines with random weights, in the sizes of the published models or small, for measuring speed: what weights say does not change how long they take.
This file is no benchmark of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.tiny_models import judges, parakeet, qwen3_asr, wav2vec2
from workbench.audio import Audio, write_wav

#: What a text of so many seconds is long: 3.3 words a second, 4.5 tokens of a language model.
TOKENS_PER_SEC = 4.5
WORD_SEC = 0.6


@dataclass(frozen=True, slots=True)
class Production:
    """An engine of the gpu profile: its kind and the rate of its model, at which it need not resample."""

    name: str
    kind: str
    rate_hz: int


PRODUCTION = {
    one.name: one
    for one in (
        Production("wav2vec2-phoneme", "phones", 16_000),
        Production("nisqa", "judge", 48_000),
        Production("speaker_similarity", "judge", 16_000),
        Production("scoreq", "judge", 16_000),
        Production("qwen3-asr", "stt", 16_000),
        Production("parakeet", "stt", 16_000),
    )
}


def options_of(name: str, folder: Path, *, full: bool, device: str) -> dict[str, Any]:
    """Write random weights of an engine; the options that point to them."""
    if name == "parakeet":
        return {"weights": str(parakeet.build_tiny_parakeet(folder, full_size=full))}
    if name == "nisqa":
        # Small as it is: always in its published size.
        return {"weights": str(judges.save_nisqa(folder / "nisqa.tar")), "tts_weights": str(judges.save_nisqa_tts(folder / "nisqa_tts.tar"))}
    if name == "scoreq":
        return {"weights": str(_scoreq(folder, full=full))}
    half = full and name != "speaker_similarity"
    with _made_on(device, half=half):
        if name == "qwen3-asr":
            asr, aligner = qwen3_asr.build_tiny_qwen3_asr, qwen3_asr.build_tiny_forced_aligner
            return {"weights": str(asr(folder / "asr", full_size=full)), "aligner": str(aligner(folder / "aligner", full_size=full))}
        if name == "wav2vec2-phoneme":
            return {"weights": str(wav2vec2.build_tiny_wav2vec2_phoneme(folder, full_size=full))}
        weights = judges.save_wavlm(folder / "wavlm", full=full)
    write_wav(speech_like(5.0, seed=99), folder / "target.wav")
    return {"weights": str(weights), "reference": str(folder / "target.wav")}


def speech_like(sec: float, *, seed: int, rate_hz: int = 16_000) -> Audio:
    """Noise with a speech-like slope of its spectrum (6 dB an octave from 500 Hz), syllables at 4 Hz and a pause now and then."""
    rng, count = np.random.default_rng(seed), int(sec * rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal(count)) / np.maximum(1.0, np.fft.rfftfreq(count, 1 / rate_hz) / 500.0)
    time_sec = np.arange(count) / rate_hz
    level = np.sin(2 * np.pi * (2.0 * time_sec + rng.random())) ** 2 * (np.sin(2 * np.pi * (0.4 * time_sec + rng.random())) > -0.9)
    samples = np.fft.irfft(spectrum, count) * (0.02 + level)
    return Audio((0.7 * samples / np.abs(samples).max()).astype(np.float32), rate_hz)


def pace(stage: str, engine: Any) -> None:
    """Make a loaded recogniser write as much as people say, whatever its random weights would.

    Qwen3-ASR never ends by itself, so its limit on tokens becomes the number it writes. Parakeet's CTC head gets its likeliest class exchanged: for a token in every third
    frame, of which four of eleven begin no word, else for the blank; confidences stay its own. How much its TDT head writes lies in its weights.
    """
    if stage == "qwen3-asr":
        from workbench.stt import qwen3_asr

        qwen3_asr.TOKENS_PER_SEC, qwen3_asr.TOKENS_AT_LEAST = TOKENS_PER_SEC, 0
    if stage != "parakeet":
        return
    import torch

    tokenizer = engine._model.tokenizer
    pieces = [tokenizer.ids_to_tokens([number])[0] for number in range(tokenizer.vocab_size)]
    begin = [number for number, piece in enumerate(pieces) if piece.startswith("\u2581") and len(piece) > 1]
    others = [number for number, piece in enumerate(pieces) if piece.isalpha()]

    def written(_module: Any, _args: Any, log_probs: Any) -> Any:
        count, classes = log_probs.shape[1:]
        wanted = torch.full((count,), classes - 1)
        for place, frame in enumerate(range(0, count, 3)):
            tokens = others if place % 11 in (2, 5, 8, 10) else begin
            wanted[frame] = tokens[place % len(tokens)]
        shift = wanted.to(log_probs.device) - log_probs.argmax(dim=-1)
        return log_probs.gather(-1, (torch.arange(classes, device=log_probs.device) - shift[..., None]) % classes)

    engine._model.ctc_decoder.register_forward_hook(written)


@contextmanager
def _made_on(device: str, *, half: bool) -> Iterator[None]:
    """Two thousand million random numbers take a CPU half a minute, and twice the disk in float32."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if half else before)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def _scoreq(folder: Path, *, full: bool) -> Path:
    """Both graphs under their published names: wav2vec 2.0 base, the mean over time and a linear layer, or a few convolutions."""
    if full:
        import torch

        folder.mkdir(parents=True, exist_ok=True)
        network, batch = scoreq_network(), {0: "batch_size"}
        torch.onnx.export(
            network, (torch.randn(2, 16_000),), str(folder / "adapt_nr_synthetic.onnx"), dynamo=False, opset_version=17,
            input_names=["audio_input"], output_names=["mos_output"], dynamic_axes={"audio_input": batch | {1: "samples"}, "mos_output": batch},
        )  # fmt: skip
        (folder / "adapt_nr_telephone.onnx").hardlink_to(folder / "adapt_nr_synthetic.onnx")
    else:
        judges.save_scoreq(folder / "adapt_nr_synthetic.onnx")
        judges.save_scoreq(folder / "adapt_nr_telephone.onnx", seed=1)
    return folder


def scoreq_network() -> Any:
    """Samples (batch, T) -> (batch, 1)."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = Wav2Vec2Model(Wav2Vec2Config(attn_implementation="eager")), torch.nn.Linear(768, 1)

        def forward(self, samples: torch.Tensor) -> torch.Tensor:
            return self.head(self.encoder(samples).last_hidden_state.mean(dim=1))

    torch.manual_seed(0)
    return Network().eval()
