"""Foreign HTML outputs without anything that runs or fetches: a report opens no connection and runs only its own script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from workbench.report.html import escape

_DROPPED = frozenset({"script", "iframe", "object", "embed", "template", "noscript", "frameset", "applet"})
_DROPPED_VOID = frozenset({"link", "meta", "base", "frame"})
_FETCHING = frozenset({"src", "srcset", "poster", "data", "background", "xlink:href", "formaction", "action", "ping"})
_LINKS = frozenset({"a", "area"})
_FOREIGN_CSS = re.compile(r"@import[^;]*;?|url\(\s*(?!['\"]?\s*(?:data:|#))[^)]*\)", re.IGNORECASE)


def without_scripts(html: str) -> str:
    """``html`` with scripts, handlers, embedded pages and references to other files taken out; the rest is passed on as it was."""
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.out)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._inside: list[str] = []  # dropped elements that are still open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, closes=False)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, closes=True)

    def _start(self, tag: str, attrs: list[tuple[str, str | None]], *, closes: bool) -> None:
        if tag in _DROPPED and not closes:
            self._inside.append(tag)
        if self._inside or tag in _DROPPED or tag in _DROPPED_VOID:
            return
        kept = [(name, value) for name, value in attrs if _harmless(tag, name, value)]
        if len(kept) == len(attrs) and not any(name == "style" for name, _ in attrs):
            self.out.append(self.get_starttag_text() or "")
            return
        written = "".join(
            f' {name}="{escape(_css(value) if name == "style" else value)}"' if value is not None else f" {name}" for name, value in kept
        )
        self.out.append(f"<{tag}{written}{' /' if closes else ''}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            if tag in self._inside:
                del self._inside[self._inside.index(tag) :]
        elif not self._inside and tag not in _DROPPED_VOID:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.out.append(_css(data) if self.cdata_elem == "style" else data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def _harmless(tag: str, name: str, value: str | None) -> bool:
    if name.startswith("on"):
        return False
    url = re.sub(r"[\x00-\x20]+", "", value or "").casefold()
    if name in _FETCHING or (name == "href" and tag not in _LINKS):
        return url.startswith(("data:image/", "data:audio/", "data:video/", "#"))
    return name != "href" or not url.startswith(("javascript:", "vbscript:", "data:"))


def _css(text: str) -> str:
    return _FOREIGN_CSS.sub("", text)
