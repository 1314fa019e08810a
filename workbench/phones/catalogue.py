"""Phone recognisers that come with the workbench."""

from workbench.engines import EngineInfo

ENGINES: tuple[EngineInfo, ...] = ()
