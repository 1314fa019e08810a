"""The drift test: whether a word is heard as well in every voice and at every speed as it is in all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.homographs.fitting import KnownTrial
from workbench.homographs.judging import Judged

#: Fewer trials of a word in one voice say nothing.
LEAST_TRIALS = 4


@dataclass(frozen=True, slots=True)
class Drift:
    """One word in one voice (its speed in the name) against all its trials: how often the score told right from wrong."""

    word: str
    voice: str
    hits: int
    trials: int
    all_hits: int
    all_trials: int

    @property
    def share(self) -> float:
        return self.hits / self.trials

    @property
    def drifts(self) -> bool:
        """Whether the voice does worse than the rest beyond chance: one-sided exact test (Fisher 1935) at 5%."""
        from scipy.stats import fisher_exact

        other_hits, others = self.all_hits - self.hits, self.all_trials - self.trials
        if self.trials < LEAST_TRIALS or not others:
            return False
        table = [[self.hits, self.trials - self.hits], [other_hits, others - other_hits]]
        return bool(fisher_exact(table, alternative="less").pvalue < 0.05)

    @property
    def text(self) -> str:
        return f"drift: {self.word} in {self.voice}: {self.hits} of {self.trials} told apart, {self.all_hits} of {self.all_trials} in all"


def drift(trials: Sequence[KnownTrial], judged: Sequence[Judged]) -> list[Drift]:
    """One entry per word and voice, by word, then voice; trials without a score are left out."""
    cells: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for trial, one in zip(trials, judged, strict=True):
        if one.evidence.score is not None:
            cells[trial.asked.word, trial.asked.voice].append((one.evidence.score < 0) == trial.wrong)
    words: dict[str, list[bool]] = defaultdict(list)
    for (word, _), hits in cells.items():
        words[word] += hits
    return [
        Drift(word, voice, sum(hits), len(hits), sum(words[word]), len(words[word])) for (word, voice), hits in sorted(cells.items())
    ]
