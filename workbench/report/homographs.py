"""The report's section on homographs: how many were judged and how, and the suspects as a list to listen to."""

from __future__ import annotations

from collections import Counter

from workbench.clips import load_audio
from workbench.homographs.decide import HomographVerdict
from workbench.report.homograph_parts import marked, player, reading_of
from workbench.report.html import Column, Fragment, prose, showing, table
from workbench.scan.homograph_review import HomographResult, HomographReview

_MEANING = {
    HomographVerdict.CORRECT: "the audio speaks for the reading that the sentence asks for",
    HomographVerdict.SUSPECT: "the audio speaks for another reading: listen",
    HomographVerdict.CONTEXT_AMBIGUOUS: "the sentence does not say which reading it asks for",
    HomographVerdict.UNSCORABLE: "the audio leaves it open, or these readings cannot be told apart by ear",
    HomographVerdict.NOT_ALLOWLISTED: "the calibration does not vouch for this word, or not in this voice",
    HomographVerdict.ERROR: "could not be judged",
}


def sentence(review: HomographReview) -> str:
    """What a verdict line says of homographs."""
    if not review.found:
        return ""
    decided = review.count(HomographVerdict.CORRECT) + review.count(HomographVerdict.SUSPECT)
    return f" Of {len(review.found):,} homographs {decided:,} could be decided, {review.count(HomographVerdict.SUSPECT):,} of them are suspect."


def section(review: HomographReview | None, *, most: int, budget_bytes: int) -> list[object]:
    """Counts by verdict, the ranked list with players, and what the list is worth.

    Args:
        most: suspects shown.
        budget_bytes: what their audio may add to the page.
    """
    if review is None:
        return [prose("Homographs were not looked at: the parameter `homographs` is empty.")]
    if not review.found:
        return [prose(f"No homograph stands in the texts of {review.clips:,} clips.")]
    counts = [{"verdict": verdict.replace("_", " "), "count": review.count(verdict), "meaning": _MEANING[verdict]} for verdict in HomographVerdict]
    columns = [Column("verdict", "verdict"), Column("count", "homographs", fmt=",d"), Column("meaning", "which says")]
    return [table(counts, columns, caption="Homographs by verdict"), *_suspects(review, most, budget_bytes), prose(_worth(review)), *_reasons(review)]


def _suspects(review: HomographReview, most: int, budget_bytes: int) -> list[Fragment]:
    ranked = review.ranked
    if not ranked:
        return [prose("None is suspect.")]
    rows, left = [], budget_bytes
    for place, one in enumerate(ranked[:most], start=1):
        sound = player(lambda clip=one.result.clip: load_audio(clip), one.judged.span_sec, left=left, label=f"{one.word} in {one.result.clip.clip_id}")
        left -= len(sound.html)
        rows.append({"place": place, "sentence": marked(one.result.clip.text, one.span), "voice": one.result.clip.speaker, "asked": reading_of(one.word, one.judged.evidence.expected),
                     "heard": reading_of(one.word, one.judged.spoken), "score": one.judged.evidence.score, "sure": one.judged.evidence.probability, "listen": sound})  # fmt: skip
    columns = [
        Column("place", "", fmt="d"),
        Column("sentence", "text"),
        Column("listen", "listen"),
        Column("voice", "voice"),
        Column("asked", "asked for"),
        Column("heard", "heard"),
        Column("sure", "sure of the text", fmt=".0%", help="how probable the reading is that the sentence asks for"),
        Column("score", "score", "log odds", ".1f", help="below nought the audio speaks against the reading asked for, adapted to the voice"),
    ]
    return [showing(len(rows), len(ranked)), table(rows, columns, caption="Suspects, most suspicious first", sortable=False)]


def _worth(review: HomographReview) -> str:
    words = len({one.word for one in review.found})
    told = f"{words:,} different words; the calibration vouches for {len(review.calibration.allowed):,} words"
    return (
        f"{told}, {review.calibration.listener} listened. The list is one to listen to, not a count of errors: with few wrong readings in a corpus, about half of what is "
        "flagged was said rightly. `notebooks/homograph_calibration.ipynb` says how far it can be trusted for your voices."
    )


def _reasons(review: HomographReview) -> list[Fragment]:
    """Why homographs were left undecided."""
    open_ones = [one for one in review.found if one.judged.verdict not in (HomographVerdict.CORRECT, HomographVerdict.SUSPECT)]
    if not open_ones:
        return []
    rows = [{"reason": reason, "count": count} for reason, count in Counter(one.judged.reason for one in open_ones).most_common(8)]
    return [table(rows, [Column("reason", "left open because"), Column("count", "homographs", fmt=",d")])]


def metrics(review: HomographReview | None) -> dict | None:
    """The same for ``metrics.json``."""
    if review is None:
        return None
    suspects = [
        {"clip_id": one.result.clip.clip_id, "word": one.word, "expected": one.judged.evidence.expected, "heard": one.judged.spoken, "score": one.judged.evidence.score}
        for one in review.ranked
    ]
    return {"found": len(review.found), **{verdict.value: review.count(verdict) for verdict in HomographVerdict}, "suspects": suspects}
