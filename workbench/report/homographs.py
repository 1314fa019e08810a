"""The report's section on homographs: how many were judged and how, and the suspects as a list to listen to."""

from __future__ import annotations

from collections import Counter

from workbench import audio as audio_io
from workbench.clips import load_audio
from workbench.homographs.decide import HomographVerdict
from workbench.homographs.lexicon import lexicon
from workbench.report import players
from workbench.report.html import Column, Fragment, escape, prose, showing, table
from workbench.scan.homograph_review import HomographResult, HomographReview

#: Audio kept on either side of the word, so that a listener hears its sentence begin and end.
MARGIN_SEC = 1.2
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
        sound = _sound(one, left)
        left -= len(sound.html)
        rows.append({"place": place, "sentence": _marked(one), "voice": one.result.clip.speaker, "asked": _said(one, one.judged.evidence.expected),
                     "heard": _said(one, one.judged.spoken), "score": one.judged.evidence.score, "sure": one.judged.evidence.probability, "listen": sound})  # fmt: skip
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


def _marked(one: HomographResult) -> Fragment:
    text, (start, end) = one.result.clip.text, one.span
    low, high = max(0, start - 60), min(len(text), end + 60)
    before, after = ("…" if low else "") + text[low:start], text[end:high] + ("…" if high < len(text) else "")
    return Fragment(f'<span class="wb-sentence">{escape(before)}<strong>{escape(text[start:end])}</strong>{escape(after)}</span>')


def _said(one: HomographResult, reading: str | None) -> Fragment | None:
    if reading is None:
        return None
    return Fragment(f'{escape(reading)} <span class="wb-nowrap">/{escape(lexicon()[one.word].reading(reading).usual.ipa)}/</span>')


def _sound(one: HomographResult, left: int) -> Fragment:
    sound = players.sound_of(one.result, lambda _result: _around(one), left)
    if sound.uri is None:
        return Fragment(escape(sound.why_not))
    return Fragment(f'<audio class="wb-inline" controls preload="none" src="{sound.uri}" aria-label="{escape(one.word)} in {escape(one.result.clip.clip_id)}"></audio>')


def _around(one: HomographResult) -> bytes | None:
    """The word and what stands around it, encoded."""
    try:
        audio = load_audio(one.result.clip)
    except OSError:
        return None
    if one.judged.span_sec is not None:
        start, end = one.judged.span_sec
        audio = audio_io.cut(audio, max(0.0, start - MARGIN_SEC), min(audio.duration_sec, end + MARGIN_SEC))
    return audio_io.encode_mp3(audio)


def _worth(review: HomographReview) -> str:
    words = len({one.word for one in review.found})
    told = f"{words:,} different words; the calibration vouches for {len(review.calibration.allowed):,} words"
    return (
        f"{told}, {review.calibration.listener} listened. The list is one to listen to, not a count of errors: with few wrong readings in a corpus, about half of what is "
        "flagged was said rightly. `workbench homographs controls` and `score` say how far it can be trusted for your voices."
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
