"""What the audio says about words that the language model may have put there.

A decoder's language model corrects what it hears: a misspoken word becomes the likely one, a word said twice is heard once. Both hide
faults of synthetic speech. After the free decode each word is
therefore scored once more by sound alone, against the words that sound closest to it and against itself said twice; only a clear margin
overrules the decoder. The reference text is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.stt.acoustic import FRAMES_PER_SEC, AcousticModel, FrameScores
from workbench.stt.base import Word
from workbench.stt.chains import ChainScorer, sounds_of

#: How much better, in nats, another word must fit the sound than the decoder's; and the same for the word said twice. On the tuning voices
#: of
#: ``benchmarks/planted_errors.py`` 1.4% and 0.5% of rightly heard words lie beyond.
OTHER_WORD_NATS, TWICE_NATS = 15.0, 0.0
NEIGHBOURS = 8
#: Two passes that disagree: no more than even.
_MOST_CONFIDENCE = 0.5
#: Speech beside the first and the last word that may belong to it.
_MARGIN_FRAMES = 30
_MOST_FRAMES = 600


class SecondLook:
    """Overrules a decoder's words where their sound clearly says otherwise."""

    def __init__(self, model: AcousticModel) -> None:
        self._model, self._chains = model, ChainScorer(model)

    def look(self, features: np.ndarray, words: Sequence[Word]) -> list[Word]:
        """The words as their sound has them.

        Args:
            features: shape (3, T, 13) of the utterance that the words' times refer to.
            words: of the free decode, in order of time.
        """
        whole = FrameScores(self._model, features)
        return [word for index in range(len(words)) for word in self._one(whole, words, index)]

    def _one(self, whole: FrameScores, words: Sequence[Word], index: int) -> tuple[Word, ...]:
        from workbench.text import neighbours

        word = words[index]
        before, after = words[max(0, index - 1) : index], words[index + 1 : index + 2]
        first = round(before[0].start_sec * FRAMES_PER_SEC) if before else round(word.start_sec * FRAMES_PER_SEC) - _MARGIN_FRAMES
        last = round(after[0].end_sec * FRAMES_PER_SEC) if after else round(word.end_sec * FRAMES_PER_SEC) + _MARGIN_FRAMES
        first, last = max(first, 0), min(last, whole.frames)
        others = neighbours(word.text, count=NEIGHBOURS)
        if not 3 <= last - first <= _MOST_FRAMES or not sounds_of([word.text]):
            return (word,)
        left, right = (sounds_of([w.text for w in beside]) for beside in (before, after))
        spoken = [[word.text], [word.text, word.text], *([other] for other in others)]
        networks = [[[left + sounds_of(texts) + right]] for texts in spoken]
        scores = [chain.score for chain in self._chains.best(whole.window(first, last), networks)]
        confidence = None if word.confidence is None else min(word.confidence, _MOST_CONFIDENCE)
        best = max(range(2, len(spoken)), key=scores.__getitem__, default=0)
        if scores[1] - scores[0] > TWICE_NATS and scores[1] >= scores[best]:
            middle = round((word.start_sec + word.end_sec) / 2, 4)
            return replace(word, end_sec=middle, confidence=confidence), replace(word, start_sec=middle, confidence=confidence)
        if scores[best] - scores[0] > OTHER_WORD_NATS:
            return (replace(word, text=spoken[best][0], confidence=confidence),)
        return (word,)
