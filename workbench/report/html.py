"""Text blocks of a report: the verdict line, tables, the run's identity. Every value is escaped here."""

from __future__ import annotations

import html as _html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from workbench.errors import ConfigError, nearest
from workbench.report.theme import Theme

Tone = Literal["good", "mixed", "bad"]

#: From more columns than this on, an interval stands under its value and headings wrap, so that the table fits beside the contents; sooner where places stand there, too.
DENSE_FROM = 8
DENSE_FROM_WITH_PLACES = 5
#: Text of more characters keeps a readable width where a table has to scroll.
LONG_CHARACTERS = 32

_TONES: dict[str, tuple[str, str]] = {"good": ("✓", "Good"), "mixed": ("◐", "Mixed"), "bad": ("✗", "Not good")}
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MISSING = '<span class="wb-none" aria-label="not available">–</span>'


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a report; a notebook shows it by returning it."""

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"report fragment ({len(self.html):,} characters)"


@runtime_checkable
class Interval(Protocol):
    """Anything with a value and its bounds, such as ``stats.Estimate``; any of the three may be None."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """An ``Interval`` with its place among others, in words (``1st``, ``1st, tie``)."""

    value: float | None
    low: float | None
    high: float | None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``key`` names the mapping's key or the dataclass's field. ``fmt`` is a format spec (``.1%``, ``,d``, ``.2f``) or a function to text.
    ``help`` is one sentence shown under the table.
    """

    key: str
    title: str
    unit: str = ""
    fmt: str | Callable[[Any], str] | None = None
    help: str = ""


def escape(value: object) -> str:
    """``value`` as text that is safe in elements and in quoted attributes; characters no page can hold become U+FFFD."""
    return _html.escape(_UNPRINTABLE.sub("\ufffd", str(value)), quote=True)


def theme() -> Theme:
    """Style and script for a live notebook. An exported page carries its own and leaves this out."""
    return Theme()


def verdict_line(sentence: str, *, tone: Tone = "good", label: str = "") -> Fragment:
    """The report's answer in one sentence, with its tone as symbol, word and colour; ``label`` is another word for the tone.

    Raises:
        ConfigError: the tone is not one of good, mixed, bad.
    """
    if tone not in _TONES:
        raise ConfigError("unknown tone", where="verdict_line", got=tone, expected=", ".join(_TONES))
    symbol, usual = _TONES[tone]
    return Fragment(
        f'<div class="wb wb-verdict wb-{tone}"><p class="wb-tone"><span aria-hidden="true">{symbol}</span> {escape(label or usual)}</p>'
        f"<p>{escape(sentence)}</p></div>"
    )


def showing(shown: int, total: int) -> Fragment:
    """How much of the whole is on the page: ``showing 40 of 120``."""
    text = f"showing {shown:,} of {total:,}" if shown < total else f"showing all {total:,}"
    return Fragment(f'<p class="wb wb-showing">{text}</p>')


def identity(mapping: Mapping[str, object]) -> Fragment:
    """The run's identity as a small definition list.

    A nested mapping becomes ``name value`` pairs, a sequence a list with commas, None is left out.
    """
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_identity_value(value)}</dd></div>" for name, value in mapping.items() if value is not None
    )
    return Fragment(f'<dl class="wb wb-identity">{items}</dl>')


def _identity_value(value: object) -> str:
    if isinstance(value, Fragment):
        return value.html
    if isinstance(value, Mapping):
        return "<br>".join(f'<span class="wb-soft">{escape(k)}</span> {_identity_value(v)}' for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_identity_value(v) for v in value)
    text = escape(value)
    return f"<code>{text}</code>" if re.fullmatch(r"[0-9a-f]{7,64}", text) else text


def bullets(sentences: Sequence[str]) -> Fragment:
    """Sentences as a list; nothing for none."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return Fragment(f'<ul class="wb wb-list">{items}</ul>' if items else "")


def fold(summary: str, *pieces: Fragment) -> Fragment:
    """Pieces under a line that opens them; on paper they are open."""
    inner = "".join(piece.html for piece in pieces)
    return Fragment(f'<details class="wb wb-more"><summary>{escape(summary)}</summary>{inner}</details>')


def prose(text: str) -> Fragment:
    """Markdown as HTML; raw HTML in it is shown as text, pictures from elsewhere are not loaded."""
    from workbench.report.markdown import Markdown

    return Fragment(f'<div class="wb wb-prose">{Markdown().render(text)}</div>')


def table(
    rows: Sequence[object],
    columns: Sequence[Column],
    *,
    caption: str = "",
    note: str = "",
    total: object | None = None,
    sortable: bool = True,
) -> Fragment:
    """A table with aligned numbers; the first column names the row.

    Args:
        rows: mappings or frozen dataclasses. Values are text, numbers, None, ``Fragment`` or an ``Interval`` (shown as ``x [low, high]``).
        columns: what to show, in order.
        note: one sentence under the table.
        total: a last row that sorting leaves in its place.

    Raises:
        ConfigError: no column was given, or a column's key is in none of the rows.
    """
    _check_columns(rows, columns)
    numeric = [_is_numeric(rows, column) for column in columns]
    head = "".join(_head_cell(column, number) for column, number in zip(columns, numeric, strict=True))
    body = "".join(f"<tr>{_cells(row, columns, numeric)}</tr>" for row in rows)
    if not rows:
        body = f'<tr><td colspan="{len(columns)}" class="wb-soft">no rows</td></tr>'
    foot = f"<tfoot><tr>{_cells(total, columns, numeric)}</tr></tfoot>" if total is not None else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    kinds = (" wb-sortable" if sortable and len(rows) > 1 else "") + (" wb-dense" if _is_dense(rows, columns) else "")
    label = escape(caption or ", ".join(c.title for c in columns))
    return Fragment(
        f'<div class="wb wb-tablebox"><div class="wb-scroll" role="region" aria-label="{label}"><table class="wb-table{kinds}">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table></div>{_note(note)}{_column_help(columns)}</div>"
    )


def _is_dense(rows: Sequence[object], columns: Sequence[Column]) -> bool:
    places = any(isinstance(_value(row, column.key), Ranked) for row in rows for column in columns)
    return len(columns) > (DENSE_FROM_WITH_PLACES if places else DENSE_FROM)


def _check_columns(rows: Sequence[object], columns: Sequence[Column]) -> None:
    if not columns:
        raise ConfigError("a table without columns", where="html.table", expected="at least one Column")
    for column in columns if rows else ():
        if not any(_has(row, column.key) for row in rows):
            known = list(rows[0]) if isinstance(rows[0], Mapping) else [n for n in dir(rows[0]) if not n.startswith("_")]
            close = nearest(column.key, map(str, known))
            raise ConfigError(
                f"no row has {column.key!r}",
                where="html.table",
                expected=f"one of {', '.join(map(str, known))}",
                mend=f"did you mean {close[0]}?" if close else None,
            )


def _has(row: object, key: str) -> bool:
    return key in row if isinstance(row, Mapping) else hasattr(row, key)


def _value(row: object, key: str) -> object:
    return row.get(key) if isinstance(row, Mapping) else getattr(row, key, None)


def _is_numeric(rows: Sequence[object], column: Column) -> bool:
    values = [v for row in rows if (v := _value(row, column.key)) is not None]
    return bool(values) and all(isinstance(v, (int, float, Interval)) and not isinstance(v, bool) for v in values)


def _head_cell(column: Column, number: bool) -> str:
    unit = f' <span class="wb-unit">{escape(column.unit)}</span>' if column.unit else ""
    kind = ' class="wb-num"' if number else ""
    return f'<th scope="col"{kind}><span class="wb-th">{escape(column.title)}{unit}</span></th>'


def _cells(row: object, columns: Sequence[Column], numeric: Sequence[bool]) -> str:
    cells = []
    for index, (column, number) in enumerate(zip(columns, numeric, strict=True)):
        value = _value(row, column.key)
        tag = 'th scope="row"' if index == 0 else "td"
        wide = isinstance(value, str) and len(value) > LONG_CHARACTERS
        kind = ' class="wb-num"' if number else ' class="wb-long"' if wide else ""
        cells.append(f'<{tag}{kind} data-v="{escape(_sort_key(value))}">{_cell(value, column.fmt)}</{tag.split()[0]}>')
    return "".join(cells)


def _cell(value: object, fmt: str | Callable[[Any], str] | None) -> str:
    if isinstance(value, Fragment):
        return value.html
    if _absent(value):
        return _MISSING
    if isinstance(value, Interval):
        text = f'<span class="wb-x">{escape(_formatted(value.value, fmt))}</span>'
        if isinstance(value, Ranked) and value.place:
            text += f' <span class="wb-rank">{escape(value.place)}</span>'
        if _absent(value.low) or _absent(value.high):
            return text
        bounds = ", ".join(escape(_formatted(bound, fmt)).removesuffix("%") for bound in (value.low, value.high))
        return f'{text} <span class="wb-iv">[{bounds}]</span>'
    return escape(_formatted(value, fmt))


def _absent(value: object) -> bool:
    if isinstance(value, Interval):
        return _absent(value.value)
    return value is None or value == "" or (isinstance(value, float) and not math.isfinite(value))


def _formatted(value: object, fmt: str | Callable[[Any], str] | None) -> str:
    if callable(fmt):
        return str(fmt(value))
    if fmt and isinstance(value, (int, float)) and not isinstance(value, bool):
        return format(value, fmt)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _sort_key(value: object) -> object:
    if isinstance(value, Interval):
        value = value.value
    if isinstance(value, Fragment) or _absent(value):
        return ""
    return float(value) if isinstance(value, (int, float)) else value


def _note(note: str) -> str:
    return f'<p class="wb-note">{escape(note)}</p>' if note else ""


def _column_help(columns: Sequence[Column]) -> str:
    helped = [c for c in columns if c.help]
    if not helped:
        return ""
    items = "".join(f"<div><dt>{escape(c.title)}</dt><dd>{escape(c.help)}</dd></div>" for c in helped)
    return f'<details class="wb-more"><summary>What the columns mean</summary><dl class="wb-help">{items}</dl></details>'
