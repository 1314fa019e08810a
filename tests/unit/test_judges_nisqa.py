"""What NISQA promises: the reference's scores on the same weights, whatever the batch, at one pinned rate."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.tiny_models.judges import NISQA, NISQA_TTS, save_nisqa, save_nisqa_tts
from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.errors import ConfigError, EngineError, EngineUnavailableError
from workbench.judges.nisqa import QUALITY_COLUMNS, SAMPLE_RATE_HZ, NisqaJudge

CLOSE = 1e-5  # far inside the promised 1e-3; measured differences are under 2e-6


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """HOME of the reference with its weights where it looks for them, and the TTS weights beside."""
    home = tmp_path_factory.mktemp("home")
    return home, save_nisqa(home / ".torchmetrics" / "NISQA" / "nisqa.tar"), save_nisqa_tts(home / "nisqa_tts.tar")


@pytest.fixture(scope="module")
def judge(files):
    judge = NisqaJudge(weights=str(files[1]), tts_weights=str(files[2]))
    judge.load()
    yield judge
    judge.close()


def voice(seconds: float, *, seed: int = 0, rate_hz: int = SAMPLE_RATE_HZ) -> Audio:
    """A gliding pulse train in syllables, with noise and a pause; different for every seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch = 2 * np.pi * np.cumsum(110 + 15 * seed + 20 * np.sin(4.4 * t)) / rate_hz
    samples = sum(np.sin(k * pitch) / k for k in range(1, 40)) * np.clip(np.sin((9 + seed) * t), 0, 1)
    samples = 0.1 * (1 + seed % 3) * samples + 0.003 * (1 + seed) * rng.standard_normal(len(t))
    samples[len(t) // 2 : len(t) * 5 // 8] = 0
    return Audio(samples.astype(np.float32), rate_hz)


def reference_scores(home, clips: list[Audio]) -> np.ndarray:
    """torchmetrics' own scores; it finds its weights by HOME, once."""
    import torch
    from torchmetrics.functional.audio import nisqa as reference

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        reference._load_nisqa_model.cache_clear()
        score = reference.non_intrusive_speech_quality_assessment
        return np.array([score(torch.from_numpy(clip.samples), clip.sample_rate_hz).tolist() for clip in clips])


def values(scores, columns=QUALITY_COLUMNS) -> np.ndarray:
    assert [one.failure for one in scores] == [None] * len(scores)
    return np.array([[one.values[column] for column in columns] for one in scores])


CLIPS = [voice(seconds, seed=seed) for seed, seconds in enumerate((0.15, 1.0, 3.21, 2.017, 5.6))]


def test_the_five_dimensions_equal_the_reference(judge, files):
    theirs = reference_scores(files[0], CLIPS)
    assert np.ptp(theirs, axis=0).min() > 0.01, "clips that all score alike would prove nothing"
    assert values(judge.score(CLIPS)) == pytest.approx(theirs, abs=CLOSE)


def test_other_segment_hops_equal_the_reference_too(tmp_path):
    """A hop of three frames shares no columns between segments: the plain way through the network."""
    path = save_nisqa(tmp_path / ".torchmetrics" / "NISQA" / "nisqa.tar", ms_seg_hop_length=3)
    judge = NisqaJudge(weights=str(path), scores="quality")
    judge.load()
    assert not judge._models["nisqa"][1].cnn.shares
    assert values(judge.score(CLIPS[1:3])) == pytest.approx(reference_scores(tmp_path, CLIPS[1:3]), abs=CLOSE)


def tts_score_by_the_book(path, clip: Audio) -> float:
    """NISQA-TTS as published, written with torch's own layers, one clip at a time, mels by librosa."""
    import librosa
    import torch
    from torch import nn

    state = torch.load(path, weights_only=True)["model_state_dict"]
    layers, channels = [], (1, 16, 32, 64, 64, 64, 64)
    for k in range(1, 7):
        conv, norm = nn.Conv2d(channels[k - 1], channels[k], 3, padding=1), nn.BatchNorm2d(channels[k])
        for name, layer in (("conv", conv), ("bn", norm)):
            prefix = f"cnn.model.{name}{k}."
            layer.load_state_dict({key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)})
        layers += [conv, norm, nn.ReLU(), *({1: [nn.MaxPool2d(2, padding=(0, 1))], 2: [nn.MaxPool2d(2)], 4: [nn.MaxPool2d(2)]}.get(k, []))]
    lstm = nn.LSTM(20, 128, batch_first=True, bidirectional=True)
    lstm.load_state_dict({key.removeprefix("time_dependency.model.lstm."): value for key, value in state.items() if ".lstm." in key})
    mel = librosa.feature.melspectrogram(
        y=clip.samples, sr=clip.sample_rate_hz, n_fft=4096, hop_length=480, win_length=960, pad_mode="reflect", power=1.0, n_mels=48, fmax=8000
    )
    mel = torch.from_numpy(librosa.amplitude_to_db(mel, ref=1.0, amin=1e-4, top_db=80.0)).float()
    with torch.inference_mode():
        maps = nn.Sequential(*layers).eval()(mel.unfold(1, 15, 1).permute(1, 0, 2)[:, None]).flatten(1)
        _, (last, _) = lstm((maps @ state["cnn.model.fc_out.weight"].T + state["cnn.model.fc_out.bias"])[None])
        return float(torch.cat([last[0], last[1]], 1) @ state["pool.model.linear.weight"].T + state["pool.model.linear.bias"])


def test_naturalness_equals_the_published_network_written_plainly(judge, files):
    clips = CLIPS[:3]
    theirs = [tts_score_by_the_book(files[2], clip) for clip in clips]
    assert np.ptp(theirs) > 0.01
    assert values(judge.score(clips), ["nisqa_tts"])[:, 0] == pytest.approx(theirs, abs=CLOSE)


def test_batch_size_and_neighbours_never_change_a_score(judge, files):
    alone = [judge.score([clip])[0] for clip in CLIPS]
    together = judge.score(CLIPS)
    small = NisqaJudge(weights=str(files[1]), tts_weights=str(files[2]), batch_size=2)
    small.load()
    for other in (together, small.score(CLIPS), judge.score(CLIPS[::-1])[::-1]):
        assert values(other, judge.columns) == pytest.approx(values(alone, judge.columns), abs=1e-5)


def test_every_rate_is_brought_to_the_pinned_one(judge):
    there = voice(2.0, rate_hz=22050)
    by_hand = audio_room.resample(there, SAMPLE_RATE_HZ)
    assert judge.score([there])[0] == judge.score([by_hand])[0]
    assert judge.identity()["sample_rate_hz"] == SAMPLE_RATE_HZ == 48000


def test_a_clip_that_the_network_cannot_take_whole_is_the_mean_of_its_parts(judge, files):
    long = voice(61.0)
    scores = judge.score([long])[0]
    halves = [Audio(part, SAMPLE_RATE_HZ) for part in np.array_split(long.samples, 2)]
    weights = [len(half.samples) for half in halves]
    assert values([scores], judge.columns)[0] == pytest.approx(np.average(values(judge.score(halves), judge.columns), axis=0, weights=weights), abs=1e-5)
    assert scores.notes == ("nisqa_mos: mean over 2 parts of 30.5 s", "nisqa_tts: mean over 2 parts of 30.5 s")
    whole = Audio(long.samples[: 51 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)
    found = judge.score([whole])[0]
    assert found.notes == ()
    assert values([found]) == pytest.approx(reference_scores(files[0], [whole]), abs=CLOSE)


def test_twenty_minutes_score_in_bounded_memory(files):
    """In a process of its own that may hold 3 GB more than torch itself: a batch of whole spectra would not fit."""
    script = (
        "import resource, sys, numpy as np, torch\n"
        "from workbench.audio import Audio\nfrom workbench.judges.nisqa import NisqaJudge\n"
        "judge = NisqaJudge(weights=sys.argv[1], scores='quality'); judge.load()\n"
        "samples = 0.1 * np.random.default_rng(0).standard_normal(16000 * 1200, np.float32)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = judge.score([Audio(samples, 16000)])[0]\n"
        "grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024\n"
        "print(found.notes[0], grown < 3000, len(found.values))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(files[1])], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "nisqa_mos: mean over 24 parts of 50.0 s True 5"


UNJUDGEABLE = {
    "empty": (np.zeros(0), "too short"),
    "5 ms": (np.full(240, 0.5), "too short"),
    "0.13 s": (np.full(6240, 0.5), "too short"),
    "zeros": (np.zeros(48000), "silent"),
    "NaN": (np.full(48000, np.nan), "not finite"),
    "infinity": (np.full(48000, np.inf), "not finite"),
}


def test_what_cannot_be_judged_is_a_failure_as_data_and_costs_no_neighbour_its_score(judge):
    between = [Audio(samples.astype(np.float32), SAMPLE_RATE_HZ) for samples, _ in UNJUDGEABLE.values()]
    first, *bad, last = judge.score([CLIPS[1], *between, CLIPS[1]])
    assert first.failure is None and values([first], judge.columns) == pytest.approx(values([last], judge.columns), abs=1e-5)
    for scores, (name, (_, says)) in zip(bad, UNJUDGEABLE.items(), strict=True):
        assert scores.values == {}, name
        assert (scores.failure.stage, scores.failure.type) == ("nisqa", "AudioError"), name
        assert says in scores.failure.message, name
    assert judge.score([]) == []


def test_what_was_asked_for_decides_columns_and_primary(files):
    assert (NisqaJudge().primary, len(NisqaJudge().columns)) == ("nisqa_tts", 6)
    quality, tts = NisqaJudge(scores="quality", weights=str(files[1])), NisqaJudge(scores="tts", tts_weights=str(files[2]))
    assert (quality.primary, quality.columns) == ("nisqa_mos", QUALITY_COLUMNS)
    tts.load()
    assert (tts.primary, set(tts.score(CLIPS[:1])[0].values)) == ("nisqa_tts", {"nisqa_tts"})


def test_the_store_has_a_column_for_every_score():
    from workbench.store.schema import STAGE_COLUMNS

    assert set(NisqaJudge().columns) <= set(STAGE_COLUMNS["nisqa"])


def test_loudness_normalised_copies_are_judged_and_both_loudnesses_noted(files):
    judge = NisqaJudge(scores="quality", weights=str(files[1]), loudness_lufs=-26)
    judge.load()
    quiet, loud = voice(2.0, seed=1), voice(2.0, seed=1)
    loud = Audio(loud.samples * np.float32(3), SAMPLE_RATE_HZ)
    first, second = judge.score([quiet, loud])
    assert values([first]) == pytest.approx(values([second]), abs=1e-4)
    before = audio_room.integrated_lufs(quiet)
    assert first.notes == (f"loudness {before:.2f} LUFS, judged on a copy at -26.00 LUFS",)
    assert judge.identity() != NisqaJudge(scores="quality", weights=str(files[1])).identity()


def test_identity_follows_the_content_of_the_weights_and_needs_none(files, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "nothing"))
    assert NisqaJudge().identity()["weights"][0]["weights"] == "nisqa"
    one, two = save_nisqa(tmp_path / "one.tar", seed=1), save_nisqa(tmp_path / "two.tar", seed=2)
    assert NisqaJudge(weights=str(one)).identity() != NisqaJudge(weights=str(two)).identity()
    assert NisqaJudge(weights=str(one)).identity() == NisqaJudge(weights=str(one), batch_size=3).identity()


def test_missing_and_foreign_weights_are_refused_with_a_way_out(files, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "nothing"))
    with pytest.raises(EngineUnavailableError, match="workbench weights fetch nisqa"):
        NisqaJudge().load()
    (tmp_path / "text.tar").write_text("not weights")
    with pytest.raises(EngineError, match="not a NISQA checkpoint"):
        NisqaJudge(scores="quality", weights=str(tmp_path / "text.tar")).load()
    with pytest.raises(EngineError, match="of another kind"):
        NisqaJudge(scores="quality", weights=str(files[2])).load()
    import torch

    found = torch.load(files[1], weights_only=True)
    for name, args, drop, says in (
        ("strange", {"cnn_model": "dff"}, None, "architecture that is not known"),
        ("short", {}, "cnn.model.conv3.bias", "do not fit their own settings"),
        ("bare", {"ms_n_fft": None}, None, "without their settings"),
    ):
        state = {key: value for key, value in found["model_state_dict"].items() if key != drop}
        torch.save({"args": found["args"] | args, "model_state_dict": state}, tmp_path / f"{name}.tar")
        with pytest.raises(EngineError, match=says):
            NisqaJudge(scores="quality", weights=str(tmp_path / f"{name}.tar")).load()


def test_misuse_is_refused(judge):
    with pytest.raises(EngineError, match="call load"):
        NisqaJudge().score([])
    for options in ({"scores": "some"}, {"batch_size": 0}, {"batch_size": True}, {"loudness_lufs": 5}, {"loudness_lufs": "loud"}):
        with pytest.raises(ConfigError):
            NisqaJudge(**options)


def test_importing_the_judge_imports_no_torch():
    code = "import sys, workbench.judges.nisqa; print([m for m in ('torch', 'librosa', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_tests_use_the_published_settings():
    assert (NISQA["ms_fmax"], NISQA["ms_seg_hop_length"], NISQA_TTS["ms_fmax"], NISQA_TTS["ms_seg_hop_length"]) == (20000, 4, 8000, 1)
