"""Weights of the engines in ``stt/``."""

from workbench.weights.base import WeightFile, Weights

_QWEN_FILES = tuple(map(WeightFile, ("config.json", "*.safetensors", "tokenizer*.json", "processor_config.json", "chat_template*")))

SETS: tuple[Weights, ...] = (
    Weights(
        name="parakeet-tdt_ctc-1.1b",
        engines=("parakeet",),
        source="hf:nvidia/parakeet-tdt_ctc-1.1b",
        revision="main",
        files=(WeightFile("parakeet-tdt_ctc-1.1b.nemo"),),
        size_bytes=4_280_000_000,
        licence="CC-BY-4.0",
        commercial=True,
    ),
    Weights(
        name="qwen3-asr-1.7b",
        engines=("qwen3-asr",),
        source="hf:Qwen/Qwen3-ASR-1.7B-hf",
        revision="main",
        files=_QWEN_FILES,
        size_bytes=4_700_000_000,
        licence="Apache-2.0",
        commercial=True,
    ),
    Weights(
        name="qwen3-forced-aligner-0.6b",
        engines=("qwen3-asr",),
        source="hf:Qwen/Qwen3-ForcedAligner-0.6B-hf",
        revision="main",
        files=_QWEN_FILES,
        size_bytes=1_840_000_000,
        licence="Apache-2.0",
        commercial=True,
    ),
    Weights(
        name="faster-distil-whisper-large-v3",
        engines=("whisper",),
        source="hf:Systran/faster-distil-whisper-large-v3",
        revision="main",
        files=tuple(map(WeightFile, ("config.json", "model.bin", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"))),
        size_bytes=1_515_000_000,
        licence="MIT",
        commercial=True,
    ),
)
