"""Both questions at once: the text model says what a sentence asks for, the listener what was said, and only words that other engines' trials vouch for are decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import ConfigError
from workbench.homographs.decide import HomographVerdict
from workbench.homographs.fitting import KnownTrial
from workbench.homographs.judging import Judged
from workbench.homographs.nested import Nested, as_the_text_reads
from workbench.stats import Estimate, clustered_proportion, ratio_estimate


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """What comes out when nobody tells what the sentences ask for.

    Attributes:
        chosen: numbers of the trials of words that the calibration without their engine vouches for; the shares are of these.
        judged: verdicts of all trials, by their number.
        words: engine held out -> how many words the others vouch for.
        recall: wrong trials that were flagged; what the text model or the listener leaves open counts as not found.
        false_alarm: right trials that were flagged.
        usual_recall, usual_false_alarm: the same with the readings of every word as frequent as in a text, not as often as they were spoken here; None where no frequencies are known.
        text_right: trials of these words whose reading the text model names rightly and with enough probability.
    """

    chosen: tuple[int, ...]
    judged: tuple[Judged, ...]
    words: Mapping[str, int]
    recall: Estimate
    false_alarm: Estimate
    usual_recall: Estimate | None
    usual_false_alarm: Estimate | None
    text_right: Estimate


def end_to_end(nested: Nested, told: Sequence[tuple[int | None, float]], *, frequencies: Mapping[str, int] | None = None, taught: Sequence[bool] = (), seed: int = 1) -> EndToEnd:
    """Judge the trials by what a text model tells; every share with an interval over words.

    Args:
        told: per trial the likeliest reading by index and its probability.
        frequencies: "word reading" -> how often it occurs in texts.
        taught: per trial, whether the text model learnt from its sentence; such trials are left out.

    Raises:
        ConfigError: there are no two engines, or the text model learnt from every sentence.
    """
    trials = nested.trials
    if taught and all(taught):
        raise ConfigError("the text model learnt from every sentence", where="end to end", mend="give other sentences")
    judged = nested.judged("engine", lists=None, asked=as_the_text_reads(trials, told))
    without = {engine: nested.without_engine(engine) for engine in sorted({trial.engine for trial in trials})}
    vouched = [without[trial.engine].lists.refusal(trial.asked.word, trial.asked.voice) is None for trial in trials]
    chosen = [at for at in range(len(trials)) if vouched[at] and not (taught and taught[at])]
    # A reading of an allowed word that the text model mistakes for another may have been decided by another kind of contrast; it counts as it came out.
    flagged = [judged[at].verdict is HomographVerdict.SUSPECT for at in chosen]
    wrong, right = ([place for place, at in enumerate(chosen) if trials[at].wrong is which] for which in (True, False))
    usual = weights_by_frequency([trials[at] for at in chosen], frequencies) if frequencies else None

    def share(places: list[int]) -> Estimate:
        return clustered_proportion([flagged[place] for place in places], [trials[chosen[place]].asked.word for place in places])

    def weighted(places: list[int]) -> Estimate | None:
        if usual is None:
            return None
        return ratio_estimate([usual[p] * flagged[p] for p in places], [usual[p] for p in places], [trials[chosen[p]].asked.word for p in places], seed=seed)

    read = [told[at][0] == trials[at].asked.expected and told[at][1] >= without[trials[at].engine].least_probability for at in chosen]
    return EndToEnd(
        tuple(chosen), tuple(judged), {engine: len(of.allowed) for engine, of in without.items()}, share(wrong), share(right), weighted(wrong), weighted(right),
        clustered_proportion(read, [trials[at].asked.word for at in chosen]),
    )  # fmt: skip


def weights_by_frequency(trials: Sequence[KnownTrial], frequencies: Mapping[str, int]) -> np.ndarray:
    """Weights that make the readings of every word as frequent as in the texts that were counted, and leave the words as they are; shape (N,)."""

    def key(trial: KnownTrial) -> str:
        return f"{trial.asked.word} {trial.asked.homograph.readings[trial.asked.expected].name}"

    here, of_word = Counter(map(key, trials)), Counter(trial.asked.word for trial in trials)
    all_of_word: Counter[str] = Counter()
    for name in here:
        all_of_word[name.partition(" ")[0]] += frequencies.get(name, 0)
    return np.array([frequencies.get(key(trial), 0) / max(all_of_word[trial.asked.word], 1) * of_word[trial.asked.word] / here[key(trial)] for trial in trials])
