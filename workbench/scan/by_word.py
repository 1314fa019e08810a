"""Escalation by word: the precision engine hears only the stretches of audio in which the fast engine left a word in doubt.

``doubtful`` finds them, ``requests`` cuts them out, ``splice`` makes one transcript of the clip from what was heard in them. All are pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from workbench.audio import Audio, cut
from workbench.errors import EngineError
from workbench.stt.base import Evidence, SttRequest, Transcript, Word
from workbench.text import Token
from workbench.text.stretches import Stretch as Difference
from workbench.verdicts.align import NUMBER_WORDS, align_words, widen_numbers
from workbench.verdicts.judging import written_units

#: Less audio than this is no speech to a recogniser.
SHORTEST_SEC = 0.3
#: Words may start this much before the word ahead of them, or outside the clip; with more their times say nothing about their place.
_JITTER_SEC = 0.1


@dataclass(frozen=True, slots=True)
class Stretch:
    """Reference tokens ``start:end`` (half-open), the audio they lie in, and the words of the fast transcript (half-open) in it."""

    start: int
    end: int
    start_sec: float
    end_sec: float
    first: tuple[int, int]


class _Span(NamedTuple):
    """Reference words ``start:end`` against heard words ``heard_start:heard_end``, and whether the two agree at either end."""

    start: int
    end: int
    heard_start: int
    heard_end: int
    agrees: tuple[bool, bool]


def doubtful(tokens: Sequence[Token], fast: Transcript, *, duration_sec: float, word_confidence: float, context_words: int = 1,
             margin_sec: float = 0.15) -> tuple[Stretch, ...]:
    """The stretches in which the fast engine heard something else than the text, more than the text, or was not sure.

    Numbers and written forms ("$3.50": five tokens) stay whole. Outside the stretches the fast words equal the tokens one to one.

    Args:
        word_confidence: a word heard as written with less is in doubt; one of unknown confidence is not.
        context_words: agreeing words taken in on either side, so that a recogniser begins and ends with words that are not in doubt.
        margin_sec: audio kept beside agreeing words, at most half the pause. A doubt about a clip's last word takes all that follows it.

    Returns:
        In order, disjoint in tokens, words and time, within the audio and at least ``SHORTEST_SEC`` long. The whole clip where it is no
        longer than that, nothing was heard or the words' times are unusable; none where nothing is in doubt.
    """
    if not (in_doubt := doubts(tokens, fast.words, word_confidence)):
        return ()
    if (times := _usable_times(fast.words, duration_sec)) is None or duration_sec <= SHORTEST_SEC:
        return (Stretch(0, len(tokens), 0.0, duration_sec, (0, len(fast.words))),)
    found: list[Stretch] = []
    for span in _with_context(in_doubt, tokens, len(fast.words), context_words):
        (start, end, first, heard_end, _), (low, high) = span, _place(span, times, duration_sec, margin_sec)
        while found and found[-1].end_sec >= low:
            last = found.pop()
            start, first, low, high = last.start, last.first[0], min(last.start_sec, low), max(last.end_sec, high)
        found.append(Stretch(start, end, low, high, (first, heard_end)))
    return tuple(found)


def requests(audio: Audio, tokens: Sequence[Token], fast: Transcript, stretches: Sequence[Stretch]) -> list[SttRequest]:
    """One request per stretch: its audio, its reference words, and the fast engine's words with times from the stretch's start."""
    made = []
    for stretch in stretches:
        part, words, reference = audio, fast.words[slice(*stretch.first)], tuple(t.text for t in tokens[stretch.start : stretch.end])
        if stretch.start_sec > 0 or stretch.end_sec < audio.duration_sec:
            part = cut(audio, stretch.start_sec, stretch.end_sec)
            words = _shifted(words, -stretch.start_sec, (0.0, stretch.end_sec - stretch.start_sec))
        made.append(SttRequest(part, reference, Transcript(words, fast.engine, fast.confidence_method)))
    return made


def splice(fast: Transcript, stretches: Sequence[Stretch], heard: Sequence[Transcript]) -> Transcript:
    """The precision transcript of the whole clip: what was heard inside the stretches, the fast engine's words outside.

    Outside, confidences are None: the precision engine did not listen there. Evidence is moved to the tokens of the whole text. There is
    at least one stretch, and ``heard`` holds the answers to their ``requests``, in order.

    Raises:
        EngineError: stretches of another transcript; answers of another number, some with evidence and some without, or with evidence and
            not one word per reference word; evidence out of order or outside its request.
    """
    if not stretches or len(stretches) != len(heard):
        raise EngineError("one transcript per stretch is needed", where="by word", got=len(heard), expected=max(1, len(stretches)))
    answer, outside = heard[0], [replace(word, confidence=None) for word in fast.words]
    weighs = answer.evidence is not None
    words: list[Word] = []
    evidence: list[Evidence] = []
    token = word = 0
    for stretch, part in zip(stretches, heard, strict=True):
        (first, end), at, span_sec = stretch.first, stretch.start, (stretch.start_sec, stretch.end_sec)
        if not (token <= at <= stretch.end and first - word == at - token and first <= end <= len(outside)):
            raise EngineError("a stretch does not fit the fast transcript", where="by word", got=stretch, expected="one of this transcript")
        _check(part, stretch, weighs)
        words += [*outside[word:first], *_shifted(part.words, span_sec[0], span_sec)]
        evidence += [Evidence(at + e.start, at + e.end, e.log_ratio, _shifted(e.heard, span_sec[0], span_sec)) for e in part.evidence or ()]
        token, word = stretch.end, end
    words += outside[word:]
    listened_sec = sum(stretch.end_sec - stretch.start_sec for stretch in stretches)
    return Transcript(tuple(words), answer.engine, answer.confidence_method, tuple(evidence) if weighs else None, listened_sec=listened_sec)


def _check(part: Transcript, stretch: Stretch, weighs: bool) -> None:
    if (part.evidence is not None) is not weighs:
        raise EngineError("evidence for some stretches only", where=part.engine, got=stretch, expected="evidence for all stretches or none")
    count = stretch.end - stretch.start
    if weighs and len(part.words) != count:
        raise EngineError("an engine that weighs the text must give back its words", where=part.engine, got=len(part.words), expected=count)
    edges = [0, *(edge for one in part.evidence or () for edge in (one.start, one.end)), count]
    if edges != sorted(edges):
        raise EngineError("evidence out of order or outside its request", where=part.engine, got=edges[1:-1], expected=f"rising to {count}")


def _shifted(words: Sequence[Word], by_sec: float, within: tuple[float, float]) -> tuple[Word, ...]:
    """Words with their times moved and kept between two bounds."""

    def shifted(sec: float) -> float:
        return round(max(within[0], min(within[1], sec + by_sec)), 4)

    return tuple(Word(word.text, shifted(word.start_sec), shifted(word.end_sec), word.confidence) for word in words)


def doubts(tokens: Sequence[Token], words: tuple[Word, ...], word_confidence: float) -> list[Difference]:
    """Differences as verdicts see them, and beside them the agreeing words of low confidence; in order, they may touch."""
    reference, heard = [t.text for t in tokens], [w.text for w in words]
    found: list[Difference] = []
    at = heard_at = 0
    for a, b, c, d in [*align_words(reference, heard)[1], (len(reference), -1, len(heard), -1)]:
        agreeing = zip(range(at, a), range(heard_at, c), strict=True)
        found += [(i, i + 1, j, j + 1) for i, j in agreeing if (sure := words[j].confidence) is not None and not sure >= word_confidence]
        found += [(a, b, c, d)] if b >= 0 else []
        at, heard_at = b, d
    return widen_numbers(found, reference, heard, written_units(tokens))


def _with_context(in_doubt: Sequence[Difference], tokens: Sequence[Token], heard: int, context_words: int) -> list[_Span]:
    """The doubts with agreeing words on either side, those that meet as one."""
    pairs = enumerate(zip(tokens, tokens[1:], strict=False), 1)
    inside = {k for k, (one, other) in pairs if one.start == other.start or NUMBER_WORDS.issuperset((one.text, other.text))}
    spans: list[_Span] = []
    edges = [(0, 0, 0, 0), *in_doubt, (len(tokens), len(tokens), heard, heard)]
    for before, (a, b, c, d), after in zip(edges, edges[1:], edges[2:], strict=False):
        left, right = (_taken(inside, at, way, free, context_words) for at, way, free in ((a, -1, a - before[1]), (b, 1, after[0] - b)))
        span = _Span(a - left, b + right, c - left, d + right, (left > 0, right > 0))
        if spans and spans[-1].end >= span.start:
            last = spans.pop()
            span = _Span(last.start, span.end, last.heard_start, span.heard_end, (last.agrees[0], span.agrees[1]))
        spans.append(span)
    return spans


def _taken(inside: set[int], at: int, way: int, free: int, context_words: int) -> int:
    """How many of the ``free`` agreeing words that way are context; ``inside`` are the borders that would cut a number apart."""
    taken = min(context_words, free)
    while taken < free and at + way * taken in inside:
        taken += 1
    return taken


def _usable_times(words: tuple[Word, ...], duration_sec: float) -> list[tuple[float, float]] | None:
    """Start and end per word, starts in order and all within the clip; None where they cannot tell a word's place."""
    times: list[tuple[float, float]] = []
    latest = 0.0
    for word in words:
        if not math.isfinite(word.end_sec) or not latest - _JITTER_SEC <= word.start_sec <= duration_sec + _JITTER_SEC:
            return None
        latest = min(max(word.start_sec, latest), duration_sec)
        times.append((latest, min(max(word.end_sec, latest), duration_sec)))
    return times if any(end > start for start, end in times) else None


def _place(span: _Span, times: Sequence[tuple[float, float]], duration_sec: float, margin_sec: float) -> tuple[float, float]:
    """The audio of a span: up to the neighbouring words where its own outermost words are in doubt, else with a margin."""
    first, end, (opens, closes) = span.heard_start, span.heard_end, span.agrees
    low, high = times[first - 1][1] if first else 0.0, times[end][0] if end < len(times) else duration_sec
    if opens:
        low = times[first][0] - min(margin_sec, max(0.0, times[first][0] - low) / (2 if first else 1))
    if closes:
        high = times[end - 1][1] + min(margin_sec, max(0.0, high - times[end - 1][1]) / (2 if end < len(times) else 1))
    if first < end:
        low, high = min(low, times[first][0]), max(high, times[end - 1][1])
    lacking = SHORTEST_SEC - (high - low)
    low = low if lacking <= 0 else max(0.0, min(low - lacking / 2, duration_sec - SHORTEST_SEC))
    return low, min(max(high, low + SHORTEST_SEC), duration_sec)
