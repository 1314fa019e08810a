"""From rows to results: thresholds move verdicts without computing, tables and files tell the same numbers."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from workbench.clips import Clip
from workbench.scan import summaries
from workbench.scan.codec import transcript_columns, transcript_of
from workbench.scan.export import write_parquet
from workbench.scan.stages import StagePlan
from workbench.scan.reading import read_results, transcripts
from workbench.scan.worker import AUDIO_FINGERPRINT
from workbench.store import Member, RowKey, StageRecord, StageResult, Store
from workbench.stt.base import Evidence, Transcript, Word
from workbench.verdicts.base import Verdict

STAGES = (StagePlan("fast", "stt", "pocketsphinx", "f"), StagePlan("precision", "stt", "pocketsphinx-grammar", "p", needs_reference=True), StagePlan("dnsmos", "judge", "dnsmos", "d"))


def said(text: str) -> tuple[Word, ...]:
    return tuple(Word(word, round(i * 0.3, 2), round(i * 0.3 + 0.25, 2), 0.9) for i, word in enumerate(text.split()))


FAST = Transcript(said("the dog sat down"), "pocketsphinx", "posterior")
PRECISION = Transcript(said("the cat sat down"), "pocketsphinx-grammar", "none", (Evidence(1, 2, -1.5, (Word("dog", 0.3, 0.55, None),)),))


@pytest.fixture
def store(tmp_path):
    """Two clips: one whose second word is in doubt, one that could not be read."""
    good = Clip("good", "good.wav", "The cat sat down.", "data", speaker="one")
    bad = Clip("bad", "bad.wav", "Nothing to hear.", "data", speaker="two")
    keys = RowKey("h1", "data", "t1"), RowKey("h2", "data", "t2")
    with Store.open(tmp_path / "db.sqlite") as opened:
        opened.write(
            [
                StageRecord(keys[0], good, "audio", StageResult(AUDIO_FINGERPRINT, {"channels": 1}, 0.0)),
                StageRecord(keys[0], good, "fast", StageResult("f", transcript_columns("fast", FAST), 0.5)),
                StageRecord(keys[0], good, "precision", StageResult("p", transcript_columns("precision", PRECISION), 0.2)),
                StageRecord(keys[0], good, "dnsmos", StageResult("d", {"dnsmos_ovrl": 3.2, "dnsmos_notes": ["peak 1.20: judged on a copy normalised to 0.99"]}, 0.1)),
                StageRecord(keys[1], bad, "audio", StageResult(AUDIO_FINGERPRINT, {}, 0.0, {"type": "AudioError", "message": "zero bytes", "attempts": 1})),
            ],
            scan_id="s",
            members=[Member(0, keys[0], good), Member(1, keys[1], bad)],
        )
        yield opened


def test_transcripts_survive_the_store():
    for stage, transcript in (("fast", FAST), ("precision", PRECISION)):
        columns = json.loads(json.dumps(transcript_columns(stage, transcript)))
        assert transcript_of(stage, columns) == transcript


def test_the_threshold_moves_the_verdict_and_the_store_follows(store):
    def second_word(threshold: float) -> Verdict:
        results = list(read_results(store, "s", STAGES, log_ratio_threshold=threshold))
        return results[0].verdicts.words[1].verdict

    assert second_word(0.0) is Verdict.TTS_FAILURE
    row = store.read([RowKey("h1", "data", "t1")])[RowKey("h1", "data", "t1")].columns
    assert (row["n_tts_failure"], row["verdict_threshold"], row["reference_words"]) == (1, 0.0, 4)
    assert second_word(-3.0) is Verdict.STT_ERROR
    row = store.read([RowKey("h1", "data", "t1")])[RowKey("h1", "data", "t1")].columns
    assert (row["n_tts_failure"], row["n_stt_error"], row["verdict_threshold"]) == (0, 1, -3.0)


def test_faults_and_notes_reach_the_result(store):
    good, bad = read_results(store, "s", STAGES, log_ratio_threshold=0.0)
    assert good.notes == ("peak 1.20: judged on a copy normalised to 0.99",) and good.failures == ()
    assert [(f.stage, f.type, f.message) for f in bad.failures] == [("audio", "AudioError", "zero bytes")]
    assert bad.verdicts is None and [t[1] is None for t in transcripts(store, "s", STAGES)] == [False, True]


def test_tables_count_what_failed(store):
    results = list(read_results(store, "s", STAGES, log_ratio_threshold=0.0))
    one, two, total = summaries.summarise_voices(results, seed=1)
    assert (one.voice, one.words, one.tts_failure, one.failed) == ("one", 4, 1, 0)
    assert (two.words, two.failed, two.wer_fast.value) == (0, 1, None)
    assert (total.voice, total.clips, total.failed, total.audio_error_rate.value) == ("all", 2, 1, 0.25)
    assert summaries.failure_counts(results) == [("audio", "AudioError", 1, "bad: zero bytes")]
    assert [row.by_verdicts.value for row in summaries.yields(results, seed=1)] == [0.0, 0.0, 0.0]
    assert [row.stage for row in summaries.stage_times(results, {s.name: s.engine for s in STAGES})] == ["fast", "precision", "dnsmos"]


def test_the_worst_and_the_sample_are_chosen_as_said(store):
    results = list(read_results(store, "s", STAGES, log_ratio_threshold=0.0))
    assert {r.clip.clip_id for r in summaries.worst(results, 2)} == {"good", "bad"}
    many = results * 10
    assert summaries.random_sample(many, 5, seed=3) == summaries.random_sample(many, 5, seed=3)
    assert len(summaries.random_sample(many, 50, seed=3)) == 20 and summaries.random_sample([], 5, seed=3) == []


def test_parquet_is_the_same_bytes_each_time(store, tmp_path):
    for name in ("a", "b"):
        write_parquet(read_results(store, "s", STAGES, log_ratio_threshold=0.0), tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["clip_id"] for row in rows] == ["good", "bad"]
    assert rows[0]["n_tts_failure"] == 1 and rows[1]["reference_words"] is None and "zero bytes" in rows[1]["failures"]
