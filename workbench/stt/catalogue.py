"""Recognisers that come with the workbench."""

from workbench.engines import EngineInfo

ENGINES = (
    EngineInfo(
        name="pocketsphinx",
        kind="stt",
        factory="workbench.stt.pocketsphinx_free:PocketsphinxTranscriber",
        summary="CMU PocketSphinx, free decode with its bundled en-us model",
        licence_code="BSD-2-Clause",
        licence_weights="BSD-style (CMU)",
        install="pip install pocketsphinx==5.1.1",
        programs=(("python:pocketsphinx",),),
        weights="en-us PTM model inside the package",
        sample_rate_hz=16000,
    ),
    EngineInfo(
        name="pocketsphinx-grammar",
        kind="stt",
        factory="workbench.stt.second_opinion:SecondOpinionTranscriber",
        summary="second opinion: weighs the reference text against what else the audio may say",
        licence_code="BSD-2-Clause",
        licence_weights="BSD-style (CMU)",
        install="pip install pocketsphinx==5.1.1",
        programs=(("python:pocketsphinx",),),
        weights="en-us PTM model inside the package",
        sample_rate_hz=16000,
        needs=("reference",),
    ),
    EngineInfo(
        name="parakeet",
        kind="stt",
        factory="workbench.stt.parakeet:ParakeetTranscriber",
        summary="NVIDIA Parakeet TDT-CTC 1.1B: fast, CTC confidences and times, disagreement of its two heads",
        licence_code="Apache-2.0",
        licence_weights="CC-BY-4.0",
        install="pip install 'nemo-toolkit[asr]==3.0.0'",
        programs=(("python:nemo",), ("python:torch",)),
        weights="parakeet-tdt_ctc-1.1b",
        sample_rate_hz=16000,
        devices=("cuda", "cpu"),
    ),
)
