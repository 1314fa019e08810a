"""Figures: units on every axis, numbers beside marks and in a table, no data no crash."""

import pytest

from workbench.report import figures
from workbench.report.figures import RecallRow, RocPoint, YieldRow
from workbench.report.figures_cascade import TradePoint, spread, trade_off
from workbench.scan.summaries import StageTime
from workbench.verdicts.base import Verdict


def test_verdicts_are_named_with_counts_per_voice():
    html = figures.verdict_breakdown({"slt <b>": {Verdict.PASS: 90, Verdict.TTS_FAILURE: 10, Verdict.HOMOPHONE: 0}}).html
    assert "TTS failure ✗" in html and "10.0% (10)" in html and "pass 90.0% of 100" in html and "share of words (%)" in html
    assert "homophone" not in html and "slt &lt;b&gt;" in html and "<b>" not in html.replace("<b></b>", "")


def test_stage_times_say_rtfx_and_a_stage_without_time_makes_no_number_up():
    html = figures.stage_times([StageTime("fast", "e", 3, 2.0, 20.0), StageTime("judge", "e", 3, 0.0, 20.0)]).html
    assert "RTFx 10.0×" in html and "not timed" in html and "engine working time (s)" in html


def test_recall_shows_counts_and_target():
    html = figures.recall_by_kind([RecallRow("tail_cut", 9, 10, 0.6, 0.98), RecallRow("dropped", 0, 0)], target=0.93).html
    assert "90%  (9 of 10)" in html.replace("&#xa0;", " ") or "(9 of 10)" in html
    assert "tail cut" in html and "target 93%" in html and "dropped" not in html


def test_roc_marks_the_operating_point_once_in_its_table():
    points = [RocPoint(0.0, 0.5, 9), RocPoint(0.01, 0.94, 2), RocPoint(0.05, 0.99, 0)]
    html = figures.roc(points, points[1], others=[RocPoint(0.09, 0.97, label="fast alone")]).html
    table = html[html.index("<table") :]
    assert (
        table.count(">operating point<") == 1
        and table.count("<tr>") == 5
        and "fast alone" in html
        and "false alarms (% of untouched words)" in html
    )


def test_error_rates_above_one_are_counted_at_the_edge():
    html = spread({"v": [0.0, 0.5, 12.0], "empty": [], "odd": [float("nan"), None]}, label="word error rate (%)").html
    assert "n = 3, 1 above 100%" in html and "1200.0%" in html and "odd" not in html


def test_a_trade_off_names_the_marked_cascades_and_lists_them_all():
    points = [TradePoint("clips: WER > 5%", "flagged", 0.4, 0.8, 0.7, 0.9, label="proposed", best=True), TradePoint("hear everything", "all", 1.0, 0.85, best=True)]
    html = trade_off(points).html
    assert "80.0% at 40% of the cost" in html and "hear everything" in html and html.count("<tr>") == 3


def test_yields_show_share_and_count():
    html = figures.yields([YieldRow("slt", "strict", 20, 40, 0.35, 0.65), YieldRow("slt", "none", 0, 0)]).html
    assert "strict 50%" in html and "(20 of 40)" in html


@pytest.mark.parametrize(
    "html",
    [
        figures.verdict_breakdown({}),
        figures.verdict_breakdown({"v": {Verdict.PASS: 3}}),
        figures.yields([]),
        figures.stage_times([]),
        figures.recall_by_kind([]),
        figures.roc([]),
        spread({}, label="word error rate (%)"),
        trade_off([]),
    ],
)
def test_without_data_a_figure_is_a_sentence(html):
    assert html.html.startswith('<p class="wb wb-note">') and "<svg" not in html.html


def test_a_figure_names_itself_and_carries_its_numbers():
    html = figures.stage_times([StageTime("fast", "e", 3, 2.0, 20.0)]).html
    assert 'role="img" aria-label="Working time' in html and "The numbers" in html and "<table" in html
