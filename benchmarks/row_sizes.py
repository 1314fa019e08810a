"""Bytes that a clip of 5 s leaves in the results database: a real scan by engines that answer at once, into SQLite and into PostgreSQL.

The clips are heard in 16 words with times and confidences; every fourth is in doubt, is heard once more by the precision engine and is judged by nobody but ``signal``. The
others get the scores of four judges, fourteen numbers in all. Tables and indices are counted, after a scan of ``--clips`` and after half of it; bytes per clip are their
difference over the clips between, so that empty pages do not count. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
os.environ["WORKBENCH_ENGINE_MODULES"] = "row_sizes"
os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'benchmarks'}"

from workbench.engines import EngineInfo
from workbench.judges.base import Scores
from workbench.stt.base import Transcript, Word

TEXT = "the old harbour lay quiet under a thin grey sky and nobody had opened the market"
SCORED = {
    "dnsmos": ("dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "dnsmos_p808"),
    "nisqa": ("nisqa_mos", "nisqa_noisiness", "nisqa_discontinuity", "nisqa_coloration", "nisqa_loudness", "nisqa_tts"),
    "scoreq": ("scoreq_synthetic", "scoreq_natural"),
    "utmosv2": ("utmosv2_mos",),
}


class ReadyTranscriber:
    """Hears the text in every clip; with ``doubts`` one clip in four, by its first samples, with little confidence."""

    def __init__(self, *, doubts: bool = False) -> None:
        self.doubts = doubts

    def load(self, device: str = "cpu") -> None: ...

    def transcribe(self, requests):
        return [self._hear(request.audio.samples) for request in requests]

    def _hear(self, samples) -> Transcript:
        number = round(abs(float(samples[0])) * 512)
        sure = 0.5 if self.doubts and number % 4 == 0 else 0.987654
        return Transcript(tuple(Word(word, round(0.31 * k, 4), round(0.31 * k + 0.24, 4), sure) for k, word in enumerate(TEXT.split())), "ready", "ctc_max_prob_min")

    def close(self) -> None: ...

    def identity(self):
        return {"doubts": self.doubts}


class ReadyJudge:
    """Gives every clip scores with as many digits as a network's."""

    name, primary, columns = "ready", None, ()

    def load(self, device: str = "cpu") -> None: ...

    def score(self, clips):
        return [Scores({column: 3.0 + float(clip.samples[0]) + k / 7 for k, column in enumerate(self.columns)}) for clip in clips]

    def close(self) -> None: ...

    def identity(self):
        return {}


for judge, columns_of_judge in SCORED.items():
    globals()[f"Ready_{judge}"] = type(f"Ready_{judge}", (ReadyJudge,), {"name": judge, "columns": columns_of_judge, "primary": columns_of_judge[0]})

ENGINES = [
    EngineInfo("ready", "stt", "row_sizes:ReadyTranscriber", "hears the text", "Apache-2.0", "none"),
    EngineInfo("ready-second", "stt", "row_sizes:ReadyTranscriber", "hears the text", "Apache-2.0", "none"),
    *(EngineInfo(judge, "judge", f"row_sizes:Ready_{judge}", "gives numbers", "Apache-2.0", "none") for judge in SCORED),
]


def scanned(folder: Path, store, first: int, end: int, scan_id: str) -> None:
    from scan_overhead import place_of, quiet

    from workbench.clips import open_manifest
    from workbench.scan.plan import ScanConfig
    from workbench.scan.scanning import scan

    manifest = folder / f"{scan_id}.jsonl"
    manifest.write_text("\n".join(json.dumps({"audio_filepath": place_of(number), "text": TEXT, "duration": 5.0}) for number in range(first, end)) + "\n")
    config = ScanConfig(fast="ready", precision="ready-second", judges=("signal", *SCORED), workers=1, batch_clips=64, engine_options={"ready": {"doubts": True}})
    summary = scan(open_manifest(manifest), config, store, scan_id=scan_id, say=quiet)
    if summary.clips != end - first or summary.failed:
        raise SystemExit(f"{summary.clips} of {end - first} clips came out, {summary.failed} failed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=4000)
    clips = parser.parse_args().clips
    # The module sets the engines of its own scans: ours must stand when it is done.
    from scan_overhead import write_clips

    os.environ["WORKBENCH_ENGINE_MODULES"] = "row_sizes"
    from tests.postgres_for_tests import PostgresServer
    from workbench.store import Store

    figures: dict[str, float] = {"clips": clips}
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        folder, server = Path(name), PostgresServer()
        write_clips(folder, clips)
        try:
            server.start()
            for kind, place in (("sqlite", str(folder / "rows.sqlite")), ("postgres", server.create_database())):
                sizes = []
                for part, (first, end) in enumerate(((0, clips // 2), (clips // 2, clips))):
                    with Store.open(place) as store:
                        scanned(folder, store, first, end, f"part{part}")
                    sizes.append(table_bytes(place, folder))
                figures |= {f"{kind}_{table}_bytes_per_clip": round((sizes[1][table] - sizes[0][table]) / (clips - clips // 2)) for table in sizes[1]}
                print(kind, figures, flush=True)
        finally:
            server.stop()
    print(json.dumps(figures))


def table_bytes(place: str, folder: Path) -> dict[str, int]:
    """Bytes of all tables with their indices; of PostgreSQL also table by table."""
    if not place.startswith("postgresql"):
        import sqlite3

        with sqlite3.connect(place) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {"all": (folder / "rows.sqlite").stat().st_size}
    import psycopg

    with psycopg.connect(place) as connection:
        names = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        sizes = {name: connection.execute("SELECT pg_total_relation_size(%s::regclass)", (name,)).fetchone()[0] for name in names}
    return {name: size for name, size in sizes.items() if name in ("audio_quality", "scan_clips", "audio_index")} | {"all": sum(sizes.values())}


if __name__ == "__main__":
    main()
