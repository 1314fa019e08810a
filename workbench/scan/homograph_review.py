"""Homographs of clips that were scanned: which reading each sentence asks for, which one the audio says, and what to listen to first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.homographs.calibration import Calibration, read_calibration, shipped
from workbench.homographs.decide import HomographVerdict
from workbench.homographs.judging import Asked, Judged, judge
from workbench.homographs.lexicon import lexicon
from workbench.homographs.occurrence import character_span
from workbench.homographs.readers import load_reader
from workbench.homographs.spoken import Heard, targets_in
from workbench.homographs.trials import Trial
from workbench.scan.homographs import hear_trials
from workbench.scan.progress import print_line
from workbench.scan.results import ClipResult
from workbench.verdicts.base import FLAGGED

#: Where more of the other words are flagged, the clip says something else than its text.
MOST_FLAGGED = 0.5


@dataclass(frozen=True, slots=True)
class HomographResult:
    """One homograph in one clip. ``span`` is its place in the clip's text, in characters, half-open."""

    result: ClipResult
    word: str
    span: tuple[int, int]
    judged: Judged


@dataclass(frozen=True, slots=True)
class HomographReview:
    """All homographs of a list of clips, and the calibration that judged them."""

    found: tuple[HomographResult, ...]
    calibration: Calibration
    clips: int

    def count(self, verdict: HomographVerdict) -> int:
        return sum(one.judged.verdict is verdict for one in self.found)

    @property
    def ranked(self) -> list[HomographResult]:
        """The suspects, most suspicious first."""
        suspects = [one for one in self.found if one.judged.verdict is HomographVerdict.SUSPECT]
        return sorted(suspects, key=lambda one: (one.judged.evidence.score if one.judged.evidence.score is not None else 0.0, one.result.clip.clip_id))


def review_homographs(
    results: Sequence[ClipResult],
    *,
    listener: str = "pocketsphinx",
    calibration: str = "",
    kept: str | Path | None = None,
    workers: int = 1,
    device: str = "cpu",
    say: Callable[[str], None] = print_line,
) -> HomographReview:
    """Judge every homograph of every clip that has audio and a text; voices are adapted to among these clips.

    Args:
        calibration: a file of ``workbench homographs calibrate``; empty takes the one that ships for the listener.
        kept: file of what was heard before, which what is heard now is added to.

    Raises:
        UnknownNameError, ConfigError, EngineUnavailableError: no such listener, no calibration for it, or it lacks something.
    """
    judging = read_calibration(calibration) if calibration else shipped(listener)
    known, trials, places = lexicon(), [], []
    readable = [result for result in results if result.tokens and not any(failure.stage in ("audio", "text") for failure in result.failures)]
    for result in readable:
        clip, text = result.clip, result.clip.text
        for target, (start, end) in targets_in(text, known):
            trials.append(Trial(clip.audio or clip.clip_id, "", text, start, end, voice=clip.speaker))
            places.append((result, target.homograph.word, character_span(text, start, end)))
    if not trials:
        return HomographReview((), judging, len(readable))
    clips = [result.clip for result, *_ in places]
    asked = hear_trials(trials, clips=clips, known=known, listener=listener, device=device, workers=workers, reader=load_reader(), kept=kept, say=say)
    # A listener finds its sentence in whatever it hears; the recognisers know whether it was said.
    asked = [_unheard(one) if _says_something_else(result, span) else one for one, (result, _, span) in zip(asked, places, strict=True)]
    judged = judge(asked, judging)
    found = tuple(HomographResult(result, word, span, one) for (result, word, span), one in zip(places, judged, strict=True))
    return HomographReview(found, judging, len(readable))


def _says_something_else(result: ClipResult, span: tuple[int, int]) -> bool:
    """Whether most of the words beside a homograph are flagged; without verdicts nobody knows."""
    if result.verdicts is None:
        return False
    beside = [word.verdict in FLAGGED for word in result.verdicts.words if result.tokens[word.index].start != span[0]]
    return bool(beside) and sum(beside) > MOST_FLAGGED * len(beside)


def _unheard(one: Asked) -> Asked:
    return replace(one, heard=Heard((), one.heard.span_sec, fault="the recognisers hear other words than the text's in this clip", stage="unscorable"))
