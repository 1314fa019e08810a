"""Where a transcript differs from its reference, and reading evidence at a threshold."""

import pytest

from workbench.stt.base import Evidence, Transcript, Word
from workbench.stt.differences import agreements, regions
from workbench.stt.evidence import apply_threshold


def slots(reference: str, heard: str) -> list[tuple[str, str]]:
    said, words = reference.split(), heard.split()
    return [
        (" ".join(said[slot.start : slot.end]), " ".join(words[slot.heard_start : slot.heard_end]))
        for region in regions(said, words)
        for slot in region.slots
    ]


@pytest.mark.parametrize(
    ("reference", "heard", "expected"),
    [
        ("the old ferry left", "the old ferry left", []),
        ("the old ferry left", "the old fairy left", [("ferry", "fairy")]),
        ("the old ferry left", "the ferry left", [("old", "")]),
        ("the old ferry left", "the old old ferry left", [("", "old")]),
        ("the old ferry left", "", [("the", ""), ("old", ""), ("ferry", ""), ("left", "")]),
        ("by sheep for most", "by shape for for most", [("sheep", "shape"), ("", "for")]),
        ("the pilot turned back", "the pilot pilot drum back", [("", "pilot"), ("turned", "drum")]),
        ("", "noise", [("", "noise")]),
        ("", "", []),
        ("a cold draft moved", "a gold raft moved", [("cold", "gold"), ("draft", "raft")]),
    ],
)
def test_every_difference_is_found_and_paired_by_sound(reference, heard, expected):
    assert slots(reference, heard) == expected


def test_slots_and_agreements_cover_both_sides_exactly_once():
    reference, heard = "the captain folded the chart and left".split(), "captain fold it the the cart and he left".split()
    taken = [i for region in regions(reference, heard) for slot in region.slots for i in range(slot.start, slot.end)]
    given = [i for region in regions(reference, heard) for slot in region.slots for i in range(slot.heard_start, slot.heard_end)]
    both = agreements(reference, heard)
    assert sorted(taken + [i for i, _ in both]) == list(range(len(reference)))
    assert sorted(given + [j for _, j in both]) == list(range(len(heard)))
    assert all(reference[i] == heard[j] for i, j in both)


def test_texts_that_share_nothing_are_paired_without_a_quadratic_search():
    reference, heard = [f"a{k}" for k in range(400)], [f"b{k}" for k in range(300)]
    found = regions(reference, heard)
    assert sum(len(region.slots) for region in found) == 400


def word(text: str, at: float = 0.0) -> Word:
    return Word(text, at, at + 0.1)


TRANSCRIPT = Transcript(
    words=tuple(map(word, "a b c d".split())),
    engine="x",
    confidence_method="none",
    evidence=(
        Evidence(0, 0, -1.0, (word("uh"),)),
        Evidence(1, 2, -3.0, (word("p"), word("q"))),
        Evidence(2, 3, 2.0, ()),
        Evidence(4, 4, -5.0, (word("z"),)),
    ),
)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(-10.0, "a b c d"), (-5.0, "a b c d"), (-4.0, "a b c d z"), (-2.0, "a p q c d z"), (0.0, "uh a p q c d z"), (2.1, "uh a p q d z")],
)
def test_the_threshold_alone_decides_what_was_heard(threshold, expected):
    read = apply_threshold(TRANSCRIPT, log_ratio_threshold=threshold)
    assert " ".join(w.text for w in read.words) == expected
    assert read.evidence is None


def test_a_transcript_without_evidence_is_left_as_it_is():
    plain = Transcript(words=(word("a"),), engine="x", confidence_method="none")
    assert apply_threshold(plain, log_ratio_threshold=0.0) is plain
