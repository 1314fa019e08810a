"""Listeners hear which reading is spoken; whatever cannot be heard has a verdict and a reason."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.tiny_models.wav2vec2 import build_tiny_wav2vec2_phoneme
from workbench import engines
from workbench.audio import Audio, cut, write_wav
from workbench.errors import ConfigError, EngineError, TextError, UnknownNameError
from workbench.homographs import lexicon, place_of
from workbench.homographs.calibration import Calibration
from workbench.homographs.ctc import ctc_log_likelihood
from workbench.homographs.decide import HomographVerdict, Lists, ReferenceRule
from workbench.homographs.distances import free_phones, stretch_distance
from workbench.homographs.judging import judge
from workbench.homographs.keeping import add_heard, read_heard
from workbench.homographs.prosody import prosody
from workbench.homographs.segments import MEASURES
from workbench.homographs.spoken import Heard, Pair, SpokenRequest, target_at, targets_in
from workbench.homographs.trials import Trial, read_trials
from workbench.scan.homographs import hear_trials, make_listener
from workbench.tts.base import SaidAs, SpeechRequest

VOICE = ("flite", "rms") if shutil.which("flite") else ("espeak", "en-us")
RATIO, CONTRAST, PERIODICITY = (MEASURES.index(name) for name in ("ratio", "contrast", "voice_periodicity"))
#: Judges by the likelihood ratio alone.
PLAIN = Calibration("pocketsphinx", MEASURES, {"vowel": tuple(float(k == RATIO) for k in range(len(MEASURES)))}, {"vowel": (-0.2, 0.2)})


@pytest.fixture(scope="module")
def listener():
    made = make_listener("pocketsphinx")
    made.load()
    yield made
    made.close()


@pytest.fixture(scope="module")
def voice():
    engine = engines.create(VOICE[0], "tts")
    engine.load()
    return engine


def say(voice, sentence: str, word: str, reading: str) -> Audio:
    start, end = place_of(sentence, word)
    phones = lexicon()[word].reading(reading).usual.phones
    return voice.speak([SpeechRequest(sentence, VOICE[1], said_as=(SaidAs(start, end, phones),))])[0]


def asked(sentence: str, word: str):
    return target_at(sentence, *place_of(sentence, word), lexicon())


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("They play live music in the bar.", "live"), ("The wind was cold today.", "wind"), ("He will conduct the choir.", "conduct"),
        ("We keep them separate now.", "separate"), ("She wanted to resume the talk.", "resume"),
    ],
)  # fmt: skip
def test_the_reading_that_is_spoken_is_the_likelier_one(listener, voice, sentence, word):
    readings = lexicon()[word].readings
    ratios = []
    for reading in readings[:2]:
        heard = listener.hear([SpokenRequest(say(voice, sentence, word, reading.name), asked(sentence, word))])[0]
        assert heard.fault is None and 0 < heard.span_sec[0] < heard.span_sec[1] and len(heard.pairs[0].measures) == len(listener.measures)
        ratios.append(heard.pairs[0].measures[RATIO])
    assert ratios[0] > 0.2 and ratios[0] > ratios[1] + 0.5


def test_voicing_is_heard_in_the_consonant(listener, voice):
    sentence = "The house is old."
    said = [listener.hear([SpokenRequest(say(voice, sentence, "house", name), asked(sentence, "house"))])[0].pairs[0] for name in ("noun", "verb")]
    noun, verb = (pair.measures[PERIODICITY] for pair in said)
    assert noun > verb


def test_a_batch_gives_what_each_gives_alone_and_words_of_one_clip_are_both_heard(listener, voice):
    sentence = "The wind was cold where they live."
    audio = say(voice, sentence, "wind", "air")
    requests = [SpokenRequest(audio, target) for target, _ in targets_in(sentence, lexicon())]
    assert [request.target.homograph.word for request in requests] == ["wind", "live"]
    together = listener.hear(requests)
    assert [one.pairs for one in together] == [listener.hear([request])[0].pairs for request in requests]
    assert together[0].span_sec[1] < together[1].span_sec[0]


def verdict_of(listener, audio, target):
    from workbench.homographs.judging import Asked

    heard = listener.hear([SpokenRequest(audio, target)])[0]
    return judge([Asked(target.homograph.word, target.homograph, 0, heard)], PLAIN, lists=Lists())[0]


def test_what_cannot_be_heard_is_unscorable_and_says_why(listener, voice):
    sentence = "He bought a new lead."
    target, audio = asked(sentence, "lead"), say(voice, sentence, "lead", "metal")
    start = listener.hear([SpokenRequest(audio, target)])[0].span_sec[0]
    draw = np.random.default_rng(0)
    cases = {
        "silent": Audio(np.zeros(16000, dtype=np.float32), 16000),
        "shorter": Audio(draw.normal(size=160).astype(np.float32) * 0.1, 16000),
        "does not fit": cut(audio, 0.2, 0.5),
        "cut off or not": cut(audio, 0.0, start),
        "not spoken": Audio(0.3 * draw.normal(size=40_000).astype(np.float32), 16000),
        "longer than": Audio(np.ones(61 * 8000, dtype=np.float32), 8000),
    }
    for told, spoilt in cases.items():
        one = verdict_of(listener, spoilt, target)
        assert one.verdict is HomographVerdict.UNSCORABLE and told in one.reason, (told, one)
    no_sound = dataclasses.replace(target, homograph=dataclasses.replace(target.homograph, readings=tuple(dataclasses.replace(r, variants=()) for r in target.homograph)))
    assert verdict_of(listener, audio, no_sound).verdict is HomographVerdict.ERROR


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [(0, 2, "no known homograph"), (20, 99, "outside the text"), (-1, 4, "outside the text"), (7, 3, "outside"), (17, 21, "not a word of its own"), (4, 6, "within a character")],
)
def test_a_span_that_is_not_the_word_is_refused_with_the_reason(start, end, told):
    with pytest.raises(TextError, match=told):
        target_at("Die für live or live's use", start, end, lexicon())
    assert target_at("Live here.", 0, 4, dict(lexicon())).homograph.word == "live"


def test_every_row_of_a_list_gets_a_verdict(tmp_path, voice):
    sentence = "They play live music."
    write_wav(say(voice, sentence, "live", "adjective"), tmp_path / "a.wav")
    rows = [
        ("a.wav", "adjective", sentence, 10, 14), ("a.wav", "live_adj", sentence, 10, 14), ("a.wav", "noun", sentence, 10, 14), ("none.wav", "adjective", sentence, 10, 14),
        ("a.wav", "adjective", sentence, 10, 99), ("a.wav", "adjective", sentence, 0, 4), ("a.wav", "adjective", sentence, "x", 14), ("a.wav", "", sentence, 10, 14),
        ("", "adjective", sentence, 10, 14), ("a.wav", "adjective", "The wind and the live music fall on a lead roof by the bow of the ship.", 17, 21),
    ]  # fmt: skip
    lines = ["\t".join(map(str, row)) for row in [("audio", "expected", "sentence", "start_byte", "end_byte"), *rows]]
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    trials = read_trials(tmp_path / "t.tsv")
    kept = tmp_path / "heard.jsonl"
    heard = hear_trials(trials, kept=kept, say=lambda _: None)
    verdicts = [str(one.verdict) for one in judge(heard, PLAIN, lists=Lists())]
    assert verdicts[:9] == ["correct", "correct", "error", "error", "error", "error", "error", "context_ambiguous", "error"]
    assert verdicts[9] == "unscorable"
    # What was heard is kept, and a file with a torn last line serves too.
    size = kept.stat().st_size
    kept.write_bytes(kept.read_bytes() + b'{"key": "torn')
    assert hear_trials(trials, kept=kept, say=lambda _: None) == heard and kept.stat().st_size == size + len(b'{"key": "torn')


def test_what_is_kept_survives_runs_that_are_killed_and_runs_at_once(tmp_path):
    path, heard = tmp_path / "heard.jsonl", Heard((Pair(0, 1, "vowel", (1.0, 2.0), (0.1, 0.2)),), (0.5, 0.8), -1.0, window_sec=(0.3, 1.0))
    add_heard(path, [("a", heard)])
    # Killed within a sign of two bytes, then gone on with.
    path.write_bytes(path.read_bytes() + '{"key": "torn", "heard": {"fault": "ü'.encode()[:-1])
    add_heard(path, [("b", heard)])
    path.write_bytes(path.read_bytes() + b'{"k')
    add_heard(path, [("c", heard)])
    assert read_heard(path) == {"a": heard, "b": heard, "c": heard}
    long = Heard((), fault="x" * 30_000, stage="unscorable")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: add_heard(path, [(f"{number} {k}", long) for k in range(3)]), range(40)))
    assert len(read_heard(path)) == 3 + 3 * 40
    for content in (b"\xbf\x98\xeb\n", b"[1]\n", b'"x"\n', b'{"key": 1}\n'):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="not a file of what was heard"):
            read_heard(path)


def test_what_was_heard_is_taken_again_but_not_its_failures_nor_an_old_name_of_its_contrast(tmp_path, voice):
    sentence = "They play live music."
    write_wav(say(voice, sentence, "live", "adjective"), tmp_path / "a.wav")
    trial, kept = Trial(str(tmp_path / "a.wav"), "adjective", sentence, 10, 14), tmp_path / "heard.jsonl"

    def hear(trial=trial, **options):
        return hear_trials([trial], kept=kept, say=lambda _: None, **options)[0].heard

    assert "no pronunciation" in hear(dataclasses.replace(trial, sentence=f"{sentence} 你好")).fault and not kept.exists()
    heard = hear()
    (key,) = read_heard(kept)
    kept.unlink()
    add_heard(kept, [(key, Heard((), fault="the listener failed: out of memory", stage="error"))])
    assert hear() == heard and heard.pairs[0].kind == "vowel" and read_heard(kept) == {key: heard}
    other = {"live": dataclasses.replace(lexicon()["live"], kind="lexical")}
    size = kept.stat().st_size
    assert hear(known=other).pairs == (dataclasses.replace(heard.pairs[0], kind="lexical"),) and kept.stat().st_size == size


def test_the_phoneme_listener_weighs_by_its_recogniser(tmp_path, voice):
    listener = make_listener("wav2vec2-phoneme", weights=str(build_tiny_wav2vec2_phoneme(tmp_path / "w")))
    sentence = "They close the red door."
    request = SpokenRequest(say(voice, sentence, "close", "verb"), asked(sentence, "close"))
    with pytest.raises(EngineError, match="not loaded"):
        listener.hear([request])
    listener.load()
    silent = SpokenRequest(Audio(np.zeros(16000, dtype=np.float32), 16000), request.target)
    # The tiny model has no symbol for the vowels of lead: it cannot weigh that word, and says so.
    unknown = SpokenRequest(say(voice, "The lead is heavy.", "lead", "metal"), asked("The lead is heavy.", "lead"))
    heard = listener.hear([request, silent, unknown])
    pair = heard[0].pairs[0]
    assert len(pair.measures) == len(listener.measures) and listener.measures[-3:] == ("ctc_ratio", "ctc_ratio_per_frame", "distance")
    assert np.isfinite(pair.measures).all() and pair.measures[-3] != 0 and all(0 <= distance <= 1 for distance in pair.distances)
    assert "silent" in heard[1].fault and "no symbols" in heard[2].fault
    assert listener.hear([request])[0].pairs[0].measures == pytest.approx(pair.measures, abs=1e-4)
    listener.close()
    with pytest.raises(UnknownNameError, match="pocketsphinx"):
        make_listener("pocketsphynx")


def test_ctc_sums_over_all_alignments():
    import torch

    draw = torch.Generator().manual_seed(1)
    log_probs = torch.randn(12, 5, generator=draw).log_softmax(dim=-1)
    for labels in ([1], [1, 1], [2, 3, 1, 4], [3, 3, 3, 3, 3]):
        lost = torch.nn.functional.ctc_loss(log_probs[:, None], torch.tensor([labels]), torch.tensor([12]), torch.tensor([len(labels)]), blank=0, reduction="sum")
        assert ctc_log_likelihood(log_probs.numpy(), labels, blank=0) == pytest.approx(-float(lost), abs=1e-4)
    assert ctc_log_likelihood(log_probs.numpy()[:2], [1, 1], blank=0) == -np.inf
    assert ctc_log_likelihood(log_probs.numpy()[:0], [1], blank=0) == -np.inf
    assert ctc_log_likelihood(log_probs.numpy(), [], blank=0) == pytest.approx(float(log_probs[:, 0].sum()), abs=1e-4)


def test_the_distance_is_to_the_best_stretch_and_prefers_the_centre():
    live = ("L", "AY", "V")
    assert stretch_distance(live, live) == 0.0 and stretch_distance(live, ()) == 1.0
    centred, aside = stretch_distance(live, ("S", *live, "T")), stretch_distance(live, (*live, "S", "T"))
    assert centred == 0.0 < aside <= 0.1
    assert stretch_distance(live, ("L", "IH", "V")) > stretch_distance(("L", "IH", "V"), ("L", "IH", "V"))
    names, frames = ("SIL", "L", "IH", "V"), np.full((40, 4), -20.0)
    for at, phone in enumerate((0, 1, 2, 3)):
        frames[10 * at : 10 * at + 10, phone] = -1.0
    assert free_phones(frames, names, speech=names[1:]) == ("L", "IH", "V")


def test_prosody_tells_voice_from_noise_and_low_from_high():
    times, draw = np.arange(16000) / 16000, np.random.default_rng(0)
    tone = (np.sin(2 * np.pi * 150 * times) + 0.5 * np.sin(2 * np.pi * 300 * times)).astype(np.float32)
    voiced, hiss = prosody(tone, first=10, last=60), prosody(np.diff(draw.normal(size=16001)).astype(np.float32), first=10, last=60)
    assert np.exp(voiced.pitch) == pytest.approx(150, rel=0.03) and voiced.periodicity.min() > 0.9 > 0.6 > hiss.periodicity.mean()
    assert voiced.balance.mean() > 5 > 0 > hiss.balance.mean() and prosody(tone * 2, first=10, last=60).energy == pytest.approx(voiced.energy + np.log(4), abs=1e-3)
    assert len(prosody(tone[:100], first=0, last=3).energy) == 3


def test_a_trial_names_its_voice_with_its_engine():
    assert Trial("a.wav", "noun", "x", 0, 1, voice="slt", engine="flite").speaker == "flite/slt" and Trial("a.wav", "noun", "x", 0, 1).speaker == ""
    assert ReferenceRule().least_probability == 0.65
