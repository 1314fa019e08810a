"""Speech synthesisers that come with the workbench."""

from workbench.engines import EngineInfo

ENGINES = (
    EngineInfo(
        name="flite",
        kind="tts",
        factory="workbench.tts.flite:FliteSynthesizer",
        summary="CMU Flite 2.2, clustergen and diphone voices; about 200x realtime",
        licence_code="BSD-style (CMU)",
        licence_weights="BSD-style (CMU)",
        install="apt-get install flite",
        programs=(("flite",),),
        weights="voices inside the program",
        sample_rate_hz=16000,
    ),
    EngineInfo(
        name="espeak",
        kind="tts",
        factory="workbench.tts.espeak:EspeakSynthesizer",
        summary="eSpeak NG formant synthesis; hard to understand, so it serves as the bad system",
        licence_code="GPL-3.0-or-later (a tool beside ours, in its own process)",
        licence_weights="GPL-3.0-or-later",
        install="apt-get install espeak-ng, or without root: pip install espeakng-loader",
        programs=(("espeak-ng", "python:espeakng_loader"),),
        weights="voices inside the program",
        sample_rate_hz=22050,
    ),
)
