"""What a cascade costs against what it catches: many cascades weighed on results that were computed once.

A clip that a cascade does not send to the precision engine is accepted as it is, so an error in it is missed. Cost is measured on the clips under study, since planted
clips are faultier than any corpus; what is caught is counted on planted errors, as only there the truth is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.errors import ConfigError
from workbench.scan.cascade import Cascade
from workbench.scan.results import ClipResult
from workbench.stats import Estimate, mean_estimate, ratio_estimate
from workbench.stt.base import Transcript
from workbench.text import tokenise
from workbench.verdicts.operating_point import judged
from workbench.verdicts.planted import PlantedText
from workbench.verdicts.planted_score import Counted, PlantedReport, count, summarise


@dataclass(frozen=True, slots=True)
class Heard:
    """Planted clips with what the fast engine heard in them, and the precision engine: in whole, or around doubtful words (None: nothing was in doubt).

    All of shape (N,), clip by clip.
    """

    planted: Sequence[PlantedText]
    fast: Sequence[Transcript]
    whole: Sequence[Transcript]
    by_word: Mapping[Cascade, Sequence[Transcript | None]]

    def precision(self, cascade: Cascade) -> list[Transcript | None]:
        """What the precision engine would have heard under this cascade; None for clips that it would not have been given."""
        if cascade.escalate == "words":
            return list(self.by_word[cascade])
        if cascade.escalate == "all":
            return list(self.whole)
        flags = (cascade.flags(tokenise(" ".join(text.reference)), first) for text, first in zip(self.planted, self.fast, strict=True))
        return [second if flagged else None for flagged, second in zip(flags, self.whole, strict=True)]


@dataclass(frozen=True, slots=True)
class Catch:
    """What a cascade finds of planted errors.

    Attributes:
        report: recall and false alarms; errors in clips that were accepted are missed.
        accepted: planted errors in clips that the precision engine was not given.
        kept: recall over that of hearing everything with both engines; the interval draws whole texts.
    """

    report: PlantedReport
    accepted: int
    kept: Estimate


@dataclass(frozen=True, slots=True)
class Cost:
    """What a cascade spends on the clips under study.

    Attributes:
        escalated: share of clips given to the precision engine; the interval draws whole texts.
        listened: share of the audio that it hears.
        sec_per_audio_hour: both engines' own time per hour of audio, as measured on this machine; None where there is no audio.
        precision_sec_per_audio_hour: the precision engine's part of it, which is what a cascade can save.
    """

    escalated: Estimate
    listened: Estimate
    sec_per_audio_hour: float | None
    precision_sec_per_audio_hour: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cascade with its cost, and its catch on tuning and on held-out clips (None where nothing was planted)."""

    name: str
    cascade: Cascade
    cost: Cost
    tune: Catch | None
    test: Catch | None


class Catcher:
    """Counts planted clips once and then says of any cascade what it finds, at one operating point (``threshold``, in nats)."""

    def __init__(self, heard: Heard, *, threshold: float, seed: int) -> None:
        self._heard, self._threshold, self._seed = heard, threshold, seed
        self._everything = self._counted(heard.whole)

    def catch(self, cascade: Cascade) -> Catch:
        """What the cascade finds."""
        precision = self._heard.precision(cascade)
        # A clip that is heard in whole by both engines counts the same under every cascade.
        counted = self._counted(precision) if cascade.escalate == "words" else self._everything
        counts = [
            own if second is not None else replace(own, found=None if own.found is None else False, false_alarms=0, beside_flagged=0, inserted=0)
            for own, second in zip(counted, precision, strict=True)
        ]
        accepted = sum(one.found is not None and second is None for one, second in zip(counts, precision, strict=True))
        found, whole = ([float(bool(one.found)) for one in own] for own in (counts, self._everything))
        return Catch(summarise(counts, seed=self._seed), accepted, ratio_estimate(found, whole, [one.text_id for one in counts], seed=self._seed))

    def _counted(self, precision: Sequence[Transcript | None]) -> list[Counted]:
        verdicts = judged(self._heard.planted, self._heard.fast, precision, threshold=self._threshold)
        return [count(text, own) for text, own in zip(self._heard.planted, verdicts, strict=True)]


def cost(results: Iterable[ClipResult], cascade: Cascade, *, seed: int) -> Cost:
    """What the cascade spends on clips that were heard in whole by both engines or, with ``words``, under this very cascade.

    Clips that the fast engine could not hear count as escalated and cost what they cost.
    """
    texts, escalated, listened, audio, fast_sec, precision_sec = [], [], [], [], 0.0, 0.0
    for result in results:
        length = result.duration_sec or 0.0
        given = length > 0 and _given(result, cascade)
        part = result.precision.listened_sec if given and cascade.escalate == "words" and result.precision else None
        texts.append(result.clip.text)
        escalated.append(float(given))
        listened.append((length if part is None else part) if given else 0.0)
        audio.append(length)
        fast_sec += result.stage_sec.get("fast", 0.0)
        precision_sec += result.stage_sec.get("precision", 0.0) if given else 0.0
    per_hour = 3600 / sum(audio) if any(audio) else None
    return Cost(
        mean_estimate(escalated, texts, seed=seed),
        ratio_estimate(listened, audio, texts, seed=seed),
        per_hour and per_hour * (fast_sec + precision_sec),
        per_hour and per_hour * precision_sec,
    )


def _given(result: ClipResult, cascade: Cascade) -> bool:
    if cascade.escalate == "all" or result.fast is None:
        return True
    return cascade.flags(result.tokens, result.fast) if cascade.escalate == "flagged" else cascade.doubts(result.tokens, result.fast)


def cheapest(candidates: Sequence[Candidate], *, keep: float) -> Candidate:
    """The candidate that costs least of those that keep this share of what hearing everything finds, judged on tuning clips where there are any.

    Of equally cheap ones the one that finds more.

    Raises:
        ConfigError: no candidate was tried on planted errors, or none keeps that much (hearing everything always does).
    """
    tried = [(candidate, candidate.tune or candidate.test) for candidate in candidates]
    fit = [(candidate, found) for candidate, found in tried if found is not None and found.kept.value is not None and found.kept.value >= keep]
    if not fit:
        raise ConfigError("no cascade keeps that share of the errors", where="keep_recall", got=keep, mend="plant more errors, or try cascade 'all' among them")
    return min(fit, key=lambda pair: (pair[0].cost.sec_per_audio_hour or 0.0, -(pair[1].report.recall.value or 0.0)))[0]


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other beats in cost and held-out recall at once, cheapest first."""
    best, found = -1.0, []
    for candidate in sorted(candidates, key=lambda c: (c.cost.sec_per_audio_hour or 0.0, -_recall(c))):
        if candidate.test is not None and _recall(candidate) > best:
            best = _recall(candidate)
            found.append(candidate)
    return found


def _recall(candidate: Candidate) -> float:
    return (candidate.test.report.recall.value or 0.0) if candidate.test else 0.0


def borne_out(found: Catch, *, keep: float) -> str:
    """Whether held-out clips bear a claim out: ``shown``, ``compatible`` (the interval holds it) or ``contradicted``."""
    low, high = found.kept.low, found.kept.high
    if low is None or high is None:
        return "compatible"
    return "shown" if low >= keep else "compatible" if high >= keep else "contradicted"
