"""The pieces of the homograph calibration report, in the order in which a reader meets them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property

from workbench.homographs.fitting import UNDECIDED, Judgement, Unit, counted
from workbench.homographs.shares import Shares, precision, shares
from workbench.report import figures_homographs, homograph_data, homograph_tables
from workbench.report.html import Column, Fragment, identity, prose, table, verdict_line
from workbench.report.parts import code_line, interval, percent, plain, provenance_section
from workbench.report.provenance import provenance
from workbench.report.session import Run
from workbench.scan.homograph_calibration import HomographCalibration, HomographCalibrationConfig
from workbench.scan.homographs import write_verdicts
from workbench.scan.speak import Voice
from workbench.stats import Estimate
from workbench.whole_files import write_whole

#: The rate of true errors that the headline speaks of.
HEADLINE_RATE = 0.05
#: Beyond this the interval of the false alarms is far from its target.
FAR_FROM_TARGET = 3.0


class HomographCalibrationReport:
    """What ``notebooks/homograph_calibration.ipynb`` shows, one method per cell."""

    def __init__(self, calibration: HomographCalibration, config: HomographCalibrationConfig, run: Run) -> None:
        self.found, self.config, self.run = calibration, config, run
        self.whole = calibration.nested.whole

    @cached_property
    def judgements(self) -> list[Judgement]:
        """All trials with the verdicts of the headline's way of holding out."""
        return list(zip(self.found.known, self.found.judged, strict=True))

    @cached_property
    def decided(self) -> list[Judgement]:
        """Those of kinds that are decided."""
        return counted(self.found.known, self.found.judged)

    @cached_property
    def _held_out(self) -> dict[Unit, Shares]:
        return {unit: shares(counted(self.found.known, judged)) for unit, judged in self.found.held_out.items()}

    @property
    def overall(self) -> Shares:
        """The shares of the headline's way of holding out."""
        return self._held_out[self.found.unit]

    @cached_property
    def _unadapted(self) -> Shares:
        return shares(counted(self.found.known, self.found.unadapted))

    @cached_property
    def _reference(self) -> Shares:
        """What the reference rule does with the same trials; it has no score, so the choice by its sign is none of its own."""
        nothing = Estimate(None, None, None, 0)
        return replace(shares(counted(self.found.known, self.found.reference)), two_way=nothing, d_prime=nothing, area=None)

    @cached_property
    def headline_text(self) -> str:
        """The verdict line's sentence; also the headline of ``workbench runs``."""
        own = self.overall
        if not self.decided:
            return "Every trial differs in stress alone, which cannot be decided by ear."
        worth = precision(self.decided, HEADLINE_RATE, seed=self.config.seed)
        told = f"With their {self.found.unit} held out, {percent(own.two_way.value)}{interval(own.two_way)} of {own.right + own.wrong:,} trials are told right from wrong; "
        told += f"{percent(own.recall.value)} of the wrong readings are found, {percent(own.false_alarm.value)} of the right ones flagged{interval(own.false_alarm)}. "
        if worth.value is not None:
            told += f"Where {HEADLINE_RATE:.0%} of all readings are wrong, {percent(worth.value)} of the suspects truly are{interval(worth)}. "
        return told + f"All trials together vouch for {len(self.whole.allowed)} of {len(self.whole.words)} words."

    def verdict(self) -> Fragment:
        """The answer in one sentence."""
        alarms, recall = self.overall.false_alarm, self.overall.recall
        if alarms.low is None or recall.low is None:
            return verdict_line(self.headline_text, tone="mixed")
        if alarms.low > self.config.false_alarms * FAR_FROM_TARGET or recall.high < 0.5:
            return verdict_line(self.headline_text, tone="bad")
        kept = alarms.low <= self.config.false_alarms and recall.low >= self.config.recall and "engine" in self.found.held_out
        return verdict_line(self.headline_text, tone="good" if kept else "mixed")

    def headline(self) -> Fragment:
        """The same trials judged in several ways."""
        rows = [(f"calibrations without their {unit}", found) for unit, found in self._held_out.items()]
        rows += [(f"without their {self.found.unit}, not adapted to voices", self._unadapted), ("reference rule", self._reference)]
        own = self.overall
        note = f"{own.right:,} trials said as their sentence asks, {own.wrong:,} said with another reading, {own.words} words; what they ask for is known here. "
        note += "Brackets: 95% intervals over words. The reference rule bounds the distances between readings and a free decode of phones; it has no score, so its two-way choice stays empty."
        return homograph_tables.held_out_table(rows, note=note)

    def identity(self) -> Fragment:
        """Which run this is."""
        source = self.found.source
        return identity(
            {
                "run": self.run.run_id,
                "parameters": self.run.parameters_hash,
                "trials": source.described,
                "listener": self.config.listener,
                "text model": self.found.text.model,
                "aims": f"right readings flagged {self.config.false_alarms:.0%}, wrong ones called correct {self.config.missed:.0%}",
                "code": code_line(),
                "left out": list(source.left_out) or None,
                "not heard": "; ".join(self.found.why_not_held_out.values()) or None,
            }
        )

    def data(self) -> list[object]:
        """Who spoke what, and who was judged by whom."""
        return homograph_data.trials_section(self.found)

    def text(self) -> list[object]:
        """Does the text model know what a sentence asks for?"""
        return homograph_data.text_section(self.found.text)

    def kinds(self) -> list[object]:
        """What can be told by ear, by kind of contrast and by word."""
        shown, curves = homograph_tables.kinds_table(self.judgements)
        star = "Star: the bounds that the calibrations chose; no star, never decided."
        return [shown, figures_homographs.roc_by_kind(curves, caption=star)]

    def allowlist(self) -> list[object]:
        """Which words can be vouched for, on what evidence."""
        criteria, denied = self.config.criteria, sum(map(len, self.whole.denied.values()))
        told = f"A word is vouched for when its trials, {criteria.each} of each sort at least, show precision of {criteria.precision:.0%} and recall of {criteria.recall:.0%} with at most "
        told += f"{criteria.ambiguous:.0%} left open. That holds for **{len(self.whole.allowed)} of {len(self.whole.words)}**"
        told += f"; {denied} are denied in single voices." if denied else "; none is denied in a single voice."
        return [prose(told), homograph_tables.words_table(self.judgements, self.whole, criteria)]

    def end_to_end(self) -> list[object]:
        """Both models together, and what a suspect is worth."""
        both = self.found.end_to_end
        if both is None:
            return [prose(f"Not measured: {self.found.why_no_end_to_end}"), self._precision()]
        if not both.chosen:
            return [prose("The calibrations without an engine vouch for no word, so nothing would be decided."), self._precision()]
        words = ", ".join(f"{count} without {engine}" for engine, count in both.words.items())
        told = f"The text model says what each sentence asks for; decided are words that the other engines vouch for ({words}). "
        told += f"For {percent(both.text_right.value)} of these trials it names the reading rightly and surely enough; what it leaves open is not found."
        rows = [{"how": "readings as often as spoken here", "recall": both.recall, "alarm": both.false_alarm}]
        if both.usual_recall is not None:
            rows.append({"how": "readings as frequent as where the text model learnt", "recall": both.usual_recall, "alarm": both.usual_false_alarm})
        columns = [Column("how", "with"), Column("recall", "wrong found", fmt=".1%"), Column("alarm", "right flagged", fmt=".1%")]
        note = f"{len(both.chosen):,} trials. Brackets: 95% intervals over words."
        return [prose(told), table(rows, columns, caption="End to end", note=note, sortable=False), self._precision()]

    @cached_property
    def _ways(self) -> list[tuple[str, list[Judgement]]]:
        """What is flagged, by whom."""
        ways = [(f"reading known, {self.found.unit} held out", self.decided)]
        if self.found.end_to_end and self.found.end_to_end.chosen:
            both = self.found.end_to_end
            ways.append(("end to end, words vouched for", [(self.found.known[at], both.judged[at]) for at in both.chosen]))
        return [*ways, ("reference rule", counted(self.found.known, self.found.reference))]

    @cached_property
    def _precisions(self) -> list[dict]:
        return [{"how": how, **{f"{rate:g}": precision(own, rate, seed=self.config.seed) for rate in self.config.error_rates}} for how, own in self._ways]

    def _precision(self) -> Fragment:
        columns = [Column("how", "flagged by"), *(Column(f"{rate:g}", f"{rate:.3g} wrong" if rate < 0.01 else f"{rate:.0%} wrong", fmt=".0%") for rate in self.config.error_rates)]
        note = "How many of the suspects are truly wrong, where so many of all readings are. Brackets: 95% intervals by draws of both shares."
        return table(self._precisions, columns, caption="What a suspect is worth", note=note, sortable=False)

    def adaptation(self) -> list[object]:
        """What knowing a voice brings, and where a voice is heard worse."""
        curve = figures_homographs.adaptation(self.found.adaptation, caption="Every point on the same trials; bars: 95% intervals over words.")
        return [curve, *self._drifts()]

    def _drifts(self) -> list[object]:
        tested = [line for line in self.found.drifts if line.trials >= 4]
        worse = [line for line in tested if line.drifts]
        if not tested:
            return [prose("No word has four trials in one voice: whether a voice is heard worse cannot be told.")]
        told = f"{len(worse)} of {len(tested)} pairs of word and voice are told apart less often than the word is in the other voices "
        told += f"(exact test, 5%; by chance up to about {0.05 * len(tested):.0f} would seem so)."
        if not worse:
            return [prose(told)]
        rows = [{"word": line.word, "voice": line.voice, "here": f"{line.hits} of {line.trials}", "all": f"{line.all_hits} of {line.all_trials}"} for line in worse]
        columns = [Column("word", "word"), Column("voice", "voice"), Column("here", "told apart here"), Column("all", "in all voices")]
        return [prose(told), table(rows, columns, caption="Heard worse in one voice")]

    def confusions(self) -> list[object]:
        """Every wrong verdict, to listen to."""
        trials = [trial for trial, known in zip(self.found.trials, self.found.known, strict=True) if known.asked.homograph.kind not in UNDECIDED]
        return homograph_tables.confusions(self.decided, trials, most=self.config.players, budget_bytes=int(self.config.audio_budget_mb * 1e6))

    def provenance(self) -> list[object]:
        """Engines with licences, code, packages, machine, every parameter."""
        return provenance_section(self._provenance, self.config)

    @cached_property
    def _provenance(self) -> dict:
        spoken = [] if self.config.trials else [("tts", engine) for engine in sorted({Voice.parse(trial.speaker).engine for trial in self.found.trials})]
        recognisers = [("phones", name) for name in (self.config.listener, self.config.verifier) if name and name != "pocketsphinx"]
        heard = recognisers if self.config.listener != "pocketsphinx" else [("stt", "pocketsphinx"), *recognisers]
        return provenance(
            used=[*spoken, *heard],
            engine_options=self.config.engine_options,
            fingerprints={},
            dataset={"name": "homograph trials", "source": self.found.source.described, "hash": self.trials_hash},
            seeds={"seed": self.config.seed},
            wall_sec=self.run.wall_sec,
        )

    @cached_property
    def trials_hash(self) -> str:
        """Names the trials by sentences, readings and what was heard of them."""
        told = [
            f"{trial.sentence}\t{trial.start_byte}\t{trial.expected}\t{trial.spoken}\t{trial.speaker}\t{[pair.measures for pair in known.asked.heard.pairs]}"
            for trial, known in zip(self.found.trials, self.found.known, strict=True)
        ]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def finish(self) -> Fragment:
        """Write the calibration, the verdicts and the figures; the sentinel comes last."""
        made = {**self.found.provenance, "trials_sha256": self.trials_hash}
        write_whole(self.run.folder / "calibration.json", replace(self.whole, provenance=made).to_json())
        write_verdicts(self.run.folder / "verdicts.tsv", self.found.trials, self.found.judged)
        self.run.finish(self._metrics(), self._provenance)
        return prose(
            "Beside this report: `calibration.json` (for `workbench homographs score --calibration` and `homograph_calibration` of a validation), "
            "`verdicts.tsv` (a row per trial, held out), `metrics.json`, `provenance.json`, `params.yaml`, `notebook.ipynb`."
        )

    def _metrics(self) -> dict:
        text, both = self.found.text.figures, self.found.end_to_end
        return {
            "headline": self.headline_text,
            "trials": len(self.found.trials),
            "held_out": {unit: _plain_shares(found) for unit, found in self._held_out.items()},
            "not_adapted": _plain_shares(self._unadapted),
            "reference_rule": _plain_shares(self._reference),
            "text": {"micro": plain(text.micro), "macro": text.macro, "by_reading": text.by_reading, "floor": text.floor and plain(text.floor), "calibration_error": text.calibration_error,
                     "per_reading": {name: list(counts) for name, counts in text.per_reading.items()}},
            "end_to_end": both and {"words": dict(both.words), "recall": plain(both.recall), "false_alarm": plain(both.false_alarm),
                                    "usual_recall": both.usual_recall and plain(both.usual_recall), "usual_false_alarm": both.usual_false_alarm and plain(both.usual_false_alarm)},
            "precision": {row["how"]: {name: plain(value) for name, value in row.items() if name != "how"} for row in self._precisions},
            "allowed": sorted(self.whole.allowed),
            "adaptation": [{"utterances": p.utterances, "wrong_share": p.wrong_share, "two_way": plain(p.two_way)} for p in self.found.adaptation],
        }  # fmt: skip


def _plain_shares(found: Shares) -> dict:
    names = ("two_way", "recall", "false_alarm", "missed", "decided", "d_prime")
    return {"right": found.right, "wrong": found.wrong, "words": found.words, **{name: plain(getattr(found, name)) for name in names}}
