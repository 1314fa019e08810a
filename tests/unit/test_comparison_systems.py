"""Systems of a comparison: how parameters write them, their names, and which clips are whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import tone
from workbench.audio import write_wav
from workbench.errors import ConfigError, EngineUnavailableError, ManifestError, UnknownNameError
from workbench.scan.model_comparison import ModelComparisonConfig
from workbench.scan.system_clips import gather_clips
from workbench.scan.systems import System, named, similarity_references
from workbench.text.prompts import Prompt

PROMPTS = (
    Prompt("numbers-1", "numbers", "Take 37 boxes.", extra={"spoken_forms": "37 = thirty seven"}),
    Prompt("dates-1", "dates", "Come on May 3rd."),
    Prompt("plain-1", "plain", "The rain has stopped."),
)


def config(**given) -> ModelComparisonConfig:
    return ModelComparisonConfig.of({"systems": ["flite/slt"], **given})


def gather(systems, tmp_path: Path, *, takes: int = 1, when_missing: str = "stop"):
    return gather_clips(
        systems, PROMPTS, dataset="d", takes=takes, speed=1.0, sensitive=False, when_missing=when_missing, engine_options={}, folder=str(tmp_path / "speech"), workers=1,
        device="cpu", say=lambda line: None,
    )  # fmt: skip


def clips(folder: Path, files: dict[str, str | None]) -> str:
    """A folder of tones by name, with texts where there is one."""
    for pitch, (name, text) in enumerate(files.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_wav(tone(0.4, pitch_hz=200 + 20 * pitch), folder / f"{name}.wav")
        if text is not None:
            (folder / f"{name}.txt").write_text(text)
    return str(folder)


def test_short_forms_are_a_voice_or_a_path(tmp_path):
    folder = clips(tmp_path / "mine", {"plain-1": None})
    systems = config(systems=["flite/slt", folder, {"name": "7k", "voice": "flite/rms", "options": {"timeout_sec": 9}}]).systems
    assert [(s.voice, s.clips) for s in systems] == [("flite/slt", ""), ("", folder), ("flite/rms", "")]
    assert [s.name for s in named(systems)[0]] == ["flite/slt", "mine", "7k"]


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("flit/slt", "did you mean flite/"),
        ("nowhere", "neither a voice nor a path"),
        ({"name": "x"}, "either a voice or clips"),
        ({"voice": "flite/slt", "clips": "x"}, "either a voice or clips"),
        ({"voice": "slt"}, "engine/voice"),
        ({"voice": "flite/slt", "speaker": "a"}, "kind and speaker choose among clips"),
        ({"clips": "x", "options": {"a": 1}}, "options belong to an engine"),
        ({"voice": "flite/slt", "weigths": "x"}, "weigths"),
    ],
)
def test_what_is_no_system_is_refused_before_anything_runs(system, told):
    with pytest.raises((ConfigError, UnknownNameError), match=told):
        config(systems=[system])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"systems": []}, "at least one system"),
        ({"baseline": "flite/sllt"}, "did you mean flite/slt"),
        ({"mos_mode": "passed"}, "judges every clip or none"),
        ({"weights": {"beauty": 1}}, "weights"),
        ({"weights": {"sanity": -1}}, "weigh nothing"),
        ({"weights": {"similarity": 1}}, "no system has a reference"),
        ({"resamples": 10}, "resamples"),
    ],
)
def test_parameters_that_compare_nothing_are_refused(given, told):
    with pytest.raises((ConfigError, UnknownNameError), match=told):
        config(**given)


def test_parameters_come_back_from_a_file_as_they_went_in():
    once = config(systems=["flite/slt", {"name": "b", "voice": "espeak/en-us", "options": {}}], weights={"sanity": 2})
    assert ModelComparisonConfig.of(once.model_dump(mode="json")) == once


def test_one_system_twice_is_taken_once_and_two_of_one_name_are_told_apart():
    same, other = System(name="mine", voice="flite/slt"), System(name="mine", voice="flite/rms")
    systems, said = named([same, same, other, System(voice="flite/slt")])
    assert [system.name for system in systems] == ["mine", "mine (2)", "flite/slt"]
    assert said == ("mine was given twice and is compared once", "Two systems are called mine: the one with voice: flite/rms is called mine (2) here")


def test_clips_find_their_prompts_by_id_by_take_by_folder_and_by_text(tmp_path):
    files = {
        "numbers-1": None,
        "dates-1_take2": None,
        "dates-1/anything": "Come on May 3rd.",
        "x1": "the rain has stopped",
        "x2": "take thirty seven boxes",
        "x3": "something else",
        "plain-1#2": "Take three boxes.",
    }
    gathered = gather([System(name="mine", clips=clips(tmp_path / "mine", files))], tmp_path)
    found = [(entry.prompt.prompt_id, entry.take, Path(entry.clip.audio).stem) for entry in gathered.entries]
    assert sorted(found) == [
        ("dates-1", 1, "dates-1_take2"), ("dates-1", 2, "anything"), ("numbers-1", 1, "numbers-1"), ("numbers-1", 2, "x2"), ("plain-1", 1, "plain-1#2"), ("plain-1", 2, "x1"),
    ]  # fmt: skip
    source = gathered.sources[0]
    assert (source.clips, source.unmatched, source.examples, source.other_text) == (6, 1, ("x3.wav",), 1)
    for entry in gathered.entries:
        # Held against the prompt whatever text they came with; a missing text is no fault of theirs.
        assert entry.clip.text == entry.prompt.text and entry.clip.fault is None and entry.clip.speaker == "mine"
    assert gathered.entries[0].clip.extra["spoken_forms"] == "37 = thirty seven"
    assert len({entry.clip.clip_id for entry in gathered.entries}) == 6


def test_a_clip_that_says_the_text_of_two_prompts_came_with_no_other_text(tmp_path):
    twice = (*PROMPTS, Prompt("plain-2", "plain", "The rain has stopped."))
    folder = clips(tmp_path / "mine", {name: "The rain has stopped." for name in ("plain-1", "plain-2", "dates-1")})
    told = {"dataset": "d", "takes": 1, "speed": 1.0, "sensitive": False, "when_missing": "stop", "engine_options": {}, "folder": "", "workers": 1, "device": "cpu"}
    gathered = gather_clips([System(name="mine", clips=folder)], twice, say=lambda line: None, **told)
    assert [entry.prompt.prompt_id for entry in gathered.entries] == ["dates-1", "plain-1", "plain-2"] and gathered.sources[0].other_text == 1


def test_one_speaker_of_a_list_can_be_a_system(tmp_path):
    folder = clips(tmp_path / "both", {"ann/plain-1": None, "bob/plain-1": None, "bob/dates-1": None})
    gathered = gather([System(name="bob", clips=folder, speaker="bob")], tmp_path)
    assert [entry.prompt.prompt_id for entry in gathered.entries] == ["dates-1", "plain-1"]


def test_takes_of_a_deterministic_engine_are_clips_of_their_own_with_the_same_samples(tmp_path, speaking_voice):
    from workbench import audio

    gathered = gather([System(name="a", voice=speaking_voice)], tmp_path, takes=2)
    assert [(entry.prompt.prompt_id, entry.take) for entry in gathered.entries] == [(p.prompt_id, take) for p in PROMPTS for take in (1, 2)]
    first, second = gathered.entries[:2]
    assert first.clip.audio != second.clip.audio and first.clip.clip_id != second.clip.clip_id
    assert audio.content_hash(audio.read(first.clip.audio)) == audio.content_hash(audio.read(second.clip.audio))


def test_checkpoints_of_one_engine_are_spoken_each_with_its_own_options(tmp_path):
    systems = [System(name=name, voice="espeak/en-us", options=options) for name, options in (("7k", {}), ("21k", {"timeout_sec": 60.0}))]
    gathered = gather(systems, tmp_path)
    assert [source.system.name for source in gathered.sources] == ["7k", "21k"]
    assert [entry.system for entry in gathered.entries] == ["7k"] * 3 + ["21k"] * 3


def test_a_system_whose_engine_is_missing_is_left_out_or_stops_the_run(tmp_path, monkeypatch, speaking_voice):
    monkeypatch.setenv("WORKBENCH_ENGINE_MODULES", "tests.engines_for_tests")
    absent = System(name="absent", voice="kokoro/af_heart")
    gathered = gather([System(voice=speaking_voice, name="here"), absent], tmp_path, when_missing="skip")
    assert [source.system.name for source in gathered.sources] == ["here"] and gathered.left_out[0].startswith("absent: ")
    with pytest.raises(EngineUnavailableError):
        gather([absent], tmp_path, when_missing="stop")
    with pytest.raises(EngineUnavailableError, match="no system is left"):
        gather([absent], tmp_path, when_missing="skip")


def test_a_list_of_clips_that_is_not_there_stops_the_run(tmp_path):
    with pytest.raises(ManifestError, match="not found"):
        gather([System(clips=str(tmp_path / "nowhere"))], tmp_path)


def test_references_reach_the_judge_by_the_folder_of_the_audio(tmp_path):
    voice = tmp_path / "target.wav"
    write_wav(tone(1.0), voice)
    systems = [System(name="a", voice="flite/slt", reference=str(voice)), System(name="b", voice="flite/rms")]
    assert similarity_references(systems) == {"slt": str(voice.resolve())}
    listening = config(systems=[system.model_dump() for system in systems]).scan_config()
    assert listening.judges[-1] == "speaker_similarity" and listening.engine_options["speaker_similarity"]["references"] == {"slt": str(voice.resolve())}
    assert "speaker_similarity" not in config().scan_config().judges
    with pytest.raises(ConfigError, match="different references"):
        similarity_references([systems[0], System(name="c", voice="espeak/slt", reference=str(tmp_path))])


def test_options_of_an_engine_that_only_speaks_are_none_of_the_scans():
    given = config(engine_options={"flite": {"timeout_sec": 5}, "dnsmos": {"all_hops": True}})
    assert given.scan_config().engine_options == {"dnsmos": {"all_hops": True}}
