"""What an isolated engine promises: the same protocol, and whatever happens over there stays over there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.conftest import tone
from tests.isolated_engines_for_tests import HearingElsewhere, JudgeElsewhere, JudgeHere, SpeakingElsewhere
from workbench import engines
from workbench.audio import Audio
from workbench.clips import open_manifest
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError
from workbench.isolated import process
from workbench.isolated.child import wire
from workbench.scan.plan import ScanConfig
from workbench.scan.scanning import scan
from workbench.store import Store
from workbench.stt.base import SttRequest
from workbench.tts.base import SpeechRequest


@pytest.fixture(autouse=True)
def joined(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests,tests.isolated_engines_for_tests")
    monkeypatch.setenv("WORKBENCH_ENVIRONMENTS", str(tmp_path / "environments"))


@pytest.fixture
def judge():
    """Makes loaded judges and closes them."""
    made = []

    def make(mode="", **options):
        made.append(JudgeHere(mode=mode, **options))
        made[-1].load()
        return made[-1]

    yield make
    for one in made:
        one.close()


def clips(count, *, sec=0.01):
    return [Audio(np.full(round(16000 * sec) + k, k / 100, np.float32), 16000) for k in range(count)]


def expected(batch):
    return [(pytest.approx(float(clip.samples[0])), len(clip.samples)) for clip in batch]


def told(scores):
    return [(one.values["mean"], one.values["count"]) for one in scores]


def gone(pid, *, within_sec=20.0):
    """Whether a process ends in time: it no longer runs, be it reaped or not."""
    until = time.monotonic() + within_sec
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_batches_of_any_size_give_what_the_child_says(judge):
    one = judge()
    batch = clips(64)
    assert told(one.score(batch)) == expected(batch)
    assert [told(one.score([clip]))[0] for clip in batch[:5]] == expected(batch[:5])
    assert one.score([]) == []


def test_an_empty_batch_asks_nobody(judge):
    one = judge()
    os.kill(one.child_pid, signal.SIGKILL)
    dead = one.child_pid
    assert one.score([]) == [] and one.child_pid == dead


def test_samples_cross_bit_by_bit_and_a_score_that_is_no_number_is_a_failure(judge):
    strange = Audio(np.array([np.nan, np.inf, -np.inf, np.nan, 0.0], np.float32), 16000)
    assert judge("nans").score([strange])[0].values == {"mean": 2.0, "count": 2.0}
    scored = judge("nan").score(clips(2))
    assert all(s.values == {} and "mean" in s.failure.message for s in scored)


def test_a_clip_that_the_child_cannot_score_costs_only_itself(judge):
    batch = [*clips(2), Audio(np.zeros(1, np.float32), 16000), Audio(np.zeros(0, np.float32), 16000)]
    scored = judge().score(batch)
    assert [s.failure.type if s.failure else None for s in scored] == [None, None, "ValueError", None]
    assert scored[2].failure.message == "one sample is no clip" and scored[3].values["count"] == 0


def test_a_child_killed_in_the_middle_of_a_batch_is_replaced_and_the_batch_tried_again(judge, tmp_path):
    marker = tmp_path / "slow"
    one = judge("slow", marker=str(marker))
    first, batch = one.child_pid, clips(8)

    def kill():
        while not marker.exists():
            time.sleep(0.01)
        os.kill(first, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert told(one.score(batch)) == expected(batch)
    killer.join()
    assert one.child_pid != first and gone(first)


def test_a_child_that_always_dies_is_an_error_with_its_last_words(judge):
    one = judge("die")
    with pytest.raises(EngineError, match="died twice on the same call: killed by SIGKILL.*the last words of a dying child"):
        one.score(clips(2))
    one.options["mode"] = ""
    assert told(one.score(clips(3))) == expected(clips(3)), "the next batch gets a new child"


def test_a_child_dying_while_it_loads_is_an_error_with_its_last_words():
    with pytest.raises(EngineError, match="died twice.*last words of a loading child"):
        JudgeHere(mode="die-loading").load()


@pytest.mark.parametrize("mode", ["hang", "stop"])
def test_a_child_that_hangs_is_ended_and_the_next_batch_is_served(judge, tmp_path, mode):
    one = judge(mode, marker=str(tmp_path / "once"), timeout_sec=1.5)
    # More than a pipe holds: a stopped child does not even take the samples.
    batch = clips(16, sec=20.0)
    hung = one.child_pid
    if mode == "stop":
        os.kill(hung, signal.SIGSTOP)
        (tmp_path / "once").touch()
    with pytest.raises(EngineError, match="did not answer within 1.5 s"):
        one.score(batch)
    assert gone(hung)
    one.timeout_sec = 60.0
    assert told(one.score(clips(4))) == expected(clips(4))


def test_loading_has_a_time_limit_of_its_own():
    with pytest.raises(EngineError, match="did not answer within 2 s"):
        JudgeHere(mode="hang-loading", load_timeout_sec=2).load()


def test_what_libraries_print_does_not_reach_the_protocol(judge):
    one = judge("noise")
    assert told(one.score(clips(3))) == expected(clips(3))
    said = one._child.log.read_bytes()
    assert all(noise in said for noise in (b"noise from Python", b"noise from C", b"noise from a program"))


def test_the_log_stays_small_and_keeps_the_end(judge):
    one = judge("flood")
    one.score(clips(1))
    assert one._child.log.stat().st_size < process.LOG_BYTES + 8 * 180_000
    one.options["mode"] = ""
    assert one._child.log_tail().endswith("the end of the flood")


def test_errors_over_there_are_errors_of_our_family(judge):
    with pytest.raises(EngineError, match="ValueError in the other environment: these clips are beyond me.*child_for_tests.py"):
        judge("raise").score(clips(2))
    with pytest.raises(AudioError, match="a clip that cannot be judged"):
        judge("audio").score(clips(2))
    with pytest.raises(EngineError, match="SystemExit in the other environment: a library that leaves"):
        judge("exit").score(clips(2))
    with pytest.raises(EngineError, match="lost items"):
        judge("lose").score(clips(2))
    with pytest.raises(EngineError, match="other scores than the engine declares"):
        judge("columns").score(clips(2))


def test_bytes_that_are_no_message_end_the_child(judge):
    with pytest.raises(EngineError, match="died twice"):
        judge("garbage").score(clips(2))


def test_what_cannot_be_loaded_says_why():
    with pytest.raises(EngineError, match="ModuleNotFoundError.*no_such_package_anywhere"):
        JudgeHere(mode="import").load()
    with pytest.raises(EngineError, match="TypeError.*these options are not for me"):
        JudgeHere(mode="refuse-options").load()
    with pytest.raises(EngineUnavailableError, match="interpreter"):
        JudgeElsewhere(python="/nowhere/python").load()
    with pytest.raises(EngineError, match="not loaded"):
        JudgeHere().score(clips(1))


def test_memory_running_out_over_there_halves_the_batch(judge):
    assert told(judge("memory").score(clips(16))) == expected(clips(16))


def test_two_children_work_at_once_and_one_serves_two_threads(judge):
    first, second = judge(), judge()
    batches = [clips(count) for count in range(1, 13)]
    with ThreadPoolExecutor(4) as pool:
        scored = list(pool.map(lambda k: told((first, second)[k % 2].score(batches[k])), range(12)))
    assert scored == [expected(batch) for batch in batches]
    assert first.child_pid != second.child_pid


def test_the_child_sees_a_short_list_of_variables_and_none_of_our_packages(judge, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere/of/ours")
    monkeypatch.setenv("SOME_API_KEY", "a secret")
    seen = json.loads(judge("seen", threads=2).score(clips(1))[0].failure.message)
    assert "PATH" in seen["variables"] and seen["threads"] == "2"
    assert not {"PYTHONPATH", "SOME_API_KEY", "WORKBENCH_ENGINE_MODULES"} & set(seen["variables"])
    assert "/somewhere/of/ours" not in seen["path"] and os.getcwd() not in seen["path"]


def test_the_child_ends_with_its_parent_however_that_ends(project):
    script = (
        "import time, numpy as np; from tests.isolated_engines_for_tests import JudgeHere; "
        "one = JudgeHere(mode='hang'); one.load(); print(one.child_pid, flush=True); from workbench.audio import Audio; "
        "one.score([Audio(np.zeros(9, np.float32), 16000)])"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=project, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    assert gone(child)


def test_a_fork_of_us_gets_a_child_of_its_own(judge):
    one = judge()
    ours, (read, write) = one.child_pid, os.pipe()
    fork = os.fork()
    if not fork:
        status = 1
        try:
            right = told(one.score(clips(2))) == expected(clips(2)) and one.child_pid != ours
            os.write(write, str(one.child_pid).encode())
            one.close()
            status = 0 if right else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
    assert gone(int(os.read(read, 20)))
    assert told(one.score(clips(2))) == expected(clips(2)) and one.child_pid == ours


def test_closing_ends_the_child_and_loading_again_starts_one(judge):
    one = judge()
    before = one.child_pid
    one.close()
    one.close()
    assert gone(before)
    one.load()
    assert told(one.score(clips(1))) == expected(clips(1))


def test_options_are_checked_before_anything_starts():
    with pytest.raises(ConfigError, match="mod.*among marker, mode"):
        JudgeHere(mod="x")
    for wrong in ({"timeout_sec": 0}, {"timeout_sec": float("nan")}, {"threads": -1}, {"threads": True}, {"load_timeout_sec": "1"}):
        with pytest.raises(ConfigError):
            JudgeHere(**wrong)


def test_identity_follows_options_and_the_child_and_starts_nothing():
    plain, other = JudgeElsewhere(), JudgeElsewhere(mode="nan")
    assert plain.identity() == JudgeElsewhere(timeout_sec=5, threads=3).identity() != other.identity()
    assert plain.identity()["child"] and plain.child_pid is None


def test_a_recogniser_and_a_synthesiser_use_the_same_door():
    hearing, speaking = HearingElsewhere(python=sys.executable), SpeakingElsewhere(python=sys.executable)
    hearing.load()
    speaking.load()
    try:
        silent = Audio(np.zeros(16000, np.float32), 16000)
        broken = Audio(np.full(16000, np.nan, np.float32), 16000)
        heard = hearing.transcribe(
            [SttRequest(tone(0.35), reference=("one", "two")), SttRequest(silent), SttRequest(broken), SttRequest(tone(0.01))]
        )
        assert [(w.text, w.start_sec, w.confidence) for w in heard[0].words] == [("one", 0.0, 0.5), ("two", 0.1, None), ("word", 0.2, None)]
        assert heard[0].engine == "hearing" and [t.words for t in heard[1:]] == [(), (), ()]
        assert speaking.voices() == ("low", "high")
        low, high = speaking.speak([SpeechRequest("ab", "low"), SpeechRequest("abcd", "high", 2.0)])
        assert (low.sample_rate_hz, len(low.samples), len(high.samples)) == (8000, 1600, 1600) and low.samples.dtype == np.float32
        with pytest.raises(EngineError, match="nothing to say"):
            speaking.speak([SpeechRequest("", "low")])
        with pytest.raises(EngineError, match="KeyError"):
            speaking.speak([SpeechRequest("a", "middle")])
    finally:
        hearing.close()
        speaking.close()


def test_a_scan_takes_an_isolated_judge_like_any_other(tmp_path, clip_folder):
    config = ScanConfig(fast="counting", precision=None, judges=("signal", "here"), workers=2, batch_clips=2)
    with Store.open(f"sqlite:///{tmp_path}/w.sqlite") as store:
        summary = scan(open_manifest(clip_folder), config, store, scan_id="s", say=lambda line: None)
        again = scan(open_manifest(clip_folder), config, store, scan_id="s", say=lambda line: None)
    assert (summary.clips, summary.failed, summary.computed) == (3, 0, 3) and again.computed == 0


NUMBERS = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.int16, np.int64, np.uint8, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5).filter(lambda key: key != "__array__"), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_whatever_crosses_arrives_as_it_was(tree):
    stream = memoryview(b"".join(bytes(part) for part in wire.encode(tree)))
    place = 0

    def read_into(buffer):
        nonlocal place
        if place + len(buffer) > len(stream):
            raise EOFError
        buffer[:] = stream[place : place + len(buffer)]
        place += len(buffer)

    same(tree, wire.decode(read_into))
    assert place == len(stream)


def same(one, other):
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        [same(one[key], other[key]) for key in one]
    elif isinstance(one, list):
        assert len(one) == len(other)
        [same(a, b) for a, b in zip(one, other, strict=True)]
    else:
        assert one == other or (one != one and other != other)


def test_objects_do_not_cross():
    for strange in (object(), np.array([object()]), {1, 2}, np.array(["text"])):
        with pytest.raises(wire.WireError):
            wire.encode({"value": strange})


def test_a_missing_environment_is_named_with_its_command():
    assert engines.info("elsewhere", "judge").missing() == ("environment judging-elsewhere",)
    with pytest.raises(EngineUnavailableError, match="workbench engines install elsewhere"):
        engines.create("elsewhere", "judge")
    with pytest.raises(EngineUnavailableError, match="workbench engines install judging-elsewhere"):
        JudgeElsewhere().load()
