"""How long the hardest accepted inputs take, in CPU seconds; the last line is JSON.

{normalise_20k_chars_sec: the slowest of several texts of 20,000 characters, neighbours_sec: sound neighbours of one word, signal_30min_sec: the
11 signal metrics of half an hour, verdicts_unrelated_3000_sec: 3,000 words against two unrelated transcripts}.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np


def cpu_sec(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return round(time.process_time() - started, 3)


def measure() -> dict[str, float]:
    from workbench.audio import Audio
    from workbench.judges.signal import measure as signal
    from workbench.stt.base import Transcript, Word
    from workbench.text import neighbours, tokenise
    from workbench.text.lexicon import lexicon
    from workbench.verdicts import judge

    def heard(words: list[str]) -> Transcript:
        return Transcript(tuple(Word(word, 0.4 * k, 0.4 * k + 0.3) for k, word in enumerate(words)), "benchmark", "none")

    units = ["On 3 March, Dr. Lee paid $3.50 for 12 kg. ", "plain words go quickly ", *"a.|.1|1,|A.|1m|a@|é😀|1:|/1|www.|9|$1-|a.exe|oh ".split("|")]
    tokenise("warm up")
    neighbours("warm")
    listed = [word for k, (word, _) in enumerate(lexicon().entries()) if k % 13 == 0 and word.isalpha()]
    one, two, three = (listed[k : k + 9000 : 3] for k in range(3))
    half_an_hour = np.random.default_rng(0).normal(0, 0.1, 1800 * 16_000).astype(np.float32)
    return {
        "normalise_20k_chars_sec": max(cpu_sec(lambda: tokenise((unit * 20_000)[:20_000])) for unit in units),
        "neighbours_sec": max(cpu_sec(lambda: neighbours(word, count=6)) for word in ("house", "water", "information", "zorblatt")),
        "signal_30min_sec": cpu_sec(lambda: signal(Audio(half_an_hour, 16_000))),
        "verdicts_unrelated_3000_sec": cpu_sec(lambda: judge(" ".join(one), heard(two), heard(three))),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
