"""Clips to listen to: the text lights up while it is spoken, coloured by verdict, with what was heard beside what was expected."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.errors import Failure, WorkbenchError
from workbench.report.html import Column, Fragment, escape, showing, table
from workbench.report.verdict_style import in_order, is_flagged, style_of
from workbench.report.words import heard_text, time_of, transcript_html
from workbench.scan.results import ClipResult
from workbench.verdicts.base import ClipVerdicts, Verdict

#: Longer texts and evidence are folded, so that one clip never fills the page.
FOLD_CHARACTERS = 1_500
FOLD_ROWS = 12
MOST_ROWS = 200

_FLAGS = {
    "empty_output": "empty output",
    "near_silent": "near silent",
    "repeated_span": "a span is repeated",
    "cut_off_tail": "the last words were not heard",
    "added_tail": "something is added at the end",
}
SCORES = {
    "dnsmos_ovrl": "DNSMOS overall",
    "dnsmos_sig": "DNSMOS signal",
    "dnsmos_bak": "DNSMOS background",
    "dnsmos_p808": "DNSMOS P.808",
    "utmosv2_mos": "UTMOSv2",
    "scoreq_synthetic": "SCOREQ synthetic",
    "scoreq_natural": "SCOREQ natural",
    "nisqa_tts": "NISQA-TTS",
    "nisqa_mos": "NISQA",
    "speaker_similarity_cosine": "speaker similarity",
    "composite": "composite MOS",
    "duration_sec": "length s",
    "wer_fast": "WER fast",
    "rms_db": "RMS dB",
    "loudness_lufs": "loudness LUFS",
    "bandwidth_hz": "bandwidth Hz",
    "peak_amplitude": "peak",
    "clipping_pct": "clipping %",
    "silence_pct": "silence %",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """What stands in a card's place for audio: a data URI, or why there is none."""

    uri: str | None
    why_not: str = ""


def score_title(column: str) -> str:
    """How a score is called on a page."""
    return SCORES.get(column, column)


def gallery(
    results: Sequence[ClipResult],
    *,
    audio_of: Callable[[ClipResult], bytes | None],
    budget_bytes: int,
    title: str,
    total: int | None = None,
    note: str = "",
    scores: Sequence[str] = ("dnsmos_ovrl",),
) -> Fragment:
    """One card per clip, in the order given.

    Args:
        audio_of: encoded audio (MP3, WAV, Ogg or FLAC) of a clip, None where there is none; asked once per card while the budget lasts.
        budget_bytes: what the audio of this gallery may add to the page, as written into it (base64). A clip that does not fit says so.
        total: how many clips these were chosen from.
        note: how they were chosen, one sentence.
        scores: which of ``ClipResult.scores`` each card's header shows.
    """
    left, cards = budget_bytes, []
    for result in results:
        sound = sound_of(lambda result=result: audio_of(result), left)
        left -= len(sound.uri or "")
        cards.append(_card(result, sound, scores))
    return framed(cards, results, title=title, total=total, note=note)


def framed(cards: Sequence[str], results: Sequence[ClipResult], *, title: str, total: int | None, note: str) -> Fragment:
    """Cards under their title, how many of how many they are, and how words are marked in ``results``."""
    anchor = "wb-" + "".join(c if c.isalnum() else "-" for c in title.casefold())
    shown = showing(len(cards), len(cards) if total is None else total).html
    said = f'<p class="wb-note">{escape(note)}</p>' if note else ""
    return Fragment(
        f'<section class="wb wb-gallery" aria-label="{escape(title)}"><h3 id="{escape(anchor)}">{escape(title)}</h3>{shown}{said}'
        f"{legend(verdicts_in(results)).html}{''.join(cards)}</section>"
    )


def legend(verdicts: set[Verdict] | None = None) -> Fragment:
    """How each verdict is marked and what it means; all of them by default."""
    wanted = [v for v in in_order(set(Verdict) if verdicts is None else verdicts) if v is not Verdict.PASS]
    if not wanted:
        return Fragment("")
    items = "".join(
        f'<div><dt><span class="{style_of(v).css_class}">{escape(style_of(v).label)}</span> '
        f'<span class="wb-mark">{escape(style_of(v).symbol)}</span></dt>'
        f"<dd>{escape(style_of(v).meaning)}</dd></div>"
        for v in wanted
    )
    return Fragment(
        f'<details class="wb wb-more wb-legend"><summary>How words are marked</summary><dl class="wb-help">{items}</dl></details>'
    )


def verdicts_in(results: Sequence[ClipResult]) -> set[Verdict]:
    """Every verdict that occurs, those of insertions too."""
    found = [r.verdicts for r in results if r.verdicts]
    return {w.verdict for v in found for w in v.words} | {i.verdict for v in found for i in v.insertions}


def sound_of(encoded: Callable[[], bytes | None], left: int) -> Sound:
    """A clip's encoded audio for the page, if it fits into the bytes that are left; it is not asked for where none are."""
    if left <= 0:
        return Sound(None, "audio left out: budget")
    try:
        data = encoded()
    except WorkbenchError as error:
        return Sound(None, f"no audio: {error}")
    if not data:
        return Sound(None, "no audio")
    uri = audio_uri(data)
    return Sound(uri) if len(uri) <= left else Sound(None, "audio left out: budget")


def audio_uri(data: bytes) -> str:
    """Encoded audio as what a page plays without fetching anything."""
    return f"data:{_media_type(data)};base64,{base64.b64encode(data).decode('ascii')}"


def _media_type(data: bytes) -> str:
    for magic, kind in ((b"RIFF", "audio/wav"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac")):
        if data.startswith(magic):
            return kind
    return "audio/mpeg"


def _card(result: ClipResult, sound: Sound, scores: Sequence[str]) -> str:
    clip = result.clip
    name = f"{clip.speaker}, {clip.clip_id}" if clip.speaker else clip.clip_id
    voice = f'<span class="wb-voice">{escape(clip.speaker)}</span> ' if clip.speaker else ""
    length = f' data-len="{result.duration_sec:.3f}"' if result.duration_sec else ""
    return (
        f'<article class="wb-clip" aria-label="clip {escape(name)}"{length}>'
        f'<header><h4>{voice}<span class="wb-id">{escape(clip.clip_id)}</span></h4>'
        f'<p class="wb-chips">{_chips(result, scores)}</p></header>'
        f"{remarks(result)}{player(result, sound, name)}{_text(result)}{evidence(result)}</article>"
    )


def _chips(result: ClipResult, scores: Sequence[str]) -> str:
    verdicts, chips = result.verdicts, []
    if verdicts:
        flagged = sum(verdicts.count(v) for v in Verdict if is_flagged(v))
        chips.append(("flagged", f"{flagged} in {len(verdicts.words)} words"))
        chips.append(("WER fast", f"{verdicts.fast_edits.wer:.1%}"))
        if verdicts.precision_edits:
            chips.append(("WER precision", f"{verdicts.precision_edits.wer:.1%}"))
        if verdicts.confidence is not None:
            chips.append(("confidence", f"{verdicts.confidence:.1%}"))
    return chips_html([*chips, *score_chips(result, scores)])


def score_chips(result: ClipResult, scores: Sequence[str]) -> list[tuple[str, str]]:
    """A clip's scores, those that there are, and its length, as label and value."""
    chips = [(score_title(key), format(result.scores[key], ",.0f" if abs(result.scores[key]) >= 1000 else ".2f")) for key in scores if math.isfinite(result.scores.get(key, math.nan))]
    return chips if result.duration_sec is None else [*chips, ("length", f"{result.duration_sec:.1f} s")]


def chips_html(chips: Sequence[tuple[str, str]]) -> str:
    """Labels with their values, as a card's header has them."""
    return "".join(f'<span class="wb-chip"><span>{escape(label)}</span> <b>{escape(value)}</b></span>' for label, value in chips)


def remarks(result: ClipResult) -> str:
    """Faults first, then what was noticed, then what was done to the audio."""
    faults = list(result.failures)
    if result.clip.fault and not any(result.clip.fault in f.message for f in faults):
        faults.insert(0, Failure("clip", "source", result.clip.fault))
    lines = [
        f'<li class="wb-bad"><span aria-hidden="true">✗</span> <b>{escape(f.stage)} failed</b> '
        f'<code>{escape(f.type)}</code> <span title="{escape(f.message)}">{escape(f.message.split("; where: ")[0])}</span></li>'
        for f in faults
    ]
    for flag in result.verdicts.flags if result.verdicts else ():
        lines.append(f'<li class="wb-mixed"><span aria-hidden="true">⚑</span> {escape(_FLAGS.get(flag, flag.replace("_", " ")))}</li>')
    lines += [f'<li class="wb-soft"><span aria-hidden="true">·</span> {escape(note)}</li>' for note in result.notes]
    return f'<ul class="wb-remarks">{"".join(lines)}</ul>' if lines else ""


def player(result: ClipResult, sound: Sound, name: str) -> str:
    """The media player with the tape of words that did not pass, or why there is none."""
    if sound.uri is None:
        return f'<p class="wb-noaudio">{escape(sound.why_not)}</p>'
    # preload="none": a browser gives one page only some 75 media players, and a report may hold more clips.
    return f'{_tape(result)}<audio controls preload="none" aria-label="{escape(name)}" src="{sound.uri}"></audio>'


def _tape(result: ClipResult) -> str:
    """Where in the clip the words lie that did not pass; decoration, the words themselves carry the same."""
    if not result.duration_sec or not result.verdicts:
        return ""
    spans = [(w.verdict, (w.start_sec, w.end_sec)) for w in result.verdicts.words if w.start_sec is not None and w.end_sec is not None]
    spans += [(i.verdict, span) for i in result.verdicts.insertions if (span := time_of(i.fast or i.precision))]
    marks = "".join(
        f'<i class="{style_of(verdict).css_class}{" wb-flag" if is_flagged(verdict) else ""}" '
        f'style="left:{_percent(start, result.duration_sec):.2f}%;width:{max(0.4, _percent(end - start, result.duration_sec)):.2f}%"></i>'
        for verdict, (start, end) in spans
        if verdict is not Verdict.PASS
    )
    return f'<div class="wb-tape" aria-hidden="true">{marks}<b></b></div>'


def _percent(sec: float, duration_sec: float) -> float:
    return min(100.0, max(0.0, 100 * sec / duration_sec))


def _text(result: ClipResult) -> str:
    text = result.clip.text
    if not text.strip():
        return '<p class="wb-noaudio">no text</p>'
    words = f'<p class="wb-words" dir="auto">{transcript_html(text, result.tokens, result.verdicts)}</p>'
    if len(text) <= FOLD_CHARACTERS:
        return words
    return f'<details class="wb-more"><summary>Text as written, {len(text):,} characters: {escape(text[:80])}…</summary>{words}</details>'


def evidence(result: ClipResult, *, most_open: int = FOLD_ROWS) -> str:
    """What was expected against what was heard, folded above ``most_open`` words; empty without verdicts."""
    if not result.verdicts:
        return ""
    rows = _evidence_rows(result.verdicts)
    if not rows:
        return '<p class="wb-note wb-allpass"><span aria-hidden="true">✓</span> every word passed</p>'
    columns = (
        Column("expected", "Expected"),
        Column("fast", "Fast heard"),
        *([Column("precision", "Precision heard")] if result.verdicts.precision_edits else []),
        Column("verdict", "Verdict"),
        Column("time", "Time", "s"),
        Column("confidence", "Confidence", fmt=".0%"),
        Column("phones", "Phone distance", "0–1", ".2f"),
    )
    shown = rows[:MOST_ROWS]
    grid = table(shown, columns, sortable=False).html.replace('class="wb-table"', 'class="wb-table wb-evidence"', 1)
    more = showing(len(shown), len(rows)).html if len(shown) < len(rows) else ""
    label = f"Expected against heard: {len(rows):,} word{'s' if len(rows) > 1 else ''}"
    if result.verdicts.precision_edits is None:
        label += ", by the fast recogniser alone"
    return f'<details class="wb-more"{" open" if len(rows) <= most_open else ""}><summary>{label}</summary>{more}{grid}</details>'


def _evidence_rows(verdicts: ClipVerdicts) -> list[dict[str, object]]:
    """Words that are not pass, and insertions before the word they precede, in the order of the text."""
    found = [
        (w.index, 1, w.verdict, w.word, w.fast, w.precision, (w.start_sec, w.end_sec), w.confidence, w.phone_distance)
        for w in verdicts.words
        if w.verdict is not Verdict.PASS
    ]
    for i in verdicts.insertions:
        heard = i.fast or i.precision
        confidences = [w.confidence for w in heard if w.confidence is not None]
        mean = sum(confidences) / len(confidences) if confidences else None
        found.append((i.before, 0, i.verdict, None, i.fast, i.precision, time_of(heard) or (None, None), mean, None))
    return [
        {
            "expected": _quoted(word) if word is not None else Fragment('<span class="wb-soft">nothing</span>'),
            "fast": _quoted(heard_text(fast)),
            "precision": _quoted(heard_text(precision)),
            "verdict": verdict_label(verdict),
            "time": _time_cell(*times),
            "confidence": confidence,
            "phones": distance,
        }
        for _, _, verdict, word, fast, precision, times, confidence, distance in sorted(found, key=lambda row: row[:2])
    ]


def _quoted(heard: str) -> Fragment:
    return Fragment(f"<q>{escape(heard)}</q>" if heard else '<span class="wb-soft">nothing</span>')


def _time_cell(start_sec: float | None, end_sec: float | None) -> Fragment | None:
    if start_sec is None or end_sec is None:
        return None
    return Fragment(
        f'<span class="wb-at" data-s="{start_sec:.3f}" data-label="play from {start_sec:.2f} seconds">{start_sec:.2f}–{end_sec:.2f}</span>'
    )


def verdict_label(verdict: Verdict) -> Fragment:
    """A verdict in words with its symbol and colour, for a table's cell."""
    style = style_of(verdict)
    return Fragment(
        f'<span class="wb-label {style.css_class}"><span aria-hidden="true">{escape(style.symbol)}</span> {escape(style.label)}</span>'
    )
