"""Comparisons of systems: what counts, what falls out and is said, and no claim that the sample does not carry. All on results built without audio."""

from __future__ import annotations

import math
import random

import pytest

from tests.comparison_for_tests import Trial
from workbench.report.comparison_text import basis, verdict
from workbench.scan.comparison_metrics import NULLS, Metric, Objective
from workbench.scan.null_predictors import predictions
from workbench.scan.prompts_to_hear import drops, prompts_to_hear
from workbench.stats import Direction, Measurement, Outcome


def few_or_many(system_gap: float, *, prompts: int, seed: int = 3) -> Trial:
    """Two systems whose judge's scores differ by a true gap, with as much noise from prompt to prompt as the field work saw."""
    draw = random.Random(seed)
    noise = {(s, k): draw.gauss(0, 0.35) for s in "ab" for k in range(prompts)}
    trial = Trial()
    trial.add("7k", range(prompts), scores=lambda k: {"dnsmos": 4.1 + system_gap + noise["a", k]})
    return trial.add("21k", range(prompts), scores=lambda k: {"dnsmos": 4.1 + noise["b", k]})


def test_from_four_clips_nothing_is_claimed_and_the_number_that_would_settle_it_is_told():
    compared = few_or_many(0.158, prompts=4).compare()
    pair = compared.comparison.pair("dnsmos", "7k", "21k")
    assert pair.outcome is Outcome.TIE and pair.texts_needed > 20
    assert [rank.rank for rank in compared.comparison.ranks("dnsmos")] == [1, 1]
    assert any("cannot be told apart on DNSMOS with n=4 prompts; about" in claim.sentence for claim in compared.claims())
    assert "too few to say much" in verdict(few_or_many(0.158, prompts=4).found())


def test_a_difference_that_the_sample_carries_is_claimed_with_its_interval():
    found = few_or_many(0.5, prompts=100).found()
    pair = found.compared.comparison.pair("dnsmos", "7k", "21k")
    assert pair.better == "7k" and pair.difference.low > 0.2
    assert "Naturalness (DNSMOS): 7k is first, 21k is second." in verdict(found)
    assert "Words said (flagged words): 21k and 7k cannot be told apart" in verdict(found)


def test_ties_share_a_place_and_the_rest_stays_behind():
    trial = Trial()
    draw = random.Random(1)
    for system, mean in (("a", 1), ("b", 1), ("c", 6)):
        trial.add(system, range(40), wrong=lambda k, mean=mean: mean + draw.randint(0, 2))
    found = trial.found()
    assert "share first place, c is third" in verdict(found)
    assert found.compared.front.off["c"] and "c" not in found.compared.front.on


def test_the_same_audio_again_counts_once_and_is_said():
    trial = Trial().add("a", range(20), audio=lambda k: f"a{k}").add("a", range(20), audio=lambda k: f"a{k}", take=2).add("b", range(20))
    found = trial.found()
    assert found.compared.counted.repeats == {"a": 20} and len(found.compared.counted.of("a")) == 20
    assert "a gave the same audio again for 20 takes of a prompt: each audio is counted once." in basis(found)
    # Takes that differ all count, and the text remains the unit.
    differing = Trial().add("a", range(20)).add("a", range(20), take=2, wrong=lambda k: 3).add("b", range(20)).compare()
    estimate = differing.comparison.estimates["a", "flagged"]
    assert len(differing.counted.of("a")) == 40 and estimate.n == 20 and estimate.value == pytest.approx(0.2)


def test_unequal_prompt_sets_are_compared_on_what_all_have_and_it_is_said():
    found = Trial().add("a", range(20)).add("b", range(5, 20), wrong=lambda k: 2).add("c", range(20)).found()
    assert len(found.compared.comparison.texts_by_metric["wer"]) == 15
    told = " ".join(basis(found))
    assert "b lacks 5 prompts that another system has: p000, p001, p002, p003, p004." in told
    assert "All systems are compared on the 15 of 20 prompts that every one of them has." in told


def test_a_system_with_too_few_prompts_is_set_aside_and_does_not_shrink_the_others():
    found = Trial().add("a", range(20)).add("b", range(20)).add("c", range(3)).found()
    assert found.compared.systems == ("a", "b") and len(found.compared.comparison.texts_by_metric["wer"]) == 20
    assert any(line.startswith("c has 3 usable prompts of 20: too few, it is set aside") for line in basis(found))


def test_a_system_that_failed_on_some_prompts_gains_nothing_unsaid():
    found = Trial().add("a", range(20), wrong=lambda k: 1).add("b", range(20), wrong=lambda k: 1, fails=[3, 7]).found()
    told = " ".join(basis(found))
    assert "b failed on 2 clips (could not be spoken: EngineError: no); with those counted as wholly wrong, 19.0% of its words are flagged." in told
    assert "b lacks 2 prompts that another system has: p003, p007." in told and "b failed on 2 clips." in verdict(found)
    assert found.compared.comparison.estimates["b", "flagged"].value == pytest.approx(0.1)


def test_a_system_that_failed_everywhere_is_named_and_not_compared():
    found = Trial().add("a", range(5)).add("b", range(5)).add("c", range(5), fails=range(5)).found(baseline="c")
    told = " ".join(basis(found))
    assert found.compared.systems == ("a", "b") and "c has no clip that could be heard and is not compared." in told
    assert found.compared.baseline == "a" and "The baseline c is not among the systems compared; a stands in for it." in told


def test_nothing_at_all_is_said_so():
    found = Trial().add("a", range(3), fails=range(3)).found()
    assert verdict(found) == "No system could be compared: none has a clip that could be heard."


def test_a_judge_missing_for_one_system_falls_out_of_the_composite_for_all():
    trial = Trial(judges=("dnsmos", "nisqa", "scoreq"))
    trial.add("a", range(20), scores=lambda k: {"dnsmos": 3 + k % 2, "nisqa": 4 - k % 2, "scoreq": 2 + k % 3})
    trial.add("b", range(20), scores=lambda k: {"dnsmos": 2 + k % 2, "nisqa": 4 - k % 3, "scoreq": None})
    found = trial.found()
    assert found.compared.composite_of == ("dnsmos", "nisqa")
    assert found.compared.comparison.estimates["a", "composite"].value == pytest.approx(3.5)
    told = " ".join(basis(found))
    assert "The fair composite is the mean of DNSMOS and NISQA, which scored every clip of every system." in told
    assert "SCOREQ is no part of a composite: no score for 20 clips of b." in told
    assert "b has no SCOREQ and is left out of that comparison." in told


def test_a_judge_missing_for_one_clip_falls_out_and_its_own_column_leaves_the_prompt_out():
    trial = Trial(judges=("dnsmos", "nisqa"))
    trial.add("a", range(20), scores=lambda k: {"dnsmos": 3 + k % 2, "nisqa": 2 + k % 2})
    trial.add("b", range(20), scores=lambda k: {"dnsmos": 3 + k % 2, "nisqa": None if k == 4 else 2 + k % 2})
    found = trial.found()
    assert found.compared.composite_of == ("dnsmos",) and "composite" not in found.compared.comparison.metrics
    assert found.compared.objectives[Objective.NATURALNESS].name == "dnsmos"
    assert "There is no fair composite: fewer than two judges scored every clip of every system." in basis(found)
    assert "NISQA is no part of a composite: no score for one clip of b." in basis(found)
    assert "NISQA is compared on the 19 of these 20 prompts that it is known on for every system." in basis(found)


def test_scores_that_are_not_finite_count_as_missing():
    trial = Trial(judges=("dnsmos", "nisqa"))
    trial.add("a", range(10), scores=lambda k: {"dnsmos": 3 + k % 2, "nisqa": math.nan if k == 2 else 3.0 + k % 2})
    trial.add("b", range(10), scores=lambda k: {"dnsmos": 3 + k % 2, "nisqa": 3.0 + k % 2})
    found = trial.found()
    assert "NISQA is no part of a composite: no score for one clip of a." in basis(found)
    assert all(math.isfinite(e.value) for e in found.compared.comparison.estimates.values() if e.value is not None)


def test_constant_scores_tell_nothing_apart_and_are_said():
    trial = Trial(judges=("dnsmos", "nisqa", "scoreq"))
    for system in "ab":
        trial.add(system, range(10), scores=lambda k: {"dnsmos": 3.0, "nisqa": 2 + k % 2, "scoreq": 3 + k % 3})
    found = trial.found()
    assert found.compared.composite_of == ("nisqa", "scoreq")
    assert "DNSMOS is no part of a composite: the same score for every clip." in basis(found)
    assert found.compared.comparison.pair("dnsmos", "a", "b").better is None
    assert found.compared.correlations.pearson["dnsmos", "nisqa"].value is None


@pytest.mark.parametrize("lame", [lambda system: 3.0, lambda system: None if system == "b" else 3.5], ids=["constant", "missing for b"])
def test_naturalness_stands_on_a_judge_that_is_fair_to_all_wherever_there_is_one(lame):
    draw, trial = random.Random(0), Trial(judges=("dnsmos", "nisqa"))
    for system, mean in (("a", 4), ("b", 3)):
        trial.add(system, range(30), scores=lambda k, s=system, mean=mean: {"dnsmos": lame(s), "nisqa": mean + draw.random()})
    compared = trial.compare()
    assert compared.composite_of == ("nisqa",) and compared.objectives[Objective.NATURALNESS].name == "nisqa"
    assert "Naturalness (NISQA): a is first, b is second." in verdict(trial.found()) and not compared.front.incomplete


def test_a_clip_that_was_measured_less_is_not_the_saner_for_it():
    clipped = {"a": lambda k: 9.0 * (k < 15), "b": lambda k: math.nan if k < 15 else 0.0}
    trial = Trial()
    for system, tops in clipped.items():
        trial.add(system, range(30), scores=lambda k, tops=tops: {"flat_top_runs": tops(k)})
    found = trial.found()
    assert found.compared.comparison.pair("sane", "a", "b").better is None and len(found.compared.comparison.texts_by_metric["sane"]) == 15
    assert "signal sanity is compared on the 15 of these 30 prompts that it is known on for every system." in basis(found)


def test_one_system_only_is_described_and_not_ranked():
    found = Trial().add("a", range(20)).found()
    assert verdict(found).startswith("One system only, so there is nothing to compare: a on 20 prompts, flagged words 10.0%, DNSMOS 3.00")
    assert found.compared.claims() == []


def test_a_single_clip_says_nothing_of_others():
    found = Trial().add("a", [0]).add("b", [0], wrong=lambda k: 5).found()
    assert all(pair.outcome is Outcome.UNDECIDABLE for pair in found.compared.comparison.pairs)
    assert found.compared.comparison.estimates["a", "flagged"].low is None
    assert "too few to say much" in verdict(found) and "cannot be told apart" in verdict(found)


def test_two_names_for_the_same_audio_are_found_out():
    same = lambda k: f"same{k}"  # noqa: E731
    found = Trial().add("a", range(10), audio=same).add("b", range(10), audio=same).found()
    assert "a and b gave the very same audio for 10 of 10 prompts: there they are one system." in basis(found)
    stuck = Trial().add("a", range(10), audio=lambda k: "stuck").add("b", range(10)).found()
    assert "a gave the same audio for different prompts, 10 clips in all." in basis(stuck)


def test_length_behind_a_judge_is_found_and_a_judge_that_knows_more_is_told_from_it():
    draw = random.Random(5)
    wrong = {(s, k): draw.randint(0, 9) for s in "ab" for k in range(60)}
    length = {key: 2 + draw.random() for key in wrong}
    trial = Trial(judges=("by_length", "by_words"))
    for system in "ab":
        trial.add(
            system, range(60), wrong=lambda k, s=system: wrong[s, k],
            scores=lambda k, s=system: {"by_length": length[s, k], "by_words": 5 - wrong[s, k] / 3, "duration_sec": length[s, k]},
        )  # fmt: skip
    found = trial.compare().predictions.found
    assert found["by_length", "duration_sec"].agreement.value == 1.0 and found["by_length", "duration_sec"].more_is_better
    assert found["flagged", "by_words"].beats("duration_sec") is True
    assert found["flagged", "by_length"].beats("duration_sec") is False


def test_of_judges_that_know_nothing_length_and_loudness_are_not_said_to_know_more():
    words = Metric("wer", "WER", "word errors", Direction.LOWER, Objective.INTELLIGIBILITY, True, "")
    judges = [Metric(name, name, name, Direction.HIGHER, Objective.NATURALNESS, False, "", name) for name in ("one", "two", "three")]
    draw, told = random.Random(3), 0
    for _ in range(15):
        rows = [Measurement(s, f"t{k}", 1, name, draw.random()) for s in "ab" for k in range(30) for name in ("wer", "one", "two", "three", *NULLS)]
        found = predictions(rows, [words, *judges], seed=1).found
        told += any(found["wer", judge.name].beats(null) or found["wer", judge.name].gain[null].high < 0 for judge in judges for null in NULLS)
    # The better end of a null predictor is chosen on the same clips, which at 95% for each made one report in three claim something.
    assert told <= 1


def test_weights_make_one_number_and_state_themselves():
    draw = random.Random(2)
    trial = Trial()
    for system, mean in (("a", 1), ("b", 4)):
        trial.add(system, range(20), wrong=lambda k, mean=mean: mean, scores=lambda k: {"dnsmos": 3 + draw.random()})
    assert trial.compare().weighted is None
    weighed = trial.compare(weights={"intelligibility": 3, "naturalness": 1}).weighted
    assert weighed.statement.startswith("0.75 intelligibility (higher is better) + 0.25 naturalness (higher is better)")
    assert next(iter(weighed.scores)) == "a"


def test_a_weight_for_what_nothing_measured_is_told_and_stops_no_report():
    trial = Trial(judges=()).add("a", range(20), wrong=lambda k: k % 3).add("b", range(20))
    told = "naturalness is weighed, but nothing measured it: it is no part of the weighted number."
    alone, both = (trial.found(weights={"naturalness": 1, **more}) for more in ({}, {"intelligibility": 1}))
    assert alone.compared.weighted is None and told in basis(alone) and told in basis(both)
    assert both.compared.weighted.statement.startswith("1.00 intelligibility")


def test_regressions_are_the_largest_drops_against_the_baseline_by_words_and_by_judge():
    trial = Trial().add("old", range(10), wrong=lambda k: 1).add("new", range(10), wrong=lambda k: 9 if k == 4 else 0, scores=lambda k: {"dnsmos": 1.5 if k == 7 else 3.5})
    found = drops(trial.compare(baseline="old"), per_system=2)
    assert [(d.metric.name, d.text_id) for d in found] == [("wer", "p004"), ("dnsmos", "p007")]
    assert found[0].size == pytest.approx(0.8) and found[1].size == pytest.approx(1.5)
    assert drops(trial.compare(baseline="new"), per_system=1)[0].system == "old"


def test_prompts_to_hear_hold_the_widest_differences_and_a_sample_without_repeats():
    trial = Trial().add("a", range(12)).add("b", range(12), wrong=lambda k: 9 if k in (2, 5) else 1)
    apart, sample = prompts_to_hear(trial.compare(), 6, seed=1)
    assert apart == ["p002", "p005"] and len(sample) == 4 and not set(apart) & set(sample)
    assert prompts_to_hear(trial.compare(), 0, seed=1) == ([], [])


def test_the_same_clips_give_the_same_numbers():
    assert few_or_many(0.2, prompts=30).compare().comparison == few_or_many(0.2, prompts=30).compare().comparison
