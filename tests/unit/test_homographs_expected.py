"""The reading that a sentence asks for: what ships is right and small, bad input is told, words of the user's are judged too."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import ConfigError
from workbench.homographs import ReadingModel, lexicon, place_of
from workbench.homographs.artefact import Artefact, Decision, load, save
from workbench.homographs.expected import decide, spans_in
from workbench.homographs.occurrence import occurrence
from workbench.homographs.readers import load_reader

SHIPPED = Path(str(files("workbench.homographs").joinpath("reading_model.zip")))

#: Sentences that neither the training data nor the lexicon hold.
SENTENCES = [
    ("lead", "metal", "Old houses often have pipes of lead and walls covered in toxic paint."),
    ("lead", "guide", "She will lead the choir on Sunday."),
    ("bass", "fish", "My uncle caught a huge bass in the lake while fishing for trout."),
    ("bass", "music", "He plays the bass guitar in a rock band."),
    ("tear", "rip", "The muscle may tear under such a load."),
    ("tear", "cry", "A single tear fell from her eye onto the letter."),
    ("wind", "air", "A strong wind blew from the sea all night."),
    ("live", "verb", "Many families live near the harbour."),
    ("live", "adjective", "The concert was broadcast on live television."),
    ("record", "verb", "They plan to record a new album in June."),
    ("record", "noun", "He holds the world record in the high jump."),
    ("object", "verb", "Several members object to the new rule."),
    ("object", "noun", "The object was found at the bottom of the well."),
    ("use", "noun", "The use of the drug was soon forbidden."),
    ("use", "verb", "You can use a spoon to stir it."),
    ("lives", "verb", "Her brother lives in a small town."),
    ("lives", "noun", "The flood cost many lives."),
    ("polish", "poland", "The Polish government signed the treaty in Warsaw."),
    ("separate", "verb", "It is hard to separate the two liquids."),
    ("refuse", "verb", "The workers refuse to sign the contract."),
]


@pytest.fixture(scope="module")
def model():
    return ReadingModel.load()


def ask(model, word, sentence, **options):
    (answer,) = model.predict([(sentence, *place_of(sentence, word))], **options)
    return answer


def test_what_ships_reads_plain_sentences_right_but_for_one_in_ten(model):
    wrong = [sentence for word, reading, sentence in SENTENCES if ask(model, word, sentence).likeliest != reading]
    assert len(wrong) <= len(SENTENCES) // 10, wrong


def test_what_ships_is_small_and_says_where_it_comes_from(model):
    assert SHIPPED.stat().st_size <= 500_000
    told = model.artefact.provenance
    assert "Apache-2.0" in told["data"] and len(told["data_sha256"]) == 64 and told["items"] == sum(told["counts"].values())
    assert told["options"]["seed"] == 0 and told["cross_validation"]["micro"] > 0.96
    assert {word for word in lexicon()} == set(model.artefact.decisions)


def test_answers_are_probabilities_of_the_lexicons_readings(model):
    for word, _, sentence in SENTENCES:
        answer = ask(model, word, sentence)
        assert answer.readings == tuple(reading.name for reading in lexicon()[word])
        assert abs(sum(answer.probabilities) - 1) < 1e-4 and min(answer.probabilities) >= 0
        assert answer.word == word and answer.chosen in (None, answer.likeliest)


def test_three_readings_share_one_probability(model):
    answer = ask(model, "august", "The school is closed from June to August each year.")
    assert answer.likeliest == "month" and len(answer.probabilities) == 3 and abs(sum(answer.probabilities) - 1) < 1e-4


def test_below_the_threshold_none_is_chosen_and_the_reason_is_told(model):
    sentence = "Read."
    sure = ask(model, "read", sentence, threshold=0.0)
    doubtful = ask(model, "read", sentence, threshold=0.9999)
    assert sure.chosen == sure.likeliest and doubtful.chosen is None and doubtful.probabilities == sure.probabilities
    assert "below 1.00" in doubtful.reason and sure.likeliest in doubtful.reason


def test_two_homographs_in_one_sentence_are_judged_each_by_its_place(model):
    text = "They live next to the studio where the band played a live show, and the wind blew."
    answers = model.predict(spans_in(text, lexicon()))
    assert [(a.word, a.likeliest) for a in answers] == [("live", "verb"), ("live", "adjective"), ("wind", "air")]


@pytest.mark.parametrize(
    ("sentence", "start", "end", "reason"),
    [
        ("They lead.", 5, 30, "outside the text"),
        ("They lead.", -1, 4, "outside the text"),
        ("They lead.", 9, 5, "outside the text"),
        ("They lead.", 5, 5, "outside the text"),
        ("Où est le lead?", 2, 6, "within a character"),
        ("They lead.", 5, 7, "not one whole word"),
        ("They lead.", 0, 9, "not one whole word"),
        ("They lead.", 4, 5, "not one whole word"),
        ("They sing.", 5, 9, "no homograph that the lexicon knows: sing"),
        ("", 0, 4, "no text"),
        ("   ", 0, 1, "no text"),
        (None, 0, 1, "no text"),
        ("They lead.", 5.0, 9, "whole numbers"),
        ("They lead.", True, 9, "whole numbers"),
    ],
)
def test_what_cannot_be_judged_says_why_and_stops_nothing(model, sentence, start, end, reason):
    bad, good = model.predict([(sentence, start, end), ("They lead us.", 5, 9)])
    assert bad.chosen is None and bad.readings == () and bad.probability == 0.0 and bad.likeliest is None
    assert reason in bad.reason
    assert good.likeliest == "guide"


def test_offsets_count_bytes(model):
    sentence = "“Überall” they live."
    start = sentence.encode().index(b"live")
    assert model.predict([(sentence, start, start + 4)])[0].likeliest == "verb"


def test_of_a_longer_text_the_sentence_counts():
    text = "He saw Mr. Smith lead. The old pipes broke. We live here."
    found = occurrence(text, 17, 21)
    assert found.left == ("Smith", ".", "Mr", "saw", "He") and found.right == (".",)
    assert occurrence(text, text.index("live"), text.index("live") + 4).left == ("We",)
    assert occurrence(text, text.index("pipes"), text.index("pipes") + 5).left == ("old", "The")
    # A transcript without full stops is no sentence: what is far away does not count.
    assert 300 < len(occurrence("so and " * 5000 + "live", 35_000, 35_004).left) < 1000


def test_hyphens_and_quotes_are_marks_not_neighbours():
    found = occurrence('a "lead-free" pipe', 3, 7)
    assert found.left == ("a",) and found.right == ("free", "pipe") and found.marks == ("-hyphen", "quote-")


def test_strange_texts_are_answered(model):
    for text in ("live", "LIVE live Live", "\ud800 live", "live\x00live", "生live命", "live " * 500, "Live. " * 3000):
        answers = model.predict(spans_in(text, lexicon()))
        assert all(answer.readings or answer.reason for answer in answers)


WORD = """
[frobnicate]
[frobnicate.noun]
sense = "what was done"
pos = ["noun"]
us = ["F R AA1 B N AH0 K AH0 T"]
[frobnicate.verb]
sense = "to do it"
pos = ["verb"]
us = ["F R AA1 B N AH0 K EY2 T"]

[glim]
told_by = "sense"
[glim.lamp]
sense = "a lamp"
pos = ["noun"]
us = ["G L IH1 M"]
cues = ["oil", "light"]
[glim.bird]
sense = "a bird"
pos = ["noun"]
us = ["G L AY1 M"]
cues = ["wings", "nest"]
"""


def test_a_word_of_the_users_is_judged_by_grammar_and_cues(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(WORD, encoding="utf-8")
    own = ReadingModel.load(words=lexicon(path))
    verb, noun = ask(own, "frobnicate", "They want to frobnicate the data."), ask(own, "frobnicate", "The frobnicate of the king was lost.")
    assert verb.likeliest == "verb" and noun.likeliest == "noun" and "by grammar alone" in verb.reason
    bird = ask(own, "glim", "The glim spread its wings and left the nest.")
    assert bird.chosen == "bird" and "by cues alone" in bird.reason
    unknown = ask(own, "glim", "It was a glim.")
    assert unknown.chosen is None and unknown.probabilities == (0.5, 0.5) and "by nothing alone" in unknown.reason


def test_the_file_gives_back_what_was_saved_and_the_same_bytes(tmp_path, model):
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    save(model.artefact, first)
    again = load(first)
    save(again, second)
    assert first.read_bytes() == second.read_bytes()
    assert again.classes.table == model.artefact.classes.table and again.decisions == model.artefact.decisions
    assert abs(again.grammar - model.artefact.grammar).max() < 1e-3 and abs(again.own - model.artefact.own).max() < 1e-3
    assert ReadingModel.load(first).artefact.scales == again.scales
    save(replace(again, scales={**again.scales, "grammar": 0.5}), first)
    assert ReadingModel.load(first).artefact.scales["grammar"] == 0.5


@pytest.mark.parametrize("fault", ["none", "text", "empty", "other", "list", "encoder", "cut", "spoilt"])
def test_a_file_that_is_no_model_is_refused(tmp_path, fault):
    path = tmp_path / "model.zip"
    if fault == "text":
        path.write_text("no zip")
    elif fault == "empty":
        zipfile.ZipFile(path, "w").close()
    elif fault == "other":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("about.json", json.dumps({"format": 99}))
    elif fault in ("list", "encoder"):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("about.json", json.dumps([] if fault == "list" else {"kind": "encoder", "readings": []}))
    elif fault == "cut":
        path.write_bytes(SHIPPED.read_bytes()[:9000])
    elif fault == "spoilt":
        content = bytearray(SHIPPED.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    for read in (load, ReadingModel.load, load_reader):
        with pytest.raises(ConfigError):
            read(path)


def test_a_model_of_other_readings_does_not_speak_for_the_lexicons(model):
    lead = model.artefact.decisions["lead"][0]
    other = replace(model.artefact, decisions={**model.artefact.decisions, "lead": (Decision("lead", "gone", False, lead.bias, 0.0),)})
    assert isinstance(other, Artefact)
    assert "not trained on lead" in ask(ReadingModel(other), "lead", "They lead us.").reason


def test_a_reading_that_the_user_adds_to_a_known_word_is_never_judged_by_a_model_of_the_others(tmp_path):
    path = tmp_path / "mine.toml"
    readings = {"air": ("noun", "W IH1 N D"), "turn": ("verb", "W AY1 N D"), "river": ("name", "W IY1 N D")}
    path.write_text("[wind]\n" + "".join(f'[wind.{name}]\npos = ["{pos}"]\nus = ["{phones}"]\n' for name, (pos, phones) in readings.items()))
    answer = ask(ReadingModel.load(words=lexicon(path)), "wind", "The wind blows.")
    assert answer.chosen is None and max(answer.probabilities) < 0.5 and "not trained on wind" in answer.reason


def test_the_likeliest_reading_is_chosen_or_doubted():
    assert decide("x", ["a", "b"], [0.2, 0.8], threshold=0.65).chosen == "b"
    assert decide("x", ["a", "b"], [0.5, 0.5], threshold=0.65, note="n").reason.endswith("; n")


def test_the_command_shows_every_homograph_of_a_text(tmp_path):
    runner = CliRunner()
    done = runner.invoke(app, ["homographs", "expected", "They live near the wind farm."])
    first, second = (line.split() for line in done.output.splitlines())
    assert done.exit_code == 0 and [*first[:2], *first[3:5]] == ["live", "5:9", "verb", "/ˈlɪv/"] and second[4] == "/ˈwɪnd/"
    path = tmp_path / "text.txt"
    path.write_text("They live here.", encoding="utf-8")
    (line,) = runner.invoke(app, ["homographs", "expected", "--file", str(path), "--json"]).output.splitlines()
    assert json.loads(line)["chosen"] == "verb" and json.loads(line)["start_byte"] == 5
    assert runner.invoke(app, ["homographs", "expected", "Nothing."]).output.strip() == "no homograph in the text"
    assert "undecided" in runner.invoke(app, ["homographs", "expected", "Read.", "--threshold", "1"]).output


def test_a_prediction_needs_no_training_library():
    code = (
        "import sys; from workbench.homographs import ReadingModel; ReadingModel.load().predict([('They live.', 5, 9)]); "
        "print([m for m in ('sklearn', 'scipy', 'torch', 'pocketsphinx', 'transformers') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
