"""The cascade: which clips go on to which stage. Pure, decided from stored results alone, so every order of work and every runner chooses the same.

The fast engine hears every clip, the precision engine those in doubt, and the judges what passed, with a random control sample of what did not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Literal

from pydantic import Field

from workbench.clips import Clip
from workbench.config import Config
from workbench.scan.by_word import doubts
from workbench.scan.codec import transcript_of
from workbench.scan.reference import forms_of, reference_tokens
from workbench.scan.stages import StagePlan
from workbench.store import RowKey, StageResult
from workbench.stt.base import Transcript
from workbench.stt.evidence import apply_threshold
from workbench.text import Token
from workbench.verdicts import judge
from workbench.verdicts.align import align_words
from workbench.verdicts.base import FLAGGED
from workbench.verdicts.operating_point import SHIPPED

#: Errors of the input, not of the engine; the same input gives them again, so trying again would only cost time.
FINAL_ERRORS = frozenset({"AudioError", "TextError", "ManifestError", "ConfigError", "UnknownNameError"})

Escalate = Literal["all", "flagged", "words"]
MosMode = Literal["all", "passed", "sample", "flagged_only", "none"]


class Cascade(Config):
    """What the stages choose by.

    Attributes:
        escalate: which clips the precision engine hears: ``all``, the ``flagged`` ones (whole), or only the stretches around their doubtful ``words``.
        flag_wer: a clip is flagged above this word error rate of the fast engine ...
        flag_confidence: ... or below this mean word confidence; clips of unknown confidence are weighed by their word errors alone.
        word_confidence: with ``words``, a word heard as written with less confidence is in doubt, too.
        context_words: with ``words``, agreeing words heard on either side of a doubt.
        margin_sec: with ``words``, audio kept beside them.
        mos_mode: which clips are judged for quality: ``all``; those that ``passed`` (not flagged, or without a flagged word once the precision engine heard them), with
            a control sample of the others; a random ``sample``; ``flagged_only`` (with a tts_failure or an ambiguous word); ``none``. Signal metrics are always taken.
        mos_sample_rate: share of clips in the ``sample``.
        control_rate: share of the clips that did not pass in the control sample.
        log_ratio_threshold: operating point at which words are flagged for these choices.
    """

    escalate: Escalate = "all"
    flag_wer: float = Field(0.05, ge=0)
    flag_confidence: float = Field(0.98, ge=0, le=1)
    word_confidence: float = Field(0.9, ge=0, le=1)
    context_words: int = Field(2, ge=0, le=20)
    margin_sec: float = Field(0.15, ge=0, le=5)
    mos_mode: MosMode = "all"
    mos_sample_rate: float = Field(0.1, ge=0, le=1)
    control_rate: float = Field(0.05, ge=0, le=1)
    log_ratio_threshold: float = SHIPPED.threshold

    def flags(self, tokens: Sequence[Token], fast: Transcript) -> bool:
        """Whether a clip goes to the precision engine as ``flagged``. Without a text there is nothing to be wrong about but words."""
        known = [word.confidence for word in fast.words if word.confidence is not None]
        if known and sum(known) / len(known) < self.flag_confidence:
            return True
        return align_words([token.text for token in tokens], [word.text for word in fast.words])[0].wer > self.flag_wer

    def doubts(self, tokens: Sequence[Token], fast: Transcript) -> bool:
        """Whether any word of a clip goes to the precision engine with ``words``."""
        return bool(doubts(tokens, fast.words, self.word_confidence))


class ToDo(Enum):
    """What a stage has to do for a clip: ``LATER`` when what it is chosen by, or builds on, is not there yet."""

    NOTHING = "nothing"
    NOW = "now"
    LATER = "later"


class Choice:
    """The stages' choices for one clip. ``results`` may grow while the stages run; what is asked must rest on what is there.

    Args:
        results: by stage name, those under the plan's fingerprints.
    """

    __slots__ = ("_cascade", "_clip", "_escalated", "_key", "_most", "_passed", "_seed", "_stages", "_tokens", "results")

    def __init__(
        self, stages: Mapping[str, StagePlan], cascade: Cascade, *, seed: int, max_attempts: int, clip: Clip, key: RowKey, results: dict[str, StageResult]
    ) -> None:
        self._stages, self._cascade, self._seed, self._most = stages, cascade, seed, max_attempts
        self._clip, self._key, self.results = clip, key, results
        self._tokens: tuple[Token, ...] | None = None
        self._escalated: bool | None = None
        self._passed: tuple[bool, bool] | None = None

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The reference; where the text may be said in several ways it rests on what the fast engine heard."""
        if self._tokens is None:
            tokens = reference_tokens(self._clip, self.heard("fast"))
            if forms_of(self._clip) and not self._settled("fast"):
                return tokens
            self._tokens = tokens
        return self._tokens

    def to_do(self, stage: StagePlan) -> ToDo:
        """Whether the stage's engine has work: the clip is chosen, and there is no result yet or an error that another try may mend."""
        found = self.results.get(stage.name)
        if found is not None and not is_open(found, max_attempts=self._most):
            return ToDo.NOTHING
        if stage.needs_reference and not self.tokens:
            return ToDo.NOTHING
        wanted = self.wanted(stage)
        if wanted is None or (wanted and stage.needs_reference and not self._settled("fast")):
            return ToDo.LATER
        return ToDo.NOW if wanted else ToDo.NOTHING

    def wanted(self, stage: StagePlan) -> bool | None:
        """Whether the cascade chooses the clip for this stage; None while that rests on something that is not there yet."""
        if stage.name == "precision":
            return self._wants_precision()
        if stage.gated:
            return self._wants_judges()
        return True

    def unfinished(self) -> bool:
        """Whether any stage has work left, now or later."""
        return any(self.to_do(stage) is not ToDo.NOTHING for stage in self._stages.values())

    def failed(self) -> bool:
        """Whether any stage that the clip is chosen for failed."""
        return any(result.error and self.wanted(self._stages[name]) for name, result in self.results.items())

    def heard(self, name: str) -> Transcript | None:
        """The transcript of the stage ``fast`` or ``precision``; None where there is none."""
        result = self.results.get(name)
        return None if result is None or result.error else transcript_of(name, result.values)

    def _settled(self, name: str) -> bool:
        found = self.results.get(name)
        return found is not None and not is_open(found, max_attempts=self._most)

    def _wants_precision(self) -> bool | None:
        if self._cascade.escalate == "all":
            return True
        if not self._settled("fast"):
            return None
        if self._escalated is None:
            fast = self.heard("fast")
            in_doubt = self._cascade.flags if self._cascade.escalate == "flagged" else self._cascade.doubts
            # A clip that the fast engine cannot hear is in doubt as a whole.
            self._escalated = fast is None or in_doubt(self.tokens, fast)
        return self._escalated

    def _wants_judges(self) -> bool | None:
        mode = self._cascade.mos_mode
        if mode in ("all", "none"):
            return mode == "all"
        if mode == "sample":
            return self._drawn("sample", self._cascade.mos_sample_rate)
        if self._passed is None:
            if not self._settled("fast"):
                return None
            precision = self._stages.get("precision")
            if precision is not None and self.to_do(precision) is not ToDo.NOTHING:
                return None
            self._passed = self._weigh()
        passed, flagged = self._passed
        return flagged if mode == "flagged_only" else passed or self._drawn("control", self._cascade.control_rate)

    def _weigh(self) -> tuple[bool, bool]:
        """Whether the clip passed, and whether a word of it is flagged. A clip that an engine failed on did not pass."""
        fast, precision = self.heard("fast"), self.heard("precision")
        if fast is None or (precision is None and "precision" in self.results):
            return False, False
        if precision is not None and precision.evidence is not None:
            precision = apply_threshold(precision, log_ratio_threshold=self._cascade.log_ratio_threshold)
        verdicts = judge(self.tokens, fast, precision)
        flagged = any(w.verdict in FLAGGED for w in verdicts.words) or any(i.verdict in FLAGGED for i in verdicts.insertions)
        passed = not flagged if precision is not None else not self._cascade.flags(self.tokens, fast)
        return passed, flagged

    def _drawn(self, purpose: str, rate: float) -> bool:
        """A draw by content: the same whatever the order, the batch and the machine."""
        digest = hashlib.sha256(f"{purpose}\0{self._seed}\0{'/'.join(self._key)}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) < rate * 2**64


def is_open(result: StageResult, *, max_attempts: int) -> bool:
    """Whether a result is an error that another try may mend."""
    error = result.error
    return bool(error) and error["type"] not in FINAL_ERRORS and error.get("attempts", 1) < max_attempts
