"""The folder that the driver and the machines of a cluster share: shards of clips going out, results coming back.

``000012.clips.parquet`` waits or is being computed, ``000012.parquet`` is its result, and once that is in the database it lies in ``stored/``. Whatever result lies
beside the clips was finished by a scan that died before it could store it.
"""

from __future__ import annotations

import json
import os
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import filelock

from workbench.errors import RunError
from workbench.scan.shards import Batch, identity_of, read_clips, read_outcome, write_clips
from workbench.scan.stages import WorkPlan, fingerprint
from workbench.scan.worker import AUDIO_FINGERPRINT, BatchOutcome

STORED = "stored"
_LOCK = ".lock"
#: A network file system may show another machine an old state of the folder for a while.
PATIENCE_SEC = 30.0

Found = TypeVar("Found")


def folder_of(root: Path | str, *, scan_id: str, store_url: str) -> Path:
    """The folder of one scan into one database, so that different scans under one root keep out of each other's way."""
    return Path(root).resolve() / f"{urllib.parse.quote(scan_id, safe='')[:100]}-{fingerprint(scan_id=scan_id, store=store_url)[:8]}"


@dataclass(frozen=True, slots=True)
class Source:
    """The shards of one pipeline, as its machines see them: numbers from ``first`` on, as far as the note in the folder says that they are written."""

    folder: Path
    first: int

    def read(self) -> tuple[int, bool]:
        """The number after the last shard written, and whether no other follows.

        Raises:
            RunError: the folder is not there.
        """
        told = patiently(self._told)
        if told is None:
            mend = "keep it on storage that every machine of the cluster sees under this path"
            raise RunError("the folder of shards cannot be read here", where=self.folder, mend=mend)
        return told["written"], told["ended"]

    def _told(self) -> dict | None:
        try:
            return json.loads(self.note.read_text())
        except (OSError, ValueError):
            return None

    @property
    def note(self) -> Path:
        # Each pipeline has its own: a machine that still sees an older one must not take this one for ended.
        return self.folder / f"from-{self.first:06d}.json"

    def clips(self, shard: int) -> Path:
        return self.folder / f"{shard:06d}.clips.parquet"

    def result(self, shard: int) -> Path:
        return self.folder / f"{shard:06d}.parquet"

    def stored(self, shard: int) -> Path:
        return self.folder / STORED / f"{shard:06d}.parquet"


class Driver:
    """The driver's side of the folder."""

    def __init__(self, source: Source, plan: WorkPlan) -> None:
        self.source, self._plan, self._written = source, plan, source.first
        self._note(ended=False)

    def send(self, batches: Sequence[Batch]) -> int:
        """Write a shard of clips and let it go out; its number."""
        shard = self._written
        write_clips(self.source.clips(shard), batches, identity=identity_of(batches, self._plan.stages))
        self._written += 1
        self._note(ended=False)
        return shard

    def end(self) -> None:
        """No other shard follows."""
        self._note(ended=True)

    def outcome(self, shard: int) -> BatchOutcome:
        """What a shard came to. Clips that are tried again have their encoded audio back.

        Raises:
            RunError: the result cannot be read here.
        """
        path = self.source.result(shard)
        outcome = patiently(lambda: read_outcome(path))
        if outcome is None:
            raise RunError("a shard was computed, but its result cannot be read here", where=path, mend="is the disk full or damaged, or the folder not shared?")
        if not outcome.again:
            return outcome
        sent = {position: clip for batch in read_clips(self.source.clips(shard))[0] for position, clip in batch}
        return replace(outcome, again=tuple((position, sent[position]) for position, _ in outcome.again))

    def stored(self, shard: int) -> None:
        """The shard's result is in the database."""
        os.replace(self.source.result(shard), self.source.stored(shard))
        self.source.clips(shard).unlink(missing_ok=True)

    def unstored(self) -> Iterator[tuple[int, BatchOutcome]]:
        """What an earlier run finished and did not store. Damaged files are dropped, as are errors and results of other engines: their clips are computed again."""
        stages = self._plan.by_name
        for path in sorted(self.source.folder.glob("*.parquet")):
            outcome = None if path.name.endswith(".clips.parquet") else read_outcome(path)
            if outcome is None:
                path.unlink()
                continue
            good = (r for r in outcome.records if not r.result.error)
            records = tuple(r for r in good if r.result.fingerprint == (stages[r.stage].fingerprint_of(r.clip) if r.stage in stages else AUDIO_FINGERPRINT))
            # The list of clips may be another by now; it finds these results in the database.
            yield _number(path), BatchOutcome(records, (), failed=(), computed=0, audio_sec=0.0, files=outcome.files)

    def _note(self, *, ended: bool) -> None:
        half_written = self.source.note.with_name(f".{self.source.note.name}")
        half_written.write_text(json.dumps({"written": self._written, "ended": ended}))
        os.replace(half_written, self.source.note)


@contextmanager
def opened(folder: Path, plan: WorkPlan) -> Iterator[Driver]:
    """The driver's side of a folder, made if need be and locked.

    Raises:
        RunError: another run uses the folder, or it cannot be written.
    """
    try:
        (folder / STORED).mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / _LOCK, timeout=0):
            taken = [_number(path) for path in (*folder.glob("*.parquet"), *folder.glob(f"{STORED}/*.parquet"))]
            for leftover in (*folder.glob("from-*.json"), *folder.glob(".*.json"), *folder.glob(".*.parquet.*")):
                leftover.unlink()
            driver = Driver(Source(folder, max(taken, default=-1) + 1), plan)
            try:
                yield driver
            finally:
                driver.end()
    except filelock.Timeout as error:
        raise RunError("this scan is running already", where=folder, mend="wait for that run to end, or name another ray_folder") from error
    except PermissionError as error:
        raise RunError("the folder of shards cannot be written", where=folder, got=error.strerror, mend="name a ray_folder that can be") from error


def patiently(read: Callable[[], Found | None]) -> Found | None:
    """What ``read`` gives, asked again for a while as long as that is None."""
    ends = time.monotonic() + PATIENCE_SEC
    while (found := read()) is None and time.monotonic() < ends:
        time.sleep(0.1)
    return found


def _number(path: Path) -> int:
    stem = path.name.partition(".")[0]
    return int(stem) if stem.isdecimal() else -1
