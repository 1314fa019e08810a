"""What a comparison measures of a clip: words said, judges' opinions, likeness of the speaker, sanity of the signal; length and loudness to hold judges against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workbench.judges.composite import composite, fair_judges
from workbench.scan.counted import Counted, Scored
from workbench.scan.primary_scores import NO_OPINION, SIMILARITY, score_of
from workbench.scan.results import ClipResult
from workbench.scan.summaries import flagged_count
from workbench.stats import Direction, Measurement
from workbench.verdicts.clip_flags import NEAR_SILENT_DB

#: One flat top may be chance, several are clipping.
FEWEST_FLAT_TOPS = 2
MOSTLY_SILENT_PCT = 50.0
COMPOSITE = "composite"
#: What the sanity of a signal rests on.
_SIGNAL = ("peak_amplitude", "flat_top_runs", "silence_pct", "rms_db")
#: What may go with a judge's opinion without being one.
NULLS = {"duration_sec": "length", "rms_db": "loudness"}


_JUDGES = {"dnsmos": "DNSMOS", "utmosv2": "UTMOSv2", "scoreq": "SCOREQ", "nisqa": "NISQA"}


def judge_title(judge: str) -> str:
    """How a judge is called in tables and sentences."""
    return _JUDGES.get(judge, judge)


class Objective(StrEnum):
    """What a system should be good at, all of it at once."""

    INTELLIGIBILITY = "intelligibility"
    NATURALNESS = "naturalness"
    SIMILARITY = "similarity"
    SANITY = "sanity"


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of a comparison. ``label`` stands in sentences; ``percent``: it is a share; ``column`` is where a judge's score lies."""

    name: str
    title: str
    label: str
    direction: Direction
    objective: Objective
    percent: bool
    help: str
    column: str = ""


FLAGGED = Metric(
    "flagged", "flagged", "flagged words", Direction.LOWER, Objective.INTELLIGIBILITY, True,
    "tts_failure and ambiguous words and insertions over reference words: what the recognisers hold against the audio",
)  # fmt: skip
WER = Metric(
    "wer", "WER, fast engine", "word errors", Direction.LOWER, Objective.INTELLIGIBILITY, True,
    "raw word error rate of the first recogniser against the accepted way of saying the prompt that is nearest, its own mistakes included",
)  # fmt: skip
SANE = Metric(
    "sane", "sane signal", "signal sanity", Direction.HIGHER, Objective.SANITY, True,
    "share of clips without a peak above 1, flat tops, near silence, or more silence than sound",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JudgeUse:
    """How far a judge can be used in a comparison.

    Attributes:
        missing: system -> clips that it did not score.
        constant: it gave every clip the same score, which tells nothing.
        opinion: it gives an opinion on a scale of 1 to 5, of the kind that composites are made of.
    """

    judge: str
    column: str
    scored: int
    clips: int
    missing: dict[str, int]
    constant: bool
    opinion: bool

    @property
    def fell_out(self) -> str:
        """Why it is no part of the composite; empty where it is."""
        if not self.opinion:
            return "no opinion on a scale of 1 to 5"
        if self.missing:
            return "no score for " + ", ".join(f"{count} clips of {system}" if count > 1 else f"one clip of {system}" for system, count in self.missing.items())
        return "the same score for every clip" if self.constant else ""


def judge_uses(counted: Counted, primaries: dict[str, str]) -> tuple[JudgeUse, ...]:
    """Each judge over the usable clips of all systems compared. Several scores of one judge are not told apart: its primary one counts."""
    usable = [clip for clip in counted.clips if clip.usable]
    found = []
    for judge, column in primaries.items():
        scores = [score_of(clip.result, column) for clip in usable]
        missing = {s: n for s in counted.compared if (n := sum(c.system == s and v is None for c, v in zip(usable, scores, strict=True)))}
        present = [score for score in scores if score is not None]
        constant = len(present) > 1 and min(present) == max(present)
        found.append(JudgeUse(judge, column, len(present), len(usable), missing, constant, column not in NO_OPINION))
    return tuple(found)


def judges_of_composite(uses: Sequence[JudgeUse], systems: Sequence[str]) -> tuple[str, ...]:
    """The judges of opinion that scored every clip of every system, and not all alike."""
    complete = {s: {u.judge: None if s in u.missing or u.constant or not u.clips else 1.0 for u in uses if u.opinion} for s in systems}
    return fair_judges(complete)


def metrics_of(counted: Counted, uses: Sequence[JudgeUse], shared: Sequence[str], *, precision: bool) -> tuple[Metric, ...]:
    """What is compared, in the order of the report. The composite is one only over two judges or more.

    Args:
        precision: a second recogniser listened, so that words can be flagged.
    """
    found = [*([FLAGGED] if precision else []), WER]
    if len(shared) > 1:
        told = f"mean of {', '.join(map(judge_title, shared))}, the judges that scored every clip of every system"
        found.append(Metric(COMPOSITE, "fair composite", "fair composite", Direction.HIGHER, Objective.NATURALNESS, False, told))
    for use in uses:
        if use.opinion and use.scored:
            title, told = judge_title(use.judge), f"mean of {use.column}, 1 to 5, by a model"
            found.append(Metric(use.judge, title, title, Direction.HIGHER, Objective.NATURALNESS, False, told, use.column))
    if any(use.column == SIMILARITY and use.scored for use in uses):
        told = "cosine between embeddings of the clip and of its target speaker's recordings, -1 to 1"
        found.append(Metric("similarity", "speaker similarity", "speaker similarity", Direction.HIGHER, Objective.SIMILARITY, False, told, SIMILARITY))
    return (*found, *([SANE] if "peak_amplitude" in signal_columns(counted) else []))


def measurements(counted: Counted, metrics: Sequence[Metric], shared: Sequence[str], primaries: dict[str, str]) -> list[Measurement]:
    """Every metric, and the null predictors, of every clip that counts; None where there is no value, so that the comparison can tell what it lacks."""
    columns, signal = [primaries[judge] for judge in shared], signal_columns(counted)
    return [row for clip in counted.clips for row in _rows(clip, metrics, columns, signal)]


def _rows(clip: Scored, metrics: Sequence[Metric], columns: Sequence[str], signal: Sequence[str]) -> Iterable[Measurement]:
    for metric in metrics:
        value, weight = _measured(clip, metric, columns, signal) if clip.usable else (None, 1.0)
        yield Measurement(clip.system, clip.text_id, clip.entry.take, metric.name, value, weight, clip.entry.prompt.category)
    for name in NULLS:
        value = score_of(clip.result, name) if clip.usable else None
        yield Measurement(clip.system, clip.text_id, clip.entry.take, name, value, 1.0, clip.entry.prompt.category)


def _measured(clip: Scored, metric: Metric, columns: Sequence[str], signal: Sequence[str]) -> tuple[float | None, float]:
    result = clip.result
    if metric is FLAGGED:
        return float(flagged_count(result)), float(len(result.verdicts.words))
    if metric is WER:
        edits = result.verdicts.fast_edits
        return float(edits.errors), float(len(result.verdicts.words))
    if metric is SANE:
        sane = is_sane(result, signal)
        return None if sane is None else float(sane), 1.0
    if metric.name == COMPOSITE:
        return composite({column: score_of(result, column) for column in columns}).value, 1.0
    return score_of(result, metric.column), 1.0


def values_by_text(rows: Iterable[Measurement]) -> dict[str, dict[str, dict[str, float]]]:
    """Metric -> text -> system -> mean over takes, where there is a value."""
    takes: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row.value is not None and math.isfinite(row.value) and row.weight > 0:
            takes[row.metric, row.text, row.system].append(row.value / row.weight)
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for (metric, text, system), own in takes.items():
        found[metric][text][system] = math.fsum(own) / len(own)
    return found


def signal_faults(result: ClipResult) -> tuple[str, ...]:
    """What is wrong with a clip's signal, whatever it says."""
    scores = result.scores
    found = {
        "peak above 1": scores.get("peak_amplitude", 0.0) > 1.0,
        "flat tops": scores.get("flat_top_runs", 0.0) >= FEWEST_FLAT_TOPS,
        "mostly silence": scores.get("silence_pct", 0.0) > MOSTLY_SILENT_PCT,
        "near silence": scores.get("rms_db", 0.0) < NEAR_SILENT_DB,
    }
    return tuple(name for name, is_so in found.items() if is_so)


def signal_columns(counted: Counted) -> tuple[str, ...]:
    """What was measured of the signal: the columns of its faults that any usable clip has."""
    return tuple(name for name in _SIGNAL if any(clip.usable and score_of(clip.result, name) is not None for clip in counted.clips))


def is_sane(result: ClipResult, columns: Sequence[str]) -> bool | None:
    """Whether a clip has no fault of the signal. None where it lacks one of the columns: a clip that was measured less is not the saner for it."""
    return None if any(score_of(result, name) is None for name in columns) else not signal_faults(result)
