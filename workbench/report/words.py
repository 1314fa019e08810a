"""A clip's text as written, each word marked with its verdict and tied to its time in the audio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.report.html import escape
from workbench.report.verdict_style import is_flagged, severest, style_of
from workbench.stt.base import Word
from workbench.text.tokens import Token
from workbench.verdicts.base import ClipVerdicts, Insertion, Verdict, WordVerdict

#: Up to this share of flagged words, each spells its verdict out; beyond, the symbol alone keeps the text readable.
SPELT_OUT_SHARE = 0.25
#: Written forms and insertions up to this length keep their mark on the same line.
UNBROKEN_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class Written:
    """One written form with the tokens spoken for it: ``$3.50`` is five tokens in one place.

    ``start:end`` are characters of the text, ``first:last`` indices of tokens, both half-open.
    """

    start: int
    end: int
    first: int
    last: int


def written_forms(tokens: Sequence[Token], text_length: int) -> list[Written]:
    """Tokens grouped by the place in the text they came from; places that overlap become one, places outside the text are cut to it."""
    forms: list[Written] = []
    for index, token in enumerate(tokens):
        start, end = max(0, min(token.start, text_length)), max(0, min(token.end, text_length))
        if forms and start < forms[-1].end:
            last = forms[-1]
            forms[-1] = Written(last.start, max(last.end, end), last.first, index + 1)
        else:
            forms.append(Written(start, max(start, end), index, index + 1))
    return forms


def heard_text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def time_of(words: Sequence[Word]) -> tuple[float, float] | None:
    """Start of the first and end of the last of the words, in seconds."""
    return (min(w.start_sec for w in words), max(w.end_sec for w in words)) if words else None


def transcript_html(text: str, tokens: Sequence[Token], verdicts: ClipVerdicts | None) -> str:
    """The text with its words marked, insertions in their places; all of it escaped."""
    by_index = {w.index: w for w in verdicts.words} if verdicts else {}
    marks = _Marks.of(verdicts)
    inserted: dict[int, list[Insertion]] = {}
    for insertion in verdicts.insertions if verdicts else ():
        inserted.setdefault(insertion.before, []).append(insertion)
    out, cursor = [], 0
    for form in written_forms(tokens, len(text)):
        out.append(escape(text[cursor : form.start]))
        for index in range(form.first, form.last):
            out += [_insertion_html(i, marks) + " " for i in inserted.pop(index, ())]
        found = [by_index[i] for i in range(form.first, form.last) if i in by_index]
        out.append(_word_html(text[form.start : form.end], found, marks))
        cursor = form.end
    out.append(escape(text[cursor:]))
    for index in sorted(inserted):
        out += [" " + _insertion_html(i, marks) for i in inserted[index]]
    return "".join(out)


@dataclass(frozen=True, slots=True)
class _Marks:
    """How this clip's words are marked: whether flagged ones spell their verdict out, and whether there was a second opinion."""

    spelt_out: bool
    second_opinion: bool

    @classmethod
    def of(cls, verdicts: ClipVerdicts | None) -> _Marks:
        if verdicts is None:
            return cls(True, False)
        flagged = sum(is_flagged(w.verdict) for w in verdicts.words)
        return cls(flagged <= SPELT_OUT_SHARE * len(verdicts.words), verdicts.precision_edits is not None)

    def sup(self, verdict: Verdict) -> str:
        style = style_of(verdict)
        text = f"{style.symbol} {style.short}" if is_flagged(verdict) and self.spelt_out else style.symbol
        return f'<sup class="wb-mark">{escape(text)}</sup>'


def _word_html(written: str, found: list[WordVerdict], marks: _Marks) -> str:
    if not found:
        return escape(written)
    verdict = severest([w.verdict for w in found])
    times = [(w.start_sec, w.end_sec) for w in found if w.start_sec is not None and w.end_sec is not None]
    span = (min(t[0] for t in times), max(t[1] for t in times)) if times else None
    if verdict is Verdict.PASS:
        return f'<span class="wb-w"{_time_attributes(span)}>{escape(written)}</span>'
    style = style_of(verdict)
    marked = [w for w in found if w.verdict is not Verdict.PASS]
    unheard = is_flagged(verdict) and not any(w.fast or w.precision for w in marked)
    said = f"{style.label}: {_hearing(marked, named=len(found) > 1, second_opinion=marks.second_opinion)}"
    whole = " wb-whole" if len(written) <= UNBROKEN_CHARACTERS else ""
    shown = f"<s>{escape(written)}</s>" if unheard else escape(written)
    return (
        f'<span class="wb-w {style.css_class}{whole}"{_time_attributes(span)} '
        f'title="{escape(said)}" data-label="{escape(f"{written}, {said}")}">'
        f"{shown}{marks.sup(verdict)}</span>"
    )


def _hearing(words: Sequence[WordVerdict], *, named: bool, second_opinion: bool) -> str:
    """What was heard in place of the words; each is named when the written form stands for several."""
    parts = []
    for word in words:
        fast, precision = heard_text(word.fast) or "nothing", heard_text(word.precision) or "nothing"
        if not second_opinion:
            heard = f"fast heard {fast}, no second opinion"
        else:
            heard = f"heard {fast}" if fast == precision else f"fast heard {fast}, precision heard {precision}"
        parts.append(f"{word.word}: {heard}" if named else heard)
    return "; ".join(parts)


def _insertion_html(insertion: Insertion, marks: _Marks) -> str:
    style = style_of(insertion.verdict)
    heard = heard_text(insertion.fast) or heard_text(insertion.precision)
    label = f"{style.label}: heard {heard}, which the text does not have"
    symbol = marks.sup(insertion.verdict) if insertion.verdict is not Verdict.PASS else ""
    whole = " wb-whole" if len(heard) <= UNBROKEN_CHARACTERS else ""
    return (
        f'<span class="wb-w wb-ins {style.css_class}{whole}"{_time_attributes(time_of(insertion.fast or insertion.precision))} '
        f'title="{escape(label)}" data-label="{escape(label)}">'
        f'<span class="wb-whole"><span class="wb-caret" aria-hidden="true">‸</span>+</span>{escape(heard or "?")}{symbol}</span>'
    )


def _time_attributes(span: tuple[float, float] | None) -> str:
    return f' data-s="{span[0]:.3f}" data-e="{span[1]:.3f}"' if span else ""
