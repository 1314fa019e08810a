"""Kills on purpose: what a scan loses, doubles or changes when its processes are ended by SIGKILL at random moments.

``--local``: the whole scan (SQLite, two workers, orders stream and batch in turn) is killed at a random moment of its run, and the same command then finishes it.
``--ray``: one process of Ray that computes is killed during a scan by the Ray runner, which has to finish by itself. ``--server``: the PostgreSQL server is killed during a
scan into it and started again a second later; the scan has to finish by itself. Every scan is compared with an undisturbed one: ``lost`` counts clips that are missing,
``doubled`` clips, rows or places that are there twice, ``different`` those with another result. Some clips are refused by the engine until their tries are used up and some
hold no audio, so that failures are among what must survive. Kills that came after the scan's own end are not counted, and tried again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
os.environ["WORKBENCH_ENGINE_MODULES"] = "idle_engines"
os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'benchmarks'}"

from scan_overhead import manifest_of, place_of, write_clips

from tests.postgres_for_tests import PASSWORD, PostgresServer
from workbench.clips import open_manifest
from workbench.scan.command import name_of
from workbench.scan.plan import ScanParameters, plan_stages
from workbench.settings import gather
from workbench.store import Store

#: Most clips cost 4 ms twice over, so that a scan of some hundred lasts long enough to be hit.
PARAMETERS = (
    "fast=idle",
    "precision=idle-second",
    "judges=[signal]",
    "engine_options={idle: {busy_ms: 4, unsure_every: 3, fails_every: 41}, idle-second: {busy_ms: 4}}",
    "escalate=flagged",
    "workers=2",
    "batch_clips=4",
    "breaker_failures=null",
)
MOST_RUNS = 10
END_SEC = 300.0


@dataclass
class Tally:
    """What kills came to, summed up."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    different: int = 0
    by_kind: Counter = field(default_factory=Counter)

    def add(self, kind: str, found: list, expected: list) -> None:
        names, wanted = Counter(row[0] for row in found), {row[0]: row for row in expected}
        lost = len(wanted.keys() - names.keys())
        doubled = sum(count - 1 for count in names.values()) + len(names.keys() - wanted.keys())
        different = sum(wanted.get(row[0]) != row for row in found)
        self.kills += 1
        self.lost, self.doubled, self.different = self.lost + lost, self.doubled + doubled, self.different + different
        self.by_kind[kind] += 1
        print(f"{kind} {self.by_kind[kind]}: lost {lost}, doubled {doubled}, different {different}", flush=True)


def command(manifest: Path, database: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "workbench.cli", "scan", str(manifest), "--db", database, *PARAMETERS, *more]


@contextmanager
def started(manifest: Path, database: str, *more: str) -> Iterator[subprocess.Popen]:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command(manifest, database, *more), cwd=manifest.parent, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
            if process.wait(END_SEC) not in (0, -signal.SIGKILL):
                log.seek(0)
                raise SystemExit(f"a scan ended with {process.returncode}:\n{log.read()[-3000:]}")
        finally:
            if process.poll() is None:
                process.kill()


def finish(manifest: Path, database: str, *more: str) -> float:
    """Run a scan to its end; its seconds."""
    began = time.monotonic()
    with started(manifest, database, *more):
        pass
    return time.monotonic() - began


def rows_of(manifest: Path, database: str) -> list:
    """Every clip of the scan with all that its row holds of the stages, times of computing left out; and rows that belong to no clip."""
    stages = plan_stages(gather(ScanParameters, {}, assignments=PARAMETERS, where="benchmark").scan_config())
    found, keys = [], Counter()
    with Store.open(database) as store:
        for members in store.members(name_of(open_manifest(manifest))):
            rows = store.read((member.key for member in members), stages=[stage.name for stage in stages])
            for member in members:
                row = rows.get(member.key)
                results = {s.name: (r.values, r.error) if row and (r := row.stage(s.name, s.fingerprint)) else None for s in stages}
                found.append((member.clip.clip_id, member.position, member.key, row and row.columns["audio_error"], results))
                keys[member.key] += 1
        rows_stored = sum(store.info().rows.values())
    found += [(f"row without a clip {number}",) for number in range(rows_stored - len(keys))]
    return found


def kill_local(tally: Tally, manifest: Path, work: Path, expected: list, draw: random.Random, typical_sec: dict[str, float]) -> None:
    number = tally.by_kind["local"]
    order = ("stream", "batch")[number % 2]
    for attempt in range(MOST_RUNS):
        database = str(work / f"local{number}-{attempt}.sqlite")
        with started(manifest, database, "--order", order) as process:
            # From before the first clip to after the last one, start of the program left out.
            time.sleep(draw.uniform(0.25, 0.95) * typical_sec[order])
            hit = process.poll() is None
            process.send_signal(signal.SIGKILL)
        if hit:
            finish(manifest, database, "--order", order)
            tally.add("local", rows_of(manifest, database), expected)
            return
    raise SystemExit("every kill came too late")


def kill_ray(tally: Tally, manifest: Path, work: Path, expected: list, draw: random.Random) -> None:
    number = tally.by_kind["ray"]
    for attempt in range(MOST_RUNS):
        database = str(work / f"ray{number}-{attempt}.sqlite")
        with started(manifest, database, "--runner", "ray", f"ray_folder={work / f'ray{number}-{attempt}'}") as process:
            hit = _until(lambda p=process: _computing(p), process)
            time.sleep(draw.uniform(0.0, 2.0))
            victims = _computing(process)
            if hit and victims:
                draw.choice(victims).kill()
            else:
                victims = []
            process.wait(END_SEC)
        if victims:
            tally.add("ray", rows_of(manifest, database), expected)
            return
    raise SystemExit("every kill came too late")


def _computing(process: subprocess.Popen) -> list[psutil.Process]:
    """The processes in which Ray runs the scan's parts, and the worker processes under them."""
    found = []
    try:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                words = child.cmdline()
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            if words and words[0].startswith("ray::MapWorker"):
                found += [child, *child.children(recursive=True)]
    except psutil.NoSuchProcess:
        pass
    return found


def kill_server(tally: Tally, manifest: Path, expected: list, draw: random.Random, server: PostgresServer, typical_sec: float) -> None:
    for _ in range(MOST_RUNS):
        url = server.create_database()
        bare = url.replace(url.partition("://")[2].rpartition("@")[0], url.partition("://")[2].partition(":")[0], 1)
        with started(manifest, bare) as process:
            time.sleep(draw.uniform(0.3, 0.9) * typical_sec)
            hit = process.poll() is None
            server.kill()
            time.sleep(1.0)
            server.start()
            process.wait(END_SEC)
        if hit:
            tally.add("server", rows_of(manifest, url), expected)
            return
    raise SystemExit("every kill came too late")


def _until(happens: Callable[[], object], process: subprocess.Popen) -> bool:
    while process.poll() is None:
        if happens():
            return True
        time.sleep(0.05)
    return False


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--clips", type=int, default=600)
    options.add_argument("--local", type=int, default=20, help="kills of a local scan")
    options.add_argument("--ray", type=int, default=5, help="kills of a process of Ray")
    options.add_argument("--server", type=int, default=3, help="kills of the PostgreSQL server")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    draw, tally = random.Random(asked.seed), Tally()
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        work = Path(name)
        write_clips(work, asked.clips)
        manifest = manifest_of(work, asked.clips)
        for number in draw.sample(range(asked.clips), 3):
            (work / place_of(number)).write_bytes(b"no audio")
        typical_sec = {order: finish(manifest, str(work / f"{order}.sqlite"), "--order", order) for order in ("stream", "batch")}
        expected = rows_of(manifest, str(work / "stream.sqlite"))
        failing = sum(bool(row[3]) or any(result and result[1] for result in row[4].values()) for row in expected)
        print(f"undisturbed: {len(expected)} clips, {failing} of them with a failure, {typical_sec['stream']:.1f} s", flush=True)
        if len(expected) != asked.clips or rows_of(manifest, str(work / "batch.sqlite")) != expected:
            raise SystemExit("the undisturbed scans differ")
        for _ in range(asked.local):
            kill_local(tally, manifest, work, expected, draw, typical_sec)
        for _ in range(asked.ray):
            kill_ray(tally, manifest, work, expected, draw)
        if asked.server:
            os.environ["PGPASSWORD"] = PASSWORD
            server = PostgresServer()
            try:
                server.start()
                for _ in range(asked.server):
                    kill_server(tally, manifest, expected, draw, server, typical_sec["stream"])
            finally:
                server.stop()
    print(json.dumps({"kills": tally.kills, "lost": tally.lost, "doubled": tally.doubled, "different": tally.different, **{f"kills_{kind}": n for kind, n in tally.by_kind.items()}}))


if __name__ == "__main__":
    main()
