"""Homographs of clips that were scanned: which reading each sentence asks for, which one the audio says, and what to listen to first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.homographs.calibration import Calibration, read_calibration, shipped
from workbench.homographs.decide import HomographVerdict
from workbench.homographs.expected import load_reader
from workbench.homographs.judging import Judged, judge
from workbench.homographs.lexicon import lexicon
from workbench.homographs.occurrence import character_span
from workbench.homographs.spoken import targets_in
from workbench.homographs.trials import Trial
from workbench.scan.homographs import hear_trials
from workbench.scan.progress import print_line
from workbench.scan.results import ClipResult


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
    judged = judge(asked, judging)
    found = tuple(HomographResult(result, word, span, one) for (result, word, span), one in zip(places, judged, strict=True))
    return HomographReview(found, judging, len(readable))
