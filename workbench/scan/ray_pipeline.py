"""The scan's stages as a Ray Data pipeline: one small row per shard goes through pools of actors, and Ray decides what runs where and when.

Only ``ray_runner`` imports this, once Ray is known to be there. An actor runs no engine itself: it keeps a worker process of its own with the local runner's time
limits and breakers, so an engine that hangs, crashes or fails gives the same rows as without Ray.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray.data
import ray.exceptions
from ray.data import ActorPoolStrategy, DataContext, Dataset
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from workbench.errors import RunError
from workbench.scan.member import sendable
from workbench.scan.ray_folder import Source

POLL_SEC = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One operator of the pipeline: ``make()`` gives, on its machine, what turns a shard's state into the next.

    Attributes:
        make: called once in each actor; gives an object with ``step(shard, state) -> state`` and ``close()``.
        size: least and most actors.
        cpus, gpus: of one actor, as Ray counts them.
    """

    name: str
    make: Callable[[], Any]
    size: tuple[int, int]
    cpus: float
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """The shard's result is on disk; whatever comes after lets it pass."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The run cannot go on; told as data, so that Ray neither tries again nor wraps the error."""

    error: Exception
    traceback: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process on another machine must know of this one. Travels inside the work, as Ray writes the environments it is asked for into its logs."""

    variables: dict[str, str]
    places: tuple[str, ...]
    folder: str

    def take(self) -> None:
        os.environ.update(self.variables)
        # Clips and databases may be named from where the scan was started.
        with contextlib.suppress(OSError):
            os.chdir(self.folder)
        sys.path += [place for place in self.places if place not in sys.path and Path(place).is_dir()]
        # Worker processes of the actor would otherwise import Ray's own main program again.
        vars(sys.modules["__main__"]).pop("__file__", None)


class _Actor:
    """A part in its actor. What it raises becomes the shard's state."""

    def __init__(self, part: Part, surroundings: Surroundings) -> None:
        surroundings.take()
        self._make, self._part = part.make, None

    def __call__(self, table: pa.Table) -> pa.Table:
        shard, state = table["shard"][0].as_py(), pickle.loads(table["state"][0].as_buffer())
        if not isinstance(state, Finished | Broken):
            try:
                if self._part is None:
                    self._part = self._make()
                state = self._part.step(shard, state)
            except Exception as error:  # noqa: BLE001 - raised again by the driver
                state = Broken(sendable(error), "".join(traceback.format_exception(error)))
        return row_of(shard, state)

    def __del__(self) -> None:
        if getattr(self, "_part", None) is not None:
            self._part.close()


def row_of(shard: int, state: Any) -> pa.Table:
    # Large: a shard's audio may pass the 2 GiB of Arrow's plain binary column.
    return pa.table({"shard": pa.array([shard], pa.int64()), "state": pa.array([pickle.dumps(state, protocol=5)], pa.large_binary())})


class _Shards(Datasource):
    """The numbers of the shards, as the driver writes them: one read task follows the note that the driver keeps beside them.

    The same numbers come out when Ray runs the task a second time.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def get_name(self) -> str:
        return "Shards"

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None) -> list[ReadTask]:
        nothing_known = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(partial(_follow, self._source), nothing_known)]


def _follow(source: Source) -> Iterator[pa.Table]:
    shard = source.first
    while True:
        written, ended = source.read()
        for number in range(shard, written):
            yield row_of(number, None)
        shard = max(shard, written)
        if ended:
            return
        time.sleep(POLL_SEC)


def stream(source: Source, parts: Sequence[Part], surroundings: Surroundings) -> Iterator[tuple[int, Any]]:
    """(shard, its last state) as shards come out of the last part.

    Raises:
        RunError: Ray itself gave up.
    """
    with DataContext.current(_settings()):
        found: Dataset = ray.data.read_datasource(_Shards(source), concurrency=1, override_num_blocks=1, num_cpus=0)
        for part in parts:
            found = found.map_batches(
                type(part.name, (_Actor,), {}),
                fn_constructor_args=(part, surroundings),
                # A shard is a row and a block; Ray wants that said where cards are asked for.
                batch_size=1,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(min_size=part.size[0], max_size=part.size[1], max_tasks_in_flight_per_actor=2),
                num_cpus=part.cpus,
                num_gpus=part.gpus,
            )
        # Nothing is fetched ahead: a shard that is done is handed out at once, not when the next one is done.
        tables = iter(found.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
    while (table := _next(tables)) is not None:
        for shard, state in zip(table["shard"].to_pylist(), table["state"].to_pylist(), strict=True):
            yield shard, pickle.loads(state)


def _next(tables: Iterator[pa.Table]) -> pa.Table | None:
    try:
        return next(tables, None)
    except ray.exceptions.RayError as error:
        raise RunError("Ray gave up", got=error, mend="run the same scan again, it goes on from here; `ray status` tells how the cluster is") from error


def _settings() -> DataContext:
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.issue_detectors_config.detectors = []
    # One row is one block: Ray otherwise gathers rows until a block is worth while, and the stream would stand still.
    context.target_max_block_size = context.target_min_block_size = 1
    # How long an engine may take is known to the worker processes, not to Ray.
    context.execution_no_progress_timeout_s = -1
    return context
