"""An executed notebook as one HTML file that needs nothing else: no connection, no script to be read, no kernel.

The notebook format (nbformat 4) is read directly and set in our own page, because the stock templates bring scripts from elsewhere and
several hundred kilobytes of style.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import workbench
from workbench.errors import RunError
from workbench.report.html import escape
from workbench.report.markdown import Markdown, table_scrolls
from workbench.report.outputs import joined, render_outputs
from workbench.report.theme import css, page_template, script
from workbench.whole_files import write_whole

#: Code cells with one of these tags go to the appendix even if they show something.
APPENDIX_TAGS = frozenset({"parameters", "injected-parameters", "appendix"})
APPENDIX_TITLE = "Code and run log"

_HEADING = re.compile(r'<h([23])\b[^>]*?\bid="([^"]*)"[^>]*>(.*?)</h\1>', re.DOTALL)
_LEADING_TITLE = re.compile(r"\A\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: where, how large, from how many cells, and the first line of every error shown in it."""

    path: Path
    size_bytes: int
    cells: int
    errors: tuple[str, ...]
    wall_sec: float


@dataclass(slots=True)
class _Page:
    """The page while its cells are set."""

    markdown: Markdown = field(default_factory=Markdown)
    body: list[str] = field(default_factory=list)
    appendix: list[str] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)  # anchor, first line
    not_run: int = 0


@dataclass(frozen=True, slots=True)
class _Heading:
    anchor: str
    text: str
    parts: tuple[_Heading, ...] = ()


def export_html(
    notebook_path: str | os.PathLike[str], html_path: str | os.PathLike[str], *, title: str | None = None, subtitle: str | None = None
) -> Exported:
    """Write the executed notebook as a self-contained page.

    Code cells that show something keep their place, with the code folded under what they show. Code cells that show nothing, and those
    tagged ``parameters``, ``injected-parameters`` or ``appendix``, move to an appendix in their order, so that the page opens with the
    answer. Errors are never moved or folded.

    Args:
        title: of the page; by default the notebook's first heading, which is then not repeated.
        subtitle: beside the title; by default when the run began and how long it took, where papermill wrote it down.

    Raises:
        RunError: the file is no notebook of format 4.
    """
    began = time.perf_counter()
    notebook = _read(Path(notebook_path))
    cells, heading = _without_title(notebook["cells"])
    page = _Page()
    for number, cell in enumerate(cells, start=1):
        _set_cell(page, cell, number)
    text = _document(page, title or heading or Path(notebook_path).stem, _when(notebook) if subtitle is None else subtitle)
    target = Path(html_path)
    data = text.encode("utf-8", "replace")
    write_whole(target, data)
    return Exported(target, len(data), len(cells), tuple(line for _, line in page.errors), time.perf_counter() - began)


def _read(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunError(f"notebook cannot be read: {error}", where=path) from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        got = notebook.get("nbformat") if isinstance(notebook, dict) else type(notebook).__name__
        raise RunError("not a notebook of format 4", where=path, got=got, expected="nbformat 4 with a list of cells")
    return notebook


def _without_title(cells: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str | None]:
    """The cells without the leading first-level heading, and that heading as plain text."""
    for index, cell in enumerate(cells):
        if cell.get("cell_type") != "markdown" or _is_notice(cell):
            continue
        found = _LEADING_TITLE.match(joined(cell.get("source", "")))
        if not found:
            break
        rest = {**cell, "source": joined(cell["source"])[found.end() :]}
        return [*cells[:index], rest, *cells[index + 1 :]], found[1]
    return cells, None


def _is_notice(cell: Mapping[str, Any]) -> bool:
    """Papermill's own notice of an error; the page has a better one."""
    return "papermill-error-cell-tag" in _tags(cell)


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return (cell.get("metadata") or {}).get("tags") or []


def _set_cell(page: _Page, cell: Mapping[str, Any], number: int) -> None:
    source = joined(cell.get("source", ""))
    if not source.strip() or _is_notice(cell):
        return
    if cell.get("cell_type") == "markdown":
        page.body.append(f'<div class="wb-md">{table_scrolls(page.markdown.render(source, attachments=_attachments(cell)))}</div>')
    elif cell.get("cell_type") == "code":
        _set_code(page, cell, source, number)


def _set_code(page: _Page, cell: Mapping[str, Any], source: str, number: int) -> None:
    page.not_run += cell.get("execution_count") is None
    anchor = f"wb-error-{number}"
    outputs = render_outputs(cell.get("outputs") or [], markdown=page.markdown, anchor=anchor)
    if outputs.error:
        page.errors.append((anchor, outputs.error_line))
    code = f"<pre><code>{escape(source)}</code></pre>"
    if outputs.error or (outputs.shown and not APPENDIX_TAGS & set(_tags(cell))):
        fold = f'<details class="wb-code"><summary>show code</summary>{code}</details>'
        page.body.append(f'<div class="wb-cell">{outputs.shown}{outputs.error}{outputs.printed}{fold}</div>')
        return
    label = ", ".join(["cell " + str(number), *(tag for tag in _tags(cell) if tag in APPENDIX_TAGS - {"appendix"})])
    page.appendix.append(
        f'<details class="wb-code"><summary>show code, {escape(label)}</summary>{code}</details>{outputs.printed}{outputs.shown}'
    )


def _attachments(cell: Mapping[str, Any]) -> dict[str, str]:
    """Pictures that travel inside a markdown cell, as data URIs."""
    found = {}
    for name, bundle in (cell.get("attachments") or {}).items():
        for kind, data in bundle.items():
            found[name] = f"data:{kind};base64,{''.join(joined(data).split())}"
    return found


def _when(notebook: Mapping[str, Any]) -> str:
    record = (notebook.get("metadata") or {}).get("papermill") or {}
    try:
        began = datetime.fromisoformat(record["start_time"])
    except (KeyError, TypeError, ValueError):
        return ""
    took = record.get("duration")
    lasted = f", took {_duration(float(took))}" if isinstance(took, (int, float)) else ""
    return f"{began:%d %B %Y, %H:%M} UTC{lasted}".removeprefix("0")


def _duration(sec: float) -> str:
    minutes, seconds = divmod(round(sec), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _document(page: _Page, title: str, subtitle: str) -> str:
    import jinja2
    from markupsafe import Markup

    if page.appendix:
        anchor = page.markdown.anchor(APPENDIX_TITLE)
        page.body.append(f'<h2 id="{anchor}">{APPENDIX_TITLE}</h2><p class="wb-note">Cells that show nothing above, in their order.</p>')
        page.body += page.appendix
    body = "\n".join(page.body)
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    template = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(page_template())
    return template.render(
        title=title,
        subtitle=subtitle,
        generator=f"workbench {workbench.__version__}",
        css=Markup(css()),
        script=Markup(script()),
        script_hash=f"sha256-{digest}",
        contents=_contents(body),
        banner=Markup(_banner(page)),
        body=Markup(body),
    )


def _contents(body: str) -> list[_Heading]:
    """Second-level headings with their third-level ones; text between tags only, still escaped."""
    from markupsafe import Markup

    sections: list[_Heading] = []
    for level, anchor, inner in _HEADING.findall(body):
        heading = _Heading(anchor, Markup(re.sub(r"<[^>]+>", "", inner).strip()))
        if level == "2" or not sections:
            sections.append(heading)
        else:
            last = sections[-1]
            sections[-1] = _Heading(last.anchor, last.text, (*last.parts, heading))
    return sections


def _banner(page: _Page) -> str:
    """Said first, when the notebook did not run to its end."""
    if not page.errors and not page.not_run:
        return ""
    lines = "".join(f'<p><a href="#{anchor}">{escape(line)}</a></p>' for anchor, line in page.errors)
    left = f"<p>{page.not_run} code cell{'s were' if page.not_run != 1 else ' was'} not run.</p>" if page.not_run else ""
    return f'<div class="wb-error" role="alert"><p><strong>This notebook did not run to its end.</strong></p>{lines}{left}</div>'
