"""One verdict per reference word, from the text and what two recognisers heard."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import repeat

from workbench.audio import Audio
from workbench.stt.base import Transcript, Word
from workbench.text import Token, tokenise
from workbench.verdicts.align import Block, align_words, widen_numbers
from workbench.verdicts.base import AudioFacts, ClipVerdicts, Insertion, Verdict, WordVerdict
from workbench.verdicts.clip_flags import clip_flags
from workbench.verdicts.decide import judge_insertion
from workbench.verdicts.regions import View, absent_view, exact_view, judge_one_wrong, judge_region, view_of

#: Stands in the columns where a region's own verdicts will stand.
_FILL = [Word("", 0.0, 0.0)]
#: Stands after an engine's last block.
_END = Block(sys.maxsize, sys.maxsize, sys.maxsize, sys.maxsize)


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
    kinds = [t.kind for t in tokens]
    plain = kinds.count("word") == len(kinds)
    units = None if plain else _units(tokens)
    first = _Heard(fast.words, words, units)
    second = _Heard(precision.words, words, units) if precision is not None else None
    verdicts, insertions = _walk(tokens, words, units, first, second, facts.duration_sec if facts else None)
    if "abbreviation" in kinds:
        verdicts = [_written_short(v) if kind == "abbreviation" else v for v, kind in zip(verdicts, kinds, strict=True)]
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
    """Stretches of the reference ``start:end`` in which either engine differs, with each engine's blocks in them.

    Blocks that overlap belong together, and blocks that touch where one of them holds more heard words than reference words: both engines may have
    inserted the same word at that border.
    """
    first, second = [*first, _END], [*second, _END]
    f = p = 0
    while True:
        f0, p0 = f, p
        if first[f][0] <= second[p][0]:
            block = first[f]
            f += 1
        else:
            block = second[p]
            p += 1
        if block is _END:
            return
        start, end, heard_start, heard_end = block
        if first[f][0] <= end or second[p][0] <= end:
            extra = heard_end - heard_start > end - start
            while True:
                if _belongs(first[f], end, extra):
                    block, f = first[f], f + 1
                elif _belongs(second[p], end, extra):
                    block, p = second[p], p + 1
                else:
                    break
                end, extra = max(end, block.ref_end), extra or _has_extra(block)
        yield start, end, first[f0:f], second[p0:p]


def _has_extra(block: Block) -> bool:
    return block.heard_end - block.heard_start > block.ref_end - block.ref_start


def _belongs(block: Block, end: int, extra: bool) -> bool:
    return block.ref_start < end or (block.ref_start == end and (extra or _has_extra(block)))


def _walk(
    tokens: Sequence[Token], words: list[str], units: list[int] | None, first: _Heard, second: _Heard | None, duration_sec: float | None
) -> tuple[list[WordVerdict], list[Insertion]]:
    f_words, p_words = first.words, second.words if second else ()
    if not first.blocks and not (second and second.blocks):
        return _passed(words, f_words, p_words if second else None), []
    f_columns: list[Word] = []
    p_columns: list[Word] = []
    regions: list[tuple[int, int, list[WordVerdict]]] = []
    insertions: list[Insertion] = []
    done = f_done = p_done = 0
    for start, end, f_blocks, p_blocks in _regions(first.blocks, second.blocks if second else []):
        f_start, p_start = f_done + start - done, p_done + start - done
        f_columns += f_words[f_done:f_start]
        p_columns += p_words[p_done:p_start]
        f_done, p_done = _after(f_blocks, start, end, f_start), _after(p_blocks, start, end, p_start)
        heard = f_words[f_start:f_done], p_words[p_start:p_done] if second else None
        before_sec = f_words[f_start - 1].end_sec if f_start else 0.0
        after_sec = f_words[f_done].start_sec if f_done < len(f_words) else duration_sec
        if second and end - start == 1 and not (f_blocks and p_blocks) and len(heard[0] if f_blocks else heard[1]) <= 1:
            judged = [judge_one_wrong(tokens[start], start, *heard, fast_wrong=bool(f_blocks), before_sec=before_sec, after_sec=after_sec)]
        elif start == end:
            judged = []
            insertions += judge_insertion(start, *heard)
        else:
            shared = tuple(units[start:end]) if units else None
            views = [
                _view(tokens[start:end], said, shared, start == 0, differs=bool(blocks))
                for said, blocks in zip(heard, (f_blocks, p_blocks), strict=True)
            ]
            judged, inserted = judge_region(
                start, words[max(0, start - 1) : end], *views, both_engines=second is not None, before_sec=before_sec, after_sec=after_sec
            )
            insertions += inserted
        regions.append((start, end, judged))
        f_columns += _FILL * (end - start)
        p_columns += _FILL * (end - start)
        done = end
    f_columns += f_words[f_done:]
    p_columns += p_words[p_done:]
    verdicts = _passed(words, f_columns, p_columns if second else None)
    for start, end, judged in regions:
        verdicts[start:end] = judged
    return verdicts, insertions


def _view(tokens: Sequence[Token], heard: tuple[Word, ...] | None, units: tuple[int, ...] | None, opens_text: bool, *, differs: bool) -> View:
    if heard is None:
        return absent_view(len(tokens))
    return view_of(tokens, heard, units, opens_text=opens_text) if differs else exact_view(heard)


def _after(blocks: list[Block], start: int, end: int, heard_start: int) -> int:
    """Index of the first heard word after the region ``start:end`` that begins at ``heard_start``."""
    return blocks[-1].heard_end + end - blocks[-1].ref_end if blocks else heard_start + end - start


def _passed(words: list[str], fast: Sequence[Word], precision: Sequence[Word] | None) -> list[WordVerdict]:
    """Every word passed: one call into C per column, since nine words in ten do."""
    columns = zip(
        range(len(words)),
        words,
        repeat(Verdict.PASS),
        zip(fast),
        repeat(()) if precision is None else zip(precision),
        repeat(None),
        [w.start_sec for w in fast],
        [w.end_sec for w in fast],
        [w.confidence for w in fast],
    )
    # ``WordVerdict._make`` without its Python frame, which would cost as much as all the rest.
    return list(map(tuple.__new__, repeat(WordVerdict), columns))


def _written_short(verdict: WordVerdict) -> WordVerdict:
    """A word that was written as an abbreviation and heard in full."""
    return verdict._replace(verdict=Verdict.ABBREVIATION) if verdict.verdict is Verdict.PASS else verdict
