"""The report of a comparison: every piece whole on good and bad input, nothing claimed by a judge alone, half a row never shown."""

from __future__ import annotations

import json
import math
import random

import pytest

from tests.comparison_for_tests import Trial, heard, prompt, unheard
from tests.unit.test_report_players import SILENCE
from workbench.clips import Clip
from workbench.report.html import Fragment, Ranked, bullets, table, Column
from workbench.report.model_comparison import ModelComparisonReport
from workbench.report.session import Run
from workbench.report.side_by_side import Cell, Row, side_by_side
from workbench.scan.model_comparison import ModelComparisonConfig

PIECES = ("verdict", "headline", "basis", "identity", "claims", "categories", "judges", "objectives", "signal", "listen", "regressions", "failures")


def report_of(trial: Trial, tmp_path, **given) -> ModelComparisonReport:
    options = {name: given.pop(name) for name in ("baseline", "weights") if name in given}
    config = ModelComparisonConfig.of({"systems": [{"name": name, "voice": "flite/slt"} for name in trial.systems], "side_by_side": 2, "regressions": 1, **options})
    return ModelComparisonReport(trial.found(**options, **given), config, Run("model_comparison", config, outputs=tmp_path))


def page(report: ModelComparisonReport) -> str:
    """All pieces as HTML, one after the other."""
    shown = []
    for name in PIECES:
        found = getattr(report, name)()
        shown += found if isinstance(found, list) else [found]
    return "".join(piece._repr_html_() for piece in shown)


def usual() -> Trial:
    draw = random.Random(4)
    trial = Trial(judges=("dnsmos", "nisqa"))
    for system, mean in (("good", 0), ("fair", 0), ("bad", 6)):
        trial.add(
            system, range(24), wrong=lambda k, mean=mean: mean + draw.randint(0, 3),
            scores=lambda k, mean=mean: {"dnsmos": 4 - mean / 4 + draw.random(), "nisqa": 4 - mean / 5 + draw.random(), "duration_sec": 2 + draw.random()},
        )  # fmt: skip
    return trial


def test_the_first_screen_ranks_with_ties_and_shows_judges_beside_words_length_and_loudness(tmp_path):
    report = report_of(usual(), tmp_path, baseline="good")
    headline = report.headline().html
    assert "share first place, bad is third" in report.headline_text
    for column in ("flagged", "WER, fast engine", "fair composite", "sane signal", "length", "loudness"):
        assert column in headline
    assert "1st, tie" in headline and "3rd" in headline and "Decided in part" in report.verdict().html


def test_claims_name_the_prompts_it_would_take(tmp_path):
    told = "".join(piece._repr_html_() for piece in report_of(usual(), tmp_path, baseline="good").claims())
    assert "cannot be told apart on flagged words with n=24 prompts; about" in told
    assert "good is better than bad on flagged words by" in told and "Holm over" in told


def test_a_ranking_that_loudness_alone_would_give_is_called_one_in_the_first_sentence(tmp_path):
    draw = random.Random(1)
    trial = Trial()
    for system in ("a", "b"):
        level = {k: -20 + draw.random() for k in range(40)}
        trial.add(system, range(40), scores=lambda k, level=level: {"dnsmos": -level[k] / 8, "rms_db": level[k]})
    report = report_of(trial, tmp_path)
    assert "but the quieter clip is its choice in 100% of pairs, so it may be a ranking by loudness" in report.headline_text


def test_a_choice_that_may_be_a_coin_is_not_called_one(tmp_path):
    draw, trial = random.Random(2), Trial()
    for system in ("a", "b"):
        trial.add(system, range(12), scores=lambda k: {"dnsmos": 3 + draw.random(), "duration_sec": 2 + draw.random()})
    report = report_of(trial, tmp_path)
    found = report.compared.predictions.found["dnsmos", "duration_sec"].agreement
    told = "".join(piece._repr_html_() for piece in report.judges())
    assert found.low < 0.5 < found.high and "of cases (which cannot be told from a coin)" in told and "no better than a coin" not in told


def test_that_no_regressions_are_shown_does_not_say_that_there_are_none(tmp_path):
    report = report_of(usual(), tmp_path, baseline="good")
    silent = ModelComparisonReport(report.found, report.config.model_copy(update={"regressions": 0}), report.run)
    assert "parameter <code>regressions</code> is 0" in silent.regressions()[0].html and "no system is worse" not in silent.regressions()[0].html
    alike = report_of(Trial().add("a", range(6)).add("b", range(6)), tmp_path, baseline="a")
    assert "no system is worse than a on any prompt that both have" in alike.regressions()[0].html


def test_metrics_that_tell_nothing_apart_are_one_sentence(tmp_path):
    told = "".join(piece._repr_html_() for piece in report_of(usual(), tmp_path).claims())
    assert "All systems are alike on signal sanity: 100.0%." in told and "told apart on signal sanity" not in told


def test_too_few_prompts_for_so_many_comparisons_are_said(tmp_path):
    draw = random.Random(6)

    def basis_of(prompts: int) -> tuple[str, int, list]:
        trial = Trial()
        for number in range(14):
            trial.add(f"s{number:02}", range(prompts), wrong=lambda k, number=number: min(9, number % 9 + (draw.random() < 0.3)))
        report = report_of(trial, tmp_path)
        return report.basis().html, report.compared.comparison.comparisons, [pair for pair in report.compared.comparison.pairs if pair.better]

    told, comparisons, better = basis_of(11)
    assert f"11 prompts are too few for {comparisons} comparisons: after the correction nothing can be called better. Give at least 13." in told and not better
    # More comparisons than 2,000 resamples could tell by themselves: the permutations are as many as the correction asks for.
    told, comparisons, better = basis_of(14)
    assert "are too few" not in told and comparisons / 0.05 > 2000 and better


def test_a_front_says_which_of_its_steps_the_data_support_and_a_number_states_its_weighting(tmp_path):
    told = "".join(piece._repr_html_() for piece in report_of(usual(), tmp_path, weights={"intelligibility": 1, "sanity": 1}).objectives())
    assert "supported on intelligibility and naturalness" in told and "Not measured: similarity." in told
    assert "0.50 intelligibility (higher is better) + 0.50 sanity (higher is better)" in told
    assert "There is no one number" in "".join(piece._repr_html_() for piece in report_of(usual(), tmp_path).objectives())


def test_the_first_sentence_says_of_whom_the_data_do_not_show_that_they_are_off_the_front(tmp_path):
    draw, trial = random.Random(3), Trial()
    for system in ("a", "b"):
        trial.add(system, range(20), wrong=lambda k: draw.randint(0, 3), scores=lambda k, more=system == "b": {"dnsmos": 3 + draw.random() + more / 50})
    report = report_of(trial, tmp_path)
    off = next(iter(report.compared.front.off))
    assert f"by the estimates: {report.compared.front.on[0]}; the data do not show that {off} is behind." in report.headline_text
    assert "the data do not show" not in report_of(usual(), tmp_path).headline_text


def test_no_p_value_is_0_and_only_ties_ask_for_more_prompts(tmp_path):
    report = report_of(usual(), tmp_path, baseline="good")
    told = "".join(piece._repr_html_() for piece in report.claims())
    assert "&lt;.001" in told and ">0.000<" not in told
    settled = [row for row in told.split("<tr>") if " better</td>" in row]
    assert settled and all('data-v=""><span class="wb-none"' in row for row in settled)


def test_what_was_not_measured_of_the_signal_is_not_called_clean(tmp_path):
    def told(**scores: float) -> str:
        trial = Trial().add("a", range(10), scores=lambda k: scores).add("b", range(10), scores=lambda k: scores)
        return "".join(piece._repr_html_() for piece in report_of(trial, tmp_path).signal())

    assert "No clipping was found." in told()
    assert "No peak above full scale was found; flat tops were not looked for." in told(flat_top_runs=math.nan)
    nothing = told(**dict.fromkeys(("peak_amplitude", "flat_top_runs", "silence_pct", "rms_db"), math.nan))
    assert "The signal was not measured" in nothing and "No clipping" not in nothing


def test_clipping_is_counted_and_what_the_judges_heard_instead_is_told(tmp_path):
    note = "peak 1.20: judged on a copy normalised to 0.99"
    trial = Trial().add("loud", range(10), scores=lambda k: {"peak_amplitude": 1.2 if k else 0.9}, notes=(note,))
    trial.add("flat", range(10), scores=lambda k: {"flat_top_runs": 9.0 * (k < 3)})
    trial.add("clean", range(10))
    report = report_of(trial, tmp_path)
    told = "".join(piece._repr_html_() for piece in report.signal())
    assert "loud: 90% of its clips peak above full scale, up to 1.20; 10 were judged on a normalised copy" in told
    assert "flat: 30% have flat tops." in told and "clean:" not in told
    assert report.compared.comparison.estimates["loud", "sane"].value == pytest.approx(0.1)


@pytest.mark.parametrize(
    "trial",
    [
        usual(),
        Trial().add("alone", range(12)),
        Trial().add("a", [0]).add("b", [0]),
        Trial().add("a", range(3), fails=range(3)),
        Trial().add("a", range(3), fails=range(3)).add("b", range(3)),
        Trial(judges=()).add("a", range(6)).add("b", range(6), wrong=lambda k: 3),
        Trial(judges=("dnsmos", "nisqa")).add("a", range(6), scores=lambda k: {"nisqa": None}).add("b", range(6), scores=lambda k: {"dnsmos": float("nan")}),
        Trial().add("a", range(6)).add("b", range(6, 12)),
        Trial().add("<script>alert(1)</script> $x$", range(6), scores=lambda k: {"dnsmos": 1 + k / 3}).add('b"&', range(6), wrong=lambda k: k),
    ],
    ids=("usual", "one system", "one clip each", "nothing usable", "one left", "no judge", "judges missing", "no prompt in common", "hostile names"),
)
def test_every_piece_is_whole_whatever_came_in(trial, tmp_path):
    report = report_of(trial, tmp_path)
    whole = page(report)
    assert "<script>" not in whole and "nan" not in whole.replace("finance", "") and "None" not in whole
    metrics = json.loads(json.dumps(report.metrics(), allow_nan=False))
    assert metrics["headline"] and {row["system"] for row in metrics["systems"]} == set(report.compared.systems)


def test_clips_of_systems_that_failed_everywhere_count_as_failed(tmp_path):
    trial = Trial().add("a", range(5), fails=[2]).add("b", range(5)).add("c", range(5), fails=range(5))
    assert report_of(trial, tmp_path).metrics()["failed"] == 6


def test_no_prompt_in_common_is_undecidable_and_said(tmp_path):
    report = report_of(Trial().add("a", range(6)).add("b", range(6, 12)), tmp_path)
    assert all(pair.reason == "no text in common" for pair in report.compared.comparison.pairs)
    assert "All systems are compared on the 0 of 12 prompts that every one of them has." in report.basis().html


def test_a_row_whose_clips_do_not_fit_the_budget_together_shows_none_of_them():
    def row(number: int) -> Row:
        one = prompt(number)
        cells = [Cell(s, heard(Clip(f"{one.prompt_id}/{s}", "", one.text, "d", s), wrong=0, scores={}, audio=s)) for s in "ab"]
        return Row(one.prompt_id, one.text, tuple(cells))

    each = 4 * (len(SILENCE) // 3) + 40
    html = side_by_side([row(1), row(2), row(3)], audio_of=lambda r: SILENCE, budget_bytes=3 * each, title="Listen", total=9).html
    assert html.count("<audio") == 2 and html.count("audio left out: budget") == 4 and "showing 3 of 9" in html


def test_a_system_without_a_clip_keeps_its_place_in_the_row():
    one = prompt(1)
    failed = unheard(Clip("p001/b", "", one.text, "d", "b"))
    cells = (Cell("a", None, "no clip of this prompt"), Cell("b", failed))
    html = side_by_side([Row("p001", one.text, cells, changes=(("WER", "0%", "50%"),))], audio_of=lambda r: None, budget_bytes=10**6, title="Listen").html
    assert html.count("<article") == 2 and "no clip of this prompt" in html and "could not be spoken" in html and "0% → 50%" in html


def test_a_place_stands_beside_the_interval_that_it_rests_on():
    html = table([{"s": "a", "x": Ranked(0.5, 0.4, 0.6, "1st, tie")}], [Column("s", "system"), Column("x", "x", fmt=".1%")]).html
    assert "50.0%" in html and "[40.0, 60.0]" in html and "1st, tie" in html and 'data-v="0.5"' in html
    assert bullets([]) == Fragment("") and "&lt;b&gt;" in bullets(["<b>"]).html
