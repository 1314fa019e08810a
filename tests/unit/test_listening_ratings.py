"""Ratings files: nothing lost to a kill, one notebook at a time, and no line that does not hold."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import time

import pytest

from tests.listening_for_tests import NOW, rate_forever, ratings_path, tone_test
from workbench.errors import ConfigError, ListeningError
from workbench.listening import session as session_room
from workbench.listening.base import TrialKind
from workbench.listening.panel import write_sessions
from workbench.listening.plan import Plan
from workbench.listening.ratings import COLUMNS, HEADER, START, line_of, read_all_ratings, read_ratings
from workbench.listening.session import open_session


def answer_of(trial) -> str:
    return "4" if trial.kind is TrialKind.MOS else "B"


def line(plan: Plan, listener: str, position: int, /, slot: int = 0, **changed: object) -> bytes:
    """A line as a panel writes it; ``changed`` cells are what is wrong with it."""
    trial = plan.trials(slot)[position - 1]
    row = {"schema": 1, "plan": plan.plan_id, "listener": listener, "slot": slot, "position": position, "trial": trial.token, "kind": trial.kind.value,
           "answer": answer_of(trial), "elapsed_sec": 6.5, "rated_at": NOW, "source": "panel"}  # fmt: skip
    return line_of((row | changed)[column] for column in COLUMNS)


def written(prepared, listener: str, *lines: bytes):
    path = ratings_path(prepared, listener)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(lines))
    return path


def test_a_listener_goes_on_where_they_stopped(tmp_path):
    prepared = tone_test(tmp_path, mos_trials=6, ab_trials=4)
    session = open_session(prepared.folder, prepared.plan, "ann-1")
    asked = [session.current]
    for _ in range(3):
        asked.append(session.answer(answer_of(session.current), elapsed_sec=2.5))
    session.close()
    again = open_session(prepared.folder, prepared.plan, "ann-1")
    assert (again.resumed, again.done, again.slot) == (3, 3, session.slot) and again.current == asked[3]
    while again.current:
        again.answer(answer_of(again.current), elapsed_sec=1.0)
    found = read_ratings(ratings_path(prepared, "ann-1"), prepared.plan)
    assert [rating.trial for rating in found.ratings] == list(prepared.plan.trials(0)) and not found.refused
    with pytest.raises(ListeningError, match="the session is over"):
        again.answer("4", elapsed_sec=1.0)


def test_a_killed_session_keeps_every_answer_that_was_given(tmp_path):
    prepared = tone_test(tmp_path, texts=40, mos_trials=120, ab_trials=0)
    told = tmp_path / "told"
    process = multiprocessing.get_context("spawn").Process(target=rate_forever, args=(str(prepared.folder), "killed", str(told)))
    process.start()
    while not told.exists() or told.stat().st_size < 5:
        assert process.is_alive()
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    found = read_ratings(ratings_path(prepared, "killed"), prepared.plan)
    assert told.stat().st_size <= len(found.ratings) <= told.stat().st_size + 1 and not found.refused
    session = open_session(prepared.folder, prepared.plan, "killed")
    assert session.done == len(found.ratings) and session.current == prepared.plan.trials(0)[session.done]


def test_a_line_cut_off_by_a_crash_is_asked_again(tmp_path):
    prepared = tone_test(tmp_path)
    path = written(prepared, "ann", HEADER, line(prepared.plan, "ann", 1), line(prepared.plan, "ann", 2)[:-9])
    found = read_ratings(path, prepared.plan)
    assert len(found.ratings) == 1 and found.torn and not found.refused
    session = open_session(prepared.folder, prepared.plan, "ann")
    assert session.torn and session.current.position == 2
    session.answer(answer_of(session.current), elapsed_sec=1.0)
    assert len(read_ratings(path, prepared.plan).ratings) == 2 and not read_ratings(path, prepared.plan).torn


@pytest.mark.parametrize("before", [[HEADER, b"1,2,3\n"], [b"name,score\n"]], ids=["a line that does not hold", "no ratings at all"])
def test_a_file_that_is_not_gone_on_with_is_not_touched(tmp_path, before):
    prepared = tone_test(tmp_path)
    path = written(prepared, "ann", *before, b"an end without its line")
    whole = path.read_bytes()
    with pytest.raises(ListeningError, match="cannot be gone on with"):
        open_session(prepared.folder, prepared.plan, "ann")
    assert path.read_bytes() == whole


def test_two_notebooks_cannot_write_one_file(tmp_path):
    prepared = tone_test(tmp_path, texts=40, mos_trials=120, ab_trials=0)
    told = tmp_path / "told"
    process = multiprocessing.get_context("spawn").Process(target=rate_forever, args=(str(prepared.folder), "ann", str(told)))
    process.start()
    try:
        while not told.exists() or not told.stat().st_size:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(ListeningError, match="another notebook"):
            open_session(prepared.folder, prepared.plan, "ann")
        open_session(prepared.folder, prepared.plan, "ben").close()
    finally:
        process.kill()
        process.join()
    open_session(prepared.folder, prepared.plan, "ann").close()


def test_a_cell_that_is_run_again_takes_the_session_over(tmp_path):
    prepared = tone_test(tmp_path)
    first = open_session(prepared.folder, prepared.plan, "ann")
    second = open_session(prepared.folder, prepared.plan, "ann")
    with pytest.raises(ListeningError, match="opened again elsewhere"):
        first.answer("4", elapsed_sec=1.0)
    assert second.answer("4", elapsed_sec=1.0).position == 2


def test_every_listener_has_a_slot_of_their_own(tmp_path):
    prepared = tone_test(tmp_path)
    slots = [open_session(prepared.folder, prepared.plan, name).slot for name in ("zoe", "ann", "ben")]
    assert slots == [0, 1, 2]
    ratings_path(prepared, "ann").unlink()
    assert open_session(prepared.folder, prepared.plan, "cat").slot == 1
    assert open_session(prepared.folder, prepared.plan, "zoe").slot == 0


def test_any_pseudonym_that_makes_a_file_makes_a_session(tmp_path):
    prepared = tone_test(tmp_path)
    for slot, name in enumerate(("slots", "locks", "header", "0", "a" * 40)):
        assert open_session(prepared.folder, prepared.plan, name).slot == slot


@pytest.mark.parametrize("name", ["", "Ann", "a b", "../ann", "ann.csv", "a" * 41, "ann\n", "-ann", "é"])
def test_a_listener_is_named_by_a_pseudonym_that_makes_a_file(tmp_path, name):
    prepared = tone_test(tmp_path)
    with pytest.raises(ListeningError, match="not a pseudonym"):
        open_session(prepared.folder, prepared.plan, name)


def test_an_answer_that_was_not_offered_is_refused(tmp_path):
    prepared = tone_test(tmp_path, mos_trials=0, no_preference=False, checks_every=0)
    session = open_session(prepared.folder, prepared.plan, "ann")
    for wrong in ("none", "3", "", "a"):
        with pytest.raises(ListeningError, match="not an answer"):
            session.answer(wrong, elapsed_sec=1.0)
    assert session.done == 0 and len(ratings_path(prepared, "ann").read_bytes().splitlines()) == 2


WRONG = [
    ({"schema": 2}, "schema '2' instead of '1'"),
    ({"plan": "0123456789ab"}, "plan of another test"),
    ({"listener": "ben"}, "another listener"),
    ({"slot": 1}, "slot 1, but the listener has slot 0"),
    ({"slot": -1}, "slot '-1' is no number"),
    ({"slot": 999_999_999}, "is no number from 0"),
    ({"position": 0}, "position '0' is none of 1 to"),
    ({"position": 5}, "is not what the plan asks at position 5"),
    ({"position": "2.0"}, "position '2.0'"),
    ({"trial": "0000000000"}, "is not what the plan asks"),
    ({"kind": "ab"}, "is not what the plan asks"),
    ({"answer": "6"}, "answer '6' is none of 1, 2, 3, 4, 5"),
    ({"answer": ""}, "answer '' is none of"),
    ({"answer": "4\x00"}, "answer"),
    ({"elapsed_sec": "nan"}, "elapsed_sec 'nan'"),
    ({"elapsed_sec": -1}, "elapsed_sec '-1'"),
    ({"elapsed_sec": 1e9}, "elapsed_sec"),
    ({"rated_at": "yesterday"}, "rated_at 'yesterday'"),
    ({"rated_at": "2026-01-05T10:00:00"}, "no ISO 8601 time with its zone"),
    ({"source": "simulated"}, "simulated ratings are no evidence"),
    ({"source": ""}, "no source"),
]


@pytest.mark.parametrize(("changed", "why"), WRONG)
def test_a_line_that_does_not_hold_is_refused_by_number_and_the_others_count(tmp_path, changed, why):
    prepared = tone_test(tmp_path)
    plan = prepared.plan
    path = written(prepared, "ann", HEADER, line(plan, "ann", 1), line(plan, "ann", 2, **changed), line(plan, "ann", 3))
    found = read_ratings(path, plan)
    assert [rating.trial.position for rating in found.ratings] == [1, 3]
    assert [(fault.file, fault.line) for fault in found.refused] == [("ann.csv", 3)] and why in found.refused[0].why
    with pytest.raises(ListeningError, match="line 3"):
        open_session(prepared.folder, plan, "ann")
    assert path.read_bytes().count(b"\n") == 4


@pytest.mark.parametrize("junk", [b"\xff\xfe\n", b'"open,1,2\n', b"1,2,3\n", b"\n", b"a" * 10_000 + b"\n", b",".join([b"x"] * 11) + b"\n"])
def test_junk_between_the_lines_is_refused_by_number(tmp_path, junk):
    prepared = tone_test(tmp_path)
    path = written(prepared, "ann", HEADER, line(prepared.plan, "ann", 1), junk, line(prepared.plan, "ann", 2))
    found = read_ratings(path, prepared.plan)
    assert len(found.ratings) == 2 and [fault.line for fault in found.refused] == [3]


def test_a_damaged_first_line_does_not_cost_the_others(tmp_path):
    prepared = tone_test(tmp_path)
    path = written(prepared, "ann", HEADER, line(prepared.plan, "ann", 1, slot=5, answer="9"), line(prepared.plan, "ann", 2))
    assert (read_ratings(path, prepared.plan).slot, len(read_ratings(path, prepared.plan).ratings)) == (0, 1)


def test_a_second_answer_to_a_trial_is_refused(tmp_path):
    prepared = tone_test(tmp_path)
    path = written(prepared, "ann", HEADER, line(prepared.plan, "ann", 1, answer="2"), line(prepared.plan, "ann", 1, answer="5"))
    found = read_ratings(path, prepared.plan)
    assert [rating.answer for rating in found.ratings] == ["2"] and "answered before, in line 2" in found.refused[0].why


def test_files_that_are_no_ratings_are_counted_and_stop_nothing(tmp_path):
    prepared = tone_test(tmp_path)
    written(prepared, "ann", HEADER, line(prepared.plan, "ann", 1))
    written(prepared, "ben", b"name,score\nx,1\n")
    written(prepared, "cat", b"")
    (tmp_path / "test" / "ratings" / "Not A Name.csv").write_bytes(HEADER)
    found = {one.listener: one for one in read_all_ratings(tmp_path / "test" / "ratings", prepared.plan)}
    assert len(found["ann"].ratings) == 1 and not found["ann"].refused
    assert "not the header" in found["ben"].refused[0].why and "no header" in found["cat"].refused[0].why
    assert "not a pseudonym" in found["Not A Name"].refused[0].why


def test_a_panel_may_write_windows_lines_with_a_mark_and_leave_the_start_out(tmp_path):
    prepared = tone_test(tmp_path)
    plan = prepared.plan
    lines = [HEADER, line(plan, "ann", 2, slot=7), line(plan, "ann", 1, slot=7)]
    path = written(prepared, "ann", b"\xef\xbb\xbf", *(one.replace(b"\n", b"\r\n") for one in lines))
    found = read_ratings(path, plan)
    assert (found.slot, len(found.ratings), found.refused) == (7, 2, ())
    assert open_session(prepared.folder, plan, "ann").current.position == 3


def test_a_start_is_no_answer(tmp_path):
    prepared = tone_test(tmp_path)
    open_session(prepared.folder, prepared.plan, "ann").close()
    assert f",0,,{START},," in ratings_path(prepared, "ann").read_text()
    assert read_ratings(ratings_path(prepared, "ann"), prepared.plan).ratings == ()


def test_an_answer_that_the_disk_refuses_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    prepared = tone_test(tmp_path)
    session = open_session(prepared.folder, prepared.plan, "ann")
    session.answer("4", elapsed_sec=1.0)
    before = ratings_path(prepared, "ann").read_bytes()
    whole_write = os.write

    def half(handle: int, data: bytes) -> int:
        whole_write(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(session_room.os, "write", half)
        with pytest.raises(ListeningError, match="could not be saved: No space left"):
            session.answer("4", elapsed_sec=1.0)
    assert ratings_path(prepared, "ann").read_bytes() == before and session.current.position == 2
    assert session.answer("4", elapsed_sec=1.0).position == 3


def test_a_panels_sessions_hold_no_key_and_its_answers_are_read(tmp_path):
    prepared = tone_test(tmp_path, abx_trials=4)
    paths = write_sessions(prepared.folder, listeners=3)
    told = json.loads(paths[2].read_text())
    assert "system" not in paths[2].read_text() and len(told["trials"]) == len(prepared.plan.trials(2))
    lines = [
        line_of((1, told["plan"], "guest", told["slot"], t["position"], t["trial"], t["kind"], t["answers"][0], 7.0, NOW, "panel")) for t in told["trials"]
    ]
    assert all((prepared.folder / sound).is_file() for t in told["trials"] for sound in t["sounds"])
    found = read_ratings(written(prepared, "guest", HEADER, *lines), prepared.plan)
    assert len(found.ratings) == len(told["trials"]) and not found.refused
    with pytest.raises(ConfigError, match="not a number of listeners"):
        write_sessions(prepared.folder, listeners=0)
