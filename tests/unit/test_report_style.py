"""Colours and marks: readable in both themes, told apart without colour."""

import pytest

from workbench.report.svg import INK, draw
from workbench.report.theme import colours, contrast, css, script
from workbench.report.verdict_style import FAMILIES, STYLES, severest
from workbench.verdicts.base import Verdict

TEXT = ("ink", "muted", "accent", "good", "mixed", "bad", *(f"v-{family.name}" for family in FAMILIES))
GROUNDS = ("bg", "surface", "raised", "code")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_colour_reaches_contrast_4_5_on_every_ground(theme):
    palette = colours(theme)
    low = {(text, ground): contrast(palette[text], palette[ground]) for text in TEXT for ground in GROUNDS}
    low["now-ink", "now"] = contrast(palette["now-ink"], palette["now"])
    assert {pair: round(ratio, 2) for pair, ratio in low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figure_marks_reach_contrast_3_on_the_page(theme):
    palette = colours(theme)
    assert min(contrast(palette[f"fig-{n}"], palette["bg"]) for n in range(1, 5)) >= 3


def test_contrast_is_the_wcag_ratio():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_verdict_has_a_style_and_no_two_share_symbol_or_label():
    assert set(STYLES) == set(Verdict)
    assert len({s.symbol for s in STYLES.values()}) == len({s.label for s in STYLES.values()}) == len(Verdict)


def test_families_differ_by_underline_not_by_colour_alone():
    assert len({family.underline for family in FAMILIES}) == len(FAMILIES)
    assert all(f".wb-v-{f.name}{{" in css() for f in FAMILIES if f.underline != "none")


def test_a_written_form_carries_its_severest_verdict():
    assert severest([Verdict.PASS, Verdict.STT_ERROR, Verdict.TTS_FAILURE]) is Verdict.TTS_FAILURE


def test_style_and_script_cannot_end_their_element_or_fetch():
    for text in (css(), script()):
        assert "</" not in text and "http" not in text and "@import" not in text


def test_a_figure_takes_its_colours_from_the_page_and_is_the_same_bytes_again():
    def paint(figure):
        axes = figure.subplots()
        axes.barh(0, 1, color=INK["fig-1"], hatch="//")
        axes.text(0, 0, "$x$ <b>&")

    svg = draw(3, 2, paint)
    assert svg == draw(3, 2, paint)
    assert "var(--wb-fig-1,#0b5a96)" in svg or "var(--wb-accent,#0b5a96)" in svg
    assert "$x$ &lt;b&gt;&amp;" in svg and "<!--" not in svg and "<?xml" not in svg
