"""Whether the user forbade the network."""

from __future__ import annotations

import os

#: Any of these set to something like yes keeps the workbench off the network; the latter two are the hub library's own.
OFFLINE_VARIABLES = ("WORKBENCH_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def is_offline(*, hubs: bool = True) -> bool:
    """Whether the network is forbidden (``WORKBENCH_OFFLINE=1``), or with ``hubs`` only that of model hubs (``HF_HUB_OFFLINE=1``)."""
    names = OFFLINE_VARIABLES if hubs else OFFLINE_VARIABLES[:1]
    return any(os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no", "off") for name in names)
