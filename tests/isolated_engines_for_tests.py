"""Third-party engines in other environments, as the tests join them through ``WORKBENCH_ENGINE_MODULES``.

The environments that install nothing are reached with the option ``python``: the interpreter that runs the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workbench.engines import EngineInfo
from workbench.isolated import EnvironmentSpec, IsolatedJudge, IsolatedSynthesizer, IsolatedTranscriber

CHILDREN = (Path(__file__).parent / "isolated_children",)

ENVIRONMENTS = [
    EnvironmentSpec("judging-elsewhere", ("numpy==1.26.4",), "child_for_tests:Judging", CHILDREN),
    EnvironmentSpec("hearing-elsewhere", ("numpy==1.26.4",), "child_for_tests:Hearing", CHILDREN),
    EnvironmentSpec("speaking-elsewhere", ("numpy==1.26.4",), "child_for_tests:Speaking", CHILDREN),
]


class JudgeElsewhere(IsolatedJudge):
    name, columns, primary, environment = "elsewhere", ("mean", "count"), None, "judging-elsewhere"
    takes = {"mode": "", "marker": ""}


class JudgeHere(JudgeElsewhere):
    """The same, with our own interpreter: it needs no installed environment."""

    name = "here"

    def __init__(self, **options):
        super().__init__(python=sys.executable, **options)


class HearingElsewhere(IsolatedTranscriber):
    name, environment, sample_rate_hz = "hearing", "hearing-elsewhere", 8000


class SpeakingElsewhere(IsolatedSynthesizer):
    name, environment = "speaking", "speaking-elsewhere"


ENGINES = [
    EngineInfo(
        "elsewhere",
        "judge",
        f"{__name__}:JudgeElsewhere",
        "mean and count, elsewhere",
        "Apache-2.0",
        "none",
        environment="judging-elsewhere",
    ),
    EngineInfo("here", "judge", f"{__name__}:JudgeHere", "mean and count, in a process beside", "Apache-2.0", "none"),
]
