"""The pieces of the thresholds report, in the order in which a reader meets them."""

from __future__ import annotations

from functools import cached_property

from workbench.report import figures, run_sections
from workbench.report.figures_cascade import TradePoint, spread, trade_off
from workbench.report.html import Column, Fragment, fold, identity, prose, table, verdict_line
from workbench.report.parts import code_line, interval, percent, plain, provenance_section, yields_table
from workbench.report.planted import ERROR_NAMES, no_trial
from workbench.report.provenance import provenance
from workbench.report.session import Run
from workbench.scan import summaries
from workbench.scan.export import write_parquet
from workbench.scan.results import ClipResult
from workbench.scan.thresholds import Thresholds, ThresholdsConfig
from workbench.scan.trade_off import Candidate, borne_out, frontier

#: Of the cascades that none beats in both cost and recall, so many stand in the headline table.
MOST_ON_FRONTIER = 6
#: What a profile's ``params`` need to take a cascade over.
_PARAMETERS = {"all": ("escalate",), "flagged": ("escalate", "flag_wer", "flag_confidence"), "words": ("escalate", "word_confidence", "context_words", "margin_sec")}
_BORNE_OUT = {
    "shown": "held-out errors show it",
    "compatible": "held-out errors agree, but are too few to show it",
    "contradicted": "HELD-OUT ERRORS CONTRADICT IT",
}


class ThresholdsReport:
    """What ``notebooks/thresholds.ipynb`` shows, one method per cell."""

    def __init__(self, thresholds: Thresholds, config: ThresholdsConfig, run: Run) -> None:
        self.thresholds, self.config, self.run = thresholds, config, run

    @property
    def proposed(self) -> Candidate | None:
        return self.thresholds.proposed

    @cached_property
    def headline_text(self) -> str:
        """The verdict line's sentence; also the headline of ``workbench runs``."""
        results = self.thresholds.results
        if not any(result.fast for result in results):
            return "Nothing could be heard, so no threshold can be weighed." if results else "There were no clips to weigh thresholds on."
        if self.proposed is None:
            return f"{self._why_none}; what each bound costs on {len(results):,} clips stands below."
        best, keep = self.proposed, percent(self.config.keep_recall)
        errors = best.test.report.errors
        if best.cascade.escalate == "all":
            return f"No cascade on trial keeps {keep} of the planted errors that hearing everything finds: hear everything."
        told = f"The cheapest cascade that keeps {keep} of what hearing everything finds is “{best.name}”: the precision engine hears {percent(best.cost.listened.value)} of the audio "
        told += f"in {percent(self._share_of_cost(best))} of the time that it takes for everything. "
        return told + f"Of {errors} held-out planted errors it finds {percent(best.test.report.recall.value)}, hearing everything {percent(self._everything.report.recall.value)}; {self._claim}."

    @property
    def _why_none(self) -> str:
        if self._everything is None or not self._everything.report.errors:
            return "No errors were planted, so nothing is known of what a cascade misses"
        errors = (self.thresholds.everything.tune or self._everything).report.errors
        return f"Hearing everything finds none of {errors} planted errors, so there is no share of them to keep and no cascade to propose"

    @property
    def _everything(self):
        return self.thresholds.everything.test

    @property
    def _claim(self) -> str:
        """Whether held-out errors bear the proposal out."""
        kept = self.proposed.test.kept
        if self.proposed.tune is None:
            return f"it keeps {percent(kept.value)}{interval(kept)}, chosen and counted on the same errors, so somewhat flattered"
        return f"it keeps {percent(kept.value)}{interval(kept)}: {_BORNE_OUT[borne_out(self.proposed.test, keep=self.config.keep_recall)]}"

    def _share_of_cost(self, candidate: Candidate) -> float | None:
        """The precision engine's time over that of hearing everything."""
        whole = self.thresholds.everything.cost.precision_sec_per_audio_hour
        return candidate.cost.precision_sec_per_audio_hour / whole if whole else None

    def verdict(self) -> Fragment:
        """The answer in one sentence."""
        if self.proposed is None:
            return verdict_line(self.headline_text, tone="mixed")
        found = "compatible" if self.proposed.tune is None else borne_out(self.proposed.test, keep=self.config.keep_recall)
        return verdict_line(self.headline_text, tone={"shown": "good", "compatible": "mixed", "contradicted": "bad"}[found])

    def headline(self) -> Fragment:
        """The cascades worth knowing: the proposed one, the present one, the cheapest of their recall, and hearing everything."""
        best = frontier(self.thresholds.candidates)
        step = max(1, -(-len(best) // MOST_ON_FRONTIER))
        chosen = [*best[::step], self.thresholds.present, self.thresholds.everything, *([self.proposed] if self.proposed else [])]
        rows = [self._row(c) for c in sorted({c.name: c for c in chosen}.values(), key=lambda c: c.cost.sec_per_audio_hour or 0.0)]
        return table(rows, self._columns(), caption="Cascades, cheapest first", note=self._note)

    @property
    def _note(self) -> str:
        trial = self.thresholds.trial
        if trial is None:
            return "No errors were planted: cost only."
        tuned = f"chosen on {len(trial.tune.planted)} clips of {', '.join(map(str, trial.tune.voices))}" if trial.tune else "chosen on the same clips"
        voices = ", ".join(map(str, trial.test.voices))
        return f"Cost: on the clips under study. Errors: {self._everything.report.errors} planted ones, voices {voices}; the proposal was {tuned}. Brackets: 95% intervals (Wilson; whole texts drawn)."

    def _columns(self) -> list[Column]:
        cost = [
            Column("name", "precision engine hears"),
            Column("escalated", "clips escalated", fmt=".0%", help="share of the clips under study that the precision engine is given, in whole or in part"),
            Column("listened", "audio heard twice", fmt=".0%"),
            Column("sec", "both engines", "s per audio h", ",.0f", help="the engines' own time on this machine, one worker"),
            Column("share", "precision engine", "of its time for all", ".0%", help="its time over what hearing everything takes it: what a cascade can save"),
        ]
        if self.thresholds.trial is None:
            return cost
        return [
            *cost,
            Column("recall", "errors found", fmt=".1%", help="planted errors flagged in the end; one in a clip that was not escalated is missed"),
            Column("kept", "kept", fmt=".1%", help="errors found over those that hearing everything finds"),
            Column("accepted", "let through", fmt=",d", help="planted errors in clips that were accepted on the fast engine's word"),
            Column("false_alarm", "untouched words flagged", fmt=".2%"),
        ]

    def _row(self, candidate: Candidate) -> dict:
        marks = [said for one, said in ((self.proposed, "proposed"), (self.thresholds.present, "present parameters")) if one is candidate]
        cost, test = candidate.cost, candidate.test
        return {
            "name": candidate.name + (f" ({', '.join(marks)})" if marks else ""),
            "escalated": cost.escalated,
            "listened": cost.listened.value,
            "sec": cost.sec_per_audio_hour,
            "share": self._share_of_cost(candidate),
            "recall": test and test.report.recall,
            "kept": test and test.kept,
            "accepted": test and test.accepted,
            "false_alarm": test and test.report.false_alarm_all,
        }

    def identity(self) -> Fragment:
        """Which run this is."""
        source = self.thresholds.source
        return identity(
            {
                "run": self.run.run_id,
                "parameters": self.run.parameters_hash,
                "dataset": f"{source.dataset}: {source.described}",
                "clips (hash)": self.thresholds.dataset_hash[:12],
                "engines": f"{self.config.fast} (fast), {self.config.precision} (precision)",
                "operating point": f"log ratio {self.config.log_ratio_threshold:+.2f} nats",
                "code": code_line(),
                "left out": list(source.left_out) or None,
            }
        )

    def trade_off(self) -> list[object]:
        """Every cascade on trial in one picture, and how to take the proposed one over."""
        if self.thresholds.trial is None:
            return [no_trial(), self._all_candidates()]
        best = {candidate.name for candidate in frontier(self.thresholds.candidates)}
        points = [
            TradePoint(
                c.name, c.cascade.escalate, self._share_of_cost(c) or 0.0, c.test.report.recall.value or 0.0, c.test.report.recall.low, c.test.report.recall.high,
                label="proposed" if c is self.proposed else "present" if c is self.thresholds.present else "", best=c.name in best,
            )
            for c in self.thresholds.candidates
        ]  # fmt: skip
        return [trade_off(points), self._all_candidates(), prose(self._take_over())]

    def _all_candidates(self) -> Fragment:
        rows = [self._row(c) for c in sorted(self.thresholds.candidates, key=lambda c: c.cost.sec_per_audio_hour or 0.0)]
        return fold(f"All {len(rows)} cascades on trial", table(rows, self._columns()))

    def _take_over(self) -> str:
        if self.proposed is None:
            return ""
        values = {name: getattr(self.proposed.cascade, name) for name in _PARAMETERS[self.proposed.cascade.escalate]}
        lines = "\n".join(f"{name}: {value}" for name, value in values.items())
        return f"The proposed cascade as parameters, for `workbench scan -p` or a profile:\n\n```\n{lines}\n```"

    def missed(self) -> list[object]:
        """Which kinds of error the proposed cascade loses against hearing everything."""
        if self.proposed is None:
            return [prose(f"{self._why_none}.") if self.thresholds.trial else no_trial()]
        own, whole = self.proposed.test.report.per_kind, self._everything.report.per_kind
        rows = [{"kind": ERROR_NAMES[kind], "own": own[kind], "whole": whole[kind]} for kind in whole]
        columns = [Column("kind", "error"), Column("own", "found by the proposed cascade", fmt=".0%"), Column("whole", "by hearing everything", fmt=".0%")]
        return [table(rows, columns, caption="Errors found by kind", note="Wilson intervals; few errors of a kind give wide ones.")]

    def yields(self) -> list[object]:
        """What the three named bounds keep, in all and per voice."""
        rows = []
        for voice, own in self._by_voice.items():
            judged = [r for r in own if r.verdicts is not None]
            for row in summaries.yields(judged, seed=self.config.seed) if judged else []:
                kept = row.by_fast_wer_and_confidence
                rows.append(figures.YieldRow(voice, row.name, round((kept.value or 0.0) * len(judged)), len(judged), kept.low, kept.high))
        return [yields_table(self.thresholds.results, seed=self.config.seed), figures.yields(rows, caption="By the fast engine's WER and confidence.")]

    def spreads(self) -> list[object]:
        """How WER and confidence are spread over the clips."""
        wer = {voice: [r.verdicts.fast_edits.wer for r in own if r.verdicts] for voice, own in self._by_voice.items()}
        sure = {voice: [r.verdicts.confidence for r in own if r.verdicts] for voice, own in self._by_voice.items()}
        bounds = summaries.YIELDS.items()
        return [
            spread(wer, label="word error rate of the fast engine (%)", bounds={name: wer for name, (wer, _) in bounds}),
            spread(sure, label="mean word confidence of the fast engine (%)", bounds={name: confidence for name, (_, confidence) in bounds}),
        ]

    @cached_property
    def _by_voice(self) -> dict[str, list[ClipResult]]:
        voices: dict[str, list[ClipResult]] = {}
        for result in self.thresholds.results:
            voices.setdefault(result.clip.speaker or result.clip.dataset, []).append(result)
        return voices

    def failures(self) -> list[object]:
        """What failed: such clips are escalated by every cascade."""
        return run_sections.failures(self.thresholds.results, self.thresholds.summary)

    def provenance(self) -> list[object]:
        """Engines with licences, code, packages, machine, every parameter."""
        return provenance_section(self._provenance, self.config)

    @cached_property
    def _provenance(self) -> dict:
        stages, source = self.thresholds.summary.stages, self.thresholds.source
        return provenance(
            used=[*dict.fromkeys(self.config.speaking_engines()), *((stage.kind, stage.engine) for stage in stages)],
            engine_options=self.config.engine_options,
            fingerprints={stage.name: stage.fingerprint for stage in stages},
            dataset={"name": source.dataset, "source": source.described, "hash": self.thresholds.dataset_hash},
            seeds={"seed": self.config.seed},
            wall_sec=self.run.wall_sec,
        )

    def finish(self) -> Fragment:
        """Write the result files; the sentinel comes last."""
        write_parquet(self.thresholds.results, self.run.folder / "results.parquet")
        metrics = {
            "headline": self.headline_text,
            "clips": len(self.thresholds.results),
            "keep_recall": self.config.keep_recall,
            "proposed": self.proposed.name if self.proposed else None,
            "parameters": {name: getattr(self.proposed.cascade, name) for name in _PARAMETERS[self.proposed.cascade.escalate]} if self.proposed else None,
            "borne_out": borne_out(self.proposed.test, keep=self.config.keep_recall) if self.proposed and self.proposed.tune else None,
            "candidates": [_plain_candidate(candidate) for candidate in self.thresholds.candidates],
        }
        self.run.finish(metrics, self._provenance)
        return prose("Beside this report: `results.parquet` (a row per clip), `metrics.json` (every cascade on trial), `provenance.json`, `params.yaml`, `notebook.ipynb`.")


def _plain_candidate(candidate: Candidate) -> dict:
    found = {"name": candidate.name, "escalated": plain(candidate.cost.escalated), "listened": plain(candidate.cost.listened), "sec_per_audio_hour": candidate.cost.sec_per_audio_hour}
    for part, caught in (("tune", candidate.tune), ("test", candidate.test)):
        if caught is not None:
            report = caught.report
            found[part] = {"recall": plain(report.recall), "kept": plain(caught.kept), "accepted": caught.accepted, "false_alarm": plain(report.false_alarm_all)}
    return found
