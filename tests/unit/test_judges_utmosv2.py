"""UTMOSv2 beside its own package, in the real environment: runs where ``workbench engines install utmosv2`` was called."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import tone
from workbench.audio import Audio
from workbench.errors import EngineError
from workbench.isolated import environment
from workbench.isolated.child import wire
from workbench.judges.utmosv2 import Utmosv2Judge

# A random checkpoint in the package's own format, and what its own ``predict`` gives for each clip with the generator seeded before it.
REFERENCE = """
import json, sys
import numpy as np, torch
sys.path.append(sys.argv[1])
import utmosv2, utmosv2_judge
torch.set_num_threads(1)
torch.manual_seed(0)
with utmosv2_judge._no_downloads():
    model = utmosv2.create_model(pretrained=False)
torch.save(model.state_dict(), sys.argv[2] + "/checkpoint.pth")
found = []
for clip in np.load(sys.argv[2] + "/clips.npz").values():
    np.random.seed(1)
    found.append(float(model.predict(data=clip, device="cpu", batch_size=1, num_workers=0, verbose=False)[0]))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def clips() -> list[Audio]:
    """One shorter and one longer than what the network listens to, the longer with a pause of half a second."""
    pause = np.zeros(8000, np.float32)
    longer = np.concatenate([tone(1.6, pitch_hz=150).samples, pause, tone(1.7, pitch_hz=333).samples])
    return [tone(0.7), Audio(longer, 16000)]


@pytest.fixture(scope="module")
def reference(clips, tmp_path_factory) -> tuple[Path, list[float]]:
    spec = environment("utmosv2")
    if not spec.is_installed():
        pytest.skip("the environment of utmosv2 (7 GB) is not installed; workbench engines install utmosv2")
    folder = tmp_path_factory.mktemp("utmosv2")
    np.savez(folder / "clips.npz", *[clip.samples for clip in clips])
    command = [str(spec.interpreter()), "-I", "-c", REFERENCE, str(Path(wire.__file__).parent), str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert said.returncode == 0, said.stderr[-2000:]
    return folder / "checkpoint.pth", json.loads(said.stdout.splitlines()[-1])


def test_the_scores_are_those_of_the_package_whatever_the_batch(clips, reference):
    checkpoint, wanted = reference
    judge = Utmosv2Judge(weights=str(checkpoint))
    judge.load("cpu")
    try:
        together = [scores.values["utmosv2_mos"] for scores in judge.score(clips)]
        alone = judge.score([clips[1]])[0].values["utmosv2_mos"]
    finally:
        judge.close()
    assert together == pytest.approx(wanted, abs=1e-4) and alone == pytest.approx(wanted[1], abs=1e-4)
    assert abs(wanted[0] - wanted[1]) > 1e-4


def test_a_file_that_is_no_checkpoint_says_so(reference, tmp_path):
    wrong = tmp_path / "checkpoint.pth"
    wrong.write_bytes(b"no checkpoint")
    with pytest.raises(EngineError, match="in the other environment"):
        Utmosv2Judge(weights=str(wrong)).load("cpu")
