"""What of a scan is finished already: whole stretches by their digest, single clips by what the store knows of them; the rest as batches to compute."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from workbench.clips import Clip
from workbench.scan.cascade import ToDo
from workbench.scan.progress import Progress
from workbench.scan.stages import WorkPlan
from workbench.scan.worker import AUDIO_FINGERPRINT, Batch, BatchOutcome, file_state, text_hash
from workbench.store import FileState, FinishedChunk, Member, RowKey, Store

#: Clips that are recognised together by one digest; fewer where each brings its audio along, as they are held in memory meanwhile.
CHUNK_CLIPS = 1000
INLINE_CHUNK_CLIPS = 64
#: Clips that are compared with the store in one query.
RECOGNISED_AT_ONCE = 250


@dataclass(slots=True)
class _Stretch:
    """A stretch of a scan with clips under way. Once none waits and all are ``clean`` it is finished."""

    clips: int
    digest: str
    waiting: int = 0
    failed: int = 0
    clean: bool = True


class Unfinished:
    """Batches of clips that some stage has work for. What is finished is noted on the way and not opened.

    Args:
        only: names of the stages that are asked after; None asks after all, and only then stretches are noted as finished.
    """

    def __init__(
        self, clips: Iterable[Clip], plan: WorkPlan, store: Store, scan_id: str, *, batch_clips: int, progress: Progress, only: Collection[str] | None = None
    ) -> None:
        self._clips, self._plan, self._by_name, self._store, self._scan_id = clips, plan, plan.by_name, store, scan_id
        self._stages = tuple(stage for stage in plan.stages if only is None or stage.name in only)
        self._batch_clips, self._progress, self._all = batch_clips, progress, only is None
        self._stretches: dict[int, _Stretch] = {}
        self._firsts: list[int] = []
        self._identity = repr([[(s.name, s.fingerprint) for s in plan.stages], plan.cascade.model_dump(), plan.seed, plan.max_attempts, AUDIO_FINGERPRINT])
        self.listed = 0

    def __iter__(self) -> Iterator[list[tuple[int, Clip]]]:
        waiting: list[tuple[int, Clip]] = []
        for chunk in _chunks(self._clips):
            first = chunk[0][0]
            self.listed = first + len(chunk)
            states = [file_state(clip) for _, clip in chunk]
            digest = self._digest(chunk, states)
            known = self._store.chunks(self._scan_id, [first]).get(first)
            if known is not None and (known.clips, known.digest) == (len(chunk), digest):
                self._progress.add(len(chunk), failed=known.failed)
                continue
            self._firsts.append(first)
            stretch = self._stretches[first] = _Stretch(len(chunk), digest)
            for start in range(0, len(chunk), RECOGNISED_AT_ONCE):
                part = slice(start, start + RECOGNISED_AT_ONCE)
                waiting += self._without_finished(chunk[part], states[part], stretch)
            self._note(self._ended([first]))
            while len(waiting) >= self._batch_clips:
                batch, waiting = waiting[: self._batch_clips], waiting[self._batch_clips :]
                yield batch
        if waiting:
            yield waiting

    def settle(self, outcome: BatchOutcome, *, given_up: Batch = ()) -> list[FinishedChunk]:
        """Count what came back; the stretches that are finished with it.

        Args:
            given_up: clips of ``outcome.again`` that this run does not try again.
        """
        left = {position for position, _ in given_up}
        still = {position for position, _ in outcome.again} - left
        unsettled, failed, touched = left.union(outcome.unsettled), left.union(outcome.failed), set()
        for member in outcome.members:
            if member.position in still:
                continue
            first = self._firsts[bisect_right(self._firsts, member.position) - 1]
            stretch = self._stretches[first]
            stretch.waiting -= 1
            stretch.failed += member.position in failed
            stretch.clean = stretch.clean and member.position not in unsettled
            touched.add(first)
        return self._ended(sorted(touched))

    def _ended(self, firsts: Iterable[int]) -> list[FinishedChunk]:
        """Those of these stretches that nothing waits for any more; only the finished ones come back."""
        ended = {first: self._stretches.pop(first) for first in firsts if self._stretches[first].waiting == 0}
        self._firsts = [first for first in self._firsts if first not in ended]
        return [FinishedChunk(first, s.clips, s.digest, s.failed) for first, s in ended.items() if s.clean and self._all]

    def _note(self, finished: list[FinishedChunk]) -> None:
        if finished:
            self._store.write([], scan_id=self._scan_id, chunks=finished)

    def _digest(self, chunk: Batch, states: Sequence[FileState | None]) -> str:
        """Everything that the stretch's rows depend on: stages and choices, the clips as listed, their files' states or their audio itself."""
        digest = hashlib.sha256(self._identity.encode())
        for (_, clip), state in zip(chunk, states, strict=True):
            told = (clip.clip_id, clip.audio, clip.text, clip.dataset, clip.speaker, clip.category, clip.fault, clip.extra, state and state[1:3])
            digest.update(repr(told).encode("utf-8", "surrogatepass"))
            if clip.audio_bytes is not None:
                digest.update(hashlib.sha256(clip.audio_bytes).digest())
        return digest.hexdigest()

    def _without_finished(self, chunk: Batch, states: Sequence[FileState | None], stretch: _Stretch) -> list[tuple[int, Clip]]:
        known = self._store.file_states([state.place for state in states if state])
        keys: dict[int, RowKey] = {}
        for (position, clip), state in zip(chunk, states, strict=True):
            before = known.get(state.place) if state else None
            if before is not None and before._replace(file_hash="") == state:
                keys[position] = RowKey(before.file_hash, clip.dataset, text_hash(clip.text))
        rows = self._store.read(keys.values(), stages=[stage.name for stage in self._plan.stages]) if keys else {}
        finished, rest, failed = [], [], 0
        for position, clip in chunk:
            row = rows.get(keys.get(position))
            if row is None:
                rest.append((position, clip))
                continue
            found = ((stage.name, row.stage(stage.name, stage.fingerprint_of(clip))) for stage in self._plan.stages)
            choice = self._plan.choice(clip, keys[position], {name: result for name, result in found if result is not None}, by_name=self._by_name)
            if any(choice.to_do(stage) is ToDo.NOW for stage in self._stages) or (self._all and choice.unfinished()):
                rest.append((position, clip))
            else:
                finished.append(Member(position, keys[position], clip))
                failed += choice.failed()
        stretch.waiting += len(rest)
        stretch.failed += failed
        if finished:
            self._store.write([], scan_id=self._scan_id, members=finished)
            self._progress.add(len(finished), failed=failed)
        return rest


def _chunks(clips: Iterable[Clip]) -> Iterator[list[tuple[int, Clip]]]:
    numbered = enumerate(clips)
    for first in numbered:
        size = CHUNK_CLIPS if first[1].audio_bytes is None else INLINE_CHUNK_CLIPS
        yield [first, *islice(numbered, size - 1)]
