"""Reading the evidence of an engine that weighs the reference: the threshold is applied here, when reading, so that moving it computes
nothing."""

from __future__ import annotations

from workbench.stt.base import Transcript, Word


def apply_threshold(transcript: Transcript, *, log_ratio_threshold: float) -> Transcript:
    """The words heard at an operating point: the reference's where the evidence supports them by at least the threshold, else what was
    heard instead.

    Args:
        transcript: of an engine that weighs the reference; its evidence is in order and does not overlap.
        log_ratio_threshold: nats; 0 asks which is likelier, lower values ask for more before a word counts as wrong.

    Returns:
        A transcript without evidence; the same one where there was none.
    """
    if transcript.evidence is None:
        return transcript
    words: list[Word] = []
    done = 0
    for place in transcript.evidence:
        if place.log_ratio >= log_ratio_threshold:
            continue
        words += [*transcript.words[done : place.start], *place.heard]
        done = place.end
    heard = tuple([*words, *transcript.words[done:]])
    return Transcript(heard, transcript.engine, transcript.confidence_method, listened_sec=transcript.listened_sec)
