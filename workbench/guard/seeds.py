"""The same random draws for the same work, in whichever process and order it is done."""

from __future__ import annotations

import hashlib
import random
import sys


def seed_of(seed: int, *parts: str) -> int:
    """A seed in 0 .. 2**32 - 1 made of a run's seed and what it is for (content hash, stage).

    >>> seed_of(1, "abc") == seed_of(1, "abc") != seed_of(2, "abc")
    True
    """
    text = "\0".join([str(seed), *parts])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big")


def seed_everything(seed: int) -> None:
    """Set the process-wide generators of Python, numpy and torch (all its devices); those not imported have nothing to seed."""
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
