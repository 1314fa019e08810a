"""Weights of the engines in ``tts/``."""

from workbench.weights.base import WeightFile, Weights

SETS: tuple[Weights, ...] = (
    Weights(
        name="kokoro-82m",
        engines=("kokoro",),
        source="hf:hexgrad/Kokoro-82M",
        revision="main",
        files=(WeightFile("config.json"), WeightFile("kokoro-v1_0.pth"), WeightFile("voices/*.pt")),
        size_bytes=355_000_000,
        licence="Apache-2.0",
        commercial=True,
    ),
)
