"""Planted errors: the truth about every word is known, and scoring counts what it says it counts."""

import pytest

from workbench.audio import Audio
from workbench.errors import ConfigError, TextError
from workbench.stt.base import Evidence, Transcript, Word
from workbench.text import sound_alike
from workbench.text.prompts import load_prompts
from workbench.verdicts.base import ClipVerdicts, EditCounts, Insertion, Verdict, WordVerdict
from workbench.verdicts.operating_point import SHIPPED, RocPoint, choose, roc
from workbench.verdicts.planted import ERROR_KINDS, Kind, PlantedText, plant
from workbench.verdicts.planted_audio import cut_tail, spoken_text
from workbench.verdicts.planted_score import count, score

TEXTS = [(prompt.prompt_id, prompt.text) for prompt in load_prompts("narrative_tune", limit=24)]


@pytest.fixture(scope="module")
def planted():
    return plant(TEXTS, seed=5, clean_share=0.25)


def test_the_tuning_and_test_texts_share_nothing():
    tune, test = ([prompt.text for prompt in load_prompts(name)] for name in ("narrative_tune", "narrative_test"))
    assert len(tune) >= 60 and len(test) >= 60
    assert not set(tune) & set(test)
    assert all(10 <= len(text.split()) <= 20 for text in tune + test)


def test_the_same_seed_plants_the_same_errors_and_another_seed_others(planted):
    assert plant(TEXTS, seed=5, clean_share=0.25) == planted
    assert plant(TEXTS, seed=6, clean_share=0.25) != planted


def test_kinds_are_planted_in_equal_numbers_and_a_share_stays_clean(planted):
    counted = {kind: sum(one.kind is kind for one in planted) for kind in Kind}
    assert counted[Kind.CLEAN] == 6
    assert all(counted[kind] == 3 for kind in ERROR_KINDS)


def test_untouched_words_are_spoken_as_written_and_touched_ones_are_not(planted):
    for one in planted:
        kept = [word for index, word in enumerate(one.reference) if index not in one.touched]
        match one.kind:
            case Kind.CLEAN:
                assert one.spoken == one.reference and not one.touched
            case Kind.DROPPED:
                assert list(one.spoken) == kept and len(one.touched) == 1
            case Kind.DOUBLED:
                (place,) = one.touched
                assert one.spoken == (*one.reference[: place + 1], *one.reference[place:])
            case Kind.SWAPPED:
                first, second = one.touched
                assert second == first + 1 and one.spoken[first : second + 1] == (one.reference[second], one.reference[first])
            case Kind.TAIL_CUT:
                assert one.spoken == one.reference and one.touched == tuple(range(one.keep, len(one.reference)))
            case _:
                (place,) = one.touched
                assert list(one.spoken[:place] + one.spoken[place + 1 :]) == kept and one.spoken[place] != one.reference[place]


def test_every_planted_error_can_be_heard(planted):
    for one in planted:
        if one.kind not in (Kind.CLEAN, Kind.TAIL_CUT):
            assert not sound_alike(list(one.reference), list(one.spoken)), one


def test_the_spoken_text_says_the_planted_words_with_the_punctuation_of_the_original(planted):
    from workbench.text import tokenise

    for one in planted:
        assert tuple(token.text for token in tokenise(one.text)) == one.spoken, one
    with_commas = [one for one in planted if "," in dict(TEXTS)[one.text_id]]
    assert with_commas and all("," in one.text for one in with_commas)


def test_equal_neighbours_are_neither_swapped_nor_dropped():
    texts = [(f"t{k}", "no no no no yes") for k in range(20)]
    for one in plant(texts, kinds=(Kind.SWAPPED, Kind.DROPPED), seed=1, clean_share=0.0, common=lambda word: True):
        assert set(one.touched) & {3, 4}


def test_a_text_too_short_for_an_error_is_refused():
    with pytest.raises(TextError, match="too few words"):
        plant([("t", "just three words")], seed=1, common=lambda word: True)


def test_a_tail_is_cut_after_the_last_word_that_is_kept():
    import numpy as np

    audio = Audio(np.arange(40, dtype=np.float32), 10)
    one = PlantedText("t", Kind.TAIL_CUT, ("a", "b", "c", "d"), ("a", "b", "c", "d"), (2, 3), keep=2)
    spans = [(0.0, 1.0), (1.0, 1.8), (1.9, 3.0), (3.0, 4.0)]
    assert len(cut_tail(audio, one, align=lambda sound, words: spans).samples) == 18
    whole = PlantedText("t", Kind.CLEAN, ("a", "b"), ("a", "b"), ())
    assert cut_tail(audio, whole, align=lambda sound, words: spans) is audio
    assert spoken_text(one) == "a b c d."


def verdicts(words: str, flagged: dict[int, Verdict], insertions: tuple[int, ...] = ()) -> ClipVerdicts:
    texts = words.split()
    edits = EditCounts(len(texts), 0, 0, 0)
    return ClipVerdicts(
        words=tuple(WordVerdict(i, w, flagged.get(i, Verdict.PASS), (), (), None, None, None, None) for i, w in enumerate(texts)),
        insertions=tuple(Insertion(place, Verdict.TTS_FAILURE, (), ()) for place in insertions),
        flags=(),
        fast_edits=edits,
        precision_edits=edits,
        confidence=None,
    )


REFERENCE = tuple("a b c d e f".split())
REPLACED = PlantedText("t", Kind.REPLACED_UNRELATED, REFERENCE, tuple("a b x d e f".split()), (2,))
DOUBLED = PlantedText("t", Kind.DOUBLED, REFERENCE, tuple("a b c c d e f".split()), (2,), gaps=(2, 3))
CLEAN = PlantedText("t", Kind.CLEAN, REFERENCE, REFERENCE, ())


@pytest.mark.parametrize(
    ("planted", "flagged", "insertions", "found", "false_alarms", "beside_flagged", "inserted"),
    [
        (REPLACED, {2: Verdict.TTS_FAILURE}, (), True, 0, 0, 0),
        (REPLACED, {2: Verdict.AMBIGUOUS}, (), True, 0, 0, 0),
        (REPLACED, {2: Verdict.STT_ERROR}, (), False, 0, 0, 0),
        (REPLACED, {3: Verdict.AMBIGUOUS}, (), False, 0, 1, 0),
        (REPLACED, {5: Verdict.AMBIGUOUS}, (6,), False, 1, 0, 1),
        (DOUBLED, {}, (3,), True, 0, 0, 0),
        (DOUBLED, {}, (2,), True, 0, 0, 0),
        (DOUBLED, {}, (5,), False, 0, 0, 1),
        (CLEAN, {}, (), None, 0, 0, 0),
        (CLEAN, {0: Verdict.TTS_FAILURE, 4: Verdict.AMBIGUOUS}, (), None, 2, 0, 0),
    ],
)
def test_found_errors_and_false_alarms_are_counted_by_place(planted, flagged, insertions, found, false_alarms, beside_flagged, inserted):
    counted = count(planted, verdicts("a b c d e f", flagged, insertions))
    assert (counted.found, counted.false_alarms) == (found, false_alarms)
    assert (counted.beside_flagged, counted.inserted) == (beside_flagged, inserted)
    assert counted.untouched + counted.beside == len(REFERENCE) - len(planted.touched)


def test_asking_only_for_certain_faults_leaves_out_the_ambiguous():
    judged = verdicts("a b c d e f", {2: Verdict.AMBIGUOUS})
    assert count(REPLACED, judged).found and not count(REPLACED, judged, flagged={Verdict.TTS_FAILURE}).found


def test_the_report_holds_rates_with_intervals_around_them():
    planted = [REPLACED] * 8 + [DOUBLED] * 2 + [CLEAN] * 10
    planted = [PlantedText(f"t{k}", p.kind, p.reference, p.spoken, p.touched, p.gaps) for k, p in enumerate(planted)]
    judged = [verdicts("a b c d e f", {2: Verdict.TTS_FAILURE} if k < 8 else {}) for k in range(19)]
    judged.append(verdicts("a b c d e f", {0: Verdict.AMBIGUOUS}))
    report = score(planted, judged)
    assert (report.errors, report.untouched) == (10, 90)
    assert report.recall.value == 0.8 and report.recall.low < 0.8 < report.recall.high
    assert report.per_kind[Kind.REPLACED_UNRELATED].value == 1.0 and report.per_kind[Kind.DOUBLED].value == 0.0
    assert report.false_alarm.value == pytest.approx(1 / 90) and report.false_alarm.low <= 1 / 90 <= report.false_alarm.high
    assert report.false_alarm_all.value == pytest.approx(1 / 110) and report.beside.value == 0
    assert Kind.SWAPPED not in report.per_kind


def test_verdicts_of_another_text_are_refused():
    with pytest.raises(ConfigError, match="do not belong"):
        count(REPLACED, verdicts("a b", {}))


def _transcripts(log_ratio: float) -> tuple[Transcript, Transcript]:
    words = tuple(Word(w, k * 0.3, k * 0.3 + 0.3, 0.9) for k, w in enumerate("the captain ordered the crew".split()))
    wrong = Word("carpenter", 0.3, 0.6, 0.9)
    fast = Transcript((words[0], wrong, *words[2:]), "fast", "x")
    return fast, Transcript(words, "second", "none", (Evidence(1, 2, log_ratio, (wrong,)),))


def test_a_higher_threshold_never_flags_less():
    reference = tuple("the captain ordered the crew".split())
    planted = [
        PlantedText("a", Kind.REPLACED_UNRELATED, reference, tuple("the carpenter ordered the crew".split()), (1,)),
        PlantedText("b", Kind.CLEAN, reference, reference, ()),
    ]
    pairs = [_transcripts(-2.0), _transcripts(1.0)]
    points = roc(planted, [fast for fast, _ in pairs], [second for _, second in pairs], thresholds=(-5, -1, 0, 3))
    assert [(point.found, point.false_alarms) for point in points] == [(0, 0), (1, 0), (1, 0), (1, 1)]
    assert choose(points, most_false_alarms=0.2).threshold == -1


def test_the_rule_takes_the_most_recall_within_the_bound_and_says_so_when_there_is_none():
    points = [RocPoint(-2, 80, 100, 5, 1000), RocPoint(-1, 90, 100, 8, 1000), RocPoint(0, 90, 100, 9, 1000), RocPoint(1, 95, 100, 10, 1000)]
    chosen = choose(points)
    assert (chosen.threshold, chosen.recall) == (-1, 0.9)
    assert "no threshold" in choose([RocPoint(0, 9, 10, 50, 1000)]).rule
    with pytest.raises(ConfigError):
        choose([])


def test_the_shipped_operating_point_says_where_it_comes_from():
    assert SHIPPED.rule and "narrative_tune" in SHIPPED.provenance
    assert SHIPPED.errors >= 150 and SHIPPED.untouched >= 2500
