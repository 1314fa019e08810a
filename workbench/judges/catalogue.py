"""Judges that come with the workbench."""

from workbench.engines import EngineInfo

ENGINES = (
    EngineInfo(
        name="dnsmos",
        kind="judge",
        factory="workbench.judges.dnsmos:DnsmosJudge",
        summary="DNSMOS P.835 and P.808: signal, background, overall",
        licence_code="MIT",
        licence_weights="MIT (as speechmos ships them)",
        install="pip install speechmos==0.0.1.1 onnxruntime onnx",
        programs=(("python:speechmos",), ("python:onnxruntime",), ("python:onnx",)),
        weights="ONNX files inside speechmos 0.0.1.1",
        sample_rate_hz=16000,
    ),
    EngineInfo(
        name="signal",
        kind="judge",
        factory="workbench.judges.signal:SignalJudge",
        summary="11 signal metrics, no model",
        licence_code="Apache-2.0",
        licence_weights="none",
    ),
)
