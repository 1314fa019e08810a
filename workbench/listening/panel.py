"""A test for other programs than the notebook, such as a web panel: what each listener is asked, without the key."""

from __future__ import annotations

import json
from pathlib import Path

from workbench.errors import ConfigError
from workbench.listening.preparing import AUDIO, opened
from workbench.listening.ratings import MOST_SLOTS, answers_of
from workbench.whole_files import write_whole

SESSIONS = "sessions"


def write_sessions(folder: str | Path, *, listeners: int) -> list[Path]:
    """Write ``sessions/slot-NNN.json`` in a test's folder for so many listeners; ``docs/listening.md`` says what a panel does with them.

    Raises:
        ListeningError: no test lies in the folder.
        ConfigError: a number of listeners that is none.
    """
    if not 0 < listeners <= MOST_SLOTS:
        raise ConfigError("not a number of listeners", where="listeners", got=listeners, expected=f"1 to {MOST_SLOTS}")
    prepared = opened(folder)
    plan, out = prepared.plan, prepared.folder / SESSIONS
    out.mkdir(exist_ok=True)
    written = []
    for slot in range(listeners):
        trials = [
            {
                "position": trial.position,
                "trial": trial.token,
                "kind": trial.kind.value,
                "sounds": [f"{AUDIO}/{item}.wav" for item in trial.items],
                "answers": list(answers_of(trial, plan)),
            }
            for trial in plan.trials(slot)
        ]
        path = out / f"slot-{slot:03d}.json"
        write_whole(path, json.dumps({"plan": plan.plan_id, "slot": slot, "trials": trials}, indent=1) + "\n")
        written.append(path)
    return written
