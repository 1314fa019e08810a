"""Every kind of manifest gives the same stream of clips, and load_audio opens each of them."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from workbench import audio
from workbench.audio import Audio, content_hash, write_wav
from workbench.clips import KINDS, load_audio, open_manifest
from workbench.errors import ManifestError, UnknownNameError

TEXTS = ["The first clip, it says.", 'A "second" one', "Drei Äpfel; and more"]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def tone(number: int) -> Audio:
    time_sec = np.arange(800 + 80 * number) / 8_000
    return Audio((0.2 * np.sin(2 * np.pi * (200 + 50 * number) * time_sec)).astype(np.float32), 8_000)


def write_tones(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        write_wav(tone(number), folder / name)


def encoded(number: int, folder: Path) -> bytes:
    write_wav(tone(number), folder / "scratch.wav")
    content = (folder / "scratch.wav").read_bytes()
    (folder / "scratch.wav").unlink()
    return content


def make_folder(root: Path) -> Path:
    names = ["one/a.wav", "one/b c's \"x\".wav", "two/a.wav"]
    write_tones(root, names)
    for name, text in zip(names, TEXTS, strict=True):
        (root / name).with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    return root


def make_libritts(root: Path) -> Path:
    names = [f"dev-clean/84/121123/84_121123_00000{number}_000000.wav" for number in range(3)]
    write_tones(root, names)
    for name, text in zip(names, TEXTS, strict=True):
        (root / name).with_suffix(".normalized.txt").write_text(text, encoding="utf-8")
        (root / name).with_suffix(".original.txt").write_text("not " + text, encoding="utf-8")
    (root / "README.txt").write_text("a description is no clip")
    return root


def quoted(cells: list[str], delimiter: str) -> str:
    return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells)


def make_csv(root: Path) -> Path:
    names = ["sounds/a.wav", "sounds/b c's \"x\".wav", "a.wav"]
    write_tones(root, names)
    rows = [quoted([name, text, f"spk{number}"], ",") for number, (name, text) in enumerate(zip(names, TEXTS, strict=True))]
    (root / "list.csv").write_bytes(("\ufeffAudio File,Text,Speaker\r\n" + "\r\n".join(rows) + "\r\n").encode())
    return root / "list.csv"


def make_tsv(root: Path) -> Path:
    write_tones(root, [f"{number}.wav" for number in range(3)])
    rows = [f"{text}\t{number}.wav" for number, text in enumerate(TEXTS)]
    (root / "list.tsv").write_text("sentence\tpath\n" + "\n".join(rows), encoding="utf-8")
    return root / "list.tsv"


def make_pipe(root: Path) -> Path:
    write_tones(root, [f"{number}.wav" for number in range(3)])
    (root / "list.csv").write_text("audio_file|text\n" + "".join(f"{n}.wav|{text}\n" for n, text in enumerate(TEXTS)), encoding="utf-8")
    return root / "list.csv"


def make_headless(root: Path) -> Path:
    write_tones(root, [f"{number}.wav" for number in range(3)])
    (root / "filelist.txt").write_text("".join(f"{n}.wav|7|{text}\n" for n, text in enumerate(TEXTS)), encoding="utf-8")
    return root / "filelist.txt"


def make_ljspeech(root: Path) -> Path:
    write_tones(root, [f"wavs/LJ00{number}.wav" for number in range(3)])
    rows = "".join(f"LJ00{number}|raw {number}, \"|{text}\n" for number, text in enumerate(TEXTS))
    (root / "metadata.csv").write_text(rows, encoding="utf-8")
    return root


def make_nemo(root: Path) -> Path:
    write_tones(root, [f"{number}.wav" for number in range(3)])
    rows = [json.dumps({"audio_filepath": f"{number}.wav", "text": text, "duration": 9.0}) for number, text in enumerate(TEXTS)]
    (root / "manifest.json").write_text("\n".join(rows) + "\n\n")
    return root / "manifest.json"


def make_gzipped(root: Path) -> Path:
    path = make_nemo(root)
    with gzip.open(root / "list.jsonl.gz", "wb") as stream:
        stream.write(path.read_bytes())
    return root / "list.jsonl.gz"


def make_utf16(root: Path) -> Path:
    path = make_tsv(root)
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    return path


def make_parquet(root: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"audio": [{"bytes": encoded(n, root), "path": None} for n in range(3)], "text": TEXTS})
    pyarrow.parquet.write_table(table, root / "part.parquet")
    return root / "part.parquet"


def make_disk(root: Path) -> Path:
    from datasets import Audio as AudioFeature
    from datasets import Dataset

    rows = {"audio": [{"bytes": encoded(n, root), "path": f"{n}.wav"} for n in range(3)], "transcription": TEXTS}
    Dataset.from_dict(rows).cast_column("audio", AudioFeature(decode=False)).save_to_disk(root / "saved")
    return root / "saved"


def make_arrow(root: Path) -> Path:
    return next(make_disk(root).glob("*.arrow"))


SOURCES = {
    "folder": make_folder,
    "libritts": make_libritts,
    "csv": make_csv,
    "tsv": make_tsv,
    "pipe": make_pipe,
    "headless": make_headless,
    "ljspeech": make_ljspeech,
    "nemo": make_nemo,
    "gzipped": make_gzipped,
    "utf16": make_utf16,
    "parquet": make_parquet,
    "arrow": make_arrow,
    "disk": make_disk,
}
EXPECTED_KINDS = {"pipe": "csv", "headless": "csv", "tsv": "csv", "utf16": "csv", "ljspeech": "csv", "nemo": "jsonl", "gzipped": "jsonl",
                  "arrow": "parquet", "disk": "dataset"}


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_gives_the_same_texts_and_the_same_audio(tmp_path, source):
    manifest = open_manifest(SOURCES[source](tmp_path))
    clips = list(manifest)
    assert manifest.kind == EXPECTED_KINDS.get(source, source)
    assert [clip.fault for clip in clips] == [None] * 3
    assert [clip.text for clip in clips] == TEXTS
    assert [content_hash(load_audio(clip)) for clip in clips] == [content_hash(quantised(number)) for number in range(3)]
    assert len({clip.clip_id for clip in clips}) == 3
    assert {clip.dataset for clip in clips} == {manifest.dataset} != {""}
    assert all(clip.audio_bytes is not None or Path(clip.audio).is_absolute() for clip in clips)


def quantised(number: int) -> Audio:
    source = tone(number)
    return Audio((np.rint(source.samples * 32_768) / 32_768).astype(np.float32), source.sample_rate_hz)


@pytest.mark.parametrize("source", SOURCES)
def test_a_manifest_reads_the_same_again_and_in_another_process(tmp_path, source):
    manifest = open_manifest(str(SOURCES[source](tmp_path)), dataset="mine")
    first = list(manifest)
    assert list(manifest) == first == list(pickle.loads(pickle.dumps(manifest)))
    assert manifest.count() == 3
    assert manifest.describe()["dataset"] == first[0].dataset == "mine"
    assert manifest.describe()["kind"] in KINDS


@pytest.mark.parametrize(
    ("source", "speakers"),
    [
        ("folder", ["one", "one", "two"]),
        ("libritts", ["84"] * 3),
        ("csv", ["spk0", "spk1", "spk2"]),
        ("headless", ["7"] * 3),
        ("tsv", [""] * 3),
    ],
)
def test_speakers_come_from_the_column_or_the_tree(tmp_path, source, speakers):
    assert [clip.speaker for clip in open_manifest(SOURCES[source](tmp_path))] == speakers


def test_libritts_keeps_the_chapter_and_prefers_the_normalised_text(tmp_path):
    clip = next(iter(open_manifest(make_libritts(tmp_path))))
    assert clip.extra == {"chapter": "121123"} and not clip.text.startswith("not ")


def test_a_folder_is_read_in_natural_order(tmp_path):
    names = ["clip10.wav", "clip2.wav", "b/1.wav", "a/2.flac.wav", "Z.wav", "clip2b.wav"]
    write_tones(tmp_path, names)
    got = [clip.clip_id for clip in open_manifest(tmp_path)]
    assert got == ["Z.wav", "a/2.flac.wav", "b/1.wav", "clip2.wav", "clip2b.wav", "clip10.wav"]


def test_all_audio_endings_and_text_endings_pair_up(tmp_path):
    pairs = [("a.FLAC", "a.txt"), ("b.mp3", "b.TXT"), ("c.ogg", "c.lab"), ("d.opus", "d.normalized.txt"), ("e.f.wav", "e.f.txt")]
    for name, text in pairs:
        (tmp_path / name).write_bytes(b"not opened")
        (tmp_path / text).write_text(text)
    (tmp_path / ".hidden.wav").write_bytes(b"a resource fork")
    clips = list(open_manifest(tmp_path, kind="folder"))
    assert [(clip.clip_id, clip.text, clip.fault) for clip in clips] == [(*pair, None) for pair in pairs]


def test_a_folder_that_links_to_itself_ends(tmp_path):
    make_folder(tmp_path)
    (tmp_path / "one" / "loop").symlink_to(tmp_path)
    assert open_manifest(tmp_path).count() == 3


def test_an_offset_makes_a_clip_a_part_of_its_file_and_a_bare_duration_does_not(tmp_path):
    write_wav(tone(0), tmp_path / "book.wav")
    middle = {"offset": 0.02, "duration": 0.05}
    rows = [middle, {"offset": 0.05}, {"duration": 0.01}, {"offset": 0, "duration": 0.04}, middle]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps({"audio_filepath": "book.wav", "text": "x"} | row) for row in rows))
    clips = list(open_manifest(tmp_path / "m.jsonl"))
    assert [load_audio(clip).duration_sec for clip in clips] == pytest.approx([0.05, 0.05, 0.1, 0.04, 0.05])
    assert [clip.clip_id for clip in clips] == ["book.wav@0.02s", "book.wav@0.05s", "book.wav", "book.wav@0s", "book.wav@0.02s@5"]


@pytest.mark.parametrize("kind", ["csv", "disk"])
def test_audio_columns_named_by_voice_give_one_clip_a_voice(tmp_path, kind):
    if kind == "csv":
        write_tones(tmp_path, ["h0.wav", "h1.wav", "a0.wav", "a1.wav"])
        (tmp_path / "v.csv").write_text("text,af_heart,am_adam\nhello,h0.wav,a0.wav\nworld,h1.wav,a1.wav\n")
        source = tmp_path / "v.csv"
    else:
        from datasets import Audio as AudioFeature
        from datasets import Dataset

        columns = {voice: [{"bytes": encoded(n, tmp_path), "path": None} for n in (0, 1)] for voice in ("af_heart", "am_adam")}
        made = Dataset.from_dict({"text": ["hello", "world"], **columns})
        for voice in columns:
            made = made.cast_column(voice, AudioFeature())
        made.save_to_disk(tmp_path / "saved")
        source = tmp_path / "saved"
    clips = list(open_manifest(source))
    assert [(clip.text, clip.speaker) for clip in clips] == [(text, v) for text in ("hello", "world") for v in ("af_heart", "am_adam")]
    assert len({clip.clip_id for clip in clips}) == 4 == open_manifest(source).count()
    assert all(load_audio(clip).duration_sec for clip in clips)


def test_a_dataset_with_splits_asks_which(tmp_path):
    from datasets import Dataset, DatasetDict

    part = Dataset.from_dict({"audio": ["a.wav"], "text": ["hello"]})
    DatasetDict({"train": part, "test": part}).save_to_disk(tmp_path / "d")
    with pytest.raises(ManifestError, match=r"which split\?.*train, test.*:test"):
        open_manifest(tmp_path / "d")
    assert open_manifest(tmp_path / "d", split="test").count() == 1
    assert open_manifest(f"{tmp_path / 'd'}:train").describe()["split"] == "train"
    with pytest.raises(ManifestError, match="dev"):
        open_manifest(tmp_path / "d", split="dev")


def test_a_dataset_by_name_streams_through_the_hub_reader(tmp_path):
    """``load_dataset`` takes a local folder for a name, so the hub's path is tested without a network."""
    from workbench.clips.columnar import open_hub

    make_parquet(tmp_path)
    source = open_hub(str(tmp_path), None, "train")
    assert [row["text"] for row in source.rows] == TEXTS


def test_a_hub_without_a_network_says_how_to_do_without(monkeypatch):
    import datasets.config

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ManifestError, match="save_to_disk") as caught:
        open_manifest("hf:owner/no-such-dataset:test")
    assert caught.value.where == "hf:owner/no-such-dataset"


def test_own_column_names_can_be_given(tmp_path):
    write_tones(tmp_path, ["a.wav"])
    (tmp_path / "l.csv").write_text("snd,words,who\na.wav,hello,me\n")
    with pytest.raises(ManifestError, match="text_column="):
        open_manifest(tmp_path / "l.csv")
    clip = next(iter(open_manifest(tmp_path / "l.csv", audio_column="snd", text_column="words", speaker_column="who")))
    assert (clip.text, clip.speaker) == ("hello", "me") and load_audio(clip).duration_sec
    with pytest.raises(ManifestError, match="no column 'nope'"):
        open_manifest(tmp_path / "l.csv", audio_column="nope", text_column="words")


def test_other_columns_travel_as_extra(tmp_path):
    write_tones(tmp_path, ["a.wav"])
    (tmp_path / "l.csv").write_text("id,audio,text,category,duration,licence,empty\nX1,a.wav,hello,dates,0.1,CC0,\n")
    clip = next(iter(open_manifest(tmp_path / "l.csv")))
    assert (clip.clip_id, clip.category) == ("X1", "dates")
    assert clip.extra == {"licence": "CC0", "stated_duration_sec": 0.1}


def test_an_id_column_names_the_file_in_a_wavs_folder(tmp_path):
    write_tones(tmp_path, ["wavs/LJ1.wav"])
    (tmp_path / "metadata.csv").write_text("id|text|normalized_text\nLJ1|hello|hello there\n")
    clip = next(iter(open_manifest(tmp_path)))
    assert clip.clip_id == "LJ1" and load_audio(clip).duration_sec


def test_a_kind_can_be_forced_and_an_unknown_one_names_the_nearest(tmp_path):
    make_csv(tmp_path).rename(tmp_path / "list.dat")
    with pytest.raises(ManifestError, match="kind="):
        open_manifest(tmp_path / "list.dat")
    assert open_manifest(tmp_path / "list.dat", kind="csv").count() == 3
    with pytest.raises(UnknownNameError, match="did you mean folder"):
        open_manifest(tmp_path, kind="foldr")


def test_opening_a_manifest_leaves_heavy_packages_alone(tmp_path):
    import subprocess
    import sys

    make_folder(tmp_path)
    heavy = "{'datasets', 'pyarrow', 'pandas', 'torch', 'soundfile'}"
    code = f"import sys; from workbench.clips import open_manifest; list(open_manifest(sys.argv[1])); print(set(sys.modules) & {heavy})"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def shared_pair(tmp_path: Path) -> tuple[Path, Path]:
    """The same clips as a folder and as a table: the shared recordings where they are, else three made here."""
    if (SHARED / "clips.tsv").is_file():
        return SHARED / "clips", SHARED / "clips.tsv"
    folder = make_folder(tmp_path / "clips")
    rows = [f"clips/{clip.clip_id}\t{clip.speaker}\t{clip.text}" for clip in open_manifest(folder)]
    (tmp_path / "clips.tsv").write_text("audio\tsystem\ttext\n" + "\n".join(rows), encoding="utf-8")
    return folder, tmp_path / "clips.tsv"


def test_a_folder_and_its_table_tell_the_same_clips(tmp_path):
    folder, table = (list(open_manifest(source)) for source in shared_pair(tmp_path))
    assert not [clip.fault for clip in folder + table if clip.fault]
    assert {(clip.audio, clip.text, clip.speaker) for clip in folder} == {(clip.audio, clip.text, clip.speaker) for clip in table}
    for clip in folder[:: max(1, len(folder) // 8)]:
        sound = load_audio(clip)
        assert sound.duration_sec > 0.05 and -60 < audio.rms_db(sound) < 0
