"""One verdict per reference word, from the text and what two recognisers heard."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from workbench.audio import Audio
from workbench.stt.base import Transcript, Word
from workbench.text import Token, tokenise
from workbench.text.stretches import Stretch
from workbench.verdicts.align import align_words, widen_numbers
from workbench.verdicts.base import AudioFacts, ClipVerdicts, EditCounts, Insertion, Verdict, WordVerdict
from workbench.verdicts.clip_flags import clip_flags
from workbench.verdicts.decide import judge_insertion
from workbench.verdicts.regions import View, absent_view, exact_view, judge_one_wrong, judge_region, view_of

_new, _PASS = tuple.__new__, Verdict.PASS
#: Stands after an engine's last stretch.
_END: Stretch = (sys.maxsize, sys.maxsize, sys.maxsize, sys.maxsize)


def judge(
    reference: str | Sequence[Token],
    fast: Transcript,
    precision: Transcript | None,
    *,
    audio: Audio | AudioFacts | None = None,
) -> ClipVerdicts:
    """Weigh two transcripts against the text of a clip. Pure: the same input gives the same verdicts, nothing is kept or changed.

    Both transcripts are aligned to the reference by word edits (``align``), the differing stretches again by sound (``pairing``); what each
    engine heard in a word's place is related to it by lexicon, letters and phones (``relate``), and two relations make a verdict
    (``decide``, which holds the precedence table).

    Args:
        reference: the text, or its tokens as ``text.tokenise`` gives them.
        fast: the first engine's words.
        precision: the second engine's words at its operating point, or None where it did not run: then what the fast engine got wrong is
            ambiguous.
        audio: the audio or its facts, for ``near_silent`` and for times at the end of a clip.

    Returns:
        One verdict per token, in order, insertions in order of place, clip flags and plain edit counts (those of ``jiwer`` on the same
        words).
    """
    tokens = tokenise(reference) if isinstance(reference, str) else reference
    facts = AudioFacts.of(audio) if isinstance(audio, Audio) else audio
    words = [t.text for t in tokens]
    kinds = [t.kind for t in tokens]
    plain = kinds.count("word") == len(kinds)
    units = None if plain else written_units(tokens)
    fast_edits, first = _stretches(words, fast.words, units)
    precision_edits, second = _stretches(words, precision.words, units) if precision is not None else (None, [])
    heard = fast.words, None if precision is None else precision.words
    verdicts, insertions = _walk(tokens, words, units, heard, first, second, facts.duration_sec if facts else None)
    if "abbreviation" in kinds:
        verdicts = [_written_short(v) if kind == "abbreviation" else v for v, kind in zip(verdicts, kinds, strict=True)]
    flags = clip_flags(words, verdicts, insertions, anything_heard=any(heard), both_engines=precision is not None, audio=facts)
    confidences = [w.confidence for w in fast.words]
    if None in confidences:
        confidences = [c for c in confidences if c is not None]
    return ClipVerdicts(
        words=tuple(verdicts),
        insertions=tuple(insertions),
        flags=flags,
        fast_edits=fast_edits,
        precision_edits=precision_edits,
        confidence=sum(confidences) / len(confidences) if confidences else None,
    )


def _stretches(reference: list[str], heard: tuple[Word, ...], units: list[int] | None) -> tuple[EditCounts, list[Stretch]]:
    texts = [w.text for w in heard]
    edits, stretches = align_words(reference, texts)
    return edits, widen_numbers(stretches, reference, texts, units) if stretches else stretches


def written_units(tokens: Sequence[Token]) -> list[int] | None:
    """Per token the number of the written form that it shares with its neighbours, -1 where it stands alone."""
    starts = [t.start for t in tokens]
    if len(set(starts)) == len(starts):
        return None
    shared = {a for a, b in zip(starts, starts[1:], strict=False) if a == b}
    return [start if start in shared else -1 for start in starts]


def _regions(first: list[Stretch], second: list[Stretch]) -> Iterator[tuple[int, int, list[Stretch], list[Stretch]]]:
    """Regions of the reference ``start:end`` in which either engine differs, with each engine's stretches in them.

    Stretches that overlap belong together, and stretches that touch where one of them holds more heard words than reference words: both
    engines may have inserted the same word at that border.
    """
    first, second = [*first, _END], [*second, _END]
    f = p = 0
    while True:
        f0, p0 = f, p
        if first[f][0] <= second[p][0]:
            stretch = first[f]
            f += 1
        else:
            stretch = second[p]
            p += 1
        if stretch is _END:
            return
        start, end, heard_start, heard_end = stretch
        if first[f][0] <= end or second[p][0] <= end:
            extra = heard_end - heard_start > end - start
            while True:
                if _belongs(first[f], end, extra):
                    stretch, f = first[f], f + 1
                elif _belongs(second[p], end, extra):
                    stretch, p = second[p], p + 1
                else:
                    break
                end, extra = max(end, stretch[1]), extra or _has_extra(stretch)
        yield start, end, first[f0:f], second[p0:p]


def _has_extra(stretch: Stretch) -> bool:
    a, b, c, d = stretch
    return d - c > b - a


def _belongs(stretch: Stretch, end: int, extra: bool) -> bool:
    return stretch[0] < end or (stretch[0] == end and (extra or _has_extra(stretch)))


def _walk(
    tokens: Sequence[Token],
    words: list[str],
    units: list[int] | None,
    heard: tuple[tuple[Word, ...], tuple[Word, ...] | None],
    first: list[Stretch],
    second: list[Stretch],
    duration_sec: float | None,
) -> tuple[list[WordVerdict], list[Insertion]]:
    fast, precision = heard
    out: list[WordVerdict] = []
    insertions: list[Insertion] = []
    f_done = p_done = 0
    for start, end, f_stretches, p_stretches in _regions(first, second):
        length = end - start
        f_start, p_start = f_done + start - len(out), p_done + start - len(out)
        out += _passed(words, len(out), start, fast, f_done, precision, p_done)
        f_done = f_stretches[-1][3] + end - f_stretches[-1][1] if f_stretches else f_start + length
        p_done = p_stretches[-1][3] + end - p_stretches[-1][1] if p_stretches else p_start + length
        f_heard, p_heard = fast[f_start:f_done], None if precision is None else precision[p_start:p_done]
        if not length:
            insertions += judge_insertion(start, f_heard, p_heard)
            continue
        before_sec = fast[f_start - 1].end_sec if f_start else 0.0
        after_sec = fast[f_done].start_sec if f_done < len(fast) else duration_sec
        if length == 1 and p_heard is not None and not (f_stretches and p_stretches) and len(f_heard if f_stretches else p_heard) <= 1:
            out.append(judge_one_wrong(tokens[start], start, f_heard, p_heard, bool(f_stretches), before_sec, after_sec))
            continue
        shared = tuple(units[start:end]) if units else None
        beside = words[start - 1] if start else None, words[end] if end < len(words) else None
        verdicts, inserted = judge_region(
            start,
            words[max(0, start - 1) : end],
            _view(tokens[start:end], f_heard, shared, beside, differs=bool(f_stretches)),
            _view(tokens[start:end], p_heard, shared, beside, differs=bool(p_stretches)),
            both_engines=p_heard is not None,
            before_sec=before_sec,
            after_sec=after_sec,
        )
        out += verdicts
        insertions += inserted
    out += _passed(words, len(out), len(words), fast, f_done, precision, p_done)
    return out, insertions


def _view(
    tokens: Sequence[Token],
    heard: tuple[Word, ...] | None,
    units: tuple[int, ...] | None,
    beside: tuple[str | None, str | None],
    *,
    differs: bool,
) -> View:
    if heard is None:
        return absent_view(len(tokens))
    return view_of(tokens, heard, units, beside=beside) if differs else exact_view(heard)


def _passed(
    words: list[str], start: int, end: int, fast: tuple[Word, ...], f_start: int, precision: tuple[Word, ...] | None, p_start: int
) -> list[WordVerdict]:
    """Reference words ``start:end``, which every engine heard as written, from its word ``f_start`` (``p_start``) on."""
    span = range(start, end)
    f_span = fast[f_start : f_start + len(span)]
    # Tuples made into named tuples directly: nine words in ten come this way, and the call of the class would cost as much as all the rest.
    if precision is None:
        return [
            _new(WordVerdict, (k, word, _PASS, (f,), (), None, f.start_sec, f.end_sec, f.confidence))
            for k, word, f in zip(span, words[start:end], f_span, strict=True)
        ]
    p_span = precision[p_start : p_start + len(span)]
    return [
        _new(WordVerdict, (k, word, _PASS, (f,), (p,), None, f.start_sec, f.end_sec, f.confidence))
        for k, word, f, p in zip(span, words[start:end], f_span, p_span, strict=True)
    ]


def _written_short(verdict: WordVerdict) -> WordVerdict:
    """A word that was written as an abbreviation and heard in full."""
    return verdict._replace(verdict=Verdict.ABBREVIATION) if verdict.verdict is Verdict.PASS else verdict
