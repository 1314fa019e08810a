"""From ratings to statements: stated exclusions, intervals over listeners and texts, judges against people, maps that refuse thin data."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.listening_for_tests import Listeners, tone_test
from workbench.errors import ConfigError, ListeningError
from workbench.listening.base import NO_PREFERENCE, TrialKind
from workbench.listening.calibration import Calibration, CalibrationRules, Rated, Refusal, calibrate, load_calibrations, save_calibrations
from workbench.listening.exclusion import ExclusionRules, attention
from workbench.listening.judged import judge_agreements, listener_agreement
from workbench.listening.opinions import discriminations, mos_pairs, preferences, rated_clips, scored, system_opinions
from workbench.listening.simulated import simulate
from workbench.report.listening_tables import said_of

RULES = ExclusionRules()


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return tone_test(tmp_path_factory.mktemp("plan"), systems=3, texts=12, mos_trials=24, ab_trials=12, abx_trials=12, checks_every=6).plan


def better_and_worse(plan):
    """system2 is clearly better than system0, system1 no better than system0; texts differ, too."""
    quality = {"system0": 2.6, "system1": 2.6, "system2": 3.9}
    return lambda item: quality[plan.item[item].system] + 0.03 * (sum(map(ord, plan.item[item].text)) % 11)


class TestExclusion:
    def attend(self, plan, ratings, rules=RULES):
        return attention(ratings[0].listener, ratings, plan, rules, asked=len(plan.trials(0)))

    def test_an_attentive_listener_counts(self, plan):
        found = self.attend(plan, Listeners(plan, better_and_worse(plan)).of_one(0))
        assert found.counts and found.checks_passed == found.checks > 4 and found.answers == found.asked

    def test_failed_checks_exclude(self, plan):
        found = self.attend(plan, Listeners(plan, better_and_worse(plan)).of_one(0, checks=False))
        assert not found.counts and found.faults == (f"passed 0 of {found.checks} attention checks",)

    def test_answers_quicker_than_the_sounds_exclude(self, plan):
        ratings = Listeners(plan, better_and_worse(plan)).of_one(0, elapsed_sec=0.05)
        found = self.attend(plan, ratings)
        assert found.quick == len(ratings) and "answers too quick" in found.faults[0]
        some = [replace(r, elapsed_sec=5.0) if k % 10 else r for k, r in enumerate(ratings)]
        assert self.attend(plan, some).counts

    def test_one_answer_to_everything_excludes_but_no_preference_may_be_right(self, plan):
        listeners = Listeners(plan, better_and_worse(plan))
        mos = [r for r in listeners.of_one(0, answer="3") if r.trial.kind is TrialKind.MOS]
        assert self.attend(plan, mos).faults == ("all 24 MOS answers were 3",)
        assert self.attend(plan, mos[:9]).counts
        assert self.attend(plan, mos, ExclusionRules(constant_after=0)).counts
        pairs = [r for r in listeners.of_one(0, answer=NO_PREFERENCE) if r.trial.kind is TrialKind.AB]
        assert self.attend(plan, pairs).counts

    def test_the_rules_are_told_with_their_numbers(self):
        told = " ".join(ExclusionRules(least_checks_passed=0.6, constant_after=7).sentences())
        assert "60%" in told and "all of 7 or more" in told
        assert len(ExclusionRules(constant_after=0).sentences()) == 2


class TestOpinions:
    def test_checks_are_no_opinions(self, plan):
        ratings = Listeners(plan, better_and_worse(plan)).ratings(3)
        assert len(scored(ratings, TrialKind.MOS)) == 72 and all(not rating.trial.check for rating in scored(ratings, TrialKind.AB))
        assert sum(one.ratings for one in system_opinions(ratings, plan, seed=1)) == 72

    def test_a_clear_difference_is_found_and_no_difference_is_a_tie(self, plan):
        ratings = Listeners(plan, better_and_worse(plan)).ratings(12)
        opinions = system_opinions(ratings, plan, seed=1)
        assert opinions[0].system == "system2" and opinions[0].mos.low > opinions[1].mos.high
        for found in (mos_pairs(ratings, plan, seed=1), preferences(ratings, plan, seed=1)):
            better = {(one.first, one.second): one.better for one in found}
            assert better == {("system0", "system1"): "", ("system0", "system2"): "system2", ("system1", "system2"): "system2"}

    def test_two_listeners_support_no_statement(self, plan):
        ratings = Listeners(plan, better_and_worse(plan)).ratings(2)
        assert all(one.mos.low is None for one in system_opinions(ratings, plan, seed=1))
        assert not any(one.better for one in (*mos_pairs(ratings, plan, seed=1), *preferences(ratings, plan, seed=1)))

    def test_too_few_listeners_for_the_number_of_pairs_are_named_as_such(self, plan):
        few, more = ([mos_pairs(Listeners(plan, better_and_worse(plan)).ratings(n), plan, seed=1)] for n in (6, 7))
        assert not any(one.decidable for one in few[0]) and all(one.decidable for one in more[0])
        assert not any(one.better for one in few[0]) and any(one.better for one in more[0])

    def test_opinions_of_listeners_who_never_heard_both_are_no_tie(self, tmp_path):
        plan = tone_test(tmp_path, systems=2, texts=6, mos_trials=1, ab_trials=0, checks_every=0).plan
        [pair] = mos_pairs(Listeners(plan, lambda item: {"system0": 2.0, "system1": 4.0}[plan.item[item].system]).ratings(24), plan, seed=1)
        assert pair.value.high < 0 and (pair.p_value, pair.better, pair.decidable) == (None, "", False)
        assert said_of(pair) == "not tested: no listener, or no text, has both"

    def test_side_does_not_matter_to_a_preference(self, plan):
        lefties = [r for slot in range(12) for r in Listeners(plan, better_and_worse(plan)).of_one(slot, answer="A") if r.trial.kind is TrialKind.AB]
        assert all(abs(one.value.value - 0.5) < 0.1 and not one.better for one in preferences(lefties, plan, seed=1))

    def test_all_of_one_mind_is_not_certainty(self, plan):
        everyone = Listeners(plan, lambda item: {"system0": 1.0, "system1": 3.0, "system2": 5.0}[plan.item[item].system], bias_sd=0, noise_sd=0).ratings(6)
        for one in preferences(everyone, plan, seed=1):
            assert one.value.value == 0.0 and one.value.high > 0.2 and one.counts[:2] == (0, 0)

    def test_guessing_is_not_hearing_apart(self, plan):
        rng = np.random.default_rng(3)
        right = Listeners(plan, better_and_worse(plan)).ratings(12)
        assert all(one.better == "heard" and one.value.value == 1.0 for one in discriminations(right, plan))
        guessed = [replace(rating, answer=str(rng.choice(["A", "B"]))) if rating.trial.kind is TrialKind.ABX and not rating.trial.check else rating for rating in right]
        assert not any(one.better for one in discriminations(guessed, plan))

    def test_no_ratings_are_no_opinions(self, plan):
        assert system_opinions([], plan, seed=1) == mos_pairs([], plan, seed=1) == preferences([], plan, seed=1) == discriminations([], plan) == []
        assert listener_agreement([], plan, seed=1).ceiling is None


class TestJudges:
    def test_a_judge_who_knows_goes_with_listeners_and_one_who_does_not_does_not(self, plan):
        quality, rng = better_and_worse(plan), np.random.default_rng(1)
        ratings = Listeners(plan, quality).ratings(12)
        clips = [item.item_id for item in plan.items if not item.check]
        scores = {item: {"knows": quality(item), "reversed": -quality(item), "noise": float(rng.normal()), "constant": 3.0} for item in clips}
        scores[clips[0]].pop("noise")
        found = {one.column: one for one in judge_agreements(ratings, plan, scores, ["knows", "reversed", "noise", "constant", "absent"], seed=1, resamples=200)}
        assert found["knows"].pearson.low > 0.5 and found["reversed"].pearson.high < -0.5
        assert found["noise"].pearson.low < 0 < found["noise"].pearson.high and found["noise"].clips == 35
        assert found["constant"].pearson.value is None and (found["absent"].clips, found["absent"].pearson.value) == (0, None)
        assert found["knows"].by_system.value > 0.99
        agreement = listener_agreement(ratings, plan, seed=1)
        assert 0.3 < agreement.alpha.value < 1 and found["knows"].pearson.value <= agreement.ceiling + 0.05

    def test_within_systems_a_judge_of_systems_alone_knows_nothing(self, plan):
        ratings = Listeners(plan, better_and_worse(plan)).ratings(12)
        rng = np.random.default_rng(2)
        scores = {item.item_id: {"systems": {"system0": 1.0, "system1": 1.0, "system2": 4.0}[item.system] + float(rng.normal(0, 0.1))} for item in plan.items if not item.check}
        found = judge_agreements(ratings, plan, scores, ["systems"], seed=1, resamples=200)[0]
        assert found.pearson.low > 0.5 and found.within.low < 0 < found.within.high


    def test_within_systems_both_sides_lose_the_mean_of_the_clips_that_the_judge_scored(self, plan):
        number = lambda item: int(plan.item[item].text.split()[-1])  # noqa: E731
        # One half of system0 is far better than the other, and the judge lacks a score of the other.
        quality = lambda item: 2.2 + 1.4 * (plan.item[item].system != "system0" or number(item) > 5) + 0.1 * (number(item) % 6)  # noqa: E731
        ratings = Listeners(plan, quality, bias_sd=0, noise_sd=0.05).ratings(12)
        scores = {item.item_id: {"judge": quality(item.item_id)} for item in plan.items if not item.check and (item.system != "system0" or number(item.item_id) > 5)}
        found = judge_agreements(ratings, plan, scores, ["judge"], seed=1, resamples=200)[0]
        opinions, both = rated_clips(ratings, plan, {item: own["judge"] for item, own in scores.items()}), []
        for system in plan.systems:
            own = np.array([(one.score, one.opinion) for item, one in opinions.items() if plan.item[item].system == system])
            both += (own - own.mean(0)).tolist()
        assert found.clips == 30 and found.within.value == pytest.approx(np.corrcoef(np.transpose(both))[0, 1])


def rated(truth, *, texts: int = 20, per_text: int = 4, noise: float = 0.2, ratings: int = 8, seed: int = 1) -> list[Rated]:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(1, 5, (texts, per_text))
    return [Rated(f"text {t}", float(s), float(np.clip(truth(s) + rng.normal(0, noise), 1, 5)), ratings) for t in range(texts) for s in scores[t]]


class TestCalibration:
    def test_a_known_line_is_recovered(self):
        found = calibrate("judge", rated(lambda s: 1.2 + 0.6 * s), CalibrationRules(), seed=1)
        assert found.kind == "linear"
        for score in (1.5, 3.0, 4.5):
            assert found.opinion(score) == pytest.approx(1.2 + 0.6 * score, abs=0.1)
        assert 0.15 < found.rmse_after < 0.27 and found.rmse_after < found.rmse_before and found.rmse_after < found.rmse_constant / 2
        assert abs(found.bias_after) < 0.05 and all(abs(one.predicted - one.said) < 0.2 for one in found.reliability_after)

    def test_a_known_staircase_is_recovered(self):
        found = calibrate("judge", rated(lambda s: 1.5 if s < 3 else 4.5, texts=40), CalibrationRules(), seed=1)
        assert found.kind == "isotonic"
        assert found.opinion(2.0) == pytest.approx(1.5, abs=0.15) and found.opinion(4.0) == pytest.approx(4.5, abs=0.15)
        assert list(found.opinions) == sorted(found.opinions) and min(found.opinions) >= 1 and max(found.opinions) <= 5

    def test_a_line_stays_on_the_scale(self):
        found = calibrate("judge", rated(lambda s: -1 + 1.6 * s), CalibrationRules(), seed=1)
        assert (found.opinion(-100), found.opinion(100)) == (found.opinions[0], found.opinions[-1]) and 1 <= found.opinions[0] and found.opinions[-1] <= 5
        assert found.covers(3.0) and not found.covers(5.5)

    @pytest.mark.parametrize(
        ("few", "why"),
        [
            (rated(lambda s: s, texts=5, per_text=4), "20 rated clips with a score, at least 30"),
            (rated(lambda s: s, texts=5, per_text=8), "5 texts, at least 10"),
            (rated(lambda s: s, ratings=1), "1 ratings per clip, at least 3"),
            (rated(lambda s: 5 - 0.8 * s), "ranks the wrong way round"),
            ([replace(one, score=2.0) for one in rated(lambda s: s)], "the score is the same"),
            ([replace(one, opinion=2.0) for one in rated(lambda s: s)], "the opinion is the same"),
            ([], "0 rated clips"),
        ],
    )
    def test_thin_or_senseless_data_get_no_map(self, few, why):
        found = calibrate("judge", few, CalibrationRules(), seed=1)
        assert isinstance(found, Refusal) and why in found.why

    def test_a_judge_that_knows_nothing_gets_no_map(self):
        outcomes = [calibrate("judge", rated(lambda s: 3.0, noise=0.6, seed=seed), CalibrationRules(), seed=1) for seed in range(12)]
        assert sum(isinstance(one, Refusal) for one in outcomes) >= 10

    def test_a_map_comes_back_from_its_file_and_a_simulated_one_does_not(self, tmp_path):
        found = calibrate("judge", rated(lambda s: 1.2 + 0.6 * s), CalibrationRules(), seed=1)
        save_calibrations(tmp_path / "maps.json", [found], provenance={"plan": "abc"}, simulated=False)
        assert load_calibrations(tmp_path / "maps.json") == {"judge": found}
        assert json.loads((tmp_path / "maps.json").read_text())["provenance"] == {"plan": "abc"}
        save_calibrations(tmp_path / "maps.json", [found], provenance={}, simulated=True)
        with pytest.raises(ListeningError, match="simulated listeners and are no evidence"):
            load_calibrations(tmp_path / "maps.json")
        assert isinstance(load_calibrations(tmp_path / "maps.json", allow_simulated=True)["judge"], Calibration)

    @pytest.mark.parametrize("content", ["", "{}", '{"schema": 7, "simulated": false, "calibrations": []}', '{"schema": 1, "simulated": false, "calibrations": [{}]}'])
    def test_a_file_that_is_none_is_refused(self, tmp_path, content):
        (tmp_path / "maps.json").write_text(content)
        with pytest.raises(ListeningError, match="calibrations"):
            load_calibrations(tmp_path / "maps.json")


def test_simulated_listeners_say_so_in_every_answer_and_recover_their_model(plan):
    scores = {item.item_id: {"judge": float(k % 7) + 3 * ("2" in item.system)} for k, item in enumerate(plan.items) if not item.check}
    ratings = [rating for _, own in simulate(plan, scores, "judge", listeners=12, seed=1).values() for rating in own]
    assert {rating.source for rating in ratings} == {"simulated"} and all(rating.listener.startswith("simulated-") for rating in ratings)
    found = rated_clips(ratings, plan, {item: own["judge"] for item, own in scores.items()})
    assert np.corrcoef([one.score for one in found.values()], [one.opinion for one in found.values()])[0, 1] > 0.8
    assert simulate(plan, scores, "judge", listeners=12, seed=1)["simulated-03"] == simulate(plan, scores, "judge", listeners=3, seed=1)["simulated-03"]
    with pytest.raises(ConfigError, match="need a score of every clip"):
        simulate(plan, scores, "other", listeners=3, seed=1)
