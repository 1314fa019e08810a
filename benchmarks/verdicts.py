"""Aligned and classified words per second, beside jiwer's word error rate on the same words.

100,000 words in utterances of about 20, drawn from the pronouncing lexicon with the skewed frequencies of real text; each of two engines gets 10% of
them wrong on its own (sound-alike neighbours, other words, drops, extra words, homophones, merges and splits). ``ratio`` is the median over alternating rounds of
``judge`` on both transcripts (words, evidence, insertions, flags) against ``jiwer.process_words`` on one. The caches of word pairs are emptied before every
round, so that nothing is remembered from the round before; ``ratio_warm`` keeps them, ``ratio_flat`` draws all words equally often (hardly a pair comes twice).

Run: ``python benchmarks/verdicts.py [words]``. The last line is one JSON object.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import jiwer

from workbench.stt.base import Transcript, Word
from workbench.text import Token
from workbench.text import phones as phone_room
from workbench.text.lexicon import lexicon
from workbench.verdicts import align, judge, relate

VOCABULARY = 20_000
WRONG = 0.10
ROUNDS = 5
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
        rng.shuffle(self.vocabulary)
        self.phones = {w: p for w, p in reversed(entries)}
        self.like: dict[tuple, list[str]] = defaultdict(list)
        for word in self.vocabulary:
            phones = self.phones[word]
            self.like[phones].append(word)
            for k in range(len(phones)):
                self.like[phones[:k] + ("*",) + phones[k + 1 :]].append(word)

    def neighbour(self, word: str) -> str:
        phones = self.phones[word]
        near = [w for k in range(len(phones)) for w in self.like[phones[:k] + ("*",) + phones[k + 1 :]] if w != word]
        return self.rng.choice(near or self.vocabulary)

    def homophone(self, word: str) -> str:
        return self.rng.choice([w for w in self.like[self.phones[word]] if w != word] or [self.neighbour(word)])

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
                out += [word, self.rng.choice(self.vocabulary)]
            elif kind == "joint":
                out += self.split(word)
            elif kind != "drop":
                out.append(self.rng.choice(self.vocabulary) if kind == "other" else getattr(self, kind)(word))
        return out, wrong


def make_task(words: int, *, flat: bool, seed: int = 1) -> Task:
    rng = random.Random(seed)
    ear = Mishearing(rng)
    weights = None if flat else [1 / (rank + 3) for rank in range(VOCABULARY)]
    drawn = rng.choices(ear.vocabulary, weights, k=words)
    ours, reference, heard, wrong, k = [], [], [], 0, 0
    while k < words:
        text = drawn[k : k + rng.randint(12, 28)]
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


def forget() -> None:
    """Empty every cache that depends on the words of the task."""
    for cache in (relate.relate, relate.distance_of, align.pair_words, align.sound_code, phone_room._distance, phone_room._readings):
        cache.cache_clear()


def ours_sec(task: Task, *, cold: bool) -> float:
    if cold:
        forget()
    start = time.perf_counter()
    for tokens, fast, precision in task.ours:
        judge(tokens, fast, precision)
    return time.perf_counter() - start


def jiwer_sec(task: Task) -> float:
    start = time.perf_counter()
    jiwer.process_words(task.reference, task.heard)
    return time.perf_counter() - start


def measure(task: Task, *, cold: bool) -> tuple[float, float, float]:
    """Median words per second of ours and of jiwer, and the median ratio of rounds."""
    pairs = [(task.words / ours_sec(task, cold=cold), task.words / jiwer_sec(task)) for _ in range(ROUNDS)]
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(theirs), statistics.median(a / b for a, b in pairs)


def main() -> None:
    words = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    skewed, flat = make_task(words, flat=False), make_task(words, flat=True)
    first_sec = ours_sec(skewed, cold=True)
    ours, theirs, ratio = measure(skewed, cold=True)
    warm = measure(skewed, cold=False)
    level = measure(flat, cold=True)
    print(f"{words:,} words, {skewed.share_wrong:.1%} wrong per engine, {len(skewed.ours):,} utterances, {ROUNDS} rounds")
    print(f"first pass, lexicon not yet asked: {words / first_sec:,.0f} words/s")
    print(f"caches emptied: {ours:,.0f} words/s, jiwer {theirs:,.0f}, ratio {ratio:.2f}")
    print(f"caches kept:    {warm[0]:,.0f} words/s, jiwer {warm[1]:,.0f}, ratio {warm[2]:.2f}")
    print(f"flat, emptied:  {level[0]:,.0f} words/s, jiwer {level[1]:,.0f}, ratio {level[2]:.2f}")
    print(
        json.dumps({
            "words_per_sec": round(ours),
            "jiwer_words_per_sec": round(theirs),
            "ratio": round(ratio, 3),
            "ratio_warm": round(warm[2], 3),
            "ratio_flat": round(level[2], 3),
            "first_pass_words_per_sec": round(words / first_sec),
        })
    )


if __name__ == "__main__":
    main()
