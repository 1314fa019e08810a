"""Verdicts inside a stretch of the reference where at least one engine heard something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.stt.base import Word
from workbench.text import Token, is_filler
from workbench.verdicts.align import NUMBER_WORDS
from workbench.verdicts.base import Insertion, Verdict, WordVerdict
from workbench.verdicts.decide import TABLE, both_wrong, is_doubled, judge_insertion
from workbench.verdicts.pairing import echoes, pair_words
from workbench.verdicts.relate import Relation, relate, relate_in_context, relate_word

_RIGHT = Relation.RIGHT
_NONE_INSERTED: dict[int, tuple[Word, ...]] = {}


class Place(NamedTuple):
    """What one engine heard at one reference word: the words of its block, which may cover several words ``start:end`` of the region."""

    relation: Relation
    distance: float | None
    heard: tuple[Word, ...]
    start: int
    end: int


class View(NamedTuple):
    """One engine's hearing of a region: a place per reference word, inserted words by the index they stand before."""

    places: list[Place]
    inserted: dict[int, tuple[Word, ...]]


_ABSENT = Place(Relation.ABSENT, None, (), 0, 0)


def view_of(
    tokens: Sequence[Token], heard: tuple[Word, ...], units: tuple[int, ...] | None, *, beside: tuple[str | None, str | None]
) -> View:
    """Pair a region's tokens with the words one engine heard there, and relate each pair.

    Args:
        beside: the words of the text before and after the region, which the engine heard as written; None where the text begins or ends.
    """
    opens_text = beside[0] is None
    n, m = len(tokens), len(heard)
    if n == 1 and m <= 1:
        return View([_related(tokens[0], heard, opens_text)], _NONE_INSERTED)
    if n == 0:
        return View([], {0: heard})
    # Equal words at both ends need no pairing; numbers stay whole, they may be weighed as a whole.
    shorter = 0 if units else min(n, m)
    first = last = 0
    while first < shorter and _settled(tokens[first], heard[first]):
        first += 1
    while last < shorter - first and _settled(tokens[n - 1 - last], heard[m - 1 - last]):
        last += 1
    reference = tuple([t.text for t in tokens[first : n - last]])
    texts = tuple([w.text for w in heard[first : m - last]])
    places = [Place(Relation.RIGHT, None, (word,), k, k + 1) for k, word in enumerate(heard[:first])]
    inserted: dict[int, tuple[Word, ...]] = {}
    before = beside[0] if not first else heard[first - 1].text
    after = beside[1] if not last else heard[m - last].text
    for a, b, c, d in pair_words(reference, texts, units, echoes(texts, before, after)):
        words = heard[first + c : first + d]
        if a == b:
            inserted[first + a] = words
        elif b - a == 1 >= d - c:
            places.append(_related(tokens[first + a], words, opens_text and first + a == 0, first + a))
        else:
            places += [_related_group(tokens, words, first + a, first + b, opens_text and first + a == 0)] * (b - a)
    places += [Place(Relation.RIGHT, None, (heard[m - last + k],), n - last + k, n - last + k + 1) for k in range(last)]
    return View(places, inserted)


def _settled(token: Token, word: Word) -> bool:
    return token.text == word.text and word.text not in NUMBER_WORDS


def _related(token: Token, heard: tuple[Word, ...], opens_text: bool, at: int = 0) -> Place:
    if not heard:
        return Place(Relation.FILLER if is_filler(token.text) else Relation.NOTHING, 1.0, heard, at, at + 1)
    relation, distance = relate_word(token.text, heard[0].text)
    if relation is Relation.TYPO or token.kind == "abbreviation":
        relation = relate_in_context(relation, (token,), (heard[0].text,), first=opens_text)
    return Place(relation, distance, heard, at, at + 1)


def _related_group(tokens: Sequence[Token], heard: tuple[Word, ...], start: int, end: int, opens_text: bool) -> Place:
    texts = tuple([w.text for w in heard])
    group = tuple(tokens[start:end])
    relation, distance = relate(tuple([t.text for t in group]), texts)
    if relation is Relation.SPACING or group[0].kind == "abbreviation":
        relation = relate_in_context(relation, group, texts, first=opens_text)
    return Place(relation, distance, heard, start, end)


def exact_view(heard: tuple[Word, ...]) -> View:
    """The view of an engine that heard the region as written."""
    return View([Place(Relation.RIGHT, None, (word,), k, k + 1) for k, word in enumerate(heard)], _NONE_INSERTED)


def absent_view(length: int) -> View:
    """The view of an engine that did not run."""
    return View([_ABSENT] * length, _NONE_INSERTED)


def judge_region(
    offset: int, words: Sequence[str], fast: View, precision: View, *, both_engines: bool, before_sec: float, after_sec: float | None
) -> tuple[list[WordVerdict], list[Insertion]]:
    """Verdicts on a region's words and on what was inserted among them.

    Args:
        offset: index of the region's first word in the reference.
        words: the region's reference words, preceded by the one before it when ``offset > 0`` (a doubled word may start there).
        before_sec, after_sec: end of the fast engine's word before the region, start of the one after it (the clip's end, or None where
            unknown).
    """
    lead = 1 if offset else 0
    times = _times(fast.places, precision.places, words[lead:], before_sec, after_sec)
    verdicts: list[WordVerdict] = []
    for k, (f, p) in enumerate(zip(fast.places, precision.places, strict=True)):
        verdict = TABLE[f.relation, p.relation]
        if verdict is None:
            verdict = _both_wrong(k, words[lead:], fast.places, precision.places)
        elif verdict is Verdict.TTS_FAILURE and is_doubled(words, k + lead):
            twin_heard = k == 0 or fast.places[k - 1].heard or precision.places[k - 1].heard
            verdict = Verdict.GT_ERROR if twin_heard else verdict
        distance = f.distance if p.distance is None or (f.distance is not None and f.distance <= p.distance) else p.distance
        confidence = _confidence(f.heard or p.heard)
        verdicts.append(WordVerdict(offset + k, words[k + lead], verdict, f.heard, p.heard, distance, *times[k], confidence))
    insertions: list[Insertion] = []
    if not (fast.inserted or precision.inserted):
        return verdicts, insertions
    for place in sorted(fast.inserted.keys() | precision.inserted.keys()):
        inserted = precision.inserted.get(place, ()) if both_engines else None
        insertions += judge_insertion(offset + place, fast.inserted.get(place, ()), inserted)
    return verdicts, insertions


def judge_one_wrong(
    token: Token,
    index: int,
    fast: tuple[Word, ...],
    precision: tuple[Word, ...],
    fast_wrong: bool,
    before_sec: float,
    after_sec: float | None,
) -> WordVerdict:
    """``judge_region`` for the commonest region: one word that one engine heard as written and the other as another word or not at all."""
    wrong = fast if fast_wrong else precision
    if wrong and token.kind == "word":
        # A typo counts only where neither engine is right, so the context that ``_related`` asks for decides nothing here.
        relation, distance = relate_word(token.text, wrong[0].text)
    else:
        relation, distance, _, _, _ = _related(token, wrong, index == 0)
    verdict = TABLE[relation, _RIGHT] if fast_wrong else TABLE[_RIGHT, relation]
    if fast:
        word = fast[0]
        return WordVerdict(index, token.text, verdict, fast, precision, distance, word.start_sec, word.end_sec, word.confidence)
    word = precision[0]
    start_sec, end_sec = _between((word.start_sec, word.end_sec), before_sec, after_sec, 1)
    return WordVerdict(index, token.text, verdict, fast, precision, distance, start_sec, end_sec, word.confidence)


def _both_wrong(k: int, words: Sequence[str], fast: list[Place], precision: list[Place]) -> Verdict:
    f, p = fast[k], precision[k]
    start, end = min(f.start, p.start), max(f.end, p.end)
    nearest = min(f.distance, p.distance)
    return both_wrong(tuple(words[start:end]), _texts(fast[start:end]), _texts(precision[start:end]), nearest)


def _texts(places: list[Place]) -> tuple[str, ...]:
    """Heard words of neighbouring places, each block once."""
    return tuple(w.text for number, place in enumerate(places) if number == 0 or place is not places[number - 1] for w in place.heard)


def _confidence(heard: tuple[Word, ...]) -> float | None:
    if len(heard) == 1:
        return heard[0].confidence
    known = [w.confidence for w in heard if w.confidence is not None]
    return sum(known) / len(known) if known else None


def _times(
    fast: list[Place], precision: list[Place], words: Sequence[str], before_sec: float, after_sec: float | None
) -> list[tuple[float | None, float | None]]:
    if len(fast) == 1 and fast[0].heard:
        return [(fast[0].heard[0].start_sec, fast[0].heard[-1].end_sec)]
    own = list(_own_times(fast, words))
    other = list(_own_times(precision, words))
    out: list[tuple[float | None, float | None]] = []
    low = before_sec
    for k, known in enumerate(own):
        if known is None:
            high = next((t[0] for t in own[k:] if t is not None), after_sec)
            known = _between(other[k], low, high, sum(1 for _ in _unknown_run(own, other, k)))
        out.append(known)
        if known[1] is not None:
            low = max(low, known[1])
    return out


def _own_times(places: list[Place], words: Sequence[str]) -> Iterator[tuple[float, float] | None]:
    """A block's time shared among its reference words by their letters; None where nothing was heard."""
    for k, place in enumerate(places):
        if not place.heard:
            yield None
            continue
        start, end = place.heard[0].start_sec, place.heard[-1].end_sec
        if place.end - place.start > 1:
            letters = [len(w) or 1 for w in words[place.start : place.end]]
            passed = sum(letters[: k - place.start])
            per_letter = (end - start) / sum(letters)
            start, end = start + passed * per_letter, start + (passed + letters[k - place.start]) * per_letter
        yield start, end


def _unknown_run(own: list, other: list, k: int) -> Iterator[int]:
    while k < len(own) and own[k] is None and other[k] is None:
        yield k
        k += 1


def _between(heard: tuple[float, float] | None, low: float, high: float | None, sharing: int) -> tuple[float | None, float | None]:
    """Times kept between the fast engine's neighbours: the other engine's where it heard the word, else an equal share of the gap."""
    if heard is not None:
        start, end = max(heard[0], low), max(heard[1], low)
        return (start, end) if high is None else (min(start, max(high, low)), min(end, max(high, low)))
    if high is None:
        return None, None
    return low, low + max(0.0, high - low) / sharing
