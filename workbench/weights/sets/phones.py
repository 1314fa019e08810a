"""Weights of the engines in ``phones/``."""

from workbench.weights.base import WeightFile, Weights

SETS: tuple[Weights, ...] = (
    Weights(
        name="wav2vec2-lv-60-espeak-cv-ft",
        engines=("wav2vec2-phoneme",),
        source="hf:facebook/wav2vec2-lv-60-espeak-cv-ft",
        revision="main",
        files=tuple(map(WeightFile, ("config.json", "vocab.json", "preprocessor_config.json", "pytorch_model.bin"))),
        size_bytes=1_263_000_000,
        licence="Apache-2.0",
        commercial=True,
    ),
)
