"""Negative controls: planned evenly, spoken with both readings, and kept only where what was spoken is proven; and the commands over them."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import ConfigError, ManifestError, UnknownNameError
from workbench.homographs import lexicon
from workbench.homographs.controls import plan_controls, texts_of_data, texts_of_lexicon
from workbench.homographs.drift import drift
from workbench.homographs.trials import read_trials, write_trials
from workbench.scan.homograph_commands import calibrate_from, controls_in, score_list
from workbench.scan.homograph_controls import make_controls
from workbench.scan.homographs import COLUMNS

VOICES = ["flite/rms", "espeak/en-us"] if shutil.which("flite") else ["espeak/en-us", "espeak/en-gb"]


def silent(_line: str) -> None: ...


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    return folder, controls_in(folder, voices=VOICES, words=["live", "lead", "wind"], workers=1)


def test_every_voice_says_every_reading_right_and_wrong(made):
    folder, controls = made
    trials = read_trials(folder / "trials.tsv")
    assert trials == list(controls.trials) and not controls.left_out
    counts = Counter((trial.speaker, trial.expected, trial.spoken == trial.expected) for trial in trials)
    assert len(trials) == 2 * 6 * len(VOICES) and set(counts.values()) <= {1, 2}
    assert all(trial.sentence.encode()[trial.start_byte : trial.end_byte].decode().lower() in ("live", "lead", "wind") for trial in trials)


def test_the_same_plan_is_made_again_and_voices_say_different_sentences():
    texts = texts_of_lexicon(lexicon(), ["live", "lead", "wind", "close"])
    plan = plan_controls(texts, ["flite/a", "flite/b"], per_voice=3, seed=7)
    assert plan == plan_controls(texts, ["flite/a", "flite/b"], per_voice=3, seed=7) and len(plan) == 6
    assert {c.text.sentence for c in plan[:3]} != {c.text.sentence for c in plan[3:]}
    drifting = plan_controls(texts, ["flite/a"], speeds=[0.8, 1.0, 1.25], sentences=1)
    assert Counter((c.text.sentence, c.speed) for c in drifting).most_common(1)[0][1] == 1 and len({c.text.sentence for c in drifting}) == len(drifting) / 3
    british = plan_controls(texts_of_lexicon(lexicon(), ["close"]), ["espeak/en-gb"], british=["espeak/en-gb"])
    assert {variant.region for control in british for variant in control.variants} == {"gb"}


@pytest.mark.parametrize("options", [{"voices": []}, {"voices": ["flite/slt"], "sentences": 0}, {"voices": ["flite/slt"], "per_voice": 0}, {"voices": ["flite/slt"], "speeds": []}])
def test_a_plan_of_nothing_is_refused(options):
    with pytest.raises(ConfigError):
        plan_controls(texts_of_lexicon(lexicon(), ["live"]), **options)
    with pytest.raises(ConfigError, match="no sentence"):
        plan_controls([], ["flite/slt"])
    with pytest.raises(UnknownNameError, match="did you mean live"):
        texts_of_lexicon(lexicon(), ["livee"])


def test_files_that_do_not_prove_their_label_are_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.speech_deaf_to_phonemes")
    texts = texts_of_lexicon(lexicon(), ["live"])
    planned = plan_controls(texts, ["deaf/en-us", "taciturn/en-us", "espeak/en-us"])
    controls = make_controls(planned, folder=tmp_path, say=silent)
    assert {trial.speaker for trial in controls.trials} == {"espeak/en-us"} and len(controls.trials) == len(planned) // 3 * 2
    each = len(planned) // 3
    assert sorted(controls.left_out.values()) == [each, each] and any("sound the same" in reason for reason in controls.left_out)


def test_sentences_of_a_data_file_are_taken_by_their_labels(tmp_path):
    path = tmp_path / "d.tsv"
    rows = [("live", "live_adj", "It was a live broadcast then.", 9, 13), ("live", "live_vrb", "Short live.", 6, 10), ("live", "live_vrb", "They live and they live on.", 5, 9)]
    path.write_text("\n".join("\t".join(map(str, row)) for row in [("homograph", "wordid", "sentence", "start", "end"), *rows]) + "\n")
    found = texts_of_data(path, lexicon())
    assert [(text.sentence, text.homograph.readings[text.expected].name) for text in found] == [("It was a live broadcast then.", "adjective")]
    assert texts_of_data(path, lexicon(), ["Live"]) == found and texts_of_data(path, lexicon(), ["wind"]) == []
    path.write_text("a\tb\n")
    with pytest.raises(ConfigError, match="lacks columns"):
        texts_of_data(path, lexicon())


def test_a_list_is_calibrated_from_and_scored(made, tmp_path):
    folder, controls = made
    told = "\n".join(calibrate_from(folder / "trials.tsv", tmp_path / "c.json", workers=1))
    assert "words allowed of 3" in told
    lines = list(score_list(folder / "trials.tsv", tmp_path / "v.tsv", calibration=tmp_path / "c.json", every_word=True, workers=1))
    with (tmp_path / "v.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert tuple(rows[0]) == COLUMNS and [row["audio"] for row in rows] == [trial.audio for trial in controls.trials]
    assert {row["verdict"] for row in rows} <= {"correct", "suspect", "unscorable"} and any(line.startswith("two-way") for line in lines)
    wrong = [trial.expected != trial.spoken for trial in controls.trials]
    suspect = [row["verdict"] == "suspect" for row in rows]
    assert sum(a and b for a, b in zip(wrong, suspect, strict=True)) > sum(b and not a for a, b in zip(wrong, suspect, strict=True))
    assert "reference" not in lines and list(score_list(folder / "trials.tsv", tmp_path / "r.tsv", calibration=tmp_path / "c.json", rule="reference", workers=1))
    with pytest.raises(UnknownNameError, match="calibrated"):
        list(score_list(folder / "trials.tsv", tmp_path / "r.tsv", rule="calibratd"))


def test_the_command_judges_with_what_ships(made, tmp_path):
    folder, _ = made
    out = tmp_path / "verdicts.tsv"
    done = CliRunner().invoke(app, ["homographs", "score", str(folder / "trials.tsv"), "--out", str(out), "--workers", "1"])
    assert done.exit_code == 0 and done.output.splitlines()[-1] == str(out) and "recall" in done.output
    bad = CliRunner().invoke(app, ["homographs", "score", str(tmp_path / "none.tsv")])
    assert bad.exit_code != 0 and isinstance(bad.exception, ManifestError)


def test_a_place_or_a_voice_that_is_none_is_refused_before_anything_is_spoken_or_heard(made, tmp_path):
    folder, _ = made
    trials, kept = str(folder / "trials.tsv"), (folder / "trials.tsv").read_bytes()
    for place in (tmp_path, tmp_path / "no" / "v.tsv"):
        for command in ("score", "calibrate"):
            refused = CliRunner().invoke(app, ["homographs", command, trials, "--out", str(place)])
            assert isinstance(refused.exception, ConfigError) and str(place) in str(refused.exception)
    assert isinstance(CliRunner().invoke(app, ["homographs", "score", "."]).exception, ManifestError)
    with pytest.raises(UnknownNameError, match="espeak voice"):
        controls_in(folder, voices=["espeak/en-uss"], words=["live"])
    with pytest.raises(ConfigError, match="no folder for controls"):
        controls_in(folder / "trials.tsv", voices=VOICES, words=["live"])
    assert (folder / "trials.tsv").read_bytes() == kept
    refused = CliRunner().invoke(app, ["homographs", "controls", str(tmp_path), "--words", "live", "--speeds", "fast"])
    assert refused.exit_code == 2 and "--speeds" in refused.output


def test_a_list_that_is_cut_by_its_quotes_is_refused_and_a_truth_that_is_none_is_told(made, tmp_path):
    folder, controls = made
    copied = tmp_path / "t.tsv"
    write_trials(copied, [replace(controls.trials[0], sentence='"Live," they said.'), replace(controls.trials[1], audio="elsewhere.wav", spoken="vreb")])
    first, second = read_trials(copied)
    assert first.sentence == '"Live," they said.' and second.audio == str(Path("elsewhere.wav").absolute())
    lines = copied.read_text(encoding="utf-8").splitlines()
    for sentence in ('"Live," they said.', '"Live here.'):
        row = lines[2].split("\t")
        copied.write_text("\n".join([lines[0], "\t".join([*row[:2], sentence, *row[3:]]), lines[2], ""]), encoding="utf-8")
        with pytest.raises(ManifestError, match="line 2.*quotation mark"):
            read_trials(copied)
    copied.write_text("\ufeff" + "\n".join([lines[0], lines[2], ""]), encoding="utf-8")
    told = list(score_list(copied, tmp_path / "v.tsv", workers=1))
    assert any("1 trials whose `spoken` is no reading of their word: vreb" in line for line in told)


def test_a_voice_that_is_heard_worse_than_the_others_drifts():
    from workbench.homographs.decide import Decision, Evidence, HomographVerdict
    from workbench.homographs.fitting import KnownTrial
    from workbench.homographs.judging import Asked, Judged
    from workbench.homographs.spoken import Heard

    homograph = lexicon()["wind"]

    def trial(voice: str, hit: bool):
        known = KnownTrial(Asked("wind", homograph, 0, Heard(()), 1.0, voice), 0, "e")
        return known, Judged(Decision(HomographVerdict.CORRECT, ""), Evidence("wind", voice, score=1.0 if hit else -1.0))

    rows = [trial(voice, hit) for voice, hits in (("good", "1" * 12), ("bad x1.25", "110000"), ("few", "00")) for hit in map(int, hits)]
    found = {one.voice: one for one in drift(*zip(*rows, strict=True))}
    assert found["bad x1.25"].drifts and not found["good"].drifts and not found["few"].drifts
    assert found["bad x1.25"].share == pytest.approx(1 / 3) and "2 of 6" in found["bad x1.25"].text
