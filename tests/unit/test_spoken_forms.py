"""A text that may be said in several ways: the way nearest to what was heard is the reference, one for both engines, and only what reads the text depends on it."""

from __future__ import annotations

import itertools
import random

import pytest
from rapidfuzz.distance import Levenshtein

from tests.conftest import tone
from tests.unit.test_scan import quiet
from workbench.audio import write_wav
from workbench.clips import Clip, open_manifest
from workbench.errors import TextError
from workbench.scan.cascade import Cascade
from workbench.scan.plan import ScanConfig
from workbench.scan.reading import read_results
from workbench.scan.scanning import scan
from workbench.scan.speak import TextToSpeak, Voice, speak
from workbench.store import Store
from workbench.text import tokenise
from workbench.text.prompts import Prompt, load_prompts
from workbench.text.spoken import ways_to_say
from workbench.verdicts.base import Verdict

TEXT = "On 02/03/2021 Dr. Smith moved to Elm Dr."
FORMS = "02/03/2021 = february third twenty twenty one | the second of march twenty twenty one ; Dr. = doctor ; Dr. = drive"
SECOND = "on the second of march twenty twenty one doctor smith moved to elm drive"


@pytest.fixture(autouse=True)
def third_party_engines(monkeypatch, project):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    monkeypatch.setenv("PYTHONPATH", str(project))


def words(tokens) -> str:
    return " ".join(token.text for token in tokens)


def test_every_word_of_a_form_stands_where_its_written_form_stands():
    tokens = ways_to_say(TEXT, FORMS).nearest(SECOND.split())
    assert words(tokens) == SECOND
    assert {(t.start, t.end, t.written) for t in tokens if t.text in ("second", "march", "twenty")} == {(3, 13, "02/03/2021")}
    assert all(TEXT[t.start : t.end] == t.written for t in tokens)
    assert [t.text for t in tokens if t.kind == "word"] == ["on", "smith", "moved", "to", "elm"]


def test_without_forms_a_text_is_said_as_it_is_normalised():
    spoken = ways_to_say("It cost $3.50 in 1994.")
    assert spoken.first == spoken.nearest(["nonsense"]) == tokenise("It cost $3.50 in 1994.")
    assert ways_to_say("").first == ways_to_say("").nearest(["noise"]) == ()


@pytest.mark.parametrize("heard", ["noise", "on the third of march", "february second twenty", "a b c d e", "six x six two x", "four five six seven x two"])
def test_no_other_way_is_nearer_and_of_equally_near_ones_the_first_is_taken(heard):
    spoken = ways_to_say("1 x 2, 3 and 4", "1 = one | six | four five ; 2 = two | six six ; 3 = three | x | seven x ; 4 = four | two | five six seven")
    ways = [[token.text for token in itertools.chain(*chosen)] for chosen in itertools.product(*spoken.stretches)]
    assert ways == [sentence.split() for sentence in spoken.sentences()]
    assert [t.text for t in spoken.nearest(heard.split())] == min(ways, key=lambda way: Levenshtein.distance(way, heard.split()))


def test_where_nothing_was_heard_the_first_way_is_the_reference():
    assert words(ways_to_say("It is 02/03/2021.", "02/03/2021 = february third twenty twenty one | two three").nearest([])).endswith("twenty one")


def test_a_long_text_is_said_as_it_was_heard_in_every_place():
    sentence = "On line 7 of the book the word stands 7 times, whoever counts. "
    spoken = ways_to_say(sentence * 100, " ; ".join(["7 = seven | sieben", "7 = seven | sept | se ven"] * 100))
    choices = random.Random(1)
    heard = " ".join(f"on line {choices.choice(['seven', 'sieben'])} of the book the word stands {choices.choice(['seven', 'sept', 'se ven'])} times whoever counts" for _ in range(100)).split()
    assert [token.text for token in spoken.nearest(heard)] == heard
    # With words lost, added and misheard all along.
    noisy = [word for k, word in enumerate(heard) if k % 11 != 5 for word in ([word, "uh"] if k % 13 == 7 else ["xx" if k % 17 == 3 else word])]
    said = [token.text for token in spoken.nearest(noisy)]
    assert Levenshtein.distance(said, noisy) <= Levenshtein.distance(heard, noisy)


def test_the_same_written_form_twice_is_taken_in_order_and_never_inside_another():
    spoken = ways_to_say("Room 13 has 3 doors and 3 windows.", "3 = tree ; 3 = free")
    assert words(spoken.first) == "room thirteen has tree doors and free windows"


@pytest.mark.parametrize(
    ("text", "forms", "told"),
    [
        ("It is 3.14.", "3.15 = three", "does not hold"),
        ("First 1, then 2.", "2 = two ; 1 = one", "does not hold"),
        ("It cost $5.2m.", "5.2 = five point two", "a part of '\\$5.2m'"),
        ("It is 3.", "3", "not a pair"),
        ("It is 3.", "3 = ", "not a pair"),
        ("It is 3.", "3 = 3", "not plain words"),
        ("It is 3.", "3 = three | ", "not plain words"),
        ("See Dr. Lee.", "Dr. = Dr.", "not plain words"),
    ],
)
def test_forms_that_do_not_fit_are_refused_with_what_and_where(text, forms, told):
    with pytest.raises(TextError, match=f"{told}.*where: clip 7.*got"):
        ways_to_say(text, forms, where="clip 7")


def clip_of(folder, forms: str, *, length: int = 700, text: str = TEXT) -> Clip:
    path = folder / f"{length}.wav"
    write_wav(tone(length / 1000), path)
    return Clip(str(length), str(path), text, "d", extra={"spoken_forms": forms} if forms else {})


def config(tmp_path, heard: str, *, precision="scripted-weighing", second: str | None = None, **cascade) -> ScanConfig:
    def script(said):
        return {} if said is None else {"700": [[word, 1.0] for word in said.split()]}

    options = {"scripted": {"script": script(heard), "log": str(tmp_path / "first.log")}, precision: {"script": script(second), "log": str(tmp_path / "second.log")}}
    return ScanConfig(fast="scripted", precision=precision, judges=("signal",), engine_options=options, cascade=Cascade(**cascade), workers=1)


def scanned(store, clips, config):
    summary = scan(clips, config, store, scan_id="s", say=quiet)
    return list(read_results(store, "s", summary.stages, log_ratio_threshold=-3.0, cascade=config.cascade))


def test_both_engines_are_judged_by_the_way_nearest_to_what_the_fast_one_heard(tmp_path):
    with Store.open(tmp_path / "db.sqlite") as store:
        result = scanned(store, [clip_of(tmp_path, FORMS)], config(tmp_path, SECOND, precision="scripted-second", second=SECOND))[0]
    assert words(result.tokens) == SECOND and result.clip.text == TEXT
    assert {w.verdict for w in result.verdicts.words} == {Verdict.PASS} and result.verdicts.fast_edits.errors == 0 and not result.failures


def test_two_engines_that_hear_different_ways_are_not_both_right(tmp_path):
    other = "on february third twenty twenty one doctor smith moved to elm drive"
    with Store.open(tmp_path / "db.sqlite") as store:
        result = scanned(store, [clip_of(tmp_path, FORMS)], config(tmp_path, SECOND, precision="scripted-second", second=other))[0]
    assert words(result.tokens) == SECOND
    assert Verdict.PRECISION_ERROR in {w.verdict for w in result.verdicts.words} and result.verdicts.count(Verdict.TTS_FAILURE) == 0


@pytest.mark.parametrize("escalate", ["all", "words"])
def test_an_engine_that_weighs_the_reference_gets_the_nearest_way(tmp_path, escalate):
    heard = SECOND.replace("smith", "smyth")
    with Store.open(tmp_path / "db.sqlite") as store:
        result = scanned(store, [clip_of(tmp_path, FORMS)], config(tmp_path, heard, escalate=escalate))[0]
    # It hears whatever the reference says.
    assert [word.text for word in result.precision.words] == SECOND.split()


@pytest.mark.parametrize(("precision", "escalate", "again"), [("scripted-weighing", "all", 1), ("scripted-second", "words", 1), ("scripted-second", "all", 0)])
def test_other_forms_are_heard_anew_only_by_an_engine_that_reads_the_text(tmp_path, precision, escalate, again):
    told = config(tmp_path, SECOND.replace("smith", "smyth"), precision=precision, second=None if again else SECOND, escalate=escalate)
    calls = []
    with Store.open(tmp_path / "db.sqlite") as store:
        for forms in (FORMS, FORMS.replace("third", "the third"), FORMS, ""):
            result = scanned(store, [clip_of(tmp_path, forms)], told)[0]
            assert not result.failures and result.precision is not None
            calls.append([len((tmp_path / name).read_text().splitlines()) for name in ("first.log", "second.log")])
    assert calls == [[1, 1], [1, 1 + again], [1, 1 + again], [1, 1 + 2 * again]]


def test_forms_that_do_not_fit_are_a_failure_of_their_clip_and_nothing_is_lost(tmp_path):
    clips = [clip_of(tmp_path, "03/02/2021 = no such place"), clip_of(tmp_path, "", length=800, text="plain words")]
    plain = words(tokenise(TEXT))
    with Store.open(tmp_path / "db.sqlite") as store:
        bad, good = scanned(store, clips, config(tmp_path, plain))
    assert [f.stage for f in bad.failures] == ["text"] and "spoken forms" in bad.failures[0].message and "700" in bad.failures[0].message
    assert {w.verdict for w in bad.verdicts.words} <= {Verdict.PASS, Verdict.ABBREVIATION} and words(bad.tokens) == plain
    assert not good.failures


def test_a_manifest_brings_spoken_forms_in_a_column_of_that_name(tmp_path):
    write_wav(tone(0.7), tmp_path / "a.wav")
    (tmp_path / "list.tsv").write_text(f"audio\ttext\tspoken_forms\na.wav\t{TEXT}\t{FORMS}\n")
    with Store.open(tmp_path / "db.sqlite") as store:
        result = scanned(store, open_manifest(tmp_path / "list.tsv"), config(tmp_path, SECOND))[0]
    assert words(result.tokens) == SECOND


def test_a_prompts_columns_reach_its_clip(tmp_path, speaking_voice):
    (tmp_path / "own.tsv").write_text("prompt_id\tcategory\ttext\tspoken_forms\thomographs\tsource\n1\tdates\tHe lives at No. 7.\tNo. 7 = number seven\tlives = lives_vrb\tmine\n")
    prompt = load_prompts(tmp_path / "own.tsv")[0]
    assert prompt.homographs == (("lives", "lives_vrb", 3, 8),) and words(prompt.spoken.first) == "he lives at number seven"
    clip = speak([TextToSpeak.of(prompt, sensitive=True)], [Voice.parse(speaking_voice)], folder=tmp_path, dataset="d", say=quiet).clips[0]
    assert (clip.text, clip.category) == (prompt.text, "dates")
    assert clip.extra == {"spoken_forms": "No. 7 = number seven", "homographs": "lives = lives_vrb", "source": "mine"}


@pytest.mark.parametrize(("column", "cell", "told"), [("spoken_forms", "8 = eight", "does not hold"), ("homographs", "wind = wind_nou", "not in the text"), ("homographs", "lives", "not a pair")])
def test_a_table_with_forms_or_homographs_that_do_not_fit_is_refused_with_its_row(tmp_path, column, cell, told):
    (tmp_path / "own.tsv").write_text(f"prompt_id\tcategory\ttext\t{column}\nrow-1\tdates\tHe lives at No. 7.\t{cell}\n")
    with pytest.raises(TextError, match=f"{told}.*own.tsv, prompt row-1"):
        load_prompts(tmp_path / "own.tsv")


def test_a_prompt_without_columns_of_its_own_is_as_before():
    assert Prompt("a", "b", "c").extra == {} and TextToSpeak.of(Prompt("a", "b", "c", True)) == TextToSpeak("a", "c", "b", sensitive=True)
