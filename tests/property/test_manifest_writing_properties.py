"""What is written as a manifest is read back as the same clips, whatever stands in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.clips import Clip, open_manifest
from workbench.datasets.writing import SUFFIXES, writing

words = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
names = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
extras = st.dictionaries(st.one_of(names, st.sampled_from(["path", "audio", "voice", "system", "normalized_text", "kind", "clip_id", "duration", "source", "wer_fast"])),
                         st.one_of(words.filter(bool), st.integers(-9, 9)), max_size=3)  # fmt: skip
clips = st.lists(st.builds(Clip, clip_id=names, audio=names.map("/clips/{}.wav".format), text=words, dataset=st.just("d"), speaker=names, category=names, extra=extras),
                 min_size=1, max_size=4, unique_by=lambda clip: clip.clip_id)  # fmt: skip


@given(clips, st.sampled_from(SUFFIXES))
@settings(max_examples=150, deadline=None)
def test_clips_come_back_as_they_went(listed, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"clips{suffix}")
        with writing(path, measured=("wer_fast",)) as writer:
            for clip in listed:
                writer.write(clip, duration_sec=1.5, measured={"wer_fast": 0.25})
        found = list(open_manifest(path, dataset="d"))
    told = [(c.clip_id, c.audio, c.text, c.speaker.strip(), c.category.strip(), c.fault) for c in found]
    assert told == [(c.clip_id, c.audio, c.text, c.speaker.strip(), c.category.strip(), None) for c in listed]
    assert all(float(c.extra["wer_fast"]) == 0.25 for c in found)
    if suffix == ".jsonl":
        for before, after in zip(listed, found, strict=True):
            assert set(map(str, before.extra.values())) <= set(map(str, after.extra.values()))
