"""The report of a listening test says why it says nothing, and whose opinion stands where."""

from __future__ import annotations

from dataclasses import replace

from tests.listening_for_tests import Listeners, save_ratings, tone_test
from workbench.listening.base import TrialKind
from workbench.listening.opinions import system_opinions
from workbench.listening.study import ListeningConfig, open_study
from workbench.report.listening import ListeningReport
from workbench.report.listening_figures import mean_opinions
from workbench.report.session import Run


def report_of(tmp_path, *, checks: bool = True, **rules: object) -> ListeningReport:
    """The report of a test of tones that three listeners took, attentive or not."""
    prepared = tone_test(tmp_path, texts=8, **({"mos_trials": 16, "ab_trials": 8} | rules))
    listeners = Listeners(prepared.plan, lambda item: 3.0)
    for slot in range(3):
        save_ratings(prepared, listeners.of_one(slot, checks=checks))
    config = ListeningConfig(test_folder=str(tmp_path / "test"), texts="")
    return ListeningReport(open_study(config), config, Run("listening_test", config, outputs=tmp_path))


def text_of(report: ListeningReport, *pieces: str) -> list[str]:
    return ["".join(piece._repr_html_() for piece in getattr(report, name)()) for name in pieces]


def test_where_no_listener_counts_it_says_so_and_not_that_nobody_rated(tmp_path):
    report = report_of(tmp_path, checks=False)
    assert "Nobody counts, so nothing is said." in report.headline_text
    for told in text_of(report, "comparisons", "agreement", "calibration", "listen"):
        assert "No listener counts by the stated rules" in told and "No ratings" not in told


def test_pairs_that_nobody_could_decide_are_not_counted_as_alike(tmp_path):
    assert "rated differently 0 of 3 (3 with too little to say), one preferred 0 of 3 (3 with too little to say)." in report_of(tmp_path).headline_text


def test_ratings_that_fit_no_judge_say_what_they_lack(tmp_path):
    agreement, calibration = text_of(report_of(tmp_path / "pairs", mos_trials=0), "agreement", "calibration")
    assert "Nobody rated single clips" in agreement and "Nobody rated single clips" in calibration
    assert "No clip has a score of a judge." in text_of(report_of(tmp_path / "scoreless"), "calibration")[0]


def test_a_system_that_only_excluded_listeners_rated_has_a_row_of_its_own_in_the_figure(tmp_path):
    plan = tone_test(tmp_path, texts=8, mos_trials=16, ab_trials=0).plan
    ratings = [rating for rating in Listeners(plan, lambda item: 3.0).ratings(3) if rating.trial.kind is TrialKind.MOS]
    counted = [rating for rating in ratings if rating.trial.check or plan.item[rating.trial.items[0]].system != "system2"]
    both = [system_opinions(own, plan, seed=1) for own in (counted, [*counted, *(replace(rating, listener="excluded") for rating in ratings)])]
    figure = mean_opinions(*both).html
    svg = figure[figure.index("<svg") : figure.index("</svg>")]
    assert all(f"system{k}" in svg for k in range(3))
