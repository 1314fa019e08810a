"""Homographs of scanned clips: every occurrence gets its verdict, the suspects come as a ranked list that can be heard, and nothing fails where there are none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import tone
from workbench.audio import write_wav
from workbench.clips import Clip
from workbench.errors import ConfigError, Failure, UnknownNameError
from workbench.homographs.calibration import shipped
from workbench.homographs.decide import Decision, Evidence, HomographVerdict
from workbench.homographs.judging import Judged
from workbench.report import homographs
from workbench.scan.homograph_review import HomographResult, HomographReview, review_homographs
from workbench.scan.plan import ScanConfig
from workbench.scan.reading import read_results
from workbench.scan.results import ClipResult
from workbench.scan.scanning import scan
from workbench.scan.speak import TextToSpeak, Voice, speak
from workbench.store import Store
from workbench.text import tokenise

TEXT = "Café: she <b>lives</b> here & he will read it."


def result_of(clip: Clip, *failures: Failure) -> ClipResult:
    return ClipResult(clip, "hash", 1.0, tokenise(clip.text), None, None, None, {}, failures, (), {})


@pytest.fixture
def clip(tmp_path) -> Clip:
    write_wav(tone(1.0), tmp_path / "a.wav")
    return Clip("a", str(tmp_path / "a.wav"), TEXT, "d", speaker="flite/slt")


def suspect(clip: Clip, score: float, *, verdict=HomographVerdict.SUSPECT) -> HomographResult:
    evidence = Evidence("lives", clip.speaker, "verb", 0.97, "vowel", score)
    judged = Judged(Decision(verdict, "the audio speaks for another reading"), evidence, "noun", score, (0.4, 0.6))
    start = TEXT.index("lives")
    return HomographResult(result_of(clip), "lives", (start, start + 5), judged)


def shown(review: HomographReview | None, **options) -> str:
    return "".join(piece.html for piece in homographs.section(review, **{"most": 5, "budget_bytes": 10**6} | options))


def test_the_most_suspicious_stands_first_with_its_sentence_its_readings_and_its_sound(clip):
    found = (suspect(clip, -1.0), suspect(replace(clip, clip_id="b"), -4.0), suspect(clip, 3.0, verdict=HomographVerdict.CORRECT))
    review = HomographReview(found, shipped("pocketsphinx"), 2)
    assert [one.result.clip.clip_id for one in review.ranked] == ["b", "a"]
    page = shown(review)
    assert page.count("<audio") == 2 and page.index("lives in b") < page.index("lives in a")
    assert "&lt;b&gt;<strong>lives</strong>&lt;/b&gt;" in page and all(f'{reading} <span class="wb-nowrap">/' in page for reading in ("verb", "noun"))
    assert homographs.sentence(review) == " Of 3 homographs 3 could be decided, 2 of them are suspect."
    assert homographs.metrics(review)["suspect"] == 2 and homographs.metrics(review)["suspects"][0]["clip_id"] == "b"


def test_sound_stays_within_the_budget_and_a_lost_file_is_told(clip, tmp_path):
    review = HomographReview((suspect(clip, -1.0),), shipped("pocketsphinx"), 1)
    assert "audio left out: budget" in shown(review, budget_bytes=100)
    (tmp_path / "a.wav").unlink()
    page = shown(review)
    assert "no audio" in page and "<audio" not in page


def test_where_nothing_is_asked_or_found_a_sentence_says_so(clip):
    assert "not looked at" in shown(None) and homographs.metrics(None) is None
    plain = result_of(replace(clip, text="nothing to weigh"))
    assert "No homograph stands in the texts of 1 clips." in shown(review_homographs([plain], say=lambda _line: None))


def test_every_occurrence_is_judged_but_not_in_clips_that_could_not_be_read(clip):
    lost = result_of(replace(clip, clip_id="lost"), Failure("audio", "AudioError", "no such file"))
    review = review_homographs([result_of(clip), lost], say=lambda _line: None)
    assert review.clips == 1 and [one.word for one in review.found] == ["lives", "read"]
    assert [TEXT[slice(*one.span)] for one in review.found] == ["lives", "read"]
    # A tone says nothing of the sentence, so nothing is called right or wrong.
    assert not {one.judged.verdict for one in review.found} & {HomographVerdict.CORRECT, HomographVerdict.SUSPECT}


def test_a_clip_that_says_another_sentence_is_not_judged_by_it(tmp_path, speaking_voice):
    said = {"same": "Two farmers live near the wind mill.", "other": "Nobody knew how many apples were left."}
    spoken = speak([TextToSpeak(name, text) for name, text in said.items()], [Voice.parse(speaking_voice)], folder=tmp_path, dataset="d", say=lambda _line: None).clips
    clips = [replace(clip, text=said["same"]) for clip in spoken]
    config = ScanConfig(judges=())
    with Store.open(tmp_path / "r.sqlite") as store:
        summary = scan(clips, config, store, scan_id="s", say=lambda _line: None)
        results = list(read_results(store, "s", summary.stages, log_ratio_threshold=0.5, cascade=config.cascade))
    review = review_homographs(results, say=lambda _line: None)
    told = {clip_id: [one.judged for one in review.found if one.result.clip.clip_id == clip_id] for clip_id in {one.result.clip.clip_id for one in review.found}}
    assert len(told) == 2
    for clip_id, judged in told.items():
        other = "other" in clip_id
        assert all(("other words" in one.reason) is other for one in judged) and (not other or {one.verdict for one in judged} == {HomographVerdict.UNSCORABLE})


def test_a_listener_or_a_calibration_that_is_not_there_is_refused_at_once(clip):
    with pytest.raises((ConfigError, UnknownNameError)):
        review_homographs([result_of(clip)], listener="pocketsphynx")
    with pytest.raises(ConfigError, match="cannot be read"):
        review_homographs([result_of(clip)], calibration="nowhere.json")
