"""What SCOREQ promises: the scores of the published graphs run one clip at a time, whatever the batch."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.tiny_models.judges import save_scoreq
from workbench import audio as audio_room
from workbench.audio import Audio
from workbench.errors import ConfigError, EngineError, EngineUnavailableError
from workbench.judges.scoreq import FILES, LONGEST_SEC, SAMPLE_RATE_HZ, ScoreqJudge

CLOSE = 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scoreq")
    for seed, name in enumerate(FILES.values()):
        save_scoreq(folder / name, seed=seed)
    return folder


@pytest.fixture(scope="module")
def judge(folder):
    judge = ScoreqJudge(weights=str(folder))
    judge.load()
    yield judge
    judge.close()


def clip(seconds: float, *, seed: int = 0, rate_hz: int = SAMPLE_RATE_HZ) -> Audio:
    """Coloured noise in bursts; different for every seed."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate_hz)
    samples = np.convolve(rng.standard_normal(count), np.ones(1 + 3 * seed) / (1 + seed), mode="same") * (np.arange(count) // 1600 % 3 < 2)
    return Audio((0.9 * samples / max(1e-9, np.abs(samples).max())).astype(np.float32), rate_hz)


#: Some of equal length, some that are once padded, none a whole multiple of the rest.
CLIPS = [clip(seconds, seed=seed) for seed, seconds in enumerate((1.0, 2.013, 1.0, 0.7301, 2.02, 0.1, 1.0))]


def alone(path, audio: Audio) -> float:
    """The graph by onnxruntime alone, the clip padded as its authors do."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    padded = np.pad(audio.samples, (0, -len(audio.samples) % 320))
    return session.run(None, {"audio_input": padded[None]})[0].item()


def values(scores, column: str = "scoreq_synthetic") -> list[float]:
    assert [one.failure for one in scores] == [None] * len(scores)
    return [one.values[column] for one in scores]


def test_scores_equal_the_graphs_run_one_clip_at_a_time(judge, folder):
    scores = judge.score(CLIPS)
    for column, name in (("scoreq_synthetic", FILES["synthetic"]), ("scoreq_natural", FILES["natural"])):
        theirs = [alone(folder / name, audio) for audio in CLIPS]
        assert np.ptp(theirs) > 0.05, "clips that all score alike would prove nothing"
        assert values(scores, column) == pytest.approx(theirs, abs=CLOSE)


def test_padding_further_would_change_a_score(folder):
    """Why clips of different length never share a batch."""
    padded = Audio(np.pad(CLIPS[0].samples, (0, 8000)), SAMPLE_RATE_HZ)
    assert abs(alone(folder / FILES["synthetic"], padded) - alone(folder / FILES["synthetic"], CLIPS[0])) > 0.01


@pytest.mark.parametrize("options", [{"batch_size": 1}, {"batch_size": 2}, {"threads": 3}, {"threads": 0}])
def test_batch_size_threads_and_neighbours_never_change_a_score(judge, folder, options):
    other = ScoreqJudge(weights=str(folder), **options)
    other.load()
    one_by_one = values([judge.score([audio])[0] for audio in CLIPS])
    assert values(other.score(CLIPS)) == pytest.approx(one_by_one, abs=CLOSE)
    assert values(other.score(CLIPS[::-1])[::-1]) == pytest.approx(one_by_one, abs=CLOSE)


@pytest.mark.parametrize(("batches", "shared"), [("free", True), ("one", False), ("mixing", False)])
def test_a_batch_axis_is_used_only_where_its_rows_prove_independent(tmp_path, batches, shared):
    path = save_scoreq(tmp_path / "graph.onnx", batches=batches)
    judge = ScoreqJudge(weights=str(path), scores="synthetic")
    judge.load()
    assert judge._graphs["synthetic"].takes_batches is shared
    assert values(judge.score(CLIPS)) == pytest.approx([alone(path, audio) for audio in CLIPS], abs=CLOSE)


def test_a_long_clip_is_the_mean_of_its_parts(judge):
    long = clip(40.0, seed=2)
    scores = judge.score([long])[0]
    parts = [Audio(part, SAMPLE_RATE_HZ) for part in np.array_split(long.samples, 3)]
    weights = [len(part.samples) for part in parts]
    assert values([scores])[0] == pytest.approx(np.average(values(judge.score(parts)), weights=weights), abs=CLOSE)
    assert scores.notes == ("mean over 3 parts of 13.3 s",)
    assert judge.score([clip(LONGEST_SEC)])[0].notes == ()


def test_twenty_one_minutes_are_scored(judge):
    long = Audio(np.resize(clip(7.0).samples, 21 * 60 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    assert judge.score([long])[0].notes == ("mean over 84 parts of 15.0 s",)


def test_other_rates_are_brought_to_16_khz(judge):
    there = clip(2.0, rate_hz=24000)
    assert judge.score([there]) == judge.score([audio_room.resample(there, SAMPLE_RATE_HZ)])


def test_peaks_above_one_are_judged_on_a_normalised_copy(judge):
    loud = Audio(CLIPS[0].samples * np.float32(1.5), SAMPLE_RATE_HZ)
    scores = judge.score([loud])[0]
    assert scores.notes == (f"peak {loud.peak:.2f}: judged on a copy normalised to 0.99",)
    assert values([scores]) == pytest.approx(values(judge.score([audio_room.peak_normalised(loud)])), abs=1e-5)


UNJUDGEABLE = {
    "empty": (np.zeros(0), "too short"),
    "5 ms": (np.full(80, 0.5), "too short"),
    "zeros": (np.zeros(16000), "silent"),
    "NaN": (np.full(16000, np.nan), "not finite"),
    "infinity": (np.full(16000, np.inf), "not finite"),
}


def test_what_cannot_be_judged_is_a_failure_as_data_and_costs_no_neighbour_its_score(judge):
    between = [Audio(samples.astype(np.float32), SAMPLE_RATE_HZ) for samples, _ in UNJUDGEABLE.values()]
    first, *bad, last = judge.score([CLIPS[0], *between, CLIPS[0]])
    assert values([first]) == pytest.approx(values([last]), abs=CLOSE)
    for scores, (name, (_, says)) in zip(bad, UNJUDGEABLE.items(), strict=True):
        assert scores.values == {}, name
        assert (scores.failure.stage, scores.failure.type) == ("scoreq", "AudioError"), name
        assert says in scores.failure.message, name
    assert judge.score([]) == []


def test_what_was_asked_for_decides_columns_and_primary():
    from workbench.store.schema import STAGE_COLUMNS

    assert (ScoreqJudge().primary, ScoreqJudge().columns) == ("scoreq_synthetic", ("scoreq_synthetic", "scoreq_natural"))
    assert (ScoreqJudge(scores="natural").primary, ScoreqJudge(scores="natural").columns) == ("scoreq_natural", ("scoreq_natural",))
    assert set(ScoreqJudge().columns) <= set(STAGE_COLUMNS["scoreq"])


def test_loudness_normalised_copies_score_alike(folder):
    judge = ScoreqJudge(weights=str(folder), loudness_lufs=-26)
    judge.load()
    quiet, loud = (Audio(CLIPS[1].samples * np.float32(gain), SAMPLE_RATE_HZ) for gain in (0.05, 0.4))
    first, second = judge.score([quiet, loud])
    assert values([first]) == pytest.approx(values([second]), abs=1e-4)
    assert first.notes[0].startswith(f"loudness {audio_room.integrated_lufs(quiet):.2f} LUFS, judged on a copy at -26.0")
    assert judge.identity() != ScoreqJudge(weights=str(folder)).identity()


def test_identity_follows_the_content_of_the_weights_and_needs_none(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "nothing"))
    assert ScoreqJudge().identity()["weights"] == {"weights": "scoreq", "revision": "15739280"}
    other = save_scoreq(tmp_path / "other.onnx", seed=7)
    again = save_scoreq(tmp_path / "again.onnx", seed=8)
    assert ScoreqJudge(weights=str(other)).identity() != ScoreqJudge(weights=str(again)).identity()
    assert ScoreqJudge(weights=str(other), threads=2).identity() == ScoreqJudge(weights=str(other), batch_size=2).identity()


def test_missing_and_foreign_weights_and_devices_are_refused_with_a_way_out(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "nothing"))
    with pytest.raises(EngineUnavailableError, match="workbench weights fetch scoreq"):
        ScoreqJudge().load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineUnavailableError, match="adapt_nr_synthetic.onnx"):
        ScoreqJudge(weights=str(tmp_path / "empty")).load()
    (tmp_path / "text.onnx").write_text("not a graph")
    with pytest.raises(EngineError, match="not an ONNX graph"):
        ScoreqJudge(weights=str(tmp_path / "text.onnx"), scores="synthetic").load()
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(EngineUnavailableError, match="device cpu"):
            ScoreqJudge(weights=str(folder)).load("cuda")


def test_misuse_is_refused():
    with pytest.raises(EngineError, match="call load"):
        ScoreqJudge().score([])
    for options in ({"scores": "some"}, {"batch_size": 0}, {"threads": -1}, {"threads": 1.5}, {"loudness_lufs": True}):
        with pytest.raises(ConfigError):
            ScoreqJudge(**options)


def test_importing_the_judge_loads_no_runtime():
    code = "import sys, workbench.judges.scoreq; print([m for m in ('onnx', 'onnxruntime', 'scipy', 'torch') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
