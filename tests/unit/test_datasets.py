"""Datasets side by side: coverage, copies across datasets, planted faults, and one streaming pass over many clips."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import tone
from tests.datasets_for_tests import STAGES, Scanned, fill
from workbench.audio import write_wav
from workbench.clips import load_audio, open_manifest
from workbench.datasets.chunks import ChunkMaker
from workbench.datasets.claims import claims_of
from workbench.datasets.columns import kinds
from workbench.datasets.comparison import Compared, DatasetComparisonConfig, _overlap, _side_by_side
from workbench.datasets.coverage import coverage, distinct_at
from workbench.datasets.faults import Bounds, Fault, Usual
from workbench.datasets.planted import MARK, Planted, plant
from workbench.datasets.profile import Collector, Profile
from workbench.datasets.reading import Reading
from workbench.datasets.rules import STANDARD, parse_all
from workbench.datasets.sources import DatasetClips, open_dataset
from workbench.errors import ConfigError
from workbench.report.dataset_comparison import DatasetComparisonReport
from workbench.report.dataset_differences import differences
from workbench.report.session import Run
from workbench.scan.comparison_metrics import judge_title
from workbench.scan.reference import check_text
from workbench.scan.scanning import ScanSummary
from workbench.scan.sources import Source
from workbench.stats.independent import Sample, gaps
from workbench.store import Store
from workbench.text.prompts import load_prompts

TEXTS = ["the lamp stood on the table by the window", "a narrow path leads from the chapel to the spring", "she opened the letter slowly and read it twice"]


def profile_of(clips, *, name: str = "data", worst: int = 3, sampled: int = 3, store: Store | None = None) -> Profile:
    with Store.open(":memory:") as own:
        fill(store or own, clips, scan_id=name, dataset=name)
        rules = parse_all({**STANDARD, "mine": "balanced and not copy_fault"}, columns=kinds())
        collector = Collector(name, rules, Usual(None), 1, worst=worst, sampled=sampled)
        for chunk in ChunkMaker(Bounds(), Usual(None)).chunks(Reading(store or own, name, STAGES, 0.5).results()):
            collector.add(chunk)
        return collector.profile()


def test_words_and_phones_are_counted():
    found = coverage(Counter({"cat": 3, "see": 1, "zqx": 1}))
    assert (found.words, found.distinct, found.once, found.unlisted) == (5, 3, 2, 1)
    assert found.phones["K"] >= 3 and found.phones["AE"] == 3 and found.phones["ZH"] == 0 and found.phones_covered < 39
    assert coverage({}).words == 0 and coverage({}).phones_covered == 0


def test_vocabularies_of_different_sizes_compare_at_equal_length():
    words = ["a"] * 40 + ["b"] * 9 + ["c"] * 3 + list("defgh")
    rng = np.random.default_rng(1)
    drawn = np.mean([len(set(rng.choice(words, 20, replace=False))) for _ in range(4000)])
    assert distinct_at(Counter(words), 20) == pytest.approx(drawn, abs=0.06)
    assert distinct_at(Counter(words), len(words)) == pytest.approx(8)
    assert distinct_at(Counter(words), len(words) + 1) is None and distinct_at(Counter(), 1) is None


def test_a_profile_counts_what_the_clips_hold():
    clips = [Scanned(f"c{n}", TEXTS[n % 3], audio=f"a{n}", speaker="anna" if n < 4 else "bert") for n in range(6)]
    clips += [Scanned("worse", TEXTS[0], fast="the lamb stood on the table", audio="w"), Scanned("broken", TEXTS[1], unreadable=True)]
    found = profile_of(clips)
    assert found.clips == 8 and found.failed == 1 and found.speakers == {"anna": 6, "bert": 2}
    assert found.faults[Fault.UNREADABLE] == 1 and found.faults[Fault.SAME_TEXT] == 2 and found.with_fault["any"] == found.clips - 5
    assert np.isnan(found.numbers["wer_fast"][-1]) and found.numbers["wer_fast"][0] == 0
    assert found.failures[("audio", "AudioError")][0] == 1
    assert [count.name for count in found.rules] == ["strict", "balanced", "permissive", "mine"]
    assert found.kept["mine"].sum() == found.rules[-1].kept == 5
    assert {heard.result.clip.clip_id for heard in found.heard["audio"]} >= {"broken"} and len(found.heard["sample"]) == 3


def report_of(tmp_path, *profiles: Profile, **given: object) -> DatasetComparisonReport:
    """The report of datasets with these profiles."""
    config = DatasetComparisonConfig.of({"datasets": {profile.name: "x" for profile in profiles}, **given})
    done = tuple(
        Compared(DatasetClips(p.name, [], Source(p.name, "made up", p.clips, 0.0, ()), p.name), ScanSummary(p.name, STAGES, p.clips, 0, 1, 2.0, 1.0, {}, 0.0, 1), p)
        for p in profiles
    )
    return DatasetComparisonReport(_side_by_side(done, STAGES), config, Run("dataset_comparison", config, outputs=tmp_path))


def test_faulty_clips_that_are_not_shown_are_not_called_none(tmp_path):
    for worst, told in ((0, "parameter <code>worst_clips</code> is 0"), (2, "Faults of the text: none.")):
        profile = profile_of([Scanned("worse", TEXTS[0], fast="the lamb", precision="the lamb", audio="w")], worst=worst)
        shown = "".join(piece.html for piece in report_of(tmp_path, profile, worst_clips=worst).listen())
        assert told in shown and profile.with_fault["audio"] == 1 and (worst == 0) == ("none." not in shown)


def test_a_judge_that_one_dataset_lacks_is_named_beside_the_claims(tmp_path):
    clips = [Scanned(f"c{n}", f"{TEXTS[n % 3]} again {n}", audio=f"a{n}", dnsmos=3 + n % 3) for n in range(6)]
    judged, unjudged = profile_of(clips, name="judged"), profile_of([replace(clip, dnsmos=float("nan")) for clip in clips], name="unjudged")
    comparison = report_of(tmp_path, judged, unjudged).comparison
    assert comparison.lacking == {"dnsmos": ("unjudged",)}
    assert f"unjudged has no value of {judge_title('dnsmos')} and is not compared on it." in "".join(piece._repr_html_() for piece in differences(comparison))
    assert not report_of(tmp_path, judged, profile_of(clips, name="other")).comparison.lacking


def test_datasets_that_share_texts_or_audio_are_found_out():
    a = profile_of([Scanned("1", TEXTS[0], audio="x"), Scanned("2", TEXTS[1], audio="y"), Scanned("u", TEXTS[2], unreadable=True)], name="a")
    b = profile_of([Scanned("1", TEXTS[0] + "!", audio="x"), Scanned("3", "other words", audio="z"), Scanned("u", "none here", unreadable=True)], name="b")
    shared = _overlap(a, b)
    assert (shared.texts, shared.audio) == (1, 1) and 0 < shared.words_of_a_in_b < 1


def test_sentences_say_what_the_difference_may_come_from():
    rng = np.random.default_rng(2)
    low, high = (Sample(np.abs(rng.normal(mean, 0.05, 60)), np.arange(60)) for mean in (0.1, 0.4))
    found = gaps({"mean WER": {"tidy": low, "robot": high}})
    (differ,) = claims_of(found, {})
    assert differ.sentence.startswith("robot is higher than tidy on mean WER by 29.4 points [27.6, 31.2]")
    assert "p < .001 (Holm over 1 comparisons, 60 and 60 texts)" in differ.sentence and "their texts differ, and the difference may come from them" in differ.sentence
    (same,) = claims_of(found, {frozenset(("tidy", "robot")): 60})
    assert "text by text" in same.sentence
    (some,) = claims_of(found, {frozenset(("tidy", "robot")): 12})
    assert "they share 12 texts" in some.sentence
    # All texts of the smaller one are not all texts.
    (part,) = claims_of(gaps({"mean WER": {"tidy": Sample(low.values[:30], np.arange(30)), "robot": high}}), {frozenset(("tidy", "robot")): 30})
    assert "they share 30 texts, and the difference may come from the others" in part.sentence
    (tie,) = claims_of(gaps({"confidence": {"a": Sample(low.values[:20], np.arange(20)), "b": Sample(low.values[20:45], np.arange(25))}}), {})
    assert "cannot be told apart on confidence with 20 and 25 texts" in tie.sentence and "would settle" in tie.sentence
    hardly = gaps({"mean WER": {"a": Sample(0.05 + 1e-5 * low.values, np.arange(60)), "b": Sample(0.0502 + 1e-5 * low.values, np.arange(60))}})
    assert "b is higher than a on mean WER by 0.02 points [0.0" in claims_of(hardly, {})[0].sentence
    (few,) = claims_of(gaps({"confidence": {"a": Sample(np.ones(1), np.arange(1)), "b": low}}), {})
    assert few.sentence.startswith("Nothing can be said of a and b on confidence")


@pytest.fixture
def spoken(tmp_path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    words = "narrow bicycle orchestra chapel ribbon sawdust mountain shoulder picture yesterday".split()
    for n in range(24):
        write_wav(tone(0.5 + 0.02 * n, pitch_hz=150 + 7 * n), folder / f"c{n:02d}.wav")
        (folder / f"c{n:02d}.txt").write_text(f"the {words[n % 10]} was near the old {words[(3 * n + 1) % 10]} again {n} times")
    return folder


def test_every_kind_of_fault_is_planted_once_and_the_rest_stays(spoken, tmp_path):
    clips = open_manifest(spoken)
    manifest, altered = plant(clips, folder=tmp_path / "planted", dataset="d", each=1, seed=1, most_clips=100)
    found, before = list(manifest), {clip.clip_id: clip for clip in clips}
    marked = {Planted(clip.extra[MARK]): clip for clip in found if MARK in clip.extra}
    assert set(marked) == set(Planted) and altered == len(Planted) and len(found) == 24 + 2
    for clip in found:
        if MARK not in clip.extra:
            assert (clip.text, clip.audio) == (before[clip.clip_id].text, before[clip.clip_id].audio)
    assert np.abs(load_audio(marked[Planted.SILENCED]).samples).max() == 0
    assert (np.abs(load_audio(marked[Planted.CLIPPED]).samples) > 0.999).mean() > 0.01
    assert load_audio(marked[Planted.CUT]).duration_sec == pytest.approx(0.6 * load_audio(before[marked[Planted.CUT].clip_id]).duration_sec, abs=0.01)
    assert marked[Planted.SAME_AUDIO].audio in {clip.audio for clip in before.values()}
    assert len(marked[Planted.LONG_TEXT].text) > 1.9 * len(before[marked[Planted.LONG_TEXT].clip_id].text)
    assert marked[Planted.OTHER_TEXT].text != before[marked[Planted.OTHER_TEXT].clip_id].text


def test_a_text_that_was_altered_keeps_no_spoken_forms_that_do_not_fit_it(spoken, tmp_path):
    clips = [replace(clip, extra={**clip.extra, "spoken_forms": f"{n} = so many"}) for n, clip in enumerate(open_manifest(spoken))]
    manifest, _ = plant(clips, folder=tmp_path / "planted", dataset="d", each=1, seed=1, most_clips=100)
    found = list(manifest)
    for clip in found:
        check_text(clip)
    kept = {clip.extra.get(MARK) for clip in found if "spoken_forms" in clip.extra}
    assert {None, Planted.LONG_TEXT, Planted.CUT} <= kept and Planted.SHORT_TEXT not in kept


def test_planting_again_changes_no_byte(spoken, tmp_path):
    manifests = [plant(open_manifest(spoken), folder=tmp_path / "p", dataset="d", each=1, seed=3, most_clips=100)[0] for _ in range(2)]
    files = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "p").glob("*.wav")}
    assert [clip for clip in manifests[0]] == [clip for clip in manifests[1]] and len(files) == 5


def test_copies_hold_their_own_clips_audio_whatever_the_clips_are_called_and_whatever_was_planted_before(tmp_path):
    def lengths() -> dict[str, float]:
        manifest, _ = plant(open_manifest(tmp_path / "clips"), folder=tmp_path / "p", dataset="d", each=3, seed=4, most_clips=100)
        return {clip.clip_id.removesuffix("-again"): load_audio(clip).duration_sec for clip in manifest if clip.extra.get(MARK) == "same_text"}

    for longer in (0.0, 0.5):
        for n in range(44):
            for place, name in enumerate((f"s{n}/x", f"s{n}_x")):
                path = tmp_path / "clips" / f"{name}.wav"
                write_wav(tone(0.3 + 0.2 * place + longer), path)
                path.with_suffix(".txt").write_text(f"the narrow bicycle was near the old chapel {('again', 'before')[place]} {n} times")
        found = lengths()
        assert {"s27/x.wav", "s27_x.wav"} <= found.keys()
        assert all(sec == pytest.approx((0.3 if "/" in clip_id else 0.5) + longer, abs=0.01) for clip_id, sec in found.items())


def test_too_few_or_too_many_clips_to_plant_into_are_refused(spoken, tmp_path):
    with pytest.raises(ConfigError, match="at least 66"):
        plant(open_manifest(spoken), folder=tmp_path / "p", dataset="d", each=3, seed=1, most_clips=100)
    with pytest.raises(ConfigError, match="clip_limit"):
        plant(open_manifest(spoken), folder=tmp_path / "p", dataset="d", each=1, seed=1, most_clips=10)


def test_a_spoken_dataset_knows_every_way_to_say_its_texts(tmp_path, speaking_voice):
    given = {"datasets": {"d": {"texts": "evaluation", "voices": [speaking_voice], "text_limit": 3}}, "speech_folder": str(tmp_path), "workers": 1}
    found = open_dataset("d", DatasetComparisonConfig.of(given), say=lambda line: None)
    prompts = load_prompts("evaluation", limit=3)
    assert [clip.extra for clip in found.clips] == [prompt.extra for prompt in prompts] and any("spoken_forms" in prompt.extra for prompt in prompts)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"datasets": {"a": {"source": "x", "texts": "everyday"}}}, "either source"),
        ({"datasets": {"a": {"texts": "everyday"}}}, "voices"),
        ({"datasets": {"a": {"sorce": "x"}}}, "source|sorce"),
        ({"datasets": {"a": "x"}, "judges": ["dnsmos"]}, "signal"),
        ({"datasets": {"a": "x"}, "bounds": {"rate_factor": 0.5}}, "rate_factor"),
        ({"datasets": {"a": "x"}, "kep": {}}, "did you mean keep"),
    ],
)
def test_wrong_parameters_are_refused_with_what_is_wrong(given, told):
    with pytest.raises(ConfigError, match=told):
        DatasetComparisonConfig.of(given)


def test_own_rules_are_checked_before_the_work_starts():
    config = DatasetComparisonConfig.of({"datasets": {"a": "x"}, "keep": {"mine": "wer_fst < 1"}})
    with pytest.raises(Exception, match="did you mean wer_fast"):
        config.rules()


def test_memory_does_not_hold_the_clips(tmp_path):
    held = {}
    with Store.open(tmp_path / "db.sqlite") as store:
        fill(store, (Scanned(f"clip number {n}", TEXTS[n % 3], audio=str(n)) for n in range(1250)), scan_id="s")
        collector = Collector("s", parse_all(STANDARD, columns=kinds()), Usual(None), 1)
        tracemalloc.start()
        for chunk in ChunkMaker(Bounds(), Usual(None)).chunks(Reading(store, "s", None, 0.5).results()):
            collector.add(chunk)
            held[collector.clips] = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    assert collector.profile().clips == 1250
    # A clip costs its numbers, some hundred bytes, where its result would cost tens of thousands.
    assert (held[1250] - held[500]) / 750 < 1500
