"""A cascade's cost and catch are what a scan with that cascade would have come to, and the proposal keeps what it promises."""

from __future__ import annotations

import pytest

from tests.unit.test_cascade import FIRST, SECOND, TEXT, clips, config, third_party_engines  # noqa: F401
from workbench.errors import ConfigError
from workbench.report.session import Run
from workbench.report.thresholds import ThresholdsReport
from workbench.scan.cascade import Cascade
from workbench.scan.planted_trial import PlantedTrial, TrialClips
from workbench.scan.reading import read_results
from workbench.scan.scanning import scan
from workbench.scan.thresholds import ThresholdsConfig, _cascades, _weighed, name_of, weigh_thresholds
from workbench.scan.trade_off import Candidate, Catch, Catcher, Cost, Heard, borne_out, cheapest, cost, frontier
from workbench.stats import Estimate
from workbench.store import Store
from workbench.stt.base import Transcript, Word
from workbench.text import tokenise
from workbench.verdicts.planted import Kind, PlantedText
from workbench.verdicts.planted_score import summarise

WORDS = tuple(token.text for token in tokenise(TEXT))


def transcript(words, *, sure=1.0) -> Transcript:
    return Transcript(tuple(Word(word, i * 0.1, (i + 1) * 0.1, sure) for i, word in enumerate(words)), "scripted", "scripted")


def said(place: int, word: str) -> tuple[str, ...]:
    return (*WORDS[:place], word, *WORDS[place + 1 :])


def planted(number: int, place: int | None) -> PlantedText:
    kind = Kind.CLEAN if place is None else Kind.REPLACED_UNRELATED
    return PlantedText(f"t{number}", kind, WORDS, WORDS if place is None else said(place, "wolf"), () if place is None else (place,))


@pytest.fixture
def heard() -> Heard:
    """A clean clip heard rightly; a clean one in which only the fast engine errs; three errors: heard by both, unheard by the fast engine but unsure, unheard and sure."""
    wrong = transcript(said(4, "wolf"))
    fast = (transcript(WORDS), transcript(said(2, "hive")), wrong, transcript(WORDS, sure=0.5), transcript(WORDS))
    precision = (transcript(WORDS), transcript(WORDS), wrong, transcript(WORDS), transcript(WORDS))
    return Heard([planted(0, None), planted(1, None), *(planted(n, 4) for n in (2, 3, 4))], fast, precision, {})


def test_errors_in_clips_that_are_accepted_are_missed_and_counted(heard):
    everything = Catcher(heard, threshold=0.5, seed=1).catch(Cascade())
    assert (everything.report.recall.value, everything.accepted, everything.kept.value) == (pytest.approx(1 / 3), 0, 1.0)
    tight = Catcher(heard, threshold=0.5, seed=1).catch(Cascade(escalate="flagged", flag_wer=0.05, flag_confidence=0.9))
    assert (tight.report.recall.value, tight.accepted, tight.kept.value) == (pytest.approx(1 / 3), 1, 1.0)
    loose = Catcher(heard, threshold=0.5, seed=1).catch(Cascade(escalate="flagged", flag_wer=0.5, flag_confidence=0.0))
    assert (loose.report.recall.value, loose.accepted, loose.kept.value) == (0.0, 3, 0.0)
    assert loose.report.false_alarm_all.value == 0.0


def test_words_that_only_the_fast_engine_got_wrong_are_no_false_alarms(heard):
    flagged = Catcher(heard, threshold=0.5, seed=1).catch(Cascade(escalate="flagged", flag_wer=0.05, flag_confidence=0.0))
    assert flagged.report.false_alarm_all.value == 0.0 and flagged.report.errors == 3


@pytest.mark.parametrize("cascade", [Cascade(escalate="flagged", flag_wer=0.05, flag_confidence=0.9), Cascade(escalate="flagged", flag_wer=0.2, flag_confidence=0.0)])
def test_the_replayed_cost_is_that_of_a_scan_with_that_cascade(tmp_path, clips, cascade):  # noqa: F811
    with Store.open(tmp_path / "whole.sqlite") as store:
        whole = scan(clips, config(tmp_path), store, scan_id="s", say=lambda _line: None)
        results = list(read_results(store, "s", whole.stages, log_ratio_threshold=0.5))
    with Store.open(tmp_path / "cascade.sqlite") as store:
        part = scan(clips, config(tmp_path, **cascade.model_dump()), store, scan_id="s", say=lambda _line: None)
        chosen = list(read_results(store, "s", part.stages, log_ratio_threshold=0.5, cascade=cascade))
    spent = cost(results, cascade, seed=1)
    assert spent.escalated.value == sum("precision" in result.stage_sec for result in chosen) / len(clips)
    assert spent.listened.value == pytest.approx(sum(r.duration_sec for r in chosen if "precision" in r.stage_sec) / sum(r.duration_sec for r in chosen))
    assert cost(results, Cascade(), seed=1).listened.value == 1.0


def candidate(name, sec, *, tune=None, test=None) -> Candidate:
    def caught(kept):
        return Catch(summarise([]), 0, Estimate(kept, kept - 0.1, kept + 0.05, 30))

    cost = Cost(Estimate(0.2, 0.1, 0.3, 9), Estimate(0.2, 0.1, 0.3, 9), sec, sec / 2)
    return Candidate(name, Cascade(), cost, None if tune is None else caught(tune), None if test is None else caught(test))


def test_the_cheapest_is_chosen_on_the_tuning_errors_not_on_those_it_is_judged_by():
    candidates = [candidate("cheap", 10.0, tune=0.9, test=1.0), candidate("middle", 20.0, tune=0.96, test=0.5), candidate("all", 90.0, tune=1.0, test=1.0)]
    assert cheapest(candidates, keep=0.95).name == "middle"
    assert cheapest([c for c in candidates if c.name != "middle"], keep=0.95).name == "all"
    assert cheapest([candidate("only", 1.0, test=0.97), candidate("all", 9.0, test=1.0)], keep=0.95).name == "only"
    with pytest.raises(ConfigError, match="no cascade keeps"):
        cheapest([candidate("untried", 1.0)], keep=0.95)


def test_where_hearing_everything_finds_no_error_nothing_is_proposed_and_it_is_said(tmp_path, clips):  # noqa: F811
    deaf = (transcript(WORDS),) * 4
    part = TrialClips((), (), tuple(planted(n, 4 if n else None) for n in range(4)), deaf, deaf)
    settings = ThresholdsConfig(fast="scripted", precision="scripted-second", word_confidences=(), flag_wers=(0.0,))
    with Store.open(tmp_path / "whole.sqlite") as store:
        whole = scan(clips, config(tmp_path), store, scan_id="s", say=lambda _line: None)
        results = tuple(read_results(store, "s", whole.stages, log_ratio_threshold=0.5))
    weighed = _weighed(settings, None, whole, results, PlantedTrial(part, None, None, 0), {})
    assert weighed.everything.test.report.errors == 3 and weighed.proposed is None
    report = ThresholdsReport(weighed, settings, Run("thresholds", settings, outputs=tmp_path))
    told = "Hearing everything finds none of 3 planted errors, so there is no share of them to keep and no cascade to propose"
    assert told in report.headline_text and told in report.missed()[0].html and "No errors were planted" not in report.headline_text
    assert all(report.trade_off()) and report.headline().html


def test_cascades_whose_bounds_differ_little_stay_apart():
    present = Cascade(escalate="flagged", flag_wer=0.05, flag_confidence=0.0)
    found = _cascades(ThresholdsConfig(**present.model_dump(), flag_wers=(0.05, 0.052, 0.07), flag_confidences=(0.97, 0.971), word_confidences=()), [])
    assert next(iter(found.values())) == present and len(found) == 3 * 3 + 1
    assert [name for name in found if "confidence" not in name] == ["clips: WER > 5%", "clips: WER > 5.2%", "clips: WER > 7%", "hear everything"]


def test_a_claim_is_called_shown_only_when_its_whole_interval_is_above():
    assert [borne_out(Catch(summarise([]), 0, Estimate(0.9, *bounds, 20)), keep=0.95) for bounds in ((0.96, 1.0), (0.8, 0.97), (0.7, 0.9), (None, None))] == ["shown", "compatible", "contradicted", "compatible"]


def test_a_phase_without_precision_engine_or_planted_errors_says_so(tmp_path, clips):  # noqa: F811
    with pytest.raises(ConfigError, match="name one"):
        weigh_thresholds(ThresholdsConfig(precision=None))
    parameters = ThresholdsConfig(
        manifest=str(tmp_path / "clips"),
        fast="scripted",
        precision="scripted-second",
        engine_options={"scripted": {"script": FIRST}, "scripted-second": {"script": SECOND}},
        database=str(tmp_path / "db.sqlite"),
        flag_wers=(0.0, 0.2),
        word_confidences=(0.9,),
        batch_timeout_sec=None,
        workers=1,
        escalate="words",
        word_confidence=0.7,
    )
    for clip in clips:
        (tmp_path / "clips" / f"{clip.clip_id}.txt").write_text(TEXT)
    weighed = weigh_thresholds(parameters, say=lambda _line: None)
    assert weighed.proposed is None and weighed.trial is None and frontier(weighed.candidates) == []
    assert weighed.present.name == "words: in doubt, or confidence < 0.7" and weighed.everything.cost.listened.value == 1.0
    by_word = next(c for c in weighed.candidates if c.name == "words: in doubt, or confidence < 0.9")
    whole = next(c for c in weighed.candidates if c.name == "clips: WER > 0%")
    assert 0 < by_word.cost.listened.value < 1 and 0 < whole.cost.listened.value < 1
    assert len({c.name for c in weighed.candidates}) == len(weighed.candidates) == len({name_of(c.cascade) for c in weighed.candidates})
