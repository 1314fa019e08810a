"""Several systems' clips of one prompt side by side: a row per prompt, a player per system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.report import players
from workbench.report.html import Fragment, escape
from workbench.report.players import Sound
from workbench.report.verdict_style import is_flagged
from workbench.report.words import transcript_html
from workbench.scan.results import ClipResult
from workbench.verdicts.base import Verdict


@dataclass(frozen=True, slots=True)
class Cell:
    """One system's clip in a row; ``result`` is None where it has none, and ``why_not`` says why."""

    system: str
    result: ClipResult | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt: what stands above it, and the systems' clips in their order. ``changes`` are label, before, after: what this row is shown for."""

    title: str
    text: str
    cells: tuple[Cell, ...]
    note: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


def side_by_side(
    rows: Sequence[Row],
    *,
    audio_of: Callable[[ClipResult], bytes | None],
    budget_bytes: int,
    title: str,
    total: int | None = None,
    note: str = "",
    scores: Sequence[str] = ("dnsmos_ovrl",),
) -> Fragment:
    """The rows in the order given.

    Args:
        audio_of: as ``players.gallery`` takes it.
        budget_bytes: what the audio may add to the page. A row whose clips do not fit together is shown without any: half a row would compare nothing.
        total: how many rows these were chosen from.
        note: how they were chosen, one sentence.
        scores: which of ``ClipResult.scores`` each clip's header shows.
    """
    left, shown = budget_bytes, []
    for row in rows:
        sounds = _sounds(row, audio_of, left)
        left -= sum(len(sound.uri or "") for sound in sounds)
        shown.append(_row(row, sounds, scores))
    results = [cell.result for row in rows for cell in row.cells if cell.result]
    return players.framed(shown, results, title=title, total=total, note=note)


def _sounds(row: Row, audio_of: Callable[[ClipResult], bytes | None], left: int) -> list[Sound]:
    sounds: list[Sound] = []
    for cell in row.cells:
        if cell.result is None:
            sounds.append(Sound(None, cell.why_not or "no clip"))
            continue
        sound = players.sound_of(lambda cell=cell: audio_of(cell.result), left - sum(len(sound.uri or "") for sound in sounds))
        if sound.uri is None and "budget" in sound.why_not:
            return [Sound(None, "no clip") if cell.result is None else Sound(None, sound.why_not) for cell in row.cells]
        sounds.append(sound)
    return sounds


def _row(row: Row, sounds: Sequence[Sound], scores: Sequence[str]) -> str:
    changes = players.chips_html([(label, f"{before} → {after}") for label, before, after in row.changes])
    head = f'<header><h4>{escape(row.title)}</h4><p class="wb-chips">{changes}</p></header>'
    note = f'<p class="wb-note">{escape(row.note)}</p>' if row.note else ""
    cells = "".join(_cell(cell, sound, row.title, scores) for cell, sound in zip(row.cells, sounds, strict=True))
    return (
        f'<section class="wb-row" aria-label="{escape(row.title)}">{head}{note}<p class="wb-words" dir="auto">{escape(row.text)}</p>'
        f'<div class="wb-versus">{cells}</div></section>'
    )


def _cell(cell: Cell, sound: Sound, title: str, scores: Sequence[str]) -> str:
    result, name = cell.result, f"{cell.system}, {title}"
    head = f"<header><h4>{escape(cell.system)}</h4></header>"
    if result is None:
        return f'<article class="wb-clip" aria-label="{escape(name)}">{head}<p class="wb-noaudio">{escape(sound.why_not)}</p></article>'
    length = f' data-len="{result.duration_sec:.3f}"' if result.duration_sec else ""
    return (
        f'<article class="wb-clip" aria-label="{escape(name)}"{length}>{head}'
        f'<p class="wb-chips">{_chips(result, scores)}</p>{players.remarks(result)}{players.player(result, sound, name)}{_words(result)}</article>'
    )


def _chips(result: ClipResult, scores: Sequence[str]) -> str:
    verdicts, chips = result.verdicts, []
    if verdicts:
        flagged = sum(verdicts.count(v) for v in Verdict if is_flagged(v))
        chips += [("flagged", f"{flagged} of {len(verdicts.words)}"), ("WER", f"{verdicts.fast_edits.wer:.0%}")]
    return players.chips_html([*chips, *players.score_chips(result, scores)])


def _words(result: ClipResult) -> str:
    """The marked text and the evidence where a word did not pass; the row has the text already."""
    verdicts = result.verdicts
    if verdicts is None:
        return ""
    if all(word.verdict is Verdict.PASS for word in verdicts.words) and not verdicts.insertions:
        return '<p class="wb-note wb-allpass"><span aria-hidden="true">✓</span> every word passed</p>'
    text = transcript_html(result.clip.text, result.tokens, verdicts)
    return f'<p class="wb-words" dir="auto">{text}</p>{players.evidence(result, most_open=0)}'
