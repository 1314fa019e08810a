"""What listeners said of systems: mean opinion scores, preferences and whether a difference is heard at all, with intervals over listeners and texts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from workbench.listening.base import NO_PREFERENCE, Rating, TrialKind
from workbench.listening.calibration import Rated
from workbench.listening.plan import Plan
from workbench.stats import Estimate, proportion
from workbench.stats.crossed import LEAST, Crossed
from workbench.stats.resampling import signs

#: Sign flips of a permutation test; fewer where all can be tried.
FLIPS = 10_000
#: Family-wise error rate of "better" over the pairs of one kind.
ALPHA = 0.05
SCALE = (1.0, 5.0)


@dataclass(frozen=True, slots=True)
class SystemOpinion:
    """A system's mean opinion score. ``given`` counts the answers 1 to 5."""

    system: str
    mos: Estimate
    ratings: int
    listeners: int
    texts: int
    given: tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class PairOpinion:
    """Two systems compared.

    Attributes:
        kind: ``mos`` (``value`` is the difference of mean opinions, first minus second), ``ab`` (the share that prefers the first, no preference counting half),
            ``abx`` (the share of right answers).
        counts: for ``ab`` (first preferred, no preference, second preferred), for ``abx`` (right, wrong), for ``mos`` the ratings of each.
        p_value: sign-flip test over listeners and over texts, the larger of the two; for ``abx`` the exact binomial test against guessing, one-sided. None where no
            listener, or no text, has opinions of both.
        p_holm: after Holm's correction over the pairs of the kind.
        decidable: whether there is a test, and so many listeners and texts could have shown any difference. Of n signs all alike have a p-value of 2 / 2^n, and Holm's correction
            multiplies it by the number of pairs.
        better: the system for which both the interval and ``p_holm`` speak; for ``abx`` empty or "heard".
    """

    kind: TrialKind
    first: str
    second: str
    value: Estimate
    counts: tuple[int, ...]
    p_value: float | None
    p_holm: float | None = None
    decidable: bool = True
    better: str = ""


def scored(ratings: Sequence[Rating], kind: TrialKind) -> list[Rating]:
    """Answers of a kind that say something of systems: attention checks do not."""
    return [rating for rating in ratings if rating.trial.kind is kind and not rating.trial.check]


def crossed_opinions(ratings: Sequence[Rating], plan: Plan, *, seed: int, resamples: int = 500) -> Crossed:
    """MOS answers by listener, text and sound."""
    own = scored(ratings, TrialKind.MOS)
    items = [rating.trial.items[0] for rating in own]
    return Crossed([float(rating.answer) for rating in own], [rating.listener for rating in own], [plan.item[i].text for i in items], items, resamples, seed=seed)


def system_opinions(ratings: Sequence[Rating], plan: Plan, *, seed: int) -> list[SystemOpinion]:
    """MOS of each system, best first; systems that nobody rated are absent."""
    own = scored(ratings, TrialKind.MOS)
    system_of = system_of_items(plan)
    estimates = crossed_opinions(ratings, plan, seed=seed).means(system_of)
    found = []
    for system, mos in estimates.items():
        rated = [rating for rating in own if system_of[rating.trial.items[0]] == system]
        given = Counter(rating.answer for rating in rated)
        texts = {plan.item[rating.trial.items[0]].text for rating in rated}
        counts = tuple(given[str(answer)] for answer in range(1, 6))
        found.append(SystemOpinion(system, _within(mos, *SCALE), len(rated), len({rating.listener for rating in rated}), len(texts), counts))
    return sorted(found, key=lambda one: (-one.mos.value, one.system))


def mos_pairs(ratings: Sequence[Rating], plan: Plan, *, seed: int) -> list[PairOpinion]:
    """Differences of mean opinions of every two systems."""
    own = scored(ratings, TrialKind.MOS)
    crossed = crossed_opinions(ratings, plan, seed=seed)
    system_of = system_of_items(plan)
    means: dict[str, dict[str, dict[Hashable, list[float]]]] = defaultdict(lambda: {"listener": defaultdict(list), "text": defaultdict(list)})
    for rating in own:
        item = plan.item[rating.trial.items[0]]
        means[item.system]["listener"][rating.listener].append(float(rating.answer))
        means[item.system]["text"][item.text].append(float(rating.answer))
    found = []
    for first, second in combinations(sorted(means), 2):
        nets = [_net_means(means[first][side], means[second][side]) for side in ("listener", "text")]
        counts = tuple(sum(system_of[rating.trial.items[0]] == system for rating in own) for system in (first, second))
        found.append(PairOpinion(TrialKind.MOS, first, second, crossed.difference(system_of, first, second), counts, _p_value(nets, seed)))
    return _decided(found, 0.0)


def _net_means(one: Mapping[Hashable, Sequence[float]], other: Mapping[Hashable, Sequence[float]]) -> list[float]:
    """Mean of one minus mean of the other, for every listener (or text) that has both."""
    return [float(np.mean(one[key]) - np.mean(other[key])) for key in sorted(one.keys() & other.keys())]


def preferences(ratings: Sequence[Rating], plan: Plan, *, seed: int) -> list[PairOpinion]:
    """AB answers by pair of systems."""
    won = {"A": (1.0, 0.0), "B": (0.0, 1.0), NO_PREFERENCE: (0.5, 0.5)}
    found = []
    for pair, own in _by_pair(ratings, plan, TrialKind.AB).items():
        wins = [won[rating.answer][plan.item[rating.trial.items[0]].system != pair[0]] for rating in own]
        nets = [_nets([2 * win - 1 for win in wins], keys) for keys in _sides(own, plan)]
        counts = tuple(wins.count(share) for share in (1.0, 0.5, 0.0))
        found.append(PairOpinion(TrialKind.AB, *pair, _share(wins, own, plan), counts, _p_value(nets, seed)))
    return _decided(found, 0.5)


def discriminations(ratings: Sequence[Rating], plan: Plan) -> list[PairOpinion]:
    """ABX answers by pair of systems: how often X was told. X was drawn by the design, so guessing is right half of the time whoever guesses."""
    from scipy.stats import binomtest

    found = []
    for pair, own in _by_pair(ratings, plan, TrialKind.ABX).items():
        right = [float(rating.answer in rating.trial.accepted) for rating in own]
        p_value = float(binomtest(int(sum(right)), len(right), 0.5, alternative="greater").pvalue)
        found.append(PairOpinion(TrialKind.ABX, *pair, _share(right, own, plan), (int(sum(right)), len(right) - int(sum(right))), p_value))
    return [replace(one, better="heard" if one.better == one.first else "") for one in _decided(found, 0.5)]


def _by_pair(ratings: Sequence[Rating], plan: Plan, kind: TrialKind) -> dict[tuple[str, str], list[Rating]]:
    found: dict[tuple[str, str], list[Rating]] = {pair: [] for pair in plan.pairs}
    for rating in scored(ratings, kind):
        found[tuple(sorted(plan.item[item].system for item in rating.trial.items[:2]))].append(rating)
    return {pair: own for pair, own in found.items() if own}


def _sides(own: Sequence[Rating], plan: Plan) -> tuple[list[str], list[str]]:
    return [rating.listener for rating in own], [plan.item[rating.trial.items[0]].text for rating in own]


def _share(values: Sequence[float], own: Sequence[Rating], plan: Plan) -> Estimate:
    listeners, texts = _sides(own, plan)
    found = Crossed(values, listeners, texts, texts).means(dict.fromkeys(texts, "all"))["all"]
    if len(set(values)) == 1 and values[0] in (0.0, 1.0) and found.n >= LEAST:
        # All of one mind: what varies not would have an interval without width, and claim certainty.
        return replace(proportion(round(values[0] * found.n), found.n), n=found.n)
    return _within(found, 0.0, 1.0)


def _within(found: Estimate, low: float, high: float) -> Estimate:
    return found if found.low is None else replace(found, low=max(low, found.low), high=min(high, found.high))


def _nets(values: Sequence[float], keys: Sequence[str]) -> list[float]:
    summed: dict[str, float] = defaultdict(float)
    for value, key in zip(values, keys, strict=True):
        summed[key] += value
    return [summed[key] for key in sorted(summed)]


def _p_value(nets: Sequence[Sequence[float]], seed: int) -> float | None:
    """The larger p-value of the sign-flip tests on each side's net opinions; None where a side has none."""
    if not all(nets):
        return None
    return max(_sign_flip(np.array(side), seed) for side in nets)


def _sign_flip(nets: np.ndarray, seed: int) -> float:
    """Two-sided: how often signs drawn at random lead as far from 0; exact where all can be tried."""
    bound, reached, tried = abs(nets.sum()) * (1 - 1e-9), 0, 0
    for block in signs(len(nets), FLIPS, seed=seed):
        reached, tried = reached + int((np.abs(block @ nets) >= bound).sum()), tried + len(block)
    return reached / tried if 2 ** len(nets) <= FLIPS else (reached + 1) / (tried + 1)


def _decided(pairs: list[PairOpinion], even: float) -> list[PairOpinion]:
    """With Holm's correction, and the better one where both it and the interval say so."""
    tested = [pair for pair in pairs if pair.p_value is not None]
    if not tested:
        return [replace(pair, decidable=False) for pair in pairs]
    from statsmodels.stats.multitest import multipletests

    adjusted = dict(zip(map(id, tested), multipletests([pair.p_value for pair in tested], alpha=ALPHA, method="holm")[1], strict=True))
    found = []
    for pair in pairs:
        p_holm, value = adjusted.get(id(pair)), pair.value
        clear = p_holm is not None and p_holm <= ALPHA and value.low is not None and (value.low > even or value.high < even)
        better = (pair.first if value.value > even else pair.second) if clear else ""
        decidable = p_holm is not None and value.low is not None and (pair.kind is TrialKind.ABX or 2.0 ** (1 - value.n) * len(tested) <= ALPHA)
        found.append(replace(pair, p_holm=None if p_holm is None else float(p_holm), decidable=decidable, better=better))
    return found


def rated_clips(ratings: Sequence[Rating], plan: Plan, scores: Mapping[str, float]) -> dict[str, Rated]:
    """Sounds that have both a score and a mean opinion, by item id."""
    means = crossed_opinions(ratings, plan, seed=0).unit_means()
    return {item: Rated(plan.item[item].text, scores[item], *found) for item, found in means.items() if item in scores}


def system_of_items(plan: Plan) -> Mapping[str, str]:
    """Sound -> system; "" for sounds of attention checks."""
    return {item.item_id: item.system for item in plan.items}
