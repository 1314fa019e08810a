"""Calibrating on controls: nothing is judged by what it taught, the curve of adaptation shows what a voice's bias costs, and what cannot be measured is said."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from tests.trials_for_tests import made_up
from workbench.errors import ConfigError
from workbench.homographs import ReadingModel, lexicon
from workbench.homographs.adaptation import adaptation_curve
from workbench.homographs.allowlist import Criteria, WordEvidence
from workbench.homographs.data import digest, read_items
from workbench.homographs.decide import Decision, HomographVerdict, ReferenceRule
from workbench.homographs.end_to_end import end_to_end, weights_by_frequency
from workbench.homographs.fitting import counted, figures
from workbench.homographs.nested import Nested
from workbench.homographs.shares import precision, roc, shares
from workbench.report.homograph_tables import is_confusion, kinds_table, why_not, words_table
from workbench.scan.homograph_calibration import HomographCalibrationConfig
from workbench.scan.homograph_text import shipped_sentences, text_findings

MEASURES = ("telling", "idle")


def nested(trials) -> Nested:
    return Nested(trials, listener="x", measures=MEASURES)


def known(trials) -> list[tuple[int, float]]:
    """What a text model that is always right would tell."""
    return [(trial.asked.expected, 1.0) for trial in trials]


def test_every_reading_has_one_sentence_that_no_shipped_model_learnt_from():
    words = lexicon()
    items = read_items(shipped_sentences(), words)
    assert sorted((item.word, item.reading) for item in items) == sorted((word.word, reading.name) for word in words.values() for reading in word)
    taught = {example.lower() for word in words.values() for reading in word for example in reading.examples}
    assert not taught & {item.sentence.lower() for item in items} and len({item.sentence for item in items}) == len(items)


def test_a_text_model_that_learnt_from_what_it_is_measured_on_is_told(tmp_path):
    model = ReadingModel.load()
    fresh = text_findings(model)
    assert not fresh.taught and fresh.figures.micro.value > 0.9 > fresh.figures.floor.value
    told = dataclasses.replace(model.artefact, provenance={**model.artefact.provenance, "data_sha256": digest(shipped_sentences())})
    assert text_findings(ReadingModel(told)).taught
    with pytest.raises(ConfigError, match="no labelled data"):
        text_findings(model, data=str(tmp_path))


def test_no_trial_is_judged_by_what_its_engine_taught():
    trials = made_up()
    before = nested(trials).judged("engine")
    # The first engine's labels turned round: its own verdicts stay, as they were never learnt from; those of the others, which learn from it, do not.
    lied = [replace(trial, spoken=1 - trial.spoken) if trial.engine == "e1" else trial for trial in trials]
    after = nested(lied).judged("engine")
    same = [first.evidence.score == second.evidence.score for first, second in zip(before, after, strict=True)]
    assert all(same[at] for at, trial in enumerate(trials) if trial.engine == "e1") and not any(same[at] for at, trial in enumerate(trials) if trial.engine != "e1")


def test_a_calibration_of_the_same_voices_is_made_once_and_voices_without_a_name_are_told_apart_by_engine():
    own = nested([replace(trial, asked=replace(trial.asked, voice="")) for trial in made_up(120)])
    assert own.without_engine("e1") is own.without_engine("e1") and own.without_engine("e1") is not own.without_engine("e2")


def test_the_reference_rule_judges_by_distances_alone():
    own = nested(made_up(120))
    judged = own.judged("engine", rule=ReferenceRule())
    # 0.2 from the reading asked for and 0.4 from the other, or the other way round.
    assert {one.verdict for one in judged} == {HomographVerdict.CORRECT, HomographVerdict.SUSPECT}
    assert all((one.verdict is HomographVerdict.CORRECT) is (trial.asked.expected == 0) for one, trial in zip(judged, own.trials, strict=True))


def test_shares_agree_with_the_counts_and_know_how_many_words_there_are():
    trials = made_up(400)
    judged = nested(trials).judged("engine")
    found, counts = shares(counted(trials, judged)), figures(trials, judged)
    assert found.recall.value == pytest.approx(counts.found / counts.wrong) and found.false_alarm.value == pytest.approx(counts.false_alarms / counts.right)
    assert found.two_way.value == pytest.approx(counts.two_way[0] / counts.trials) and found.words == found.two_way.n == 6
    curve = roc(counted(trials, judged))
    assert curve[0] == (0.0, 0.0) and curve[-1] == (1.0, 1.0) and found.area > 0.95 and found.d_prime.value > 2
    assert precision(counted(trials, judged), 0.01, seed=1).value < precision(counted(trials, judged), 0.5, seed=1).value
    empty = shares([])
    assert empty.two_way.value is None and empty.area is None and roc([]) == []


def test_knowing_more_of_a_biased_voice_tells_more_and_nothing_adapts_to_its_own_sentence():
    trials = made_up(480)
    unadapted = nested(trials).judged("engine", adapt=False)
    sentences = [number // 2 for number in range(480)]
    points = adaptation_curve(trials, unadapted, sentences, counts=(0, 1, 8, 5000), repeats=5)
    assert [(point.utterances, point.wrong_share) for point in points] == [(count, share) for share in (0.0, 0.2) for count in (0, 1, 8)]
    clean = [point.two_way.value for point in points[:3]]
    assert clean[0] < clean[2] and points[5].two_way.value > clean[0] - 0.02 and len({point.two_way.n for point in points}) == 1
    assert adaptation_curve(trials, unadapted, ["the same"] * 480, counts=(1,)) == []
    assert adaptation_curve([], [], [], counts=(0, 1)) == []


def test_end_to_end_what_the_text_model_leaves_open_is_not_found():
    trials = made_up(400, noise=0.5)
    own = nested(trials)
    sure, unsure = end_to_end(own, known(trials)), end_to_end(own, [(expected, 0.5) for expected, _ in known(trials)])
    assert sure.chosen == unsure.chosen and sure.recall.value > 0.7 and unsure.recall.value == 0.0 and sure.text_right.value == 1.0 and unsure.text_right.value == 0.0
    assert sure.usual_recall is None and set(sure.words) == {"e1", "e2", "e3"}
    mistaken = end_to_end(own, [(1 - expected, 1.0) for expected, _ in known(trials)])
    assert mistaken.false_alarm.value > 0.5
    part = end_to_end(own, known(trials), taught=[number % 2 == 0 for number in range(400)])
    assert all(at % 2 for at in part.chosen)
    with pytest.raises(ConfigError, match="learnt from every sentence"):
        end_to_end(own, known(trials), taught=[True] * 400)


def test_readings_count_as_often_as_texts_have_them():
    trials = [trial for trial in made_up(60) if trial.asked.word == "live"]
    names = [reading.name for reading in lexicon()["live"]]
    weights = weights_by_frequency(trials, {f"live {names[0]}": 1, f"live {names[1]}": 9})
    first = sum(weight for weight, trial in zip(weights, trials, strict=True) if trial.asked.expected == 0)
    assert weights.sum() == pytest.approx(len(trials)) and first / weights.sum() == pytest.approx(0.1)
    usual = end_to_end(nested(made_up(400, noise=0.5)), known(made_up(400, noise=0.5)), frequencies=ReadingModel.load().artefact.provenance["counts"])
    assert usual.usual_recall.value is not None and usual.usual_false_alarm.value is not None


def test_a_word_that_is_not_vouched_for_says_why():
    criteria = Criteria()
    assert why_not(None, "vowel", criteria) == "too few trials" and why_not(WordEvidence(2, 2, 2, 2, 0), "vowel", criteria) == "too few trials"
    assert why_not(WordEvidence(8, 8, 8, 4, 6), "vowel", criteria) == "precision 50%, recall 50%, 38% left open"
    assert "stress" in why_not(WordEvidence(8, 8, 8, 8, 0), "stress_only", criteria)


def test_tables_hold_every_kind_and_word_and_a_wrong_verdict_is_one_that_decides_wrongly():
    trials = made_up(400)
    own = nested(trials)
    judgements = list(zip(trials, own.judged("engine"), strict=True))
    shown, curves = kinds_table(judgements)
    assert [curve.kind for curve in curves] == ["vowel"] and "vowel" in shown.html
    page = words_table(judgements, own.whole, Criteria()).html
    assert all(f">{word}<" in page for word in ("live", "lead", "wind", "bass", "dove", "tear"))
    trial, one = judgements[0]
    as_said = {verdict: is_confusion(replace(trial, spoken=trial.asked.expected), replace(one, decision=Decision(verdict, ""))) for verdict in HomographVerdict}
    assert [verdict for verdict, is_wrong in as_said.items() if is_wrong] == [HomographVerdict.SUSPECT]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"voices": ["flite/slt", "flite/rms"]}, "3 voices"), ({"error_rates": [0.0]}, "between 0 and 1"), ({"speeds": [0.01]}, "0.25 to 4"), ({"speeds": []}, "one at least"), ({"adaptation_utterances": [-1]}, "0 or more"),
        ({"verifier": "wav2vec2-phoneme", "listener": "wav2vec2-phoneme"}, "the same"), ({"false_alarm": 0.1}, "did you mean false_alarms"), ({"recall": 2}, "recall"),
    ],
)  # fmt: skip
def test_parameters_that_could_not_work_are_refused_before_anything_is_spoken(wrong, told):
    with pytest.raises(ConfigError, match=told):
        HomographCalibrationConfig.of(wrong)


def test_controls_of_the_same_parameters_share_their_folder_and_others_do_not():
    first = HomographCalibrationConfig()
    assert first.controls_path() == HomographCalibrationConfig(false_alarms=0.05, players=3).controls_path() != HomographCalibrationConfig(words=("live",)).controls_path()
