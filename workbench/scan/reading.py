"""From rows of the store to ``ClipResult``s: here thresholds are applied and verdicts fall. Nothing is computed that an engine would have to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workbench.clips import Clip
from workbench.errors import Failure, TextError
from workbench.scan.cascade import Cascade, Choice
from workbench.scan.codec import transcript_of
from workbench.scan.reference import check_text, reference_tokens
from workbench.scan.stages import StagePlan
from workbench.scan.results import ClipResult
from workbench.scan.worker import AUDIO_FINGERPRINT
from workbench.store import Member, RowKey, StageResult, Store, StoredRow
from workbench.stt.base import Transcript
from workbench.stt.evidence import apply_threshold
from workbench.verdicts import AudioFacts, judge
from workbench.verdicts.base import ClipVerdicts, Verdict


def read_results(
    store: Store,
    scan_id: str,
    stages: Sequence[StagePlan],
    *,
    log_ratio_threshold: float,
    cascade: Cascade | None = None,
    seed: int = 1,
    save_verdicts: bool = True,
) -> Iterator[ClipResult]:
    """The results of a scan in the order of its clips, streamed.

    Args:
        stages: as the scan planned them; results under other fingerprints are not read.
        cascade, seed: of the scan. What another scan of the same clips computed beyond its choices is left out, so that the same parameters give the same
            results whatever the database holds.
        log_ratio_threshold: operating point of a precision engine that weighs the reference, see ``verdicts.operating_point``.
        save_verdicts: also refresh the derived verdict columns of the store where they differ.
    """
    for members in store.members(scan_id):
        rows = store.read((member.key for member in members), stages=[stage.name for stage in stages])
        changed: dict[RowKey, dict[str, Any]] = {}
        for member in members:
            row = rows[member.key]
            result = result_of(member, row, stages, log_ratio_threshold=log_ratio_threshold, cascade=cascade, seed=seed)
            derived = _derived(result, log_ratio_threshold)
            if any(row.columns[name] != value for name, value in derived.items()):
                changed[member.key] = derived
            yield result
        if save_verdicts:
            store.write_derived(list(changed.items()))


def transcripts(store: Store, scan_id: str, stages: Sequence[StagePlan]) -> Iterator[tuple[Clip, Transcript | None, Transcript | None]]:
    """What the fast and the precision engine heard, clip by clip, evidence untouched; None where there is no result."""
    for members in store.members(scan_id):
        rows = store.read((member.key for member in members), stages=[stage.name for stage in stages])
        for member in members:
            heard = _heard(_found(member.clip, rows[member.key], stages))
            yield member.clip, heard.get("fast"), heard.get("precision")


def result_of(
    member: Member, row: StoredRow, stages: Sequence[StagePlan], *, log_ratio_threshold: float, cascade: Cascade | None = None, seed: int = 1
) -> ClipResult:
    """One clip's result from its row."""
    found = _found(member.clip, row, stages)
    if cascade is not None:
        found = _chosen(member, found, stages, cascade, seed)
    heard = _heard(found)
    scores, notes = _scores(stages, found)
    precision = heard.get("precision")
    if precision is not None and precision.evidence is not None:
        precision = apply_threshold(precision, log_ratio_threshold=log_ratio_threshold)
    readable = row.stage("audio", AUDIO_FINGERPRINT)
    failures = _failures(member.clip, readable, found)
    tokens = reference_tokens(member.clip, heard.get("fast"))
    known = "duration_sec" in scores and "rms_db" in scores
    facts = AudioFacts(duration_sec=scores["duration_sec"], rms_db=scores["rms_db"]) if known else None
    return ClipResult(
        clip=member.clip,
        file_hash=member.key.file_hash,
        duration_sec=scores.get("duration_sec"),
        tokens=tokens,
        fast=heard.get("fast"),
        precision=precision,
        verdicts=_verdicts(tokens, heard.get("fast"), precision, facts),
        scores=scores,
        failures=failures,
        notes=notes,
        stage_sec={name: result.sec for name, result in found.items()},
    )


def _found(clip: Clip, row: StoredRow, stages: Sequence[StagePlan]) -> dict[str, StageResult]:
    return {stage.name: result for stage in stages if (result := row.stage(stage.name, stage.fingerprint_of(clip))) is not None}


def _chosen(member: Member, found: dict[str, StageResult], stages: Sequence[StagePlan], cascade: Cascade, seed: int) -> dict[str, StageResult]:
    # One attempt: what failed is no ground to wait here.
    choice = Choice({stage.name: stage for stage in stages}, cascade, seed=seed, max_attempts=1, clip=member.clip, key=member.key, results=found)
    return {stage.name: found[stage.name] for stage in stages if stage.name in found and choice.wanted(stage) is not False}


def _heard(found: dict[str, StageResult]) -> dict[str, Transcript]:
    return {name: transcript_of(name, found[name].values) for name in ("fast", "precision") if name in found and not found[name].error}


def _verdicts(tokens, fast: Transcript | None, precision: Transcript | None, facts: AudioFacts | None) -> ClipVerdicts | None:
    return judge(tokens, fast, precision, audio=facts) if tokens and fast is not None else None


def _failures(clip: Clip, readable: StageResult | None, found: dict[str, StageResult]) -> tuple[Failure, ...]:
    failures = []
    if readable is not None and readable.error:
        failures.append(Failure("audio", readable.error["type"], readable.error["message"]))
    else:
        try:
            check_text(clip)
        except TextError as error:
            failures.append(Failure.of("text", error))
    failures += [Failure(name, result.error["type"], result.error["message"]) for name, result in found.items() if result.error]
    return tuple(failures)


def _scores(stages: Sequence[StagePlan], found: dict[str, StageResult]) -> tuple[dict[str, float], tuple[str, ...]]:
    scores: dict[str, float] = {}
    notes: list[str] = []
    for stage in stages:
        if stage.kind == "judge" and stage.name in found:
            values = dict(found[stage.name].values)
            notes += values.pop(f"{stage.name}_notes", [])
            scores |= values
    return scores, tuple(dict.fromkeys(notes))


def _derived(result: ClipResult, threshold: float) -> dict[str, Any]:
    verdicts = result.verdicts
    if verdicts is None:
        return {}
    return {
        "verdict_threshold": threshold,
        "reference_words": len(verdicts.words),
        "wer_fast": verdicts.fast_edits.wer,
        "wer_precision": verdicts.precision_edits.wer if verdicts.precision_edits else None,
        **{f"n_{verdict.value}": verdicts.count(verdict) for verdict in Verdict},
        "clip_flags": list(verdicts.flags),
    }
