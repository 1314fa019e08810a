"""A matplotlib figure as inline SVG that takes its colours from the page, so that it reads in light, dark and on paper."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.report.theme import colours

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

_HEX = re.compile(r"#[0-9a-f]{6}\b")
_ID = re.compile(r'\s?\bid="([^"]+)"')

#: Figures are drawn in the light theme's colours, which are then handed over to the page's variables.
INK: dict[str, str] = colours("light")
_VARIABLES = {value: name for name, value in reversed(INK.items())}

_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's own font
    "svg.hashsalt": "workbench",  # the same figure is the same bytes
    "font.family": "DejaVu Sans",  # widest of the usual ones, so that no other overflows the places laid out for it
    "text.parse_math": False,  # a voice may be called "$x$"
    "font.size": 9.0,
    "text.color": INK["ink"],
    "axes.labelcolor": INK["ink"],
    "axes.edgecolor": INK["rule"],
    "axes.linewidth": 0.8,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": INK["fig-grid"],
    "grid.linewidth": 0.7,
    "xtick.color": INK["rule"],
    "ytick.color": INK["rule"],
    "xtick.labelcolor": INK["muted"],
    "ytick.labelcolor": INK["ink"],
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "hatch.linewidth": 0.7,
}


def draw(width_in: float, height_in: float, paint: Callable[[MatplotlibFigure], None]) -> str:
    """The SVG element of what ``paint`` draws on an empty transparent figure of this size."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_alpha(0)
        paint(figure)
        for axes in figure.axes:
            axes.patch.set_alpha(0)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    return _inline(out.getvalue())


def _inline(text: str) -> str:
    """The bare element: no prolog, page colours, only identifiers that something refers to, made unique by the figure's content."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = _HEX.sub(lambda found: f"var(--wb-{_VARIABLES[found[0]]},{found[0]})" if found[0] in _VARIABLES else found[0], text)
    prefix = hashlib.sha256(text.encode()).hexdigest()[:8]
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = _ID.sub(lambda found: f' id="{prefix}{found[1]}"' if found[1] in used else "", text)
    text = re.sub(r'((?:href="|url\()#)([^")]+)', lambda found: f"{found[1]}{prefix}{found[2]}", text)
    return re.sub(
        r'(<svg\b[^>]*?) (?:width|height)="[^"]*"', r"\1", re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1
    ).strip()
