"""Weights of the engines in ``judges/``."""

from workbench.weights.base import WeightFile, Weights

_NISQA = "https://github.com/gabrielmittag/NISQA/raw/refs/heads/master/weights"

SETS: tuple[Weights, ...] = (
    Weights("nisqa", ("nisqa",), _NISQA, "master", (WeightFile("nisqa.tar"),), 1_000_000, "CC-BY-NC-SA-4.0", commercial=False),
    Weights("nisqa-tts", ("nisqa",), _NISQA, "master", (WeightFile("nisqa_tts.tar"),), 1_700_000, "CC-BY-NC-SA-4.0", commercial=False),
    Weights(
        "scoreq", ("scoreq",), "https://zenodo.org/records/15739280/files", "15739280",
        (WeightFile("adapt_nr_synthetic.onnx"), WeightFile("adapt_nr_telephone.onnx")), 760_000_000, "MIT", commercial=True,
    ),
    Weights(
        "wavlm-base-plus-sv", ("speaker_similarity",), "hf:microsoft/wavlm-base-plus-sv", "main",
        (WeightFile("config.json"), WeightFile("preprocessor_config.json"), WeightFile("*model.[bs]*")), 405_000_000, "CC-BY-SA-3.0",
        commercial=True,
    ),
)
