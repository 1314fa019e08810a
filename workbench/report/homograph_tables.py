"""Tables of the homograph calibration report: shares by what was held out, by kind and by word, and every confusion with its sound."""

from __future__ import annotations

from collections.abc import Sequence

from workbench import audio as audio_io
from workbench.homographs.allowlist import Criteria, WordEvidence
from workbench.homographs.base import KINDS
from workbench.homographs.calibration import Calibration
from workbench.homographs.decide import HomographVerdict
from workbench.homographs.fitting import UNDECIDED, Judgement
from workbench.homographs.occurrence import character_span
from workbench.homographs.shares import Shares, roc, shares
from workbench.homographs.trials import Trial
from workbench.report.figures_homographs import KindRoc
from workbench.report.homograph_parts import marked, player, reading_of
from workbench.report.html import Column, Fragment, fold, prose, showing, table

_SHARES = (
    Column("two_way", "told right from wrong", fmt=".1%", help="the sign of the score alone; one that could not be weighed counts as a miss"),
    Column("recall", "wrong found", fmt=".1%", help="wrong readings called suspect"),
    Column("false_alarm", "right flagged", fmt=".1%", help="right readings called suspect"),
    Column("missed", "wrong called correct", fmt=".1%"),
    Column("decided", "decided", fmt=".1%", help="called suspect or correct; the rest is left open"),
)
#: What says nothing of a kind that is never decided.
_NEVER_DECIDED = {"recall": None, "false_alarm": None, "missed": None, "decided": None}


def kind_name(kind: str) -> str:
    """A kind of contrast in words."""
    return {"ate_ment": "-ate, -ment"}.get(kind, kind.replace("_", " "))


def held_out_table(rows: Sequence[tuple[str, Shares]], *, note: str) -> Fragment:
    """One row per way of judging the same trials."""
    shown = [{"how": how, **_cells(found)} for how, found in rows]
    return table(shown, [Column("how", "judged by"), *_SHARES], caption="All kinds but stress alone", note=note)


def _cells(found: Shares) -> dict[str, object]:
    return {name: getattr(found, name) for name in ("two_way", "recall", "false_alarm", "missed", "decided", "d_prime", "area")}


def kinds_table(judgements: Sequence[Judgement]) -> tuple[Fragment, list[KindRoc]]:
    """Shares per kind of contrast, and what its figure shows."""
    rows, curves = [], []
    for kind in KINDS:
        own = [pair for pair in judgements if pair[0].asked.homograph.kind == kind]
        if not own:
            continue
        found, undecided = shares(own), kind in UNDECIDED
        cells = _cells(found) | _NEVER_DECIDED if undecided else _cells(found)
        rows.append({"kind": kind_name(kind), "words": found.words, "trials": found.right + found.wrong, **cells})
        point = None if undecided or found.recall.value is None or found.false_alarm.value is None else (found.false_alarm.value, found.recall.value)
        curves.append(KindRoc(kind_name(kind), roc(own), point, found.area, found.right, found.wrong))
    columns = [
        Column("kind", "kind"),
        Column("words", "words", fmt=",d"),
        Column("trials", "trials", fmt=",d"),
        Column("d_prime", "d′", fmt=".2f", help="standard deviations between right and wrong readings on a normal scale, from the sign of the score"),
        Column("area", "area", fmt=".3f", help="under the curve of wrong found against right flagged: how often a wrong reading scores worse than a right one"),
        *_SHARES,
    ]
    return table(rows, columns, caption="By kind of contrast", note="Brackets: 95% intervals; those of shares over words."), curves


def words_table(judgements: Sequence[Judgement], calibration: Calibration, criteria: Criteria) -> Fragment:
    """Per word what its trials showed, whether the calibration vouches for it, and why not."""
    rows = []
    for word in sorted({trial.asked.word for trial, _ in judgements}):
        own = [pair for pair in judgements if pair[0].asked.word == word]
        kind = own[0][0].asked.homograph.kind
        found, seen = shares(own, of_one_word=True), calibration.words.get(word)
        cells = _cells(found) | _NEVER_DECIDED if kind in UNDECIDED else _cells(found)
        denied = sorted(voice for voice, words in calibration.denied.items() if word in words)
        vouched = "no" if word not in calibration.allowed else f"but not in {', '.join(denied)}" if denied else "yes"
        rows.append({
            **cells, "word": word, "kind": kind_name(kind), "right": found.right, "wrong": found.wrong, "two_way": found.two_way.value, "d_prime": found.d_prime.value,
            "vouched": vouched, "why": "" if word in calibration.allowed else why_not(seen, kind, criteria),
        })  # fmt: skip
    columns = [
        Column("word", "word"), Column("kind", "kind"), Column("right", "said rightly", fmt=",d"), Column("wrong", "said wrongly", fmt=",d"), Column("two_way", "told", fmt=".0%"),
        Column("d_prime", "d′", fmt=".1f"), Column("area", "area", fmt=".2f"), Column("recall", "wrong found", fmt=".0%"), Column("false_alarm", "right flagged", fmt=".0%"),
        Column("decided", "decided", fmt=".0%"), Column("vouched", "vouched for"), Column("why", "why not"),
    ]  # fmt: skip
    note = "Figures: held out as above, brackets are Wilson intervals over the word's trials. Vouched for: by all trials together, scores held out within the calibration."
    return fold(f"The evidence for each of {len(rows)} words", table(rows, columns, note=note))


def why_not(seen: WordEvidence | None, kind: str, criteria: Criteria) -> str:
    """Which criteria a word does not meet."""
    if kind in UNDECIDED:
        return "stress alone cannot be told by ear yet"
    if seen is None or min(seen.right, seen.wrong) < criteria.each:
        return "too few trials"
    faults = [
        text
        for bad, text in (
            (seen.precision < criteria.precision, f"precision {seen.precision:.0%}"),
            (seen.recall < criteria.recall, f"recall {seen.recall:.0%}"),
            (seen.ambiguous > criteria.ambiguous, f"{seen.ambiguous:.0%} left open"),
        )
        if bad
    ]
    return ", ".join(faults)


def confusions(judgements: Sequence[Judgement], trials: Sequence[Trial], *, most: int, budget_bytes: int) -> list[object]:
    """Every verdict that was wrong, the surest first, with its sound."""
    wrong_ones = [(known, one, trial) for (known, one), trial in zip(judgements, trials, strict=True) if is_confusion(known, one)]
    if not wrong_ones:
        return [prose("No verdict was wrong.")]
    rows, left = [], budget_bytes
    wrong_ones.sort(key=lambda row: (-abs(row[1].evidence.score or 0.0), row[2].audio))
    for place, (known, one, trial) in enumerate(wrong_ones[:most], start=1):
        word, readings = known.asked.word, known.asked.homograph.readings
        sound = player(lambda path=trial.audio: audio_io.read(path), one.span_sec, left=left, label=f"{word} in {trial.sentence}, {trial.speaker}")
        left -= len(sound.html)
        rows.append({
            "place": place, "sentence": marked(trial.sentence, character_span(trial.sentence, trial.start_byte, trial.end_byte)), "listen": sound, "voice": trial.speaker,
            "asked": reading_of(word, readings[known.asked.expected].name), "said": reading_of(word, readings[known.spoken].name),
            "verdict": "false alarm" if one.verdict is HomographVerdict.SUSPECT else "missed", "score": one.evidence.score,
        })  # fmt: skip
    columns = [
        Column("place", "", fmt="d"), Column("sentence", "text"), Column("listen", "listen"), Column("voice", "voice"), Column("asked", "asked for"), Column("said", "said"),
        Column("verdict", "verdict", help="false alarm: called suspect, though right; missed: called correct, though wrong"),
        # Adding nought takes the sign from one that is rounded away.
        Column("score", "score", "log odds", lambda score: f"{round(score, 1) + 0.0:.1f}", help="above nought for the reading asked for, below for another"),
    ]  # fmt: skip
    return [showing(len(rows), len(wrong_ones)), table(rows, columns, caption="Wrong verdicts, surest first", sortable=False)]


def is_confusion(known, one) -> bool:
    """Whether a verdict is wrong: a right reading flagged, or a wrong one called correct."""
    return one.verdict is (HomographVerdict.CORRECT if known.wrong else HomographVerdict.SUSPECT)
