"""Trials of homographs whose measures are made up: what is to be learnt from them is known."""

from __future__ import annotations

import numpy as np

from workbench.homographs import lexicon
from workbench.homographs.fitting import KnownTrial
from workbench.homographs.judging import Asked
from workbench.homographs.spoken import Heard, Pair

WORDS = ("live", "lead", "wind", "bass", "dove", "tear")


def made_up(count=240, *, engines=("e1", "e2", "e3"), noise=1.0, seed=0):
    """Trials of two measures: one that tells, biased by voice, and one that does not."""
    draw, known, found = np.random.default_rng(seed), lexicon(), []
    for number in range(count):
        homograph, engine, expected = known[WORDS[number % len(WORDS)]], engines[number // len(WORDS) % len(engines)], number % 4 // 2
        voice = f"{engine}/{number % 2}"
        spoken = expected if draw.random() < 0.5 else 1 - expected
        telling = (1.0 if spoken == 0 else -1.0) + 0.4 * noise * draw.normal() + 0.6 * (number % 2)
        heard = Heard((Pair(0, 1, homograph.kind, (telling, draw.normal()), (0.2, 0.4)),), (0.5, 0.8), -1.0)
        found.append(KnownTrial(Asked(homograph.word, homograph, expected, heard, 1.0, voice), spoken, engine))
    return found
