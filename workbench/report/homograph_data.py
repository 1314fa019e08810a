"""What a homograph calibration rests on: the trials and their split, and the text model on labelled sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from workbench.report import figures_homographs
from workbench.report.homograph_parts import reading_name
from workbench.report.html import Column, Fragment, fold, prose, table
from workbench.report.parts import percent
from workbench.scan.homograph_calibration import HomographCalibration
from workbench.scan.homograph_text import TextFindings


def trials_section(found: HomographCalibration) -> list[object]:
    """Who spoke what, and who was judged by whom."""
    known, rows = found.known, []
    for engine, voice in sorted({(trial.engine, trial.asked.voice) for trial in known}):
        own = [trial for trial in known if (trial.engine, trial.asked.voice) == (engine, voice)]
        units = {trial.engine for trial in known} - {engine} if found.unit == "engine" else {trial.speaker for trial in known} - {own[0].speaker}
        wrong = sum(trial.wrong for trial in own)
        rows.append({
            "voice": voice or "unnamed", "words": len({trial.asked.word for trial in own}), "right": len(own) - wrong, "wrong": wrong,
            "by": ", ".join(sorted(unit or "unnamed" for unit in units)),
        })  # fmt: skip
    columns = [
        Column("voice", "voice"), Column("words", "words", fmt=",d"), Column("right", "said as asked", fmt=",d"), Column("wrong", "said otherwise", fmt=",d"),
        Column("by", f"judged by what these {found.unit}s teach"),
    ]  # fmt: skip
    return [table(rows, columns, caption="Trials and their split", note=_said_of(found)), *_refused(found.source.refused or {})]


def _said_of(found: HomographCalibration) -> str:
    told = f"Rows of the list that do not tell what was said, left out: {found.source.unknown:,}. " if found.source.unknown else ""
    faults = Counter(trial.asked.heard.fault for trial in found.known if trial.asked.heard.fault)
    if faults:
        told += "Not weighed, and counted as left open: " + "; ".join(f"{count:,} ({fault})" for fault, count in faults.most_common(5)) + ". "
    return told + "Weights, bounds and lists of each calibration come from the others alone; within it, scores for bounds are held out once more."


def _refused(refused: Mapping[str, int]) -> list[object]:
    if not refused:
        return []
    rows = [{"why": why, "count": count} for why, count in sorted(refused.items(), key=lambda pair: -pair[1])]
    columns = [Column("why", "because"), Column("count", "sentences", fmt=",d")]
    return [table(rows, columns, caption="Sentences left out: a file does not provably say what its label claims", sortable=False)]


def text_section(text: TextFindings) -> list[object]:
    """Figures of the text model: likeliest readings, abstention, reliability, every reading."""
    found = text.figures
    warning = [prose("**The text model learnt from these very sentences: the figures below say nothing.**")] if text.taught else []
    sure, right = found.at(0.9)
    rows = [
        {"what": "all sentences (micro)", "share": found.micro, "items": found.items},
        {"what": "mean over words (macro)", "share": found.macro, "items": len(found.per_word)},
        {"what": "mean over readings", "share": found.by_reading, "items": len(found.per_reading)},
        *({"what": f"words told by {told}", "share": share, "items": share.n} for told, share in found.by_told.items() if share.n),
        *([{"what": "floor: always the word's usual reading", "share": found.floor, "items": found.items}] if found.floor else []),
    ]
    columns = [Column("what", "likeliest reading is right"), Column("share", "share", fmt=".1%"), Column("items", "of", fmt=",d")]
    told = "It is never as sure as 0.9. "
    if right is not None:
        told = f"With probability 0.9 or more it answers {percent(sure)} of the sentences, and {percent(right)} of those rightly. "
    told += f"Probabilities and shares right lie {found.calibration_error:.3f} apart in the mean."
    note = f"Sentences: {text.described}. Brackets: Wilson intervals."
    shares = table(rows, columns, caption=f"Text model: {text.model}", note=note, sortable=False)
    return [*warning, shares, prose(told), figures_homographs.text_model(found), _readings(found.per_reading)]


def _readings(per_reading: Mapping[str, tuple[int, int]]) -> Fragment:
    """The readings with a mistake; those of all stand in ``metrics.json``."""
    worst_first = sorted(per_reading.items(), key=lambda row: (row[1][0] / row[1][1], row[0]))
    rows = [{"reading": reading_name(name), "right": good, "items": count, "share": good / count} for name, (good, count) in worst_first if good < count]
    if not rows:
        return prose(f"Each of {len(per_reading)} readings is always recognised.")
    columns = [Column("reading", "word, reading"), Column("right", "right", fmt=",d"), Column("items", "of", fmt=",d"), Column("share", "share", fmt=".0%")]
    return fold(f"The {len(rows)} readings with a mistake, of {len(per_reading)}", table(rows, columns))
