"""The cascade hears and judges what it should and nothing else, and every order of work comes to the same rows."""

from __future__ import annotations

import itertools

import pytest

from tests.conftest import tone
from tests.unit.test_scan import quiet, rows_of
from workbench.audio import write_wav
from workbench.clips import Clip
from workbench.errors import ConfigError
from workbench.scan.cascade import Cascade, Choice, ToDo
from workbench.scan.plan import ScanConfig, plan_stages
from workbench.scan.reading import read_results
from workbench.scan.scanning import scan
from workbench.store import RowKey, StageResult, Store
from workbench.stt.base import Transcript, Word
from workbench.text import tokenise

TEXT = "some plain words that are no numbers at all here"
SURE = [[word, 1.0] for word in TEXT.split()]
#: By length in milliseconds: heard well; one word wrong, the second engine says it was said; one word wrong for both; unsure; wrong, and refused by the judge.
FIRST = {
    "500": SURE,
    "600": [*SURE[:4], ["hive", 1.0], *SURE[5:]],
    "700": [*SURE[:4], ["wolf", 1.0], *SURE[5:]],
    "800": [[word, 0.5] for word in TEXT.split()],
    "900": SURE[:3],
}
SECOND = {"600": SURE, "700": [*SURE[:4], ["wolf", 1.0], *SURE[5:]], "800": SURE, "900": SURE[:3]}


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    monkeypatch.setenv("PYTHONPATH", str(project))


@pytest.fixture
def clips(tmp_path) -> list[Clip]:
    (tmp_path / "clips").mkdir()
    return [clip_of(tmp_path / "clips", length) for length in (500, 600, 700, 800, 900)]


def clip_of(folder, length: int) -> Clip:
    write_wav(tone(length / 1000), folder / f"{length}.wav")
    return Clip(str(length), str(folder / f"{length}.wav"), TEXT, "d")


def config(tmp_path, *, order="stream", workers=1, refuse_over_sec=1e9, **cascade) -> ScanConfig:
    return ScanConfig(
        fast="scripted",
        precision="scripted-second",
        judges=("signal", "loudness"),
        engine_options={
            "scripted": {"script": FIRST, "log": str(tmp_path / "first.log")},
            "scripted-second": {"script": SECOND, "log": str(tmp_path / "second.log")},
            "loudness": {"refuse_over_sec": refuse_over_sec},
        },
        cascade=Cascade(**cascade),
        order=order,
        workers=workers,
        batch_clips=2,
        max_attempts=2,
        breaker_failures=None,
        batch_timeout_sec=None if workers == 1 else 60.0,
    )


def held(tmp_path, clips, *, name="db", **settings) -> tuple[dict[str, list[str]], list]:
    """Which clips have which stage's result, and the whole rows."""
    chosen = config(tmp_path, **settings)
    with Store.open(tmp_path / f"{name}.sqlite") as store:
        summary = scan(clips, chosen, store, scan_id="s", say=quiet)
        rows = rows_of(store, "s", summary.stages)
    assert summary.clips == len(clips) and summary.unsettled == 0
    return {stage.name: [row[0] for row in rows if row[3][stage.name]] for stage in summary.stages}, rows


class TestChoices:
    def test_the_precision_engine_hears_what_is_flagged_by_word_errors_or_confidence(self, tmp_path, clips):
        found, _ = held(tmp_path, clips, escalate="flagged")
        assert found["fast"] == ["500", "600", "700", "800", "900"]
        assert found["precision"] == ["600", "700", "800", "900"]
        assert sorted((tmp_path / "second.log").read_text().split()) == found["precision"]

    @pytest.mark.parametrize(
        ("bounds", "heard"),
        [
            ({"flag_wer": 0.1, "flag_confidence": 0.0}, ["900"]),
            ({"flag_wer": 0.099, "flag_confidence": 0.0}, ["600", "700", "900"]),
            ({"flag_wer": 9.0, "flag_confidence": 0.5}, []),
            ({"flag_wer": 9.0, "flag_confidence": 0.51}, ["800"]),
        ],
    )
    def test_a_clip_on_the_bound_is_not_flagged(self, tmp_path, clips, bounds, heard):
        assert held(tmp_path, clips, escalate="flagged", **bounds)[0]["precision"] == heard

    def test_judges_hear_what_passed_and_signal_metrics_are_always_taken(self, tmp_path, clips):
        found, _ = held(tmp_path, clips, escalate="flagged", mos_mode="passed", control_rate=0.0)
        assert found["loudness"] == ["500", "600", "800"] and len(found["signal"]) == 5

    @pytest.mark.parametrize(("mode", "judged"), [("none", []), ("flagged_only", ["700", "900"]), ("all", ["500", "600", "700", "800", "900"])])
    def test_the_mode_says_what_is_judged(self, tmp_path, clips, mode, judged):
        assert held(tmp_path, clips, escalate="flagged", mos_mode=mode)[0]["loudness"] == judged

    def test_of_what_did_not_pass_a_control_sample_is_judged(self, tmp_path, clips):
        assert held(tmp_path, clips, escalate="flagged", mos_mode="passed", control_rate=1.0)[0]["loudness"] == ["500", "600", "700", "800", "900"]

    def test_by_word_only_the_doubtful_stretches_are_heard(self, tmp_path, clips):
        found, rows = held(tmp_path, clips, escalate="words", context_words=1)
        assert found["precision"] == ["600", "700", "800", "900"]
        values = {row[0]: row[3]["precision"][0] for row in rows if row[3]["precision"]}
        assert values["600"]["precision_text"] == TEXT and 0.1 < values["600"]["precision_listened_sec"] < 0.4
        # Nothing was sure in this one: it was heard whole.
        assert values["800"]["precision_text"] == TEXT and values["800"]["precision_listened_sec"] == pytest.approx(0.8)

    def test_a_clip_that_the_fast_engine_cannot_hear_is_heard_by_the_other_and_did_not_pass(self, tmp_path, clips):
        failing = config(tmp_path, escalate="flagged", mos_mode="passed", control_rate=0.0)
        options = failing.engine_options | {"counting": {"fail_over_sec": 0.55}}
        failing = failing.model_copy(update={"fast": "counting", "engine_options": {n: o for n, o in options.items() if n != "scripted"}})
        with Store.open(tmp_path / "db.sqlite") as store:
            summary = scan(clips, failing, store, scan_id="s", say=quiet)
            rows = rows_of(store, "s", summary.stages)
        assert summary.failed == 4 and all(row[3]["precision"] for row in rows)
        # The first has words of another text, and both engines say so.
        assert not any(row[3]["loudness"] for row in rows[1:])


class TestOrders:
    @pytest.mark.parametrize("settings", [{"escalate": "flagged", "mos_mode": "passed", "control_rate": 0.5}, {"escalate": "words", "mos_mode": "flagged_only"}, {"mos_mode": "sample", "mos_sample_rate": 0.5}])
    def test_batch_and_stream_on_one_and_two_workers_come_to_the_same_rows(self, tmp_path, clips, settings):
        settings |= {"refuse_over_sec": 0.75}
        found = [
            held(tmp_path, clips, name=f"{order}{workers}", order=order, workers=workers, **settings)[1]
            for order, workers in (("stream", 1), ("batch", 1), ("batch", 2))
        ]
        assert found[0] == found[1] == found[2]

    def test_batch_order_loads_one_engine_at_a_time_and_hears_every_clip_once(self, tmp_path, clips):
        held(tmp_path, clips, order="batch", escalate="flagged")
        assert sorted((tmp_path / "first.log").read_text().split()) == ["500", "600", "700", "800", "900"]
        assert sorted((tmp_path / "second.log").read_text().split()) == ["600", "700", "800", "900"]

    def test_clips_that_can_be_read_once_only_are_refused_in_batch_order_before_any_work(self, tmp_path, clips):
        with Store.open(tmp_path / "db.sqlite") as store, pytest.raises(ConfigError, match="order"):
            scan(iter(clips), config(tmp_path, order="batch"), store, scan_id="s", say=quiet)
        assert not (tmp_path / "first.log").exists()

    def test_a_wider_cascade_computes_only_what_the_narrow_one_left_and_the_narrow_one_still_reads_the_same(self, tmp_path, clips):
        def results(**settings):
            chosen = config(tmp_path, **settings)
            with Store.open(tmp_path / "db.sqlite") as store:
                summary = scan(clips, chosen, store, scan_id="s", say=quiet)
                return list(read_results(store, "s", summary.stages, log_ratio_threshold=0.0, cascade=chosen.cascade, seed=chosen.seed))

        narrow = {"escalate": "flagged", "mos_mode": "passed", "control_rate": 0.0}
        before = results(**narrow)
        heard = (tmp_path / "first.log").read_text()
        wide = results()
        assert (tmp_path / "first.log").read_text() == heard and len((tmp_path / "second.log").read_text().split()) == 5
        assert [r.precision is None for r in before] == [True, False, False, False, False] and not any(r.precision is None for r in wide)
        assert results(**narrow) == before


class TestSamples:
    def drawn(self, rate: float, seed: int, count: int = 2000) -> set[int]:
        (stage,) = (s for s in plan_stages(ScanConfig(fast="counting", precision=None, judges=("loudness",))) if s.gated)
        cascade = Cascade(mos_mode="sample", mos_sample_rate=rate)
        clip = Clip("c", "/c.wav", TEXT, "d")
        return {
            n for n in range(count)
            if Choice({stage.name: stage}, cascade, seed=seed, max_attempts=1, clip=clip, key=RowKey(f"{n:064x}", "d", "t"), results={}).wanted(stage)
        }

    def test_a_sample_has_its_share_and_follows_its_seed(self):
        assert abs(len(self.drawn(0.1, 1)) / 2000 - 0.1) < 0.03
        assert self.drawn(0.1, 1) == self.drawn(0.1, 1) != self.drawn(0.1, 2)
        assert (len(self.drawn(0.0, 1)), len(self.drawn(1.0, 1))) == (0, 2000)

    def test_a_larger_sample_holds_the_smaller_one(self):
        assert self.drawn(0.1, 1) < self.drawn(0.3, 1)


class TestWaiting:
    """What a stage has to do, for every state that the stages before it can be in."""

    def test_a_stage_waits_exactly_while_what_it_is_chosen_by_may_still_change(self):
        stages = {s.name: s for s in plan_stages(ScanConfig(fast="scripted", precision="scripted-second", judges=("loudness",)))}
        good = {"fast_words": [[w, 0, 1, 1.0] for w in TEXT.split()], "precision_words": [[w, 0, 1, 1.0] for w in TEXT.split()]}
        states = {
            "absent": None,
            "good": lambda s: StageResult(s.fingerprint, good, 0.0),
            "again": lambda s: StageResult(s.fingerprint, {}, 0.0, {"type": "RuntimeError", "message": "", "attempts": 1}),
            "given up": lambda s: StageResult(s.fingerprint, {}, 0.0, {"type": "RuntimeError", "message": "", "attempts": 3}),
            "refused": lambda s: StageResult(s.fingerprint, {}, 0.0, {"type": "AudioError", "message": "", "attempts": 1}),
        }
        for first, second in itertools.product(states, states):
            made = {name: states[state] for name, state in (("fast", first), ("precision", second))}
            results = {name: make(stages[name]) for name, make in made.items() if make}
            choice = Choice(
                stages, Cascade(escalate="flagged", mos_mode="passed", control_rate=0.0), seed=1, max_attempts=3, clip=Clip("c", "/c", TEXT, "d"),
                key=RowKey("a", "d", "t"), results=results,
            )
            open_first, failed_first = first in ("absent", "again"), first in ("given up", "refused")
            done_second = second in ("good", "given up", "refused")
            wants = ToDo.LATER if open_first else ToDo.NOW if failed_first else ToDo.NOTHING
            assert choice.to_do(stages["precision"]) is (ToDo.NOTHING if done_second else wants), (first, second)
            judged = choice.to_do(stages["loudness"])
            if open_first or (failed_first and not done_second):
                assert judged is ToDo.LATER, (first, second)
            elif failed_first:
                assert judged is ToDo.NOTHING, (first, second)


class TestFlags:
    def test_a_clip_without_confidences_is_weighed_by_its_word_errors_alone(self):
        tokens = tokenise(TEXT)
        heard = Transcript(tuple(Word(word, 0.0, 1.0) for word in TEXT.split()), "e", "none")
        assert not Cascade().flags(tokens, heard)
        assert Cascade().flags(tokens, Transcript(heard.words[1:], "e", "none"))

    def test_words_where_the_text_has_none_are_flagged(self):
        assert Cascade().flags((), Transcript((Word("hello", 0.0, 1.0, 1.0),), "e", "c"))
        assert not Cascade().flags((), Transcript((), "e", "c"))


def test_bounds_move_without_computing_anything_again_but_the_settings_of_by_word_do(tmp_path):
    def prints(**cascade):
        return {s.name: s.fingerprint for s in plan_stages(config(tmp_path, **cascade))}

    assert prints() == prints(escalate="flagged", flag_wer=0.5, mos_mode="none", control_rate=0.3)
    by_word = prints(escalate="words")
    assert by_word["fast"] == prints()["fast"] and by_word["precision"] != prints()["precision"]
    assert by_word["precision"] != prints(escalate="words", word_confidence=0.5)["precision"]


def test_by_word_without_a_precision_engine_is_refused():
    with pytest.raises(ConfigError, match="precision"):
        plan_stages(ScanConfig(fast="counting", precision=None, judges=(), cascade=Cascade(escalate="words")))
