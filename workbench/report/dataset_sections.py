"""Sections of the dataset comparison: what the datasets hold, how they sound, what is wrong in them, what rules keep."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from workbench.datasets.comparison import DatasetComparison, DatasetComparisonConfig
from workbench.datasets.faults import Family, Fault
from workbench.datasets.profile import Profile
from workbench.judges.signal import FLOOR_LUFS
from workbench.report import figures
from workbench.report.dataset_figures import Axis, distribution, phone_squares, sentences
from workbench.report.html import Column, Fragment, fold, prose, showing, table
from workbench.stats.independent import Sample, mean_of

#: Sentences on the page; the table under them has every comparison.
MOST_SENTENCES = 12
#: Rows of a table of rates and ceilings for each dataset.
MOST_RATES = 4
FAMILIES: tuple[tuple[Family, str], ...] = (("text", "Faults of the text"), ("audio", "Faults of the audio"), ("copy", "Copies"))


@dataclass(frozen=True, slots=True)
class Hours:
    """The unit in which amounts of audio are told: hours, or minutes where there is less than one."""

    name: str
    per_hour: float
    fmt: str

    @classmethod
    def of(cls, profiles: Sequence[Profile]) -> Self:
        return cls("h", 1, ",.1f") if max((p.hours for p in profiles), default=0) >= 1 else cls("min", 60, ".1f")

    def value(self, hours: float) -> float:
        return hours * self.per_hour

    @staticmethod
    def said(hours: float) -> str:
        return f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"


class DatasetSections:
    """The sections that need nothing but the comparison."""

    def __init__(self, comparison: DatasetComparison, config: DatasetComparisonConfig, *, parameters_file: str) -> None:
        self.comparison, self.config, self._parameters_file = comparison, config, parameters_file
        self.profiles = comparison.profiles

    def contents(self) -> list[object]:
        """Clips, speakers, lengths."""
        unit = Hours.of(self.profiles)
        rows = [
            {
                "dataset": p.name,
                "clips": p.clips,
                "audio": unit.value(p.hours),
                "mean": float(np.mean(p.known("duration_sec"))) if len(p.known("duration_sec")) else None,
                "longest": float(np.max(p.known("duration_sec"), initial=0)) if len(p.known("duration_sec")) else None,
                "speakers": len(set(p.speakers) - {""}) or None,
                "unnamed": p.speakers.get("", 0),
                "texts": len(np.unique(p.texts)),
                "words": float(np.mean(p.known("words"))) if p.clips else None,
                "rate": p.usual.chars_per_sec,
            }
            for p in self.profiles
        ]
        columns = [
            Column("dataset", "dataset"),
            Column("clips", "clips", fmt=",d"),
            Column("audio", "audio", unit.name, unit.fmt),
            Column("mean", "mean length", "s", ".2f"),
            Column("longest", "longest", "s", ".1f"),
            Column("speakers", "speakers", fmt=",d"),
            *([Column("unnamed", "without a name", fmt=",d", help="clips whose source names no speaker")] if any("" in p.speakers for p in self.profiles) else []),
            Column("texts", "texts", fmt=",d", help="different texts, normalised"),
            Column("words", "words a clip", fmt=".1f"),
            Column("rate", "rate", "characters/s", ".1f", help="median over clips of characters per second that is not silent"),
        ]
        return [
            table(rows, columns, caption="What there is"),
            distribution({p.name: p.numbers["duration_sec"] for p in self.profiles}, Axis("length of a clip (s)", low=0)),
            distribution({p.name: p.numbers["words"] for p in self.profiles}, Axis("words in the text of a clip", ".0f", low=0)),
            *self._speakers(),
        ]

    def _speakers(self) -> list[Fragment]:
        rows = [{"dataset": p.name, "speaker": name or "(unnamed)", "clips": clips} for p in self.profiles for name, clips in sorted(p.speakers.items(), key=lambda item: (-item[1], item[0]))[:20]]
        more = sum(max(0, len(p.speakers) - 20) for p in self.profiles)
        note = f"The 20 with the most clips of each dataset; {more:,} further speakers." if more else ""
        shown = table(rows, [Column("dataset", "dataset"), Column("speaker", "speaker"), Column("clips", "clips", fmt=",d")], note=note)
        return [fold("Clips by speaker", shown)] if rows else []

    def texts(self) -> list[object]:
        """Words and phones, and what the datasets share."""
        equal = self.comparison.equal_words
        rows = [
            {
                "dataset": p.name,
                "words": p.coverage.words,
                "distinct": p.coverage.distinct,
                "at": self.comparison.distinct[p.name],
                "once": p.coverage.once / p.coverage.distinct if p.coverage.distinct else None,
                "unlisted": p.coverage.unlisted / p.coverage.words if p.coverage.words else None,
                "phones": p.coverage.phones_covered,
                "diphones": p.coverage.diphones,
                "rarest": ", ".join(f"{phone} {p.coverage.phones[phone]:,}" for phone in p.coverage.rarest) if p.coverage.words else None,
            }
            for p in self.profiles
        ]
        columns = [
            Column("dataset", "dataset"),
            Column("words", "words", fmt=",d", help="running words of all texts, as they are said"),
            Column("distinct", "different words", fmt=",d"),
            Column("at", f"in {equal:,} words", fmt=",.0f", help=f"different words to expect in {equal:,} running words, so that datasets of different sizes compare (rarefaction)"),
            Column("once", "occur once", fmt=".0%", help="of the different words"),
            Column("unlisted", "not in the lexicon", fmt=".1%", help="of the running words: names, other languages, faults of the text"),
            Column("phones", "phones of 39", fmt=",d", help="ARPABET phones that occur, by the pronouncing lexicon and by rule"),
            Column("diphones", "phone pairs", fmt=",d", help="different pairs of neighbouring phones within words"),
            Column("rarest", "rarest phones"),
        ]
        shares = {p.name: {phone: count / max(1, sum(p.coverage.phones.values())) for phone, count in p.coverage.phones.items()} for p in self.profiles}
        return [table(rows, columns, caption="Words and phones"), phone_squares(shares), *self._overlaps()]

    def _overlaps(self) -> list[Fragment]:
        columns = [
            Column("a", "a"),
            Column("b", "b"),
            Column("texts", "texts in both", fmt=",d"),
            Column("audio", "audio in both", fmt=",d", help="equal samples: the same recording in two datasets; harmful where one trains and the other tests"),
            Column("words_of_a_in_b", "a's words in b", fmt=".0%", help="share of a's running words that occur in b"),
            Column("words_of_b_in_a", "b's words in a", fmt=".0%"),
        ]
        return [table(self.comparison.overlaps, columns, caption="What two datasets share")] if self.comparison.overlaps else []

    def differences(self) -> list[object]:
        """What may be said of two datasets, and every comparison as a table."""
        claims = self.comparison.claims
        lacking = [f"{name} has no value of {metric} and is not compared on it." for metric, names in self.comparison.lacking.items() for name in names]
        if not claims:
            return [sentences(lacking) if lacking else prose("There is no other dataset to compare with.")]
        told = sorted(claims, key=lambda claim: claim.gap.higher is None)[:MOST_SENTENCES]
        rows = [
            {"metric": g.metric, "a": g.a, "b": g.b, "difference": g.difference, "p": g.p_holm, "effect": g.effect_size, "needed": None if g.higher else g.texts_needed,
             "said": f"higher in {g.higher}" if g.higher else g.reason or "cannot be told apart"}
            for g in self.comparison.gaps
        ]  # fmt: skip
        columns = [
            Column("metric", "metric"),
            Column("a", "a"),
            Column("b", "b"),
            Column("difference", "a minus b", fmt=".3f"),
            Column("p", "p (Holm)", fmt=".3f"),
            Column("effect", "effect size", fmt="+.2f", help="difference over the standard deviation of texts"),
            Column("needed", "texts to settle it", fmt=",d", help="in each of the two, for a difference of the size observed"),
            Column("said", "outcome"),
        ]
        note = "Unpaired, over texts: Welch's or Hall's intervals, whichever is wider, and score intervals for shares; p-values after Holm's correction over all rows."
        rest = [showing(len(told), len(claims))] if len(told) < len(claims) else []
        return [sentences([*(claim.sentence for claim in told), *lacking]), *rest, fold("Every comparison", table(rows, columns, note=note))]

    def sound(self) -> list[object]:
        """Loudness, silence, clipping and bandwidth."""
        rows = [
            {
                "dataset": p.name,
                "loudness": mean_of(Sample(_loudness(p), p.texts)),
                "spread": float(np.nanstd(_loudness(p))) if np.isfinite(_loudness(p)).any() else None,
                "silence": mean_of(p.sample("silence_pct")),
                "clipped": p.faults[Fault.CLIPPED],
                "over": int((p.known("peak_amplitude") > 1).sum()),
                "bandwidth": float(np.median(p.known("bandwidth_hz"))) / 1000 if len(p.known("bandwidth_hz")) else None,
                "low": p.faults[Fault.LOW_CEILING],
            }
            for p in self.profiles
        ]
        columns = [
            Column("dataset", "dataset"),
            Column("loudness", "loudness", "LUFS", ".1f", help="gated loudness (ITU-R BS.1770), mean over the clips that have one"),
            Column("spread", "its spread", "LU", ".1f", help="standard deviation over clips"),
            Column("silence", "silence", "%", ".1f", help="frames under -60 dB, or 40 dB under the loudest"),
            Column("clipped", "clipped", "clips", ",d", help=f"more than {self.config.bounds.clipping_pct:g}% of the samples at full scale"),
            Column("over", "peak above 1", "clips", ",d"),
            Column("bandwidth", "bandwidth", "kHz", ".1f", help="highest frequency with sound, median over clips"),
            Column("low", "low ceiling", "clips", ",d", help=f"sound ends under {self.config.bounds.bandwidth_share:.0%} of half the sample rate: upsampled, coded or filtered"),
        ]
        return [
            table(rows, columns, caption="Loudness, silence, clipping, bandwidth"),
            distribution({p.name: _loudness(p) for p in self.profiles}, Axis("loudness of a clip (LUFS)")),
            distribution({p.name: p.numbers["silence_pct"] for p in self.profiles}, Axis("silence in a clip (%)", low=0, high=100)),
            distribution({p.name: p.numbers["bandwidth_hz"] / 1000 for p in self.profiles}, Axis("bandwidth of a clip (kHz)", ".1f", low=0)),
            self._rates(),
        ]

    def _rates(self) -> Fragment:
        rows = []
        for p in self.profiles:
            rates, clips = np.unique(p.known("sample_rate_hz"), return_counts=True)
            for index in np.argsort(-clips)[:MOST_RATES]:
                own = p.numbers["sample_rate_hz"] == rates[index]
                reached = p.numbers["bandwidth_hz"][own]
                reached = reached[np.isfinite(reached)]
                share = p.numbers["bandwidth_share"][own]
                rows.append({
                    "dataset": p.name, "rate": rates[index] / 1000, "clips": int(clips[index]), "median": float(np.median(reached)) / 1000 if len(reached) else None,
                    "low": int((share < self.config.bounds.bandwidth_share).sum()), "unknown": int(own.sum() - len(reached)),
                })  # fmt: skip
        columns = [
            Column("dataset", "dataset"),
            Column("rate", "sample rate", "kHz", "g"),
            Column("clips", "clips", fmt=",d"),
            Column("median", "sound up to", "kHz", ".1f", help="median over clips"),
            Column("low", "with a low ceiling", "clips", ",d"),
            Column("unknown", "unknown", "clips", ",d", help="too little sound to tell"),
        ]
        return table(rows, columns, caption="Sample rates and ceilings")

    def faults(self) -> list[object]:
        """What is wrong: in the texts, in the audio, and what is there twice."""
        shown: list[object] = []
        for family, title in FAMILIES:
            found = [fault for fault in Fault if fault.family == family and any(p.faults[fault] for p in self.profiles)]
            rows = [{"fault": fault.value.replace("_", " "), **{p.name: p.faults[fault] for p in self.profiles}, "meaning": fault.meaning} for fault in found]
            if not rows:
                shown.append(prose(f"{title}: none."))
                continue
            total = {"fault": "clips with any", **{p.name: p.with_fault[family] for p in self.profiles}, "meaning": None}
            columns = [Column("fault", "fault"), *(Column(p.name, p.name, "clips", ",d") for p in self.profiles), Column("meaning", "meaning")]
            shown.append(table(rows, columns, caption=title, total=total))
        return shown

    def _why(self, family: Family) -> str:
        found = [fault for fault in Fault if fault.family == family and any(p.faults[fault] for p in self.profiles)]
        return ", ".join(fault.value.replace("_", " ") for fault in found)

    def yields(self) -> list[object]:
        """What each rule keeps of each dataset, what its conditions take, and the command that writes the manifest."""
        unit = Hours.of(self.profiles)
        rows, bars = [], []
        for p in self.profiles:
            for count in p.rules:
                share = mean_of(p.share(p.kept[count.name]))
                rows.append({"dataset": p.name, "rule": count.name, "condition": count.rules[0].text, "kept": count.kept, "share": share,
                             "audio": unit.value(count.kept_hours), "of_audio": count.kept_share})  # fmt: skip
                bars.append(figures.YieldRow(p.name, count.name, count.kept, count.clips, share.low, share.high))
        columns = [
            Column("dataset", "dataset"),
            Column("rule", "rule"),
            Column("condition", "keeps clips with"),
            Column("kept", "clips", fmt=",d"),
            Column("share", "share of clips", fmt=".0%"),
            Column("audio", "audio", unit.name, unit.fmt),
            Column("of_audio", "share of audio", fmt=".0%"),
        ]
        note = "The confidence bounds of the standard rules were set for another recogniser's scale; here confidence is: "
        note += f"{', '.join(dict.fromkeys(m for p in self.profiles for m in p.confidence_methods)) or 'unknown'}. A clip whose value is unknown is not kept."
        return [table(rows, columns, caption="Clips and audio kept", note=note), figures.yields(bars), fold("What each condition takes", self._conditions(unit)), self._commands()]

    def _conditions(self, unit: Hours) -> Fragment:
        rows = [
            {"dataset": p.name, "rule": count.name, "condition": clause.text, "clips": clause.taken, "audio": unit.value(clause.taken_hours),
             "alone": unit.value(clause.alone_hours), "unknown": clause.unknown}
            for p in self.profiles for count in p.rules for clause in count.clauses
        ]  # fmt: skip
        columns = [
            Column("dataset", "dataset"),
            Column("rule", "rule"),
            Column("condition", "condition"),
            Column("clips", "takes", "clips", ",d", help="clips for which it is not true"),
            Column("audio", "takes", unit.name, unit.fmt),
            Column("alone", "it alone", unit.name, unit.fmt, help="what no other condition of the rule takes"),
            Column("unknown", "unknown", "clips", ",d"),
        ]
        return table(rows, columns)

    def _commands(self) -> Fragment:
        lines = []
        for dataset in self.comparison.datasets:
            if (manifest := dataset.clips.manifest) is not None:
                command = ["workbench", "filter", str(manifest.source), "--dataset", dataset.name, "--scan", dataset.clips.scan_id, "-p", self._parameters_file]
                lines.append(shlex.join([*command, "--keep", self.config.headline_rule, "-o", f"{dataset.name}-kept.jsonl"]))
        if not lines:
            return prose("These clips were spoken for this run; `workbench filter` writes the filtered manifest of clips that exist.")
        return prose("The same rules write a manifest of what they keep:\n\n```\n" + "\n".join(lines) + "\n```")


def _loudness(profile: Profile) -> np.ndarray:
    """Loudness of each clip; NaN for silence, which has none and would drag every mean down."""
    values = profile.numbers["loudness_lufs"]
    return np.where(values > FLOOR_LUFS, values, np.nan)
