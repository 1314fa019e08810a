"""Lexicon, pronunciations by rule, phone distance and neighbours."""

from __future__ import annotations

import csv
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

from workbench.text import g2p, known_word, neighbours, phone_distance, pronunciations, sound_alike, word_distance
from workbench.text.phones import ARTICULATIONS, PHONES, substitution_costs


def test_the_lexicon_gives_every_pronunciation_the_usual_one_first():
    assert pronunciations("tomato") == (("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW"))
    assert pronunciations("READ") == (("R", "EH", "D"), ("R", "IY", "D"))
    assert ("B", "IY") in pronunciations("b") and ("EY", "EH", "M") in pronunciations("am")
    assert known_word("house") and known_word("don't") and not known_word("hqouse") and not known_word("")


def test_every_entry_of_the_dictionary_is_found_where_it_stands():
    from workbench.text.lexicon import lexicon

    book = lexicon()
    entries = list(book.entries())
    assert len(entries) == len(book) > 130_000
    for word, phones in entries[::977]:
        assert phones in book.pronunciations(word), word


@pytest.mark.parametrize("words", [("tale", "tail"), ("their", "there"), ("cot", "caught"), ("right", "write"), ("book case", "bookcase")])
def test_homophones_sound_alike(words):
    a, b = (w.split() for w in words)
    assert sound_alike(a, b) and sound_alike(b, a)


@pytest.mark.parametrize(
    "words", [("cat", "bat"), ("ship", "sheep"), ("house", "houses"), ("bit", "bet"), ("walk", "talk"), ("affect", "effort")]
)
def test_minimal_pairs_do_not(words):
    assert not sound_alike([words[0]], [words[1]])
    assert word_distance([words[0]], [words[1]]) > 0.03


def test_distance_orders_words_as_the_ear_does():
    assert word_distance(["cat"], ["cat"]) == 0.0
    assert word_distance(["bat"], ["pat"]) < word_distance(["bat"], ["mat"]) < word_distance(["bat"], ["banana"]) <= 1.0
    assert word_distance(["fifteen"], ["fifty"]) < word_distance(["fifteen"], ["elephant"])
    assert word_distance([], ["cat"]) == 1.0 and word_distance([], []) == 0.0


def test_the_feature_table_is_panphons():
    # Its files, not its class: that takes seconds to build, and pairs weights with features by position although the files order them
    # differently.
    folder = Path(next(iter(find_spec("panphon").submodule_search_locations))) / "data"
    with (folder / "ipa_all.csv").open(encoding="utf-8") as file:
        theirs = {row["ipa"]: row for row in csv.DictReader(file)}
    with (folder / "feature_weights.csv").open(encoding="utf-8") as file:
        (weights,) = csv.DictReader(file)
    lines = files("workbench.text").joinpath("phone_features.tsv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")[1:]
    assert set(names) == set(weights) - {"velaric"}
    for line in lines[1:]:
        segment, *values = line.split("\t")
        source = weights if segment == "weight" else theirs[segment]
        assert values == [source[name] for name in names], segment
    assert {s for pair in ARTICULATIONS.values() for s in pair} <= {line.split("\t")[0] for line in lines}


def test_costs_cover_every_pair_and_keep_voicing_pairs_apart_but_near():
    costs = substitution_costs()
    assert len(costs) == len(PHONES) ** 2 == 39**2
    assert 0.15 < costs["P", "B"] < 0.3 and 0.15 < costs["IH", "IY"] < 0.3 and costs["K", "AA"] == 1.0


def test_an_unknown_word_gets_phones_from_espeak_or_from_our_rules():
    (phones,) = pronunciations("zorblatt")
    assert word_distance(["zorblatt"], ["zorblat"]) < 0.1 and set(phones) <= set(PHONES)
    assert pronunciations("mrtgx")
    assert pronunciations("字") == () == pronunciations("")


def test_without_any_espeak_the_rules_still_answer(monkeypatch):
    monkeypatch.setattr(g2p, "_commands", lambda: ((sys.executable, "-c", "raise SystemExit(3)"),))
    monkeypatch.setattr(g2p, "_guessed", {})
    assert g2p.guess("zorblatt") == ("Z", "AO", "R", "B", "L", "AE", "T")
    assert g2p.guess("mrt") == ("EH", "M", "AA", "R", "T", "IY")
    assert g2p.guess("blake") == ("B", "L", "EY", "K")


def test_many_words_in_one_go_give_what_each_alone_gives(monkeypatch):
    words = ["zorblatt", "kokoro", "qux's", "nvidia", "mrtg", "o'zorb"]
    monkeypatch.setattr(g2p, "_guessed", {})
    g2p.guess_all(words)
    together = dict(g2p._guessed)
    for word in words:
        g2p._guessed.clear()
        assert g2p.guess(word) == together[word]


def test_our_rules_come_near_the_lexicon():
    words = "cabin basket sudden fish planet morning rabbit simple number trade shelter garden thunder bright chicken market".split()
    distances = [phone_distance(g2p.by_rule(word), pronunciations(word)[0]) for word in words]
    assert sum(distances) / len(distances) < 0.2


def test_espeak_never_enters_our_process():
    code = (
        "import sys, workbench.text as t; t.pronunciations('zorblatt'); assert 'espeakng_loader' not in sys.modules; "
        "print(open('/proc/self/maps').read().count('libespeak'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_neighbours_are_near_other_words():
    neighbours("warm")
    for word in ("house", "table", "water", "information", "zorblatt"):
        near = neighbours(word, count=6)
        assert len(near) == len(set(near)) == 6 and word not in near
        assert all(known_word(n) and not sound_alike([word], [n]) for n in near)
        distances = [word_distance([word], [n]) for n in near]
        assert max(distances) < 0.6
    assert "mouse" in neighbours("house", count=12) and neighbours("cat", count=3) == neighbours("cat", count=6)[:3]
    assert neighbours("字") == ()


def test_importing_the_room_loads_no_heavy_package():
    heavy = ("torch", "numpy", "panphon", "pocketsphinx", "nemo_text_processing", "whisper_normalizer", "pandas", "onnxruntime")
    code = f"import sys, workbench.text; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
