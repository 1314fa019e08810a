"""Numbers of a report: per voice, per verdict, yields at thresholds, time per stage, which clips to show. All from ``ClipResult``s."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.scan.results import ClipResult
from workbench.stats import Estimate, mean_estimate, ratio_estimate
from workbench.verdicts.base import FLAGGED, SAID, Verdict

#: R4's three yields: WER below the first, confidence above the second.
YIELDS = {"strict": (0.02, 0.98), "balanced": (0.05, 0.97), "permissive": (0.10, 0.95)}


@dataclass(frozen=True, slots=True)
class VoiceSummary:
    """The headline row of one voice (or of all). Intervals come from resampling texts, not clips.

    ``wer_fast`` is the fast engine's raw word error rate, ``audio_error_rate`` what both engines leave as faults of the audio (flagged words and insertions over
    reference words), ``pass_rate`` the share of reference words whose verdict says that they were said (all but tts_failure and ambiguous).
    """

    voice: str
    clips: int
    failed: int
    minutes: float
    words: int
    wer_fast: Estimate
    audio_error_rate: Estimate
    pass_rate: Estimate
    tts_failure: int
    ambiguous: int
    dnsmos: Estimate
    confidence: Estimate
    flags: dict[str, int]


@dataclass(frozen=True, slots=True)
class YieldRow:
    """How many clips a threshold keeps, by three readings of it; shares are of the clips with verdicts."""

    name: str
    wer_below: float
    confidence_above: float
    clips: int
    by_fast_wer_and_confidence: Estimate
    by_fast_wer: Estimate
    by_verdicts: Estimate


@dataclass(frozen=True, slots=True)
class StageTime:
    """An engine's own time over the clips it has heard. ``rtfx`` is audio seconds per processing second of one worker."""

    stage: str
    engine: str
    clips: int
    sec: float
    audio_sec: float

    @property
    def rtfx(self) -> float | None:
        return self.audio_sec / self.sec if self.sec > 0 else None


def flagged_count(result: ClipResult) -> int:
    """Words and insertions of the clip that count as faults of the audio."""
    return sum(result.verdicts.count(verdict) for verdict in FLAGGED) if result.verdicts else 0


def audio_error_rate(result: ClipResult) -> float | None:
    """Flagged words and insertions over reference words; None without verdicts."""
    return flagged_count(result) / len(result.verdicts.words) if result.verdicts and result.verdicts.words else None


def summarise_voices(results: Sequence[ClipResult], *, seed: int) -> list[VoiceSummary]:
    """One row per voice in order of appearance, then, with several voices, one for all."""
    by_voice: dict[str, list[ClipResult]] = {}
    for result in results:
        by_voice.setdefault(result.clip.speaker or result.clip.dataset, []).append(result)
    rows = [_summarise(voice, own, seed) for voice, own in by_voice.items()]
    return rows if len(rows) == 1 else [*rows, _summarise("all", results, seed)]


def _summarise(voice: str, results: Sequence[ClipResult], seed: int) -> VoiceSummary:
    judged = [r for r in results if r.verdicts is not None]
    texts = [r.clip.text for r in judged]
    words = [len(r.verdicts.words) for r in judged]
    return VoiceSummary(
        voice=voice,
        clips=len(results),
        failed=sum(bool(r.failures) for r in results),
        minutes=sum(r.duration_sec or 0.0 for r in results) / 60,
        words=sum(words),
        wer_fast=ratio_estimate([r.verdicts.fast_edits.errors for r in judged], words, texts, seed=seed),
        audio_error_rate=ratio_estimate([flagged_count(r) for r in judged], words, texts, seed=seed),
        pass_rate=ratio_estimate([sum(w.verdict in SAID for w in r.verdicts.words) for r in judged], words, texts, seed=seed),
        tts_failure=sum(r.verdicts.count(Verdict.TTS_FAILURE) for r in judged),
        ambiguous=sum(r.verdicts.count(Verdict.AMBIGUOUS) for r in judged),
        dnsmos=mean_estimate([r.scores.get("dnsmos_ovrl") for r in results], [r.clip.text for r in results], seed=seed),
        confidence=mean_estimate([r.verdicts.confidence for r in judged], texts, seed=seed),
        flags=dict(Counter(flag for r in judged for flag in r.verdicts.flags)),
    )


def verdict_counts(results: Iterable[ClipResult]) -> dict[str, dict[Verdict, int]]:
    """Reference words and insertions by voice and verdict."""
    counts: dict[str, Counter] = {}
    for result in results:
        if result.verdicts:
            own = counts.setdefault(result.clip.speaker or result.clip.dataset, Counter())
            own.update(w.verdict for w in result.verdicts.words)
            own.update(i.verdict for i in result.verdicts.insertions)
    return {voice: {verdict: own.get(verdict, 0) for verdict in Verdict} for voice, own in counts.items()}


def yields(results: Iterable[ClipResult], *, seed: int) -> list[YieldRow]:
    """What the strict, balanced and permissive thresholds keep."""
    judged = [r for r in results if r.verdicts is not None]
    texts = [r.clip.text for r in judged]

    def share(keeps) -> Estimate:
        return mean_estimate([float(keeps(r)) for r in judged], texts, seed=seed)

    rows = []
    for name, (wer, confidence) in YIELDS.items():
        rows.append(
            YieldRow(
                name,
                wer,
                confidence,
                len(judged),
                share(lambda r, w=wer, c=confidence: r.verdicts.fast_edits.wer < w and (r.verdicts.confidence or 0.0) > c),
                share(lambda r, w=wer: r.verdicts.fast_edits.wer < w),
                share(lambda r, w=wer: audio_error_rate(r) < w),
            )
        )
    return rows


def stage_times(results: Iterable[ClipResult], engine_of: dict[str, str]) -> list[StageTime]:
    """Time per stage as measured when each result was computed, in the order of ``engine_of``."""
    clips, sec, audio = Counter(), Counter(), Counter()
    for result in results:
        for stage, took in result.stage_sec.items():
            clips[stage] += 1
            sec[stage] += took
            audio[stage] += result.duration_sec or 0.0
    return [StageTime(stage, engine, clips[stage], sec[stage], audio[stage]) for stage, engine in engine_of.items() if clips[stage]]


def failure_counts(results: Iterable[ClipResult]) -> list[tuple[str, str, int, str]]:
    """(stage, type, clips, one message) of everything that failed, most frequent first."""
    examples: dict[tuple[str, str], str] = {}
    counts: Counter = Counter()
    for result in results:
        for failure in result.failures:
            counts[failure.stage, failure.type] += 1
            examples.setdefault((failure.stage, failure.type), f"{result.clip.clip_id}: {failure.message}")
    return [(stage, kind, count, examples[stage, kind]) for (stage, kind), count in counts.most_common()]


def worst(results: Sequence[ClipResult], count: int) -> list[ClipResult]:
    """The clips most worth listening to: flagged ones and what sounds but could not be judged, each by share of flagged words, then by the fast engine's WER.

    What cannot be read comes last: there is nothing to hear.
    """
    return sorted(results, key=_badness, reverse=True)[:count]


def _badness(result: ClipResult) -> tuple[float, float, float, float]:
    verdicts = result.verdicts
    if verdicts is None:
        return (float(result.duration_sec is not None), 0.0, 0.0, 0.0)
    return (float(bool(verdicts.flags)), audio_error_rate(result) or 0.0, verdicts.fast_edits.wer, -(result.scores.get("dnsmos_ovrl") or 5.0))


def random_sample(results: Sequence[ClipResult], count: int, *, seed: int) -> list[ClipResult]:
    """A seeded sample without replacement, in the order of the manifest."""
    chosen = random.Random(seed).sample(range(len(results)), min(count, len(results)))
    return [results[index] for index in sorted(chosen)]
