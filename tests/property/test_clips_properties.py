"""A manifest of any content gives clips or one clear error, and never loses a line."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.clips import open_manifest
from workbench.clips.folder import natural_key
from workbench.clips.rows import SeenIds
from workbench.errors import ManifestError

LINES = st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b" ").replace(b"\r", b" ")), max_size=8)


def all_clips(path):
    try:
        clips = list(open_manifest(path))
    except ManifestError as error:
        assert error.where
        return None
    assert len({clip.clip_id for clip in clips}) == len(clips)
    for clip in clips:
        f"{clip.clip_id}{clip.text}{clip.audio}{clip.speaker}{clip.fault}{json.dumps(clip.extra, allow_nan=False)}".encode()
    return clips


@settings(deadline=None, max_examples=100)
@given(lines=LINES)
def test_each_filled_line_of_a_tab_table_is_one_clip(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("t") / "m.tsv"
    path.write_bytes(b"audio\ttext\nknown.wav\tknown text\n" + b"\n".join(lines))
    clips = all_clips(path)
    blank = sum(b"\t" not in line and not line.decode("utf-8", "surrogateescape").strip() for line in lines)
    assert clips is not None and len(clips) == 1 + len(lines) - blank


@settings(deadline=None, max_examples=100)
@given(lines=LINES)
def test_a_comma_table_of_any_bytes_never_crashes_and_keeps_its_good_row(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("t") / "m.csv"
    path.write_bytes(b"audio,text\nknown.wav,known text\n" + b"\n".join(lines) + b"\n")
    clips = all_clips(path)
    assert clips is not None and clips[0].text == "known text" and clips[0].fault is None


VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.lists(st.none(), max_size=2)
ROWS = st.lists(st.dictionaries(st.sampled_from(["audio", "text", "offset", "duration", "speaker", "x"]), VALUES), max_size=5)


@settings(deadline=None, max_examples=80)
@given(lines=LINES, rows=ROWS)
def test_each_filled_line_of_json_lines_is_one_clip(tmp_path_factory, lines, rows):
    path = tmp_path_factory.mktemp("t") / "m.jsonl"
    good = json.dumps({"audio": "known.wav", "text": "known text"})
    path.write_bytes("\n".join([good, *map(json.dumps, rows)]).encode() + b"\n" + b"\n".join(lines))
    blank = sum(not line.decode("utf-8", "surrogateescape").strip() for line in lines)
    clips = all_clips(path)
    assert clips is not None and len(clips) == 1 + len(rows) + len(lines) - blank


@settings(deadline=None, max_examples=50)
@given(ids=st.lists(st.text(max_size=3), max_size=30))
def test_freed_ids_are_all_different_and_a_first_one_stays_as_it_is(ids):
    seen = SeenIds()
    freed = [seen.free(clip_id, line=line) for line, clip_id in enumerate(ids)]
    assert len(set(freed)) == len(ids)
    assert all(free.startswith(clip_id) for clip_id, free in zip(ids, freed, strict=True))
    assert not ids or freed[0] == ids[0]


@settings(deadline=None, max_examples=50)
@given(names=st.lists(st.text(max_size=8), unique=True))
def test_the_natural_order_is_total(names):
    assert sorted(names, key=natural_key) == sorted(reversed(names), key=natural_key)
