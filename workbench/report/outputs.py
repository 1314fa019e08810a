"""One notebook cell's outputs as HTML."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.report.html import escape
from workbench.report.markdown import Markdown, table_scrolls
from workbench.report.sanitise import without_scripts
from workbench.report.theme import THEME_MARK

#: Printed lines beyond this are cut in the middle: a report is no log file.
MOST_LINES = 400

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True, slots=True)
class CellOutputs:
    """What a cell showed, printed and raised, as HTML; empty where it did not."""

    shown: str
    printed: str
    error: str
    error_line: str


def render_outputs(outputs: Sequence[Mapping[str, Any]], *, markdown: Markdown, anchor: str) -> CellOutputs:
    """The outputs of one code cell, an error with its ``anchor``."""
    shown, printed, error, error_line = [], {"stdout": "", "stderr": ""}, "", ""
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            printed[name] += joined(output.get("text", ""))
        elif kind in ("display_data", "execute_result"):
            shown.append(_display(output.get("data") or {}, markdown))
        elif kind == "error":
            error, error_line = _error(output, anchor)
    folds = _printed("Printed", printed["stdout"]) + _printed("Warnings", printed["stderr"])
    boxes = "".join(f'<div class="wb-out">{html}</div>' for html in shown if html)
    return CellOutputs(boxes, folds, error, error_line)


def joined(text: str | Sequence[str]) -> str:
    """Multi-line fields of the notebook format are lists of lines or one string."""
    return text if isinstance(text, str) else "".join(text)


def _display(data: Mapping[str, Any], markdown: Markdown) -> str:
    """The richest form that is complete without a running kernel; a widget is none."""
    if _WIDGET in data:
        return ""
    if "text/html" in data:
        html = joined(data["text/html"])
        if html.lstrip().startswith(f"<div {THEME_MARK}>"):
            return ""
        return without_scripts(html)
    if "image/svg+xml" in data:
        # As a picture, not inline: scripts in it stay asleep and its identifiers meet no others.
        svg = base64.b64encode(joined(data["image/svg+xml"]).encode("utf-8", "replace")).decode("ascii")
        return f'<img src="data:image/svg+xml;base64,{svg}" alt="figure">'
    for kind in _PICTURES:
        if kind in data:
            return f'<img src="data:{kind};base64,{escape("".join(joined(data[kind]).split()))}" alt="{escape(_plain(data))}">'
    if "text/markdown" in data:
        return f'<div class="wb-md">{table_scrolls(markdown.render(joined(data["text/markdown"])))}</div>'
    if "application/json" in data:
        return f"<pre>{escape(json.dumps(data['application/json'], indent=2, ensure_ascii=False))}</pre>"
    if "application/javascript" in data:
        return ""
    return f"<pre>{escape(_plain(data))}</pre>" if _plain(data) else ""


def _plain(data: Mapping[str, Any]) -> str:
    return without_colours(joined(data.get("text/plain", "")))


def without_colours(text: str) -> str:
    """Text without terminal codes, and with lines that a progress bar wrote over as they last looked."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _printed(label: str, text: str) -> str:
    lines = without_colours(text).strip("\n").split("\n")
    if lines == [""]:
        return ""
    count = f"{len(lines):,} line{'s' if len(lines) > 1 else ''}"
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half:,} lines left out …", *lines[-half:]]
    return f'<details class="wb-more"><summary>{label}, {count}</summary><pre>{escape(chr(10).join(lines))}</pre></details>'


def _error(output: Mapping[str, Any], anchor: str) -> tuple[str, str]:
    name, value = output.get("ename") or "Error", without_colours(joined(output.get("evalue") or ""))
    trace = without_colours("\n".join(output.get("traceback") or []))
    fold = f'<details class="wb-more"><summary>Traceback</summary><pre>{escape(trace)}</pre></details>' if trace else ""
    html = f'<div class="wb-error" id="{anchor}" role="alert"><p><strong>{escape(name)}</strong></p><p>{escape(value)}</p>{fold}</div>'
    return html, f"{name}: {value}".splitlines()[0]
