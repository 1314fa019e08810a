"""The pieces of the model comparison report, in the order in which a reader meets them."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

from workbench.report import comparison_figures, comparison_judges, comparison_sections, run_sections
from workbench.report.comparison_text import basis, counted, verdict
from workbench.report.html import Column, Fragment, bullets, identity, prose, table, verdict_line
from workbench.report.parts import code_line, encoded_audio, provenance_section
from workbench.report.provenance import provenance
from workbench.report.session import Run
from workbench.report.side_by_side import Cell, Row, side_by_side
from workbench.scan.comparison_metrics import COMPOSITE, NULLS, WER, Metric, Objective
from workbench.scan.export import write_parquet
from workbench.scan.model_comparison import ModelComparison, ModelComparisonConfig
from workbench.scan.prompts_to_hear import Drop, drops, prompts_to_hear
from workbench.scan.system_clips import SystemSource, options_of
from workbench.stats import Outcome

#: Of the page's audio budget, what the side by side takes; the regressions get the rest.
SIDE_BY_SIDE_SHARE = 0.6


class ModelComparisonReport:
    """What ``notebooks/model_comparison.ipynb`` shows, one method per cell."""

    def __init__(self, found: ModelComparison, config: ModelComparisonConfig, run: Run) -> None:
        self.found, self.config, self.run = found, config, run
        self.compared = found.compared

    @cached_property
    def headline_text(self) -> str:
        """The verdict line's sentence; also the headline of ``workbench runs``."""
        return verdict(self.found) + run_sections.left_out_text(self.found.summary)

    def verdict(self) -> Fragment:
        """The answer in words."""
        main = {metric.name for metric in self.compared.objectives.values()}
        outcomes = [pair.better is not None for pair in self.compared.comparison.pairs if pair.metric in main and pair.outcome is not Outcome.UNDECIDABLE]
        if not outcomes or not any(outcomes):
            return verdict_line(self.headline_text, tone="bad", label="Nothing decided")
        tone, label = ("good", "Decided") if all(outcomes) else ("mixed", "Decided in part")
        return verdict_line(self.headline_text, tone=tone, label=label)

    def headline(self) -> Fragment:
        """The table per system: each metric with its interval and place, length and loudness beside them."""
        metrics = self._headline_metrics
        rows = [self._headline_row(system, metrics) for system in self.compared.systems]
        columns = [
            Column("system", "system"),
            Column("prompts", "prompts", fmt=",d", help="the prompts that every system has: what all columns with a place are taken over"),
            Column("clips", "clips", fmt=",d", help="clips that count; a repeated audio counts once"),
            Column("failed", "failed", fmt=",d", help="clips that could not be spoken, read or heard"),
            *(Column(m.name, m.title, fmt=comparison_sections.fmt(m), help=m.help) for m in metrics),
            Column("duration_sec", "length", "s", ".1f", help="mean length of a clip; with loudness, no measure of quality: to hold the judges against"),
            Column("rms_db", "loudness", "dB", ".1f", help="mean root mean square level of a clip, relative to full scale"),
        ]
        note = (
            f"In brackets: {self.config.level:.0%} intervals over prompts. Systems that cannot be told apart share a place"
            f" (paired permutation tests, Holm over {self.compared.comparison.comparisons} comparisons)."
        )
        return table(rows, columns, caption="Headline per system", note=note)

    @property
    def _headline_metrics(self) -> list[Metric]:
        """Words said, then one column per objective; single judges have a table of their own where there is a composite."""
        composed = any(metric.name == COMPOSITE for metric in self.compared.metrics)
        return [m for m in self.compared.metrics if m.objective is not Objective.NATURALNESS or not composed or m.name == COMPOSITE]

    def _headline_row(self, system: str, metrics: list[Metric]) -> dict[str, object]:
        own, texts = self.compared.counted, self.compared.comparison.texts_by_metric
        row = {"system": system, "prompts": len(texts.get(WER.name, ())), "clips": len(own.of(system)), "failed": len(own.failed(system))}
        row |= {metric.name: comparison_sections.ranked(self.compared, system, metric) for metric in metrics}
        return row | {name: self.compared.nulls[system, name].value for name in NULLS}

    def basis(self) -> Fragment:
        """What the comparison rests on and leaves out."""
        return bullets(self._basis)

    @cached_property
    def _basis(self) -> list[str]:
        return basis(self.found)

    def identity(self) -> Fragment:
        """Which run this is."""
        found = self.found
        return identity(
            {
                "run": self.run.run_id,
                "parameters": self.run.parameters_hash,
                "prompts": f"{len(found.prompts)} of {self.config.texts}" + (f", {self.config.takes} takes" if self.config.takes > 1 else ""),
                "systems": [_described(source) for source in found.gathered.sources],
                "baseline": self.compared.baseline or None,
                "clips (hash)": found.dataset_hash[:12],
                "engines": run_sections.engines_text(found.summary.stages),
                "code": code_line(),
            }
        )

    def claims(self) -> list[object]:
        """What the statistics allow to say, as a figure and sentence by sentence."""
        shown = [comparison_sections.shown(metric) for metric in self._headline_metrics]
        caption = "Estimates with their intervals. Two intervals may overlap while the paired difference is settled: the sentences say which are."
        figure = comparison_figures.intervals(self.compared.comparison.estimates, self.compared.systems, shown, caption=caption)
        return [figure, *comparison_sections.claims(self.compared)]

    def categories(self) -> list[object]:
        return list(comparison_sections.categories(self.compared))

    def judges(self) -> list[object]:
        """The judges' scores, how they go together, and whether length or loudness would choose alike."""
        return [*comparison_judges.judges(self.compared), *comparison_judges.correlations(self.compared), *comparison_judges.null_predictors(self.compared)]

    def objectives(self) -> list[object]:
        return list(comparison_sections.objectives(self.compared))

    def signal(self) -> list[object]:
        return list(comparison_sections.signal(self.compared)) if self.compared.systems else [prose("No system was compared.")]

    def listen(self) -> list[object]:
        """Systems side by side, where they differ most and at random."""
        apart, sample = prompts_to_hear(self.compared, self.config.side_by_side, seed=self.config.seed)
        total = len({clip.text_id for clip in self.compared.counted.clips})
        widest = "The prompt on which" if len(apart) == 1 else f"The {len(apart)} prompts on which"
        told = (
            (apart, total, "Where the systems differ most", f"{widest} the systems' word error rates lie furthest apart."),
            (sample, total - len(apart), "A random sample of the other prompts", f"Drawn without replacement with seed {self.config.seed}."),
        )
        budget = int(self.config.audio_budget_mb * 1e6 * SIDE_BY_SIDE_SHARE / 2)
        shown = [self._side_by_side([self._row(text) for text in texts], title, note, of, budget) for texts, of, title, note in told if texts]
        return shown or [prose("Nothing to listen to.")]

    def regressions(self) -> list[object]:
        """Where each system falls furthest behind the baseline."""
        if len(self.compared.systems) < 2:
            return [prose("With one system there is nothing to fall behind.")]
        if not self.config.regressions:
            return [prose("None are shown, as the parameter `regressions` is 0.")]
        found = drops(self.compared, per_system=self.config.regressions)
        if not found:
            return [prose(f"By word errors and by naturalness, no system is worse than {self.compared.baseline} on any prompt that both have.")]
        note = (
            f"Per system the {counted(self.config.regressions, 'prompt')} of the largest drop against {self.compared.baseline}, each by word errors and by naturalness."
            " Picked for being the worst, they show what goes wrong, not how often."
        )
        budget = int(self.config.audio_budget_mb * 1e6 * (1 - SIDE_BY_SIDE_SHARE))
        rows: dict[tuple[str, str], list[Drop]] = {}
        for drop in found:
            rows.setdefault((drop.system, drop.text_id), []).append(drop)
        return [self._side_by_side([self._drop_row(own) for own in rows.values()], f"Regressions against {self.compared.baseline}", note, None, budget)]

    def _side_by_side(self, rows: list[Row], title: str, note: str, total: int | None, budget: int) -> Fragment:
        scores = [use.column for use in self.compared.uses if use.scored]
        return side_by_side(rows, audio_of=encoded_audio, budget_bytes=budget, title=title, total=total, note=note, scores=scores)

    def _row(self, text_id: str, systems: tuple[str, ...] = ()) -> Row:
        clips = [clip for clip in self.compared.counted.clips if clip.text_id == text_id]
        prompt = clips[0].entry.prompt
        cells = tuple(self._cell(system, text_id) for system in systems or self.compared.systems)
        # A stress set says of each prompt what it is hard on.
        return Row(f"{prompt.prompt_id}{f' · {prompt.category}' if prompt.category else ''}", prompt.text, cells, note=prompt.extra.get("tests", ""))

    def _cell(self, system: str, text_id: str) -> Cell:
        """The system's first take that could be heard, else its first."""
        own = [clip for clip in self.compared.counted.of(system) if clip.text_id == text_id]
        best = next((clip for clip in own if clip.usable), own[0] if own else None)
        return Cell(system, best.result if best else None, "no clip of this prompt")

    def _drop_row(self, own: list[Drop]) -> Row:
        """One system and prompt, with every metric that it was picked for."""
        row = self._row(own[0].text_id, (self.compared.baseline, own[0].system))
        specs = [comparison_sections.fmt(drop.metric) for drop in own]
        changes = tuple((drop.metric.title, format(drop.baseline_value, spec), format(drop.value, spec)) for drop, spec in zip(own, specs, strict=True))
        return Row(f"{own[0].system}: {row.title}", row.text, row.cells, row.note, changes)

    def failures(self) -> list[object]:
        """What failed and where the time went."""
        summary = self.found.summary
        return [*run_sections.failures(self.found.results, summary), *run_sections.times(self.found.results, summary, speak_sec=self.found.gathered.speak_sec)]

    def provenance(self) -> list[object]:
        """Engines with licences, code, packages, machine, every parameter."""
        return list(provenance_section(self._provenance, self.config))

    @cached_property
    def _provenance(self) -> dict:
        found, speaking = self.found, [source.system for source in self.found.gathered.sources if source.system.voice]
        # One engine may speak for several checkpoints; each system's own options stand among the systems.
        options = {**{system.engine: options_of(system, self.config.engine_options) for system in reversed(speaking)}, **self.config.scan_config().engine_options}
        used = [*(("tts", system.engine) for system in speaking), *((stage.kind, stage.engine) for stage in found.summary.stages)]
        return provenance(
            used=used,
            engine_options=options,
            fingerprints={stage.name: stage.fingerprint for stage in found.summary.stages},
            dataset={"name": found.dataset, "source": f"{len(found.prompts)} prompts of {self.config.texts!r}", "hash": found.dataset_hash,
                     "systems": [source.system.model_dump(mode="json") for source in found.gathered.sources]},
            seeds={"seed": self.config.seed},
            wall_sec=self.run.wall_sec,
        )  # fmt: skip

    def finish(self) -> Fragment:
        """Write the result files; the sentinel comes last."""
        write_parquet(self.found.results, self.run.folder / "results.parquet")
        self.run.finish(self.metrics(), self._provenance)
        files = "`results.parquet` (a row per clip, the system as its speaker), `metrics.json`, `provenance.json`, `params.yaml`, `notebook.ipynb`"
        return prose(f"Beside this report: {files}.")

    def metrics(self) -> dict:
        """The content of ``metrics.json``."""
        compared, found = self.compared, self.found
        return {
            "headline": self.headline_text,
            "prompts": len(found.prompts),
            "clips": found.summary.clips,
            "computed": found.summary.computed,
            "failed": sum(result.verdicts is None for result in found.results),
            "baseline": compared.baseline,
            "log_ratio_threshold": found.log_ratio_threshold,
            "basis": self._basis,
            "systems": [self._system_metrics(system) for system in compared.systems],
            "pairs": [_plain_pair(pair) for pair in compared.comparison.pairs],
            "claims": [claim.sentence for claim in compared.claims()],
            "composite_of": list(compared.composite_of),
            "judges": [asdict(use) | {"fell_out": use.fell_out} for use in compared.uses],
            "repeats": compared.counted.repeats,
            "set_aside": compared.counted.set_aside,
            "pareto_front": list(compared.front.on) if compared.front else [],
            "weighted": {"scores": dict(compared.weighted.scores), "statement": compared.weighted.statement} if compared.weighted else None,
            "engines_in_trouble": [asdict(health) for health in found.summary.health if not health.sound],
        }

    def _system_metrics(self, system: str) -> dict:
        compared = self.compared
        ranks = {metric.name: next((rank for rank in compared.comparison.ranks(metric.name) if rank.system == system), None) for metric in compared.metrics}
        return {
            "system": system,
            "clips": len(compared.counted.of(system)),
            "failed": len(compared.counted.failed(system)),
            "estimates": {name: asdict(compared.comparison.estimates[system, name]) for name in ranks},
            "ranks": {name: rank.rank for name, rank in ranks.items() if rank},
            "nulls": {name: asdict(compared.nulls[system, name]) for name in NULLS},
        }


def _described(source: SystemSource) -> str:
    system = source.system
    origin = system.clips or system.voice
    return f"{system.name}: {origin}" if system.name != origin else system.name


def _plain_pair(pair) -> dict:
    return {**asdict(pair), "difference": asdict(pair.difference), "outcome": pair.outcome.value, "better": pair.better}


