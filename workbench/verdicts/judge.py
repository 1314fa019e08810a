"""One verdict per reference word, from the text and what two recognisers heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from workbench.audio import Audio
from workbench.stt.base import Transcript, Word
from workbench.text import Token, tokenise
from workbench.verdicts.align import Block, align_words, widen_numbers
from workbench.verdicts.base import AudioFacts, ClipVerdicts, Insertion, Verdict, WordVerdict
from workbench.verdicts.clip_flags import clip_flags
from workbench.verdicts.regions import absent_view, exact_view, judge_region, view_of


def judge(
    reference: str | Sequence[Token],
    fast: Transcript,
    precision: Transcript | None,
    *,
    audio: Audio | AudioFacts | None = None,
) -> ClipVerdicts:
    """Weigh two transcripts against the text of a clip. Pure: the same input gives the same verdicts, nothing is kept or changed.

    Both transcripts are aligned to the reference by word edits, the differing stretches again by sound (``align``); what each engine heard in a word's place is related to it by
    lexicon, letters and phones (``relate``), and two relations make a verdict (``decide``, which holds the precedence table).

    Args:
        reference: the text, or its tokens as ``text.tokenise`` gives them.
        fast: the first engine's words.
        precision: the second engine's words at its operating point, or None where it did not run: then what the fast engine got wrong is ambiguous.
        audio: the audio or its facts, for ``near_silent`` and for times at the end of a clip.

    Returns:
        One verdict per token, in order, insertions in order of place, clip flags and plain edit counts (those of ``jiwer`` on the same words).
    """
    tokens = tokenise(reference) if isinstance(reference, str) else reference
    facts = AudioFacts.of(audio) if isinstance(audio, Audio) else audio
    words = [t.text for t in tokens]
    units = _units(tokens)
    first = _Heard(fast.words, words, units)
    second = _Heard(precision.words, words, units) if precision is not None else None
    verdicts, insertions = _walk(tokens, words, units, first, second, facts.duration_sec if facts else None)
    flags = clip_flags(
        words,
        verdicts,
        insertions,
        anything_heard=bool(first.words or (second and second.words)),
        both_engines=second is not None,
        audio=facts,
    )
    confidences = [c for w in fast.words if (c := w.confidence) is not None]
    return ClipVerdicts(
        words=tuple(verdicts),
        insertions=tuple(insertions),
        flags=flags,
        fast_edits=first.edits,
        precision_edits=second.edits if second else None,
        confidence=sum(confidences) / len(confidences) if confidences else None,
    )


class _Heard:
    """One engine's words beside the reference."""

    __slots__ = ("words", "edits", "blocks")

    def __init__(self, heard: tuple[Word, ...], reference: list[str], units: list[int] | None) -> None:
        self.words = heard
        texts = [w.text for w in heard]
        self.edits, blocks = align_words(reference, texts)
        self.blocks = widen_numbers(blocks, reference, texts, units) if blocks else blocks


def _units(tokens: Sequence[Token]) -> list[int] | None:
    """Per token the number of the written form that it shares with its neighbours, -1 where it stands alone."""
    starts = [t.start for t in tokens]
    if len(set(starts)) == len(starts):
        return None
    shared = {a for a, b in zip(starts, starts[1:], strict=False) if a == b}
    return [start if start in shared else -1 for start in starts]


def _regions(first: list[Block], second: list[Block]) -> Iterator[tuple[int, int, list[Block], list[Block]]]:
    """Stretches of the reference ``start:end`` in which either engine differs, with each engine's blocks in them; stretches that touch are one."""
    f = p = 0
    while f < len(first) or p < len(second):
        start = end = min(blocks[k].ref_start for blocks, k in ((first, f), (second, p)) if k < len(blocks))
        f0, p0, grew = f, p, True
        while grew:
            grew = False
            while f < len(first) and first[f].ref_start <= end:
                end, f, grew = max(end, first[f].ref_end), f + 1, True
            while p < len(second) and second[p].ref_start <= end:
                end, p, grew = max(end, second[p].ref_end), p + 1, True
        yield start, end, first[f0:f], second[p0:p]


def _walk(
    tokens: Sequence[Token], words: list[str], units: list[int] | None, first: _Heard, second: _Heard | None, duration_sec: float | None
) -> tuple[list[WordVerdict], list[Insertion]]:
    verdicts: list[WordVerdict] = []
    insertions: list[Insertion] = []
    done = f_done = p_done = 0
    f_words, p_words = first.words, second.words if second else ()
    for start, end, f_blocks, p_blocks in _regions(first.blocks, second.blocks if second else []):
        f_start, p_start = f_done + start - done, p_done + start - done
        verdicts += _passed(done, words[done:start], f_words[f_done:f_start], p_words[p_done:p_start] if second else None)
        f_done, p_done = _after(f_blocks, start, end, f_start), _after(p_blocks, start, end, p_start)
        part = tokens[start:end]
        shared = tuple(units[start:end]) if units else None
        f_view = view_of(part, f_words[f_start:f_done], shared, opens_text=start == 0) if f_blocks else exact_view(f_words[f_start:f_done])
        if second is None:
            p_view = absent_view(end - start)
        else:
            p_view = view_of(part, p_words[p_start:p_done], shared, opens_text=start == 0) if p_blocks else exact_view(p_words[p_start:p_done])
        judged, inserted = judge_region(
            start,
            words[max(0, start - 1) : end],
            f_view,
            p_view,
            both_engines=second is not None,
            before_sec=f_words[f_start - 1].end_sec if f_start else 0.0,
            after_sec=f_words[f_done].start_sec if f_done < len(f_words) else duration_sec,
        )
        verdicts += judged
        insertions += inserted
        done = end
    verdicts += _passed(done, words[done:], f_words[f_done:], p_words[p_done:] if second else None)
    return verdicts, insertions


def _after(blocks: list[Block], start: int, end: int, heard_start: int) -> int:
    """Index of the first heard word after the region ``start:end`` that begins at ``heard_start``."""
    return blocks[-1].heard_end + end - blocks[-1].ref_end if blocks else heard_start + end - start


def _passed(start: int, words: list[str], fast: tuple[Word, ...], precision: tuple[Word, ...] | None) -> Iterator[WordVerdict]:
    return map(
        WordVerdict,
        range(start, start + len(words)),
        words,
        repeat(Verdict.PASS),
        zip(fast, strict=True),
        repeat(()) if precision is None else zip(precision, strict=True),
        repeat(None),
        [w.start_sec for w in fast],
        [w.end_sec for w in fast],
        [w.confidence for w in fast],
    )
