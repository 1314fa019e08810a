"""A scan computes what is missing and nothing else, loses nothing, and turns every fault into data."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import soundfile

from tests.conftest import tone
from workbench.audio import write_wav
from workbench.clips import Clip, open_manifest
from workbench.errors import ConfigError, EngineUnavailableError, ManifestError, UnknownNameError
from workbench.scan.local import run_local
from workbench.scan.plan import ScanConfig, plan_stages
from workbench.scan.scanning import scan
from workbench.store import Store


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    monkeypatch.setenv("PYTHONPATH", str(project))


def config(log="", *, workers=1, **options) -> ScanConfig:
    judge = {"refuse_over_sec": options.pop("refuse_over_sec")} if "refuse_over_sec" in options else {}
    return ScanConfig(
        fast="counting",
        precision=None,
        judges=("signal", "loudness"),
        engine_options={"counting": {"log": str(log), **options}, "loudness": judge},
        workers=workers,
        batch_clips=2,
    )


def rows_of(store: Store, scan_id: str, stages) -> list:
    """Members in order with what each stage holds, times of computing left out."""
    found = []
    for members in store.members(scan_id):
        rows = store.read((m.key for m in members), stages=[s.name for s in stages])
        for member in members:
            results = {s.name: rows[member.key].stage(s.name, s.fingerprint) for s in stages}
            kept = {name: None if r is None else (r.values, r.error) for name, r in results.items()}
            found.append((member.clip.clip_id, member.key, rows[member.key].columns["audio_error"], kept))
    return found


def quiet(_line: str) -> None:
    pass


def test_a_second_scan_computes_nothing(tmp_path, clip_folder):
    log = tmp_path / "log"
    with Store.open(tmp_path / "db.sqlite") as store:
        first = scan(open_manifest(clip_folder), config(log), store, scan_id="s", say=quiet)
        heard = log.read_text()
        second = scan(open_manifest(clip_folder), config(log), store, scan_id="s", say=quiet)
        assert (first.clips, first.computed) == (3, 3)
        assert (second.clips, second.computed, second.engine_sec) == (3, 0, {})
        assert log.read_text() == heard and len(heard.splitlines()) == 3


def test_two_workers_give_the_same_rows_as_one(tmp_path, clip_folder):
    found = []
    for workers in (1, 2):
        with Store.open(tmp_path / f"{workers}.sqlite") as store:
            summary = scan(open_manifest(clip_folder), config(workers=workers), store, scan_id="s", say=quiet)
            found.append(rows_of(store, "s", summary.stages))
    assert found[0] == found[1] and len(found[0]) == 3


def test_a_changed_engine_is_computed_beside_the_old_result(tmp_path, clip_folder):
    with Store.open(tmp_path / "db.sqlite") as store:
        old = scan(open_manifest(clip_folder), config(revision="1"), store, scan_id="s", say=quiet)
        new = scan(open_manifest(clip_folder), config(revision="2"), store, scan_id="s", say=quiet)
        again = scan(open_manifest(clip_folder), config(revision="1"), store, scan_id="s", say=quiet)
        assert (new.computed, again.computed) == (3, 0)
        assert all(row[3]["fast"] for row in rows_of(store, "s", old.stages) + rows_of(store, "s", new.stages))


def test_one_clip_that_an_engine_refuses_costs_only_itself(tmp_path, clip_folder):
    with Store.open(tmp_path / "db.sqlite") as store:
        summary = scan(open_manifest(clip_folder), config(fail_over_sec=0.65, refuse_over_sec=0.55), store, scan_id="s", say=quiet)
        rows = rows_of(store, "s", summary.stages)
    assert summary.failed == 2
    assert [row[3]["fast"][1] is None for row in rows] == [True, True, False]
    assert rows[2][3]["fast"][1] == {"type": "RuntimeError", "message": "cannot hear 0.7 s", "attempts": 3}
    assert [row[3]["loudness"][1] is None for row in rows] == [True, False, False]
    assert all(row[3]["signal"][1] is None for row in rows)


def test_failures_are_tried_again_in_the_same_run_up_to_the_limit_then_left(tmp_path, clip_folder):
    with Store.open(tmp_path / "db.sqlite") as store:
        computed = [scan(open_manifest(clip_folder), config(fail_over_sec=0.65), store, scan_id="s", say=quiet).computed for _ in range(5)]
        last = scan(open_manifest(clip_folder), config(fail_over_sec=0.65), store, scan_id="s", say=quiet)
        rows = rows_of(store, "s", last.stages)
    assert computed == [3, 0, 0, 0, 0]
    assert last.failed == 1 and rows[2][3]["fast"][1]["attempts"] == 3


def test_a_worker_that_dies_loses_nothing(tmp_path, clip_folder):
    with Store.open(tmp_path / "whole.sqlite") as store:
        summary = scan(open_manifest(clip_folder), config(), store, scan_id="s", say=quiet)
        undisturbed = [(clip_id, key) for clip_id, key, *_ in rows_of(store, "s", summary.stages)]
    with Store.open(tmp_path / "db.sqlite") as store:
        options = {"die_over_sec": 0.65, "die_once": str(tmp_path / "died")}
        summary = scan(open_manifest(clip_folder), config(workers=2, **options), store, scan_id="s", say=quiet)
        assert (tmp_path / "died").exists()
        assert (summary.clips, summary.failed) == (3, 0)
        assert [(clip_id, key) for clip_id, key, *_ in rows_of(store, "s", summary.stages)] == undisturbed


def test_a_clip_that_always_kills_its_worker_is_a_failure_and_the_rest_goes_on(tmp_path, clip_folder):
    with Store.open(tmp_path / "db.sqlite") as store:
        summary = scan(open_manifest(clip_folder), config(workers=2, die_over_sec=0.65), store, scan_id="s", say=quiet)
        rows = rows_of(store, "s", summary.stages)
        again = scan(open_manifest(clip_folder), config(workers=2, die_over_sec=0.65), store, scan_id="s", say=quiet)
    assert (summary.clips, summary.failed) == (3, 1)
    assert [row[3]["fast"][1] and row[3]["fast"][1]["type"] for row in rows] == [None, None, "WorkerDied"]
    # What the other engines say of it is there, and nobody tries it again.
    assert all(row[3]["signal"][1] is None for row in rows) and (again.computed, again.failed) == (0, 1)


def bad_clips(folder) -> list[Clip]:
    """Every kind of bad audio that the project promises to survive, as one list of clips."""
    folder.mkdir()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is no audio at all")
    write_wav(tone(), folder / "whole.wav")
    (folder / "truncated.wav").write_bytes((folder / "whole.wav").read_bytes()[:20])
    soundfile.write(folder / "nan.wav", np.array([0.1, np.nan, 0.1, np.inf] * 4000, dtype=np.float32), 16000, subtype="FLOAT")
    soundfile.write(folder / "one.wav", np.array([0.1], dtype=np.float32), 16000)
    soundfile.write(folder / "short.wav", tone(0.05).samples, 16000)
    soundfile.write(folder / "zeros.wav", np.zeros(16000, dtype=np.float32), 16000)
    soundfile.write(folder / "loud.wav", 13 * tone(1.0).samples, 16000, subtype="FLOAT")
    soundfile.write(folder / "stereo.wav", np.stack([tone(1.0).samples] * 2, axis=1), 16000)
    soundfile.write(folder / "rate8k.wav", tone(1.0, rate_hz=8000).samples, 8000)
    soundfile.write(folder / "rate96k.wav", tone(1.0, rate_hz=96000).samples, 96000)
    soundfile.write(folder / "a 'path' with \"quotes\".wav", tone(1.0).samples, 16000)
    names = ["missing.wav", *sorted(path.name for path in folder.iterdir())]
    texts = {"stereo.wav": "", "rate8k.wav": "?!", "rate96k.wav": "🙂", "whole.wav": "word " * 4000}
    return [Clip(clip_id=name, audio=str(folder / name), text=texts.get(name, "some words"), dataset="bad") for name in names]


def test_bad_audio_becomes_data_and_nothing_is_lost(tmp_path):
    clips = bad_clips(tmp_path / "bad")
    with Store.open(tmp_path / "db.sqlite") as store:
        summary = scan(clips, config(), store, scan_id="s", say=quiet)
        rows = {row[0]: row for row in rows_of(store, "s", summary.stages)}
        again = scan(clips, config(), store, scan_id="s", say=quiet)
    assert summary.clips == len(clips) == len(rows)
    unreadable = {name for name, row in rows.items() if row[2]}
    assert unreadable == {"missing.wav", "empty.wav", "text.wav", "truncated.wav", "nan.wav"}
    assert all(rows[name][2]["type"] == "AudioError" for name in unreadable)
    assert again.computed == 0 and again.failed == summary.failed


def test_unknown_and_absent_engines_stop_the_scan_before_any_clip(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean pocketsphinx"):
        plan_stages(ScanConfig(fast="pocketsphnix"))
    with pytest.raises(EngineUnavailableError, match="pip install nowhere"):
        plan_stages(ScanConfig(judges=("absent",)))
    with pytest.raises(ConfigError, match="refused its options"):
        plan_stages(ScanConfig(judges=("signal", "loudness"), engine_options={"loudness": {"volume": 3}}))
    with pytest.raises(ConfigError, match="not in the scan"):
        plan_stages(ScanConfig(engine_options={"loudness": {}}))
    with pytest.raises(ConfigError, match="weighs the reference"):
        plan_stages(ScanConfig(fast="pocketsphinx-grammar"))


def test_progress_is_lines_with_counts(tmp_path, clip_folder):
    lines: list[str] = []
    with Store.open(tmp_path / "db.sqlite") as store:
        scan(open_manifest(clip_folder), config(), store, scan_id="s", total=3, say=lines.append)
    assert lines[-1].startswith("scan: 3/3 (100%) clips") and lines[-1].endswith("computed 3, found in store 0")


def test_a_finished_clip_is_recognised_without_opening_it_and_a_changed_file_is_opened_again(tmp_path, clip_folder):
    log = tmp_path / "log"
    with Store.open(tmp_path / "db.sqlite") as store:
        scan(open_manifest(clip_folder), config(log), store, scan_id="s", say=quiet)
        again = scan(open_manifest(clip_folder), config(log), store, scan_id="s", say=quiet)
        assert (again.audio_sec, again.clips) == (0.0, 3)
        write_wav(tone(0.9), clip_folder / "clip1.wav")
        changed = scan(open_manifest(clip_folder), config(log), store, scan_id="s", say=quiet)
        assert (changed.computed, changed.clips) == (1, 3)
        assert [clip_id for clip_id, *_ in rows_of(store, "s", changed.stages)] == [clip.clip_id for clip in open_manifest(clip_folder)]


class Echo:
    """A worker that gives back what it gets."""

    def process(self, batch: list) -> list:
        return batch

    def close(self) -> None: ...


class Reader:
    """A worker that reads one batch while it computes another; some items end their process."""

    def open(self, batch: list) -> list:
        if "unreadable" in batch:
            os.kill(os.getpid(), signal.SIGKILL)
        return [f"read {item}" for item in batch]

    def process(self, opened: list) -> list:
        if "read deadly" in opened:
            os.kill(os.getpid(), signal.SIGKILL)
        return opened

    def close(self) -> None: ...


@pytest.mark.parametrize("workers", [1, 2])
def test_items_that_end_the_process_while_they_are_read_or_computed_cost_only_themselves(workers):
    batches = [["a", "b"], ["c", "unreadable"], ["d"], ["deadly", "e"], ["f"], ["g"]]
    came = list(run_local(batches, make_worker=Reader, arguments={}, workers=workers, on_death=lambda item: [f"dead {item}"], apart=True))
    assert sorted(item for outcome in came for item in outcome) == [*("dead deadly", "dead unreadable"), *(f"read {item}" for item in "abcdefg")]


@pytest.mark.parametrize("workers", [1, 2])
def test_when_the_list_of_clips_breaks_off_what_came_back_is_not_thrown_away(workers):
    def batches():
        yield [1]
        yield [2]
        yield [3]
        raise ManifestError("the rest cannot be read")

    came = []
    with pytest.raises(ManifestError, match="cannot be read"):
        for outcome in run_local(batches(), make_worker=Echo, arguments={}, workers=workers, on_death=repr, apart=True):
            came.append(outcome)
    assert sorted(came) == [[1], [2], [3]]


def test_a_number_format_chosen_by_the_device_is_part_of_what_a_result_depends_on(tmp_path):
    def prints(device: str) -> dict[str, str]:
        options = {"whisper": {"weights": str(tmp_path)}}
        planned = plan_stages(ScanConfig(fast="whisper", precision=None, judges=("signal",), engine_options=options, device=device))
        return {stage.name: stage.fingerprint for stage in planned}

    on_cpu, on_cuda = prints("cpu"), prints("cuda")
    assert on_cpu["fast"] != on_cuda["fast"] and on_cpu["signal"] == on_cuda["signal"]
    assert on_cuda == prints("cuda:1")


def test_a_misspelt_device_is_no_cpu(tmp_path):
    with pytest.raises(ConfigError, match="not a device.*got: gpu"):
        plan_stages(ScanConfig(fast="pocketsphinx", precision=None, judges=("signal",), device="gpu"))
