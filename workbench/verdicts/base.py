"""The twelve verdicts and what stands behind each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from workbench.audio import Audio
from workbench.stt.base import Word


class Verdict(StrEnum):
    """One reference word's verdict; ``fast`` and ``precision`` are the two recognisers."""

    PASS = "pass"  # both heard the word
    STT_ERROR = "stt_error"  # fast wrong, precision right
    PRECISION_ERROR = "precision_error"  # fast right, precision wrong
    TTS_FAILURE = "tts_failure"  # both wrong in the same way: a fault of the audio
    AMBIGUOUS = "ambiguous"  # both wrong, differently: listen
    HOMOPHONE = "homophone"  # a sound-alike was written
    COMPOUND = "compound"  # neighbours merged or split
    SPELLING_VARIANT = "spelling_variant"  # the same word, spelt otherwise
    FILLER_WORD = "filler_word"  # uh, um, hmm
    ABBREVIATION = "abbreviation"  # written short, heard in full or the other way round
    GT_TYPO = "gt_typo"  # the text holds a typo, the engines are right
    GT_ERROR = "gt_error"  # the text is faulty, for instance a space is missing


#: Verdicts that count as the word having been said.
SAID = frozenset(Verdict) - {Verdict.TTS_FAILURE, Verdict.AMBIGUOUS}
#: Verdicts that a person should look at.
FLAGGED = frozenset({Verdict.TTS_FAILURE, Verdict.AMBIGUOUS})


class WordVerdict(NamedTuple):
    """The verdict on reference token ``index`` with its evidence.

    ``fast`` and ``precision`` hold what each engine heard in its place (empty: nothing; words heard for a group of reference words stand at
    each of them). ``phone_distance`` is 0 for the same sound, 1 for none in common or nothing heard, None where the words match as written
    or in value; where both engines differ it is the nearer one's. Times and ``confidence`` are those of the fast engine where it heard
    something, else of the precision engine; times are else interpolated from the neighbours.
    A named tuple, because books make millions of them and a frozen dataclass takes four times as long to make.
    """

    index: int
    word: str
    verdict: Verdict
    fast: tuple[Word, ...]
    precision: tuple[Word, ...]
    phone_distance: float | None
    start_sec: float | None
    end_sec: float | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Insertion:
    """Words heard that the text does not have, before reference token ``before`` (== number of tokens: after the last)."""

    before: int
    verdict: Verdict
    fast: tuple[Word, ...]
    precision: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class EditCounts:
    """Word edits against the reference. ``wer`` is (substituted + deleted + inserted) / reference words."""

    hits: int
    substituted: int
    deleted: int
    inserted: int

    @property
    def reference_words(self) -> int:
        return self.hits + self.substituted + self.deleted

    @property
    def errors(self) -> int:
        return self.substituted + self.deleted + self.inserted

    @property
    def wer(self) -> float:
        return self.errors / self.reference_words if self.reference_words else float(self.inserted > 0)


@dataclass(frozen=True, slots=True)
class ClipVerdicts:
    """All verdicts of one clip.

    ``fast_edits`` and ``precision_edits`` count raw edits, before homophones and the like are forgiven; ``edits`` counts what is left as
    errors of the audio: the words flagged and the insertions flagged. ``flags`` holds clip-level faults: empty_output, near_silent,
    repeated_span, cut_off_tail, added_tail.
    ``confidence`` is the mean word confidence of the fast engine, None without words.
    """

    words: tuple[WordVerdict, ...]
    insertions: tuple[Insertion, ...]
    flags: tuple[str, ...]
    fast_edits: EditCounts
    precision_edits: EditCounts | None
    confidence: float | None

    @property
    def edits(self) -> EditCounts:
        """Errors left to the audio: flagged words (substituted where anything was heard, else deleted) and flagged insertions, in words."""
        flagged = [w for w in self.words if w.verdict in FLAGGED]
        deleted = sum(not (w.fast or w.precision) for w in flagged)
        inserted = sum(max(len(i.fast), len(i.precision)) for i in self.insertions if i.verdict in FLAGGED)
        return EditCounts(len(self.words) - len(flagged), len(flagged) - deleted, deleted, inserted)

    def count(self, verdict: Verdict) -> int:
        """Reference words and insertions with this verdict."""
        return sum(w.verdict is verdict for w in self.words) + sum(i.verdict is verdict for i in self.insertions)


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What the verdicts need to know of the audio itself.

    ``rms_db`` is the root mean square in dB below full scale, -inf for digital silence.
    """

    duration_sec: float
    rms_db: float

    @classmethod
    def of(cls, audio: Audio) -> AudioFacts:
        """Measured from the samples; silence for empty audio."""
        size = audio.samples.size
        # float64: the sum of squares of half an hour overflows the 24 bits of a float32.
        mean_square = float((audio.samples.astype("float64") ** 2).sum() / size) if size else 0.0
        return cls(audio.duration_sec, 10 * math.log10(mean_square) if mean_square > 0 else -math.inf)
