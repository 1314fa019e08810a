"""Phone recognisers that come with the workbench."""

from workbench.engines import EngineInfo

ENGINES: tuple[EngineInfo, ...] = (
    EngineInfo(
        name="wav2vec2-phoneme",
        kind="phones",
        factory="workbench.phones.wav2vec2_phoneme:Wav2Vec2PhonemeRecogniser",
        summary="wav2vec 2.0 fine-tuned to espeak's phones of many languages: phone posteriors every 20 ms",
        licence_code="Apache-2.0",
        licence_weights="Apache-2.0",
        install="pip install transformers==5.23.0",
        programs=(("python:transformers",), ("python:torch",)),
        weights="wav2vec2-lv-60-espeak-cv-ft",
        sample_rate_hz=16000,
        devices=("cuda", "cpu"),
    ),
)
