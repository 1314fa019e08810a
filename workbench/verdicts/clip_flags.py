"""Faults of a clip as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.verdicts.base import AudioFacts, Insertion, Verdict, WordVerdict

#: Below this root mean square (dB of full scale) a clip holds no speech that anyone would hear.
NEAR_SILENT_DB = -60.0
#: A repetition is looked for among this many times its own length of text before the place, and once its length after it.
_REPEAT_REACH = 3
#: With one engine, a single missing word at the end is no evidence of a cut.
_ALONE_CUT_WORDS = 2


def clip_flags(
    reference: Sequence[str],
    words: Sequence[WordVerdict],
    insertions: Sequence[Insertion],
    *,
    anything_heard: bool,
    both_engines: bool,
    audio: AudioFacts | None = None,
) -> tuple[str, ...]:
    """Clip-level faults, in this order.

    - ``empty_output``: there is a text, and no engine heard a single word.
    - ``near_silent``: the audio's root mean square is below ``NEAR_SILENT_DB`` (only where ``audio`` is known).
    - ``repeated_span``: two or more inserted words that every engine heard repeat neighbouring words of the text.
    - ``cut_off_tail``: the last word or words of the text were heard by no engine, others were.
    - ``added_tail``: every engine heard words after the end of the text (fillers do not count).

    With one engine its word alone decides, and a cut tail needs two missing words.

    Args:
        reference: the reference words.
        anything_heard: whether any engine heard any word.
        both_engines: whether the precision engine ran.
    """
    flags = []
    agreed = [i for i in insertions if i.verdict is not Verdict.FILLER_WORD and i.fast and (i.precision or not both_engines)]
    if reference and not anything_heard:
        flags.append("empty_output")
    if audio is not None and audio.rms_db < NEAR_SILENT_DB:
        flags.append("near_silent")
    if agreed and any(_repeats(reference, insertion) for insertion in agreed):
        flags.append("repeated_span")
    if anything_heard and _missing_at_end(words) >= (1 if both_engines else _ALONE_CUT_WORDS):
        flags.append("cut_off_tail")
    if agreed and reference and any(i.before == len(reference) for i in agreed):
        flags.append("added_tail")
    return tuple(flags)


def _missing_at_end(words: Sequence[WordVerdict]) -> int:
    missing = 0
    for word in reversed(words):
        if word.verdict in (Verdict.FILLER_WORD, Verdict.GT_ERROR):
            continue
        if word.fast or word.precision:
            break
        missing += 1
    return missing


def _repeats(reference: Sequence[str], insertion: Insertion) -> bool:
    heard = [[w.text for w in words] for words in (insertion.fast, insertion.precision) if words]
    return any(_repeats_text(reference, insertion.before, words) for words in heard)


def _repeats_text(reference: Sequence[str], before: int, words: list[str]) -> bool:
    count = len(words)
    if count < 2:
        return False
    near = list(reference[max(0, before - _REPEAT_REACH * count) : before + count])
    if any(near[k : k + count] == words for k in range(len(near) - count + 1)):
        return True
    # A loop that ran several times: the text just before, over and over.
    for period in range(2, count):
        if before >= period and all(words[k] == reference[before - period + k % period] for k in range(count)):
            return True
    return False
