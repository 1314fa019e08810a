"""What speaks for one pronunciation and against another, once both are laid over the audio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.homographs.contrast import aligned_phones
from workbench.homographs.prosody import VOICED, Prosody
from workbench.stt.chains import Path
from workbench.text.phone_sets import VOWELS

#: Names of the columns: see ``measure``.
MEASURES = (
    "ratio", "ratio_per_frame", "contrast", "contrast_worst",
    "stress_duration", "stress_energy", "stress_pitch", "stress",
    "full_duration", "full_energy", "full",
    "voice_periodicity", "voice_balance", "voice_duration", "voice_vowel", "voice",
)  # fmt: skip
_VOICELESS = {"B": "P", "D": "T", "G": "K", "V": "F", "DH": "TH", "Z": "S", "ZH": "SH", "JH": "CH"}
_WEAK = frozenset({"AH", "IH", "UH", "ER", "IY"})


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """One pronunciation laid over a window.

    Attributes:
        score: nats of the whole window.
        phones: ARPABET with stress.
        starts, ends: shape (len(phones),), frames of each, half-open, in the window.
        log_likelihood: shape (T,), nats of each frame of the window.
    """

    score: float
    phones: tuple[str, ...]
    starts: np.ndarray
    ends: np.ndarray
    log_likelihood: np.ndarray

    @classmethod
    def of(cls, score: float, path: Path, word: int, phones: Sequence[str]) -> Spoken:
        """From the path of a network in which the pronunciation is the word numbered ``word``."""
        first, last = path.span(word)
        segments = path.segment[first:last]
        starts = first + np.flatnonzero(np.diff(segments, prepend=segments[0] - 1))
        return cls(score, tuple(phones), starts, np.append(starts[1:], last), path.log_likelihood)

    @property
    def frames(self) -> int:
        return int(self.ends[-1] - self.starts[0])

    def fit(self, phones: np.ndarray) -> float:
        """Mean nats per frame of the word against the best phone of each frame, about 0 where it fits.

        Args:
            phones: shape (T, P), nats of every phone without context.
        """
        own = slice(int(self.starts[0]), int(self.ends[-1]))
        return float((self.log_likelihood[own] - phones[own].max(axis=1)).mean())

    def duration(self, at: int) -> int:
        return int(self.ends[at] - self.starts[at])

    def within(self, at: int) -> slice:
        return slice(int(self.starts[at]), int(self.ends[at]))


def measure(a: Spoken, b: Spoken, *, phones: np.ndarray, index: Mapping[str, int], sound: Prosody) -> tuple[float, ...]:
    """The columns of ``MEASURES``, each squeezed into a range in which a linear model can add them.

    Args:
        phones: shape (T, P), nats of every phone without context.
        index: phone -> column.
        sound: prosody of the window.

    ``ratio``: log likelihood ratio of the window, whole and per frame of the word. ``contrast``: log ratio of the two phones wherever the pronunciations
    differ, mean and weakest. ``stress``: the vowel that the first stresses against the one that the second stresses. ``full``: length and loudness of a vowel that one
    of them has weak. ``voice``: voicing of a consonant that one of them has voiceless, and the length of the vowel before. The columns ``stress``, ``full``, ``voice`` are
    +1 or -1 by which of the two bears the mark, 0 where none does: the others are read against them.
    """
    ratio, frames = a.score - b.score, max(a.frames, b.frames, 3)
    pairs = aligned_phones(a.phones, b.phones)
    differing = [(i, j) for i, j in pairs if i is None or j is None or _name(a.phones[i]) != _name(b.phones[j])]
    contrasts = [_contrast(a, b, i, j, phones, index) for i, j in differing] or [0.0]
    better = a if ratio >= 0 else b
    return tuple(
        float(value)
        for value in (
            math.asinh(ratio / 20),
            np.clip(ratio / frames, -20, 20) / 5,
            np.clip(np.mean(contrasts), -15, 15) / 5,
            np.clip(min(contrasts, key=abs), -15, 15) / 5,
            *_stress(a, b, pairs, better, sound),
            *_full(a, b, differing, better is a, sound),
            *_voice(a, b, differing, better is a, sound),
        )
    )


def _name(phone: str) -> str:
    return phone.rstrip("012")


def _contrast(a: Spoken, b: Spoken, i: int | None, j: int | None, phones: np.ndarray, index: Mapping[str, int]) -> float:
    """Mean over the frames of either alignment of log p(phone of a) - log p(phone of b); a phone that only one has is read against the best other."""
    values = []
    for spoken, at in ((a, i), (b, j)):
        if at is None:
            continue
        part = phones[spoken.within(at)]
        first = part[:, index[_name(a.phones[i])]] if i is not None else part.max(axis=1)
        second = part[:, index[_name(b.phones[j])]] if j is not None else part.max(axis=1)
        values.append(float((first - second).mean()))
    return float(np.mean(values))


def _vowels(phones: Sequence[str]) -> list[int]:
    return [at for at, phone in enumerate(phones) if _name(phone) in VOWELS]


def _mean(values: np.ndarray, part: slice) -> float:
    return float(values[part].mean())


def _pitch(sound: Prosody, part: slice) -> float | None:
    voiced = sound.periodicity[part] >= VOICED
    return float(np.median(sound.pitch[part][voiced])) if voiced.sum() >= 2 else None


def _stress(a: Spoken, b: Spoken, pairs, better: Spoken, sound: Prosody) -> tuple[float, float, float, float]:
    """Duration, energy and pitch of the syllable that ``a`` stresses against the one that ``b`` stresses."""
    vowels_a, vowels_b = _vowels(a.phones), _vowels(b.phones)
    marks = [next((k for k, at in enumerate(vowels) if spoken.phones[at].endswith("1")), None) for spoken, vowels in ((a, vowels_a), (b, vowels_b))]
    if len(vowels_a) != len(vowels_b) or None in marks or marks[0] == marks[1]:
        return 0.0, 0.0, 0.0, 0.0
    places = vowels_a if better is a else vowels_b
    of_a, of_b = (places[mark] for mark in marks)
    duration = math.log(better.duration(of_a) / better.duration(of_b))
    energy = _mean(sound.energy, better.within(of_a)) - _mean(sound.energy, better.within(of_b))
    pitches = [_pitch(sound, better.within(at)) for at in (of_a, of_b)]
    pitch = 0.0 if None in pitches else float(np.clip(pitches[0] - pitches[1], -0.5, 0.5))
    return duration, float(np.clip(energy, -5, 5)) / 2, pitch * 5, 1.0 if marks[0] < marks[1] else -1.0


def _full(a: Spoken, b: Spoken, differing, first_better: bool, sound: Prosody) -> tuple[float, float, float]:
    """Of the vowels that one pronunciation has weak: how long and loud they are beside the word's other phones."""
    durations, energies, signs = [], [], []
    better = a if first_better else b
    mean_duration = better.frames / len(better.phones)
    loudest = sound.energy[int(better.starts[0]) : int(better.ends[-1])].max()
    for i, j in differing:
        if i is None or j is None:
            continue
        weak_a, weak_b = (phone.endswith("0") and _name(phone) in _WEAK for phone in (a.phones[i], b.phones[j]))
        if weak_a == weak_b or not {_name(a.phones[i]), _name(b.phones[j])} <= VOWELS:
            continue
        sign, at = 1.0 if weak_b else -1.0, i if first_better else j
        durations.append(sign * math.log(better.duration(at) / mean_duration))
        energies.append(sign * (_mean(sound.energy, better.within(at)) - loudest) / 2)
        signs.append(sign)
    return tuple(float(np.mean(values)) if values else 0.0 for values in (durations, energies, signs))


def _voice(a: Spoken, b: Spoken, differing, first_better: bool, sound: Prosody) -> tuple[float, float, float, float, float]:
    """Of a consonant that one pronunciation has voiced: periodicity, balance of the bands and length; and the length of the vowel before it."""
    better = a if first_better else b
    mean_duration = better.frames / len(better.phones)
    for i, j in differing:
        if i is None or j is None:
            continue
        names = _name(a.phones[i]), _name(b.phones[j])
        if _VOICELESS.get(names[0]) != names[1] and _VOICELESS.get(names[1]) != names[0]:
            continue
        sign, at = 1.0 if _VOICELESS.get(names[0]) == names[1] else -1.0, i if first_better else j
        part = better.within(at)
        vowel = math.log(better.duration(at - 1) / mean_duration) if at else 0.0
        return (
            sign * (_mean(sound.periodicity, part) - 0.5) * 3,
            sign * float(np.clip(_mean(sound.balance, part), -6, 6)) / 3,
            sign * math.log(better.duration(at) / mean_duration),
            sign * vowel,
            sign,
        )
    return 0.0, 0.0, 0.0, 0.0, 0.0
