"""Text blocks of a report: every value escaped, intervals beside their value, mistakes told."""

from dataclasses import dataclass

import pytest

from workbench.errors import ConfigError
from workbench.report import html
from workbench.report.html import Column
from workbench.stats import Estimate

HOSTILE = '</script><script>alert(1)</script> & "it\'s"'


@dataclass(frozen=True)
class Row:
    voice: str
    wer: Estimate | None
    clips: int = 3


@pytest.mark.parametrize(
    "piece",
    [
        html.verdict_line(HOSTILE, tone="bad"),
        html.table(
            [{HOSTILE: HOSTILE}], [Column(HOSTILE, HOSTILE, HOSTILE, help=HOSTILE)], caption=HOSTILE, note=HOSTILE, total={HOSTILE: HOSTILE}
        ),
        html.identity({HOSTILE: HOSTILE, "nested": {HOSTILE: [HOSTILE]}}),
        html.prose(HOSTILE),
        html.fold(HOSTILE, html.prose("a")),
    ],
    ids=["verdict_line", "table", "identity", "prose", "fold"],
)
def test_text_from_data_never_becomes_markup(piece):
    assert "<script" not in piece._repr_html_()
    assert "&lt;script&gt;" in piece._repr_html_()


def test_characters_that_no_page_can_hold_are_replaced():
    assert html.escape("a\x00b\ud800c\nd") == "a\ufffdb\ufffdc\nd"


def test_an_interval_stands_in_brackets_beside_its_value():
    shown = html.table([Row("slt", Estimate(0.0312, 0.0211, 0.0467, 9))], [Column("voice", "Voice"), Column("wer", "WER", fmt=".1%")]).html
    assert '<span class="wb-x">3.1%</span> <span class="wb-iv">[2.1, 4.7]</span>' in shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (float("nan"), "–"), (Estimate(None, None, None, 0), "–"), (0, ">0<"), (1234, "1,234")]
)
def test_what_is_missing_is_a_dash_and_zero_is_a_number(value, shown):
    assert shown in html.table([{"a": "x", "b": value}], [Column("a", "A"), Column("b", "B")]).html


def test_an_interval_without_bounds_claims_none():
    assert "wb-iv" not in html.table([Row("slt", Estimate(0.5, None, None, 2))], [Column("wer", "WER", fmt=".1%")]).html


def test_numbers_sort_by_value_not_by_their_text():
    shown = html.table([{"n": 1000}, {"n": 9}], [Column("n", "n", fmt=",d")]).html
    assert 'data-v="1000.0">1,000<' in shown and 'data-v="9.0">9<' in shown and "wb-sortable" in shown


def test_a_misspelt_column_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean clips"):
        html.table([Row("slt", None)], [Column("clip", "Clips")])


def test_an_unknown_tone_is_refused():
    with pytest.raises(ConfigError, match="good, mixed, bad"):
        html.verdict_line("fine", tone="great")


def test_showing_says_how_much_is_left_out():
    assert "showing 40 of 2,000" in html.showing(40, 2000).html
    assert "showing all 3" in html.showing(3, 3).html


def test_pictures_from_elsewhere_are_named_not_loaded():
    assert "<img" not in html.prose("![a](https://example.org/a.png)").html
    assert "example.org" in html.prose("![a](https://example.org/a.png)").html


def test_a_live_notebook_gets_style_and_script_from_the_theme():
    live = html.theme()._repr_html_()
    assert live.startswith("<div data-wb-theme>") and "--wb-ink" in live and "<script>" in live
