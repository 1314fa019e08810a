"""Moving dropped and added words right changes where they stand, never what was edited."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.text.stretches import moved_right
from workbench.verdicts.align import align_words

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=9)


@given(WORDS, WORDS)
def test_stretches_stay_in_order_and_all_between_them_is_equal(reference, heard):
    counts, stretches = align_words(reference, heard)
    at, heard_at = 0, 0
    for a, b, c, d in stretches:
        assert at <= a <= b and heard_at <= c <= d and (a < b or c < d)
        assert reference[at:a] == heard[heard_at:c]
        at, heard_at = b, d
    assert reference[at:] == heard[heard_at:]
    # A stretch costs its longer side: moving must not make the alignment dearer than the cheapest.
    assert sum(max(b - a, d - c) for a, b, c, d in stretches) == counts.substituted + counts.deleted + counts.inserted


@given(WORDS, WORDS)
def test_moving_twice_changes_nothing(reference, heard):
    _, stretches = align_words(reference, heard)
    assert moved_right(stretches, reference, heard) == stretches
