"""The audio of planted texts: what the synthesiser is told to say, and cutting a tail away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from workbench.audio import Audio
from workbench.verdicts.planted import PlantedText

#: Gives start and end of each word in seconds; ``SecondOpinionTranscriber.align`` is one.
Aligner = Callable[[Audio, Sequence[str]], Sequence[tuple[float, float]]]


def spoken_text(planted: PlantedText) -> str:
    """What a synthesiser is given."""
    return planted.text or " ".join(planted.spoken) + "."


def cut_tail(audio: Audio, planted: PlantedText, *, align: Aligner) -> Audio:
    """The audio up to the end of the last word that is kept; the same object when nothing is to be cut.

    The whole text was spoken, so the cut falls inside running speech as it would in a broken clip. The boundary comes from forced
    alignment; what little a boundary off by a frame or two leaves of
    the next word is no word.
    """
    if planted.keep is None:
        return audio
    end_sec = align(audio, planted.spoken)[planted.keep - 1][1]
    return replace(audio, samples=audio.samples[: round(end_sec * audio.sample_rate_hz)])
