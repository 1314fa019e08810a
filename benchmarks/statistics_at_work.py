"""Whether the statistics keep their word on data whose truth is known, and how fast they are beside a loop over scipy.stats.bootstrap.

``bootstrap_sec``: the whole of ``compare`` on 10 systems x 500 texts x 8 metrics (four of scores, four of word errors over words, in ten categories) with 10,000 paired
resamples of texts: from 40,000 measurements to estimates, intervals of all 45 pairs x 8 metrics and of each category, permutation tests, Holm's correction, sample sizes;
the median of ``--rounds``. ``speedup_over_scipy_loop``: a loop over scipy.stats.bootstrap for those 360 pairs alone (paired, vectorised, in its fastest batches, nothing but
the resamples), measured on ``--loop-pairs`` pairs and scaled, over that same whole. ``speedup_intervals``: over the part of ours that does the same work.
``largest_difference_from_scipy``: scipy draws the same resamples from the same seed; the intervals that follow from its resampled differences, compared with ours,
relative to their width.

``false_winner_rate``: families of four systems that are alike on two metrics (12 comparisons) of 20 to 100 texts, the share of families in which any system is called better.
``coverage``: how often 95% intervals hold the truth, over systems' own values and paired differences, 20 to 500 texts, word errors of mostly faultless texts and scores
under a ceiling; ``coverage_least`` and ``coverage_most`` are those of the single settings. ``power``: how often the stated number of texts settles a difference, wanted 0.80.

``statistics.py`` runs it. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scipy.stats import bootstrap, skew

from tests.systems_for_tests import errors, many, mos, rows_of, table
from workbench.stats import Comparison, Direction, Measurement, compare, texts_to_settle
from workbench.stats.resampling import interval, paired

SYSTEMS, TEXTS, RESAMPLES = 10, 500, 10_000
METRICS = {**{f"judge{k}": Direction.HIGHER for k in range(4)}, **{f"wer{k}": Direction.LOWER for k in range(4)}}


def measured() -> tuple[list[Measurement], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """The measurements of the timed comparison, and the same as arrays: values of shape (systems, texts) and weights of shape (texts,)."""
    draw, rows, arrays = np.random.default_rng(1), [], {}
    for metric in METRICS:
        if metric.startswith("judge"):
            arrays[metric] = mos(draw, np.linspace(0, 0.05, SYSTEMS), TEXTS), np.ones(TEXTS)
        else:
            arrays[metric] = errors(draw, np.linspace(1, 1.3, SYSTEMS), TEXTS)
        values, weights = arrays[metric]
        for s in range(SYSTEMS):
            rows += [Measurement(f"s{s}", f"t{k:03d}", 0, metric, float(values[s, k]), float(weights[k]), f"category {k % 10}") for k in range(TEXTS)]
    return rows, arrays


def ours_sec(rows: list[Measurement], rounds: int) -> tuple[float, Comparison]:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        found = compare(rows, METRICS, resamples=RESAMPLES, seed=1)
        seconds.append(time.perf_counter() - started)
        print(f"compare: {seconds[-1]:.2f} s, {found.comparisons} comparisons", flush=True)
    return statistics.median(seconds), found


def intervals_sec(arrays: dict[str, tuple[np.ndarray, np.ndarray]], rounds: int) -> float:
    """The resamples and intervals alone."""
    tables = [table(values, weights, metric) for metric, (values, weights) in arrays.items()]
    pairs = [tuple(np.array(list(combinations(range(SYSTEMS), 2))).T)] * len(tables)
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        paired(tables, pairs, resamples=RESAMPLES, flips=1, level=0.95, seed=1)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def scipy_loop(arrays: dict[str, tuple[np.ndarray, np.ndarray]], found: Comparison, count: int) -> tuple[float, float]:
    """Seconds that a loop over scipy's bootstrap takes for all pairs, from ``count`` of them, and the largest difference of its intervals from ours."""
    chosen = [(metric, a, b) for metric in METRICS for a, b in combinations(range(SYSTEMS), 2)]
    chosen = chosen[:: max(1, len(chosen) // count)][:count]

    def difference(a, b, w, axis=-1):
        return (a.sum(axis=axis) - b.sum(axis=axis)) / w.sum(axis=axis)

    seconds, apart = 0.0, 0.0
    for metric, a, b in chosen:
        values, weights = arrays[metric]
        started = time.perf_counter()
        theirs = bootstrap((values[a], values[b], weights), difference, paired=True, n_resamples=RESAMPLES, batch=100, method="percentile", rng=np.random.default_rng(1))
        seconds += time.perf_counter() - started
        moved, ours = theirs.bootstrap_distribution, found.pair(metric, f"s{a}", f"s{b}").difference
        ends = interval(np.array([ours.value]), moved.std(keepdims=True), skew(moved, keepdims=True), TEXTS, 0.95, outer=True)
        apart = max(apart, *(abs(float(end[0]) - own) / (ours.high - ours.low) for end, own in zip(ends, (ours.low, ours.high), strict=True)))
    whole = seconds / len(chosen) * len(METRICS) * SYSTEMS * (SYSTEMS - 1) / 2
    print(f"scipy.stats.bootstrap: {seconds / len(chosen):.2f} s a pair over {len(chosen)} pairs, {whole:.0f} s for all", flush=True)
    return whole, apart


def false_winners(families: int) -> float:
    draw, wrong = np.random.default_rng(2), 0
    for family in range(families):
        texts = (20, 30, 50, 100)[family % 4]
        judged, (heard, words) = mos(draw, [0] * 4, texts), errors(draw, [1] * 4, texts)
        rows = rows_of(dict(zip("abcd", judged, strict=True)))
        rows += [Measurement(s, f"t{k:03d}", 0, "wer", heard[i, k], words[k]) for i, s in enumerate("abcd") for k in range(texts)]
        found = compare(rows, {"mos": Direction.HIGHER, "wer": Direction.LOWER}, resamples=2000, seed=family)
        wrong += any(pair.better for pair in found.pairs)
    print(f"false winners: {wrong} of {families} families", flush=True)
    return wrong / families


def trials_of(kind: str, texts: int, trials: int, seed: int, *, unlike: float) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    if kind == "scores":
        return many(lambda: (mos(draw, (0, unlike - 1), texts), np.ones(texts)), trials)
    return many(lambda: errors(draw, (1, unlike), texts), trials)


def covered(trials: int) -> list[float]:
    """The coverage of each setting."""
    shares = []
    for kind, unlike in (("word errors", 1.0), ("word errors", 1.4), ("word errors", 4.0), ("scores", 1.1)):
        values, weights = trials_of(kind, 10_000, 200, 3, unlike=unlike)
        one, other = np.split(values.sum(1) / weights.sum(1), 2)
        for texts in (20, 50, 100, 500):
            values, weights = trials_of(kind, texts, trials, texts, unlike=unlike)
            first = np.arange(trials)
            [found] = paired([table(values, weights)], [(first, first + trials)], resamples=2000, flips=1, level=0.95, seed=1)
            own = (found.low[:trials] <= one.mean()) & (one.mean() <= found.high[:trials])
            gap = (one - other).mean()
            between = (found.difference_low <= gap) & (gap <= found.difference_high)
            print(f"coverage, {kind} x {unlike}, {texts} texts: own {own.mean():.3f}, difference {between.mean():.3f}", flush=True)
            shares += [float(own.mean()), float(between.mean())]
    return shares


def power(trials: int) -> float:
    values, weights = trials_of("word errors", 10_000, 100, 4, unlike=1.6)
    [large] = paired([table(values, weights)], [(np.arange(100), np.arange(100, 200))], resamples=1000, flips=1, level=0.95, seed=1)
    needed = texts_to_settle(float(large.differences.mean()), float(np.sqrt((large.spread**2).mean())), alpha=0.05)
    values, weights = trials_of("word errors", needed, trials, 5, unlike=1.6)
    [found] = paired([table(values, weights)], [(np.arange(trials), np.arange(trials, 2 * trials))], resamples=1000, flips=2000, level=0.95, seed=1)
    settled = float(((found.p_values <= 0.05) & ((found.difference_low > 0) | (found.difference_high < 0))).mean())
    print(f"power: {settled:.3f} with the {needed} texts that are said to give 0.80", flush=True)
    return settled


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--loop-pairs", type=int, default=24, help="pairs that the loop is measured on")
    options.add_argument("--families", type=int, default=1000)
    options.add_argument("--trials", type=int, default=2000)
    options.add_argument("--only", choices=("speed", "truth"), help="half of it")
    asked = options.parse_args()
    result: dict[str, float] = {}
    if asked.only != "truth":
        rows, arrays = measured()
        whole, found = ours_sec(rows, asked.rounds)
        part = intervals_sec(arrays, asked.rounds)
        loop, apart = scipy_loop(arrays, found, asked.loop_pairs)
        result |= {"bootstrap_sec": round(whole, 3), "intervals_sec": round(part, 3), "speedup_over_scipy_loop": round(loop / whole, 1)}
        result |= {"speedup_intervals": round(loop / part, 1), "largest_difference_from_scipy": apart}
    if asked.only != "speed":
        gc.collect()
        gc.freeze()  # statsmodels collects garbage at every correction
        shares = covered(asked.trials)
        result = {"false_winner_rate": false_winners(asked.families), "coverage": round(statistics.mean(shares), 4)} | result
        result |= {"coverage_least": min(shares), "coverage_most": max(shares), "power": power(asked.trials)}
    print(json.dumps(result))
