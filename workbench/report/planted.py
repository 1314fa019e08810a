"""The report's section on the validator itself: what the planted trial found."""

from __future__ import annotations

from workbench.report import figures
from workbench.report.html import Column, Fragment, prose, table
from workbench.report.parts import percent, plain
from workbench.scan.planted_trial import PlantedTrial
from workbench.verdicts.planted_score import PlantedReport

ERROR_NAMES = {
    "replaced_neighbour": "word replaced by a sound neighbour",
    "replaced_unrelated": "word replaced by another",
    "dropped": "word dropped",
    "doubled": "word said twice",
    "swapped": "two words swapped",
    "tail_cut": "tail cut off",
}


class PlantedSection:
    """The trial's figures at the report's operating point; computed once, asked by several cells."""

    def __init__(self, trial: PlantedTrial, *, threshold: float, seed: int) -> None:
        self.trial, self.threshold, self.seed = trial, threshold, seed
        self.held_out = trial.test.report(threshold=threshold, seed=seed)
        self.certain = trial.test.report(threshold=threshold, seed=seed, certain_only=True)
        self.fast_only = trial.test.fast_only(seed=seed)
        self.precision_only = trial.test.precision_only(threshold=threshold, seed=seed)
        self.points = trial.test.roc()

    def sentence(self) -> str:
        """Half of the verdict line: what a reader needs to weigh the other half."""
        found = self.held_out
        if not found.errors:
            return ""
        return f" On {found.errors} planted errors the validator found {percent(found.recall.value)} and flagged {percent(found.false_alarm_all.value)} of the untouched words."

    def show(self) -> list[object]:
        """Table of engines, recall per kind, ROC."""
        test = self.trial.test
        rows = [
            {"who": who, "recall": report.recall, "false_alarm": report.false_alarm_all, "apart": report.false_alarm, "false_insertion": report.false_insertion}
            for who, report in (
                ("both engines", self.held_out),
                ("both, tts_failure only", self.certain),
                ("fast engine alone", self.fast_only),
                ("precision engine alone", self.precision_only),
            )
        ]
        columns = [
            Column("who", "verdict by"),
            Column("recall", "planted errors found", fmt=".1%"),
            Column("false_alarm", "untouched words flagged", fmt=".1%", help="words that no error touched, those right beside one included"),
            Column("apart", "those not beside an error", fmt=".1%", help="a flag right beside an error still leads a listener to it; these lead nowhere"),
            Column("false_insertion", "insertions flagged wrongly", fmt=".1%", help="per untouched word"),
        ]
        voices = ", ".join(map(str, test.voices))
        note = f"{self.held_out.errors} planted errors and {self.held_out.untouched:,} words not touched and not beside one, held out: voices {voices}. Brackets: 95% intervals (Wilson; clustered by text for words)."
        if self.trial.left_out:
            note += f" {self.trial.left_out} clips could not be heard and are left out."
        kinds = [
            figures.RecallRow(ERROR_NAMES[kind], round((estimate.value or 0) * estimate.n), estimate.n, estimate.low, estimate.high)
            for kind, estimate in self.held_out.per_kind.items()
        ]
        return [
            table(rows, columns, caption="How far the validator can be trusted", note=note),
            figures.recall_by_kind(kinds),
            figures.roc(*self._curve()),
            prose(self._tuning()),
        ]

    def _curve(self) -> tuple[list[figures.RocPoint], figures.RocPoint]:
        curve = [figures.RocPoint(p.false_alarm, p.recall, p.threshold) for p in self.points]
        here = figures.RocPoint(self.held_out.false_alarm_all.value or 0.0, self.held_out.recall.value or 0.0, self.threshold, label="operating point")
        return curve, here

    def _tuning(self) -> str:
        tuned = self.trial.tuned
        if tuned is None:
            return "The operating point was not tuned in this run; it was chosen beforehand on other texts and voices."
        return (
            f"This run's own tuning clips ({tuned.provenance}) would choose a log ratio of {tuned.threshold:+.2f} nats: recall {percent(tuned.recall)} at "
            f"{percent(tuned.false_alarm)} false alarms among {tuned.errors} errors and {tuned.untouched:,} words. Rule: {tuned.rule}."
        )

    def metrics(self) -> dict:
        """The same figures for ``metrics.json``."""
        return {
            "threshold": self.threshold,
            "errors": self.held_out.errors,
            "untouched": self.held_out.untouched,
            "both": _plain(self.held_out),
            "certain": _plain(self.certain),
            "fast_only": _plain(self.fast_only),
            "precision_only": _plain(self.precision_only),
            "tuned_threshold": self.trial.tuned.threshold if self.trial.tuned else None,
        }


def no_trial() -> Fragment:
    """What stands in the section when no errors were planted."""
    return prose("No errors were planted in this run (`planted_texts` is 0, or no voice could speak them), so nothing is said about recall and false alarms here.")


def _plain(report: PlantedReport) -> dict:
    per_kind = {str(kind): plain(estimate) for kind, estimate in report.per_kind.items()}
    return {"recall": plain(report.recall), "false_alarm": plain(report.false_alarm_all), "false_alarm_apart": plain(report.false_alarm), "per_kind": per_kind}
