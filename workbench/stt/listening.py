"""What recognisers hear of a clip: samples at their rate, checked before any model sees them, long recordings in pieces, pieces in batches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import TypeVar

import numpy as np

from workbench.audio import Audio, resample
from workbench.batching import in_batches
from workbench.errors import AudioError, ConfigError, EngineError
from workbench.stt.base import Word

R = TypeVar("R")

#: All recognisers of this room were trained at this rate.
SAMPLE_RATE_HZ = 16_000
#: The models' windows need some frames to work with; anything shorter cannot hold a word.
SHORTEST_SEC = 0.1
#: Below this peak there is nothing but rounding noise of 16-bit samples.
SILENT_PEAK = 3 / 32768
_HOP = SAMPLE_RATE_HZ // 100


def speech_samples(audio: Audio) -> np.ndarray:
    """Samples at 16 kHz within -1..1, shape (T,), float32; empty where no word can be: too short or silent.

    Raises:
        AudioError: samples that are not finite; a model would hear words in them.
    """
    # The peak of a row with a NaN or an infinity in it is not finite either.
    if not np.isfinite(audio.peak):
        raise AudioError("samples that are not finite cannot be heard", where=audio.path, got="NaN or infinity", expected="finite samples")
    if audio.duration_sec < SHORTEST_SEC or audio.peak < SILENT_PEAK:
        return np.zeros(0, dtype=np.float32)
    samples = resample(audio, SAMPLE_RATE_HZ).samples
    return samples / audio.peak if audio.peak > 1.0 else samples


def pieces(samples: np.ndarray, *, most_sec: float) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of at most ``most_sec`` with their first sample's index, cut in the quietest 0.2 s of the second half of each."""
    most, least, quiet = (int(sec * SAMPLE_RATE_HZ) for sec in (most_sec, most_sec / 2, 0.2))
    start = 0
    while len(samples) - start > most:
        search = samples[start + least : start + most]
        power = (search[: len(search) // _HOP * _HOP].reshape(-1, _HOP).astype(np.float64) ** 2).sum(axis=1)
        window = np.convolve(power, np.ones(quiet // _HOP), mode="valid")
        cut = start + least + int(window.argmin()) * _HOP + quiet // 2
        yield start, samples[start:cut]
        start = cut
    yield start, samples[start:]


def heard(
    clips: Sequence[Audio],
    call: Callable[[list[np.ndarray]], Sequence[R]],
    *,
    piece_sec: float,
    most_items: int,
    most_sec: float,
) -> list[list[tuple[float, R]]]:
    """What ``call`` makes of the clips, each cut into pieces, pieces of like length of all clips batched together.

    Args:
        call: gives one result per stretch of samples (16 kHz, float32, none of them empty or silent).
        piece_sec: longest piece.
        most_items: pieces in a batch at most; halved when memory runs out.
        most_sec: padded seconds in a batch at most.

    Returns:
        Per clip its pieces' (start in seconds, result) in order of time; none where no word can be.

    Raises:
        AudioError: a clip has samples that are not finite.
    """
    parts: list[tuple[int, float, np.ndarray]] = []
    for number, audio in enumerate(clips):
        samples = speech_samples(audio)
        for start, piece in pieces(samples, most_sec=piece_sec) if len(samples) else ():
            if len(piece) >= SHORTEST_SEC * SAMPLE_RATE_HZ and np.abs(piece).max() >= SILENT_PEAK:
                parts.append((number, start / SAMPLE_RATE_HZ, np.ascontiguousarray(piece, dtype=np.float32)))
    lengths = [len(samples) / SAMPLE_RATE_HZ for _, _, samples in parts]
    results = in_batches([samples for _, _, samples in parts], call, lengths=lengths, most_items=most_items, most_length=most_sec)
    found: list[list[tuple[float, R]]] = [[] for _ in clips]
    for (number, start_sec, _), result in zip(parts, results, strict=True):
        found[number].append((start_sec, result))
    return found


def spoken_words(written: Sequence[Word]) -> list[Word]:
    """The words that a recogniser wrote as comparison words (``text.tokenise``): "Dr." becomes "doctor", "$5 million" three words.

    Words that share a written form share its time evenly; a confidence is the least of the written words it came from.
    """
    from workbench.text import tokenise

    ends = list(accumulate(len(word.text) + 1 for word in written))
    found: list[Word] = []
    latest = 0.0
    # A token of "$5 million" comes from two written words, the tokens of "twenty-five" from one.
    for (first, last), group in groupby(tokenise(" ".join(word.text for word in written)), key=lambda t: (bisect_right(ends, t.start), bisect_right(ends, t.end - 1))):
        tokens, of = list(group), written[first : last + 1]
        start = max(latest, of[0].start_sec)
        latest = max(start, *(word.end_sec for word in of))
        known = [word.confidence for word in of if word.confidence is not None]
        sure = min(1.0, max(0.0, min(known))) if known else None
        step = (latest - start) / len(tokens)
        found += [Word(token.text, start + k * step, start + (k + 1) * step, sure) for k, token in enumerate(tokens)]
    return found


def moved(word: Word, offset_sec: float, end_sec: float) -> Word:
    """The word in seconds of the whole recording, within its bounds."""
    start, end = (round(min(offset_sec + sec, end_sec), 4) for sec in (word.start_sec, word.end_sec))
    return Word(word.text, start, end, word.confidence)


def check_batch_options(engine: str, **values: float) -> None:
    """
    Raises:
        ConfigError: one of them is not a positive number.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise ConfigError(f"{name} of {engine} must be a positive number", got=value, expected="above 0")


def not_loaded(engine: str) -> EngineError:
    return EngineError("engine is not loaded", where=engine, mend="call load() first")
