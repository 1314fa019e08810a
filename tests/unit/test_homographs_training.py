"""Training: data are checked row by row, the same data give the same file, and a frozen encoder serves behind the same interface."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.tiny_models.encoder import build_tiny_encoder
from workbench.cli import app
from workbench.errors import ConfigError, EngineError, EngineUnavailableError
from workbench.homographs import ReadingModel, lexicon, load_reader, place_of
from workbench.homographs.artefact import save
from workbench.homographs.bigrams import Bigrams, read_pairs
from workbench.homographs.calibrating import fitted_scale, folds_of
from workbench.homographs.data import read_items
from workbench.homographs.encoder import FrozenEncoder
from workbench.homographs.encoder_model import EncoderReadingModel, train_encoder_model
from workbench.homographs.reading_figures import figures_of, measure
from workbench.homographs.train_model import train_model, usual_readings
from workbench.homographs.training import TrainingOptions
from workbench.homographs.word_classes import points_of

WORDS = ("lead", "live", "use", "august", "record", "abuses")
_HEADER = '"homograph"\t"wordid"\t"sentence"\t"start"\t"end"\n'
_SUBJECTS = ("The men", "Our neighbours", "Both teachers", "Few sailors")
_OBJECTS = ("near the coast", "in the old town", "with great care", "after the war")


def rows() -> list[str]:
    """Sentences of the data's form, made of the lexicon's examples and of plain patterns."""
    found = []
    for word in WORDS:
        for reading in lexicon()[word]:
            sentences = list(reading.examples)
            pattern = "{} often {} this {}." if reading.pos[0] == "verb" else "{} spoke of the {} {}."
            sentences += [pattern.format(subject, word, ending) for subject in _SUBJECTS for ending in _OBJECTS]
            for sentence in sentences:
                start, end = place_of(sentence, word)
                found.append(f'"{word}"\t"{reading.labels[0]}"\t"{sentence}"\t{start}\t{end}\n')
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "train.tsv").write_text(_HEADER + "".join(rows()), encoding="utf-8")
    (folder / "eval.tsv").write_text(_HEADER + "".join(rows()[::5]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def classes():
    """Classes of words from the model that ships: learning them takes most of a minute."""
    table = ReadingModel.load().artefact.classes
    return table, {word: (table.of(word)[0], 0.99) for word in ("teachers", "care", "town", "coast", "spoke", "great") if table.of(word)}


def test_a_small_set_trains_a_model_that_reads_it(data, classes, tmp_path):
    made = train_model(data, options=TrainingOptions(folds=3), learned=classes, source="our own, CC0")
    path = tmp_path / "model.zip"
    assert save(made.artefact, path) < 200_000
    model, items = load_reader(path), read_items(data, lexicon(), part="eval")
    figures = measure(model, items, lexicon(), usual=usual_readings(model.artefact))
    # The readings of "august" share their patterns here: nothing can tell those apart.
    assert figures.micro.value > 0.8 and figures.micro.value > figures.floor.value and figures.items == len(items)
    assert made.held_out.micro.value > 0.7 and sum(count for _, _, count, _, _ in made.held_out.reliability) == len(read_items(data, lexicon()))
    assert model.artefact.provenance["data"] == "our own, CC0" and model.artefact.provenance["cross_validation"]["reliability"]
    again = train_model(data, options=TrainingOptions(folds=3), learned=classes, source="our own, CC0")
    save(again.artefact, tmp_path / "again.zip")
    assert path.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_figures_count_what_they_say(data):
    items = read_items(data, lexicon(), part="eval")
    answers = ReadingModel.load().predict([(item.sentence, item.start_byte, item.end_byte) for item in items])
    figures = figures_of(answers, items, lexicon())
    right = sum(answer.likeliest == item.reading for answer, item in zip(answers, items, strict=True))
    assert figures.micro.value == right / len(items) and figures.floor is None
    assert sum(count for _, count in figures.per_word.values()) == sum(count for _, count in figures.per_reading.values()) == len(items)
    coverages = [coverage for _, coverage, _ in figures.curve]
    assert coverages == sorted(coverages, reverse=True) and figures.at(0.9) == figures.curve[3][1:]
    with pytest.raises(ConfigError, match="no labelled item"):
        figures_of([], [], lexicon())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('"lead"\t"lead_nou"\t"Pipes of lead."\t9\t40', "outside the text"),
        ('"lead"\t"lead_nou"\t"Pipes of lead."\t0\t5', "another word"),
        ('"lead"\t"lead_adj"\t"Pipes of lead."\t9\t13', "unknown reading"),
        ('"leed"\t"lead_nou"\t"Pipes of lead."\t9\t13', "did you mean lead"),
        ('"lead"\t"lead_nou"\t"Pipes of lead."\tnine\t13', "row 1"),
        ('"lead"\t"lead_nou"\t"Pipes of lead."', "row 1"),
        ('"lead"\t"lead_nou"\t""\t0\t4', "no text"),
        ('"lead"\t"lead_nou"\t"Lead," he said.\t1\t5', "quotation mark"),
        ('"lead"\t"lead_nou"\t"Pipes of lead.\t10\t14', "quotation mark"),
        ("", "without a row"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path, row, told):
    (tmp_path / "train.tsv").write_text(_HEADER + row + "\n" if row else _HEADER, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        read_items(tmp_path, lexicon())


def test_a_file_that_is_no_data_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no labelled data"):
        read_items(tmp_path, lexicon())
    (tmp_path / "train.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(ConfigError, match="lacks columns"):
        read_items(tmp_path, lexicon())
    (tmp_path / "train.tsv").write_text(f"\ufeff{_HEADER}{rows()[0]}", encoding="utf-8")
    assert len(read_items(tmp_path, lexicon())) == 1
    (tmp_path / "train.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read|lacks columns"):
        read_items(tmp_path, lexicon())


def test_folds_hold_every_item_out_once(data):
    items = read_items(data, lexicon())
    folds = list(folds_of(items, count=4, seed=1))
    assert sorted(number for _, held in folds for number in held) == list(range(len(items)))
    assert all(set(kept).isdisjoint(held) and len(kept) + len(held) == len(items) for kept, held in folds)
    assert folds == list(folds_of(items, count=4, seed=1)) != list(folds_of(items, count=4, seed=2))


def test_a_scale_makes_logits_calibrated():
    generator = np.random.default_rng(0)
    true_logits = generator.normal(0, 2, 20_000)
    right = generator.random(20_000) < 1 / (1 + np.exp(-np.abs(true_logits)))
    told = 3 * np.where(right, np.abs(true_logits), -np.abs(true_logits))
    assert abs(fitted_scale(told.tolist()) - 1 / 3) < 0.02 and fitted_scale([]) == 1.0
    # Three answers that are right do not make the fourth certain.
    assert 1.0 < fitted_scale([2.0, 2.0, 2.0]) < 1.5


def test_a_word_that_only_its_subject_tells_apart_is_trained_alone_and_stays_in_doubt(classes, tmp_path):
    (tmp_path / "train.tsv").write_text(_HEADER + '"bass"\t"bass"\t"He plays bass."\t9\t13\n"bass"\t"bass_corp"\t"He eats bass."\t8\t12\n', encoding="utf-8")
    made = train_model(tmp_path, learned=(classes[0], {}), options=TrainingOptions(folds=2))
    answers = ReadingModel(made.artefact).predict([("He plays bass.", 9, 13), ("He eats bass.", 8, 12), ("It was a bass.", 9, 13)])
    assert [answer.likeliest for answer in answers[:2]] == ["music", "fish"] and answers[2].probability < 0.9


def test_the_language_models_pairs_are_read_from_its_file(tmp_path):
    words, left, right = read_pairs()
    at = words.index("guitar")
    before = {words[number] for number in left[right == at].tolist()}
    assert len(words) > 70_000 and len(left) == len(right) > 2_000_000 and {"bass", "electric", "acoustic"} <= before
    other = tmp_path / "other.bin"
    for content in (b"", b"Trie Language Model", b"Trie Language Model\x03" + bytes(500)):
        other.write_bytes(content)
        with pytest.raises(EngineError):
            read_pairs(other)


def test_words_with_the_same_neighbours_lie_together():
    generator = np.random.default_rng(1)
    words = tuple(f"w{k}" for k in range(300))
    left = generator.integers(0, 300, 6000)
    right = (left % 2) * 150 + generator.integers(0, 150, 6000)
    points = points_of(Bigrams(words, np.full(300, -5.0), left, right, np.full(6000, 2.0)))
    even, odd = points[np.arange(0, 300, 2)], points[np.arange(1, 300, 2)]
    assert (even @ even.T).mean() > 3 * abs((even @ odd.T).mean())


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    return build_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


def test_a_frozen_encoder_serves_behind_the_same_interface(data, encoder, tmp_path):
    items = read_items(data, lexicon())
    model = train_encoder_model(items, encoder, folds=3)
    figures = measure(model, items, lexicon())
    assert figures.micro.value > 0.8 and figures.items == len(items)
    path = tmp_path / "heads.zip"
    model.save(path)
    model.save(tmp_path / "same.zip")
    assert path.read_bytes() == (tmp_path / "same.zip").read_bytes()
    again = load_reader(path)
    assert isinstance(again, EncoderReadingModel)
    spans = [(item.sentence, item.start_byte, item.end_byte) for item in items[:9]]
    for a, b in zip(model.predict(spans), again.predict(spans), strict=True):
        assert a.readings == b.readings and np.allclose(a.probabilities, b.probabilities, atol=2e-2)
    outcomes = again.predict([("They lead.", 5, 40), ("They sing.", 5, 9), ("A bass.", 2, 6), ("", 0, 1), ("They lead.", 5, 9)])
    assert [bool(o.readings) for o in outcomes] == [False, False, False, False, True]
    assert all(o.reason for o in outcomes[:4]) and "not trained on bass" in outcomes[2].reason
    words = dict(lexicon())
    words["lead"] = replace(words["lead"], readings=tuple(replace(reading, name=f"my {reading.name}") for reading in words["lead"]))
    (renamed,) = load_reader(path, words=words).predict([("They lead.", 5, 9)])
    assert not renamed.readings and "not trained on lead" in renamed.reason


def test_an_encoder_that_saw_one_reading_of_a_word_is_not_certain_of_it(data, encoder):
    seen = [item for item in read_items(data, lexicon()) if (item.word, item.reading) in (("live", "verb"), ("lead", "metal"), ("lead", "guide"))]
    (answer,) = train_encoder_model(seen, encoder, folds=3).predict([("They live.", 5, 9)])
    assert answer.likeliest == "verb" and 0.8 < answer.probability < 1.0 and abs(sum(answer.probabilities) - 1) < 1e-4


def test_the_size_of_a_batch_changes_no_vector(encoder):
    spans = [("They live.", 5, 9), ("The lead of a pipe is read, they will live to lead.", 4, 8), ("a " * 600 + "live " + "of " * 600, 1200, 1204)]
    vectors = []
    for size in (1, 8):
        frozen = FrozenEncoder(encoder, batch_size=size)
        frozen.load()
        vectors.append(frozen.vectors(spans))
    assert vectors[0].shape == (3, 64) and np.allclose(*vectors, atol=1e-5)


def test_an_encoder_that_is_none_is_refused(tmp_path, encoder):
    with pytest.raises(ConfigError, match="no folder"):
        FrozenEncoder(tmp_path / "none").load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="cannot load"):
        FrozenEncoder(tmp_path / "empty").load()
    with pytest.raises(EngineUnavailableError):
        FrozenEncoder(encoder).load("tpu")


def test_the_command_trains_a_file_with_an_encoder(data, encoder, tmp_path):
    out = tmp_path / "heads.zip"
    done = CliRunner().invoke(app, ["homographs", "train", str(data), "--out", str(out), "--encoder", str(encoder)])
    assert done.exit_code == 0 and done.stdout.strip() == str(out)
    shown = CliRunner().invoke(app, ["homographs", "expected", "They live here.", "--model", str(out), "--json"])
    assert json.loads(shown.stdout)["word"] == "live"
    refused = CliRunner().invoke(app, ["homographs", "train", str(data), "--out", str(tmp_path / "no" / "heads.zip"), "--encoder", str(encoder)])
    assert isinstance(refused.exception, ConfigError) and "no folder for the file" in str(refused.exception)
    refused = CliRunner().invoke(app, ["homographs", "train", str(data), "--out", str(tmp_path), "--encoder", str(encoder)])
    assert isinstance(refused.exception, ConfigError) and "name a file" in str(refused.exception)
