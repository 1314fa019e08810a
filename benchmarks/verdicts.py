"""Aligned and classified words per second, beside jiwer's word error rate on the same words.

100,000 words a round, in utterances of about 20, drawn from the pronouncing lexicon with frequencies as in text (skewed, short words
first); each of two engines gets 10% of them wrong on its own (sound-alike neighbours, other words, drops, extra words, homophones, merges
and splits; what is heard instead is drawn by frequency too). A round judges new utterances, as a scan does, with ``judge`` on both
transcripts (words, evidence, insertions, flags) and then takes ``jiwer.process_words`` on the first of them. Both times are CPU seconds
of this one thread, because a shared machine stretches wall time unevenly. ``ratio`` is the median over rounds.

``ratio_first`` is the first round of the process, with every cache empty and the lexicon not yet asked; ``ratio_again`` judges the same
words twice; ``ratio_flat`` draws all words equally often, so that hardly a pair comes twice.

Run: ``python benchmarks/verdicts.py [words]``. The last line is one JSON object.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import jiwer

from workbench.stt.base import Transcript, Word
from workbench.text import Token
from workbench.text.lexicon import lexicon
from workbench.verdicts import judge

VOCABULARY = 20_000
WRONG = 0.10
ROUNDS = 9
TURN = 100
_KINDS = ("neighbour", "other", "drop", "extra", "homophone", "joint")
_WEIGHTS = (45, 15, 15, 10, 8, 7)


@dataclass(frozen=True)
class Task:
    """Utterances as each side wants them: tokens and transcripts for ours, joined strings for jiwer."""

    ours: list[tuple[tuple[Token, ...], Transcript, Transcript]]
    reference: list[str]
    heard: list[str]
    words: int
    share_wrong: float


class Mishearing:
    """Wrong words for a vocabulary, by sound."""

    def __init__(self, rng: random.Random) -> None:
        entries = [(w, p) for w, p in lexicon().entries() if w.isalpha() and len(w) > 1]
        self.rng = rng
        self.known = {w for w, _ in entries}
        self.vocabulary = sorted(rng.sample(sorted(self.known), VOCABULARY))
        self.phones = {w: p for w, p in reversed(entries)}
        # Rank is frequency, and frequent words are short (Zipf's law of abbreviation): running English has 3 to 4 phones a word.
        self.vocabulary.sort(key=lambda w: len(self.phones[w]) + rng.gauss(0, 1.5))
        self.weight = {w: 1 / (rank + 3) for rank, w in enumerate(self.vocabulary)}
        self.cumulated = list(accumulate(self.weight.values()))
        self.like: dict[tuple, list[str]] = defaultdict(list)
        for word in self.vocabulary:
            phones = self.phones[word]
            self.like[phones].append(word)
            for k in range(len(phones)):
                self.like[phones[:k] + ("*",) + phones[k + 1 :]].append(word)
            for k in range(1, 4):
                self.like[phones[:-k] + ("~",)].append(word)
                self.like[("~",) + phones[k:]].append(word)

    def neighbour(self, word: str) -> str:
        """A word one phone away; else one that begins or ends like it."""
        phones = self.phones[word]
        near = [w for k in range(len(phones)) for w in self.like[phones[:k] + ("*",) + phones[k + 1 :]] if w != word]
        for k in range(1, 4):
            near = near or [w for key in (phones[:-k] + ("~",), ("~",) + phones[k:]) for w in self.like[key] if w != word]
        return self.likely(near)

    def homophone(self, word: str) -> str:
        return self.likely([w for w in self.like[self.phones[word]] if w != word] or [self.neighbour(word)])

    def likely(self, words: list[str]) -> str:
        """One of ``words`` (of all, where there are none), the frequent more often: a language model decides what is written."""
        if not words:
            return self.rng.choices(self.vocabulary, cum_weights=self.cumulated)[0]
        return self.rng.choices(words, [self.weight[w] for w in words])[0]

    def split(self, word: str) -> list[str]:
        cuts = [k for k in range(2, len(word) - 1) if word[:k] in self.known and word[k:] in self.known]
        k = self.rng.choice(cuts) if cuts else 0
        return [word[:k], word[k:]] if k else [self.neighbour(word)]

    def hear(self, words: list[str]) -> tuple[list[str], int]:
        out: list[str] = []
        wrong = 0
        for word in words:
            if self.rng.random() >= WRONG:
                out.append(word)
                continue
            wrong += 1
            kind = self.rng.choices(_KINDS, _WEIGHTS)[0]
            if kind == "extra":
                out += [word, self.likely([])]
            elif kind == "joint":
                out += self.split(word)
            elif kind != "drop":
                out.append(self.likely([]) if kind == "other" else getattr(self, kind)(word))
        return out, wrong


def make_task(ear: Mishearing, words: int, *, flat: bool = False) -> Task:
    drawn = ear.rng.choices(ear.vocabulary, cum_weights=None if flat else ear.cumulated, k=words)
    ours, reference, heard, wrong, k = [], [], [], 0, 0
    while k < words:
        text = drawn[k : k + ear.rng.randint(12, 28)]
        k += len(text)
        (fast, wrong_fast), (precision, _) = ear.hear(text), ear.hear(text)
        wrong += wrong_fast
        ours.append((_tokens(text), _transcript("fast", fast), _transcript("precision", precision)))
        reference.append(" ".join(text))
        heard.append(" ".join(fast))
    return Task(ours, reference, heard, words, wrong / words)


def _tokens(words: list[str]) -> tuple[Token, ...]:
    out, at = [], 0
    for word in words:
        out.append(Token(word, at, at + len(word), word))
        at += len(word) + 1
    return tuple(out)


def _transcript(engine: str, words: list[str]) -> Transcript:
    return Transcript(tuple(Word(w, 0.4 * k, 0.4 * k + 0.3, 0.9) for k, w in enumerate(words)), engine, "none")


def ours_sec(task: Task, part: slice = slice(None)) -> float:
    start = time.process_time()
    for tokens, fast, precision in task.ours[part]:
        judge(tokens, fast, precision)
    return time.process_time() - start


def jiwer_sec(task: Task, part: slice = slice(None)) -> float:
    start = time.process_time()
    jiwer.process_words(task.reference[part], task.heard[part])
    return time.process_time() - start


def race(task: Task) -> tuple[float, float]:
    """Words per second of ours and of jiwer, the two taking turns every ``TURN`` utterances so that a busy machine slows both."""
    gc.collect()
    gc.freeze()  # the utterances waiting their turn are no part of either side's work
    parts = [slice(k, k + TURN) for k in range(0, len(task.ours), TURN)]
    ours, theirs = zip(*((ours_sec(task, part), jiwer_sec(task, part)) for part in parts), strict=True)
    return task.words / sum(ours), task.words / sum(theirs)


def measure(tasks: Iterable[Task]) -> tuple[float, float, float]:
    """Median words per second of ours and of jiwer, and the median ratio of rounds."""
    pairs = [race(task) for task in tasks]
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(theirs), statistics.median(a / b for a, b in pairs)


def main() -> None:
    words = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    ear = Mishearing(random.Random(1))
    task = make_task(ear, words)
    print(f"{words:,} words a round, {task.share_wrong:.1%} wrong per engine, {len(task.ours):,} utterances", flush=True)
    runs = {
        "first": measure([task]),
        "fresh": measure(make_task(ear, words) for _ in range(ROUNDS)),
        "again": measure([task] * 3),
        "flat": measure([make_task(ear, words, flat=True)]),
    }
    for name, (ours, theirs, ratio) in runs.items():
        print(f"{name:>6}: {ours:>9,.0f} words/s, jiwer {theirs:>9,.0f}, ratio {ratio:.2f}")
    ours, theirs, ratio = runs["fresh"]
    result = {"words_per_sec": round(ours), "jiwer_words_per_sec": round(theirs), "ratio": round(ratio, 3)}
    print(json.dumps(result | {f"ratio_{name}": round(runs[name][2], 3) for name in ("first", "again", "flat")}))


if __name__ == "__main__":
    main()
