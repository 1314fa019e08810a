"""What the dataset comparison can be trusted with: ceilings of bandwidth found and invented, and what a clip costs when a hundred thousand are compared.

    python benchmarks/datasets.py [--clips FOLDER] [--texts 12] [--rows 5000]

``bandwidth``: pieces of 1 and 2 s of speech by every voice there is (and of the recordings in ``--clips``, by default ../shared/data/clips where it exists). ``false_ceilings``
counts open pieces that were given a ceiling under 80% of half the sample rate; ``found`` is the share of pieces, brought to 8 kHz and back in full before they were cut, whose
ceiling was put within 250 Hz of 4 kHz; ``ms_per_audio_sec`` is what all thirteen signal metrics take. ``rows``: processor time and lasting memory of a clip from the store to the
numbers of a report. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.datasets_for_tests import STAGES, Scanned, fill  # noqa: E402
from workbench import audio as audio_room  # noqa: E402
from workbench import engines  # noqa: E402
from workbench.audio import Audio  # noqa: E402
from workbench.datasets.chunks import ChunkMaker  # noqa: E402
from workbench.datasets.columns import kinds  # noqa: E402
from workbench.datasets.faults import Bounds  # noqa: E402
from workbench.datasets.profile import Collector  # noqa: E402
from workbench.datasets.reading import Reading  # noqa: E402
from workbench.datasets.rules import STANDARD, parse_all  # noqa: E402
from workbench.judges.signal import measure  # noqa: E402
from workbench.store import Store  # noqa: E402
from workbench.text.prompts import load_prompts  # noqa: E402
from workbench.tts.base import SpeechRequest  # noqa: E402

VOICES = {"espeak": ("en-us", "en-gb"), **({"flite": ("slt", "rms", "awb", "kal16")} if shutil.which("flite") else {})}
PIECES_SEC, PIECES = (1.0, 2.0), 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=ROOT.parent / "shared" / "data" / "clips")
    parser.add_argument("--texts", type=int, default=12)
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    print(json.dumps({"bandwidth": bandwidth(options.clips, options.texts), "rows": rows(options.rows)}))


def bandwidth(folder: Path, texts: int) -> dict[str, float | int]:
    chance = np.random.default_rng(1)
    pieces = invented = copies = found = 0
    spent = heard_sec = 0.0
    for whole in recordings(folder, texts):
        low = audio_room.resample(audio_room.resample(whole, 8000), whole.sample_rate_hz)
        for sec in PIECES_SEC:
            for _ in range(PIECES):
                size = round(sec * whole.sample_rate_hz)
                if len(whole.samples) <= size:
                    continue
                start = int(chance.integers(len(whole.samples) - size))
                cut, narrow = (Audio(audio.samples[start : start + size], audio.sample_rate_hz) for audio in (whole, low))
                began = time.process_time()
                reached = measure(cut).bandwidth_hz
                spent, heard_sec = spent + time.process_time() - began, heard_sec + sec
                if reached is None:
                    continue
                pieces += 1
                invented += reached < 0.8 * whole.sample_rate_hz / 2
                ceiling = measure(narrow).bandwidth_hz
                if ceiling is not None:
                    copies, found = copies + 1, found + (abs(ceiling - 4000) <= 250)
    return {"pieces": pieces, "false_ceilings": invented, "copies": copies, "found": round(found / copies, 4), "ms_per_audio_sec": round(1000 * spent / heard_sec, 2)}


def recordings(folder: Path, texts: int) -> Iterator[Audio]:
    for name, voices in VOICES.items():
        engine = engines.create(name, "tts")
        engine.load()
        for voice in voices:
            yield from engine.speak([SpeechRequest(prompt.text, voice) for prompt in load_prompts("narrative_tune", limit=texts)])
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac", ".mp3")) if folder.is_dir() else []
    yield from map(audio_room.read, paths)


def rows(clips: int) -> dict[str, float | int]:
    texts = [prompt.text for prompt in load_prompts("narrative_test")]
    with tempfile.TemporaryDirectory() as work, Store.open(Path(work, "rows.sqlite")) as store:
        fill(store, (Scanned(f"clip {n}", texts[n % len(texts)], audio=str(n)) for n in range(clips)), scan_id="s")
        reading = Reading(store, "s", STAGES, 0.5)
        profile(reading)
        began = time.process_time()
        profile(reading)
        spent = time.process_time() - began
        tracemalloc.start()
        kept = profile(reading)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    return {"clips": kept.clips, "ms_per_clip": round(1000 * spent / clips, 3), "bytes_per_clip": round(held / clips)}


def profile(reading: Reading):
    usual = reading.usual()
    collector = Collector("s", parse_all(STANDARD, columns=kinds()), usual, 1)
    for chunk in ChunkMaker(Bounds(), usual).chunks(reading.results()):
        collector.add(chunk)
    return collector.profile()


if __name__ == "__main__":
    main()
