"""The pieces of the dataset comparison, in the order in which a reader meets them."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property

import numpy as np

from workbench.datasets.comparison import HIGH_WER, Compared, DatasetComparison, DatasetComparisonConfig
from workbench.datasets.profile import Heard, Profile
from workbench.report import figures, players, run_sections
from workbench.report.dataset_differences import differences
from workbench.report.dataset_figures import Axis, distribution
from workbench.report.dataset_planted import PlantedFaults
from workbench.report.dataset_sections import DatasetSections, Hours
from workbench.report.html import Column, Fragment, identity, prose, table, verdict_line
from workbench.report.parts import code_line, encoded_audio, percent, plain, provenance_section
from workbench.report.provenance import provenance
from workbench.report.session import Run
from workbench.scan.comparison_metrics import judge_title
from workbench.scan.results import ClipResult
from workbench.scan.summaries import StageTime
from workbench.stats import Estimate
from workbench.stats.independent import mean_of, median_of

#: Share of clips with a fault in the worst dataset: good below the first, bad above the second.
GOOD_BELOW, BAD_ABOVE = 0.02, 0.10
#: Of the page's audio budget, what the faulty clips may take; the sample gets the rest.
FAULTY_SHARE = 0.75


class DatasetComparisonReport(DatasetSections):
    """What ``notebooks/dataset_comparison.ipynb`` shows, one method per cell."""

    def __init__(self, comparison: DatasetComparison, config: DatasetComparisonConfig, run: Run) -> None:
        super().__init__(comparison, config, parameters_file=os.path.relpath(run.folder / "params.yaml"))
        self.run, self._planted = run, PlantedFaults(self.profiles)

    @cached_property
    def headline_text(self) -> str:
        """The verdict line's sentence; also the headline of ``workbench runs``."""
        clips = sum(profile.clips for profile in self.profiles)
        if not clips:
            return "There were no clips to look at."
        datasets = f"{len(self.profiles)} datasets" if len(self.profiles) > 1 else "One dataset"
        told = f"{datasets}, {Hours.said(sum(p.hours for p in self.profiles))} in {clips:,} clips: {self._faulty}"
        worst = max(self.profiles, key=_faulty_share)
        if len(self.profiles) > 1 and _faulty_share(worst):
            told += f"; most in {worst.name}, where {worst.with_fault['any']:,} of {worst.clips:,} clips are concerned"
            planted = sum(bool(clip.faults) for clip in worst.planted)
            told += f" ({planted:,} of them {'has' if planted == 1 else 'have'} a planted fault)" if planted else ""
        rule = [next(count for count in p.rules if count.name == self.config.headline_rule) for p in self.profiles]
        hours, kept = sum(count.hours for count in rule), sum(count.kept_hours for count in rule)
        told += f". The rule “{self.config.headline_rule}” keeps {Hours.said(kept)} ({percent(kept / hours)} of the audio)." if hours else "."
        return told + self._planted.sentence() + self._left_out_text

    @property
    def _faulty(self) -> str:
        text, audio, copies = (sum(p.with_fault[family] for p in self.profiles) for family in ("text", "audio", "copy"))
        if not text + audio + copies:
            return "no fault was found in any"
        return f"{_count(text)} with a fault of the text, {_count(audio)} with one of the audio, and {_count(copies, 'no')} {'copy' if copies == 1 else 'copies'}"

    @property
    def _left_out_text(self) -> str:
        stages = [f"{health.left_out} by {health.engine}" for dataset in self.comparison.datasets for health in dataset.summary.health if health.left_out]
        return f" Left for another run: {', '.join(stages)}." if stages else ""

    def verdict(self) -> Fragment:
        """The answer in a few sentences."""
        shares = [_faulty_share(profile) for profile in self.profiles]
        if not any(p.clips for p in self.profiles) or max(shares) > BAD_ABOVE:
            return verdict_line(self.headline_text, tone="bad")
        return verdict_line(self.headline_text, tone="good" if max(shares) < GOOD_BELOW and not self._left_out_text else "mixed")

    def headline(self) -> Fragment:
        """The table per dataset."""
        unit = Hours.of(self.profiles)
        columns = [
            Column("dataset", "dataset"),
            Column("clips", "clips", fmt=",d"),
            Column("audio", "audio", unit.name, unit.fmt),
            Column("wer", "mean WER", fmt=".1%", help="mean over clips of the fast engine's word error rate against the text, its own mistakes included"),
            Column("median", "median WER", fmt=".1%"),
            Column("zero", "no error", fmt=".0%", help="clips that the fast engine heard exactly as the text has it"),
            Column("high", "above 5%", fmt=".0%", help="clips with a word error rate above 5%"),
            Column("confidence", "confidence", fmt=".3f", help="mean word confidence of the fast engine; scales of different engines do not compare"),
            *(Column(judge, judge_title(judge), fmt=".2f", help=f"mean of {players.score_title(column)} over clips, a model's opinion") for judge, column in self.comparison.primaries.items()),
            Column("text", "text faults", fmt=".0%", help="clips with a fault of the text"),
            Column("sound", "audio faults", fmt=".0%", help="clips with a fault of the audio"),
            Column("copies", "copies", fmt=",d", help="clips that repeat an earlier one, by audio or by text"),
            Column("kept", f"kept, {self.config.headline_rule}", fmt=".0%", help=f"share of the hours that the {self.config.headline_rule} rule keeps"),
        ]
        note = "In brackets: 95% intervals over texts, since clips that share a text are not independent. Datasets differ in their texts as well as in their sound."
        return table([self._headline_row(profile) for profile in self.profiles], columns, caption="Headline per dataset", note=note)

    def _headline_row(self, profile: Profile) -> dict[str, object]:
        wer = profile.numbers["wer_fast"]
        known = np.isfinite(wer)
        row: dict[str, object] = {
            "dataset": profile.name,
            "clips": profile.clips,
            "audio": Hours.of(self.profiles).value(profile.hours),
            "wer": mean_of(profile.sample("wer_fast")),
            "median": median_of(profile.sample("wer_fast")),
            "zero": mean_of(profile.share(np.where(known, wer == 0, np.nan))),
            "high": mean_of(profile.share(np.where(known, wer > HIGH_WER, np.nan))),
            "confidence": mean_of(profile.sample("confidence")),
            "text": profile.with_fault["text"] / profile.clips if profile.clips else None,
            "sound": profile.with_fault["audio"] / profile.clips if profile.clips else None,
            "copies": profile.with_fault["copy"],
            "kept": next(count.kept_share for count in profile.rules if count.name == self.config.headline_rule),
        }
        missing = Estimate(None, None, None, 0)
        return row | {judge: mean_of(profile.sample(column)) if column in profile.numbers else missing for judge, column in self.comparison.primaries.items()}

    def identity(self) -> Fragment:
        """Which run this is."""
        return identity({
            "run": self.run.run_id,
            "parameters": self.run.parameters_hash,
            "datasets": {dataset.name: dataset.clips.source.described for dataset in self.comparison.datasets},
            "clips (hash)": self.comparison.dataset_hash[:12],
            "engines": [f"{stage.engine} ({stage.name})" if stage.name != stage.engine else stage.engine for stage in self.comparison.stages],
            "operating point": f"log ratio {self.config.operating_point:+.2f} nats" if any(stage.needs_reference for stage in self.comparison.stages) else None,
            "code": code_line(),
            "left out": [line for dataset in self.comparison.datasets for line in dataset.clips.source.left_out] or None,
        })  # fmt: skip

    def heard(self) -> list[object]:
        """How far the clips were understood, and what may be said of the differences."""
        wer = {profile.name: profile.numbers["wer_fast"] for profile in self.profiles}
        spread = distribution(wer, Axis("word error rate of a clip, fast engine (%)", ".1f", 100, low=0, high=100), caption="Every clip of each dataset.")
        return [spread, *differences(self.comparison)]

    def planted(self) -> list[object]:
        """Whether the report finds what is known to be there."""
        return self._planted.show()

    def listen(self) -> list[object]:
        """Faulty clips of every dataset, the text's first."""
        if not self.config.worst_clips:
            return [prose("None are shown, as the parameter `worst_clips` is 0.")]
        chosen = {family: [_with_faults(heard) for p in self.profiles for heard in p.heard[family]] for family in ("text", "audio")}
        shown, share = [], FAULTY_SHARE / 2
        for family, title in (("text", "Faults of the text"), ("audio", "Faults of the audio")):
            total = sum(profile.with_fault[family] for profile in self.profiles)
            note = f"Of each dataset the {self.config.worst_clips} with the most faults and errors: {self._why(family)}."
            shown.append(self._gallery(chosen[family], title, note, total=total, share=share) if chosen[family] else prose(f"{title}: none."))
        return shown

    def sample(self) -> Fragment:
        """A random sample, so that the page does not show the worst only."""
        chosen = [_with_faults(heard) for profile in self.profiles for heard in profile.heard["sample"]]
        total = sum(profile.clips for profile in self.profiles)
        return self._gallery(chosen, "Random sample", f"{self.config.sample_clips} of each dataset, drawn with seed {self.config.seed}.", total=total, share=1 - FAULTY_SHARE)

    def _gallery(self, chosen: list[ClipResult], title: str, note: str, *, total: int, share: float) -> Fragment:
        budget = int(self.config.audio_budget_mb * 1e6 * share)
        scores = [column for column in (*self.comparison.primaries.values(), "loudness_lufs", "bandwidth_hz") if any(column in r.scores for r in chosen)]
        return players.gallery(chosen, audio_of=encoded_audio, budget_bytes=budget, title=title, total=total, note=note, scores=scores)

    def failures(self) -> list[object]:
        """What failed, where and why: counted, never dropped."""
        rows = [
            {"dataset": profile.name, "stage": stage, "type": kind, "clips": clips, "example": example}
            for profile in self.profiles for (stage, kind), (clips, example) in profile.failures.items()
        ]  # fmt: skip
        if not rows:
            return [prose("Every stage did its work on every clip.")]
        columns = [Column("dataset", "dataset"), Column("stage", "stage"), Column("type", "error"), Column("clips", "clips", fmt=",d"), Column("example", "for instance")]
        failed, clips = sum(profile.failed for profile in self.profiles), sum(profile.clips for profile in self.profiles)
        return [table(rows, columns, caption="Failures by dataset, stage and type", note=run_sections.failed_text(failed, clips))]

    def times(self) -> list[object]:
        """Time per stage and speed, over all datasets."""
        rows = []
        for stage in self.comparison.stages:
            own = [profile.stage_sec.get(stage.name, (0, 0.0, 0.0)) for profile in self.profiles]
            clips, sec, audio_sec = (sum(values) for values in zip(*own, strict=True))
            if clips:
                rows.append(StageTime(stage.name, stage.engine, clips, sec, audio_sec))
        if not rows:
            return [prose("No stage ran.")]
        computed, wall = sum(d.summary.computed for d in self.comparison.datasets), sum(d.summary.wall_sec for d in self.comparison.datasets)
        clips = sum(profile.clips for profile in self.profiles)
        return [figures.stage_times(rows), prose(f"Scanning took {wall:.1f} s in this run: {computed:,} clips computed, {clips - computed:,} found in the store.")]

    def provenance(self) -> list[object]:
        """Engines with licences, code, packages, machine, every parameter."""
        return list(provenance_section(self._provenance, self.config))

    @cached_property
    def _provenance(self) -> dict:
        datasets = self.comparison.datasets
        return provenance(
            used=[*dict.fromkeys(self.config.speaking_engines()), *((stage.kind, stage.engine) for stage in self.comparison.stages)],
            engine_options=self.config.engine_options,
            fingerprints={stage.name: stage.fingerprint for stage in self.comparison.stages},
            dataset={
                "name": ", ".join(dataset.name for dataset in datasets),
                "source": "; ".join(f"{dataset.name}: {dataset.clips.source.described}" for dataset in datasets),
                "hash": self.comparison.dataset_hash,
                "parts": {dataset.name: dataset.profile.hash for dataset in datasets},
            },
            seeds={"seed": self.config.seed},
            wall_sec=self.run.wall_sec,
        )

    def finish(self) -> Fragment:
        """Write the result files; the sentinel comes last. ``results.parquet`` was written while the results were read."""
        metrics = {
            "headline": self.headline_text,
            "clips": sum(profile.clips for profile in self.profiles),
            "failed": sum(profile.failed for profile in self.profiles),
            "computed": sum(dataset.summary.computed for dataset in self.comparison.datasets),
            "datasets": [self._metrics(dataset) for dataset in self.comparison.datasets],
            "claims": [claim.sentence for claim in self.comparison.claims],
            "lacking": {metric: list(names) for metric, names in self.comparison.lacking.items()},
            "planted": self._planted.metrics(),
        }
        self.run.finish(metrics, self._provenance)
        return prose("Beside this report: `results.parquet` (a row per clip, with every column of a keep rule), `metrics.json`, `provenance.json`, `params.yaml`, `notebook.ipynb`.")

    def _metrics(self, dataset: Compared) -> dict:
        profile, row = dataset.profile, self._headline_row(dataset.profile)
        return {
            "dataset": profile.name,
            "scan": dataset.clips.scan_id,
            "clips": profile.clips,
            "hours": profile.hours,
            "speakers": len(set(profile.speakers) - {""}),
            "words": profile.coverage.words,
            "distinct_words": profile.coverage.distinct,
            "phones": profile.coverage.phones_covered,
            **{name: plain(row[key]) for name, key in (("mean_wer", "wer"), ("median_wer", "median"), ("no_error", "zero"), ("above_5pct", "high"), ("confidence", "confidence"))},
            "judges": {judge: plain(row[judge]) for judge in self.comparison.primaries},
            "faults": {fault.value: clips for fault, clips in profile.faults.items()},
            "with_fault": dict(profile.with_fault),
            "rules": {count.name: {"clips": count.kept, "hours": count.kept_hours, "share": count.kept_share} for count in profile.rules},
        }


def _with_faults(heard: Heard) -> ClipResult:
    """The clip with its faults among what its card remarks."""
    told = tuple(f"{fault.value.replace('_', ' ')}: {fault.meaning}" for fault in heard.faults)
    return replace(heard.result, notes=(*told, *heard.result.notes))


def _count(clips: int, none: str = "none") -> str:
    return f"{clips:,}" if clips else none


def _faulty_share(profile: Profile) -> float:
    return profile.with_fault["any"] / profile.clips if profile.clips else 0.0
