"""Engines that come with the workbench and run in an environment of their own, and these environments."""

from workbench.engines import EngineInfo
from workbench.isolated.utmosv2_environment import UTMOSV2

ENVIRONMENTS = (UTMOSV2,)

ENGINES = (
    EngineInfo(
        name="utmosv2",
        kind="judge",
        factory="workbench.judges.utmosv2:Utmosv2Judge",
        summary="UTMOSv2: naturalness of synthetic speech, in an environment of its own",
        licence_code="MIT",
        licence_weights="MIT",
        install="workbench engines install utmosv2",
        weights="hf:sarulab-speech/UTMOSv2, fold0_s42_best_model.pth (workbench weights fetch utmosv2-fold0)",
        sample_rate_hz=16000,
        devices=("cpu", "cuda"),
        environment=UTMOSV2.name,
    ),
)
