"""The Ray runner: the same stages as the local one, on one machine or on a cluster.

Ray Data (https://docs.ray.io/en/latest/data/data.html) decides what runs where, replaces workers that died and lets a cluster grow. This module only feeds it shards
of clips and hands back what became of each. The driver alone writes to the database; the other machines read from it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import engines
from workbench.errors import RunError
from workbench.scan import ray_folder
from workbench.scan.ray_connection import share
from workbench.scan.stages import WorkPlan
from workbench.scan.worker import Batch, BatchOutcome

if TYPE_CHECKING:
    from workbench.scan.ray_pipeline import Part, Surroundings

#: Settings of this project and of the model hubs, which the machines of a cluster take over from this one; secrets stay here.
_PASSED_ON = ("WORKBENCH_", "HF_", "TRANSFORMERS_", "TORCH_")
_SECRETS = ("TOKEN", "SECRET", "PASSWORD", "_KEY")


class RayRunner:
    """Gives batches to a pipeline of actors, within a connection to Ray (``ray_connection.connected``). What an earlier run of the same scan had finished but not stored
    is handed out first.

    Args:
        only: names of the stages to compute; others get no actors. None computes all.
        folder: of this scan's shards, on storage that every machine of the cluster sees under this path.
        cluster: whether machines may join; without, what is not there now will not come.
        workers: most actors of each part; Ray adds and removes them with the load.
        shard_clips: about so many clips are sent, computed and committed together.
        gpus: of each actor whose engine runs on CUDA; None gives a card to each, or as much of one as there is.
        in_flight: most shards under way at once.
    """

    def __init__(
        self,
        plan: WorkPlan,
        *,
        folder: Path,
        only: Collection[str] | None = None,
        cluster: bool = False,
        workers: int = 2,
        shard_clips: int = 64,
        gpus: float | None = None,
        in_flight: int | None = None,
    ) -> None:
        self._plan, self._folder, self._cluster, self._workers, self._gpus = plan, folder, cluster, workers, gpus
        self._stages = tuple(stage for stage in plan.stages if only is None or stage.name in only)
        self._shard_clips = shard_clips
        # Every actor of the slowest part computes one shard and has another one waiting.
        self._in_flight = in_flight if in_flight is not None else 2 * (len(self._stages) + 1 + workers)
        self._held = ExitStack()
        self._driver: ray_folder.Driver | None = None
        self._coming: Iterator[tuple[int, Any]] | None = None

    def close(self) -> None:
        """Let the actors go."""
        self._held.close()
        self._driver = self._coming = None

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchOutcome]:
        """Outcomes shard by shard, as they are done; one counts as stored once the next is asked for. May be called again; actors and their engines stay.

        Raises:
            RunError: the same scan runs already, Ray gave up, or the folder is not seen by every machine.
            Exception: what an engine's loading raised, or what the batches broke off with, once what is under way has come back.
        """
        if self._driver is None:
            self._driver = self._held.enter_context(ray_folder.opened(self._folder, self._plan))
        driver = self._driver
        for shard, outcome in driver.unstored():
            yield outcome
            driver.stored(shard)
        feed = Feed(batches, driver, shard_clips=self._shard_clips, in_flight=self._in_flight)
        while feed.fill():
            shard = self._next_done(driver)
            yield driver.outcome(shard)
            driver.stored(shard)
            feed.landed()
        if feed.broken_off is not None:
            raise feed.broken_off

    def _next_done(self, driver: ray_folder.Driver) -> int:
        """The next shard that is through all parts. The pipeline is started when there is work: without, no machine is asked for."""
        from workbench.scan.ray_pipeline import Broken, stream

        if self._coming is None:
            self._coming = self._held.enter_context(closing(stream(driver.source, self._parts(driver.source), surroundings())))
        shard, state = next(self._coming, (None, None))
        if shard is None:
            raise RunError("Ray left work undone", where=self._folder, mend="run the same scan again, it goes on from here")
        if isinstance(state, Broken):
            state.error.add_note(f"In a worker process:\n{state.traceback}")
            raise state.error
        return shard

    def _parts(self, source: ray_folder.Source) -> list[Part]:
        from workbench.scan.ray_parts import OpenPart, StagePart
        from workbench.scan.ray_pipeline import Part

        size, cpus = (1, self._workers), share("CPU", len(self._stages) + 1, cluster=True)
        on_gpu = {s.name for s in self._stages if engines.device_of(s.engine, s.kind, self._plan.device).startswith("cuda")}
        gpus = self._gpus if self._gpus is not None else share("GPU", len(on_gpu), cluster=self._cluster)
        parts = [Part("Open", partial(OpenPart, self._plan, source), size, cpus)]
        for stage in self._stages:
            # Ray shows an actor its own cards only, so a number would count among those.
            plan = replace(self._plan, device="cuda") if stage.name in on_gpu else self._plan
            make = partial(StagePart, plan, stage, source, self._stages)
            parts.append(Part(f"Stage_{stage.name}", make, size, cpus, gpus if stage.name in on_gpu else 0.0))
        return parts


class Feed:
    """Shards of clips on their way out, never more than ``in_flight`` at once: memory and disk stay flat, however slowly outcomes are taken."""

    def __init__(self, batches: Iterable[Batch], driver: ray_folder.Driver, *, shard_clips: int, in_flight: int) -> None:
        self._batches, self._driver = iter(batches), driver
        self._shard_clips, self._in_flight = shard_clips, in_flight
        self._flying, self._ended = 0, False
        self.broken_off: Exception | None = None

    def fill(self) -> int:
        """Send as many shards as may be under way; how many are."""
        while not self._ended and self._flying < self._in_flight:
            if shard := self._next_shard():
                self._driver.send(shard)
                self._flying += 1
        return self._flying

    def landed(self) -> None:
        """A shard is done; another may follow."""
        self._flying -= 1

    def _next_shard(self) -> Sequence[Batch]:
        shard: list[Batch] = []
        try:
            while sum(map(len, shard)) < self._shard_clips:
                shard.append(next(self._batches))
        except StopIteration:
            self._ended = True
        except Exception as error:  # noqa: BLE001 - raised by the run once what is under way is done
            self._ended, self.broken_off = True, error
        return shard


def surroundings() -> Surroundings:
    """What workers elsewhere take over from this process."""
    from workbench.scan.ray_pipeline import Surroundings

    passed = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON) and not any(word in name for word in _SECRETS)}
    return Surroundings(passed, tuple(str(Path(place).resolve()) for place in sys.path), str(Path.cwd()))
