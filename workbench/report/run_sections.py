"""Sections that every scan's report has: its engines, what failed, where the time went."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.report import figures
from workbench.report.html import Column, Fragment, prose, table
from workbench.scan import summaries
from workbench.scan.results import ClipResult
from workbench.scan.scanning import ScanSummary, StageHealth
from workbench.scan.stages import StagePlan


def engines_text(stages: Sequence[StagePlan]) -> list[str]:
    """The engines of a scan, each with its stage where that has another name."""
    return [f"{stage.engine} ({stage.name})" if stage.name != stage.engine else stage.engine for stage in stages]


def left_out_text(summary: ScanSummary) -> str:
    """Clips that another run has to compute, as a sentence; empty for none."""
    stages = [f"{health.left_out} by {health.engine}" for health in summary.health if health.left_out]
    return f" Left for another run: {', '.join(stages)}." if stages else ""


def failed_text(failed: int, clips: int) -> str:
    """How many clips a stage failed on, as a sentence."""
    return f"{failed:,} of {clips:,} clips {'has' if failed == 1 else 'have'} a failure."


def failures(results: Sequence[ClipResult], summary: ScanSummary) -> list[object]:
    """What failed, where and why: counted, never dropped."""
    shaky = [health for health in summary.health if not health.sound]
    rows = [dict(zip(("stage", "type", "clips", "example"), row, strict=True)) for row in summaries.failure_counts(results)]
    if not rows and not shaky:
        return [prose("Every stage did its work on every clip.")]
    shown: list[object] = []
    if rows:
        columns = [Column("stage", "stage"), Column("type", "error"), Column("clips", "clips", fmt=",d"), Column("example", "for instance")]
        told = failed_text(sum(bool(r.failures) for r in results), len(results))
        shown.append(table(rows, columns, caption="Failures by stage and type", note=told))
    return [*shown, _health_table(shaky)] if shaky else shown


def _health_table(shaky: list[StageHealth]) -> Fragment:
    columns = [
        Column("stage", "stage"),
        Column("engine", "engine"),
        Column("timed_out", "hung", fmt=",d", help="clips on which the engine, given them alone, gave no answer in time; its process was ended, and another run tries them again"),
        Column("breaker", "breaker", help="open: too many failures in a row, the engine rests; half-open: one clip probes it; closed: it works"),
        Column("opened", "opened", fmt=",d", help="how often the breaker opened in this run"),
        Column("left_out", "left out", fmt=",d", help="clips not tried because the engine rested, or because what it builds on is missing"),
        Column("last_error", "last failure"),
    ]
    note = "Clips left out have no result and no error: the same run again computes them."
    return table(shaky, columns, caption="Engines in trouble in this run", note=note)


def times(results: Sequence[ClipResult], summary: ScanSummary, *, speak_sec: float) -> list[object]:
    """Time per stage and speed."""
    rows = summaries.stage_times(results, {stage.name: stage.engine for stage in summary.stages})
    shown = [{"stage": r.stage, "engine": r.engine, "clips": r.clips, "sec": r.sec, "audio_min": r.audio_sec / 60, "rtfx": r.rtfx} for r in rows]
    if speak_sec:
        shown.insert(0, {"stage": "speak", "engine": "synthesisers", "clips": summary.clips, "sec": speak_sec, "audio_min": None, "rtfx": None})
    columns = [
        Column("stage", "stage"),
        Column("engine", "engine"),
        Column("clips", "clips", fmt=",d"),
        Column("sec", "processing", "s", ".1f"),
        Column("audio_min", "audio", "min", ".1f"),
        Column("rtfx", "RTFx", fmt=figures.speed, help="audio time over processing time of one worker; measured when the result was computed, also where this run found it in the store"),
    ]
    note = f"This run: {summary.wall_sec:.1f} s wall with {summary.workers} workers, {summary.computed} clips computed, {summary.clips - summary.computed} found in the store."
    return [figures.stage_times(rows), table(shown, columns, caption="Time per stage", note=note)] if shown else [prose("No stage ran.")]
