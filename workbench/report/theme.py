"""Colours, style sheet and script of a report, light and dark, as text to inline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from workbench.report.verdict_style import FAMILIES

#: Ground, surfaces, text and lines. Every text colour reaches a contrast of 4.5 on every ground it may stand on.
LIGHT: dict[str, str] = {
    "bg": "#fbfbf9",
    "surface": "#ffffff",
    "raised": "#f3f3ef",
    "ink": "#1d2126",
    "muted": "#5a626c",
    "line": "#dddfd9",
    "rule": "#b9bdb6",
    "accent": "#0b5a96",
    "good": "#0a6a50",
    "mixed": "#875300",
    "bad": "#b5330b",
    "now": "#ffdf7e",
    "now-ink": "#1d2126",
    "code": "#f5f5f1",
    "fig-1": "#0b5a96",
    "fig-2": "#b04c06",
    "fig-3": "#0a7a5c",
    "fig-4": "#8c3672",
    "fig-soft": "#a9c6dd",
    "fig-grid": "#e3e4df",
}
DARK: dict[str, str] = {
    "bg": "#14171b",
    "surface": "#1a1e23",
    "raised": "#22272d",
    "ink": "#e6e8eb",
    "muted": "#a6aeb8",
    "line": "#2f353c",
    "rule": "#515963",
    "accent": "#7dc1f7",
    "good": "#5fd1ae",
    "mixed": "#f0b649",
    "bad": "#ff9470",
    "now": "#ffd45c",
    "now-ink": "#14171b",
    "code": "#1f2429",
    "fig-1": "#7dc1f7",
    "fig-2": "#ff9d5c",
    "fig-3": "#5fd1ae",
    "fig-4": "#eba0cf",
    "fig-soft": "#3c5f7a",
    "fig-grid": "#2b3138",
}

#: The element that carries style and script into a live notebook; the export leaves it out, the page has its own.
THEME_MARK = "data-wb-theme"


@dataclass(frozen=True, slots=True)
class Theme:
    """Style and script for a live notebook, where no page carries them: show it once, near the top."""

    def _repr_html_(self) -> str:
        # A notebook has its own light and dark, whatever the system prefers.
        lab = "".join(
            f"{where}{{{_variables(name)}color-scheme:{name}}}"
            for name, where in (
                ("light", "body[data-jp-theme-light=true],body.vscode-light"),
                ("dark", "body[data-jp-theme-light=false],body.vscode-dark"),
            )
        )
        return f"<div {THEME_MARK}><style>{css()}{lab}</style><script>{script()}</script></div>"

    def __repr__(self) -> str:
        return "report theme"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, section 1.4.3)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def colours(theme: str) -> dict[str, str]:
    """Every named colour of ``light`` or ``dark``, the verdict families' among them (``v-fault`` ...)."""
    base = DARK if theme == "dark" else LIGHT
    return {**base, **{f"v-{family.name}": getattr(family, theme) for family in FAMILIES}}


@cache
def css() -> str:
    """The whole style sheet: variables for both themes, then the rules."""
    light = _variables("light") + "color-scheme:light;"
    dark = _variables("dark") + "color-scheme:dark;"
    themes = (
        f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n"
    )
    families = "".join(
        f".wb-v-{f.name}{{--v:var(--wb-v-{f.name});text-decoration:underline {f.underline};text-decoration-color:var(--v)}}\n"
        for f in FAMILIES
        if f.underline != "none"
    )
    return themes + _asset("report.css") + families


def _variables(theme: str) -> str:
    return "".join(f"--wb-{name}:{value};" for name, value in colours(theme).items())


@cache
def script() -> str:
    """The page's only script. Nothing in it depends on data."""
    return _asset("report.js")


@cache
def page_template() -> str:
    return _asset("page.html.j2")


def _asset(name: str) -> str:
    return resources.files("workbench.report").joinpath("assets", name).read_text(encoding="utf-8")
