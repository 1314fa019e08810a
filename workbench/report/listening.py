"""The pieces of the listening test's report, in the order in which a reader meets them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from workbench.listening.base import Check, Rating, TrialKind
from workbench.listening.calibration import Calibration, Rated, Refusal, calibrate, save_calibrations
from workbench.listening.judged import JudgeAgreement, ListenerAgreement, judge_agreements, listener_agreement
from workbench.listening.opinions import PairOpinion, SystemOpinion, discriminations, mos_pairs, preferences, rated_clips, scored, system_opinions
from workbench.listening.scored_clips import WER
from workbench.listening.simulated import MODEL
from workbench.listening.study import ListeningConfig, Study
from workbench.report import listening_figures, listening_tables
from workbench.report.comparison_text import counted, listed
from workbench.report.html import Column, Fragment, fold, identity, prose, table, verdict_line
from workbench.report.listening_export import write_ratings
from workbench.report.listening_gallery import disagreements
from workbench.report.listening_sentences import Told, value_of
from workbench.report.parts import code_line, provenance_section
from workbench.report.provenance import code_version, provenance
from workbench.report.session import Run
from workbench.scan.speak import Voice

#: Shown beside the judges, as they should know nothing of what people like.
NULLS = frozenset({"duration_sec", "rms_db", WER})
CALIBRATIONS = "calibration.json"
NOTHING = "No ratings, so nothing to say here."
NOBODY = "No listener counts by the stated rules, so nothing is said here."
NO_OPINIONS = "Nobody rated single clips, so there are no opinions to hold judges against."
NO_JUDGE = "No clip has a score of a judge."
KEPT_BACK = "Kept back while ratings are collected."


class ListeningReport:
    """What ``notebooks/listening_test.ipynb`` shows, one method per cell. In a session that collects ratings, results are kept back."""

    def __init__(self, study: Study, config: ListeningConfig, run: Run) -> None:
        self.study, self.config, self.run = study, config, run
        self.plan = study.prepared.plan
        self.everyone: list[Rating] = [] if config.collect else study.all_ratings
        self.counted: list[Rating] = [] if config.collect else study.counted

    @property
    def _nothing(self) -> str:
        return KEPT_BACK if self.config.collect else NOBODY if self.everyone else NOTHING

    def verdict(self) -> Fragment:
        """The answer in one sentence."""
        return verdict_line(self.headline_text, tone=self._told.tone, label=self._told.label)

    @property
    def headline_text(self) -> str:
        """The verdict line's sentence; also the headline of ``workbench runs``."""
        return self._told.sentence

    @cached_property
    def _told(self) -> Told:
        # Everything that is said needs people who said it.
        best = self._best_judge if self.counted else None
        return Told.of(self.study, self.config, self.opinions[0], [pair for kind in TrialKind for pair in self.pairs(kind)[0]], best)

    def headline(self) -> list[object]:
        """Mean opinions per system."""
        if self.config.collect:
            return []
        if not self.everyone:
            return [listening_tables.plan_table(self.plan)]
        if not self.opinions[1]:
            return []
        return [listening_tables.opinions_table(*self.opinions), listening_figures.mean_opinions(*self.opinions, caption="Bars: 95% intervals over listeners and texts.")]

    @cached_property
    def opinions(self) -> tuple[list[SystemOpinion], list[SystemOpinion]]:
        """By the listeners who count, and by all."""
        return system_opinions(self.counted, self.plan, seed=self.config.seed), system_opinions(self.everyone, self.plan, seed=self.config.seed)

    def pairs(self, kind: TrialKind) -> tuple[list[PairOpinion], list[PairOpinion]]:
        """Pairs of one kind by the listeners who count, and by all."""
        return self._pairs[kind]

    @cached_property
    def _pairs(self) -> dict[TrialKind, tuple[list[PairOpinion], list[PairOpinion]]]:
        seed = self.config.seed
        found = {}
        for kind in TrialKind:
            both = []
            for ratings in (self.counted, self.everyone):
                if kind is TrialKind.ABX:
                    both.append(discriminations(ratings, self.plan))
                else:
                    both.append((mos_pairs if kind is TrialKind.MOS else preferences)(ratings, self.plan, seed=seed))
            found[kind] = (both[0], both[1])
        return found

    def comparisons(self) -> list[object]:
        """What may be said of every two systems: by opinions, preferences, and whether they are heard apart."""
        found = [listening_tables.pairs_table(*self.pairs(kind)) for kind in TrialKind]
        return [one for one in found if one is not None] or [prose(self._nothing)]

    def agreement(self) -> list[object]:
        """Listeners among themselves, then judges against them."""
        if not scored(self.counted, TrialKind.MOS):
            return [prose(NO_OPINIONS if self.counted else self._nothing)]
        own = self._listeners
        alpha = own.alpha
        told = "not defined, as no clip has two ratings or none differ" if alpha.value is None else value_of(alpha)
        lines = f"Listeners among themselves: Krippendorff's alpha {told} (ordinal, {alpha.n} clips with two ratings or more; 1 is full agreement, 0 is chance)."
        if own.ceiling is not None:
            lines += f" A judge who knew every clip's true opinion would correlate with these means at about {own.ceiling:.2f}."
        judges = listening_tables.judges_table(self.agreements, NULLS) if self.agreements else prose(NO_JUDGE)
        return [prose(lines), judges]

    @cached_property
    def _listeners(self) -> ListenerAgreement:
        return listener_agreement(self.counted, self.plan, seed=self.config.seed)

    @cached_property
    def agreements(self) -> list[JudgeAgreement]:
        """Judges first, then what should know nothing."""
        columns = [*self._judges, *sorted(NULLS & {name for own in self.study.scores.values() for name in own})]
        return judge_agreements(self.counted, self.plan, self.study.scores, columns, seed=self.config.seed, resamples=self.config.resamples)

    @property
    def _judges(self) -> list[str]:
        return self.study.judges

    @property
    def _best_judge(self) -> JudgeAgreement | None:
        known = [one for one in self.agreements if one.column in self._judges and one.pearson.value is not None]
        return max(known, key=lambda one: one.pearson.value, default=None)

    def calibration(self) -> list[object]:
        """Each judge's map to the opinion people would have, or why there is none."""
        if not self._fits:
            return [prose(self._nothing if not self.counted else NO_JUDGE if scored(self.counted, TrialKind.MOS) else NO_OPINIONS)]
        shown: list[object] = []
        if self.calibrations:
            shown.append(listening_tables.calibrations_table(self.calibrations, self._listeners.noise))
            shown += [listening_figures.calibration_map(one, list(self._rated(one.column).values())) for one in self.calibrations]
        refused = listening_tables.refusals(self.refusals)
        return [*shown, refused] if refused else shown

    @cached_property
    def _fits(self) -> list[Calibration | Refusal]:
        if not scored(self.counted, TrialKind.MOS):
            return []
        return [calibrate(column, list(self._rated(column).values()), self.config.calibration_rules(), seed=self.config.seed) for column in self._judges]

    @property
    def calibrations(self) -> list[Calibration]:
        return [one for one in self._fits if isinstance(one, Calibration)]

    @property
    def refusals(self) -> list[Refusal]:
        return [one for one in self._fits if isinstance(one, Refusal)]

    def _rated(self, column: str) -> dict[str, Rated]:
        return rated_clips(self.counted, self.plan, {item: own[column] for item, own in self.study.scores.items() if column in own})

    def listen(self) -> list[object]:
        """Where the best judge and the listeners differ most, to be heard."""
        best = self._best_judge if self.counted else None
        if best is None:
            return [prose(self._nothing if not self.counted else "No judge to hold against the listeners.")]
        return [disagreements(self.study, self._rated(best.column), best.column, clips=self.config.gallery_clips, budget_bytes=int(self.config.audio_budget_mb * 1e6))]

    def listeners(self) -> list[object]:
        """Who took part, who counts by which rules, and what in the files does not hold."""
        if self.config.collect:
            return [prose(self._nothing)]
        rules = f"A listener is excluded if {'; or '.join(self.config.exclusion_rules().sentences())}."
        rules += " Where anyone is, results by all listeners stand beside those of the ones who count."
        shown = [listening_tables.listeners_table(self.study.attention)] if self.study.attention else []
        if self.study.simulated:
            rules = f"No listener below is a person. The model that they are drawn from: {MODEL}.\n\n{rules}"
        checked = [listening_tables.refused_table(self.study.refused)] if self.study.refused or (self.study.attention and not self.study.simulated) else []
        return [prose(rules), *shown, *checked]

    def the_test(self) -> list[object]:
        """What was to be heard, and what could not take part."""
        rules = self.plan.rules
        loudness = "at their own loudness" if rules.loudness_lufs is None else f"at {rules.loudness_lufs:g} LUFS"
        over = len(self.study.prepared.clipped)
        clipped = f" {over} of them {'peaks above 1 and is' if over == 1 else 'peak above 1 and are'} clipped when played." if over else ""
        lines = f"{counted(len(self.plan.systems), 'system')} ({listed(self.plan.systems)}) with the same {counted(len(self.plan.texts), 'text')}. "
        lines += f"Sounds are brought to {self.plan.sample_rate_hz:,} Hz and played {loudness}, without any other change.{clipped}"
        left_out = self.study.prepared.left_out
        columns = [Column("system", "system"), Column("clip_id", "clip"), Column("why", "why")]
        return [
            prose(lines),
            *([listening_tables.plan_table(self.plan)] if self.everyone else []),
            *([fold(f"{counted(len(left_out), 'clip')} left out of the test", table(left_out, columns))] if left_out else []),
        ]

    def identity(self) -> Fragment:
        """Which run and which test this is."""
        return identity(
            {
                "run": self.run.run_id,
                "parameters": self.run.parameters_hash,
                "test": self.plan.plan_id,
                "clips": self.study.described,
                "ratings (hash)": self.study.ratings_hash[:12] if self.everyone else None,
                "listeners": "SIMULATED" if self.study.simulated and self.everyone else None,
                "code": code_line(),
                "left out": list(self.study.remarks) or None,
            }
        )

    def provenance(self) -> list[Fragment]:
        """Engines with licences, code, packages, machine, every parameter."""
        return provenance_section(self._provenance, self.config)

    @cached_property
    def _provenance(self) -> dict[str, Any]:
        return provenance(
            used=[*self._speaking, *((stage.kind, stage.engine) for stage in self.study.stages)],
            engine_options=self.config.engine_options,
            fingerprints={stage.name: stage.fingerprint for stage in self.study.stages},
            dataset={"source": self.study.described, "plan": self.plan.plan_id, "hash": self.study.ratings_hash, "simulated": self.study.simulated},
            seeds={"seed": self.config.seed},
            wall_sec=self.run.wall_sec,
        )

    @property
    def _speaking(self) -> list[tuple[str, str]]:
        """The engines that spoke this test's clips and attention checks, where this run knows."""
        spoken = [voice for voice in self.config.voices if self.config.texts and voice in self.plan.systems]
        asked = [self.config.instruction_voice] if any(item.check == Check.INSTRUCTED for item in self.plan.items) and self.config.instruction_voice else []
        return list(dict.fromkeys(("tts", Voice.parse(written).engine) for written in (*spoken, *asked)))

    def finish(self) -> Fragment:
        """Write the result files; the sentinel comes last."""
        write_ratings(self.study, self.everyone, self.run.folder / "results.parquet")
        files = ["`results.parquet` (a row per answer)"]
        if self.calibrations:
            told = {"run": self.run.run_id, "plan": self.plan.plan_id, "clips": self.study.described, "ratings_hash": self.study.ratings_hash,
                    "listeners": len({rating.listener for rating in self.counted}), "code": code_version(), "seed": self.config.seed}  # fmt: skip
            save_calibrations(self.run.folder / CALIBRATIONS, self.calibrations, provenance=told, simulated=self.study.simulated)
            files.append(f"`{CALIBRATIONS}` (maps for other notebooks)")
        self.run.finish(self._told.metrics(self), self._provenance)
        return prose(f"Beside this report: {', '.join(files)}, `metrics.json`, `provenance.json`, `params.yaml`, `notebook.ipynb`.")
