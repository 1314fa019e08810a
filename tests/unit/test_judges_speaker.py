"""What speaker similarity promises: transformers' embeddings, whatever the batch, against the recordings that were named."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.tiny_models.judges import save_wavlm
from workbench import audio as audio_room
from workbench.audio import Audio, write_wav
from workbench.errors import AudioError, ConfigError, EngineError, EngineUnavailableError
from workbench.judges.speaker_similarity import SAMPLE_RATE_HZ, SpeakerSimilarityJudge

CLOSE = 1e-5
COLUMN = "speaker_similarity_cosine"


def voice(seconds: float, *, seed: int = 0, path: str | None = None, rate_hz: int = SAMPLE_RATE_HZ) -> Audio:
    """A gliding pulse train in syllables with its own pitch and timbre for every seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch = 2 * np.pi * np.cumsum(80 + 30 * seed + 20 * np.sin(4.4 * t)) / rate_hz
    samples = sum(rng.uniform(0.2, 1) * np.sin(k * pitch) for k in range(1, 15)) * np.clip(np.sin((7 + seed) * t), 0.02, 1)
    return Audio((0.04 * samples + 0.002 * rng.standard_normal(len(t))).astype(np.float32), rate_hz, path=path)


CLIPS = [voice(seconds, seed=seed) for seed, seconds in enumerate((1.0, 2.4, 0.5, 1.713, 1.0))]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_wavlm(tmp_path_factory.mktemp("wavlm") / "model")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """speaker/recording.wav for two speakers."""
    folder = tmp_path_factory.mktemp("speakers")
    for speaker, seeds in (("anna", (0, 1)), ("ben", (3,))):
        for seed in seeds:
            write_wav(voice(1.5, seed=seed), folder / speaker / f"{seed}.wav")
    return folder


@pytest.fixture(scope="module")
def judge(weights, recordings):
    judge = SpeakerSimilarityJudge(reference=str(recordings / "anna" / "0.wav"), weights=str(weights))
    judge.load()
    yield judge
    judge.close()


def embedding(folder, audio: Audio, *, do_normalize: bool = False) -> np.ndarray:
    """transformers' own, one clip at a time."""
    import torch
    from transformers import WavLMForXVector

    samples = audio.samples
    if do_normalize:
        samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    with torch.inference_mode():
        found = WavLMForXVector.from_pretrained(folder, local_files_only=True).eval()(torch.from_numpy(samples)[None]).embeddings[0].double().numpy()
    return found / np.linalg.norm(found)


def values(scores) -> list[float]:
    assert [one.failure for one in scores] == [None] * len(scores)
    return [one.values[COLUMN] for one in scores]


@pytest.mark.parametrize("options", [{}, {"weighted": False}, {"norm": "layer"}, {"do_normalize": True}])
def test_cosines_equal_transformers_own_one_clip_at_a_time(options, tmp_path, recordings):
    folder = save_wavlm(tmp_path / "model", **options)
    reference = recordings / "anna" / "0.wav"
    judge = SpeakerSimilarityJudge(reference=str(reference), weights=str(folder))
    judge.load()
    normalise = options.get("do_normalize", False)
    target = embedding(folder, audio_room.read(reference), do_normalize=normalise)
    theirs = [float(embedding(folder, audio, do_normalize=normalise) @ target) for audio in CLIPS]
    assert np.ptp(theirs) > 1e-3, "clips that all score alike would prove nothing"
    assert values(judge.score(CLIPS)) == pytest.approx(theirs, abs=CLOSE)


def test_zero_padding_by_the_library_itself_would_change_the_embedding(weights):
    """Why the padding is undone here: the same clip beside a longer one, by transformers' own mask."""
    import torch
    from transformers import WavLMForXVector

    model = WavLMForXVector.from_pretrained(weights, local_files_only=True).eval()
    padded = np.pad(CLIPS[0].samples, (0, 16000))
    with torch.inference_mode():
        mask = torch.from_numpy((np.arange(len(padded)) < len(CLIPS[0].samples)).astype(np.int64))[None]
        found = model(torch.from_numpy(padded)[None], attention_mask=mask).embeddings[0].double().numpy()
    assert 1 - found @ embedding(weights, CLIPS[0]) / np.linalg.norm(found) > 1e-4


def test_batch_size_and_neighbours_never_change_a_score(judge, weights, recordings):
    alone = values([judge.score([audio])[0] for audio in CLIPS])
    small = SpeakerSimilarityJudge(reference=str(recordings / "anna" / "0.wav"), weights=str(weights), batch_size=2)
    small.load()
    for together in (judge.score(CLIPS), small.score(CLIPS), judge.score(CLIPS[::-1])[::-1]):
        assert values(together) == pytest.approx(alone, abs=CLOSE)


def test_a_recording_is_as_similar_to_itself_as_can_be(judge, recordings):
    assert values(judge.score([audio_room.read(recordings / "anna" / "0.wav")])) == pytest.approx([1.0], abs=1e-6)


def test_a_folder_of_recordings_is_their_mean_embedding(weights, recordings):
    judge = SpeakerSimilarityJudge(reference=str(recordings / "anna"), weights=str(weights))
    judge.load()
    mean = sum(embedding(weights, audio_room.read(recordings / "anna" / f"{seed}.wav")) for seed in (0, 1))
    theirs = float(embedding(weights, CLIPS[3]) @ mean / np.linalg.norm(mean))
    assert values(judge.score([CLIPS[3]])) == pytest.approx([theirs], abs=CLOSE)


def test_each_clip_is_compared_with_its_own_speaker(weights, recordings, tmp_path):
    (recordings / "speakers.yaml").write_text("anna: anna/0.wav\nben: ben\n")
    judge = SpeakerSimilarityJudge(references=str(recordings / "speakers.yaml"), weights=str(weights))
    judge.load()
    own = [voice(1.5, seed=0, path="out/anna/line1.wav"), voice(1.5, seed=3, path="out/ben.wav"), voice(1.5, seed=0, path="anna/ben/1.wav")]
    first, second, other = values(judge.score(own))
    assert first == pytest.approx(1.0, abs=1e-4) and second == pytest.approx(1.0, abs=1e-4) and other < 0.9999
    stranger, nameless = judge.score([voice(1.0, path="out/carl/1.wav"), voice(1.0)])
    for scores in (stranger, nameless):
        assert scores.values == {} and "no reference recording" in scores.failure.message
    by_hand = {"anna": str(recordings / "anna" / "0.wav"), "ben": str(recordings / "ben")}
    assert SpeakerSimilarityJudge(references=by_hand).recordings.keys() == judge.recordings.keys()


def test_a_long_clip_is_the_mean_embedding_of_its_parts(judge, weights, recordings):
    long = voice(45.0, seed=2)
    scores = judge.score([long])[0]
    parts = [Audio(part, SAMPLE_RATE_HZ) for part in np.array_split(long.samples, 3)]
    mean = np.average([embedding(weights, part) for part in parts], axis=0, weights=[len(part.samples) for part in parts])
    target = embedding(weights, audio_room.read(recordings / "anna" / "0.wav"))
    assert values([scores]) == pytest.approx([float(mean @ target / np.linalg.norm(mean))], abs=CLOSE)
    assert scores.notes == ("mean embedding of 3 parts of 15.0 s",)


def test_twenty_one_minutes_are_scored(recordings, tmp_path):
    judge = SpeakerSimilarityJudge(reference=str(recordings / "ben"), weights=str(save_wavlm(tmp_path / "model", hidden=8, layers=1)))
    judge.load()
    long = Audio(np.resize(voice(8.0).samples, 21 * 60 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    assert judge.score([long])[0].notes == ("mean embedding of 63 parts of 20.0 s",)


UNJUDGEABLE = {
    "empty": (np.zeros(0), "too short"),
    "5 ms": (np.full(80, 0.5), "too short"),
    "0.4 s": (np.full(6400, 0.5), "too short"),
    "zeros": (np.zeros(16000), "silent"),
    "NaN": (np.full(16000, np.nan), "not finite"),
    "infinity": (np.full(16000, np.inf), "not finite"),
}


def test_what_cannot_be_judged_is_a_failure_as_data_and_costs_no_neighbour_its_score(judge):
    between = [Audio(samples.astype(np.float32), SAMPLE_RATE_HZ) for samples, _ in UNJUDGEABLE.values()]
    first, *bad, last = judge.score([CLIPS[1], *between, CLIPS[1]])
    assert values([first]) == pytest.approx(values([last]), abs=CLOSE)
    for scores, (name, (_, says)) in zip(bad, UNJUDGEABLE.items(), strict=True):
        assert scores.values == {}, name
        assert (scores.failure.stage, scores.failure.type) == ("speaker_similarity", "AudioError"), name
        assert says in scores.failure.message, name
    assert judge.score([]) == []


def test_a_judge_without_a_reference_is_refused_at_once(recordings, tmp_path):
    (tmp_path / "list.yaml").write_text("- no mapping\n")
    for options in ({}, {"reference": "a.wav", "references": {"a": "a.wav"}}, {"reference": str(tmp_path / "absent.wav")}, {"reference": str(tmp_path)},
                    {"references": str(tmp_path / "absent.yaml")}, {"references": str(tmp_path / "list.yaml")}):
        with pytest.raises(ConfigError, match="reference"):
            SpeakerSimilarityJudge(**options)
    there = str(recordings / "ben")
    for options in ({"batch_size": 0}, {"dtype": "int8"}, {"loudness_lufs": 1}):
        with pytest.raises(ConfigError):
            SpeakerSimilarityJudge(reference=there, **options)
    with pytest.raises(EngineError, match="call load"):
        SpeakerSimilarityJudge(reference=there).score([])


def test_a_reference_that_cannot_be_judged_stops_the_loading(weights, tmp_path):
    write_wav(Audio(np.zeros(16000, np.float32), SAMPLE_RATE_HZ), tmp_path / "silent.wav")
    with pytest.raises(AudioError, match="silent"):
        SpeakerSimilarityJudge(reference=str(tmp_path / "silent.wav"), weights=str(weights)).load()


def test_missing_and_foreign_weights_are_refused_with_a_way_out(weights, recordings, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "nothing"))
    reference = str(recordings / "ben")
    with pytest.raises(EngineUnavailableError, match="workbench weights fetch wavlm-base-plus-sv"):
        SpeakerSimilarityJudge(reference=reference).load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="not a WavLM x-vector model"):
        SpeakerSimilarityJudge(reference=reference, weights=str(tmp_path / "empty")).load()
    from transformers import WavLMForXVector

    bare = tmp_path / "bare"
    save_wavlm(bare)
    WavLMForXVector.from_pretrained(bare).wavlm.save_pretrained(bare)
    with pytest.raises(EngineError, match="without a speaker head"):
        SpeakerSimilarityJudge(reference=reference, weights=str(bare)).load()


def test_identity_follows_weights_and_references_and_needs_no_weights(weights, recordings, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "nothing"))
    anna, ben = str(recordings / "anna"), str(recordings / "ben")
    assert SpeakerSimilarityJudge(reference=anna).identity()["weights"] == {"weights": "wavlm-base-plus-sv", "revision": "main"}
    identities = [SpeakerSimilarityJudge(reference=path, weights=local).identity() for path in (anna, ben) for local in (None, str(weights))]
    identities.append(SpeakerSimilarityJudge(reference=anna, dtype="bfloat16").identity())
    assert all(one != other for k, one in enumerate(identities) for other in identities[:k])
    assert SpeakerSimilarityJudge(reference=anna, batch_size=3).identity() == SpeakerSimilarityJudge(reference=anna).identity()


def test_the_store_has_a_column_for_it(recordings):
    from workbench.store.schema import STAGE_COLUMNS

    assert set(SpeakerSimilarityJudge.columns) <= set(STAGE_COLUMNS["speaker_similarity"])


def test_importing_the_judge_imports_no_torch():
    code = "import sys, workbench.judges.speaker_similarity; print([m for m in ('torch', 'transformers', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
