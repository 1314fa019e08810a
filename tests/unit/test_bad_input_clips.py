"""Bad rows are clips with a fault, never a crash and never lost; a bad manifest is one clear error."""

from __future__ import annotations

import itertools
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from workbench.audio import Audio, write_wav
from workbench.clips import load_audio, open_manifest
from workbench.clips.rows import SeenIds
from workbench.errors import AudioError, ManifestError


@pytest.fixture
def wav(tmp_path) -> Path:
    write_wav(Audio(np.full(800, 0.1, np.float32), 8_000), tmp_path / "a.wav")
    return tmp_path / "a.wav"


def only_fault(clips, *, among: int):
    """The one faulty clip, which stands among ``among`` clips that are all storable as UTF-8."""
    assert len(clips) == among
    for clip in clips:
        "\0".join([clip.clip_id, clip.text, clip.audio, clip.fault or "", json.dumps(clip.extra)]).encode("utf-8")
        assert "\0" not in clip.clip_id + clip.text + clip.audio
    (faulty,) = [clip for clip in clips if clip.fault]
    return faulty


GOOD = b"a.wav,hello there\n"
BAD_CSV_ROWS = {
    "no text cell": (b"a.wav\n", "1 instead of 2 cells"),
    "a separator in the text": (b"a.wav,Hello, world\n", "3 instead of 2 cells"),
    "no audio": (b",hello\n", "no audio in column 'audio'"),
    "only separators": (b" , \n", "no audio"),
    "not UTF-8": (b"a.wav,caf\xe9\n", "not UTF-8"),
    "path not UTF-8": (b"caf\xe9.wav,coffee\n", "not UTF-8"),
    "NUL in the text": (b"a.wav,hel\0lo\n", "NUL"),
    "NUL in the path": (b"a\0.wav,hello\n", "NUL"),
    "open quotation mark": (b'a.wav,"never closed\n', "never closed"),
    "web address": (b"https://example.org/a.wav,hello\n", "web address"),
}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("case", BAD_CSV_ROWS)
def test_a_bad_csv_row_is_one_faulty_clip_and_costs_no_other(tmp_path, wav, case, place):
    row, what = BAD_CSV_ROWS[case]
    rows = {"first": [row, GOOD, GOOD], "middle": [GOOD, row, GOOD], "last": [GOOD, GOOD, row]}[place]
    (tmp_path / "m.csv").write_bytes(b"audio,text\n" + b"".join(rows))
    clips = list(open_manifest(tmp_path / "m.csv"))
    faulty = only_fault(clips, among=3)
    assert what in faulty.fault and f"m.csv line {2 + rows.index(row)}" in faulty.fault and "got:" in faulty.fault
    assert [clip.text for clip in clips if not clip.fault] == ["hello there"] * 2
    with pytest.raises(AudioError, match="clip ") as caught:
        load_audio(faulty)
    assert what in str(caught.value)


BAD_JSON_ROWS = {
    "not JSON": (b"{audio: a.wav}\n", "not a JSON object"),
    "half an object": (b'{"audio_filepath": "a.wav", "te\n', "not a JSON object"),
    "a list": (b'["a.wav", "hello"]\n', "not a JSON object"),
    "a number": (b"12\n", "not a JSON object"),
    "nested too deep": (b"[" * 100_000 + b"\n", "not a JSON object"),
    "no text": (b'{"audio_filepath": "a.wav"}\n', "no column for the text"),
    "null text": (b'{"audio_filepath": "a.wav", "text": null}\n', "no text in column 'text'"),
    "text is a list": (b'{"audio_filepath": "a.wav", "text": ["x"]}\n', "no text in column 'text'"),
    "no audio": (b'{"text": "hello"}\n', "no column for the audio"),
    "null audio": (b'{"audio_filepath": null, "text": "hello"}\n', "no audio"),
    "audio is a number": (b'{"audio_filepath": 7, "text": "hello"}\n', "is not a file"),
    "not UTF-8": (b'{"audio_filepath": "a.wav", "text": "caf\xe9"}\n', "not UTF-8"),
    "lone surrogate": (b'{"audio_filepath": "a.wav", "text": "\\ud800"}\n', "not UTF-8"),
    "NUL in the text": (b'{"audio_filepath": "a.wav", "text": "a\\u0000b"}\n', "NUL"),
    "bare NUL": (b'{"audio_filepath": "a.wav", "text": "a\0b"}\n', "NUL"),
    "negative offset": (b'{"audio_filepath": "a.wav", "text": "x", "offset": -1}\n', "no span"),
    "offset is a word": (b'{"audio_filepath": "a.wav", "text": "x", "offset": "soon"}\n', "no span"),
    "no duration": (b'{"audio_filepath": "a.wav", "text": "x", "offset": 0, "duration": 0}\n', "no span"),
}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("case", BAD_JSON_ROWS)
def test_a_bad_json_line_is_one_faulty_clip_and_costs_no_other(tmp_path, wav, case, place):
    row, what = BAD_JSON_ROWS[case]
    good = b'{"audio_filepath": "a.wav", "text": "hello there"}\n'
    rows = {"first": [row, good, good], "middle": [good, row, good], "last": [good, good, row]}[place]
    (tmp_path / "m.jsonl").write_bytes(b"".join(rows))
    clips = list(open_manifest(tmp_path / "m.jsonl"))
    faulty = only_fault(clips, among=3)
    assert what in faulty.fault and f"m.jsonl line {1 + rows.index(row)}" in faulty.fault
    with pytest.raises(AudioError):
        load_audio(faulty)


BAD_TEXT_FILES = {
    "no text": (None, "no text beside the audio"),
    "not UTF-8": ("café".encode("latin-1"), "not UTF-8"),
    "NUL": (b"a\0b", "NUL"),
    "binary": (bytes(range(256)) * 20, "not UTF-8"),
    "five megabytes": (b"word " * 1_000_000, "too long"),
}


@pytest.mark.parametrize("case", BAD_TEXT_FILES)
def test_a_bad_text_file_is_one_faulty_clip(tmp_path, wav, case):
    content, what = BAD_TEXT_FILES[case]
    wav.with_suffix(".txt").write_text("fine")
    (tmp_path / "b.wav").write_bytes(wav.read_bytes())
    if content is not None:
        (tmp_path / "b.txt").write_bytes(content)
    faulty = only_fault(list(open_manifest(tmp_path)), among=2)
    assert what in faulty.fault and "b." in faulty.fault and faulty.clip_id == "b.wav"


def test_a_text_without_audio_is_one_faulty_clip_and_a_readme_is_none(tmp_path, wav):
    wav.with_suffix(".txt").write_text("fine")
    (tmp_path / "b.normalized.txt").write_text("alone")
    (tmp_path / "b.original.txt").write_text("Alone")
    for name in ("README.txt", "LICENSE.txt", "SPEAKERS.txt"):
        (tmp_path / name).write_text("about")
    faulty = only_fault(list(open_manifest(tmp_path)), among=2)
    assert "no audio beside the text" in faulty.fault and faulty.text == "alone" and faulty.clip_id == "b.normalized.txt"


def test_a_text_that_is_a_folder_or_cannot_be_reached_is_no_crash(tmp_path, wav):
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    faulty = only_fault(list(open_manifest(tmp_path)), among=1)
    assert "cannot be read" in faulty.fault


def test_a_file_name_that_is_not_utf8_is_one_faulty_clip(tmp_path, wav):
    wav.with_suffix(".txt").write_text("fine")
    odd = os.fsencode(str(tmp_path)) + b"/caf\xe9.wav"
    try:
        Path(os.fsdecode(odd)).write_bytes(wav.read_bytes())
    except OSError:  # file systems that refuse such names cannot hold the clip either
        assert len(list(open_manifest(tmp_path))) == 1
        return
    assert "not UTF-8" in only_fault(list(open_manifest(tmp_path)), among=2).fault


@pytest.mark.parametrize("text", ["", "   ", "?!…", "😀", "word " * 4_000, "a\u2028b", "'quotes' \"inside\""],
                         ids=["empty", "blank", "punctuation", "emoji", "20,000 characters", "line separator", "quotes"])
@pytest.mark.parametrize("kind", ["folder", "jsonl", "csv"])
def test_odd_texts_pass_through_for_the_text_checks_to_judge(tmp_path, wav, text, kind):
    source = tmp_path
    if kind == "folder":
        wav.with_suffix(".txt").write_text(text, encoding="utf-8")
    elif kind == "jsonl":
        source = tmp_path / "m.jsonl"
        source.write_text(json.dumps({"audio": "a.wav", "text": text}))
    else:
        source = tmp_path / "m.csv"
        source.write_text('audio,text\na.wav,"' + text.replace('"', '""') + '"\n', encoding="utf-8")
    (clip,) = open_manifest(source)
    assert clip.fault is None and clip.text.strip() == text.strip()
    assert load_audio(clip).duration_sec == 0.1


def test_a_cell_of_a_million_characters_and_a_line_of_many_megabytes(tmp_path, wav):
    (tmp_path / "m.csv").write_text("audio,text\na.wav," + "x" * 1_000_000 + "\na.wav," + "y" * 9_000_000 + "\na.wav,short\n")
    clips = list(open_manifest(tmp_path / "m.csv"))
    assert len(clips[0].text) == 1_000_000 and clips[2].text == "short"
    assert "too long" in only_fault(clips, among=3).fault


def test_a_quoted_cell_may_hold_separators_quotes_and_line_ends(tmp_path, wav):
    (tmp_path / "m.csv").write_bytes(b'audio,text\r\na.wav,"one, ""two""\r\nthree"\r\na.wav,5" pipe\r\n')
    assert [clip.text for clip in open_manifest(tmp_path / "m.csv")] == ['one, "two"\r\nthree', '5" pipe']


def test_unclosed_quotation_marks_on_many_lines_cost_only_their_own(tmp_path, wav):
    rows = [f'a.wav,"open {n}\n' if n % 3 == 0 else f"a.wav,fine {n}\n" for n in range(0, 9)]
    (tmp_path / "m.csv").write_text("audio,text\n" + "".join(rows[1:3]) + rows[0] + "".join(rows[4:6]))
    clips = list(open_manifest(tmp_path / "m.csv"))
    assert [clip.text for clip in clips if not clip.fault] == ["fine 1", "fine 2", "fine 4", "fine 5"]
    assert len(clips) == 5


def test_clips_of_one_name_get_ids_that_differ_and_stay(tmp_path, wav):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.wav").write_bytes(wav.read_bytes())
    (tmp_path / "m.csv").write_text("audio,text\na.wav,x\nb/a.wav,x\na.wav,x\na.wav,y\n" + f"{wav},z\n")
    ids = [clip.clip_id for clip in open_manifest(tmp_path / "m.csv")]
    assert ids == ["a.wav", "b/a.wav", "a.wav@4", "a.wav@5", "a.wav@6"]
    assert ids == [clip.clip_id for clip in open_manifest(tmp_path / "m.csv")]


def test_an_id_that_looks_like_a_duplicate_is_not_taken_twice(tmp_path):
    (tmp_path / "m.csv").write_text("id,audio,text\nx,a.wav,t\nx@4,a.wav,t\nx,a.wav,t\n")
    ids = [clip.clip_id for clip in open_manifest(tmp_path / "m.csv")]
    assert len(set(ids)) == 3 and ids[:2] == ["x", "x@4"]


def test_a_missing_or_broken_audio_file_is_found_when_it_is_loaded_and_names_the_clip(tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "m.csv").write_text("audio,text\ngone.wav,x\nempty.wav,x\n")
    for clip, what in zip(open_manifest(tmp_path / "m.csv"), ["not found", "empty"], strict=True):
        assert clip.fault is None
        with pytest.raises(AudioError, match=f"{what}.*clip {clip.clip_id}"):
            load_audio(clip)


BAD_MANIFESTS = {
    "missing": (None, "m.csv", "not found"),
    "empty": (b"", "m.csv", "empty"),
    "blank lines": (b"\n\n \n", "m.csv", "empty"),
    "header alone": (b"audio,text\n", "m.csv", "no clips"),
    "no text column": (b"audio,length\na.wav,3\n", "m.csv", "no column for the text"),
    "no audio column": (b"text,length\nhello,3\n", "m.csv", "no column for the audio"),
    "no usable column": (b"x,y\n1,2\n", "m.csv", "no column for the audio and the text"),
    "binary": (bytes(range(256)) * 50, "m.tsv", "no column"),
    "empty jsonl": (b"\n", "m.jsonl", "no clips"),
    "a JSON array": (b'[{"audio": "a.wav", "text": "x"}]', "m.json", "jq"),
    "one pretty object": (b'{\n "audio": "a.wav",\n "text": "x"\n}\n', "m.json", "not JSON lines"),
    "jsonl without audio": (b'{"text": "x"}\n', "m.jsonl", "no column for the audio"),
    "unknown kind": (b"x", "m.docx", "not a kind of manifest"),
    "an audio file": (b"RIFF", "m.wav", "give its folder"),
    "not gzip": (b"audio,text\n", "m.csv.gz", "cannot be opened"),
    "not parquet": (b"PAR1 not really", "m.parquet", "cannot be read"),
    "not arrow": (b"ARROW not really", "m.arrow", "cannot be read"),
}


@pytest.mark.parametrize("case", BAD_MANIFESTS)
def test_a_bad_manifest_is_one_error_that_says_what_to_do(tmp_path, case):
    content, name, what = BAD_MANIFESTS[case]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=what) as caught:
        open_manifest(tmp_path / name)
    assert caught.value.where and (caught.value.mend or caught.value.expected)


def test_an_empty_folder_names_the_list_that_lies_in_it(tmp_path):
    with pytest.raises(ManifestError, match="no audio"):
        open_manifest(tmp_path)
    (tmp_path / "clips.tsv").write_text("audio\ttext\n")
    with pytest.raises(ManifestError, match="name the list itself.*clips.tsv"):
        open_manifest(tmp_path)


def test_a_misspelt_path_names_the_nearest_and_a_hub_name_its_prefix(tmp_path, monkeypatch):
    (tmp_path / "clips.tsv").write_text("audio\ttext\n")
    with pytest.raises(ManifestError, match="did you mean .*clips.tsv"):
        open_manifest(tmp_path / "clip.tsv")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError, match="hf:owner/name"):
        open_manifest("owner/name")


def test_a_damaged_dataset_on_disk_is_one_clear_error(tmp_path):
    (tmp_path / "state.json").write_text("{")
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(ManifestError, match="cannot be opened"):
        open_manifest(tmp_path)


def test_two_hundred_thousand_rows_do_not_enter_memory(tmp_path):
    rows = 200_000
    read = 4_000
    text = "says a sentence of a usual length, with a comma"
    (tmp_path / "m.jsonl").write_text("".join(f'{{"audio": "deep/folder/clip{n}.wav", "text": "{n} {text}"}}\n' for n in range(rows)))
    (tmp_path / "m.csv").write_text("audio,text\n" + "".join(f'deep/folder/clip{n}.wav,"{n} {text}"\n' for n in range(rows)))
    for name in ("m.jsonl", "m.csv"):
        manifest = open_manifest(tmp_path / name)
        tracemalloc.start()
        assert sum(1 for _ in itertools.islice(manifest, read)) == read
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # What grows is the table of ids: at most 32 bytes a row, and half as much again while it doubles.
        assert peak_bytes < read * 48 + 300_000
        assert peak_bytes < (tmp_path / name).stat().st_size / 8


def test_the_table_of_ids_stays_small_and_knows_each_id():
    seen = SeenIds()
    tracemalloc.start()
    assert all(seen.add(f"clip{number}") for number in range(20_000))
    size_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes < 20_000 * 33
    assert not any(seen.add(f"clip{number}") for number in range(0, 20_000, 97))
