"""``workbench filter``: the clips of a scanned manifest that a rule keeps, as a manifest of their own, and what each condition took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.clips import Clip, Manifest
from workbench.datasets.chunks import Chunk, ChunkMaker
from workbench.datasets.columns import catalogue, kinds
from workbench.datasets.faults import Bounds
from workbench.datasets.keeping import RuleCount
from workbench.datasets.reading import Reading
from workbench.datasets.rules import STANDARD, Rule, parse
from workbench.datasets.writing import ManifestWriter, check_suffix, writing
from workbench.errors import ConfigError, StoreError
from workbench.scan.progress import print_line


@dataclass(frozen=True)
class Filtered:
    """What came of a filter.

    Attributes:
        count: of the clips that the scan holds.
        unscanned: clips of the manifest that the scan does not hold; they are not kept.
    """

    path: Path
    count: RuleCount
    unscanned: int


def read_rules(written: Sequence[str], *, named: dict[str, str] | None = None, scores: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules of a command line: names of standard or own rules, or conditions.

    Args:
        named: own rules by name.
        scores: score columns of judges from elsewhere.

    Raises:
        ConfigError, UnknownNameError: see ``rules.parse``; or there is no rule.
    """
    if not written:
        raise ConfigError("no rule to keep clips by", where="keep", expected=f"{', '.join(STANDARD)}, or a condition as wer_fast < 0.05", mend="give --keep")
    rules = {**STANDARD, **(named or {})}
    return tuple(parse(rules.get(text, text), columns=kinds(scores), named=rules, name=text if text in rules else "") for text in written)


def filter_manifest(
    manifest: Manifest,
    path: Path,
    rules: Sequence[Rule],
    reading: Reading,
    *,
    bounds: Bounds | None = None,
    scores: Sequence[str] = (),
    say: Callable[[str], None] = print_line,
) -> Filtered:
    """Write the clips that all rules keep, in the order of the manifest; the file is whole or not there, and memory holds some hundred clips.

    Args:
        reading: of the scan of this manifest, or of a part of it.
        bounds: where the faults begin that rules may ask for.
        scores: as for ``read_rules``.

    Raises:
        StoreError: the database holds no such scan, or one of another manifest.
        ConfigError: a rule asks for a column that no clip has.
        ManifestError: the file cannot be written, or its format cannot hold the clips.
    """
    check_suffix(path)
    if next(iter(reading.store.members(reading.scan_id, chunk=1)), None) is None:
        raise StoreError("there is no scan of this manifest", where=reading.store.shown, got=f"no clips of scan {reading.scan_id}",
                         mend=f"workbench scan {manifest.source}, or name another scan with --scan; workbench db info lists them")  # fmt: skip
    count, maker = RuleCount.of(rules), ChunkMaker(bounds or Bounds(), reading.usual(), scores=scores)
    known = catalogue(scores)
    measured = [name for name in dict.fromkeys(name for rule in rules for name in rule.columns) if known[name].kind == "number"]
    clips = _Aligned(manifest)
    with writing(path, measured=measured) as writer:
        for chunk in maker.chunks(reading.results()):
            kept = count.add(chunk)
            _write(chunk, kept, clips, writer, measured, scan_id=reading.scan_id)
        clips.finish()
        if count.never_known:
            raise ConfigError("a column that no clip of the scan has", where=f"rule {count.name!r}", got=", ".join(count.never_known),
                              mend="scan with the engine or judge that gives it, or name the scan's parameters")  # fmt: skip
    for line in told(count, unscanned=clips.unscanned):
        say(line)
    return Filtered(path, count, clips.unscanned)


class _Aligned:
    """The manifest's clips beside those of the scan: both in one order, the scan's perhaps only a part."""

    def __init__(self, manifest: Manifest) -> None:
        self._source, self._clips = manifest.source, iter(manifest)
        self.unscanned = 0

    def clip_of(self, scanned: Clip, *, scan_id: str) -> Clip:
        """The manifest's own clip, which has its audio with it."""
        for clip in self._clips:
            if (clip.clip_id, clip.text) == (scanned.clip_id, scanned.text):
                return clip
            self.unscanned += 1
        raise StoreError("the scan is of another manifest, or this one has changed since", where=f"scan {scan_id}", got=f"clip {scanned.clip_id} is not where it was",
                         expected=f"the clips of {self._source} in their order", mend="scan the manifest again")  # fmt: skip

    def finish(self) -> None:
        self.unscanned += sum(1 for _ in self._clips)


def _write(chunk: Chunk, kept: np.ndarray, clips: _Aligned, writer: ManifestWriter, measured: Sequence[str], *, scan_id: str) -> None:
    for index, result in enumerate(chunk.results):
        clip = clips.clip_of(result.clip, scan_id=scan_id)
        if kept[index]:
            values = {name: value for name in measured if np.isfinite(value := float(chunk.columns[name][index]))}
            writer.write(clip, duration_sec=result.duration_sec, measured=values)


def told(count: RuleCount, *, unscanned: int = 0) -> Iterator[str]:
    """What a filter did, line by line."""
    yield f"kept {count.kept:,} of {count.clips:,} clips, {_hours(count.kept_sec)} of {_hours(count.sec)}"
    width = max((len(clause.text) for clause in count.clauses), default=0)
    for clause in count.clauses:
        unknown = f"; unknown for {clause.unknown:,}" if clause.unknown else ""
        yield f"  {clause.text:<{width}}  takes {_hours(clause.taken_sec)} ({clause.taken:,} clips), {_hours(clause.alone_sec)} ({clause.alone:,}) it alone{unknown}"
    if count.unreadable:
        yield f"  {count.unreadable:,} clips without readable audio are kept by no rule"
    if unscanned:
        yield f"  {unscanned:,} clips of the manifest are not in the scan and are not kept"


def _hours(sec: float) -> str:
    return f"{sec / 3600:.2f} h" if sec >= 360 else f"{sec / 60:.1f} min" if sec >= 60 else f"{sec:.1f} s"
