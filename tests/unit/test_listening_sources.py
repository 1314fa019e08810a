"""Where a listening test's clips and scores come from: a run's results, the database's export, or clips alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import tone
from tests.listening_for_tests import tone_clips
from workbench.audio import content_hash, read, write_wav
from workbench.errors import ConfigError, ListeningError
from workbench.listening.scored_clips import judge_columns, read_scored_clips
from workbench.listening.study import ListeningConfig, open_study
from workbench.scan.export import write_parquet
from workbench.scan.results import ClipResult
from workbench.store import Member, RowKey, StageRecord, StageResult, Store

QUIET = {"instruction_voice": "", "mos_trials": 4, "ab_trials": 2}


def results(folder: Path) -> list[ClipResult]:
    """Clips of two systems with a judge's score and a length each; one score is missing."""
    found = []
    for k, clip in enumerate(tone_clips(folder / "clips", systems=2, texts=3)):
        scores = {"duration_sec": 0.2, "rms_db": -20.0, "flat_top_pct": 0.0} | ({} if k == 4 else {"dnsmos_ovrl": 2.0 + k / 4})
        found.append(ClipResult(clip, content_hash(read(clip.audio)), 0.2, (), None, None, None, scores, (), (), {}))
    return found


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_runs_results_bring_clips_and_scores(tmp_path, as_folder):
    write_parquet(results(tmp_path), tmp_path / "results.parquet")
    source = tmp_path if as_folder else tmp_path / "results.parquet"
    study = open_study(ListeningConfig(results=str(source), test_folder=str(tmp_path / "test"), **QUIET))
    plan = study.prepared.plan
    assert plan.systems == ("system0", "system1") and len(plan.texts) == 3 and study.judges == ["dnsmos_ovrl"]
    by_clip = {plan.item[item].clip_id: own for item, own in study.scores.items()}
    assert by_clip["system1/text02"]["dnsmos_ovrl"] == 3.25 and "dnsmos_ovrl" not in by_clip["system1/text01"]
    again = open_study(ListeningConfig(test_folder=str(tmp_path / "test")))
    assert again.scores == study.scores and again.prepared.plan.plan_id == plan.plan_id


def test_a_databases_export_brings_the_same(tmp_path):
    with Store.open(tmp_path / "db.sqlite") as store:
        records, members = [], []
        for position, result in enumerate(results(tmp_path)):
            key = RowKey(result.file_hash, "tones", f"t{position}")
            members.append(Member(position, key, result.clip))
            values = {name: value for name, value in result.scores.items() if name.startswith("dnsmos")}
            records.append(StageRecord(key, result.clip, "dnsmos", StageResult("d", values, 0.1)))
        store.write(records, scan_id="s", members=members)
        store.export(tmp_path / "export.parquet")
    found = {one.clip.clip_id: one for one in read_scored_clips(tmp_path / "export.parquet")}
    assert found["system0/text01"].scores == {"dnsmos_ovrl": 2.25} and found["system0/text01"].clip.speaker == "system0"
    assert not any(one.clip.fault for one in found.values()) and judge_columns(one.scores for one in found.values()) == ["dnsmos_ovrl"]


def test_a_clip_that_was_judged_in_two_versions_has_the_scores_of_the_one_that_is_played(tmp_path):
    new, old, path = results(tmp_path), [], tmp_path / "old.wav"
    write_wav(tone(0.4), path)
    for result in new:
        gone = path if "0" in result.clip.speaker else tmp_path / "gone.wav"
        old.append(replace(result, clip=replace(result.clip, audio=str(gone)), file_hash=content_hash(read(path)), scores={"dnsmos_ovrl": 1.0}))
    for name, order in (("new first", [*new, *old]), ("old first", [*old, *new])):
        write_parquet(order, tmp_path / "results.parquet")
        study = open_study(ListeningConfig(results=str(tmp_path), test_folder=str(tmp_path / name), **QUIET))
        for item, own in study.scores.items():
            assert (own.get("dnsmos_ovrl") == 1.0) == (study.prepared.plan.item[item].duration_sec == 0.4)


def test_audio_that_is_gone_or_changed_since_it_was_judged_takes_no_part(tmp_path):
    write_parquet(results(tmp_path), tmp_path / "results.parquet")
    (tmp_path / "clips" / "system0" / "text00.wav").unlink()
    write_wav(tone(0.3), tmp_path / "clips" / "system1" / "text01.wav")
    study = open_study(ListeningConfig(results=str(tmp_path), test_folder=str(tmp_path / "test"), **QUIET))
    why = {one.clip_id: one.why for one in study.prepared.left_out}
    assert len(study.prepared.plan.texts) == 1
    assert "text00.wav" in why["system0/text00"] and "no longer holds the audio that was judged" in why["system1/text01"]


def test_clips_alone_make_a_test_without_scores(tmp_path):
    for clip in tone_clips(tmp_path / "clips", systems=2, texts=2):
        Path(clip.audio).with_suffix(".txt").write_text(clip.text + "\n")
    study = open_study(ListeningConfig(manifest=str(tmp_path / "clips"), judges=(), test_folder=str(tmp_path / "test"), **QUIET), say=lambda line: None)
    assert study.prepared.plan.systems == ("system0", "system1") and study.judges == [] and study.stages == ()


def test_a_voice_that_cannot_speak_here_is_left_out_and_named(tmp_path, speaking_voice):
    voices = (speaking_voice, "kokoro/af_heart")
    config = ListeningConfig(texts="everyday", text_limit=1, voices=voices, missing_engines="skip", judges=(), test_folder=str(tmp_path / "test"),
                             speech_folder=str(tmp_path / "speech"), instruction_voice="", mos_trials=1, ab_trials=0)  # fmt: skip
    study = open_study(config, say=lambda line: None)
    assert study.prepared.plan.systems == (speaking_voice,) and any("kokoro/af_heart left out" in remark for remark in study.remarks)


def test_what_is_no_source_is_refused(tmp_path):
    write_parquet([], tmp_path / "results.parquet")
    (tmp_path / "notes.parquet").write_text("no table")
    where = str(tmp_path / "test")
    for given, error, told in (
        ({"results": "a", "manifest": "b"}, ConfigError, "several sources"),
        ({"results": str(tmp_path / "absent.parquet")}, ListeningError, "results cannot be read"),
        ({"results": str(tmp_path / "notes.parquet")}, ListeningError, "results cannot be read"),
        ({"results": str(tmp_path)}, ConfigError, "no text is there in every system"),
        ({}, ListeningError, "no listening test lies here"),
    ):
        with pytest.raises(error, match=told):
            open_study(ListeningConfig(test_folder=where, **QUIET, **given))
