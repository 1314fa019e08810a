"""Plans of listening tests: balanced, blind, the same again, and never another test's in the same folder."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
import soundfile

from tests.conftest import tone
from tests.listening_for_tests import tone_clips, tone_test
from workbench.audio import integrated_lufs, read, write_wav
from workbench.clips import Clip
from workbench.errors import ConfigError, ListeningError
from workbench.listening.base import Check, TrialKind
from workbench.listening.checks import degraded
from workbench.listening.design import mos_design, pair_design, pairs_of, williams_square
from workbench.listening.plan import PLAN_FILE, PlanRules, load_plan
from workbench.listening.preparing import opened, prepare
from workbench.listening.session import open_session


@pytest.mark.parametrize("systems", [1, 2, 3, 4, 5, 7])
def test_a_williams_square_balances_places_and_neighbours(systems):
    rows = williams_square(systems)
    places = Counter((place, system) for row in rows for place, system in enumerate(row))
    neighbours = Counter(pair for row in rows for pair in zip(row, row[1:], strict=False))
    assert len(places) == systems**2 and len(set(places.values())) == 1
    assert len(neighbours) == systems * (systems - 1) and len(set(neighbours.values())) <= 1


@pytest.mark.parametrize(("texts", "systems", "trials"), [(12, 4, 12), (12, 4, 8), (5, 3, 5), (6, 4, 24), (8, 1, 8)])
def test_over_a_cycle_every_text_is_heard_with_every_system_equally_often(texts, systems, trials):
    heard = [mos_design(texts=texts, systems=systems, trials=trials, slot=slot, seed=1) for slot in range(systems)]
    assert set(Counter((one.text, one.systems) for own in heard for one in own).values()) == {trials * systems // len({(o.text, o.systems) for own in heard for o in own})}
    for own in heard:
        assert len({(one.text, one.systems) for one in own}) == len(own) == trials
        by_system = Counter(one.systems[0] for one in own)
        assert max(by_system.values()) - min(by_system.values()) <= 1


@pytest.mark.parametrize("systems", [2, 3, 4, 5])
@pytest.mark.parametrize("with_x", [False, True])
def test_pairs_stand_on_both_sides_equally_often_for_a_listener_and_over_a_cycle(systems, with_x):
    pairs, texts = pairs_of(systems), 9
    cycle = len(pairs) * (4 if with_x else 2)
    heard = [pair_design(texts=texts, pairs=pairs, trials=texts, slot=slot, seed=1, with_x=with_x) for slot in range(cycle)]
    assert set(Counter((one.text, one.systems) for own in heard for one in own).values()) == {1}
    for own in heard:
        for pair in pairs:
            sides = Counter(one.systems[:2] for one in own if set(one.systems[:2]) == set(pair))
            assert abs(sides[pair] - sides[pair[::-1]]) <= 1


def test_fewer_trials_than_texts_move_on_through_the_texts(tmp_path):
    first = {one.text for slot in range(3) for one in mos_design(texts=12, systems=3, trials=4, slot=slot, seed=1)}
    later = {one.text for slot in range(3, 9) for one in mos_design(texts=12, systems=3, trials=4, slot=slot, seed=1)}
    assert len(first) == 4 and first | later == set(range(12))


def test_orders_differ_between_listeners_and_are_the_same_again(tmp_path):
    plan = tone_test(tmp_path).plan
    orders = [tuple(trial.items for trial in plan.trials(slot)) for slot in range(6)]
    assert len(set(orders)) == 6
    again = tone_test(tmp_path).plan
    assert again.plan_id == plan.plan_id and load_plan(tmp_path / "test").trials(3) == plan.trials(3)
    assert tone_test(tmp_path / "other", seed=2).plan.trials(0) != plan.trials(0)


def test_checks_are_spread_and_their_answers_known(tmp_path):
    plan = tone_test(tmp_path, mos_trials=18, ab_trials=18, abx_trials=18, checks_every=6).plan
    for slot in range(6):
        for kind in TrialKind:
            own = [trial for trial in plan.trials(slot) if trial.kind is kind]
            checks = [trial for trial in own if trial.check]
            assert len(checks) == 3 and all(trial.accepted for trial in checks)
            assert plan.trials(slot)[0].check == ""
            for trial in checks:
                made = [plan.item[item] for item in trial.items]
                if trial.check == Check.IDENTICAL:
                    assert trial.items[0] == trial.items[1] and trial.accepted == ("none",)
                elif kind is TrialKind.AB:
                    assert made["AB".index(trial.accepted[0])].check == ""
                elif kind is TrialKind.ABX:
                    assert trial.items[2] == trial.items["AB".index(trial.accepted[0])] and {one.check for one in made[:2]} == {"", "degraded"}
    assert {trial.check for slot in range(4) for trial in plan.trials(slot) if trial.kind is TrialKind.AB and trial.check} == {"degraded", "identical"}


def test_an_instruction_asks_for_the_answer_that_it_says(tmp_path):
    write_wav(tone(0.3, pitch_hz=700), tmp_path / "say4.wav")
    spoken = [(Clip("choose-4", str(tmp_path / "say4.wav"), "choose four", "instructions", "voice"), "4")]
    prepared = prepare(tone_clips(tmp_path / "clips", systems=2, texts=4), PlanRules(checks_every=2), folder=tmp_path / "test", instructions=spoken)
    asked = [trial for slot in range(4) for trial in prepared.plan.trials(slot) if trial.check == Check.INSTRUCTED]
    assert asked and {trial.accepted for trial in asked} == {("4",)} and {trial.kind for trial in asked} == {TrialKind.MOS}
    assert "voice" not in prepared.plan.systems


def test_files_and_their_content_tell_nothing_of_the_system(tmp_path):
    loud = tmp_path / "clips" / "system1" / "text00.wav"
    loud.parent.mkdir(parents=True)
    soundfile.write(loud, 1.5 * tone(0.2, level=1.0).samples, 16000, subtype="FLOAT")
    clips = list(tone_clips(tmp_path / "clips", systems=3, texts=4))
    write_wav(tone(0.2, rate_hz=8000), tmp_path / "narrow.wav")
    clips[0] = Clip(clips[0].clip_id, str(tmp_path / "narrow.wav"), clips[0].text, "tones", "system0")
    prepared = prepare(clips, PlanRules(), folder=tmp_path / "test")
    files = sorted((tmp_path / "test" / "audio").iterdir())
    assert len(files) == len(prepared.plan.items)
    kinds = {(soundfile.info(file).samplerate, soundfile.info(file).subtype, soundfile.info(file).channels, soundfile.info(file).extra_info.count("INFO")) for file in files}
    assert len(kinds) == 1
    assert all(file.name == f"{file.stem}.wav" and set(file.stem) <= set("0123456789abcdef") for file in files)
    by_name = [prepared.plan.item[file.stem].system for file in files]
    assert by_name != sorted(by_name)
    assert prepared.clipped == ("system1/text00",)
    trial = prepared.plan.trials(0)[0]
    assert "system" not in f"{trial.items}{trial.token}"


def test_one_stated_loudness_for_all_or_a_refusal_that_says_which_fits(tmp_path):
    prepared = tone_test(tmp_path, loudness_lufs=-30.0)
    levels = [integrated_lufs(read(prepared.audio_path(item.item_id))) for item in prepared.plan.items]
    assert np.ptp(levels) < 0.2 and abs(np.mean(levels) + 30) < 0.1
    with pytest.raises(ConfigError, match="at most -[0-9.]+ LUFS for this clip"):
        tone_test(tmp_path / "loud", loudness_lufs=0.0)


def test_without_a_loudness_clips_are_played_as_they_are(tmp_path):
    prepared = tone_test(tmp_path)
    for item in prepared.plan.items:
        if not item.check:
            source = read(tmp_path / "clips" / f"{item.clip_id}.wav")
            assert np.array_equal(source.samples, read(prepared.audio_path(item.item_id)).samples)


def test_a_degraded_copy_is_much_worse_and_as_loud(tmp_path):
    clean = tone(0.5)
    ruined = degraded(clean, seed=1)
    assert np.array_equal(ruined.samples, degraded(clean, seed=1).samples)
    assert abs(np.sqrt(np.mean(ruined.samples**2)) / np.sqrt(np.mean(clean.samples**2)) - 1) < 0.01
    assert np.corrcoef(ruined.samples, clean.samples)[0, 1] < 0.75


def test_only_texts_of_all_systems_take_part_and_the_rest_is_named(tmp_path):
    clips = list(tone_clips(tmp_path / "clips", systems=2, texts=5))
    broken = Clip("system0/text02", str(tmp_path / "nowhere.wav"), clips[2].text, "tones", "system0")
    twice = Clip("system1/again", clips[5].audio, clips[5].text, "tones", "system1")
    prepared = prepare([*clips[:2], broken, *clips[3:], twice], PlanRules(), folder=tmp_path / "test")
    assert len(prepared.plan.texts) == 4
    why = {one.clip_id: one.why for one in prepared.left_out}
    assert "nowhere.wav" in why["system0/text02"] and "lacks" in why["system1/text02"] and "already" in why["system1/again"]
    with pytest.raises(ConfigError, match="no text is there in every system"):
        prepare([clips[0], clips[6]], PlanRules(), folder=tmp_path / "none")


def test_pairs_of_one_system_and_a_test_that_asks_nothing_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="pairs need two systems"):
        tone_test(tmp_path, systems=1)
    with pytest.raises(ConfigError, match="asks nothing"):
        tone_test(tmp_path, mos_trials=0, ab_trials=0)
    with pytest.raises(ConfigError, match="baseline is no system"):
        tone_test(tmp_path, baseline="system9")
    alone = tone_test(tmp_path, systems=1, ab_trials=0)
    assert alone.plan.systems == ("system0",)
    assert tone_test(tmp_path / "b", baseline="system1").plan.pairs == (("system0", "system1"), ("system1", "system2"))


def test_a_test_with_ratings_is_never_replaced(tmp_path):
    prepared = tone_test(tmp_path)
    assert tone_test(tmp_path, seed=5).plan.plan_id != prepared.plan.plan_id
    prepared = tone_test(tmp_path)
    open_session(prepared.folder, prepared.plan, "someone").close()
    before = {path.name for path in (prepared.folder / "audio").iterdir()}
    with pytest.raises(ListeningError, match="another test lies in this folder.*seed"):
        tone_test(tmp_path, seed=6)
    assert tone_test(tmp_path).plan.plan_id == prepared.plan.plan_id
    assert {path.name for path in (prepared.folder / "audio").iterdir()} == before


def test_a_plan_that_was_changed_or_lost_its_sounds_is_refused(tmp_path):
    prepared = tone_test(tmp_path)
    path = prepared.folder / PLAN_FILE
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "items": told["items"][1:]}))
    with pytest.raises(ListeningError, match="changed after it was made"):
        load_plan(prepared.folder)
    path.write_text(json.dumps({**told, "design": 99}))
    with pytest.raises(ListeningError, match="another version"):
        load_plan(prepared.folder)
    path.write_text("{")
    with pytest.raises(ListeningError, match="cannot be read"):
        load_plan(prepared.folder)
    path.write_text(json.dumps(told))
    prepared.audio_path(prepared.plan.items[0].item_id).unlink()
    with pytest.raises(ListeningError, match="sounds of the test are missing"):
        opened(prepared.folder)
    with pytest.raises(ListeningError, match="no listening test lies here"):
        load_plan(tmp_path)
