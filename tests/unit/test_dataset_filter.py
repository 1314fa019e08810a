"""A filter keeps what its rules say, says what each condition took, and writes a manifest that is whole or not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import tone
from tests.datasets_for_tests import STAGES, Scanned, fill, transcript
from workbench.audio import encode_mp3, write_wav
from workbench.clips import Clip, Manifest, load_audio, open_manifest
from workbench.datasets.filtering import Filtered, filter_manifest, read_rules
from workbench.datasets.reading import Reading
from workbench.datasets.writing import writing
from workbench.errors import ConfigError, ManifestError, StoreError, UnknownNameError
from workbench.scan.codec import transcript_columns
from workbench.scan.stages import StagePlan
from workbench.store import StageRecord, StageResult, Store

GOOD = "the lamp stood on the table by the window"
CLIPS = [
    Scanned("a.wav", GOOD, signal={"duration_sec": 3600.0}, extra={"chapter": "7"}),
    Scanned("b.wav", GOOD, fast="the lamb stood on the table by the window", signal={"duration_sec": 1800.0}),
    Scanned("c.wav", GOOD, confidence=0.5, signal={"duration_sec": 900.0}, speaker="bert", category="poem"),
    Scanned("d.wav", GOOD, fast="something else", confidence=0.5, signal={"duration_sec": 900.0}),
    Scanned("e.wav", GOOD, unreadable=True),
]


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store.open(tmp_path / "db.sqlite") as opened:
        yield opened


def manifest_of(clips: list[Clip]) -> Manifest:
    return Manifest("the clips", "jsonl", "data", lambda: iter(clips))


def filtered(store: Store, path: Path, *keep: str, clips=CLIPS, stages=STAGES, listed=None, **how) -> tuple[Filtered, list[str]]:
    lines: list[str] = []
    made = fill(store, clips, scan_id="s")
    manifest = manifest_of(made if listed is None else listed(made))
    return filter_manifest(manifest, path, read_rules(keep, **how), Reading(store, "s", stages, 0.5), say=lines.append), lines


def test_the_balanced_rule_keeps_what_is_right_and_sure(store, tmp_path):
    done, lines = filtered(store, tmp_path / "kept.jsonl", "balanced")
    assert [clip.clip_id for clip in open_manifest(done.path)] == ["a.wav"]
    assert lines == [
        "kept 1 of 5 clips, 1.00 h of 2.00 h",
        "  wer_fast < 0.05    takes 0.75 h (2 clips), 0.50 h (1) it alone",
        "  confidence > 0.97  takes 0.50 h (2 clips), 0.25 h (1) it alone",
        "  1 clips without readable audio are kept by no rule",
    ]


def test_what_conditions_take_adds_up(store, tmp_path):
    count = filtered(store, tmp_path / "kept.csv", "wer_fast < 0.05", "confidence > 0.97 and duration_sec < 3000")[0].count
    assert count.kept == 0 and count.clips == 5 and count.hours == 2.0 and count.unreadable == 1
    assert [(c.text, c.taken, c.taken_hours, c.alone) for c in count.clauses] == [
        ("wer_fast < 0.05", 2, 0.75, 1), ("confidence > 0.97", 2, 0.5, 1), ("duration_sec < 3000", 1, 1.0, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_kept_clips_come_back_as_they_were_with_what_the_rule_asked_for(store, tmp_path, suffix):
    done, _ = filtered(store, tmp_path / f"kept{suffix}", "wer_fast < 0.2 or speaker == 'bert'")
    found = list(open_manifest(done.path))
    assert [(c.clip_id, c.text, c.speaker, c.category, c.audio, c.fault) for c in found] == [
        ("a.wav", GOOD, "anna", "", "/clips/a.wav", None), ("b.wav", GOOD, "anna", "", "/clips/b.wav", None), ("c.wav", GOOD, "bert", "poem", "/clips/c.wav", None),
    ]  # fmt: skip
    assert [float(c.extra["wer_fast"]) for c in found] == pytest.approx([0, 1 / 9, 0])
    assert [c.extra["stated_duration_sec"] for c in found] == [3600, 1800, 900]
    told = found[0].extra["chapter"] if suffix == ".jsonl" else json.loads(found[0].extra["source"])["chapter"]
    assert told == "7"


def test_the_filter_reads_what_is_stored_where_no_plan_is_known(store, tmp_path):
    with_plan, _ = filtered(store, tmp_path / "one.jsonl", "balanced")
    as_stored, _ = filtered(store, tmp_path / "two.jsonl", "balanced", stages=None)
    assert with_plan.path.read_bytes() == as_stored.path.read_bytes()


def test_results_of_two_makes_are_not_mixed_without_being_told(store, tmp_path):
    fill(store, CLIPS[:2], scan_id="s")
    clips = fill(store, CLIPS, scan_id="s")
    [members] = store.members("s")
    store.write([StageRecord(members[0].key, members[0].clip, "fast", StageResult("another", transcript_columns("fast", transcript("no", 0.9, "x")), 0.1))])
    with pytest.raises(StoreError, match="different engines"):
        filter_manifest(manifest_of(clips), tmp_path / "kept.jsonl", read_rules(["balanced"]), Reading(store, "s", None, 0.5))
    assert not list(tmp_path.glob("*kept*"))
    done = filter_manifest(manifest_of(clips), tmp_path / "kept.jsonl", read_rules(["balanced"]), Reading(store, "s", STAGES, 0.5))
    assert done.count.kept == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0)], ids=["a plain text first", "a plain text last"])
def test_texts_that_may_be_said_in_several_ways_are_no_other_make(store, tmp_path, order):
    ways = ({}, {"spoken_forms": "lamp = lamp | light"}, {"spoken_forms": "lamp = lamp | lantern"})
    reads = replace(STAGES[1], reads_text=True)

    def kept(*stages: StagePlan) -> int:
        clips = fill(store, [Scanned(f"{k}.wav", GOOD, audio=str(k), extra=ways[k]) for k in order], scan_id="s")
        [members] = store.members("s")
        for stage, member in zip(stages, members, strict=True):
            values = transcript_columns("precision", transcript(GOOD, 0.99, "second-engine"))
            store.write([StageRecord(member.key, member.clip, "precision", StageResult(stage.fingerprint_of(member.clip), values, 0.1))])
        return filter_manifest(manifest_of(clips), tmp_path / "kept.jsonl", read_rules(["permissive"]), Reading(store, "s", None, 0.5)).count.kept

    assert kept(reads, reads, reads) == 3
    other = replace(reads, fingerprint="another")
    with pytest.raises(StoreError, match="different engines"):
        kept(*(other if k == order[-1] else reads for k in order))


def test_copies_and_faults_can_be_left_out(store, tmp_path):
    clips = [Scanned("a", GOOD, audio="x"), Scanned("b", GOOD, audio="x"), Scanned("c", GOOD, audio="y"), Scanned("d", GOOD, audio="z", speaker="bert", signal={"clipping_pct": 3.0})]
    done, _ = filtered(store, tmp_path / "kept.jsonl", "not copy_fault and not clipped", clips=clips)
    assert [clip.clip_id for clip in open_manifest(done.path)] == ["a"]


def test_clips_that_were_not_scanned_are_counted_and_not_kept(store, tmp_path):
    new = Clip("new.wav", "/clips/new.wav", "never heard", "data")
    done, lines = filtered(store, tmp_path / "kept.jsonl", "wer_fast < 2", listed=lambda clips: [new, clips[0], new, *clips[1:], new])
    assert done.unscanned == 3 and done.count.kept == 4 and lines[-1] == "  3 clips of the manifest are not in the scan and are not kept"


def test_a_scan_of_another_manifest_is_refused(store, tmp_path):
    with pytest.raises(StoreError, match="another manifest"):
        filtered(store, tmp_path / "kept.jsonl", "balanced", listed=lambda clips: [clips[1], clips[0], *clips[2:]])
    with pytest.raises(StoreError, match="another manifest"):
        filtered(store, tmp_path / "kept.jsonl", "balanced", listed=lambda clips: [replace(clips[0], text="changed since"), *clips[1:]])
    with pytest.raises(StoreError, match="no scan of this manifest"):
        filter_manifest(manifest_of([]), tmp_path / "kept.jsonl", read_rules(["balanced"]), Reading(store, "nothing", None, 0.5))
    assert not list(tmp_path.glob("*kept*"))


def test_a_column_that_no_clip_has_is_refused_rather_than_keeping_nothing(store, tmp_path):
    with pytest.raises(ConfigError, match="utmosv2_mos"):
        filtered(store, tmp_path / "kept.jsonl", "utmosv2_mos > 3")
    assert not list(tmp_path.glob("*kept*"))


def test_a_judge_of_someone_elses_has_columns_too(store, tmp_path):
    from workbench.store import StageRecord, StageResult

    clips = fill(store, CLIPS, scan_id="s")
    [members] = store.members("s")
    store.write([StageRecord(m.key, m.clip, "crest", StageResult("c", {"crest_db": 10.0 + m.position}, 0.1)) for m in members[:4]])
    with pytest.raises(UnknownNameError, match="crest_db"):
        read_rules(["crest_db > 10"])
    rules = read_rules(["crest_db > 11"], scores=("crest_db",))
    stages = (*STAGES, StagePlan("crest", "judge", "crest", "c"))
    done = filter_manifest(manifest_of(clips), tmp_path / "kept.jsonl", rules, Reading(store, "s", stages, 0.5), scores=("crest_db",))
    assert [clip.clip_id for clip in open_manifest(done.path)] == ["c.wav", "d.wav"]


def test_a_broken_filter_leaves_the_old_file(store, tmp_path):
    path = tmp_path / "kept.jsonl"
    path.write_text("what was there\n")
    inline = [replace(CLIPS[0], audio_bytes=b"RIFF"), CLIPS[1]]
    with pytest.raises(ManifestError, match="parquet"):
        filtered(store, path, "wer_fast < 2", clips=inline)
    assert path.read_text() == "what was there\n" and [p.name for p in tmp_path.glob("*kept*")] == ["kept.jsonl"]
    with pytest.raises(ManifestError, match="no such format"):
        filtered(store, tmp_path / "kept.xlsx", "balanced")
    with pytest.raises(ManifestError, match="cannot be written"):
        filtered(store, tmp_path / "nowhere" / "kept.csv", "balanced")


def test_audio_inside_its_dataset_goes_into_a_parquet_manifest(tmp_path, store):
    content = encode_mp3(tone(0.5))
    done, _ = filtered(store, tmp_path / "kept.parquet", "wer_fast < 2", clips=[Scanned("inside", GOOD, audio_bytes=content), Scanned("beside", GOOD, audio="b", speaker="bert")],
                       listed=lambda clips: [replace(clips[0], audio_bytes=content), clips[1]])  # fmt: skip
    found = list(open_manifest(done.path))
    assert [clip.clip_id for clip in found] == ["inside", "beside"] and load_audio(found[0]).duration_sec == pytest.approx(0.5, abs=0.05)
    assert found[1].audio == "/clips/beside" and found[1].audio_bytes is None
    assert pq.read_schema(done.path).field("wer_fast").type == "double"


def test_a_part_of_a_longer_file_stays_a_part(tmp_path):
    write_wav(tone(2.0), tmp_path / "long.wav")
    part = Clip("long.wav@0.5s", str(tmp_path / "long.wav"), "words", "data", extra={"offset_sec": 0.5, "duration_sec": 0.25})
    rest = Clip("rest", str(tmp_path / "long.wav"), "words", "data", extra={"offset_sec": 1.5})
    for suffix in (".jsonl", ".csv", ".parquet"):
        with writing(tmp_path / f"parts{suffix}") as writer:
            writer.write(part, duration_sec=0.25)
            writer.write(rest, duration_sec=0.5)
        first, second = open_manifest(tmp_path / f"parts{suffix}")
        assert (load_audio(first).duration_sec, load_audio(second).duration_sec) == (0.25, 0.5), suffix


def test_no_rule_is_refused():
    with pytest.raises(ConfigError, match="give --keep"):
        read_rules([])
    with pytest.raises(UnknownNameError, match="did you mean balanced"):
        read_rules(["balancd"])


def workbench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"WORKBENCH_ENGINE_MODULES": "tests.engines_for_tests", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return subprocess.run([sys.executable, "-m", "workbench.cli", *arguments], cwd=cwd, capture_output=True, text=True, env=environment, check=False)


def test_the_command_filters_what_scan_has_heard(tmp_path, clip_folder):
    script = {length: [[word, 0.99] for word in f"this is clip number {said}".split()] for length, said in (("500", "zero"), ("600", "one"), ("700", "none"))}
    options = f"engine_options={json.dumps({'scripted': {'script': script}})}"
    engines = ("fast=scripted", options, "precision=scripted-second", "judges=[signal, loudness]", "workers=1")
    assert workbench("scan", "clips", *engines, "--mos-mode", "all", cwd=tmp_path).returncode == 0
    done = workbench("filter", "clips", "--keep", "wer_fast < 0.05 and duration_sec < 0.65", "-o", "short.csv", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.splitlines() == ["short.csv"], done.stderr
    assert "kept 2 of 3 clips" in done.stderr and "duration_sec < 0.65" in done.stderr
    assert [clip.clip_id for clip in open_manifest(tmp_path / "short.csv")] == ["clip0.wav", "clip1.wav"]
    with_engines = workbench("filter", "clips", *engines, "mos_mode=all", "--keep", "loudness_peak > 0", cwd=tmp_path)
    assert with_engines.stdout.splitlines() == ["kept.jsonl"], with_engines.stderr


def test_a_filter_that_cannot_begin_is_one_line(tmp_path, clip_folder):
    Store.open(tmp_path / "db.sqlite").close()
    for arguments, told in (
        (("clips", "--db", "db.sqlite"), "give --keep"),
        (("clips", "--db", "db.sqlite", "--keep", "wer_fst < 1"), "did you mean wer_fast"),
        (("clips", "--db", "nowhere.sqlite", "--keep", "strict"), "no such database"),
        (("clips", "--db", "db.sqlite", "--keep", "strict"), "workbench scan clips"),
        (("clips", "--db", "db.sqlite", "--keep", "strict", "-o", "kept.txt"), ".jsonl"),
        (("clips", "workrs=2", "--keep", "strict"), "did you mean workers"),
        (("nowhere", "--keep", "strict"), "nowhere"),
    ):
        done = workbench("filter", *arguments, cwd=tmp_path)
        assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr, (arguments, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1
    listed = workbench("filter", "--columns", cwd=tmp_path)
    assert listed.returncode == 0 and "wer_fast" in listed.stdout and "bandwidth_hz" in listed.stdout
