"""The connection to Ray: a Ray of its own on this machine, or a cluster. Nothing is sent to Ray's makers, nothing is shown and nothing is downloaded."""

from __future__ import annotations

import logging
import math
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import ConfigError, EngineUnavailableError, RunError

log = logging.getLogger(__name__)

MOST_STARTS = 3
ANSWER_SEC = 15.0
_ASK = "`ray status` on a machine of the cluster tells whether it is up, and its address"


@contextmanager
def connected(address: str | None, *, cpus: int) -> Iterator[None]:
    """A connection to Ray: the one that this process has already, the cluster at ``address`` (``host:port`` or ``auto``), or a Ray of its own on this machine with so
    many ``cpus``, which ends with it.

    Raises:
        ConfigError: an address of another kind.
        EngineUnavailableError: Ray is not installed.
        RunError: no cluster answers at ``address``.
    """
    # Ray reports its use over the network unless told not to, and it looks when it is imported.
    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise EngineUnavailableError("Ray is not installed", mend="pip install 'workbench[scale]'") from error
    if ray.is_initialized():
        yield
        return
    if address is not None:
        _check(address)
    # Ray's sockets need a short path.
    own = tempfile.mkdtemp(prefix="ray-", dir="/tmp" if Path("/tmp").is_dir() else None)
    try:
        _connect(address, cpus, own)
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(own, ignore_errors=True)


def _check(address: str) -> None:
    """Ask the address itself first: Ray would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        mend = "start the scan on a machine of the cluster and give the address of its head"
        raise ConfigError("no address of a Ray cluster", where="ray_address", got=address, expected="host:6379, or auto", mend=mend)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SEC).close()
    except (OSError, OverflowError) as error:
        raise RunError("no Ray cluster answers", where=address, got=error, mend=_ASK) from error


def _connect(address: str | None, cpus: int, folder: str) -> None:
    import ray

    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    for attempt in range(MOST_STARTS):
        try:
            if address is None:
                patient = {"agent_register_timeout_ms": 120_000}
                ray.init(address="local", num_cpus=cpus, include_dashboard=False, _temp_dir=folder, _system_config=patient, **quiet)
            else:
                ray.init(address=address, runtime_env={"py_modules": [str(Path(__file__).parents[1])]}, **quiet)
            return
        except Exception as error:  # noqa: BLE001 - Ray raises plain exceptions, among others
            ray.shutdown()
            # On a busy machine Ray gives up on its own processes after half a minute.
            if address is not None or attempt == MOST_STARTS - 1:
                raise RunError("no connection to Ray", where=address or "this machine", got=error, mend=_ASK if address else "is the machine overloaded?") from error


def share(resource: str, among: int, *, cluster: bool) -> float:
    """How much of a resource each of ``among`` kinds of actors asks for, so that one of each fits: one, or the same part of one where there are fewer.

    Args:
        cluster: whether the resource may still come; if not, and there is none, nobody asks for it.
    """
    import ray

    total = ray.cluster_resources().get(resource, 0.0)
    if among == 0 or (total == 0 and not cluster):
        return 0.0
    if total == 0:
        log.warning("Ray has no %s yet: the scan waits until a machine with one joins the cluster", resource)
        return 1.0
    # Equal parts of whole ones: two thirds of a card would leave a third of it to nobody.
    return math.floor(1000 / math.ceil(among / total)) / 1000
