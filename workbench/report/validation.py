"""The pieces of the validation report, in the order in which a reader meets them."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

from workbench.report import figures, homographs, players, run_sections
from workbench.report.html import Column, Fragment, identity, prose, table, verdict_line
from workbench.report.judges import judged_clips, judges_table
from workbench.report.parts import code_line, encoded_audio, interval, percent, plain, provenance_section, yields_table
from workbench.report.planted import PlantedSection, no_trial
from workbench.report.provenance import provenance
from workbench.report.session import Run
from workbench.scan import summaries
from workbench.scan.export import write_parquet
from workbench.scan.primary_scores import primary_scores
from workbench.scan.results import ClipResult
from workbench.scan.validation import Validation, ValidationConfig

#: Flagged words over reference words: good when every voice is below the first, bad when all clips together are above the second.
GOOD_BELOW, BAD_ABOVE = 0.02, 0.10
MOS_MODES = {
    "passed": "those that passed, and a control sample of the others",
    "sample": "a random sample",
    "flagged_only": "those with a flagged word",
    "none": "none",
}
#: Of the page's audio budget, what the worst clips may take; the sample gets the rest.
WORST_SHARE = 0.5
#: What the suspect homographs may add to it.
HOMOGRAPH_SHARE = 0.15


class ValidationReport:
    """What ``notebooks/validation.ipynb`` shows, one method per cell."""

    def __init__(self, validation: Validation, config: ValidationConfig, run: Run) -> None:
        self.validation, self.config, self.run = validation, config, run
        self.results = validation.results

    @cached_property
    def voices(self) -> list[summaries.VoiceSummary]:
        return summaries.summarise_voices(self.results, seed=self.config.seed)

    @property
    def overall(self) -> summaries.VoiceSummary:
        return self.voices[-1]

    @cached_property
    def headline_text(self) -> str:
        """The verdict line's sentence; also the headline of ``workbench runs``."""
        total = self.overall
        if not total.words:
            told = f"Nothing could be judged: {'no clip was done' if self._left_out_text else f'all {total.clips} clips failed'}."
            return told + self._left_out_text if total.clips else "There were no clips to judge."
        rate = total.audio_error_rate
        told = f"{percent(rate.value)} of {total.words:,} words in {total.clips:,} clips are flagged as not said{interval(rate)}"
        singles = [voice for voice in self.voices[:-1] if voice.words]
        if len(singles) > 1:
            best = min(singles, key=lambda v: v.audio_error_rate.value)
            worst = max(singles, key=lambda v: v.audio_error_rate.value)
            if best.audio_error_rate.value < worst.audio_error_rate.value:
                told += f"; least {best.voice} {percent(best.audio_error_rate.value)}, most {worst.voice} {percent(worst.audio_error_rate.value)}"
        planted = self._planted.sentence() if self._planted else ""
        failed = f" {total.failed} of {total.clips} clips had failures." if total.failed else ""
        heard = f" {self._cascade_text}." if self._cascade_text else ""
        read = homographs.sentence(self.validation.homographs) if self.validation.homographs else ""
        return f"{told}.{heard}{planted}{read}{failed}{self._left_out_text}"

    @property
    def _cascade_text(self) -> str:
        """What the precision engine was spared, and what that does to the figures."""
        if self.config.escalate == "all" or not self.config.precision:
            return ""
        heard = [r.precision for r in self.results if "precision" in r.stage_sec]
        told = f"The precision engine heard {len(heard)} of {len(self.results)} clips"
        if self.config.escalate == "words":
            sec = sum(r.duration_sec or 0.0 for r in self.results)
            listened = sum(self._listened_sec(r) for r in self.results if "precision" in r.stage_sec)
            told += f", {percent(listened / sec) if sec else 'none'} of the audio"
        return f"{told}; elsewhere every word that the fast engine got wrong counts as ambiguous"

    @staticmethod
    def _listened_sec(result: ClipResult) -> float:
        part = result.precision.listened_sec if result.precision else None
        return (result.duration_sec or 0.0) if part is None else part

    @property
    def _left_out_text(self) -> str:
        return run_sections.left_out_text(self.validation.summary)

    def verdict(self) -> Fragment:
        """The answer in one sentence."""
        rates = [v.audio_error_rate.value for v in self.voices if v.audio_error_rate.value is not None]
        if not rates or self.overall.audio_error_rate.value > BAD_ABOVE:
            tone = "bad"
        else:
            tone = "good" if max(rates) < GOOD_BELOW and not self.overall.failed and not self._left_out_text else "mixed"
        return verdict_line(self.headline_text, tone=tone)

    def headline(self) -> Fragment:
        """The table per voice."""
        columns = [
            Column("voice", "voice"),
            Column("clips", "clips", fmt=",d"),
            Column("minutes", "audio", "min", ".1f"),
            Column("words", "words", fmt=",d"),
            Column("audio_error_rate", "flagged", fmt=".1%", help="tts_failure and ambiguous words and insertions over reference words: what both recognisers hold against the audio"),
            Column("pass_rate", "pass", fmt=".1%", help="reference words that were said: every verdict but tts_failure and ambiguous"),
            Column("tts_failure", "tts_failure", fmt=",d", help="both recognisers heard the same other thing"),
            Column("ambiguous", "ambiguous", fmt=",d", help="both heard something else, not the same: to be listened to"),
            Column("wer_fast", "WER, fast engine", fmt=".1%", help="raw word error rate of the first recogniser, its own mistakes included"),
            *([Column("dnsmos", "DNSMOS", fmt=".2f", help="overall quality, 1 to 5, by a model")] if "dnsmos" in self._primaries else []),
            Column("confidence", "confidence", fmt=".2f", help="mean word confidence of the fast engine; scales of different engines do not compare"),
            Column("failed", "failures", fmt=",d", help="clips for which some stage could not do its work"),
        ]
        note = "In brackets: 95% intervals from resampling texts, since clips that share a text are not independent."
        rows, total = (self.voices[:-1], self.voices[-1]) if len(self.voices) > 1 else (self.voices, None)
        return table(rows, columns, caption="Headline per voice", note=note, total=total)

    @cached_property
    def _primaries(self) -> dict[str, str]:
        return primary_scores(self.validation.stages)

    def judges(self) -> list[Fragment]:
        """The table of judges, where there are several."""
        judged, said = self.results, ""
        if self.config.mos_mode != "all":
            judged = judged_clips(self.results, self._primaries)
            said = f"Judged were {len(judged)} of {len(self.results)} clips ({MOS_MODES[self.config.mos_mode]}): the means are of those."
        found = judges_table(judged, self._primaries, seed=self.config.seed, said=said) if judged else None
        return [found] if found else [prose(said)] if said and self._primaries else []

    def identity(self) -> Fragment:
        """Which run this is."""
        source = self.validation.source
        # A precision engine that decodes freely gives no evidence to hold against a threshold.
        weighs = any(stage.needs_reference for stage in self.validation.stages)
        return identity(
            {
                "run": self.run.run_id,
                "parameters": self.run.parameters_hash,
                "dataset": f"{source.dataset}: {source.described}",
                "clips (hash)": self.validation.dataset_hash[:12],
                "engines": run_sections.engines_text(self.validation.stages),
                "cascade": self._cascade_text or None,
                "operating point": f"log ratio {self.validation.log_ratio_threshold:+.2f} nats, {self.validation.operating_point}" if weighs else None,
                "code": code_line(),
                "left out": list(source.left_out) or None,
            }
        )

    def breakdown(self) -> list[object]:
        """Verdicts per voice, as a figure that carries its counts."""
        counts = summaries.verdict_counts(self.results)
        return [figures.verdict_breakdown(counts)] if counts else [prose("No verdicts.")]

    def flags(self) -> Fragment:
        """Clip-level faults."""
        rows = [{"voice": v.voice, "flag": flag.replace("_", " "), "clips": count} for v in self.voices if v.voice != "all" or len(self.voices) == 1 for flag, count in v.flags.items()]
        if not rows:
            return prose("No clip is empty, near silent, repeated, cut off or followed by added words.")
        return table(rows, [Column("voice", "voice"), Column("flag", "flag"), Column("clips", "clips", fmt=",d")], caption="Clips flagged as a whole")

    def yields(self) -> Fragment:
        """What three thresholds keep."""
        return yields_table(self.results, seed=self.config.seed)

    def times(self) -> list[object]:
        """Time per stage and speed."""
        return run_sections.times(self.results, self.validation.summary, speak_sec=self.validation.source.speak_sec)

    def planted(self) -> list[object]:
        """How far the validator itself can be trusted."""
        return self._planted.show() if self._planted else [no_trial()]

    @cached_property
    def _planted(self) -> PlantedSection | None:
        trial = self.validation.planted
        return PlantedSection(trial, threshold=self.validation.log_ratio_threshold, seed=self.config.seed) if trial else None

    def worst(self) -> Fragment:
        """The clips most worth listening to."""
        return self._gallery(
            summaries.worst(self.results, self.config.worst_clips),
            "Worst clips",
            "Failed or flagged as a whole first, then by share of flagged words, then by the fast engine's WER.",
            share=WORST_SHARE,
        )

    def sample(self) -> Fragment:
        """A random sample, so that the page does not show the worst only."""
        chosen = summaries.random_sample(self.results, self.config.sample_clips, seed=self.config.seed)
        return self._gallery(chosen, "Random sample", f"Drawn without replacement with seed {self.config.seed}.", share=1 - WORST_SHARE)

    def _gallery(self, chosen: list[ClipResult], title: str, note: str, *, share: float) -> Fragment:
        budget = int(self.config.audio_budget_mb * 1e6 * share)
        scores = [column for column in (*self._primaries.values(), "rms_db") if any(column in r.scores for r in self.results)]
        return players.gallery(chosen, audio_of=encoded_audio, budget_bytes=budget, title=title, total=len(self.results), note=note, scores=scores)

    def homographs(self) -> list[object]:
        """Words that are read in one sense and written alike in another."""
        budget = int(self.config.audio_budget_mb * 1e6 * HOMOGRAPH_SHARE)
        return homographs.section(self.validation.homographs, most=self.config.worst_clips, budget_bytes=budget)

    def failures(self) -> list[object]:
        """What failed, where and why: counted, never dropped."""
        return run_sections.failures(self.results, self.validation.summary)

    def provenance(self) -> list[object]:
        """Engines with licences, code, packages, machine, every parameter."""
        return provenance_section(self._provenance, self.config)

    @cached_property
    def _provenance(self) -> dict:
        return provenance(
            used=[*dict.fromkeys(self.config.speaking_engines()), *((stage.kind, stage.engine) for stage in self.validation.stages)],
            engine_options=self.config.engine_options,
            fingerprints={stage.name: stage.fingerprint for stage in self.validation.stages},
            dataset={"name": self.validation.source.dataset, "source": self.validation.source.described, "hash": self.validation.dataset_hash},
            seeds={"seed": self.config.seed},
            wall_sec=self.run.wall_sec,
        )

    def finish(self) -> Fragment:
        """Write the result files; the sentinel comes last."""
        write_parquet(self.results, self.run.folder / "results.parquet")
        overall = self.overall
        metrics = {
            "headline": self.headline_text,
            "clips": overall.clips,
            "failed": overall.failed,
            "words": overall.words,
            "computed": self.validation.summary.computed,
            "log_ratio_threshold": self.validation.log_ratio_threshold,
            "engines_in_trouble": [asdict(health) for health in self.validation.summary.health if not health.sound],
            "voices": [_voice_metrics(voice) for voice in self.voices],
            "planted": self._planted.metrics() if self._planted else None,
            "homographs": homographs.metrics(self.validation.homographs),
        }
        self.run.finish(metrics, self._provenance)
        return prose("Beside this report: `results.parquet` (a row per clip), `metrics.json`, `provenance.json`, `params.yaml`, `notebook.ipynb`.")


def _voice_metrics(voice: summaries.VoiceSummary) -> dict:
    return {
        "voice": voice.voice,
        "clips": voice.clips,
        "minutes": voice.minutes,
        "words": voice.words,
        "wer_fast": plain(voice.wer_fast),
        "audio_error_rate": plain(voice.audio_error_rate),
        "pass_rate": plain(voice.pass_rate),
        "tts_failure": voice.tts_failure,
        "ambiguous": voice.ambiguous,
        "dnsmos": plain(voice.dnsmos),
        "confidence": plain(voice.confidence),
        "flags": voice.flags,
    }
