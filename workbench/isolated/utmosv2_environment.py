"""The environment of UTMOSv2, every package pinned; Python 3.11 and Linux. torch is the CUDA build, which also works on a CPU."""

from pathlib import Path

from workbench.isolated.spec import EnvironmentSpec

#: ``hyperion-utmosv2`` is the package registry's copy of UTMOSv2 1.3.1 (same module, ``utmosv2``); the authors publish theirs on GitHub only.
REQUIREMENTS = """
hyperion-utmosv2==1.3.1
audioread==3.1.0
certifi==2026.10.18
cffi==2.1.1
charset-normalizer==3.5.2
decorator==5.3.1
filelock==4.2.12
fsspec==2026.9.0
hf-xet==1.8.0
huggingface-hub==0.36.2
idna==3.20
jinja2==3.1.6
joblib==1.6.0
lazy-loader==0.6
librosa==0.10.2.post1
llvmlite==0.50.0
markupsafe==3.0.4
mpmath==1.3.0
msgpack==1.2.4
networkx==3.6.1
numba==0.68.1
numpy==1.26.4
packaging==26.3
pillow==13.0.0
platformdirs==4.14.7
pooch==1.9.0
pycparser==3.12
pyyaml==6.0.3
regex==2026.11.15
requests==2.34.2
safetensors==0.8.0
scikit-learn==1.9.1
scipy==1.17.1
soundfile==0.14.0
soxr==1.1.0
sympy==1.14.0
threadpoolctl==3.8.0
timm==1.0.31
tokenizers==0.22.2
torch==2.9.1
torchaudio==2.9.1
torchvision==0.24.1
tqdm==4.70.1
transformers==4.57.6
triton==3.5.1
typing-extensions==4.16.0
urllib3==2.8.0
"""

UTMOSV2 = EnvironmentSpec(
    "utmosv2",
    requirements=tuple(REQUIREMENTS.split()),
    child="utmosv2_judge:Utmosv2",
    paths=(Path(__file__).parent / "child",),
    imports=("utmosv2",),
)
