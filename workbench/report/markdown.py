"""Notebook markdown as HTML: raw HTML shown as text, nothing fetched from elsewhere, headings with anchors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from workbench.report.html import escape


class Markdown:
    """Renders cells of one document; heading anchors stay unique across them.

    Args:
        attachments: of the next cell, file name -> data URI; set with :meth:`render`.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def render(self, text: str, *, attachments: Mapping[str, str] | None = None) -> str:
        import mistune

        renderer = _renderer_class()(self, attachments or {})
        return str(mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough", "footnotes", "task_lists"])(text))

    def anchor(self, heading: str) -> str:
        """A readable identifier for a heading that no earlier one has."""
        plain = unicodedata.normalize("NFKD", re.sub(r"<[^>]+>", "", heading)).casefold()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"
        name, number = base, 2
        while name in self._taken:
            name, number = f"{base}-{number}", number + 1
        self._taken.add(name)
        return name


def _renderer_class():
    # mistune is imported only when something is rendered, so the class is made here.
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def __init__(self, document: Markdown, attachments: Mapping[str, str]) -> None:
            super().__init__(escape=True)
            self._document, self._attachments = document, attachments

        def heading(self, text: str, level: int, **attrs) -> str:
            return f'<h{level} id="{self._document.anchor(text)}">{text}</h{level}>\n'

        def image(self, text: str, url: str, title: str | None = None) -> str:
            source = self._attachments.get(url.removeprefix("attachment:"), url)
            if re.match(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,", source):
                return f'<img src="{escape(source)}" alt="{text}">'
            return f'<span class="wb-soft">[picture not part of this file: {text} {escape(url)}]</span>'

        def block_code(self, code: str, info: str | None = None) -> str:
            return f"<pre><code>{escape(code)}</code></pre>\n"

    return Renderer


def table_scrolls(html: str) -> str:
    """Tables of ``html`` in a box that scrolls by itself, so that a wide one never widens the page."""
    return html.replace("<table>", '<div class="wb-scroll"><table class="wb-table">').replace("</table>", "</table></div>")
