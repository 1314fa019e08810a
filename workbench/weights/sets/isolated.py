"""Weights of the engines that run in an environment of their own."""

from workbench.weights.base import WeightFile, Weights

#: One checkpoint per fold of the training data; the package's default is fold 0.
UTMOSV2_FOLDS = 5

SETS: tuple[Weights, ...] = tuple(
    Weights(
        f"utmosv2-fold{fold}", ("utmosv2",), "hf:sarulab-speech/UTMOSv2", "main",
        (WeightFile(f"fold{fold}_s42_best_model.pth"),), 819_000_000, "MIT", commercial=True,
    )  # fmt: skip
    for fold in range(UTMOSV2_FOLDS)
)
