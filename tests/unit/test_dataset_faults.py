"""Faults of the text, of the audio and copies are told apart, and what one explains is not held against another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.datasets_for_tests import STAGES, Scanned, fill
from workbench.datasets.chunks import Chunk, ChunkMaker
from workbench.datasets.columns import catalogue
from workbench.datasets.faults import Bounds, Fault, Usual
from workbench.datasets.reading import Reading
from workbench.store import Store

TEXT = "the old lamp stood on the table by the window of the small house"
OTHER = "nobody knew why seven grey horses came running down that road again"
USUAL = Usual(chars_per_sec=16.0)


def chunk_of(clips: list[Scanned], *, bounds: Bounds | None = None, usual: Usual = USUAL) -> Chunk:
    with Store.open(":memory:") as store:
        fill(store, clips, scan_id="s")
        reading = Reading(store, "s", STAGES, 0.5)
        (chunk,) = ChunkMaker(bounds or Bounds(), usual).chunks(reading.results())
    return chunk


def faults(*clips: Scanned, **how) -> list[set[Fault]]:
    return [set(found) for found in chunk_of(list(clips), **how).faults]


def test_a_good_clip_has_none():
    assert faults(Scanned("good", TEXT)) == [set()]


def test_a_text_that_both_engines_hear_otherwise_is_another_clips():
    assert faults(Scanned("a", TEXT, fast=OTHER, precision=OTHER)) == [{Fault.OTHER_WORDS}]


def test_engines_that_hear_something_else_each_blame_the_audio():
    mumbled = "a lap to no other big for some in or hill us what"
    assert faults(Scanned("a", TEXT, fast=OTHER, precision=mumbled)) == [{Fault.WORDS_WRONG}]


def test_one_engine_alone_is_no_witness_against_the_text():
    with Store.open(":memory:") as store:
        fill(store, [Scanned("a", TEXT, fast=OTHER)], scan_id="s")
        (chunk,) = ChunkMaker(Bounds(), USUAL).chunks(Reading(store, "s", STAGES[:1] + STAGES[2:], 0.5).results())
    assert chunk.faults == ((Fault.WORDS_WRONG,),)


@pytest.mark.parametrize(("sec", "expected"), [(1.9, {Fault.TEXT_TOO_LONG}), (9.5, {Fault.TEXT_TOO_SHORT}), (4.6, set()), (3.0, set()), (7.2, set())])
def test_a_text_too_long_or_too_short_for_its_audio_is_found_by_its_rate(sec, expected):
    assert faults(Scanned("a", TEXT, signal={"duration_sec": sec, "silence_pct": 10.0})) == [expected]


def test_the_rate_is_taken_over_what_sounds():
    assert faults(Scanned("a", TEXT, signal={"duration_sec": 12.0, "silence_pct": 60.0})) == [set()]
    assert faults(Scanned("a", TEXT, signal={"duration_sec": 12.0, "silence_pct": 0.0})) == [{Fault.TEXT_TOO_SHORT}]


def test_without_a_usual_rate_none_is_called_too_long():
    assert faults(Scanned("a", TEXT, signal={"duration_sec": 1.0}), usual=Usual(None)) == [set()]


def test_a_typo_and_a_missing_space_are_faults_of_the_text():
    said = "the orchestra played until the window was closed"
    typo, joined = said.replace("orchestra", "ohrcestra"), said.replace("window was", "windowwas")
    assert faults(Scanned("a", typo, fast=said, precision=said), Scanned("b", joined, fast=said, precision=said)) == [{Fault.TYPO}, {Fault.SPACING}]


def test_missing_words_at_the_end_are_a_cut_recording():
    half = " ".join(TEXT.split()[:8])
    found = faults(Scanned("a", TEXT, fast=half, precision=half, signal={"duration_sec": 3.2}))
    assert found == [{Fault.CUT_OFF, Fault.WORDS_WRONG}]


def test_a_recording_of_which_most_is_missing_is_no_other_text():
    start = " ".join(TEXT.split()[:5])
    assert faults(Scanned("a", TEXT, fast=start, precision=start, signal={"duration_sec": 3.0})) == [{Fault.CUT_OFF, Fault.WORDS_WRONG}]


def test_another_text_is_found_though_the_second_engine_leans_towards_the_written_one():
    leaning = "nobody knew why seven grey lamp came running down the table again"
    assert faults(Scanned("a", TEXT, fast=OTHER, precision=leaning)) == [{Fault.OTHER_WORDS}]


def test_a_text_that_is_too_long_is_not_called_a_cut_recording_as_well():
    half = " ".join(TEXT.split()[:6])
    assert faults(Scanned("a", TEXT, fast=half, precision=half, signal={"duration_sec": 1.9})) == [{Fault.TEXT_TOO_LONG}]


def test_repeated_and_added_words_are_faults_of_the_audio():
    repeated = TEXT.replace("on the table", "on the table on the table")
    (found,) = faults(Scanned("a", TEXT, fast=repeated, precision=repeated))
    (more,) = faults(Scanned("b", TEXT, fast=f"{TEXT} good night", precision=f"{TEXT} good night"))
    assert Fault.REPEATED in found and Fault.ADDED in more and all(fault.family == "audio" for fault in found | more)


@pytest.mark.parametrize(
    ("signal", "fault"),
    [({"clipping_pct": 0.5}, Fault.CLIPPED), ({"bandwidth_hz": 8000.0}, Fault.LOW_CEILING), ({"rms_db": -75.0}, Fault.SILENT)],
)
def test_what_the_signal_shows_is_a_fault_of_the_audio(signal, fault):
    assert faults(Scanned("a", TEXT, signal=signal)) == [{fault}]


def test_bounds_move_the_faults():
    clip = Scanned("a", TEXT, signal={"clipping_pct": 0.5, "bandwidth_hz": 8000.0})
    assert faults(clip, bounds=Bounds(clipping_pct=1.0, bandwidth_share=0.5)) == [set()]


def test_nothing_heard_is_silence_and_no_fault_of_the_text():
    assert faults(Scanned("a", TEXT, fast="", precision="")) == [{Fault.SILENT}]


def test_a_clip_without_a_text_and_one_without_audio_are_each_told():
    found = faults(Scanned("a", "?!", fast="", precision=""), Scanned("b", TEXT, unreadable=True))
    assert Fault.NO_TEXT in found[0] and found[1] == {Fault.UNREADABLE}


def test_copies_are_known_by_audio_and_by_the_words_of_one_speaker():
    clips = [
        Scanned("first", TEXT, audio="x"),
        Scanned("same audio", TEXT, audio="x"),
        Scanned("same words", TEXT.upper() + ".", audio="y"),
        Scanned("another speaker", TEXT, audio="z", speaker="bert"),
        Scanned("same audio, other text", OTHER, audio="x", fast=OTHER, precision=OTHER),
    ]
    assert faults(*clips) == [set(), {Fault.SAME_AUDIO}, {Fault.SAME_TEXT}, set(), {Fault.SAME_AUDIO}]


def test_unreadable_clips_are_no_copies_of_each_other():
    assert faults(*(Scanned(name, TEXT, unreadable=True) for name in "abc")) == [{Fault.UNREADABLE}] * 3


def test_every_fault_has_a_family_a_meaning_and_a_column():
    for fault in Fault:
        assert fault.family in ("text", "audio", "copy") and fault.meaning and catalogue()[fault.value].kind == "truth"


def test_a_chunk_has_every_column_of_the_catalogue():
    chunk = chunk_of([Scanned("a", TEXT), Scanned("b", TEXT, unreadable=True)])
    assert set(catalogue()) == set(chunk.columns)
    kinds = {"f": "number", "b": "truth", "O": "text"}
    assert all(kinds[chunk.columns[name].dtype.kind] == column.kind and len(chunk.columns[name]) == 2 for name, column in catalogue().items())
    assert chunk.columns["wer_fast"][0] == 0.0 and chunk.columns["wer_fast"][1] != chunk.columns["wer_fast"][1]
    assert chunk.columns["bandwidth_share"][0] == pytest.approx(11500 / 12000) and chunk.readable.tolist() == [True, False]


def test_the_usual_rate_is_the_median_and_needs_some_clips():
    clips = [Scanned(f"c{n}", TEXT, signal={"duration_sec": 4.0 if n else 40.0, "silence_pct": 0.0}) for n in range(12)]
    with Store.open(":memory:") as store:
        fill(store, clips, scan_id="s")
        fill(store, [replace(clip, clip_id=f"few-{clip.clip_id}") for clip in clips[:5]], scan_id="few", dataset="few")
        assert Reading(store, "s", STAGES, 0.5).usual().chars_per_sec == pytest.approx(len(TEXT) / 4.0)
        assert Reading(store, "s", None, 0.5).usual() == Reading(store, "s", STAGES, 0.5).usual()
        assert Reading(store, "few", STAGES, 0.5).usual().chars_per_sec is None
