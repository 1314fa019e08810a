"""Engines in an environment of their own, for packages that cannot live beside ours: the same protocols, a worker process behind them.

A third party declares an ``EnvironmentSpec`` in ``ENVIRONMENTS`` of its engine module (or by an entry point in the group
``workbench.environments``), names it in ``EngineInfo.environment``, and subclasses ``IsolatedJudge``, ``IsolatedTranscriber`` or
``IsolatedSynthesizer``; ``docs/isolated_engines.md`` shows a whole one.
"""

from workbench.isolated.kinds import IsolatedJudge, IsolatedSynthesizer, IsolatedTranscriber
from workbench.isolated.proxy import IsolatedEngine
from workbench.isolated.spec import EnvironmentSpec, environment, environments_folder

__all__ = [
    "EnvironmentSpec",
    "IsolatedEngine",
    "IsolatedJudge",
    "IsolatedSynthesizer",
    "IsolatedTranscriber",
    "environment",
    "environments_folder",
]
